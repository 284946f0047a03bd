# SPDX-License-Identifier: Apache-2.0
"""What tanist and real Patroni 4 owe each other when things are missing: with failsafe mode a
leader of either kind goes on without etcd by the consent of members of both kinds, and a member of
either kind that lags too far behind does not take over.

Takes minutes, because Patroni's smallest ttl is 20 s. Runs with scripts/faults --long."""

import os
import pathlib
import signal
import time

import psycopg2
import pytest
from cluster import NODES
from local_servers import eventually, processes_of
from mixed_cluster import TANIST, lead, wait_for_writes

OF_TANIST, OF_PATRONI, THIRD = NODES
TTL_S = 20
OUTAGE_S = TTL_S + 12
LAG_MAX = 1048576
pytestmark = pytest.mark.skipif("TANIST_LONG" not in os.environ, reason="scripts/faults --long")


# ---- Failsafe mode --------------------------------------------------------------------------

def all_consent(cluster):
    return all(node in cluster.stored("failsafe") for node in NODES)


def signal_etcd(cluster, number):
    for node in NODES:
        cluster.folder.signal(f"etcd-{node}", number)


@pytest.mark.parametrize("leader", [OF_TANIST, OF_PATRONI])
def test_a_leader_of_either_kind_goes_on_without_the_store(cluster, leader):
    lead(cluster, leader)
    cluster.configure(TANIST, "failsafe_mode=true")
    try:
        eventually(lambda: all_consent(cluster), 60, "the failsafe key to name all members")
        servers = cluster.server_identities()
        writer = cluster.start_writer()
        local = cluster.start_local_writer(leader)
        signal_etcd(cluster, signal.SIGSTOP)
        try:
            end = time.monotonic() + OUTAGE_S
            while time.monotonic() < end:  # the outage's length is what is tested
                assert cluster.get(leader, "/primary")[0] == 200
                time.sleep(0.5)
            wait_for_writes(local, 10)
        finally:
            signal_etcd(cluster, signal.SIGCONT)
        eventually(lambda: cluster.stored("leader") == leader, 60, "etcd to know the leader")
        cluster.wait_healthy()
        wait_for_writes(writer)
        assert cluster.leader() == leader
        assert cluster.server_identities() == servers, "a server was restarted"
        cluster.check_nothing_lost(local)
        assert not local.errors, f"the client was disturbed: {local.errors[:3]}"
    finally:
        cluster.configure(TANIST, "failsafe_mode=false")


def is_standby(cluster, node):
    try:
        return cluster.ask(node, "SELECT pg_is_in_recovery()")
    except psycopg2.OperationalError:
        return False  # down, or on its way


def test_without_the_consent_of_a_member_of_patroni_nobody_writes(cluster):
    leader, silent = OF_TANIST, OF_PATRONI
    lead(cluster, leader)
    cluster.configure(TANIST, "failsafe_mode=true")
    try:
        eventually(lambda: all_consent(cluster), 60, "the failsafe key to name all members")
        agent = cluster.folder.started[cluster.label(silent)]
        agent.send_signal(signal.SIGSTOP)
        signal_etcd(cluster, signal.SIGSTOP)
        try:
            eventually(lambda: cluster.get(leader, "/primary")[0] != 200, TTL_S + 15,
                       "the leader to give up")
            eventually(lambda: is_standby(cluster, leader), 60, "its server to be read-only")
        finally:
            agent.send_signal(signal.SIGCONT)
            signal_etcd(cluster, signal.SIGCONT)
        cluster.wait_healthy()
    finally:
        cluster.configure(TANIST, "failsafe_mode=false")


# ---- maximum_lag_on_failover ----------------------------------------------------------------

def receiver(cluster, node):
    """The pid of its WAL receiver, or None."""
    for pid in processes_of(cluster.files / node):
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
        except OSError:
            continue
        if "walreceiver" in words:
            return pid
    return None


def write_wal(cluster, leader, size):
    cluster.ask(leader, "SELECT count(*) FROM pg_logical_emit_message(false, 'lag', "
                f"repeat('x', {size}))")
    cluster.ask(leader, "SELECT pg_switch_wal()")


def position(cluster, node):
    return cluster.ask(node, "SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN "
                       "pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, '0/0')::bigint")


def published(cluster):
    """The position in /status."""
    text = cluster.stored("status")
    return int(text.split('"optime":')[1].split(",")[0].rstrip("}")) if text else 0


@pytest.mark.parametrize("leader,laggard,other", [(OF_PATRONI, OF_TANIST, THIRD),
                                                  (OF_TANIST, OF_PATRONI, THIRD)])
def test_a_laggard_of_either_kind_does_not_take_over(cluster, leader, laggard, other):
    lead(cluster, leader)
    cluster.configure(TANIST, f"maximum_lag_on_failover={LAG_MAX}")
    frozen = eventually(lambda: receiver(cluster, laggard), 30, "a WAL receiver")
    os.kill(frozen, signal.SIGSTOP)
    try:
        begun = position(cluster, leader)
        write_wal(cluster, leader, 4 * LAG_MAX)
        eventually(lambda: position(cluster, other) >= begun + 4 * LAG_MAX, 30,
                   "the other one to have it")
        eventually(lambda: published(cluster) >= begun + 4 * LAG_MAX, 30, "/status to tell of it")
        assert cluster.stop_agent(other) == 0
        cluster.kill_node(leader)
        eventually(lambda: not cluster.stored("leader"), TTL_S + 15, "the lock to end")
        end = time.monotonic() + TTL_S
        while time.monotonic() < end:  # time enough to do it wrong
            assert cluster.ask(laggard, "SELECT pg_is_in_recovery()"), "the laggard took over"
            assert cluster.stored("leader") == ""
            time.sleep(0.5)
        cluster.start_node(other)
        eventually(lambda: cluster.leader() == other, 60, "the one that has it to lead")
    finally:
        os.kill(frozen, signal.SIGCONT)
        for node in NODES:
            cluster.start_node(node)
    cluster.wait_healthy()
