#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of a build by group (ctest's labels) and counts test cases, not programs.

Called by scripts/test. Prints a line for each group, everything that a failed test said, and last
`N passed, N failed, N skipped`. A case is one GoogleTest case, one pytest case, or one style check;
a pytest file that died before it could report is one failed case. Exits 1 if any failed or nothing
was found to run.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from pathlib import Path

ORDER = ["style", "unit", "simulator", "fuzz", "integration"]
SERIAL = {"integration"}  # they start whole clusters, and share the lock `servers`
LINES_SHOWN = 400
# Real servers on a busy machine miss a time limit now and then. What fails there runs once more, by
# itself, and both results are told; what broke a safety rule (local_servers.Broken) never does.
REPEATED = {"integration"}
NEVER_REPEATED = "Broken: "


class Count:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def total(self):
        return self.passed + self.failed + self.skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def labels_of(build):
    """Test name -> its labels, of all tests that ctest knows."""
    run = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"],
                         capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"test: ctest cannot list the tests of {build}:\n{run.stdout}{run.stderr}")
    found = {}
    for test in json.loads(run.stdout)["tests"]:
        values = {p["name"]: p["value"] for p in test.get("properties", [])}
        found[test["name"]] = values.get("LABELS", [])
    return found


def groups_of(labels):
    names = {label for of_test in labels.values() for label in of_test}
    unlabelled = [name for name, of_test in labels.items() if not of_test]
    if unlabelled:
        sys.exit(f"test: these tests have no label, so no group runs them: {unlabelled[:5]}")
    return in_order(names)


def in_order(names):
    return sorted(names, key=lambda n: (ORDER.index(n) if n in ORDER else len(ORDER) - 1, n))


def run_group(options, group, results, only="", attempt=""):
    """Runs one group, or what of it `only` names; the path of ctest's report."""
    report = results / f"{group}{attempt}.xml"
    jobs = 1 if group in SERIAL else options.jobs
    command = ["ctest", "--test-dir", options.build_of[group], "-L", f"^{group}$", "-j", str(jobs),
               "--output-on-failure", "--output-junit", report, "--no-tests=ignore",
               "--test-output-size-failed", "4000000"]
    if only or options.only:
        command += ["-R", only or options.only]
    environment = dict(os.environ)
    if options.k and group in SERIAL:
        environment["PYTEST_ADDOPTS"] = f"-k '{options.k}'"
    elif options.k:
        command += ["-R", options.k]
    with open(results / f"{group}{attempt}.log", "w", encoding="utf-8") as log:
        subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=environment, check=False)
    return report


def cases_of_pytest(path):
    """(name, verdict) of each case in a report of pytest."""
    verdicts = {}
    for case in xml.parse(path).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            verdicts[name] = "failed"
        elif case.find("skipped") is not None:
            verdicts.setdefault(name, "skipped")
        else:
            verdicts.setdefault(name, "passed")
    return verdicts


def was_skipped(case):
    """True if the test itself said so; a missing program is `not run` as well, and a failure."""
    reason = case.find("skipped")
    return reason is not None and reason.get("message", "").startswith("SKIP_")


def count_test(options, case, results):
    """The cases of one ctest entry, and what to show of it if anything failed."""
    count = Count()
    name, status = case.get("name"), case.get("status")
    own = results / "pytest" / f"{name}.xml"
    output = case.findtext("system-out") or ""
    if own.exists():
        verdicts = list(cases_of_pytest(own).values())
        for verdict in verdicts:
            setattr(count, verdict, getattr(count, verdict) + 1)
        nothing_asked = options.k and not verdicts and status != "run"
        if status != "run" and count.failed == 0 and not nothing_asked:
            count.failed += 1  # stopped in the middle, for example at its time limit
    elif status == "run":
        count.passed = 1
    elif status == "disabled" or was_skipped(case):
        count.skipped = 1
    else:
        count.failed = 1
    if count.failed == 0:
        return count, ""
    said = " ".join(reason.get("message", "") for reason in case
                    if reason.tag in ("failure", "skipped"))
    lines = output.splitlines()
    if len(lines) > LINES_SHOWN:
        # What a pytest case did and found wrong stands before the logs of its servers.
        marked = [line for line in lines[:-LINES_SHOWN] if line.startswith(("> ", "E ", "____"))]
        lines = [*marked, f"[the last {LINES_SHOWN} of {len(lines)} lines]", *lines[-LINES_SHOWN:]]
    took = float(case.get("time") or 0)
    return count, f"---- failed: {name} ({took:.0f} s) {said}\n" + "\n".join(lines) + "\n"


def read_report(options, group, results, report, attempt=""):
    """Prints what failed. The count of each entry, and which may be tried again."""
    counts, again = {}, []
    if not report.exists():
        log = results / f"{group}{attempt}.log"
        print(log.read_text(encoding="utf-8", errors="replace"))
        counts[group] = Count()
        counts[group].failed = 1
        return counts, again
    for case in xml.parse(report).iter("testcase"):
        name = case.get("name")
        counts[name], shown = count_test(options, case, results)
        if shown:
            print(shown, flush=True)
            if group in REPEATED and NEVER_REPEATED not in (case.findtext("system-out") or ""):
                again.append(name)
    return counts, again


def try_again(options, group, results, names):
    """The counts of the second attempt, which is the one that counts."""
    print(f"once more, by itself: {', '.join(names)}", flush=True)
    for name in names:
        first = results / "pytest" / f"{name}.xml"
        if first.exists():
            first.rename(first.with_suffix(".first.xml"))
    only = "^(" + "|".join(re.escape(name) for name in names) + ")$"
    report = run_group(options, group, results, only, ".again")
    return read_report(options, group, results, report, ".again")[0]


def report_group(options, group, results):
    begun = time.monotonic()
    counts, again = read_report(options, group, results, run_group(options, group, results))
    told = ""
    if again:
        second = try_again(options, group, results, again)
        counts.update(second)
        unsteady = [name for name, count in second.items() if count.failed == 0]
        told = f" (passed in the second attempt only: {', '.join(unsteady)})" if unsteady else ""
    count = Count()
    for of_entry in counts.values():
        count.add(of_entry)
    print(f"{group:<12} {count}, {time.monotonic() - begun:.0f} s{told}", flush=True)
    return count


def read_options():
    parser = argparse.ArgumentParser(prog="scripts/test", add_help=False)
    parser.add_argument("groups", nargs="*")
    parser.add_argument("--build", required=True)
    parser.add_argument("--fuzz-build", default="")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("-k", default="")
    parser.add_argument("--only", default="", help="regular expression of ctest's names")
    return parser.parse_args()


def main():
    options = read_options()
    options.k = options.k.removeprefix("=")
    options.build = str(Path(options.build).resolve())
    results = Path(options.build) / "results"
    shutil.rmtree(results, ignore_errors=True)
    (results / "pytest").mkdir(parents=True)
    options.build_of = {group: options.build for group in groups_of(labels_of(options.build))}
    if options.fuzz_build:
        options.build_of["fuzz"] = options.fuzz_build
    known = in_order(options.build_of)
    for group in options.groups:
        if group not in known:
            sys.exit(f"test: unknown group '{group}'; known: {', '.join(known)}")
    total = Count()
    for group in options.groups and [g for g in known if g in options.groups] or known:
        total.add(report_group(options, group, results))
    if total.total() == 0:
        print(f"test: no test fits '{options.k}'", file=sys.stderr)
    print(total, flush=True)
    return 0 if total.failed == 0 and total.total() > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
