# SPDX-License-Identifier: Apache-2.0
"""Synchronous and quorum mode on a real cluster, under a client that writes: whoever was promised a
row keeps it when the leader's whole node is lost."""

import time

import pytest
from cluster import NODES, Cluster
from local_servers import eventually


@pytest.fixture(scope="module", name="cluster")
def fixture_cluster():
    cluster = Cluster()
    try:
        yield cluster.start()
    finally:
        cluster.show_logs()
        cluster.remove()


def configure(cluster, *settings):
    words = [word for setting in settings for word in ("-s", setting)]
    done = cluster.ctl("edit-config", "--force", *words)
    assert done.returncode == 0, done.stdout + done.stderr


def names_of_server(cluster):
    connection = cluster.superuser(cluster.leader())
    cursor = connection.cursor()
    cursor.execute("SHOW synchronous_standby_names")
    value = cursor.fetchone()[0]
    connection.close()
    return value


def standbys(cluster, kind):
    """The members that say they are a synchronous (or quorum) standby."""
    return [node for node in NODES
            if f'"{kind}": true' in cluster.get(node, "/patroni")[1]]


def is_whole(cluster):
    """As Cluster.is_healthy, but synchronous standbys are listed by that name."""
    states = [member["state"] for member in cluster.members().values()]
    return sorted(states) == ["running", "streaming", "streaming"]


def lose_the_leader(cluster):
    writer = cluster.start_writer()
    old = cluster.leader()
    cluster.kill_node(old)
    assert cluster.wait_leader_other_than(old) != old
    since = time.monotonic()
    eventually(lambda: writer.wrote_since(since), 60, "writes to resume")
    cluster.check_nothing_lost(writer)
    cluster.start_node(old)
    eventually(lambda: is_whole(cluster), 120, "a leader and two streaming members")


def test_synchronous_mode_loses_nothing(cluster):
    configure(cluster, "synchronous_mode=true")
    eventually(lambda: len(standbys(cluster, "sync_standby")) == 1, 30, "a synchronous standby")
    assert names_of_server(cluster) == f'{standbys(cluster, "sync_standby")[0]}'
    lose_the_leader(cluster)
    eventually(lambda: len(standbys(cluster, "sync_standby")) == 1, 30, "a synchronous standby")


def test_quorum_mode_loses_nothing(cluster):
    configure(cluster, "synchronous_mode=quorum")
    eventually(lambda: len(standbys(cluster, "quorum_standby")) == 2, 30, "two voters")
    assert names_of_server(cluster).startswith("ANY 1 (")
    lose_the_leader(cluster)
    eventually(lambda: len(standbys(cluster, "quorum_standby")) == 2, 30, "two voters")


def test_mode_switched_off_leaves_nothing_behind(cluster):
    configure(cluster, "synchronous_mode=null")
    eventually(lambda: names_of_server(cluster) == "", 30, "no synchronous standby")
    assert not standbys(cluster, "quorum_standby")
