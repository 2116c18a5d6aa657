#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Print which lines were reached, by file, from the counts of a kernel.

coverage.py COUNTS WANTED

COUNTS is a directory with what was in /sys/kernel/debug/gcov: files .gcda at the
paths of the objects that they are of. Fails if less than WANTED per cent of the
lines of drm_hotupdate were reached. With V=1 in the environment the lines that
were not reached are shown for the other modules as well.
"""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
CORE = "drivers/gpu/drm/hotupdate"
OURS = re.compile(r"(drivers/gpu/drm/(?:hotupdate|vgpu(?:/sim)?))/([^/]+)$")


def gcov(counts, directory):
    """What gcov says of the objects of a directory.

    It looks for the notes, which the compiler has left where the objects are,
    beside the counts.
    """
    for data in directory.glob("*.gcda"):
        notes = Path("/", data.relative_to(counts)).with_suffix(".gcno")
        data.with_suffix(".gcno").write_bytes(notes.read_bytes())
        output = subprocess.run(["gcov", "--json-format", "--stdout", data.name], cwd=directory,
                                capture_output=True, text=True, check=True).stdout
        yield from json.loads(output)["files"]


def read(counts):
    """How often each line was reached, by directory and file of the project.

    A line that is in several objects, or functions, was reached in any of them.
    """
    lines = defaultdict(dict)
    for directory in {path.parent for path in counts.rglob("*.gcda")}:
        for file in gcov(counts, directory):
            place = OURS.search(file["file"])
            if not place:
                continue
            found = lines[place.groups()]
            for line in file["lines"]:
                number = line["line_number"]
                found[number] = max(found.get(number, 0), line["count"])
    return lines


def percent(part, whole):
    return 100 * part / whole if whole else 0


def show_row(name, lines):
    reached = sum(count > 0 for count in lines)
    print(f"  {name:28} {reached:5} of {len(lines):5} {percent(reached, len(lines)):6.1f} %")


def show_missed(path, lines):
    text = (PROJECT / path).read_text().splitlines()
    for number, count in sorted(lines.items()):
        if not count:
            print(f"{path}:{number}: {text[number - 1].strip()}")


def main():
    counts, wanted = Path(sys.argv[1]), float(sys.argv[2])
    lines = read(counts)
    modules = sorted({directory for directory, _ in lines})
    totals = {}
    for module in modules:
        print(module)
        files = {name: found for (directory, name), found in sorted(lines.items())
                 if directory == module}
        for name, found in files.items():
            show_row(name, found.values())
        totals[module] = [count for found in files.values() for count in found.values()]
        show_row("together", totals[module])

    print("\nnot reached:")
    for (directory, name), found in sorted(lines.items()):
        if directory == CORE or os.environ.get("V"):
            show_missed(f"{directory}/{name}", found)

    core = totals.get(CORE, [])
    reached = percent(sum(count > 0 for count in core), len(core))
    if reached < wanted:
        sys.exit(f"{reached:.1f} % of the lines of {CORE} are reached, {wanted:.0f} % have to be")


if __name__ == "__main__":
    main()
