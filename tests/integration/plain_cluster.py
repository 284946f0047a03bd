# SPDX-License-Identifier: Apache-2.0
"""A small cluster without certificates: one etcd, agents of one kind (tanist, or the distribution's
Patroni) with PostgreSQL, on loopback addresses of their own. Everything runs as user postgres and
ends with the test."""

import json
import pathlib
import signal
import urllib.error
import urllib.request

import psycopg2
import yaml
from local_servers import (ETCD, POSTGRESQL, Folder, eventually, must_run, network, programs_into,
                           run)

PATRONI = pathlib.Path("/usr/bin/patroni")
PATRONICTL = pathlib.Path("/usr/bin/patronictl")
START_S = 120
TIMING = {"ttl": 20, "loop_wait": 1, "retry_timeout": 3}


class PlainCluster:
    """Members a1, a2, ... of the cluster `shop`, or those named; the superuser needs no password on
    the machine."""

    def __init__(self, program="tanist", members=2, folder=None, first_address=10):
        if isinstance(members, int):
            members = [f"a{index}" for index in range(1, members + 1)]
        self.program = program
        self.folder = folder or Folder(f"tanist-{program}-")
        self.etcd = f"{network()}.{first_address}"
        self.address = {member: f"{network()}.{first_address + index}"
                        for index, member in enumerate(members, 1)}

    # ---- Starting and ending ----------------------------------------------------------------

    def start(self):
        self.start_etcd()
        for member in self.address:
            self.describe(member)
            self.start_agent(member)
        eventually(self.is_healthy, START_S, f"a healthy cluster of {self.program}")
        return self

    def start_etcd(self):
        client, peer = f"http://{self.etcd}:2379", f"http://{self.etcd}:2380"
        self.folder.start(
            f"etcd-of-{self.program}", ETCD, "--data-dir", self.place("etcd"),
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", f"default={peer}")

    def describe(self, member, configuration=None):
        """Writes the member's configuration file; makes its folders."""
        place = self.place(member)
        must_run("mkdir", "-p", "-m", "0700", place, place / "run", place / "bin")
        self.folder.write(self.file_of(member).relative_to(self.folder.path),
                          yaml.safe_dump(configuration or self.configuration(member)))

    def start_agent(self, member):
        place = self.place(member)
        if self.program == "patroni":
            words = ["/usr/bin/python3", PATRONI]
        else:
            if not (place / "bin/tanist").exists():
                programs_into(place / "bin")
            words = [place / "bin/tanist"]
        self.folder.start(f"{self.program}-{member}", *words, self.file_of(member),
                          RUNTIME_DIRECTORY=place / "run")

    def place(self, name):
        return self.folder.path / self.program / name

    def file_of(self, member):
        return self.place(member) / "agent.yml"

    def configuration(self, member):
        address, place = self.address[member], self.place(member)
        return {
            "scope": "shop", "name": member,
            "restapi": {"listen": f"{address}:8008", "connect_address": f"{address}:8008"},
            "etcd3": {"hosts": [f"{self.etcd}:2379"]},
            "bootstrap": {
                "dcs": {**TIMING, "postgresql": {"use_pg_rewind": True}},
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}],
                "pg_hba": ["local all all trust", "host all all 127.0.0.0/8 trust",
                           "host replication replicator 127.0.0.0/8 trust"]},
            "postgresql": {
                "listen": f"{address}:5432", "connect_address": f"{address}:5432",
                "data_dir": str(place / "data"), "bin_dir": str(POSTGRESQL),
                "pgpass": str(place / "pgpass"),
                "authentication": {"superuser": {"username": "postgres", "password": "s"},
                                   "replication": {"username": "replicator", "password": "r"}},
                "parameters": {"unix_socket_directories": str(place), "shared_buffers": "16MB",
                               "max_connections": 20}}}

    def change(self, member, reload=True, **postgresql):
        """Replaces settings of the member's `postgresql` section and reloads its agent."""
        known = yaml.safe_load(self.file_of(member).read_text(encoding="utf-8"))
        known["postgresql"].update(postgresql)
        self.describe(member, known)
        if reload:
            self.folder.signal(f"{self.program}-{member}", signal.SIGHUP)

    def patch(self, document):
        """PATCH /config: the dynamic configuration of all."""
        address = next(iter(self.address.values()))
        request = urllib.request.Request(f"http://{address}:8008/config", method="PATCH",
                                         data=json.dumps(document).encode())
        urllib.request.urlopen(request, timeout=10).close()

    # ---- Looking ----------------------------------------------------------------------------

    def log(self, member):
        return self.folder.log(f"{self.program}-{member}")

    def status(self, member):
        """What GET /patroni of the member tells; empty while it does not answer."""
        url = f"http://{self.address[member]}:8008/patroni"
        try:
            with urllib.request.urlopen(url, timeout=3) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)
        except (OSError, ValueError):
            return {}

    def query(self, member, statement, **options):
        """The rows; as superuser, who needs no password."""
        connection = psycopg2.connect(**{
            "host": self.address[member], "port": 5432, "user": "postgres", "dbname": "postgres",
            "connect_timeout": 5, **options})
        try:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def value(self, member, statement, **options):
        """The first value; None while the server does not answer."""
        try:
            return self.query(member, statement, **options)[0][0]
        except psycopg2.Error:
            return None

    def members(self):
        """Name -> member as GET /cluster tells it; empty while nobody does."""
        for address in self.address.values():
            try:
                with urllib.request.urlopen(f"http://{address}:8008/cluster", timeout=3) as answer:
                    return {member["name"]: member for member in json.load(answer)["members"]}
            except (OSError, ValueError):
                continue
        return {}

    def leader(self):
        for name, member in self.members().items():
            if member["role"] == "leader" and member["state"] == "running":
                return name
        return None

    def replica(self):
        leader = self.leader()
        return next(name for name in self.address if name != leader)

    def is_healthy(self):
        """One leader, everybody else replicating on its timeline."""
        members = self.members()
        leader = members.get(self.leader())
        if leader is None or len(members) != len(self.address):
            return False
        return all(member["state"] in ("running", "streaming")
                   and member.get("timeline") == leader.get("timeline")
                   for member in members.values())

    def wait_healthy(self, seconds=60):
        eventually(self.is_healthy, seconds, "a leader and replicas on its timeline")


def kept(cluster):
    """For a fixture of a file: started once, told of and removed at the end."""
    try:
        yield cluster.start()
    finally:
        cluster.folder.show_logs()
        cluster.folder.remove()


def healthy(cluster):
    """For the fixture of a case: the kept cluster, well at first; its logs since then are shown."""
    cluster.wait_healthy()
    yield cluster
    cluster.folder.show_logs()


def place_tanistctl(folder):
    """tanistctl where user postgres can run it, and a link `patronictl` to it; its path."""
    program = folder.path / "tanistctl"
    if not program.exists():
        programs_into(folder.path, ["tanistctl"])
        (folder.path / "patronictl").symlink_to(program)
    return program


def ctl(program, config_file, *words, answers="", code=0, seconds=60):
    """Runs a control tool (tanistctl or patronictl); what it printed."""
    command = [program] if program != PATRONICTL else ["/usr/bin/python3", PATRONICTL]
    result = run(*command, "-c", config_file, *words, seconds=seconds, given=answers,
                 LC_ALL="C.UTF-8")
    assert result.returncode == code, f"{words}\n{result.stdout}{result.stderr}"
    return result.stdout if code == 0 else result.stdout + result.stderr
