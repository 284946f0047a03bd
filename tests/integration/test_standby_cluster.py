# SPDX-License-Identifier: Apache-2.0
"""A standby cluster on real servers: a cluster is demoted to follow a remote server, hands its lead
over, is given copies anew, is promoted again, and is at last created from the remote server."""

import base64
import json
import shutil
import ssl
import urllib.error
import urllib.request

import psycopg2
import pytest
import yaml
from cluster import NODES, PORTS, Cluster
from local_servers import eventually, must_run, network
from remote_server import Remote, one_value


class StandbyCluster(Cluster):
    """The remote server's certificate names none of its addresses. Primaries archive."""

    def __init__(self):
        super().__init__()
        self.archive = self.folder.path / "archive"
        must_run("mkdir", self.archive)
        self.topology["postgresql"]["parameters"] |= {
            "archive_mode": "on", "archive_command": f"cp %p {self.archive}/%f"}

    def provision(self):
        super().provision()
        for node in NODES:
            self.change_config(node, lambda config: config)

    def change_config(self, node, change):
        config = self.config(node)
        for user in ("replication", "rewind"):
            config["postgresql"]["authentication"][user]["sslmode"] = "require"
        change(config)
        self.config_file(node).write_text(yaml.safe_dump(config), encoding="utf-8")

    def follow(self, remote):
        section = {"host": remote.address, "port": PORTS["postgresql"]}
        self.edit(f"standby_cluster={json.dumps(section)}")

    def edit(self, setting):
        done = self.ctl("edit-config", "--force", "-s", setting)
        assert done.returncode == 0, done.stdout + done.stderr

    def standby_leader(self):
        for name, member in self.members().items():
            if member["role"] == "standby_leader" and member["state"] in ("running", "streaming"):
                return name
        return None

    def wait_standby(self):
        """A standby leader, and everybody streams."""
        eventually(lambda: self.standby_leader() and sorted(
            member["role"] for member in self.members().values()) == [
                "replica", "replica", "standby_leader"], 120, "a standby leader and two replicas")
        eventually(lambda: all(member["state"] == "streaming"
                               for member in self.members().values()), 60, "all to stream")
        return self.standby_leader()

    def post(self, node, path, **body):
        """(status, text) of a request that changes something."""
        folder = self.files / "node1/etc/tanist/ssl"
        context = ssl.create_default_context(cafile=self.files / "ca/ca.crt")
        context.load_cert_chain(folder / "agent.crt", folder / "agent.key")
        user = base64.b64encode(f"tanist:{self.secret('rest')}".encode()).decode()
        request = urllib.request.Request(
            f"https://{self.address[node]}:{PORTS['rest']}{path}", json.dumps(body).encode(),
            {"Authorization": f"Basic {user}"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10, context=context) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def rows(self, node):
        try:
            return one_value(self.superuser(node), "SELECT count(*) FROM of_remote")
        except psycopg2.Error:
            return None

    def wait_rows(self, number):
        for node in NODES:
            eventually(lambda node=node: self.rows(node) == number, 60,
                       f"{number} rows at {node}")


@pytest.fixture(scope="module", name="cluster")
def fixture_cluster():
    cluster = StandbyCluster()
    try:
        yield cluster.start()
    finally:
        cluster.show_logs()
        cluster.remove()


@pytest.fixture(scope="module", name="remote")
def fixture_remote(cluster):
    return Remote(cluster, f"{network()}.9")


def test_cluster_is_demoted_in_good_order(cluster, remote):
    leader = cluster.leader()
    remote.follow(leader)
    cluster.follow(remote)
    assert cluster.wait_standby() == leader, "the lock is kept"
    assert cluster.get(leader, "/standby-leader")[0] == 200
    assert cluster.get(leader, "/leader")[0] == 200
    assert cluster.get(leader, "/primary")[0] == 503
    assert json.loads(cluster.get(leader, "/patroni")[1])["role"] == "standby_leader"
    assert one_value(cluster.superuser(leader), "SELECT pg_is_in_recovery()")
    assert "with the latest checkpoint" in cluster.folder.log(f"tanist-{leader}")
    # All that the old primary wrote, its shutdown checkpoint included, is there: nobody diverged.
    remote.promote()
    remote.value("CREATE TABLE of_remote (number int)")
    remote.value("INSERT INTO of_remote VALUES (1)")
    cluster.wait_rows(1)
    assert cluster.wait_standby() == leader


def test_standby_leader_hands_over(cluster, remote):
    old = cluster.standby_leader()
    done = cluster.ctl("switchover", "--leader", old, "--force", seconds=90)
    assert done.returncode == 0, done.stdout + done.stderr
    assert cluster.wait_standby() != old
    remote.value("INSERT INTO of_remote VALUES (2)")
    cluster.wait_rows(2)


def reinitialize(cluster, node, **body):
    marker = cluster.data(node) / "left_by_a_test"
    must_run("touch", marker)
    assert cluster.post(node, "/reinitialize", **body) == (200, "reinitialize started")
    eventually(lambda: not marker.exists(), 60, f"the data of {node} to be replaced")
    cluster.wait_standby()


def test_replicas_are_copied_anew_on_request(cluster):
    leader = cluster.standby_leader()
    replicas = [node for node in NODES if node != leader]
    reinitialize(cluster, replicas[0])
    reinitialize(cluster, replicas[1], from_leader=True)
    cluster.wait_rows(2)


def test_reinitialize_is_forced_past_another_one(cluster):
    leader = cluster.standby_leader()
    replica = next(node for node in NODES if node != leader)
    assert cluster.post(replica, "/reinitialize") == (200, "reinitialize started")
    assert cluster.post(replica, "/reinitialize") == (503, "reinitialize already in progress")
    assert cluster.post(replica, "/reinitialize", force=True) == (200, "reinitialize started")
    cluster.wait_standby()
    cluster.wait_rows(2)


def test_leader_is_not_reinitialized(cluster):
    leader = cluster.standby_leader()
    marker = cluster.data(leader) / "left_by_a_test"
    must_run("touch", marker)
    assert cluster.post(leader, "/reinitialize", force=True) == (
        503, "I am the leader, can not reinitialize")
    assert marker.exists() and cluster.wait_standby() == leader


def test_cluster_is_promoted_by_its_configuration(cluster):
    leader = cluster.standby_leader()
    cluster.edit("standby_cluster=null")
    cluster.wait_healthy()
    assert cluster.leader() == leader
    eventually(lambda: cluster.get(leader, "/primary")[0] == 200, 20, "a writable primary")
    assert one_value(cluster.superuser(leader), "INSERT INTO of_remote VALUES (3)") is None
    cluster.wait_rows(3)


def test_standby_cluster_is_created_from_the_remote(cluster, remote):
    for node in NODES:
        cluster.stop_agent(node)
        shutil.rmtree(cluster.data(node))
    cluster.must_etcdctl("del", "--prefix", "/")
    tried = cluster.folder.path / "methods_tried"
    script = cluster.folder.write("own_method", f"#!/bin/sh\necho \"$@\" >> {tried}\nexit 1\n")
    section = {"host": remote.address, "port": PORTS["postgresql"],
               "create_replica_methods": ["own", "basebackup"]}

    def change(config):
        config["bootstrap"]["dcs"]["standby_cluster"] = section
        config["postgresql"]["own"] = {"command": f"/bin/sh {script}"}

    for node in NODES:
        cluster.change_config(node, change)
        cluster.start_agent(node)
    cluster.wait_standby()
    cluster.wait_rows(2)
    commands = tried.read_text(encoding="utf-8")
    assert f"host={remote.address}" in commands, "the method of the standby cluster was tried"
    assert remote.value("SELECT count(*) FROM pg_stat_replication") == 1
