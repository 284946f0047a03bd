# SPDX-License-Identifier: Apache-2.0
"""Wall clocks of nodes that jump, forwards and back, under agent and server (libfaketime): nobody
loses the lock by it, no row is lost. Leases live on another clock.

Runs with scripts/faults --long."""

import os
import pathlib
import time

import pytest
from campaign import Campaign
from fault_cluster import FaultCluster
from local_servers import eventually

LIBRARY = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
pytestmark = [pytest.mark.skipif("TANIST_LONG" not in os.environ, reason="scripts/faults --long"),
              pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed")]
STEPS_S = [3600, -3600, 86400 * 30, -86400 * 30, 5, -5, 0]


@pytest.fixture(name="cluster")
def fixture_cluster():
    cluster = FaultCluster()
    try:
        for node in cluster.nodes:
            file = cluster.folder.write(f"clock-{node}", "+0\n", 0o644)
            cluster.environment[node] = {
                "LD_PRELOAD": LIBRARY, "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        yield cluster.start()
    finally:
        cluster.show_logs()
        cluster.remove()


def clock_of(cluster, node):
    """The server's wall clock, less ours."""
    connection = cluster.superuser(node)
    cursor = connection.cursor()
    cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
    return cursor.fetchone()[0] - time.time()


def test_clocks_that_jump_change_nothing(cluster):
    campaign = Campaign(cluster, 1)
    leader, server = cluster.leader(), cluster.postmaster(cluster.leader())
    begun = time.time()
    campaign.workload.start()
    eventually(lambda: campaign.workload.wrote_since(begun), 60, "clients to write")
    for step in STEPS_S:
        for node in (leader, cluster.nodes[0]):
            cluster.folder.write(f"clock-{node}", f"{step:+d}\n", 0o644)
            eventually(lambda at=node, want=step: abs(clock_of(cluster, at) - want) < 3, 20,
                       "the clock to have jumped")
            campaign.tell(f"the clock of {node} is {step} s off")
            time.sleep(3)
            assert cluster.leader() == leader
    campaign.workload.stop()
    assert cluster.postmaster(leader) == server
    assert not campaign.workload.errors_on(f"on-{leader}")
    campaign.check_lost(campaign.workload.answers(), ["switch_over"])
    cluster.wait_whole()
