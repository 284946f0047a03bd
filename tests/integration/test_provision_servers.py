# SPDX-License-Identifier: Apache-2.0
"""Real servers started from what provision writes: a cluster of etcd, PostgreSQL and HAProxy."""

import http.server
import json
import os
import pathlib
import socket
import ssl
import threading

import psycopg2
import pytest
from provisioned import (ADDRESS, NODES, PORTS, agent_file, eventually,  # noqa: F401
                         fixture_folder, fixture_hosts, fixture_one, fixture_processes, must_run,
                         password, run)


# ---- etcd -----------------------------------------------------------------------------------


def etcdctl(one, *words, certificate=True):
    ssl_folder = one / "node1/etc/tanist/ssl"
    endpoints = ",".join(f"https://{ADDRESS[node]}:{PORTS['etcd_client']}" for node in NODES)
    identity = ["--cert", ssl_folder / "agent.crt", "--key", ssl_folder / "agent.key"]
    return run("etcdctl", "--endpoints", endpoints, "--cacert", ssl_folder / "ca.crt",
               "--command-timeout=3s", *(identity if certificate else []), *words,
               env={**os.environ, "ETCDCTL_API": "3"})


def test_etcd_forms_a_cluster_that_trusts_only_its_own_certificates(one, processes):
    for node in NODES:
        processes.start(f"etcd-{node}", "etcd", f"--config-file={one}/{node}/etc/etcd/etcd.yml")
    eventually(lambda: etcdctl(one, "endpoint", "health").returncode == 0)
    assert etcdctl(one, "put", "key", "value").stdout.strip() == "OK"
    members = json.loads(etcdctl(one, "member", "list", "-w", "json").stdout)["members"]
    assert sorted(member["name"] for member in members) == NODES
    log = (processes.folder / "etcd-node2.log").read_text(encoding="utf-8")
    assert '"heartbeat-interval":"50ms"' in log and '"election-timeout":"500ms"' in log
    # etcd dials itself for its gateway and may close that again; what counts is trust.
    rejected = [line for line in log.splitlines() if "rejected connection" in line]
    assert not [line for line in rejected if "connection reset by peer" not in line]
    assert etcdctl(one, "get", "key", certificate=False).returncode != 0
    # Two of three are enough.
    processes.stop("etcd-node1")
    eventually(lambda: etcdctl(one, "put", "key", "other").returncode == 0)


# ---- HAProxy and PostgreSQL -----------------------------------------------------------------


class Agent:
    """Stands for an agent's REST API: HTTPS, and a status for each path."""

    def __init__(self, one, node, certificate_of=None):
        agent = self
        self.status = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                self.send_response(agent.status.get(self.path, 503))
                self.end_headers()

            def log_message(self, format, *args):  # pylint: disable=redefined-builtin
                pass

        settings = agent_file(one, certificate_of or node)["restapi"]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings["certfile"], settings["keyfile"])
        context.load_verify_locations(settings["cafile"])
        context.verify_mode = ssl.CERT_OPTIONAL
        self.server = http.server.ThreadingHTTPServer((ADDRESS[node], PORTS["rest"]), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def is_primary(self):
        self.status = {"/primary": 200}

    def is_replica(self):
        self.status = {"/replica": 200}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class NamingServer:
    """Tells everybody who connects its name: stands for a PostgreSQL nobody looks into."""

    def __init__(self, node):
        self.listener = socket.create_server((ADDRESS[node], PORTS["postgresql"]))
        self.name = node.encode()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            try:
                connection.sendall(self.name)
            except OSError:
                continue  # a health check, gone already
            threading.Thread(target=connection.recv, args=(1,), daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def connect_to(port):
    """Who answers behind HAProxy: (name, connection)."""
    connection = socket.create_connection((ADDRESS["haproxy"], PORTS[port]), timeout=5)
    connection.settimeout(5)
    try:
        return connection.recv(100).decode(), connection
    except OSError:
        return "", connection


def who(port):
    name, connection = connect_to(port)
    connection.close()
    return name


def start_haproxy(one, processes):
    """Returns once it listens."""
    configuration = one / "haproxy/etc/haproxy/haproxy.cfg"
    must_run("haproxy", "-c", "-f", configuration)
    must_run("mkdir", "-p", one / "haproxy/run/haproxy")
    processes.start("haproxy", "haproxy", "-db", "-f", configuration)

    def listens():
        try:
            connect_to("read_write")[1].close()
            return True
        except OSError:
            return False

    eventually(listens)


def test_haproxy_checks_every_configuration(hosts):
    text = (hosts / "haproxy/etc/haproxy/haproxy.cfg").read_text(encoding="utf-8")
    file = hosts / "haproxy-in-place.cfg"
    file.write_text(text.replace("/etc/haproxy/tanist", f"{hosts}/haproxy/etc/haproxy/tanist"),
                    encoding="utf-8")
    must_run("haproxy", "-c", "-f", file)


def test_haproxy_follows_the_primary_and_ends_the_sessions_of_the_old_one(one, processes):
    agents = {node: Agent(one, node) for node in NODES}
    servers = [NamingServer(node) for node in NODES]
    try:
        agents["node1"].is_primary()
        agents["node2"].is_replica()
        agents["node3"].is_replica()
        start_haproxy(one, processes)
        eventually(lambda: who("read_write") == "node1")
        eventually(lambda: {who("read_only") for _ in range(8)} == {"node2", "node3"})
        name, session = connect_to("read_write")
        assert name == "node1"
        agents["node1"].is_replica()
        agents["node2"].is_primary()
        assert session.recv(1) == b"", "the old session outlived its primary"
        eventually(lambda: who("read_write") == "node2")
        # With no replica left the primary answers reads.
        agents["node1"].status = agents["node3"].status = {}
        eventually(lambda: {who("read_only") for _ in range(4)} == {"node2"})
    finally:
        for thing in [*agents.values(), *servers]:
            thing.close()


def test_haproxy_believes_nobody_with_another_hosts_certificate(one, processes):
    honest = Agent(one, "node1")
    liar = Agent(one, "node2", certificate_of="node3")
    servers = [NamingServer(node) for node in NODES]
    try:
        honest.is_primary()
        liar.is_primary()
        start_haproxy(one, processes)
        eventually(lambda: who("read_write") == "node1")
        assert {who("read_write") for _ in range(6)} == {"node1"}
    finally:
        for thing in [honest, liar, *servers]:
            thing.close()


def test_the_statistics_page_wants_the_password_over_tls(one, processes):
    start_haproxy(one, processes)
    page = f"https://{ADDRESS['haproxy']}:{PORTS['statistics']}/"
    ask = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", one / "ca/ca.crt"]
    assert must_run(*ask, page) == "401"
    assert must_run(*ask, "-u", f"admin:{password(one, 'statistics')}", page) == "200"


def start_postgresql(one, processes):
    """Node 1's server as the agent would run it: initdb options, parameters, pg_hba and roles."""
    settings = agent_file(one, "node1")
    server = settings["postgresql"]
    options = [f"--{key}={value}" for option in settings["bootstrap"]["initdb"]
               if isinstance(option, dict) for key, value in option.items()]
    options += [f"--{option}" for option in settings["bootstrap"]["initdb"]
                if isinstance(option, str)]
    data = pathlib.Path(server["data_dir"])
    sockets = server["parameters"]["unix_socket_directories"]
    must_run("mkdir", "-p", sockets)
    must_run(f"{server['bin_dir']}/initdb", *options, "--username=postgres",
             f"--pwfile={one}/secrets/superuser", data)
    lines = "\n".join(server["pg_hba"]) + "\n"
    must_run("sh", "-c", 'printf %s "$0" >"$1"', lines, data / "pg_hba.conf")
    host, port = server["listen"].split(":")
    parameters = {**settings["bootstrap"]["dcs"]["postgresql"]["parameters"],
                  **server["parameters"], "listen_addresses": host, "port": port}
    words = [word for name, value in parameters.items() for word in ("-c", f"{name}={value}")]
    processes.start("postgresql", f"{server['bin_dir']}/postgres", "-D", data, *words)
    local = {"host": sockets, "port": PORTS["postgresql"], "user": "postgres",
             "password": password(one, "superuser"), "dbname": "postgres"}
    eventually(lambda: run(f"{server['bin_dir']}/pg_isready", "-h", sockets, "-p", port)
               .returncode == 0)
    superuser = psycopg2.connect(**local)
    superuser.autocommit = True
    for role, user in (("replication", "replicator"), ("rewind", "rewinder")):
        option = "REPLICATION" if role == "replication" else ""
        superuser.cursor().execute(f"CREATE ROLE {user} LOGIN {option} PASSWORD %s",
                                   [password(one, role)])
    superuser.cursor().execute("CREATE ROLE app LOGIN PASSWORD 'secret-of-app'")
    return superuser


def connect(one, **options):
    return psycopg2.connect(**{
        "host": ADDRESS["node1"], "port": PORTS["postgresql"], "dbname": "postgres",
        "sslmode": "verify-full", "sslrootcert": one / "ca/ca.crt", "connect_timeout": 5,
        "user": "app", "password": "secret-of-app", **options})


def refusal(one, **options):
    with pytest.raises(psycopg2.OperationalError) as failure:
        connect(one, **options).close()
    return str(failure.value)


def test_postgresql_lets_in_whom_it_should_and_nobody_else(one, hosts, processes):
    superuser = start_postgresql(one, processes)
    cursor = superuser.cursor()

    def value(query):
        cursor.execute(query)
        return cursor.fetchone()[0]

    assert value("SHOW data_checksums") == "on"
    assert value("SHOW ssl_min_protocol_version") == "TLSv1.2"
    assert value("SELECT bool_and(rolpassword LIKE 'SCRAM%') FROM pg_authid "
                 "WHERE rolpassword IS NOT NULL")
    assert value("SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL") == 0
    # Applications verify the address, the name of the node, and the proxy's name.
    connect(one).close()
    connect(one, host="node1", hostaddr=ADDRESS["node1"]).close()
    connect(one, host="haproxy", hostaddr=ADDRESS["node1"]).close()
    assert "does not match" in refusal(one, host="elsewhere", hostaddr=ADDRESS["node1"])
    assert "certificate verify failed" in refusal(one, sslrootcert=hosts / "ca/ca.crt")
    assert "no encryption" in refusal(one, sslmode="disable")
    # The superuser comes from nowhere but the socket, with or without TLS.
    known = {"user": "postgres", "password": password(one, "superuser")}
    assert "rejects connection" in refusal(one, **known)
    assert "rejects connection" in refusal(one, sslmode="disable", **known)
    # The agents' roles get where they are needed.
    replication = {"user": "replicator", "password": password(one, "replication")}
    assert "rejects connection" in refusal(one, **replication)
    rewind = {"user": "rewinder", "password": password(one, "rewind")}
    connect(one, **rewind).close()
    assert "rejects connection" in refusal(one, dbname="template1", **rewind)
    superuser.close()
    settings = agent_file(one, "node2")["postgresql"]["authentication"]["replication"]
    copy = one.parent / "copy"
    must_run(agent_file(one, "node2")["postgresql"]["bin_dir"] + "/pg_basebackup", "-D", copy,
             "-X", "stream", "-d",
             f"host={ADDRESS['node1']} port={PORTS['postgresql']} user={settings['username']} "
             f"sslmode={settings['sslmode']} sslrootcert={settings['sslrootcert']}",
             env={**os.environ, "PGPASSWORD": settings["password"]})
    must_run("test", "-f", copy / "PG_VERSION")
    # And all of it through HAProxy, verified from end to end.
    agent = Agent(one, "node1")
    try:
        agent.is_primary()
        start_haproxy(one, processes)
        through = {"host": ADDRESS["haproxy"], "port": PORTS["read_write"]}

        def connected():
            try:
                connect(one, **through).close()
                return True
            except psycopg2.OperationalError:
                return False

        eventually(connected)
    finally:
        agent.close()
