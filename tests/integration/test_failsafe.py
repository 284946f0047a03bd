# SPDX-License-Identifier: Apache-2.0
"""Failsafe mode on a real cluster: all of etcd is frozen for several ttl, and writes go on because
every member consents; when etcd is back, there is one leader, and etcd knows it."""

import signal
import time

import pytest
from cluster import NODES, Cluster
from local_servers import eventually

OUTAGE_S = 12  # more than two ttl


@pytest.fixture(scope="module", name="cluster")
def fixture_cluster():
    cluster = Cluster()
    try:
        yield cluster.start()
    finally:
        cluster.show_logs()
        cluster.remove()


def turn_on(cluster):
    done = cluster.ctl("edit-config", "--force", "-s", "failsafe_mode=true")
    assert done.returncode == 0, done.stdout + done.stderr
    eventually(lambda: all(node in cluster.stored("failsafe") for node in NODES), 30,
               "the key of failsafe mode to name all members")


def signal_etcd(cluster, what):
    for node in NODES:
        cluster.folder.signal(f"etcd-{node}", what)


def test_writes_go_on_while_the_store_is_silent(cluster):
    turn_on(cluster)
    writer = cluster.start_writer()
    leader = cluster.leader()
    signal_etcd(cluster, signal.SIGSTOP)
    began = time.monotonic()
    while time.monotonic() - began < OUTAGE_S:
        time.sleep(0.5)  # the outage's length is what is tested
    since = time.monotonic()
    eventually(lambda: writer.wrote_since(since), 5, "writes during the outage")
    assert cluster.get(leader, "/primary")[0] == 200
    signal_etcd(cluster, signal.SIGCONT)
    eventually(lambda: cluster.stored("leader") in NODES, 60, "etcd to know a leader")
    eventually(lambda: all(cluster.stored(f"members/{node}") for node in NODES), 60,
               "the members' keys")
    cluster.wait_healthy()
    owner = cluster.stored("leader")
    assert owner == cluster.leader()
    since = time.monotonic()
    eventually(lambda: writer.wrote_since(since), 30, "writes after the outage")
    primaries = [node for node in NODES if cluster.get(node, "/primary")[0] == 200]
    assert primaries == [owner]
    print(f"longest gap {writer.longest_gap():.3f} s, leader before {leader}, after {owner}")
    cluster.check_nothing_lost(writer)


def test_the_tool_does_not_tell_what_a_lone_member_of_etcd_remembers(cluster):  # trap 126
    for node in NODES[:2]:
        cluster.folder.signal(f"etcd-{node}", signal.SIGSTOP)
    try:
        done = cluster.ctl("list")
    finally:
        signal_etcd(cluster, signal.SIGCONT)
    assert done.returncode != 0 and "Leader" not in done.stdout, done.stdout
    assert "etcd" in done.stderr, done.stderr
    cluster.wait_healthy()
    assert cluster.ctl("list").returncode == 0
