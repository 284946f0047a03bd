# SPDX-License-Identifier: Apache-2.0
"""Tests with real Patroni: on the harness of tests/integration."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
# pylint: disable=wrong-import-position
import real_patroni  # noqa: E402
from cluster import NODES  # noqa: E402
from local_servers import eventually  # noqa: E402
from mixed_cluster import TANIST, MixedCluster  # noqa: E402


@pytest.fixture(scope="module", name="patroni")
def fixture_patroni():
    found = real_patroni.find((4,))
    if found is None:
        pytest.skip("Patroni 4 cannot be had here")
    return found


@pytest.fixture(scope="module", name="kept")
def fixture_kept(patroni):
    """node1 and node3 are tanist's, node2 Patroni's."""
    cluster = MixedCluster(dict(zip(NODES, (TANIST, patroni, TANIST))))
    try:
        yield cluster.start()
    finally:
        cluster.show_logs()
        cluster.remove()


@pytest.fixture(name="cluster")
def fixture_cluster(kept):
    eventually(lambda: kept.is_healthy(len(NODES)), 120, "all three to be healthy")
    yield kept
    kept.show_logs()
