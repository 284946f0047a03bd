#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints a page of man(7) made of what a program prints under --help, so that it cannot go stale.

    tools/man_of_help.py PROGRAM SECTION 'purpose' > NAME.SECTION
"""

import pathlib
import re
import subprocess
import sys


def man(text):
    """Text that man(7) prints as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(['.])", r"\\&\1", text, flags=re.M)


def body_of(help_text):
    """Titles that stand alone become sections; indented lines keep their shape."""
    out, is_kept = [], False
    for line in help_text.splitlines():
        indented = line.startswith(" ")
        if indented != is_kept and line:
            out.append(".nf" if indented else ".fi")
            is_kept = indented
        if re.fullmatch(r"[A-Z][A-Za-z ]*:", line):
            out.append(f".SH {line[:-1].upper()}")
        elif line:
            out.append(man(line))
        elif not is_kept:
            out.append(".PP")
        else:
            out.append("")
    return out + ([".fi"] if is_kept else [])


def main():
    program, section, purpose = sys.argv[1:]
    name = pathlib.Path(program).name
    text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    version = subprocess.run([program, "--version"], capture_output=True, text=True,
                             check=True).stdout.strip()
    print(f'.\\" SPDX-License-Identifier: Apache-2.0\n.\\" Printed by tools/man_of_help.py.\n'
          f'.TH {name} {section} "" "{version}" "tanist"\n.SH NAME\n{name} \\- {man(purpose)}\n'
          f".SH DESCRIPTION")
    print("\n".join(body_of(text)))
    print(".SH SEE ALSO\n.BR tanistctl (1),\n.BR tanist.yml (5)")


if __name__ == "__main__":
    main()
