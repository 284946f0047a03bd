#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long a new cluster takes, of tanist and of Patroni, in turn: from the start of the first
agent until a leader takes writes, and until every replica streams.

    bench/bootstrap.py [--runs 5] [--nodes 3]

Each run has folders and an etcd of its own, default timing, and an empty database. All agents are
started at once. Run as root or as a user who may run PostgreSQL; TANIST_BIN and TANIST_PATRONI as
in side.py.
"""

import argparse
import os
import statistics
import sys
import time

from side import PATRONI, POSTGRESQL, Side, patroni_version, start_etcd
from local_servers import Folder

LIMIT_S = 300
LOOK_S = 0.05


def leads(members):
    return any(member["role"] == "leader" and member["state"] == "running" for member in members)


def first(condition, began):
    """Seconds until it holds."""
    while not condition():
        if time.monotonic() > began + LIMIT_S:
            sys.exit("bootstrap: the cluster is not there after five minutes")
        time.sleep(LOOK_S)
    return time.monotonic() - began


def run_once(name, nodes):
    folder = Folder("tanist-bootstrap-")
    try:
        start_etcd(folder)
        side = Side(name, folder, nodes)
        began = time.monotonic()
        side.start()
        return first(lambda: leads(side.members()), began), first(side.roles, began)
    except BaseException:
        folder.show_logs()
        raise
    finally:
        folder.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--nodes", type=int, default=3)
    options = parser.parse_args()
    names = ["tanist", "patroni"] if PATRONI else ["tanist"]
    taken = {name: [] for name in names}
    for _ in range(options.runs):
        for name in names:
            taken[name].append(run_once(name, options.nodes))
            print(f"{name:8} leader {taken[name][-1][0]:.2f} s, all {taken[name][-1][1]:.2f} s",
                  flush=True)
    print(f"{options.nodes} nodes, PostgreSQL {POSTGRESQL.parent.name}, "
          f"{patroni_version() if PATRONI else 'no patroni'}, "
          f"load average {os.getloadavg()[0]:.1f}; medians of {options.runs}")
    for index, what in enumerate(("until a leader takes writes", "until every replica streams")):
        medians = {name: statistics.median(run[index] for run in taken[name]) for name in names}
        told = ", ".join(f"{name} {value:.2f} s" for name, value in medians.items())
        ratio = f", ratio {medians['patroni'] / medians['tanist']:.1f}" if PATRONI else ""
        print(f"{what}: {told}{ratio}")


if __name__ == "__main__":
    main()
