#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/traps.md: which test covers which trap. The titles are written there by hand; the last
column is what tests say of themselves ("trap 42", "traps 1 and 8", "Trap160...").

    tools/traps.py            writes the column anew
    tools/traps.py --check    fails when the document claims a test that does not name its trap
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/traps.md"
MENTION = re.compile(r"\btraps? ((?:\d+(?:, | and )?)+)|Trap(\d+)", re.IGNORECASE)
ROW = re.compile(r"^\| (\d+) \| (.*?) \|\s*(.*?)\s*\|$")
UNTESTED = "not tested"


def is_test(path):
    name = path.name
    return (name.endswith("_test.cpp") or name.startswith("test_")
            or path.parent.name == "scenarios" and path.suffix == ".txt")


def test_files():
    """Relative to the root; not by git, which a machine that only tests may lack."""
    found = (path for top in ("src", "tests", "sim", "tools") for path in (ROOT / top).rglob("*"))
    return sorted(path.relative_to(ROOT) for path in found
                  if path.is_file() and is_test(path) and "__pycache__" not in path.parts)


def mentions(path):
    """Numbers of the traps that a file speaks of."""
    found = set()
    for several, single in MENTION.findall((ROOT / path).read_text(encoding="utf-8")):
        found |= {int(number) for number in re.findall(r"\d+", several or single)}
    return found


def shown(path):
    parts = path.parts
    return "/".join(parts[1:] if parts[0] in ("src", "tests") else parts)


def coverage():
    covered = {}
    for path in test_files():
        for number in mentions(path):
            covered.setdefault(number, []).append(f"`{shown(path)}`")
    return covered


def renewed(text):
    covered = coverage()
    lines, rows, tested = [], 0, 0
    for line in text.split("\n"):
        row = ROW.match(line)
        if row:
            files = covered.get(int(row[1]), [])
            rows, tested = rows + 1, tested + bool(files)
            line = f"| {row[1]} | {row[2]} | {', '.join(files) or UNTESTED} |"
        elif line.startswith("**Tested:**"):
            line = "**Tested:** COUNT"
        lines.append(line)
    return "\n".join(lines).replace("**Tested:** COUNT", f"**Tested:** {tested} of {rows}.")


def false_claims(text):
    covered = coverage()
    for line in text.split("\n"):
        row = ROW.match(line)
        for file in re.findall(r"`[^`]+`", row[3] if row else ""):
            if file not in covered.get(int(row[1]), []):
                yield f"docs/traps.md: trap {row[1]}: {file} does not name it"


def main():
    text = DOCUMENT.read_text(encoding="utf-8")
    if "--check" not in sys.argv:
        DOCUMENT.write_text(renewed(text), encoding="utf-8")
        return 0
    found = list(false_claims(text))
    for claim in found:
        print(claim, "(tools/traps.py writes the document anew)")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
