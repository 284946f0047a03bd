#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes source files with a deliberate fault, for the simulator to catch (docs/testing.md).

    tools/mutate.py MUTATION FOLDER       write the faulty files, with their paths, into FOLDER

A mutation is a text: comment lines (#), one line each of `run OPTIONS` and `expect RULE`, and one
or more times `file PATH` with any number of

    replace
    OLD LINES
    with
    NEW LINES
    end

behind it. Each OLD must occur exactly once in its file: a mutation that no longer fits the code
has to be adapted.
"""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def read(path):
    """{file: [[old, new], ...]}"""
    files, changes, part = {}, None, None
    for line in pathlib.Path(path).read_text().splitlines(keepends=True):
        word = line.strip()
        if word == "replace" and part is None:
            changes.append(["", ""])
            part = 0
        elif word == "with" and part == 0:
            part = 1
        elif word == "end" and part == 1:
            part = None
        elif part is not None:
            changes[-1][part] += line
        elif word.startswith("file "):
            changes = files.setdefault(word.split()[1], [])
    return files


def mutated(mutation, path, changes):
    text = (ROOT / path).read_text()
    for old, new in changes:
        if text.count(old) != 1:
            sys.exit(f"{mutation}: occurs {text.count(old)} times in {path}, adapt it:\n{old}")
        text = text.replace(old, new)
    return text


def main(words):
    if len(words) != 2:
        sys.exit(__doc__)
    for path, changes in read(words[0]).items():
        output = pathlib.Path(words[1]) / path
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(mutated(words[0], path, changes))


main(sys.argv[1:])
