# SPDX-License-Identifier: Apache-2.0
"""A real PgBouncer that is paused over a switchover: its clients see a delay and no error. Whatever
becomes of the switchover, nobody is held back for ever."""

import json
import threading
import time

import psycopg2
import pytest
import yaml
from cluster import NODES, PASSWORD, PORTS, Cluster
from local_servers import eventually, run
from writer import writes

POOLER_PORT = 16432
CLIENTS = 4
RECORD = "tanist/poolers"


class PooledCluster(Cluster):
    def provision(self):
        super().provision()
        for node in NODES:
            config = self.config(node)
            config["routing"]["pgbouncer"] = {
                "hosts": [f"{self.address['haproxy']}:{POOLER_PORT}"], "username": "pooler",
                "password": "of-the-pooler", "databases": ["app"], "pause": True}
            self.config_file(node).write_text(yaml.safe_dump(config), encoding="utf-8")

    def start_pooler(self):
        users = self.folder.write("users.txt",
                                  f'"pooler" "of-the-pooler"\n"app" "{PASSWORD}"\n')
        database = f"host={self.address['haproxy']} port={PORTS['read_write']} dbname=app"
        file = self.folder.write("pgbouncer.ini", f"""[databases]
app = {database}
sessions = {database} pool_mode=session
[pgbouncer]
listen_addr = {self.address['haproxy']}
listen_port = {POOLER_PORT}
unix_socket_dir =
auth_type = plain
auth_file = {users}
admin_users = pooler
pool_mode = transaction
server_tls_sslmode = require
""")
        self.folder.start("pgbouncer", "pgbouncer", file)
        eventually(self.pooler_answers, 20, "PgBouncer")

    def connect(self, database="app", user="app", password=PASSWORD):
        connection = psycopg2.connect(host=self.address["haproxy"], port=POOLER_PORT, user=user,
                                      password=password, dbname=database, connect_timeout=5)
        connection.autocommit = True
        return connection

    def console(self, statement):
        connection = self.connect("pgbouncer", "pooler", "of-the-pooler")
        try:
            cursor = connection.cursor()
            cursor.execute(statement)
            if not cursor.description:
                return []
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row)) for row in cursor.fetchall()]
        finally:
            connection.close()

    def pooler_answers(self):
        try:
            return bool(self.console("SHOW DATABASES"))
        except psycopg2.OperationalError:
            return False

    def paused(self):
        return [row["name"] for row in self.console("SHOW DATABASES") if row["paused"]]

    def record(self):
        """What the store has about paused poolers; empty when nothing."""
        return self.stored(RECORD)

    def nothing_is_held_back(self):
        return not self.record() and not self.paused()


class Client(threading.Thread):
    """Writes through the pooler until it is stopped or sees an error."""

    def __init__(self, cluster, first):
        super().__init__(daemon=True)
        self.cluster, self.number = cluster, first
        self.times, self.error = [], None
        self.ended = threading.Event()

    def run(self):
        try:
            connection = self.cluster.connect()
            while not self.ended.is_set():
                self.number += 1
                connection.cursor().execute("INSERT INTO written VALUES (%s)", [self.number])
                self.times.append(time.monotonic())
                self.ended.wait(0.01)
            connection.close()
        except psycopg2.Error as error:
            self.error = str(error)

    def longest_gap(self):
        return max((b - a for a, b in zip(self.times, self.times[1:])), default=0.0)


@pytest.fixture(scope="module", name="cluster")
def fixture_cluster():
    cluster = PooledCluster()
    try:
        cluster.start()
        cluster.start_pooler()
        yield cluster
    finally:
        cluster.show_logs()
        cluster.remove()


def clients_of(cluster):
    clients = [Client(cluster, number * 1_000_000) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    eventually(lambda: all(len(client.times) > 10 for client in clients), 30, "clients to write")
    return clients


def stop(clients):
    for client in clients:
        client.ended.set()
        client.join(30)


def test_clients_see_no_error_over_a_switchover(cluster, record_property):
    old = cluster.leader()
    clients = clients_of(cluster)
    done = cluster.ctl("switchover", "--leader", old, "--force")
    assert done.returncode == 0, done.stdout + done.stderr
    new = cluster.wait_leader_other_than(old)
    began = time.monotonic()
    eventually(lambda: all(client.error or client.times[-1] > began for client in clients), 30,
               "all clients to write again")
    stop(clients)
    assert [client.error for client in clients] == [None] * CLIENTS
    longest = max(client.longest_gap() for client in clients)
    record_property("longest_gap_s", round(longest, 3))
    print(f"longest gap: {longest:.3f} s")
    assert "has paused 1 databases" in cluster.folder.log(f"tanist-{old}")
    assert "has resumed 1 databases" in cluster.folder.log(f"tanist-{new}")
    eventually(cluster.nothing_is_held_back, 20, "the pause to be over")
    cluster.wait_healthy()


def test_a_transaction_that_lasts_is_waited_for_a_second_only(cluster):
    """Its client sees the error that it would see without a pooler; the others see none."""
    old = cluster.leader()
    open_one = cluster.connect()
    open_one.autocommit = False
    open_one.cursor().execute("INSERT INTO written VALUES (-1)")
    done = cluster.ctl("switchover", "--leader", old, "--force")
    assert done.returncode == 0, done.stdout + done.stderr
    cluster.wait_leader_other_than(old)
    assert "did not pause" in cluster.folder.log(f"tanist-{old}")
    with pytest.raises(psycopg2.Error):
        open_one.commit()
    eventually(cluster.nothing_is_held_back, 20, "the pause to be over")
    cluster.wait_healthy()


def test_whoever_leads_next_resumes_what_a_lost_leader_paused(cluster):
    """As when the node that ordered the pause is lost in the middle of its switchover."""
    old = cluster.leader()
    cluster.kill_node(old)
    record = {"paused_by": old, "databases": ["app"],
              "hosts": [f"{cluster.address['haproxy']}:{POOLER_PORT}"]}
    cluster.must_etcdctl("put", f"/service/demo/{RECORD}", json.dumps(record))
    cluster.console("PAUSE app")
    new = cluster.wait_leader_other_than(old)
    eventually(lambda: not cluster.paused(), 30, f"{new} to resume")
    connection = cluster.connect()
    eventually(lambda: writes(connection), 20, "writes through PgBouncer")
    cluster.start_node(old)
    cluster.wait_healthy()
    eventually(cluster.nothing_is_held_back, 20, "the record to go")


def test_a_dead_pooler_delays_a_switchover_by_no_more_than_its_second(cluster):
    old = cluster.leader()
    pid = cluster.folder.started["pgbouncer"].pid
    run("kill", "-STOP", str(pid))
    try:
        done = cluster.ctl("switchover", "--leader", old, "--force")
        assert done.returncode == 0, done.stdout + done.stderr
        cluster.wait_leader_other_than(old)
        assert cluster.record(), "what was not confirmed stays recorded"
    finally:
        run("kill", "-CONT", str(pid))
    eventually(cluster.nothing_is_held_back, 30, "the pause to be over once the pooler lives")
    cluster.wait_healthy()
