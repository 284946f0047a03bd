# SPDX-License-Identifier: Apache-2.0
"""tanist and real Patroni 4 as members of one cluster: each leads, each follows, each tool steers,
and nothing acknowledged is lost in synchronous mode whoever takes over from whom.

Takes minutes, because a failover waits for a ttl of 20 s, Patroni's smallest. Runs with
scripts/faults --long."""

import os

import pytest
from cluster import NODES
from local_servers import eventually
from mixed_cluster import TANIST, lead, wait_for_writes

OF_TANIST, OF_PATRONI, THIRD = NODES
pytestmark = pytest.mark.skipif("TANIST_LONG" not in os.environ, reason="scripts/faults --long")


def setting_everywhere(cluster, name, value):
    eventually(lambda: all(cluster.ask(node, f"SHOW {name}") == value for node in NODES), 30,
               f"{name} to be {value} on all nodes")


def slots_of(cluster, node):
    names = cluster.ask(node, "SELECT string_agg(slot_name, ' ') FROM pg_replication_slots")
    return (names or "").split()


def lose_the_leader(cluster, successors):
    """Everything of its node ends; one of these takes over, and nothing is lost."""
    writer = cluster.start_writer()
    old = cluster.leader()
    cluster.kill_node(old)
    assert cluster.wait_leader_other_than(old, 90) in successors
    wait_for_writes(writer)
    cluster.check_nothing_lost(writer)
    cluster.start_node(old)
    cluster.wait_healthy()


def test_each_leads_and_each_follows_by_either_tool(cluster, patroni):
    writer = cluster.start_writer()
    lead(cluster, OF_TANIST, patroni)
    for tool, node in ((patroni, OF_PATRONI), (TANIST, THIRD), (TANIST, OF_PATRONI),
                       (patroni, OF_TANIST)):
        cluster.switch_to(tool, node)
        wait_for_writes(writer)
    cluster.check_nothing_lost(writer)


def test_settings_of_either_tool_reach_everybody(cluster, patroni):
    cluster.configure(patroni, "postgresql.parameters.work_mem=9MB")
    setting_everywhere(cluster, "work_mem", "9MB")
    cluster.configure(TANIST, "postgresql.parameters.work_mem=7MB")
    setting_everywhere(cluster, "work_mem", "7MB")


@pytest.mark.parametrize("leader", [OF_TANIST, OF_PATRONI])
def test_slots_are_kept_whoever_leads(cluster, leader):
    lead(cluster, leader)
    eventually(lambda: all(node in slots_of(cluster, leader) for node in NODES if node != leader),
               60, f"the members' slots on {leader}")


@pytest.mark.parametrize("leader", [OF_TANIST, OF_PATRONI])
def test_permanent_slots_are_on_all_nodes_whoever_leads(cluster, leader):
    lead(cluster, leader)
    cluster.configure(TANIST, f"slots.kept_{leader}.type=physical")
    eventually(lambda: all(f"kept_{leader}" in slots_of(cluster, node) for node in NODES), 90,
               "the permanent slot on all nodes")


@pytest.mark.parametrize("tool", ["tanist", "patroni"])
def test_a_pause_by_either_tool_is_seen_by_all(cluster, patroni, tool):
    kind = TANIST if tool == "tanist" else patroni
    cluster.pause(kind)
    cluster.resume(kind)


def standbys(cluster, kind):
    return [node for node in NODES if f'"{kind}": true' in cluster.get(node, "/patroni")[1]]


@pytest.mark.parametrize("mode,kind,number", [("on", "sync_standby", 1),
                                              ("quorum", "quorum_standby", 2)])
@pytest.mark.parametrize("leader", [OF_TANIST, OF_PATRONI])
def test_nothing_is_lost_when_the_leader_is(cluster, leader, mode, kind, number):
    lead(cluster, leader)
    cluster.configure(TANIST, f"synchronous_mode={mode}")
    try:
        eventually(lambda: len(standbys(cluster, kind)) == number, 60, f"{number} standbys")
        successors = standbys(cluster, kind)
        lose_the_leader(cluster, successors)
    finally:
        cluster.configure(TANIST, "synchronous_mode=off")
    eventually(lambda: not standbys(cluster, kind), 60, "no synchronous standby")


@pytest.mark.parametrize("leader", [OF_TANIST, OF_PATRONI])
def test_an_asynchronous_failover_goes_either_way(cluster, leader):
    lead(cluster, leader)
    cluster.kill_node(leader)
    assert cluster.wait_leader_other_than(leader, 90) != leader
    cluster.start_node(leader)
    cluster.wait_healthy()
