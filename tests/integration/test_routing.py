# SPDX-License-Identifier: Apache-2.0
"""Push routing with a real HAProxy and a real PgBouncer. HAProxy's own checks are made so slow that
only what the agents tell it can be the reason for what happens."""

import pathlib
import re
import socket
import time

import psycopg2
import pytest
import yaml
from cluster import NODES, PASSWORD, PORTS, Cluster
from local_servers import eventually, must_run
from writer import writes

POOLER_PORT, AGENT_CHECK_PORT = 16432, 18009
SLOW_S = 600       # between two checks of HAProxy
PUSHED_S = 20      # far below that, for slow machines


class RoutedCluster(Cluster):
    """HAProxy polls hardly ever, once it has found the first leader; agents know a pooler."""

    def provision(self):
        super().provision()
        file = self.files / "haproxy/etc/haproxy/haproxy.cfg"
        text = file.read_text(encoding="utf-8")
        slow = f"inter {SLOW_S}s fastinter {SLOW_S}s downinter {SLOW_S}s"
        slowed = text.replace("inter 1s fastinter 300ms downinter 1s fall 2", f"{slow} fall 2")
        assert slowed != text
        file.write_text(slowed, encoding="utf-8")
        for node in NODES:
            config = self.config(node)
            config["routing"]["agent_check"] = f"{self.address[node]}:{AGENT_CHECK_PORT}"
            config["routing"]["pgbouncer"] = {"hosts": [f"{self.folder.path}:{POOLER_PORT}"],
                                              "username": "pooler", "password": "of-the-pooler"}
            self.config_file(node).write_text(yaml.safe_dump(config), encoding="utf-8")

    def start_pooler(self):
        users = self.folder.write(
            "users.txt", f'"pooler" "of-the-pooler"\n"app" "{PASSWORD}"\n')
        file = self.folder.write("pgbouncer.ini", f"""[databases]
app = host={self.address['haproxy']} port={PORTS['read_write']} dbname=app
[pgbouncer]
listen_addr =
listen_port = {POOLER_PORT}
unix_socket_dir = {self.folder.path}
auth_type = plain
auth_file = {users}
admin_users = pooler
pool_mode = transaction
server_tls_sslmode = require
""")
        self.folder.start("pgbouncer", "pgbouncer", file)
        eventually((self.folder.path / f".s.PGSQL.{POOLER_PORT}").exists, 20, "PgBouncer")

    def status(self):
        """Node -> HAProxy's word about its server in the backend that takes writes."""
        with socket.socket(socket.AF_UNIX) as runtime:
            runtime.connect(str(self.files / "haproxy/run/haproxy/admin.sock"))
            runtime.sendall(b"show stat\n")
            text = b"".join(iter(lambda: runtime.recv(65536), b"")).decode()
        rows = [line.split(",") for line in text.splitlines() if line.startswith("primary,")]
        return {row[1]: row[17] for row in rows if row[1] in NODES}

    def agent_check(self, node):
        with socket.create_connection((self.address[node], AGENT_CHECK_PORT), timeout=3) as caller:
            return caller.makefile().read().strip()


@pytest.fixture(scope="module", name="cluster")
def fixture_cluster():
    cluster = RoutedCluster()
    try:
        yield cluster.start()
    finally:
        cluster.show_logs()
        cluster.remove()


def test_a_switchover_reaches_haproxy_and_the_pooler_without_polling(cluster):
    old = cluster.leader()
    cluster.start_pooler()
    pooled = psycopg2.connect(host=str(cluster.folder.path), port=POOLER_PORT, user="app",
                              dbname="app", password=PASSWORD, connect_timeout=5)
    pooled.autocommit = True
    cursor = pooled.cursor()
    cursor.execute("INSERT INTO written VALUES (0)")
    writer = cluster.start_writer()
    done = cluster.ctl("switchover", "--leader", old, "--force")
    assert done.returncode == 0, done.stdout + done.stderr
    new = cluster.wait_leader_other_than(old)
    began = time.monotonic()
    eventually(lambda: writer.wrote_since(began), PUSHED_S, "writes through HAProxy")
    assert cluster.status()[new].startswith("UP") and cluster.status()[old].startswith("DOWN")
    assert {node: cluster.agent_check(node) for node in NODES} == {
        node: "up" if node == new else "down" for node in NODES}
    eventually(lambda: "PgBouncer" in cluster.folder.log(f"tanist-{new}"), 20, "RECONNECT")
    assert re.search(r"PgBouncer at \S+ reconnects", cluster.folder.log(f"tanist-{new}"))
    eventually(lambda: writes(pooled), 20, "writes through PgBouncer")
    print(f"longest gap: {writer.longest_gap():.3f} s")
    cluster.check_nothing_lost(writer)
    cluster.wait_healthy()


def test_a_stopped_leader_is_taken_out_at_once(cluster):
    old = cluster.leader()
    cluster.stop_agent(old)
    assert cluster.status()[old].startswith("DOWN")
    new = cluster.wait_leader_other_than(old)
    eventually(lambda: cluster.status()[new].startswith("UP"), PUSHED_S, f"{new} to be up")
    cluster.start_agent(old)
    cluster.wait_healthy()


def test_a_dead_haproxy_delays_nothing(cluster):
    old = cluster.leader()
    must_run("kill", "-STOP", str(cluster.folder.started["haproxy"].pid))
    began = time.monotonic()
    done = cluster.ctl("switchover", "--leader", old, "--force")
    took = time.monotonic() - began
    must_run("kill", "-CONT", str(cluster.folder.started["haproxy"].pid))
    assert done.returncode == 0, done.stdout + done.stderr
    print(f"switchover beside a frozen HAProxy: {took:.3f} s")
    assert took < PUSHED_S
    cluster.wait_healthy()
    assert pathlib.Path(cluster.data(old)).exists()
