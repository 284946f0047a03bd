# SPDX-License-Identifier: Apache-2.0
"""The short list of faults that every run of the tests goes through; scripts/faults goes on from
there. One cluster, one story: a test that fails leaves a new cluster to the next one."""

import os
import time

import pytest
from campaign import Campaign, report
from fault_cluster import FaultCluster
from local_servers import eventually
from planned_work import in_pause, replace_programs, undisturbed

SEED = 7


class Kept:
    """One cluster for all tests, replaced when a test failed."""

    def __init__(self):
        self.cluster = None
        self.campaign = None

    def get(self):
        if self.cluster is None:
            self.cluster = FaultCluster()
            self.cluster.start()
            self.campaign = Campaign(self.cluster, SEED)
        return self.campaign

    def drop(self):
        if self.cluster is not None:
            self.cluster.remove()
        self.cluster = None


@pytest.fixture(scope="module", name="kept")
def fixture_kept():
    kept = Kept()
    yield kept
    if kept.campaign is not None:
        print(report(kept.campaign.figures))
    kept.drop()


@pytest.fixture(name="campaign")
def fixture_campaign(kept, request):
    begun = time.time()
    failed = request.session.testsfailed
    campaign = kept.get()
    yield campaign
    if request.session.testsfailed > failed:
        print(campaign.story(time.time() - begun))
        kept.drop()


def test_a_frozen_agent_is_fenced_by_its_guard(campaign):
    campaign.round(["freeze_leaders_agent"], seconds=7)


def test_a_node_that_is_cut_off_stops_before_another_leads(campaign):
    campaign.round(["isolate"], seconds=7)


@pytest.mark.skipif("TANIST_LONG" not in os.environ, reason="scripts/faults --long")
def test_an_outage_of_the_store_ends_by_itself(campaign):
    campaign.round(["freeze_store"], seconds=7)


def test_quorum_mode_loses_nothing_in_combined_faults(campaign):
    campaign.cluster.set_mode("quorum")
    campaign.round(["reboot", "mute"], seconds=5)


def test_an_agent_is_replaced_within_its_lease(campaign):
    cluster = campaign.cluster
    leader = cluster.leader()

    def change():
        replace_programs(cluster, leader)
        cluster.wait_whole()

    undisturbed(campaign, change)


def test_agents_are_replaced_in_pause(campaign):
    cluster = campaign.cluster

    def change():
        for node in cluster.nodes:
            replace_programs(cluster, node, stop=cluster.stop_agent)

    in_pause(campaign, change)


def test_in_pause_the_primary_goes_on_without_the_store(campaign):
    cluster = campaign.cluster

    def change():
        for node in cluster.store_nodes:
            cluster.folder.kill_one(f"etcd-{node}")
        time.sleep(7)  # longer than the ttl
        for node in cluster.store_nodes:
            cluster.start_etcd(node)
        eventually(cluster.etcd_is_healthy, 60, "etcd to be healthy")

    in_pause(campaign, change)
