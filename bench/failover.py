#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long an application cannot write when a leader goes: tanist and Patroni (the distribution's
package) side by side, taking turns, through one HAProxy each.

    bench/failover.py [--runs 3] [--settings default fastest] [--events ...] [--short]
                      [--write FILE]

Both sides: three nodes, PostgreSQL of the same version, an etcd of one member on none of the nodes,
the same HAProxy with the same checks (once a second). tanist also tells its HAProxy
(`routing.haproxy`). A client writes rows of one transaction each, 20 ms apart, and connects again
after each error; the outage is the longest time between two acknowledged rows around the event. A
store outage lasts ttl + 5 s. `--short` is one run at the fastest settings. With --write the table
goes to a file (docs/benchmarks.md).
"""

import argparse
import datetime
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time
import urllib.request

import psycopg2
from side import ROOT, Side, patroni_version, start_etcd
from local_servers import POSTGRESQL, Folder, eventually, network
from writer import Writer

SETTINGS = {
    "default": {name: {"ttl": 30, "loop_wait": 10, "retry_timeout": 10}
                for name in ("tanist", "patroni")},
    # The smallest values that each takes.
    "fastest": {"tanist": {"ttl": 3, "loop_wait": 1, "retry_timeout": 1},
                "patroni": {"ttl": 20, "loop_wait": 1, "retry_timeout": 3}}}
EVENTS = ["switchover", "agent stopped", "postmaster killed", "agent killed and restarted",
          "agent frozen", "node lost", "store outage", "store outage, failsafe"]
HEAL_S, RESUME_S = 120, 120
PAGE = """# Benchmarks

Written by `bench/failover.py --write docs/benchmarks.md`, which also says how it is measured. An
outage is the longest time between two acknowledged rows of a client behind HAProxy, the median of
the runs. *default* is ttl 30, loop_wait 10, retry_timeout 10 for both; *fastest* the smallest
values that each takes (tanist 3/1/1, Patroni 20/1/3). Replication is asynchronous. *Two writable*
is how long two servers acknowledged rows at the same time; Patroni runs without a watchdog, as it
does by default.

What an idle agent costs: `bench/cost.py`. The guard's sweep: `bench/guard_sweep.py` and
[guide/guard](guide/guard.md).

"""
HAPROXY = """global
    stats socket {socket} mode 660 level admin
    maxconn 200
defaults
    mode tcp
    timeout connect 3s
    timeout check 2s
    timeout client 24h
    timeout server 24h
    default-server check inter 1s fastinter 300ms downinter 1s fall 2 rise 1
    default-server on-marked-down shutdown-sessions
listen primary
    bind {address}:5000
    option httpchk GET /primary
    http-check expect status 200
{servers}"""


class Measured(Side):
    """A side with an HAProxy in front, and what can be done to its leader."""

    def __init__(self, name, folder, timing):
        self.socket = str(folder.path / f"haproxy-{name}.sock")
        routing = {"routing": {"haproxy": {"sockets": [self.socket]}}} if name == "tanist" else {}
        number = {"tanist": 1, "patroni": 2}[name]
        super().__init__(name, folder, 3, timing, routing, etcd=f"{network()}.{100 + number}")
        self.proxy = f"{network()}.{10 * number + 9}"

    def start_all(self):
        servers = "".join(f"    server {node} {address}:5432 port 8008\n"
                          for node, address in self.address.items())
        file = self.folder.write(f"haproxy-{self.name}.cfg", HAPROXY.format(
            socket=self.socket, address=self.proxy, servers=servers))
        start_etcd(self.folder, self.etcd, self.store())
        self.start()
        eventually(self.roles, HEAL_S, f"{self.name}'s cluster")
        self.folder.start(f"haproxy-{self.name}", "haproxy", "-db", "-f", file)
        eventually(self.create_table, 60, f"writes through {self.name}'s HAProxy")

    def options(self, node=None):
        return {"host": self.address[node] if node else self.proxy,
                "port": 5432 if node else 5000, "user": "postgres", "password": "s",
                "dbname": "postgres"}

    def create_table(self):
        try:
            connection = psycopg2.connect(**self.options(), connect_timeout=2)
            connection.autocommit = True
            connection.cursor().execute("CREATE TABLE IF NOT EXISTS written (number bigint)")
            connection.cursor().execute("TRUNCATE written")
            connection.close()
            return True
        except psycopg2.Error:
            return False

    def store(self):
        """Under which name its etcd was started."""
        return f"etcd-{self.name}"

    def configure(self, **values):
        node = self.leader()
        request = urllib.request.Request(
            f"http://{self.address[node]}:8008/config", json.dumps(values).encode(),
            {"Content-Type": "application/json"}, method="PATCH")
        urllib.request.urlopen(request, timeout=20).read()
        time.sleep(self.timing["loop_wait"] + 2)  # until every member has it

    def leader(self):
        return next((name for name, role in self.roles().items() if role == "leader"), None)

    def agent(self, node):
        return self.folder.started[node].pid

    def do(self, event, leader):
        if event == "switchover":
            body = json.dumps({"leader": leader}).encode()
            request = urllib.request.Request(f"http://{self.address[leader]}:8008/switchover", body,
                                             {"Content-Type": "application/json"})
            urllib.request.urlopen(request, timeout=120).read()
        elif event == "agent stopped":
            self.folder.started[leader].terminate()
        elif event == "postmaster killed":
            pid = (self.folder.path / leader / "data/postmaster.pid").read_text().split()[0]
            os.kill(int(pid), signal.SIGKILL)
        elif event == "agent killed and restarted":
            os.kill(self.agent(leader), signal.SIGKILL)
            self.folder.exit_code(leader)
            time.sleep(0.1)
            self.start_agent(leader)
        elif event == "agent frozen":
            os.kill(self.agent(leader), signal.SIGSTOP)
            time.sleep(self.timing["ttl"] + 15)  # until somebody else leads, and longer
        elif event == "node lost":
            self.folder.kill(self.folder.path / leader)
        elif event.startswith("store outage"):
            self.folder.signal(self.store(), signal.SIGSTOP)
            time.sleep(self.timing["ttl"] + 5)
            self.folder.signal(self.store(), signal.SIGCONT)

    def heal(self, event, leader):
        if event == "agent frozen":
            os.kill(self.agent(leader), signal.SIGCONT)
        elif event in ("agent stopped", "node lost"):
            self.folder.exit_code(leader, 120)
            self.start_agent(leader)
        eventually(self.roles, HEAL_S, f"{self.name} to be whole again after: {event}")
        if event == "store outage, failsafe":
            self.configure(failsafe_mode=None)


def with_two_writers(first, second):
    """Seconds in which both servers acknowledged."""
    if not first.times or not second.times:
        return 0.0
    return max(0.0, min(first.times[-1], second.times[-1]) -
               max(first.times[0], second.times[0]))


def measure(side, event):
    """(outage in seconds, seconds with two writable servers, rows lost)."""
    eventually(side.create_table, 60, "an empty table")
    leader = side.leader()
    if event == "store outage, failsafe":
        side.configure(failsafe_mode=True)
    probers = {node: Writer(side.options(node)) for node in side.address}
    writer = Writer(side.options())
    for one in [writer, *(probers.values() if event == "agent frozen" else ())]:
        one.start()
    eventually(lambda: len(writer.times) > 20, 60, "the writer to write")
    began = time.monotonic()
    side.do(event, leader)
    time.sleep(1)
    eventually(lambda: writer.last() > began + 1, RESUME_S, f"writes of {side.name} after {event}")
    time.sleep(2)
    eventually(lambda: writer.last() > time.monotonic() - 0.5, RESUME_S, "steady writes")
    both = 0.0
    if event == "agent frozen":
        others = [prober for node, prober in probers.items() if node != leader]
        both = sum(with_two_writers(probers[leader], other) for other in others)
        for prober in probers.values():
            prober.stop()
    writer.stop()
    connection = psycopg2.connect(**side.options(), connect_timeout=5)
    cursor = connection.cursor()
    cursor.execute("SELECT number FROM written")
    lost = len(writer.lost([row[0] for row in cursor.fetchall()]))
    connection.close()
    side.heal(event, leader)
    return writer.longest_gap(), both, lost


def run_settings(name, options, rows):
    folder = Folder("tanist-failover-")
    try:
        sides = [Measured(side, folder, SETTINGS[name][side]) for side in options.sides]
        for side in sides:
            side.start_all()
        for number in range(options.runs):
            for event in options.events:
                for side in sides:
                    try:
                        result = measure(side, event)
                    except AssertionError as failure:
                        print(f"{name}, {side.name}, {event}: {failure}", flush=True)
                        if not side.roles():
                            eventually(side.roles, HEAL_S, f"{side.name} to recover")
                        continue
                    rows.setdefault((name, event), {}).setdefault(side.name, []).append(result)
                    print(f"{name} run {number + 1} {event:28}{side.name:9}{result[0]:8.2f} s"
                          f"{'':3}two writable {result[1]:.2f} s, lost {result[2]}", flush=True)
    except AssertionError:
        folder.show_logs()
        raise
    finally:
        folder.remove()


def median_of(results):
    return statistics.median(outage for outage, _, _ in results)


def seconds_of(results):
    return f"{median_of(results):.2f}" if results else "-"


def table(rows):
    lines = ["| settings | event | tanist, s | Patroni, s | ratio | runs | two writable, s | "
             "lost |",
             "|---|---|---|---|---|---|---|---|"]
    for (name, event), sides in rows.items():
        own, theirs = sides.get("tanist", []), sides.get("patroni", [])
        ratio = f"{median_of(theirs) / median_of(own):.1f}" if own and theirs else "-"
        both = [f"{max(r[1] for r in all_):.1f}" if all_ else "-" for all_ in (own, theirs)]
        lost = [str(sum(r[2] for r in all_)) if all_ else "-" for all_ in (own, theirs)]
        lines.append(f"| {name} | {event} | {seconds_of(own)} | {seconds_of(theirs)} | {ratio} | "
                     f"{len(own)} / {len(theirs)} | {' / '.join(both)} | {' / '.join(lost)} |")
    return "\n".join(lines)


def machine():
    model = next((line.split(":")[1].strip() for line in
                  pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines()
                  if line.startswith("model name")), "unknown")
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], check=False,
                            capture_output=True, text=True).stdout.strip()
    return (f"{os.cpu_count()} x {model}, PostgreSQL {POSTGRESQL.parent.name}, "
            f"{patroni_version()}, commit {commit}")


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--events", nargs="+", choices=EVENTS, default=EVENTS)
    parser.add_argument("--sides", nargs="+", choices=["tanist", "patroni"],
                        default=["tanist", "patroni"])
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--write", type=pathlib.Path)
    options = parser.parse_args()
    if options.short:
        options.runs, options.settings = 1, ["fastest"]
    return options


def main():
    options = read_options()
    before = os.getloadavg()[0]
    rows = {}
    for name in options.settings:
        run_settings(name, options, rows)
    text = (f"{datetime.date.today()}, {machine()}. Load average {before:.1f} before and "
            f"{os.getloadavg()[0]:.1f} after.\n\n{table(rows)}\n")
    print(text)
    if options.write:
        options.write.write_text(PAGE + text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
