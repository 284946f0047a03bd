# SPDX-License-Identifier: Apache-2.0
"""A cluster of tanist or of Patroni for measurements: both alike, on one etcd, plain TCP, an empty
database. TANIST_BIN says where tanist's programs are. Patroni is the distribution's package;
TANIST_PATRONI=4 takes the one of Debian 13 (unpacked, not installed), or names a folder in which
`patroni/` lies."""

import json
import os
import pathlib
import re
import ssl
import sys
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("TANIST_BIN", str(ROOT / "build/release/src"))
for of_tests in ("tests/integration", "tests/neighbours"):
    sys.path.insert(0, str(ROOT / of_tests))
# pylint: disable=wrong-import-position
import real_patroni  # noqa: E402
from local_servers import POSTGRESQL, must_run, network, programs_into  # noqa: E402

ETCD = f"{network()}.100"
UNVERIFIED = ssl.create_default_context()
UNVERIFIED.check_hostname = False
UNVERIFIED.verify_mode = ssl.CERT_NONE


def patroni_folder():
    """Where the Patroni is that is measured; None if there is none."""
    chosen = os.environ.get("TANIST_PATRONI")
    if chosen == "4":
        os.environ.pop("TANIST_PATRONI")
        return real_patroni.find((4,))
    folder = pathlib.Path(chosen) if chosen else real_patroni.INSTALLED
    return folder if real_patroni.version_in(folder) else None


PATRONI = patroni_folder()


def patroni_version():
    return "patroni " + ".".join(map(str, real_patroni.version_in(PATRONI)))


class Side:
    """One of the two: a cluster of `nodes` members under one agent program."""

    def __init__(self, name, folder, nodes, timing=None, additions=None, rest=None, etcd=ETCD):
        self.name, self.folder, self.etcd = name, folder, etcd
        self.rest = rest or {}  # to each agent's section restapi
        self.timing = timing or {"ttl": 30, "loop_wait": 10, "retry_timeout": 10}
        self.additions = additions or {}  # to each agent's configuration
        self.scope = f"of-{name}" + ("-tls" if self.rest else "")
        base = {"tanist": 10, "patroni": 20}[name] + (100 if self.rest else 0)
        tail = "s" if self.rest else ""
        self.address = {f"{name}{tail}{index}": f"{network()}.{base + index}"
                        for index in range(1, nodes + 1)}

    def configuration(self, node):
        address, place = self.address[node], self.folder.path / node
        role = {"superuser": {"username": "postgres", "password": "s"},
                "replication": {"username": "replicator", "password": "r"}}
        return {
            "scope": self.scope, "name": node,
            "restapi": {"listen": f"{address}:8008", "connect_address": f"{address}:8008",
                        **self.rest},
            "etcd3": {"hosts": [f"{self.etcd}:2379"]},
            "bootstrap": {
                "dcs": self.timing,
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}],
                "pg_hba": ["local all all trust", "host all all 127.0.0.0/8 scram-sha-256",
                           "host replication replicator 127.0.0.0/8 scram-sha-256"]},
            "postgresql": {
                "listen": f"{address}:5432", "connect_address": f"{address}:5432",
                "data_dir": str(place / "data"), "bin_dir": str(POSTGRESQL),
                "pgpass": str(place / "pgpass"), "authentication": role,
                "parameters": {"unix_socket_directories": str(place), "shared_buffers": "16MB",
                               "max_connections": 20}},
            **self.additions}

    def command(self, node):
        """Words and environment."""
        file = self.folder.path / node / "agent.yml"
        if self.name == "patroni":
            return real_patroni.agent(PATRONI, file)
        return [self.folder.path / node / "bin/tanist", file], {}

    def start(self):
        for node in self.address:
            place = self.folder.path / node
            must_run("mkdir", "-m", "0700", place, place / "run", place / "bin")
            if self.name == "tanist":
                programs_into(place / "bin")
            self.folder.write(f"{node}/agent.yml", yaml.safe_dump(self.configuration(node)))
            self.start_agent(node)

    def start_agent(self, node):
        words, environment = self.command(node)
        self.folder.start(node, *words, RUNTIME_DIRECTORY=self.folder.path / node / "run",
                          **environment)

    def scheme(self):
        return "https" if "certfile" in self.rest else "http"

    def members(self):
        """As the first node that answers tells them."""
        for address in self.address.values():
            try:
                url = f"{self.scheme()}://{address}:8008/cluster"
                with urllib.request.urlopen(url, timeout=3, context=UNVERIFIED) as answer:
                    return json.load(answer)["members"]
            except (OSError, ValueError):
                continue
        return []

    def roles(self):
        """Node -> leader or replica; empty until all are there and well."""
        members = self.members()
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


def start_etcd(folder, address=ETCD, name="etcd"):
    folder.start(name, "etcd", "--data-dir", folder.path / name,
                 "--listen-client-urls", f"http://{address}:2379",
                 "--advertise-client-urls", f"http://{address}:2379",
                 "--listen-peer-urls", f"http://{address}:2380",
                 "--initial-advertise-peer-urls", f"http://{address}:2380",
                 "--initial-cluster", f"default=http://{address}:2380",
                 "--heartbeat-interval", "50", "--election-timeout", "500")
