#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What an agent costs while nothing happens: memory and processor time of tanist (with its guard)
and of Patroni (the distribution's package), side by side.

    bench/cost.py [--seconds 60] [--nodes 3] [--only tanist | patroni]

Both clusters run at the same time: one etcd for both, plain TCP, default timing (ttl 30, loop_wait
10), an empty database. PostgreSQL's own processes are not counted. Run as root or as a user who may
run PostgreSQL; TANIST_BIN says where tanist and tanist-guard are (default: build/release/src).
Memory is what /proc/PID/smaps_rollup says: PSS divides a page among the processes that share it, so
with more nodes on one machine it is less for each than on machines of their own; private memory is
not shared at all. Processor time (user and system) comes from /proc/PID/stat, in steps of 10 ms.
"""

import argparse
import os
import pathlib
import re
import sys

from side import PATRONI, POSTGRESQL, Side, patroni_version, start_etcd
from local_servers import Folder, eventually, must_run

TICKS = os.sysconf("SC_CLK_TCK")
START_S = 180


def memory_of(pid):
    """(RSS, PSS, private) in KiB."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    sizes = {name: int(size) for name, size in re.findall(r"^(\w+): +(\d+) kB", text, re.M)}
    return sizes["Rss"], sizes["Pss"], sizes["Private_Clean"] + sizes["Private_Dirty"]


def processor_time_of(pid):
    """Seconds, user and system, without children."""
    text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(sides, seconds):
    """Rows (side, role) -> lists of [RSS, PSS, private, processor seconds], one for each node."""
    pids = {(side.name, node): side.processes(node) for side in sides for node in side.address}
    roles = {(side.name, node): role for side in sides for node, role in side.roles().items()}
    before = {key: [processor_time_of(pid) for pid in pids[key]] for key in pids}
    must_run("sleep", seconds, seconds=seconds + 60)
    rows = {}
    for key, of_node in pids.items():
        used = sum(processor_time_of(pid) for pid in of_node) - sum(before[key])
        memory = [sum(column) for column in zip(*(memory_of(pid) for pid in of_node))]
        role = "leader" if roles[key] == "leader" else "replica"
        rows.setdefault((key[0], role), []).append([*memory, used * 60 / seconds])
    return rows


def mean(rows):
    return [sum(column) / len(rows) for column in zip(*rows)]


def show(rows, options):
    print(f"{options.nodes} nodes each, {options.seconds} s idle, "
          f"load average {os.getloadavg()[0]:.2f}, PostgreSQL {POSTGRESQL.parent.name}")
    print(f"{'':18}{'RSS MiB':>10}{'PSS MiB':>10}{'private':>10}{'CPU s/min':>12}")
    for role in ("leader", "replica"):
        values = {}
        for name in ("tanist", "patroni"):
            if (name, role) not in rows:
                continue
            values[name] = mean(rows[(name, role)])
            cells = [f"{value / 1024:10.1f}" for value in values[name][:3]]
            print(f"{role:9}{name:9}{''.join(cells)}{values[name][3]:12.3f}")
        if len(values) == 2:
            ratios = [theirs / own if own else float("inf")
                      for own, theirs in zip(values["tanist"], values["patroni"])]
            words = [f"{ratio:9.1f}x" for ratio in ratios[:3]] + [f"{ratios[3]:11.1f}x"]
            print(f"{role:9}{'ratio':9}{''.join(words)}")


def check_patroni():
    if PATRONI is None:
        sys.exit("cost: Patroni is missing. Remedy: apt-get install --no-install-recommends "
                 "patroni python3-etcd, and see that its service does not start; or --only tanist")
    print(patroni_version())


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--only", choices=["tanist", "patroni"])
    return parser.parse_args()


def main():
    options = read_options()
    names = [options.only] if options.only else ["tanist", "patroni"]
    if "patroni" in names:
        check_patroni()
    folder = Folder("tanist-cost-")
    try:
        start_etcd(folder)
        sides = [Side(name, folder, options.nodes) for name in names]
        for side in sides:
            side.start()
        for side in sides:
            eventually(side.roles, START_S, f"{side.name}'s cluster to be healthy")
        # What was needed to start is not idleness: one loop more.
        must_run("sleep", 15)
        show(measure(sides, options.seconds), options)
    except AssertionError as failure:
        folder.show_logs()
        sys.exit(f"cost: {failure}")
    finally:
        folder.remove()


if __name__ == "__main__":
    main()
