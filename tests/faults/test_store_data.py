# SPDX-License-Identifier: Apache-2.0
"""etcd loses all its data under a running cluster, or comes back from an older snapshot: no second
primary, no data directory touched, the leader's keys are written again with the same system
identifier, and replicas follow. With failsafe mode the primary goes on all the time."""

import json
import os
import time

import pytest
import store_data
from campaign import Campaign
from fault_cluster import FaultCluster
from local_servers import Broken, eventually

HEALS_S = 20  # a ttl of patience, for an old snapshot another one, and what two busy cores need
KEYS = ["initialize", "config", "leader", "status", "history", "members/node1", "members/node2",
        "members/node3"]
LONG = pytest.mark.skipif("TANIST_LONG" not in os.environ, reason="scripts/faults --long")


@pytest.fixture(scope="module", name="cluster")
def fixture_cluster():
    cluster = FaultCluster()
    try:
        cluster.start()
        # So that there is a history, and etcd has seen more than one leader.
        assert cluster.ctl("switchover", "--force").returncode == 0
        cluster.wait_whole()
        store_data.age(cluster)
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture(name="campaign")
def fixture_campaign(cluster):
    cluster.wait_whole()
    campaign = Campaign(cluster, 1)
    yield campaign
    print(campaign.story(180))


def lose_data(campaign, change, allowed=("lose_store_data",)):
    """Under clients: etcd is stopped, its data changed, started. What was allowed decides what may
    be lost. Returns the answers of etcd before and afterwards by key."""
    cluster, begun = campaign.cluster, time.time()
    before = {key: cluster.stored(key) for key in KEYS}
    data, term = store_data.data_identities(cluster), store_data.term(cluster)
    campaign.workload.start()
    try:
        eventually(lambda: campaign.workload.wrote_since(begun), 60, "clients to write")
        campaign.tell("etcd is stopped and its data changed")
        change()
        store_data.start(cluster)
        campaign.tell(f"etcd is back, term {store_data.term(cluster)} after {term}")
        back = time.monotonic()
        # What nodes tell of each other may be of the time before.
        eventually(lambda: cluster.stored("leader") in cluster.nodes, 60, "etcd to know a leader")
        cluster.wait_whole()
        took, now = time.monotonic() - back, time.time()
        eventually(lambda: campaign.workload.wrote_since(now), 60, "writes to resume")
        campaign.tell(f"healthy {took:.1f} s after etcd was")
        eventually(lambda: all(cluster.stored(key) for key in KEYS), 30, "all keys")
    finally:
        campaign.workload.stop()
    after = {key: cluster.stored(key) for key in KEYS}
    campaign.check(list(allowed))
    if store_data.data_identities(cluster) != data:
        raise Broken("a data directory was made anew")
    assert after["initialize"] == before["initialize"]
    assert json.loads(after["config"]) == json.loads(before["config"])
    assert after["leader"] == cluster.leader()
    assert took < HEALS_S, f"it took {took:.1f} s"
    return before, after


def test_etcd_that_comes_back_empty_gets_its_keys_again(campaign):
    lose_data(campaign, lambda: store_data.wipe(campaign.cluster))


@LONG
def test_quorum_mode_loses_nothing_with_etcds_data(campaign):
    campaign.cluster.set_mode("quorum")
    lose_data(campaign, lambda: store_data.wipe(campaign.cluster), allowed=())


def test_in_failsafe_mode_the_primary_goes_on(campaign):
    cluster = campaign.cluster
    cluster.set_mode("failsafe")
    eventually(lambda: all(node in cluster.stored("failsafe") for node in cluster.nodes), 30,
               "the failsafe key to name all members")
    leader, server = cluster.leader(), cluster.postmaster(cluster.leader())
    lose_data(campaign, lambda: store_data.wipe(cluster))
    assert cluster.leader() == leader
    assert cluster.postmaster(leader) == server, "the server was restarted"
    assert not campaign.workload.errors_on(f"on-{leader}")
    eventually(lambda: all(node in cluster.stored("failsafe") for node in cluster.nodes), 30,
               "the failsafe key again")


@LONG
def test_in_pause_the_primary_goes_on(campaign):
    cluster = campaign.cluster
    cluster.set_mode("asynchronous")
    leader, server = cluster.leader(), cluster.postmaster(cluster.leader())
    assert cluster.ctl("pause", "--wait").returncode == 0
    try:
        lose_data(campaign, lambda: store_data.wipe(cluster))
        assert json.loads(cluster.stored("config"))["pause"] is True
        assert cluster.leader() == leader
        assert cluster.postmaster(leader) == server, "the server was restarted"
    finally:
        assert cluster.ctl("resume", "--wait").returncode == 0


@LONG
@pytest.mark.parametrize("mode", ["asynchronous", "failsafe"])
def test_an_older_snapshot_names_a_leader_of_the_past(campaign, mode):
    cluster = campaign.cluster
    cluster.set_mode(mode)
    snapshot = store_data.save(cluster)
    past = cluster.leader()
    assert cluster.ctl("switchover", "--force").returncode == 0
    eventually(lambda: cluster.leader() not in (None, past), 60, "another leader")
    cluster.wait_whole()
    before, after = lose_data(campaign, lambda: store_data.restore(cluster, snapshot))
    assert len(json.loads(after["history"])) >= len(json.loads(before["history"]))
