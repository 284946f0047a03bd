# SPDX-License-Identifier: Apache-2.0
"""A real cluster on this machine: what `tanistctl provision` writes for one machine, started: three
members of etcd, three agents with PostgreSQL, HAProxy. Everything runs as user postgres, listens on
loopback addresses of its own, and ends with the test."""

import json
import os
import pathlib
import shutil
import signal
import ssl
import urllib.error
import urllib.request

import psycopg2
import yaml
from local_servers import (ETCD, POSTGRESQL, PROGRAMS, Broken, Folder, eventually, must_run,
                           network, programs_into, run)
from writer import Writer

NODES = ["node1", "node2", "node3"]
PORTS = {"postgresql": 15432, "rest": 18008, "etcd_client": 12379, "etcd_peer": 12380,
         "read_write": 15000, "read_only": 15001, "statistics": 17000}
PASSWORD = "of-the-application"
START_S, HEAL_S = 180, 120  # on two busy cores
LAG_MAX = 1048576   # maximum_lag_on_failover, in bytes
ROW_WAL_MIN = 64    # bytes of WAL that a row needs at least
PROVISION = pathlib.Path(os.environ.get("TANIST_PROVISION") or PROGRAMS / "tanistctl")


def topology():
    """That of scripts/demo, elsewhere."""
    addresses = {name: f"{network()}.{index}" for index, name in enumerate([*NODES, "haproxy"], 1)}
    return {
        "cluster": "demo", "one_machine": True, "ports": PORTS,
        "nodes": [{"name": name, "address": addresses[name]} for name in NODES],
        "haproxy": [{"name": "haproxy", "address": addresses["haproxy"]}],
        "timing": {"ttl": 5, "loop_wait": 1, "retry_timeout": 2},
        "postgresql": {"bin_dir": str(POSTGRESQL), "parameters": {"max_connections": 40}}}


class Cluster:
    """`start()` returns when it is healthy; `remove()` ends and deletes everything."""

    def __init__(self, described=None, **changes):
        self.folder = Folder("tanist-")
        self.files = self.folder.path / "cluster"
        self.topology = {**(described or topology()), **changes}
        self.nodes = [node["name"] for node in self.topology["nodes"]]
        self.address = {host["name"]: host["address"]
                        for host in self.topology["nodes"] + self.topology["haproxy"]}

    # ---- Starting and ending ----------------------------------------------------------------

    def start(self):
        self.provision()
        for node in self.nodes:
            self.start_etcd(node)
        eventually(self.etcd_is_healthy, 60, "etcd to be healthy")
        for node in self.nodes:
            self.start_agent(node)
        must_run("mkdir", "-p", self.files / "haproxy/run/haproxy")
        self.launch("haproxy", "haproxy", "haproxy", "-db", "-f",
                    self.files / "haproxy/etc/haproxy/haproxy.cfg")
        eventually(self.has_started, START_S, "a leader and two streaming replicas")
        self.create_application()
        return self

    def has_started(self):
        """As `is_healthy`; fails at once when one of the programs has ended."""
        ended = [name for name in self.folder.started if not self.folder.runs(name)]
        assert not ended, f"{', '.join(ended)} ended, see its log"
        return self.is_healthy(len(self.nodes))

    def launch(self, host, name, *words, **environment):
        """Starts a program of a host; here every host is this machine."""
        del host
        return self.folder.start(name, *words, **environment)

    def provision(self):
        assert PROVISION.is_file(), f"there is no {PROVISION}; build it, or set TANIST_BIN"
        program = self.folder.path / "tanistctl"
        shutil.copy(PROVISION, program)
        program.chmod(0o755)
        file = self.folder.write("topology.yml", yaml.safe_dump(self.topology))
        must_run(program, "provision", file, "-o", self.files)
        if int(POSTGRESQL.parent.name or 0) < 15:
            for node in self.nodes:
                self.expect_no_address_in_certificates(node)

    def expect_no_address_in_certificates(self, node):
        """libpq before 15, which the tools of those servers bring along (scripts/test --matrix),
        compares addresses with names only."""
        file = self.config_file(node)
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("sslmode: verify-full", "sslmode: verify-ca"),
                        encoding="utf-8")

    def start_etcd(self, node):
        self.launch(node, f"etcd-{node}", ETCD,
                    f"--config-file={self.files}/{node}/etc/etcd/etcd.yml")

    def credentials(self):
        """The folder with certificates that etcd takes."""
        return self.files / "node1/etc/tanist/ssl"

    def etcdctl(self, *words, node=None):
        """With the etcd of `node`, or with whichever answers."""
        folder = self.credentials()
        asked = [node] if node else self.topology.get("etcd", self.nodes)
        endpoints = ",".join(f"https://{self.address[name]}:{PORTS['etcd_client']}"
                             for name in asked)
        return run("etcdctl", "--endpoints", endpoints, "--cacert", folder / "ca.crt", "--cert",
                   folder / "agent.crt", "--key", folder / "agent.key", "--command-timeout=3s",
                   *words)

    def must_etcdctl(self, *words):
        """Again until it succeeds: etcd may be electing. What it printed."""
        done = eventually(lambda: (result := self.etcdctl(*words)).returncode == 0 and result, 60,
                          f"etcdctl {' '.join(words)}")
        return done.stdout.strip()

    def stored(self, key):
        """The value of a key of the cluster, as etcd itself tells it; empty if there is none."""
        name = f"/service/{self.topology['cluster']}/{key}"
        return self.must_etcdctl("get", "--print-value-only", name)

    def etcd_is_healthy(self):
        return self.etcdctl("endpoint", "health").returncode == 0

    def start_agent(self, node):
        runtime, programs = self.files / node / "run/tanist", self.files / node / "bin"
        if not programs.exists():
            must_run("mkdir", "-p", "-m", "0700", runtime)
            must_run("mkdir", "-p", programs)
            programs_into(programs)
        self.launch(node, f"tanist-{node}", programs / "tanist", self.config_file(node),
                    RUNTIME_DIRECTORY=runtime)

    def start_node(self, node):
        """Whatever of etcd and agent does not run."""
        if not self.folder.runs(f"etcd-{node}"):
            self.start_etcd(node)
        if not self.folder.runs(f"tanist-{node}"):
            self.start_agent(node)

    def show_logs(self):
        self.folder.show_logs()

    def remove(self):
        self.folder.remove()

    # ---- Looking ----------------------------------------------------------------------------

    def config_file(self, node):
        return self.files / node / "etc/tanist/tanist.yml"

    def config(self, node):
        return yaml.safe_load(self.config_file(node).read_text(encoding="utf-8"))

    def data(self, node):
        return pathlib.Path(self.config(node)["postgresql"]["data_dir"])

    def secret(self, name):
        return (self.files / "secrets" / name).read_text(encoding="utf-8").strip()

    def get(self, node, path):
        """(status, body) of a REST request, the certificate verified."""
        context = ssl.create_default_context(cafile=self.files / "ca/ca.crt")
        url = f"https://{self.address[node]}:{PORTS['rest']}{path}"
        try:
            with urllib.request.urlopen(url, timeout=3, context=context) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def members(self):
        """Name -> member as GET /cluster of the first node that answers tells it; empty if none."""
        for node in self.nodes:
            try:
                status, body = self.get(node, "/cluster")
            except OSError:
                continue
            if status == 200:
                return {member["name"]: member for member in json.loads(body)["members"]}
        return {}

    def leader(self):
        """The name of the running leader, or None."""
        for name, member in self.members().items():
            if member["role"] == "leader" and member["state"] == "running":
                return name
        return None

    def is_healthy(self, number):
        members = self.members()
        leader = members.get(self.leader())
        replicas = [member for member in members.values() if member["role"] == "replica"]
        if leader is None or len(members) != number or len(replicas) != number - 1:
            return False
        timeline = leader.get("timeline")
        return all(replica["state"] == "streaming" and replica.get("timeline") == timeline
                   for replica in replicas)

    def wait_healthy(self, number=3, seconds=HEAL_S):
        """One leader, all others streaming on its timeline, and nobody else in the list."""
        eventually(lambda: self.is_healthy(number), seconds,
                   f"a leader and {number - 1} streaming replicas")

    def wait_leader_other_than(self, node, seconds=60):
        return eventually(lambda: self.leader() not in (None, node) and self.leader(), seconds,
                          f"a leader other than {node}")

    def ctl(self, *words, seconds=60):
        """tanistctl with the file of the first node; the finished process."""
        return run(self.folder.path / "tanistctl", "-c", self.config_file("node1"), *words,
                   seconds=seconds)

    # ---- Harm -------------------------------------------------------------------------------

    def stop_agent(self, node):
        """SIGTERM; returns its exit code when PostgreSQL has been stopped with it."""
        return self.folder.stop(f"tanist-{node}")

    def kill_postmaster(self, node):
        """kill -9 on it alone; its backends find out by themselves."""
        os.kill(self.postmaster(node), signal.SIGKILL)

    def postmaster(self, node):
        return int((self.data(node) / "postmaster.pid").read_text(encoding="ascii").split()[0])

    def kill_node(self, node):
        """Agent, guard, all of PostgreSQL and the etcd member at once: the machine is lost."""
        self.folder.kill(self.files / node)

    # ---- Applications -----------------------------------------------------------------------

    def superuser_options(self, node, database="postgres"):
        """How the superuser connects, on the node itself."""
        return {"host": self.config(node)["postgresql"]["parameters"]["unix_socket_directories"],
                "port": PORTS["postgresql"], "user": "postgres", "dbname": database,
                "password": self.secret("superuser")}

    def superuser(self, node):
        connection = psycopg2.connect(**self.superuser_options(node), connect_timeout=5)
        connection.autocommit = True
        return connection

    def query(self, node, statement):
        """Rows of the superuser's statement on a node; [] of one that gives none."""
        connection = self.superuser(node)
        try:
            cursor = connection.cursor()
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def create_application(self):
        connection = self.superuser(self.leader())
        cursor = connection.cursor()
        cursor.execute("CREATE ROLE app LOGIN PASSWORD %s", [PASSWORD])
        cursor.execute("CREATE DATABASE app OWNER app")
        connection.close()
        eventually(self.create_table, 60, "a connection through HAProxy")

    def create_table(self):
        try:
            connection = psycopg2.connect(**self.application(), connect_timeout=2)
        except psycopg2.OperationalError:
            return False
        with connection:
            connection.cursor().execute("DROP TABLE IF EXISTS written")
            connection.cursor().execute("CREATE TABLE written (number bigint)")
        connection.close()
        return True

    def application(self):
        """How an application connects: through HAProxy, verifying the server from end to end."""
        return {"host": self.address["haproxy"], "port": PORTS["read_write"], "dbname": "app",
                "user": "app", "password": PASSWORD, "sslmode": "verify-full",
                "sslrootcert": str(self.files / "ca/ca.crt")}

    def start_writer(self):
        """A writer that has written, into an empty table."""
        eventually(self.create_table, 60, "an empty table")
        writer = Writer(self.application())
        writer.start()
        eventually(lambda: len(writer.acknowledged) > 20, 30, "the writer to write")
        return writer

    def lost_rows(self, writer):
        """Which acknowledged rows the primary does not have. Stops the writer."""
        writer.stop()
        connection = psycopg2.connect(**self.application(), connect_timeout=5)
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT number FROM written")
            present = [row[0] for row in cursor.fetchall()]
        connection.close()
        return writer.lost(present)

    def check_nothing_lost(self, writer):
        self.check_lost(writer, 0)

    def check_lost(self, writer, limit=LAG_MAX // ROW_WAL_MIN):
        """Unless told otherwise, as many rows as asynchronous replication may lose with its leader.
        How many it were."""
        lost = self.lost_rows(writer)
        if len(lost) > limit:
            raise Broken(f"{len(lost)} acknowledged rows are gone, from {lost[0]} to {lost[-1]}")
        return len(lost)


class Kept:
    """One cluster for all tests of a file; `make` makes it, anew when a test left it unhealthy."""

    def __init__(self, make):
        self.make = make
        self.cluster = None

    def healthy(self):
        if self.cluster is not None and not self.cluster.is_healthy(len(NODES)):
            self.drop()
        if self.cluster is None:
            self.cluster = self.make()
            self.cluster.start()
        return self.cluster

    def drop(self):
        if self.cluster is not None:
            self.cluster.remove()
        self.cluster = None
