# SPDX-License-Identifier: Apache-2.0
"""A set-up written for Patroni, as it stands: its patroni.yml, its certificates made with openssl,
its etcd flags, its HAProxy asking for GET /leader, and its failover test. Only addresses and
folders are other ones. The superuser has no password: trust lines let him in over TLS."""

import json
import pathlib
import urllib.request

import psycopg2
import pytest
from local_servers import (POSTGRESQL, Folder, eventually, must_run, network, programs_into, run)

NODES = {"pg-1": "192.168.122.48", "pg-2": "192.168.122.24", "pg-3": "192.168.122.65"}
PROXY = "192.168.122.66"
TEXT = (pathlib.Path(__file__).parent / "testdata/seed_patroni.yml").read_text(encoding="utf-8")
LEADER_S = 90  # ttl is 30 s
pytestmark = pytest.mark.skipif(int(POSTGRESQL.parent.name or 0) < 14, reason="the files rely on "
                                "passwords being made for scram-sha-256, the default since 14")


class Seed:
    """The four machines of the article, on loopback addresses."""

    def __init__(self):
        self.folder = Folder("tanist-seed-")
        self.address = {name: f"{network()}.{index}" for index, name in enumerate(NODES, 1)}
        self.proxy = f"{network()}.4"

    def of(self, node):
        return self.folder.path / node

    # ---- Certificates -----------------------------------------------------------------------

    def make_certificates(self):
        ssl = self.folder.path / "etcd-certs"
        must_run("mkdir", ssl)
        must_run("openssl", "genrsa", "-out", ssl / "ca.key", "2048")
        must_run("openssl", "req", "-x509", "-new", "-nodes", "-key", ssl / "ca.key", "-subj",
                 "/CN=etcd-ca", "-days", "3650", "-out", ssl / "ca.crt")
        for name, address in self.address.items():
            # On one machine everybody calls from 127.0.0.1.
            self.sign(ssl, name, f"subjectAltName=DNS:{name},IP:{address},IP:127.0.0.1\n"
                      "extendedKeyUsage=serverAuth,clientAuth\n")
        self.sign(ssl, "patroni", "")
        for node in NODES:
            for folder, source, target in (
                    ("etcd", "ca.crt", "ca.crt"), ("etcd", f"{node}.crt", f"{node}.crt"),
                    ("etcd", f"{node}.key", f"{node}.key"), ("etcd", "patroni.crt", "patroni.crt"),
                    ("etcd", "patroni.key", "patroni.key"), ("postgresql", "ca.crt", "ca.crt"),
                    ("postgresql", f"{node}.crt", "server.crt"),
                    ("postgresql", f"{node}.key", "server.key")):
                place = self.of(node) / "etc" / folder / "ssl" / target
                must_run("install", "-D", "-m", "0600", ssl / source, place)

    def sign(self, ssl, name, extensions):
        must_run("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout",
                 ssl / f"{name}.key", "-subj", f"/CN={name}", "-out", ssl / f"{name}.csr")
        words = ["openssl", "x509", "-req", "-in", ssl / f"{name}.csr", "-CA", ssl / "ca.crt",
                 "-CAkey", ssl / "ca.key", "-CAcreateserial", "-out", ssl / f"{name}.crt", "-days",
                 "365"]
        if extensions:
            words += ["-extfile", self.folder.write(f"etcd-certs/{name}.ext", extensions)]
        must_run(*words)

    # ---- Programs ---------------------------------------------------------------------------

    def start_etcd(self, node):
        address, ssl = self.address[node], self.of(node) / "etc/etcd/ssl"
        peers = ",".join(f"{name}=https://{of}:2380" for name, of in self.address.items())
        self.folder.start(
            f"etcd-{node}", "etcd", "--name", node, "--data-dir", self.of(node) / "var/lib/etcd",
            "--listen-peer-urls", f"https://{address}:2380",
            "--initial-advertise-peer-urls", f"https://{address}:2380",
            "--listen-client-urls", f"https://{address}:2379",
            "--advertise-client-urls", f"https://{address}:2379",
            "--initial-cluster", peers, "--initial-cluster-state", "new",
            "--initial-cluster-token", "patroni-etcd",
            "--client-cert-auth", "--trusted-ca-file", ssl / "ca.crt",
            "--cert-file", ssl / f"{node}.crt", "--key-file", ssl / f"{node}.key",
            "--peer-client-cert-auth", "--peer-trusted-ca-file", ssl / "ca.crt",
            "--peer-cert-file", ssl / f"{node}.crt", "--peer-key-file", ssl / f"{node}.key")

    def etcd_is_healthy(self):
        ssl = self.of("pg-1") / "etc/etcd/ssl"
        endpoints = ",".join(f"https://{address}:2379" for address in self.address.values())
        return run("etcdctl", f"--endpoints={endpoints}", f"--cacert={ssl}/ca.crt",
                   f"--cert={ssl}/patroni.crt", f"--key={ssl}/patroni.key", "endpoint",
                   "health").returncode == 0

    def configuration(self, node):
        text = TEXT.replace("name: pg-1", f"name: {node}")
        for section in ("restapi:\n", "\npostgresql:\n"):  # the node's own address
            head, mark, tail = text.partition(section)
            own = tail.replace(NODES["pg-1"], NODES[node], 2)
            text = head + mark + own
        for name, address in self.address.items():
            text = text.replace(NODES[name], address)
        for before, after in ((PROXY, self.proxy), ("192.168.122.0/24", "127.0.0.0/8"),
                              ("/usr/lib/postgresql/16/bin", str(POSTGRESQL)),
                              ("/etc/", f"{self.of(node)}/etc/"),
                              ("/var/lib/", f"{self.of(node)}/var/lib/"),
                              ("/var/run/", f"{self.of(node)}/run/")):
            text = text.replace(before, after)
        assert "192.168." not in text
        return text

    def start_agent(self, node):
        if not (self.of(node) / "tanist").exists():
            for name in ("var/lib/postgresql", "run/postgresql"):
                must_run("mkdir", "-p", self.of(node) / name)
            must_run("mkdir", "-m", "0700", self.of(node) / "run/tanist")
            programs_into(self.of(node))
            self.folder.write(f"{node}/etc/patroni/patroni.yml", self.configuration(node))
        self.folder.start(f"tanist-{node}", self.of(node) / "tanist",
                          self.of(node) / "etc/patroni/patroni.yml",
                          RUNTIME_DIRECTORY=self.of(node) / "run/tanist",
                          HOME=self.of(node) / "var/lib/postgresql")  # as on Debian; has .pgpass

    def start_haproxy(self):
        servers = "\n".join(f"    server {name} {address}:5432 check port 8008 source {self.proxy}"
                            for name, address in self.address.items())
        file = self.folder.write("haproxy/haproxy.cfg", f"""defaults
    timeout connect 3s
    timeout client 1h
    timeout server 1h
frontend postgres_primary
    bind {self.proxy}:5432
    mode tcp
    default_backend postgres_primary_nodes
backend postgres_primary_nodes
    mode tcp
    option httpchk GET /leader
    http-check expect status 200
{servers}
""")
        self.folder.start("haproxy", "haproxy", "-db", "-f", file)

    # ---- Looking ----------------------------------------------------------------------------

    def members(self):
        for address in self.address.values():
            try:
                with urllib.request.urlopen(f"http://{address}:8008/cluster", timeout=3) as answer:
                    return {member["name"]: member for member in json.load(answer)["members"]}
            except OSError:
                continue
        return {}

    def leader(self):
        return next((name for name, member in self.members().items()
                     if member["role"] == "leader" and member["state"] == "running"), None)

    def leads(self, node):
        assert self.folder.runs(f"tanist-{node}"), f"the agent of {node} ended, see its log"
        return self.leader() == node

    def is_whole(self):
        return self.leader() and sorted(member["state"] for member in self.members().values()) == [
            "running", "streaming", "streaming"]

    def connect(self, **options):
        connection = psycopg2.connect(**{"dbname": "postgres", "user": "postgres", "port": 5432,
                                         "sslmode": "require", "connect_timeout": 3, **options})
        connection.autocommit = True
        return connection


@pytest.fixture(scope="module", name="seed")
def fixture_seed():
    seed = Seed()
    try:
        seed.make_certificates()
        for node in NODES:
            seed.start_etcd(node)
        eventually(seed.etcd_is_healthy, 60, "etcd to be healthy")
        seed.start_agent("pg-1")
        eventually(lambda: seed.leads("pg-1"), LEADER_S, "pg-1 to lead")
        for node in ("pg-2", "pg-3"):
            seed.start_agent(node)
        eventually(seed.is_whole, 120, "two streaming replicas")
        seed.start_haproxy()
        yield seed
    finally:
        seed.folder.show_logs()
        seed.folder.remove()


def value(connection, query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def test_the_superuser_comes_in_over_tls_by_the_trust_lines(seed):
    address = seed.address["pg-1"]
    connection = seed.connect(host=address)
    assert value(connection, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    assert value(connection, "SHOW data_checksums") == "on"
    assert value(connection, "SHOW wal_keep_size") == "256MB"
    connection.close()
    with pytest.raises(psycopg2.OperationalError, match="no encryption"):
        seed.connect(host=address, sslmode="disable")


def test_replicas_stream_as_the_configured_role_with_its_password(seed):
    connection = seed.connect(host=seed.address[seed.leader()])
    statement = ("SELECT count(*) FROM pg_stat_replication "
                 "WHERE usename = 'replicator' AND state = 'streaming'")
    eventually(lambda: value(connection, statement) == 2, 30, "both to have caught up")
    assert value(connection, "SELECT rolpassword LIKE 'SCRAM%' FROM pg_authid "
                             "WHERE rolname = 'replicator'")
    connection.close()


def through_proxy(seed):
    try:
        return seed.connect(host=seed.proxy, user="app", password="app-secret")
    except psycopg2.OperationalError:
        return None


def test_stopping_the_agent_on_the_leader_makes_a_replica_the_leader(seed):
    old = seed.leader()
    superuser = seed.connect(host=seed.address[old])
    superuser.cursor().execute("CREATE ROLE app LOGIN PASSWORD 'app-secret'")
    superuser.cursor().execute("CREATE TABLE kept AS SELECT 42 AS number")
    superuser.cursor().execute("GRANT SELECT ON kept TO app")
    superuser.close()
    connection = eventually(lambda: through_proxy(seed), 30, "HAProxy to find the leader")
    assert value(connection, "SELECT host(inet_server_addr())") == seed.address[old]
    connection.close()
    assert seed.folder.stop(f"tanist-{old}") == 0
    # A clean stop gives the lock up: nobody waits for the ttl of 30 s.
    new = eventually(lambda: seed.leader() not in (None, old) and seed.leader(), 20,
                     "a replica to lead")

    def on_the_new_leader():
        again = through_proxy(seed)
        if again is None:
            return False
        with again:
            return (value(again, "SELECT host(inet_server_addr())") == seed.address[new]
                    and not value(again, "SELECT pg_is_in_recovery()")
                    and value(again, "SELECT number FROM kept") == 42)

    eventually(on_the_new_leader, 30, "HAProxy to follow")
    seed.start_agent(old)
    eventually(seed.is_whole, 120, "the old leader to stream")
    assert seed.members()[old]["role"] == "replica"
