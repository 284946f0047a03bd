#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what the style guide can have checked: layers, sizes, names, licence lines, awaited calls,
links between pages.

Prints one line per finding and exits 1 when there is any. Run by ctest (label style).
Rules and their reasons: docs/architecture.md ("Layers") and CONTRIBUTING.md ("Style").
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# folder -> (folders of ours it may include, outside headers it may include; None = any)
LAYERS = {
    "base": (set(), {"fmt", "spdlog", "nlohmann", "tl"}),
    "core": ({"base"}, set()),
    "os": ({"base"}, {"boost/asio"}),
    "yaml": ({"base"}, {"yaml-cpp"}),
    "sql": ({"base", "os"}, {"boost/asio", "libpq"}),
    "config": ({"base", "core", "os", "yaml"}, set()),
    "store": ({"base", "core", "os"}, {"grpc", "google/protobuf", "boost/asio", "store/rpc"}),
    "postgres": ({"base", "core", "os", "sql"}, {"boost/asio"}),
    "rest": ({"base", "core", "os"}, {"boost", "openssl"}),
    "routing": ({"base", "core", "os", "sql"}, {"boost/asio"}),
    "watchdog": ({"base", "core", "os"}, set()),
    "journal": ({"base", "core", "os"}, set()),
    "provision": ({"base", "core", "os", "yaml"}, {"openssl"}),
    "guard": (set(), set()),
    "agent/loop": ({"base", "core"}, set()),
    "agent": ({"base", "core", "os", "sql", "yaml", "config", "store", "postgres", "rest",
               "routing", "watchdog", "journal", "guard", "agent/loop"},
              {"boost/asio", "CLI"}),
    "ctl": ({"base", "core", "os", "sql", "yaml", "config", "store", "rest", "journal",
             "provision"}, {"boost/asio"}),
    "sim": ({"base", "core", "agent/loop", "journal", "store", "guard"}, set()),
}
# Headers that only some files of a folder may include.
ONLY_IN = {
    "nlohmann": {"src/base/json.cpp"},
    "CLI": {"src/agent/arguments.cpp", "sim/main.cpp"},
    "boost/beast": {"src/rest/server.cpp", "src/rest/client.cpp"},
    "spdlog": {"src/base/log.cpp", "src/base/log_sink.cpp"},
    "grpcpp": {"src/store/etcd3_transport.cpp"},
}
NOT_IN_CORE = {"base/log.h", "base/json.h"}
BANNED_NAMES = re.compile(r"(util|helper|common|misc|manager)", re.I)
TABLE_MARK = "tidy: table"  # a file of rows, transcripts or tests has no limit on its length

LINE_MAX, FILE_MAX, FUNCTION_MAX, PARAMETERS_MAX, NESTING_MAX = 100, 500, 70, 5, 4
findings = []


def report(path, line, text):
    findings.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def folder_of(path):
    parts = path.relative_to(ROOT).parts
    if parts[0] == "sim":
        return "sim"
    if parts[0] != "src":
        return None
    return "agent/loop" if parts[1:3] == ("agent", "loop") else parts[1]


def check_include(path, number, target, system):
    folder = folder_of(path)
    own, outside = LAYERS[folder]
    if path.name.endswith("_test.cpp"):
        outside = outside | {"gtest", "gmock"}
    relative = str(path.relative_to(ROOT))
    for prefix, allowed in ONLY_IN.items():
        if target.startswith(prefix) and relative not in allowed:
            report(path, number, f"{target} may only be included by {', '.join(sorted(allowed))}")
    if not system:
        first = "agent/loop" if target.startswith("agent/loop/") else target.split("/")[0]
        if folder == "core" and target in NOT_IN_CORE:
            report(path, number, f"core may not include {target}")
        if first in LAYERS and first != folder and first not in own:
            report(path, number, f"layer {folder} may not include {target}")
        elif first == "tests" and path.name.endswith("_test.cpp"):
            return
        elif first not in LAYERS and not any(target.startswith(o) for o in outside):
            report(path, number, f"include path {target} does not start with a folder of src/")
        return
    library = "/" in target or target.startswith(("libpq", "gtest"))
    system_header = target.startswith(("sys/", "linux/", "netinet/", "arpa/", "bits/"))
    if library and not system_header and not any(target.startswith(o) for o in outside):
        report(path, number, f"layer {folder} may not include <{target}>")


INCLUDE = re.compile(r'^\s*#\s*include\s+(<|")([^>"]+)')
AWAIT_BAD = re.compile(r"co_await\s+[^;]*[({,]\s*\[|co_await\s+[^;]*\{\s*\.|"
                       r"\?\s*co_await|:\s*co_await\s|&&\s*co_await|\|\|\s*co_await|"
                       r"\b(if|while)\s*\([^;]*co_await")
NOW = re.compile(r"\b(clock_gettime|gettimeofday)\s*\(|_clock::now\s*\(|"
                 r"\btime\s*\(\s*(NULL|nullptr|0|&)")


def check_text(path, lines):
    head = "\n".join(lines[:3])
    if "SPDX-License-Identifier: Apache-2.0" not in head:
        report(path, 1, "no licence line (SPDX-License-Identifier: Apache-2.0) in the first lines")
    comment = "#" if path.suffix in (".py", ".sh", "") else "//"
    body = [line for line in lines[:12] if not line.startswith("#!")]
    if len(body) < 2 or not (body[1].startswith((comment, '"""', "/*", "syntax", " *"))):
        report(path, 2, "a file opens with its licence line and then its purpose")
    if len(lines) > FILE_MAX and not path.name.endswith("_test.cpp") \
            and TABLE_MARK not in "\n".join(lines[:12]):
        report(path, len(lines), f"file is longer than {FILE_MAX} lines")
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_MAX:
            report(path, number, f"line is longer than {LINE_MAX} characters")
        if line.rstrip() != line:
            report(path, number, "trailing blank")


def check_cpp(path, lines):
    relative = str(path.relative_to(ROOT))
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if found:
            check_include(path, number, found.group(2), found.group(1) == "<")
        code = line.split("//")[0]
        if AWAIT_BAD.search(code):
            report(path, number, "an awaited call stands alone: no braces, lambda, ?: or && in it")
        if NOW.search(code) and relative not in ("src/os/clock.cpp", "src/guard/main.c"):
            report(path, number, "the clock is asked in src/os/clock.cpp (and the guard) only")
        if re.search(r"^\s*//\s*TEST", line):
            report(path, number, "no test is commented out")


def check_functions():
    if shutil.which("ctags") is None:
        print("tidy: ctags is missing (apt install universal-ctags)", file=sys.stderr)
        sys.exit(1)
    files = [str(p) for p in sources() if p.suffix in (".cpp", ".c", ".h")
             and not p.name.endswith("_test.cpp")]
    run = subprocess.run(
        ["ctags", "-f", "-", "--fields=+neS", "--kinds-C++=f", "--kinds-C=f", *files],
        capture_output=True, text=True, check=True)
    for row in run.stdout.splitlines():
        cells = row.split("\t")
        values = dict(c.split(":", 1) for c in cells[3:] if ":" in c)
        start, end = int(values.get("line", 0)), int(values.get("end", 0))
        path = Path(cells[1])
        lines = path.read_text(encoding="utf-8").splitlines()
        if end - start + 1 > FUNCTION_MAX and TABLE_MARK not in "\n".join(lines[:12]):
            report(path, start, f"function {cells[0]} is longer than {FUNCTION_MAX} lines")
        signature = re.sub(r"<[^<>]*>", "", re.sub(r"<[^<>]*>", "", values.get("signature", "")))
        if signature.count(",") + 1 > PARAMETERS_MAX:
            report(path, start, f"function {cells[0]} has more than {PARAMETERS_MAX} parameters")


def check_names(path):
    if BANNED_NAMES.search(path.stem):
        report(path, 1, "name the concept: no util, helper, common, misc, manager")
    if not re.fullmatch(r"[a-z0-9_]+", path.stem) and path.suffix in (".cpp", ".h", ".c", ".py"):
        report(path, 1, "file names are snake_case")
    if path.name.endswith("_test.cpp"):
        # x_test.cpp beside x.h or x.cpp; a long one is split by subject into x_SUBJECT_test.cpp.
        words = path.name[: -len("_test.cpp")].split("_")
        bases = [path.with_name("_".join(words[:count])) for count in range(len(words), 0, -1)]
        if not any(base.with_suffix(end).exists() for base in bases for end in (".h", ".cpp")):
            report(path, 1, "a unit test stands beside the file it tests (x.h, x.cpp, x_test.cpp)")


def anchors_of(page):
    """Of its headings, as the usual renderers of Markdown name them."""
    headings = re.findall(r"^#+ +(.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links(page):
    """Every relative link leads to a file, and to a heading if it names one."""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)", line):
            if target.startswith(("http:", "https:", "mailto:")):
                continue
            there = page.parent / target if target else page
            if not there.exists():
                report(page, number, f"the link to {target} leads nowhere")
            elif anchor and there.suffix == ".md" and anchor not in anchors_of(there):
                report(page, number, f"{there.name} has no heading {anchor}")


def sources():
    for top in ("src", "sim", "tests", "bench", "tools"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in (".cpp", ".h", ".c", ".py", ".proto") and path.is_file():
                yield path


def main():
    for path in sources():
        lines = path.read_text(encoding="utf-8").splitlines()
        check_names(path)
        check_text(path, lines)
        if path.suffix in (".cpp", ".h", ".c") and folder_of(path) is not None:
            check_cpp(path, lines)
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        check_links(page)
    check_functions()
    for finding in findings:
        print(finding)
    print(f"tidy: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
