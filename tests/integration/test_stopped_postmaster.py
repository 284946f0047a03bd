# SPDX-License-Identifier: Apache-2.0
"""A postmaster that is stopped or hangs answers nobody new, while its sessions go on (trap 38): it
is reported at once, its node is no candidate, an operator can move the leadership away, and where
it is configured a leader gives up its lock by letting the lease end."""

import json
import os
import signal

import pytest
from cluster import NODES, Cluster
from local_servers import eventually

SETTINGS = "\nstorage: {silent_after: 3, unreachable_demote_after: %d}\n"


class Stoppable(Cluster):
    def provision(self):
        super().provision()
        for node in NODES:
            with open(self.config_file(node), "a", encoding="utf-8") as file:
                file.write(SETTINGS % 0)

    def demote_after(self, seconds):
        for node in NODES:
            file = self.config_file(node)
            text = file.read_text(encoding="utf-8").replace(SETTINGS % 0, SETTINGS % seconds)
            file.write_text(text, encoding="utf-8")
        done = self.ctl("reload", "demo", "--force")
        assert done.returncode == 0, done.stdout + done.stderr

    def stop_postmaster(self, node):
        os.kill(self.postmaster(node), signal.SIGSTOP)

    def state(self, node):
        return json.loads(self.get(node, "/patroni")[1])["tanist"]["storage"]

    def wait_unreachable(self, node):
        eventually(lambda: self.state(node)["state"] == "unreachable", 10, "the stop to be seen")


@pytest.fixture(scope="module", name="cluster")
def fixture_cluster():
    cluster = Stoppable()
    try:
        yield cluster.start()
    finally:
        cluster.show_logs()
        cluster.remove()


def test_a_stopped_replica_says_so_and_is_no_candidate(cluster):
    leader = cluster.leader()
    stopped = next(node for node in NODES if node != leader)
    eventually(lambda: cluster.state(stopped)["state"] == "good", 20, "the canary to be heard")
    cluster.stop_postmaster(stopped)
    try:
        cluster.wait_unreachable(stopped)
        assert "postmaster is stopped" in cluster.state(stopped)["detail"]
        refused = cluster.ctl("switchover", "--force", "--candidate", stopped)
        assert "no good candidates" in refused.stdout, refused.stdout + refused.stderr
    finally:
        os.kill(cluster.postmaster(stopped), signal.SIGCONT)
    eventually(lambda: cluster.state(stopped)["state"] == "good", 20, "the server to answer again")
    log = cluster.folder.log(f"tanist-{stopped}")
    assert "PostgreSQL of this node takes no new connections" in log
    assert "PostgreSQL of this node works again" in log
    cluster.wait_healthy()


def test_a_stopped_leader_keeps_the_lock_until_an_operator_moves_it(cluster):
    """Its sessions work: nobody but the operator takes it away where nothing is configured."""
    old = cluster.leader()
    heir = next(node for node in NODES if node != old)
    writer = cluster.start_writer()
    cluster.stop_postmaster(old)
    cluster.wait_unreachable(old)
    count = len(writer.acknowledged)
    eventually(lambda: len(writer.acknowledged) > count + 5, 10, "the open session to go on")
    assert cluster.leader() == old
    moved = cluster.ctl("failover", "--force", "--candidate", heir)
    assert moved.returncode == 0, moved.stdout + moved.stderr
    assert cluster.wait_leader_other_than(old, 30) == heir
    eventually(lambda: len(writer.acknowledged) > count + 50, 30, "writes to resume")
    cluster.wait_healthy()
    cluster.check_lost(writer)


def test_a_stopped_leader_gives_up_its_lock_where_configured(cluster):
    cluster.demote_after(5)
    old = cluster.leader()
    writer = cluster.start_writer()
    cluster.stop_postmaster(old)
    new = cluster.wait_leader_other_than(old, 40)
    log = cluster.folder.log(f"tanist-{old}")
    assert "Giving up the leader lock because PostgreSQL takes no new connections" in log
    assert "Demoting self (immediate-nolock)" in log
    cluster.wait_healthy()
    told = cluster.ctl("explain", "-f", "json")
    assert told.returncode == 0, told.stdout + told.stderr
    incident = json.loads(told.stdout)["incidents"][-1]
    assert (incident["old_leader"], incident["new_leader"]) == (old, new), incident
    assert any("without a release" in text for text in incident["evidence"]), incident
    cluster.check_lost(writer)
