# SPDX-License-Identifier: Apache-2.0
"""The checkers see what they are for: without a guard, a frozen agent means two primaries, and a
row that is deleted is missed. Runs with scripts/faults --long."""

import os

import psycopg2
import pytest
from campaign import Campaign
from fault_cluster import FaultCluster
from local_servers import Broken

pytestmark = pytest.mark.skipif("TANIST_LONG" not in os.environ, reason="scripts/faults --long")


class Unguarded(FaultCluster):
    """No guard runs."""

    def provision(self):
        super().provision()
        for node in self.nodes:
            file = self.config_file(node)
            file.write_text(file.read_text(encoding="utf-8") + "\nguard: {mode: 'off'}\n",
                            encoding="utf-8")


@pytest.fixture(scope="module", name="cluster")
def fixture_cluster():
    cluster = Unguarded()
    try:
        yield cluster.start()
    finally:
        cluster.remove()


def test_a_row_that_is_gone_is_missed(cluster):
    campaign = Campaign(cluster, 1)
    cluster.set_mode("quorum")
    campaign.round([], seconds=1)
    connection = psycopg2.connect(**cluster.application())
    connection.autocommit = True
    connection.cursor().execute("DELETE FROM written WHERE number = (SELECT min(number) "
                                "FROM written)")
    connection.close()
    with pytest.raises(Broken, match="1 acknowledged rows are gone"):
        campaign.check([])


def test_two_primaries_are_seen(cluster):
    campaign = Campaign(cluster, 1)
    cluster.set_mode("asynchronous")
    with pytest.raises(Broken, match="two servers accepted writes at once") as broken:
        campaign.round(["freeze_leaders_agent"], seconds=8)
    assert "a commit at" in str(broken.value) and "were begun and acknowledged" in str(broken.value)
