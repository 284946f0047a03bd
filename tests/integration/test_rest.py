# SPDX-License-Identifier: Apache-2.0
"""The REST API of a real agent: HTTPS with client certificates and a password, each endpoint, a
certificate that is replaced while it runs, hostile clients while health checks go on; and a
required watchdog (driver `testing`: a file) that starts with the reign and ends with the server."""

import base64
import json
import pathlib
import re
import socket
import ssl
import subprocess
import time

import pytest
import yaml
from local_servers import POSTGRESQL, Folder, eventually, must_run, network, programs_into

HOST = f"{network()}.31"
API, ETCD, SQL = 18008, 12379, 15432
PASSWORD = "s3cret"


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=30)


class Node:
    """One member, one member of etcd."""

    def __init__(self):
        self.folder = Folder("tanist-rest-")
        self.path = self.folder.path
        programs_into(self.path)
        must_run("mkdir", "-m", "0700", self.path / "run", self.path / "ssl")
        openssl(self.path / "ssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", "/CN=test authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", "ca.key", "-out", "ca.crt")
        self.issue("server")
        self.issue("client")
        self.device = self.folder.write("watchdog", "")

    def issue(self, name):
        """A new key and certificate; the files are replaced one after the other."""
        folder = self.path / "ssl"
        openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
                "-addext", f"subjectAltName=IP:{HOST}", "-keyout", "new.key", "-out", "new.csr")
        openssl(folder, "x509", "-req", "-days", "1", "-in", "new.csr", "-CA", "ca.crt", "-CAkey",
                "ca.key", "-CAcreateserial", "-copy_extensions", "copy", "-out", "new.crt")
        for end in ("key", "crt"):
            (folder / f"new.{end}").rename(folder / f"{name}.{end}")
            self.folder.give(folder / f"{name}.{end}")

    def configuration(self):
        ssl_folder = self.path / "ssl"
        return {
            "scope": "rest", "name": "one",
            "restapi": {
                "listen": f"{HOST}:{API}", "connect_address": f"{HOST}:{API}",
                "certfile": str(ssl_folder / "server.crt"),
                "keyfile": str(ssl_folder / "server.key"), "cafile": str(ssl_folder / "ca.crt"),
                "verify_client": "optional", "https_extra_headers": {"X-Node": "one"},
                "authentication": {"username": "admin", "password": PASSWORD}},
            "etcd3": {"hosts": [f"{HOST}:{ETCD}"]},
            "bootstrap": {"dcs": {"ttl": 8, "loop_wait": 1, "retry_timeout": 2}},
            "watchdog": {"mode": "required", "driver": "testing", "device": str(self.device),
                         "safety_margin": 3},
            "postgresql": {
                "listen": f"{HOST}:{SQL}", "connect_address": f"{HOST}:{SQL}",
                "data_dir": str(self.path / "data"), "bin_dir": str(POSTGRESQL),
                "pgpass": str(self.path / "pgpass"),
                "parameters": {"unix_socket_directories": str(self.path)},
                "pg_hba": ["local all all trust", "host all all 127.0.0.0/8 trust",
                           "host replication all 127.0.0.0/8 trust"],
                "authentication": {"superuser": {"username": "postgres"},
                                   "replication": {"username": "replicator"}}}}

    def start(self):
        peer = f"http://{HOST}:12380"
        client = f"http://{HOST}:{ETCD}"
        self.folder.start("etcd", "etcd", "--data-dir", self.path / "etcd", "--name", "one",
                          "--listen-client-urls", client, "--advertise-client-urls", client,
                          "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                          "--initial-cluster", f"one={peer}")
        file = self.folder.write("tanist.yml", yaml.safe_dump(self.configuration()))
        self.folder.start("tanist", self.path / "tanist", file, RUNTIME_DIRECTORY=self.path / "run")
        eventually(lambda: self.code("GET", "/primary") == 200, 60, "a primary")

    # ---- Asking -----------------------------------------------------------------------------

    def connect(self, certificate=True):
        context = ssl.create_default_context(cafile=self.path / "ssl/ca.crt")
        if certificate:
            context.load_cert_chain(self.path / "ssl/client.crt", self.path / "ssl/client.key")
        plain = socket.create_connection((HOST, API), timeout=60)
        return context.wrap_socket(plain, server_hostname=HOST)

    def ask(self, method, path, body=None, password=True, certificate=True):
        """(code, headers, body) of a request of HTTP/1.0."""
        text = f"{method} {path} HTTP/1.0\r\n"
        if password:
            word = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
            text += f"Authorization: Basic {word}\r\n"
        payload = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        if body is not None:
            text += f"Content-Length: {len(payload)}\r\n"
        with self.connect(certificate) as connection:
            connection.sendall((text + "\r\n" + payload).encode())
            answer = b""
            while part := connection.recv(65536):
                answer += part
        head, _, content = answer.decode().partition("\r\n\r\n")
        return int(head.split()[1]), head.split("\r\n")[1:], content

    def code(self, *words, **options):
        try:
            return self.ask(*words, **options)[0]
        except OSError:
            return None

    def serial(self):
        with self.connect() as connection:
            return connection.getpeercert()["serialNumber"]


@pytest.fixture(scope="module", name="node")
def fixture_node():
    node = Node()
    try:
        node.start()
        yield node
    finally:
        node.folder.show_logs()
        node.folder.remove()


def test_checks_and_documents(node):
    for path in ("/", "/primary", "/read-write", "/leader", "/read-only", "/health", "/liveness",
                 "/readiness", "/patroni", "/cluster", "/config", "/history", "/metrics"):
        assert node.code("GET", path, password=False, certificate=False) == 200, path
    for path in ("/replica", "/sync", "/standby-leader", "/no/such/path"):
        assert node.code("GET", path) == 503, path
    assert node.ask("OPTIONS", "/primary") == (200, [], "")
    assert node.code("GET", "/failsafe") == 502
    assert node.code("BREW", "/pot") == 501
    code, headers, body = node.ask("GET", "/patroni")
    assert (code, json.loads(body)["role"]) == (200, "primary")
    assert "X-Node: one" in headers and "Content-Type: application/json" in headers


def test_who_may_change_something(node):
    assert node.ask("POST", "/reload", certificate=False)[::2] == \
        (403, "client certificate required")
    assert node.ask("POST", "/reload", password=False)[::2] == (401, "no auth header received")
    assert node.ask("POST", "/sigterm")[::2] == (202, "shutdown scheduled")


def test_the_alerts_in_examples_speak_of_series_that_exist(node):
    alerts = pathlib.Path(__file__).parents[2] / "examples/prometheus-alerts.yml"
    rules = yaml.safe_load(alerts.read_text())["groups"][0]["rules"]
    wanted = {name for rule in rules
              for name in re.findall(r"(?:patroni|tanist)_\w+", rule["expr"])}

    def missing():
        text = node.ask("GET", "/metrics")[2]
        return {name for name in wanted if not re.search(rf"^{name}{{", text, re.M)}

    assert len(wanted) > 10
    eventually(lambda: not missing(), 20, f"series {missing()}")


def test_metrics(node):
    steady = r'^tanist_decisions_total\{.*reason="leader_steady"\} [1-9]'
    eventually(lambda: re.search(steady, node.ask("GET", "/metrics")[2], re.M), 20,
               "the leader to be steady")
    text = node.ask("GET", "/metrics")[2]
    values = dict(re.findall(r"^(\w+)\{[^}]*\} (\S+)$", text, re.M))
    assert values["patroni_primary"] == "1" and values["patroni_postgres_running"] == "1"
    for name in ("tanist_cycle_seconds_last", "tanist_store_renewal_seconds_last",
                 "tanist_lease_margin_seconds", "tanist_loop_step_seconds_longest"):
        assert 0 < float(values[name]) < 8, (name, values.get(name))
    assert float(values["tanist_rest_certificate_expiry_seconds"]) > time.time()


def test_configuration(node):
    code, _, body = node.ask("PATCH", "/config", {"maximum_lag_on_failover": 5000})
    assert (code, json.loads(body)["maximum_lag_on_failover"]) == (200, 5000)
    eventually(lambda: json.loads(node.ask("GET", "/config")[2]).get("maximum_lag_on_failover")
               == 5000, 10, "the new value")
    assert node.code("PATCH", "/config", "[]") == 400
    assert node.code("PATCH", "/config") == 411


def test_switchover_and_restart(node):
    assert node.ask("POST", "/switchover", {"leader": "other"})[::2] == \
        (412, "leader name does not match")
    assert node.ask("POST", "/failover", {"leader": "one"})[0] == 400
    assert node.ask("DELETE", "/switchover")[0] == 404
    assert node.ask("POST", "/restart", "not JSON")[0] == 400
    assert node.ask("POST", "/restart", {"schedule": "2099-01-01T00:00:00+00:00"})[::2] == \
        (202, "Restart scheduled")
    assert node.ask("DELETE", "/restart")[::2] == (200, "scheduled restart deleted")
    assert node.ask("POST", "/restart", {"timeout": 60})[::2] == (200, "restarted successfully")


def test_a_new_certificate_is_taken_up_without_a_word(node):
    before = node.serial()
    with node.connect() as kept:
        node.issue("server")
        eventually(lambda: node.serial() != before, 20, "the new certificate")
        kept.sendall(b"OPTIONS /primary HTTP/1.1\r\n\r\n")
        assert kept.recv(4096).startswith(b"HTTP/1.1 200")


def test_checks_go_on_under_attack(node):
    silent = [socket.create_connection((HOST, API), timeout=10) for _ in range(600)]
    slow = []
    for _ in range(20):
        connection = node.connect(certificate=False)
        connection.sendall(b"POST /switchover HTTP/1.1\r\nX-Slow: ")
        slow.append(connection)
    begun = time.monotonic()
    for _ in range(10):
        assert node.code("OPTIONS", "/primary", password=False, certificate=False) == 200
    assert time.monotonic() - begun < 10
    for connection in silent + slow:
        connection.close()
    assert node.code("GET", "/liveness") == 200


def test_the_watchdog_runs_with_the_reign_and_ends_with_the_server(node):
    told = node.device.read_text()
    assert told.startswith("timeout 5\n1") and "V" not in told
    eventually(lambda: len(node.device.read_text()) > len(told), 10, "another word to the device")
    assert node.folder.stop("tanist", 60) == 0
    assert node.device.read_text().endswith("V")
