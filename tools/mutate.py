#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a source file with a deliberate fault, for the simulator to catch (docs/testing.md).

    tools/mutate.py MUTATION OUTPUT       write the faulty file
    tools/mutate.py --field NAME MUTATION print what the mutation says: file, run, expect

A mutation is a text: comment lines (#), one line each of `file PATH`, `run OPTIONS` and
`expect RULE`, and any number of

    replace
    OLD LINES
    with
    NEW LINES
    end

Each OLD must occur exactly once: a mutation that no longer fits the code has to be adapted.
"""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def read(path):
    fields, changes, part = {}, [], None
    for line in pathlib.Path(path).read_text().splitlines(keepends=True):
        word = line.strip()
        if word == "replace":
            changes.append(["", ""])
            part = 0
        elif word == "with" and part == 0:
            part = 1
        elif word == "end" and part == 1:
            part = None
        elif part is not None:
            changes[-1][part] += line
        elif word and not word.startswith("#"):
            name, _, value = word.partition(" ")
            fields[name] = value.strip()
    return fields, changes


def mutated(path):
    fields, changes = read(path)
    text = (ROOT / fields["file"]).read_text()
    for old, new in changes:
        if text.count(old) != 1:
            sys.exit(f"{path}: occurs {text.count(old)} times in {fields['file']}, adapt it:\n"
                     f"{old}")
        text = text.replace(old, new)
    return text


def main(words):
    if len(words) == 3 and words[0] == "--field":
        print(read(words[2])[0].get(words[1], ""))
    elif len(words) == 2:
        output = pathlib.Path(words[1])
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(mutated(words[0]))
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
