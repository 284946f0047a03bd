# SPDX-License-Identifier: Apache-2.0
"""Permanent slots on a real cluster: physical and logical ones on every node, kept in step, and a
consumer of a logical slot that misses nothing over a switchover."""

import json

import pytest
from cluster import NODES, Cluster
from local_servers import eventually

SLOTS = {"backup": {"type": "physical"},
         "changes": {"type": "logical", "database": "postgres", "plugin": "test_decoding"}}


@pytest.fixture(scope="module", name="cluster")
def fixture_cluster():
    cluster = Cluster()
    cluster.topology["postgresql"]["parameters"]["wal_level"] = "logical"
    try:
        yield cluster.start()
    finally:
        cluster.show_logs()
        cluster.remove()


def configure(cluster, patch):
    file = cluster.folder.write("patch.json", json.dumps(patch))
    done = cluster.ctl("edit-config", "--force", "--apply", file)
    assert done.returncode == 0, done.stdout + done.stderr


def slots(cluster, node):
    """Name -> (type, confirmed_flush_lsn or restart_lsn)."""
    rows = cluster.query(node, "SELECT slot_name, slot_type,"
                         " coalesce(confirmed_flush_lsn, restart_lsn) FROM pg_replication_slots")
    return {name: (kind, lsn) for name, kind, lsn in rows}


def replicas(cluster):
    leader = cluster.leader()
    return [node for node in NODES if node != leader]


def everywhere(cluster, condition):
    try:
        return all(condition(slots(cluster, node), node) for node in NODES)
    except Exception:  # a standby restarts while slots are copied
        return False


def position(cluster, node, slot):
    return slots(cluster, node).get(slot, (None, None))[1]


def test_permanent_slots_come_to_every_node(cluster):
    configure(cluster, {"slots": SLOTS})
    eventually(lambda: everywhere(cluster, lambda found, _: set(SLOTS) <= set(found)), 60,
               "both permanent slots on every node")
    for node in replicas(cluster):
        assert cluster.query(node, "SHOW hot_standby_feedback") == [("on",)]


def test_copies_follow_what_the_consumer_has_confirmed(cluster):
    leader = cluster.leader()
    cluster.query(leader, "CREATE TABLE t (n int)")
    cluster.query(leader, "SELECT pg_logical_slot_get_changes('changes', NULL, NULL)")
    confirmed = position(cluster, leader, "changes")
    for node in replicas(cluster):
        eventually(lambda node=node: position(cluster, node, "changes") == confirmed, 30,
                   f"{node} to advance its copy to {confirmed}")


def test_a_consumer_misses_nothing_over_a_switchover(cluster):
    old = cluster.leader()
    eventually(lambda: all("is safe to be used after a failover" in
                           cluster.folder.log(f"tanist-{node}") for node in replicas(cluster)),
               60, "the copies to be proven safe")
    cluster.query(old, "INSERT INTO t VALUES (1)")
    done = cluster.ctl("switchover", "--force")
    assert done.returncode == 0, done.stdout + done.stderr
    new = cluster.wait_leader_other_than(old)
    cluster.query(new, "INSERT INTO t VALUES (2)")
    changes = [row[0] for row in cluster.query(
        new, "SELECT data FROM pg_logical_slot_get_changes('changes', NULL, NULL)")]
    rows = [change for change in changes if "INSERT" in change]
    assert [row.rpartition(":")[2] for row in rows] == ["1", "2"]
    cluster.wait_healthy()


def test_what_is_not_wanted_any_more_goes_unless_ignored(cluster):
    leader = cluster.leader()
    configure(cluster, {"ignore_slots": [{"name": "of_others"}], "slots": {"changes": None}})
    cluster.query(leader, "SELECT pg_create_physical_replication_slot('of_others')")
    cluster.query(leader, "SELECT pg_create_physical_replication_slot('stray')")
    eventually(lambda: everywhere(cluster, lambda found, _: "changes" not in found
                                  and "stray" not in found), 30, "unwanted slots to be dropped")
    found = slots(cluster, leader)
    assert "of_others" in found and "backup" in found


def test_the_slot_of_an_absent_member_is_kept_for_its_time(cluster):
    absent = replicas(cluster)[0]
    configure(cluster, {"member_slots_ttl": 8})
    cluster.stop_agent(absent)
    eventually(lambda: absent not in cluster.members(), 30, "the member key to go")
    leader = cluster.leader()
    assert absent in slots(cluster, leader)
    eventually(lambda: absent not in slots(cluster, leader), 40, "its slot to expire")
    assert "absent cluster member is expired after 8 sec" in cluster.folder.log(f"tanist-{leader}")
    cluster.start_agent(absent)
    cluster.wait_healthy()
