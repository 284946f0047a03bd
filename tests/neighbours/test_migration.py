# SPDX-License-Identifier: Apache-2.0
"""A running Patroni cluster becomes a tanist cluster node by node, and Patroni's again, under
clients that write: no server is restarted, no row is lost, and a client on the leader's machine
never gets an error (HAProxy ends sessions when the agent that it asks is away). The commands are
those of docs/guide/migrate-from-patroni.md."""

import os

import pytest
import real_patroni
from cluster import NODES
from mixed_cluster import TANIST, MixedCluster, wait_for_writes


def start(patroni):
    cluster = MixedCluster({node: patroni for node in NODES})
    try:
        return cluster.start()
    except BaseException:
        cluster.show_logs()
        cluster.remove()
        raise


def replace_all(cluster, tool, agent):
    """Replicas first, the leader last."""
    cluster.pause(tool)
    leader = cluster.leader()
    for node in [*(name for name in NODES if name != leader), leader]:
        cluster.replace_agent(node, agent)
        cluster.wait_healthy()
    cluster.resume(agent)
    cluster.wait_healthy()


def go_there_and_back(patroni):
    cluster = start(patroni)
    try:
        servers, leader = cluster.server_identities(), cluster.leader()
        writer = cluster.start_writer()
        local = cluster.start_local_writer(leader)
        replace_all(cluster, patroni, TANIST)
        assert cluster.server_identities() == servers, "a server was restarted on the way to tanist"
        assert cluster.leader() == leader
        wait_for_writes(writer)
        replace_all(cluster, TANIST, patroni)
        assert cluster.server_identities() == servers, "a server was restarted on the way back"
        wait_for_writes(writer)
        cluster.check_nothing_lost(local)
        cluster.check_nothing_lost(writer)
        assert not local.errors, f"the client was disturbed: {local.errors[:3]}"
        print(f"rows {len(local.acknowledged)}, longest gap {local.longest_gap():.3f} s")
    finally:
        cluster.show_logs()
        cluster.remove()


def test_patroni_4_to_tanist_and_back():
    patroni = real_patroni.find((4,))
    if patroni is None:
        pytest.skip("Patroni 4 cannot be had here")
    go_there_and_back(patroni)


@pytest.mark.skipif("TANIST_LONG" not in os.environ, reason="scripts/faults --long")
def test_the_distributions_older_patroni_to_tanist_and_back():
    patroni = real_patroni.older()
    if patroni is None:
        pytest.skip("the distribution has no older Patroni")
    go_there_and_back(patroni)
