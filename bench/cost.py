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
import json
import os
import pathlib
import re
import sys
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("TANIST_BIN", str(ROOT / "build/release/src"))
sys.path.insert(0, str(ROOT / "tests/integration"))
# pylint: disable=wrong-import-position
from local_servers import (POSTGRESQL, Folder, eventually, must_run, network,  # noqa: E402
                           programs_into, run)

ETCD = f"{network()}.100"
TICKS = os.sysconf("SC_CLK_TCK")
START_S = 180


class Side:
    """One of the two: a cluster of `nodes` members under one agent program."""

    def __init__(self, name, folder, nodes):
        self.name, self.folder = name, folder
        base = {"tanist": 10, "patroni": 20}[name]
        self.address = {f"{name}{index}": f"{network()}.{base + index}"
                        for index in range(1, nodes + 1)}

    def configuration(self, node):
        address, place = self.address[node], self.folder.path / node
        role = {"superuser": {"username": "postgres", "password": "s"},
                "replication": {"username": "replicator", "password": "r"}}
        return {
            "scope": f"of-{self.name}", "name": node,
            "restapi": {"listen": f"{address}:8008", "connect_address": f"{address}:8008"},
            "etcd3": {"hosts": [f"{ETCD}:2379"]},
            "bootstrap": {
                "dcs": {"ttl": 30, "loop_wait": 10, "retry_timeout": 10},
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}],
                "pg_hba": ["local all all trust", "host all all 127.0.0.0/8 scram-sha-256",
                           "host replication replicator 127.0.0.0/8 scram-sha-256"]},
            "postgresql": {
                "listen": f"{address}:5432", "connect_address": f"{address}:5432",
                "data_dir": str(place / "data"), "bin_dir": str(POSTGRESQL),
                "pgpass": str(place / "pgpass"), "authentication": role,
                "parameters": {"unix_socket_directories": str(place), "shared_buffers": "16MB",
                               "max_connections": 20}}}

    def command(self, node):
        file = self.folder.path / node / "agent.yml"
        if self.name == "patroni":
            return ["/usr/bin/python3", "/usr/bin/patroni", file]
        return [self.folder.path / node / "bin/tanist", file]

    def start(self):
        for node in self.address:
            place = self.folder.path / node
            must_run("mkdir", "-m", "0700", place, place / "run", place / "bin")
            if self.name == "tanist":
                programs_into(place / "bin")
            self.folder.write(f"{node}/agent.yml", yaml.safe_dump(self.configuration(node)))
            self.folder.start(node, *self.command(node), RUNTIME_DIRECTORY=place / "run")

    def roles(self):
        """Node -> leader or replica; empty until all are there and well."""
        try:
            url = f"http://{next(iter(self.address.values()))}:8008/cluster"
            with urllib.request.urlopen(url, timeout=3) as answer:
                members = json.load(answer)["members"]
        except (OSError, ValueError):
            return {}
        well = [member for member in members if member["state"] in ("running", "streaming")]
        roles = {member["name"]: member["role"] for member in well}
        if len(roles) != len(self.address) or "leader" not in roles.values():
            return {}
        return roles

    def processes(self, node):
        """Agent, and guard where there is one."""
        place = self.folder.path / node
        found = [self.folder.started[node].pid]
        for pid in self.folder.processes(place):
            if re.search(r"/bin/tanist-guard$", os.readlink(f"/proc/{pid}/exe")):
                found.append(pid)
        return found


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
    if not pathlib.Path("/usr/bin/patroni").exists():
        sys.exit("cost: Patroni is missing. Remedy: apt-get install --no-install-recommends "
                 "patroni python3-etcd, and see that its service does not start; or --only tanist")
    print(run("/usr/bin/python3", "/usr/bin/patroni", "--version").stdout.strip())


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
        folder.start("etcd", "etcd", "--data-dir", folder.path / "etcd",
                     "--listen-client-urls", f"http://{ETCD}:2379",
                     "--advertise-client-urls", f"http://{ETCD}:2379",
                     "--listen-peer-urls", f"http://{ETCD}:2380",
                     "--initial-advertise-peer-urls", f"http://{ETCD}:2380",
                     "--initial-cluster", f"default=http://{ETCD}:2380")
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
