#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Which KUnit case holds which clause of the contract.

clauses.py check|update

A case says which in the comment above it, "Clauses: W6, U1". The clauses are
sections of Documentation/gpu/windows-comparison.rst, in which the table, and
the field "Proven by" of each section, are written by this: update does so,
check fails if they are not what it would write. Both fail if a clause has no
case, or if a case names a clause that there is not.

What has to be seen to pass is for kunit_tap.py to ask, with unproven().
"""

import re
import sys
import textwrap
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "Documentation/gpu/windows-comparison.rst"
FIELDS = ("Clause", "Windows", "Linux", "Decision", "Proven by")
WIDTH = 79

NUMBERED = r"[WU]\d+"
SECTION = re.compile(rf"^(?P<title>(?P<id>{NUMBERED}): [^\n]+)\n-+\n(?P<body>.*?)(?=^[^\n]+\n[-=]+\n|\Z)",
                     re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^:(?P<name>[^:\n]+):(?P<text>.*?)(?=^:|\Z)", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"(?<=^\.\. begin of the table\n\n).*?(?=^\.\. end of the table$)",
                   re.MULTILINE | re.DOTALL)

CASE = re.compile(r"\n \* Clauses: (?P<clauses>(?:(?!\*/).)+?)\n \*/\nstatic void (?P<name>\w+)\(struct kunit \*test\)", re.DOTALL)
CASES = re.compile(r"^static struct kunit_case (\w+)\[\] = {(.*?)^};", re.MULTILINE | re.DOTALL)
SUITE = re.compile(r"^static struct kunit_suite \w+ = {.*?\.name = \"(\w+)\",.*?"
                   r"\.test_cases = (\w+),.*?^};", re.MULTILINE | re.DOTALL)


class Wrong(Exception):
    """What is wrong with the comments or the page, for people."""


def order(clause):
    """As windows-comparison.rst has them: W before U, 2 before 10."""
    return -ord(clause[0]), int(clause[1:])


def suites_of_cases(text):
    """The suite of each case in a file."""
    arrays = dict(CASES.findall(text))
    return {case: suite for suite, array in SUITE.findall(text)
            for case in re.findall(r"KUNIT_CASE\w*\((\w+)", arrays.get(array, ""))}


def cases_in(path):
    """Pairs of a case, "suite.case", and the clauses that it names."""
    text = path.read_text()
    suites = suites_of_cases(text)
    found = []
    for case in CASE.finditer(text):
        name = case["name"]
        named = re.split(r"[\s,*]+", case["clauses"].strip())
        if name not in suites:
            raise Wrong(f"{path.name}: {name} names clauses and is in no suite")
        for clause in named:
            if not re.fullmatch(NUMBERED, clause):
                raise Wrong(f"{path.name}: {name} names {clause!r}, which is no clause")
        found.append((f"{suites[name]}.{name}", named))
    if len(found) != text.count("Clauses:"):
        raise Wrong(f"{path.name}: clauses that are named above no case")
    return found


def read_cases():
    return [case for path in sorted((PROJECT / "kunit").glob("*_kunit.c"))
            for case in cases_in(path)]


def read_fields(section):
    fields = {f["name"]: " ".join(f["text"].split()) for f in FIELD.finditer(section["body"])}
    for name in FIELDS:
        if name != "Proven by" and not fields.get(name):
            raise Wrong(f"{PAGE.name}: {section['id']} does not say: {name}")
    if tuple(fields) != FIELDS:
        raise Wrong(f"{PAGE.name}: {section['id']} has other fields than {', '.join(FIELDS)}")
    return fields


def read_sections(page):
    """Title and fields of each clause."""
    sections = {}
    for section in SECTION.finditer(page):
        if section["id"] in sections:
            raise Wrong(f"{PAGE.name}: {section['id']} is there twice")
        sections[section["id"]] = (section["title"], read_fields(section))
    if list(sections) != sorted(sections, key=order):
        raise Wrong(f"{PAGE.name}: the clauses are not in order")
    return sections


def by_clause(clauses, cases):
    """The cases of each clause; all have one, and there are no others."""
    proofs = {clause: [] for clause in clauses}
    for case, named in cases:
        for clause in named:
            if clause not in proofs:
                raise Wrong(f"{case} names {clause}, which is no clause")
            proofs[clause].append(case)
    without = [clause for clause, found in proofs.items() if not found]
    if without:
        raise Wrong(f"no case names {', '.join(without)}")
    return proofs


def proof_field(cases):
    suites = {}
    for case in cases:
        suite, name = case.split(".")
        suites.setdefault(suite, []).append(name)
    items = [textwrap.fill(f"{suite}: {', '.join(names)}", WIDTH, initial_indent="   - ",
                           subsequent_indent="     ") for suite, names in suites.items()]
    return ":Proven by:\n" + "\n".join(items) + "\n\n"


def table(sections, proofs):
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 34 30 30 6", ""]
    rows = [("Clause", "Windows", "Linux", "Cases")]
    rows += [(f"`{title}`_", fields["Windows"], fields["Linux"], str(len(proofs[clause])))
             for clause, (title, fields) in sections.items()]
    for row in rows:
        for bullet, cell in zip(("* - ", "  - ", "  - ", "  - "), row):
            lines.append(textwrap.fill(cell, WIDTH, initial_indent="   " + bullet,
                                       subsequent_indent=" " * 7, break_long_words=False,
                                       break_on_hyphens=False))
    return "\n".join(lines) + "\n\n"


def generate(page, cases):
    """The page as it has to be."""
    sections = read_sections(page)
    proofs = by_clause(sections, cases)

    def with_proof(section):
        end = section["body"].rindex(":Proven by:")
        head = section[0][:len(section[0]) - len(section["body"]) + end]
        return head + proof_field(proofs[section["id"]])

    page, tables = TABLE.subn(lambda _: table(sections, proofs), page)
    if tables != 1:
        raise Wrong(f"{PAGE.name}: there is no place for the table")
    return SECTION.sub(with_proof, page).rstrip("\n") + "\n"


def unproven(results):
    """What is wrong with each clause that has no case which passed.

    RESULTS are pairs of a case, "suite.case" or "suite.case.parameter", and its
    outcome as kunit.py has it. A case with one parameter that failed has failed.
    """
    outcomes = {}
    for name, outcome in results:
        outcomes.setdefault(".".join(name.split(".")[:2]), set()).add(outcome)

    def passed(case):
        return "PASS" in outcomes.get(case, ()) and outcomes[case] <= {"PASS", "SKIP"}

    def describe(case):
        return f"{case} ({', '.join(sorted(outcomes.get(case, {'did not run'})))})"

    proofs = by_clause(read_sections(PAGE.read_text()), read_cases())
    return [f"{clause}: {', '.join(map(describe, cases))}"
            for clause, cases in proofs.items() if not any(map(passed, cases))]


def main():
    if sys.argv[1:] not in (["check"], ["update"]):
        sys.exit("usage: clauses.py check|update")
    page = PAGE.read_text()
    try:
        wanted = generate(page, read_cases())
    except Wrong as wrong:
        sys.exit(str(wrong))
    if wanted == page:
        return
    if sys.argv[1] == "check":
        sys.exit(f"{PAGE.relative_to(PROJECT)} does not say what the cases say: "
                 "run tools/testing/clauses.py update")
    PAGE.write_text(wanted)


if __name__ == "__main__":
    main()
