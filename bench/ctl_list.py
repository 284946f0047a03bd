#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long `tanistctl list` and the distribution's `patronictl list` take, side by side.

    bench/ctl_list.py [--rounds 30] [--members 3]

One cluster, one etcd, the same configuration file for both; they take turns, so that whatever else
the machine does hits both. Run as root or as a user who may run PostgreSQL; TANIST_BIN says where
tanist, tanist-guard and tanistctl are (default: build/release/src).
"""

import argparse
import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("TANIST_BIN", str(ROOT / "build/release/src"))
sys.path.insert(0, str(ROOT / "tests/integration"))
# pylint: disable=wrong-import-position
from local_servers import POSTGRESQL, run  # noqa: E402
from plain_cluster import PATRONICTL, PlainCluster, place_tanistctl  # noqa: E402


def seconds_of(*command):
    begin = time.monotonic()
    result = run(*command)
    assert result.returncode == 0, result.stdout + result.stderr
    return time.monotonic() - begin


def measure(cluster, rounds):
    """Name -> seconds of each round."""
    config = cluster.file_of("a1")
    commands = {"tanistctl": [place_tanistctl(cluster.folder), "-c", config, "list"],
                "patronictl": ["/usr/bin/python3", PATRONICTL, "-c", config, "list"],
                # What starting a program as another user costs by itself.
                "true": ["true"]}
    times = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(seconds_of(*command))
    return times


def show(times, rounds):
    load = os.getloadavg()[0]
    print(f"{rounds} rounds, load average {load:.2f}, PostgreSQL {POSTGRESQL.parent.name}, "
          f"{run('/usr/bin/python3', PATRONICTL, 'version').stdout.strip()}")
    print(f"{'list':12}{'median ms':>12}{'fastest ms':>12}{'slowest ms':>12}")
    for name, of_name in times.items():
        print(f"{name:12}{statistics.median(of_name) * 1000:12.1f}{min(of_name) * 1000:12.1f}"
              f"{max(of_name) * 1000:12.1f}")
    ratio = statistics.median(times["patronictl"]) / statistics.median(times["tanistctl"])
    print(f"{'ratio':12}{ratio:11.1f}x")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--members", type=int, default=3)
    options = parser.parse_args()
    if not PATRONICTL.exists():
        sys.exit("ctl_list: patronictl is missing. Remedy: apt-get install "
                 "--no-install-recommends patroni, and see that its service does not start")
    cluster = PlainCluster("tanist", options.members)
    try:
        cluster.start()
        show(measure(cluster, options.rounds), options.rounds)
    except AssertionError as failure:
        cluster.folder.show_logs()
        sys.exit(f"ctl_list: {failure}")
    finally:
        cluster.folder.remove()


if __name__ == "__main__":
    main()
