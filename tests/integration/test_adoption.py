# SPDX-License-Identifier: Apache-2.0
"""A server that somebody set up by hand becomes the first member of a new cluster: running or
stopped, its data, users and settings remain, and another member is copied from it."""

import pytest
from local_servers import POSTGRESQL, eventually, must_run
from plain_cluster import START_S, PlainCluster

SETTINGS = ("work_mem = '9MB'\nshared_buffers = '16MB'\nmax_connections = 33\n"
            "password_encryption = 'scram-sha-256'\n")
ACCESS = ["local all all trust", "host all all 127.0.0.0/8 trust",
          "host replication replicator 127.0.0.0/8 scram-sha-256"]


class SetUpByHand(PlainCluster):
    """initdb, settings and roles by hand; the agents' configuration has no bootstrap section."""

    def configuration(self, member):
        document = super().configuration(member)
        del document["bootstrap"]
        document["postgresql"]["parameters"] = {"unix_socket_directories": str(self.place(member))}
        return document

    def data(self, member):
        return self.place(member) / "data"

    def set_up(self, member):
        data = self.data(member)
        must_run(POSTGRESQL / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")
        with open(data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(SETTINGS + f"listen_addresses = '{self.address[member]}'\nport = 5432\n"
                       f"unix_socket_directories = '{self.place(member)}'\n")
        (data / "pg_hba.conf").write_text("\n".join(ACCESS) + "\n", encoding="utf-8")
        self.server(member, "start")
        self.query(member, "CREATE ROLE replicator LOGIN REPLICATION PASSWORD 'r'")
        self.query(member, "CREATE ROLE shopkeeper LOGIN")
        self.query(member, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")

    def server(self, member, *words):
        must_run(POSTGRESQL / "pg_ctl", "-w", "-D", self.data(member), "-l",
                 self.place(member) / "server.log", *words)

    def identity(self, member):
        return self.query(member, "SELECT system_identifier::text, pg_postmaster_start_time()"
                          " FROM pg_control_system()")[0]

    def take_over(self, member):
        self.start_agent(member)
        eventually(lambda: self.leader() == member, START_S, f"{member} to lead")


@pytest.fixture(name="cluster")
def fixture_cluster():
    cluster = SetUpByHand()
    try:
        cluster.start_etcd()
        for member in cluster.address:
            cluster.describe(member)
        cluster.set_up("a1")
        yield cluster
    finally:
        cluster.folder.show_logs()
        cluster.folder.remove()


def check_everything_remains(cluster, member):
    assert cluster.value(member, "SELECT count(*) FROM kept") == 1000
    assert cluster.value(member, "SHOW work_mem") == "9MB"
    assert cluster.value(member, "SELECT rolcanlogin FROM pg_roles"
                                 " WHERE rolname = 'shopkeeper'") is True
    access = (cluster.data(member) / "pg_hba.conf").read_text(encoding="utf-8")
    assert access.splitlines() == ACCESS


def test_a_running_server_is_taken_over_running_and_copied(cluster):
    before = cluster.identity("a1")
    cluster.take_over("a1")
    assert cluster.identity("a1") == before, "the very same postmaster"
    check_everything_remains(cluster, "a1")
    cluster.patch({"loop_wait": 1, "retry_timeout": 3, "ttl": 20})
    cluster.start_agent("a2")
    cluster.wait_healthy(START_S)
    check_everything_remains(cluster, "a2")
    cluster.query("a1", "INSERT INTO kept VALUES (1001)")
    eventually(lambda: cluster.value("a2", "SELECT count(*) FROM kept") == 1001, 20,
               "the copy to follow")


def test_a_stopped_server_is_started_as_the_leader(cluster):
    identifier = cluster.identity("a1")[0]
    cluster.server("a1", "stop", "-m", "fast")
    cluster.take_over("a1")
    assert cluster.identity("a1")[0] == identifier
    assert cluster.value("a1", "SHOW wal_log_hints") == "on", "as pg_rewind will need it"
    check_everything_remains(cluster, "a1")


def test_a_standby_does_not_become_the_first_member(cluster):
    """Trap 104: somebody's replica would found a cluster of its own, beside its primary."""
    cluster.server("a1", "stop", "-m", "fast")
    (cluster.data("a1") / "standby.signal").touch()
    cluster.folder.give(cluster.data("a1") / "standby.signal")
    cluster.server("a1", "start")
    cluster.start_agent("a1")
    assert cluster.folder.exit_code("tanist-a1", 30) != 0
    said = [line for line in cluster.log("a1").splitlines() if "ERROR" in line]
    assert len(said) == 1 and "PostgreSQL is running as replica, aborting start" in said[0], said
    assert cluster.value("a1", "SELECT pg_is_in_recovery()") is True, "it still runs"
    assert cluster.value("a1", "SELECT count(*) FROM kept") == 1000
