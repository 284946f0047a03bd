#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""How fast the simulator is: simulated hours, and faults, for each minute of processor time.

    bench/simulator.py [--hours 40] [--repeat 3] [--sim PATH]

One process, one thread; processor time (user and system) is that of the process, so that other work
on the machine matters little. Two kinds of runs: `calm`, three nodes at ttl 30 with a fault every
ten minutes, an hour for each seed, writers on (docs/testing.md says how much they write); and
`busy`, as the seeds choose: one to five nodes, ttl 5 to 30, a fault every 2 to 20 seconds.
The figure is the median of the repetitions. Build first: cmake --build --preset release
--target tanist-sim
"""

import argparse
import json
import pathlib
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDS = {
    "calm": (3600, ["--nodes", "3", "--ttl", "30", "--interval", "600"]),
    "busy": (600, []),
}


def measure(sim, hours, kind):
    """(hours, faults, rows) for each minute of processor time."""
    seconds, options = KINDS[kind]
    runs = max(1, round(hours * 3600 / seconds))
    done = subprocess.run([sim, "--first-seed", "1", "--runs", str(runs), "--seconds", str(seconds),
                           "--keep-going", "--summary", *options],
                          capture_output=True, text=True, check=False)
    counts = json.loads(done.stdout)
    minutes = counts["cpu_seconds"] / 60
    if counts["failed"]:
        print(f"{kind}: {counts['failed']} seeds broke a rule; the first: {counts['failures'][0]}")
    return (counts["seconds"] / 3600 / minutes, sum(counts["faults"].values()) / minutes,
            counts["acknowledged"] / minutes)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=40, help="of one repetition")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--sim", default=ROOT / "build" / "release" / "sim" / "tanist-sim")
    options = parser.parse_args()
    print("| runs | simulated hours / CPU minute | faults / CPU minute | writes / CPU minute |")
    print("|---|---|---|---|")
    for kind in KINDS:
        rows = [measure(options.sim, options.hours, kind) for _ in range(options.repeat)]
        hours, faults, writes = (statistics.median(column) for column in zip(*rows))
        print(f"| {kind} | {hours:,.0f} | {faults:,.0f} | {writes:,.0f} |", flush=True)


main()
