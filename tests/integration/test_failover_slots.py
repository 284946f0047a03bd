# SPDX-License-Identifier: Apache-2.0
"""Failover slots of PostgreSQL 17 and later: the server itself keeps them on the standbys. The
agent gives it what it needs, keeps its hands off, and removes only what an earlier primary left
behind and what would stop the server from doing so (traps 164 and 165)."""

import pytest
from cluster import NODES, Cluster
from local_servers import POSTGRESQL, eventually

pytestmark = pytest.mark.skipif(int(POSTGRESQL.parent.name or 0) < 17,
                                reason="PostgreSQL 17 brought failover slots")
SLOT = "subscriber"
CHANGES = f"SELECT data FROM pg_logical_slot_get_changes('{SLOT}', NULL, NULL)"


@pytest.fixture(scope="module", name="cluster")
def fixture_cluster():
    cluster = Cluster()
    cluster.topology["postgresql"]["parameters"].update(
        wal_level="logical", sync_replication_slots="on", hot_standby_feedback="on")
    try:
        yield cluster.start()
    finally:
        cluster.show_logs()
        cluster.remove()


def slot_of(cluster, node):
    """(synced, confirmed_flush_lsn) of a slot that would survive a failover, or None."""
    rows = cluster.query(node, "SELECT synced, confirmed_flush_lsn::text FROM pg_replication_slots"
                         f" WHERE slot_name = '{SLOT}' AND failover AND NOT temporary")
    return rows[0] if rows else None


def consume(cluster):
    """What the consumer has confirmed, on the leader."""
    leader = cluster.leader()
    cluster.query(leader, "SELECT pg_log_standby_snapshot()")
    cluster.query(leader, CHANGES)
    return slot_of(cluster, leader)[1]


def replicas(cluster):
    leader = cluster.leader()
    return [node for node in NODES if node != leader]


def is_kept_by(cluster, node):
    """The server keeps it there. A consumer that moves on is what lets it begin."""
    consume(cluster)
    found = slot_of(cluster, node)
    return found is not None and found[0]


def wait_kept_in_step(cluster):
    """On every standby, by the server, and up to what the consumer confirms now."""
    for node in replicas(cluster):
        eventually(lambda node=node: is_kept_by(cluster, node), 90, f"the slot on {node}")
    confirmed = consume(cluster)
    for node in replicas(cluster):  # the server looks every 30 s at the latest
        eventually(lambda node=node: slot_of(cluster, node) == (True, confirmed), 60,
                   f"the slot on {node} to be at {confirmed}")


def test_the_server_keeps_its_slots_on_the_standbys(cluster):
    cluster.query(cluster.leader(), "SELECT pg_create_logical_replication_slot"
                  f"('{SLOT}', 'test_decoding', false, false, true)")
    cluster.query(cluster.leader(), "CREATE TABLE t (n int)")
    wait_kept_in_step(cluster)


def test_a_consumer_misses_nothing_over_a_switchover(cluster):
    old = cluster.leader()
    cluster.query(old, "INSERT INTO t VALUES (1)")
    done = cluster.ctl("switchover", "--force")
    assert done.returncode == 0, done.stdout + done.stderr
    new = cluster.wait_leader_other_than(old)
    cluster.query(new, "INSERT INTO t VALUES (2)")
    rows = [row[0] for row in cluster.query(new, CHANGES) if "INSERT" in row[0]]
    assert [row.rpartition(":")[2] for row in rows] == ["1", "2"]
    cluster.wait_healthy()


def test_what_the_old_primary_left_is_replaced(cluster):
    wait_kept_in_step(cluster)
