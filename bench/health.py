#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Health checks a second, and how long the slowest hundredth takes, of tanist and of Patroni (the
distribution's package), side by side: GET /primary of a leader that has no other work.

    bench/health.py [--seconds 5] [--rounds 3]

Plain and TLS, 1 and 32 clients at a time, with a new connection for each check, as load balancers
do (by ab, of the package apache2-utils), and with connections that stay open (by wrk; Patroni ends
each after its answer, so its figure beside it is the one of new connections). The two take turns,
so that whatever else the machine does hits both; figures are medians of the rounds. The client
runs on the same machine and takes its part of it. Run as root or as a user who may run PostgreSQL;
TANIST_BIN says where tanist and tanist-guard are (default: build/release/src).
"""

import argparse
import os
import re
import shutil
import statistics
import sys

from side import POSTGRESQL, Side, start_etcd
from local_servers import Folder, eventually, must_run

START_S = 180
def check_anew(folder, url, clients, seconds):
    """A connection for each check: (checks a second, milliseconds that 99 of 100 stay below)."""
    table = folder.path / "latency.csv"
    text = must_run("ab", "-q", "-l", "-c", clients, "-t", seconds, "-n", 10_000_000, "-e", table,
                    url, seconds=seconds + 60)
    assert not re.search(r"^Non-2xx responses: +[1-9]", text, re.M), text
    rate = float(re.search(r"^Requests per second: +([0-9.]+)", text, re.M).group(1))
    slow = re.search(r"^99,([0-9.]+)", table.read_text(encoding="ascii"), re.M).group(1)
    # Of fewer than a hundred there is no slowest hundredth.
    done = int(re.search(r"^Complete requests: +([0-9]+)", text, re.M).group(1))
    return rate, float(slow) if done >= 100 else float("nan")


def check_kept(url, clients, seconds):
    """The same with connections that stay open."""
    text = must_run("wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", url,
                    seconds=seconds + 60)
    assert "Non-2xx" not in text, text
    rate = float(re.search(r"^Requests/sec: +([0-9.]+)", text, re.M).group(1))
    number, unit = re.search(r"^ +99% +([0-9.]+)(us|ms|s)$", text, re.M).groups()
    return rate, float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def certificate(folder):
    key, file = folder.path / "rest.key", folder.path / "rest.crt"
    must_run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=bench", "-keyout", key, "-out", file)
    return {"certfile": str(file), "keyfile": str(key)}


def measure(folder, pairs, options):
    """(scheme, clients, connection, name) -> one (rate, p99) for each round."""
    found = {}
    for _ in range(options.rounds):
        for sides in pairs:
            for clients in (1, 32):
                for side in sides:
                    address = next(iter(side.address.values()))
                    url = f"{side.scheme()}://{address}:8008/primary"
                    key = (side.scheme(), clients, side.name)
                    found.setdefault((*key, "new"), []).append(
                        check_anew(folder, url, clients, options.seconds))
                    if side.name == "tanist":
                        found.setdefault((*key, "kept"), []).append(
                            check_kept(url, clients, options.seconds))
    return {key: [statistics.median(column) for column in zip(*rows)]
            for key, rows in found.items()}


def milliseconds(value):
    return "-" if value != value else f"{value:.2f}"  # not a number


def show(found, options):
    print(f"{options.rounds} rounds of {options.seconds} s, load average "
          f"{os.getloadavg()[0]:.2f}, PostgreSQL {POSTGRESQL.parent.name}")
    print("| | clients | connection | tanist, checks/s | Patroni | ratio | tanist, p99 ms | "
          "Patroni |")
    print("|---|---|---|---|---|---|---|---|")
    for (scheme, clients, name, connection), own in found.items():
        if name == "tanist":
            # Patroni ends each connection after its answer.
            theirs = found[(scheme, clients, "patroni", "new")]
            print(f"| {scheme} | {clients} | {connection} | {own[0]:,.0f} | {theirs[0]:,.0f} | "
                  f"{own[0] / theirs[0]:.1f} | {milliseconds(own[1])} | "
                  f"{milliseconds(theirs[1])} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for program, package in (("ab", "apache2-utils"), ("wrk", "wrk"),
                             ("/usr/bin/patroni", "patroni")):
        if shutil.which(program) is None:
            sys.exit(f"health: {program} is missing. Remedy: apt-get install "
                     f"--no-install-recommends {package}")
    folder = Folder("tanist-health-")
    try:
        start_etcd(folder)
        pairs = [[Side(name, folder, 1, rest=rest) for name in ("tanist", "patroni")]
                 for rest in (None, certificate(folder))]
        for side in sum(pairs, []):
            side.start()
        for side in sum(pairs, []):
            eventually(side.roles, START_S, f"{side.name}'s cluster to be healthy")
        show(measure(folder, pairs, options), options)
    except AssertionError as failure:
        folder.show_logs()
        sys.exit(f"health: {failure}")
    finally:
        folder.remove()


if __name__ == "__main__":
    main()
