# SPDX-License-Identifier: Apache-2.0
"""Certificates that are renewed under load, and such that have expired: the agent's towards etcd,
that of its REST API, PostgreSQL's. What stands goes on; what has expired is said in the log and in
/metrics; after the renewal all heals, and no server was restarted."""

import os
import re
import time

import certificates
import psycopg2
import pytest
from campaign import Campaign
from fault_cluster import FaultCluster
from local_servers import eventually

TTL_S = 5
NOTICED_S = 40  # the agent looks every 20 s
LONG = pytest.mark.skipif("TANIST_LONG" not in os.environ, reason="scripts/faults --long")


@pytest.fixture(scope="module", name="cluster")
def fixture_cluster():
    cluster = FaultCluster()
    try:
        yield cluster.start()
    finally:
        cluster.remove()


class Undisturbed:
    """Clients write meanwhile: in the end the same leader leads, all servers are the same
    processes, and the client on the leader's machine was told of no error."""

    def __init__(self, cluster):
        self.cluster = cluster
        cluster.wait_whole()
        self.campaign = Campaign(cluster, 1)
        self.leader = cluster.leader()

    def servers(self):
        return {node: self.cluster.postmaster(node) for node in self.cluster.nodes}

    def __enter__(self):
        self.before = self.servers()
        begun = time.time()
        self.campaign.workload.start()
        eventually(lambda: self.campaign.workload.wrote_since(begun), 60, "clients to write")
        return self

    def __exit__(self, kind, *_):
        workload = self.campaign.workload
        try:
            if kind is None:
                self.cluster.wait_whole()
                now = time.time()
                eventually(lambda: workload.wrote_since(now), 60, "clients to go on")
        finally:
            workload.stop()
        if kind is not None:
            print(self.campaign.story(240))
            return
        try:
            assert self.cluster.leader() == self.leader
            assert self.servers() == self.before, "a server was restarted"
            assert not workload.errors_on(f"on-{self.leader}")
            self.campaign.check(["renew_certificates"])
        except AssertionError:
            print(self.campaign.story(240))
            raise

    def replicas(self):
        return [node for node in self.cluster.nodes if node != self.leader]


def says_expired(cluster, node, section):
    return re.search(rf"ERROR: certificate \S+ \({section}\) has expired at .*Remedy",
                     cluster.folder.log(f"tanist-{node}")) is not None


def end_in_metrics(cluster, node, section):
    found = re.search(rf'tanist_certificate_expiry_seconds{{.*section="{section}"}} (\d+)',
                      cluster.said(node, "/metrics"))
    return int(found.group(1)) if found else 0


def is_told(cluster, node, section):
    """That it has expired, in both places."""
    return says_expired(cluster, node, section) and (
        0 < end_in_metrics(cluster, node, section) < time.time())


def renewed(cluster):
    certificates.renew(cluster)
    for node in cluster.nodes:
        for name in ("rest", "postgresql"):
            eventually(lambda at=node, what=name: certificates.shows_its_file(cluster, at, what),
                       30, f"{name} of {node} to show its new certificate")


@LONG
def test_renewal_under_load_disturbs_nobody(cluster):
    with Undisturbed(cluster):
        for _ in range(2):
            renewed(cluster)
            certificates.restart_etcd_one_by_one(cluster)


def test_a_leader_whose_certificate_has_expired_leads_on(cluster):
    with Undisturbed(cluster) as same:
        certificates.expire(cluster, same.leader, "agent")
        eventually(lambda: is_told(cluster, same.leader, "etcd3"), NOTICED_S, "log and metric")
        # One member less: the agent reads its files anew, and they do not help.
        gone = next(node for node in cluster.store_nodes if node != same.leader)
        cluster.folder.kill_one(f"etcd-{gone}")
        time.sleep(2 * TTL_S)
        cluster.start_etcd(gone)
        cluster.wait_etcd()
        assert cluster.leader() == same.leader
        renewed(cluster)
        certificates.restart_etcd_one_by_one(cluster)


@LONG
def test_replicas_that_etcd_refuses_go_on_and_come_back(cluster):
    with Undisturbed(cluster) as same:
        for node in same.replicas():
            certificates.expire(cluster, node, "agent")
        certificates.restart_etcd_one_by_one(cluster)
        for node in same.replicas():
            eventually(lambda at=node: not cluster.stored(f"members/{at}"), 60,
                       f"etcd to refuse {node}")
            eventually(lambda at=node: says_expired(cluster, at, "etcd3"), NOTICED_S, "a line")
        assert cluster.leader() == same.leader
        certificates.renew(cluster)
        for node in same.replicas():
            eventually(lambda at=node: cluster.stored(f"members/{at}"), 60, f"{node} to be back")


def connects_from_end_to_end(cluster, node):
    """As an application does that comes from elsewhere and verifies the server: what it was told,
    nothing when it got in."""
    options = {**cluster.application(), "host": cluster.address[node], "port": 15432}
    try:
        psycopg2.connect(**options, connect_timeout=3).close()
    except psycopg2.OperationalError as error:
        return str(error)
    return ""


@LONG
def test_an_expired_server_is_refused_by_new_clients_only(cluster):
    with Undisturbed(cluster) as same:
        for name, section in (("rest", "restapi"), ("postgresql", "postgresql")):
            certificates.expire(cluster, same.leader, name)
            certificates.reload_agents(cluster)
            eventually(lambda what=section: says_expired(cluster, same.leader, what), NOTICED_S,
                       "a line")
        eventually(lambda: "certificate verify failed" in connects_from_end_to_end(
            cluster, same.leader), 30, "new connections to be refused")
        time.sleep(2 * TTL_S)
        assert cluster.stored("leader") == same.leader
        renewed(cluster)
        eventually(lambda: not connects_from_end_to_end(cluster, same.leader), 30,
                   "new connections to be welcome")
