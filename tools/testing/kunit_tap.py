#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Print what kunit.py has found as TAP, one line a case.

kunit_tap.py [--all-suites] [--no-skips] NAME STATUS BUILD_DIR

STATUS is that of kunit.py. In BUILD_DIR are its results.json and test.log, and
warnings, those of the compiler about this project. Failures are also: a run
without any case, one that failed or broke off although every case passed, a
kernel that complained, a warning. With --all-suites: a clause that no case has
proven. With --no-skips: a case that was skipped.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

from clauses import Wrong, unproven


class Tap:
    def __init__(self):
        self.number = 0
        self.failed = 0

    def result(self, ok, text, diagnostics=()):
        self.number += 1
        self.failed += not ok
        print(f"{'ok' if ok else 'not ok'} {self.number} - {text}")
        if not ok:
            for line in diagnostics:
                print("#", line)


def cases(group, path=()):
    for case in group["test_cases"]:
        name = case["name"] or "one that the kernel did not come to"
        yield ".".join((*path, name)), case["status"]
    for sub in group["sub_groups"]:
        yield from cases(sub, (*path, sub["name"]))


def skip_reason(log, name):
    """The results do not have it, the kernel's own output does."""
    last = re.escape(name.rsplit(".", 1)[-1])
    found = re.search(rf"ok \d+ (?:- )?{last} # SKIP (\S.*)", log)
    return found.group(1).strip() if found else ""


def complaints(log, name):
    """What the kernel's output has of a case that failed."""
    case = re.escape((name.split(".") + [""])[1])
    found = re.findall(rf"# {case}: (?:EXPECTATION|ASSERTION) FAILED.*?(?=\n *(?:not )?ok )",
                       log, re.DOTALL)
    return "\n".join(found).splitlines()[:30]


def read(path):
    return path.read_text(errors="replace") if path.exists() else ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all-suites", action="store_true")
    parser.add_argument("--no-skips", action="store_true")
    parser.add_argument("name")
    parser.add_argument("status")
    parser.add_argument("build", type=Path)
    args = parser.parse_args()
    name, status, build = args.name, args.status, args.build
    log = read(build / "test.log")
    results = read(build / "results.json") or '{"test_cases": [], "sub_groups": []}'
    found = list(cases(json.loads(results)))

    tap = Tap()
    for case, outcome in found:
        if outcome == "SKIP" and args.no_skips:
            tap.result(False, f"{case} (skipped)", [skip_reason(log, case)])
        elif outcome == "SKIP":
            tap.result(True, f"{case} # SKIP {skip_reason(log, case)}")
        elif outcome == "PASS":
            tap.result(True, case)
        else:
            tap.result(False, f"{case} ({outcome})", complaints(log, case))

    broken_off = any(outcome == "ERROR" for _, outcome in found)
    tap.result(found and not broken_off and (status == "0" or tap.failed),
               f"{name} ran all its suites",
               [f"kunit.py ended with {status} after {len(found)} cases"])

    if args.all_suites:
        try:
            missing = unproven(found)
        except Wrong as wrong:
            missing = [str(wrong)]
        tap.result(not missing, f"{name} proves every clause", missing)

    command = [Path(__file__).with_name("splats.sh"), build / "test.log"]
    splats = subprocess.run(command, capture_output=True, text=True, check=False)
    tap.result(splats.returncode == 0, f"{name} without a complaint of the kernel",
               (splats.stdout + splats.stderr).splitlines())

    warnings = read(build / "warnings").splitlines()
    tap.result(log and not warnings, f"{name} builds without a warning",
               warnings or ["there was no kernel to boot"])

    print(f"1..{tap.number}")
    return 1 if tap.failed else 0


sys.exit(main())
