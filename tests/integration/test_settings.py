# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL's settings on a real cluster: files that the agent writes and includes, names and
passwords with every kind of character, slot names that clash, and parameters that a standby may not
have smaller than its primary (trap 112), raised and lowered in the wrong order."""

import json
import time

import psycopg2
import plain_cluster
import pytest
from local_servers import eventually, must_run
from plain_cluster import PlainCluster, ctl, place_tanistctl

MEMBERS = ["a-1", "b.2", "c"]
SUPERUSER = "it's a \"quoted\" \\ pass word: 100% $HOME `id` #"
REPLICATION = "r'e \\p\" l: \\\\"
HBA = ["local all all trust",
       "host all postgres 127.0.0.0/8 scram-sha-256",
       "host replication replicator 127.0.0.0/8 scram-sha-256",
       "host all all 127.0.0.0/8 reject"]
IDENT = ["operators /^ops_(.*)$ \\1", "operators postgres \"postgres\""]


class Hostile(PlainCluster):
    """A folder with a quote and a space, passwords that need each kind of quoting."""

    def configuration(self, member):
        document = super().configuration(member)
        del document["bootstrap"]["pg_hba"]
        # PostgreSQL 13 would make passwords that scram-sha-256 does not accept.
        document["bootstrap"]["initdb"].append({"auth-host": "scram-sha-256"})
        server = document["postgresql"]
        server["data_dir"] = str(self.place(member) / "da'ta of it")
        server["authentication"]["superuser"]["password"] = SUPERUSER
        server["authentication"]["replication"]["password"] = REPLICATION
        server["custom_conf"] = str(self.custom_conf(member))
        server["pg_hba"], server["pg_ident"] = HBA, IDENT
        server["parameters"]["application_name"] = "it's \\ ours"
        return document

    def describe(self, member, configuration=None):
        super().describe(member, configuration)
        self.folder.write(self.custom_conf(member).relative_to(self.folder.path),
                          "work_mem = '11MB'\nshared_buffers = '20MB'\n"
                          "password_encryption = 'scram-sha-256'\n")

    def custom_conf(self, member):
        return self.place(member) / "by hand.conf"

    def query(self, member, statement, **options):
        return super().query(member, statement, **{"password": SUPERUSER, **options})

    def data(self, member):
        return self.place(member) / "da'ta of it"


@pytest.fixture(scope="module", name="kept")
def fixture_kept():
    yield from plain_cluster.kept(Hostile(members=MEMBERS))


@pytest.fixture(name="cluster")
def fixture_cluster(kept):
    yield from plain_cluster.healthy(kept)


def tanistctl(cluster, *words):
    return ctl(place_tanistctl(cluster.folder), cluster.file_of("c"), *words)


def replicas(cluster):
    leader = cluster.leader()
    return [member for member in MEMBERS if member != leader]


# ---- Files ----------------------------------------------------------------------------------


def test_the_custom_file_is_included_and_what_is_configured_beats_it(cluster):
    for member in MEMBERS:
        assert cluster.value(member, "SHOW work_mem") == "11MB"
        assert cluster.value(member, "SHOW shared_buffers") == "16MB"
        assert not (cluster.data(member) / "postgresql.base.conf").exists()
        assert cluster.value(member, "SHOW application_name",
                             application_name=None) == "it's \\ ours"


def test_access_rules_come_from_the_configuration_and_follow_it(cluster):
    leader = cluster.leader()
    written = (cluster.data(leader) / "pg_ident.conf").read_text(encoding="utf-8")
    assert written.splitlines()[2:] == IDENT
    started = cluster.query(leader, "SELECT pg_postmaster_start_time()")
    cluster.query(leader, "CREATE ROLE guest LOGIN PASSWORD 'g'")
    with pytest.raises(psycopg2.OperationalError, match="reject"):
        cluster.query(leader, "SELECT 1", user="guest", password="g")
    cluster.change(leader, pg_hba=HBA[:-1] + ["host all guest 127.0.0.0/8 scram-sha-256"],
                   pg_ident=IDENT[:1])
    eventually(lambda: cluster.value(leader, "SELECT 1", user="guest", password="g") == 1, 20,
               "the guest to be admitted")
    written = (cluster.data(leader) / "pg_ident.conf").read_text(encoding="utf-8")
    assert written.splitlines()[2:] == IDENT[:1]
    assert cluster.query(leader, "SELECT pg_postmaster_start_time()") == started


def test_recovery_settings_follow_the_configuration(cluster):
    replica = replicas(cluster)[0]
    started = cluster.query(replica, "SELECT pg_postmaster_start_time()")
    cluster.change(replica, recovery_conf={"recovery_min_apply_delay": "1min"})
    try:
        eventually(lambda: cluster.value(replica, "SHOW recovery_min_apply_delay") == "1min", 30,
                   "the replica to wait before it replays")
        cluster.query(cluster.leader(), "CREATE TABLE late AS SELECT 1 AS n")
        eventually(lambda: (cluster.members()[replica].get("replay_lag") or 0) > 0 and
                   cluster.members()[replica]["receive_lag"] == 0, 20, "only the replay to lag")
        assert cluster.value(replica, "SELECT to_regclass('late')") is None
    finally:
        cluster.change(replica, recovery_conf={})
    eventually(lambda: cluster.value(replica, "SELECT to_regclass('late')") == "late", 30,
               "the row to be replayed")
    assert cluster.query(replica, "SELECT pg_postmaster_start_time()") == started


# ---- Names ----------------------------------------------------------------------------------


def test_members_that_share_a_slot_name_are_named_once(cluster):
    """Only one of them could stream. The second one is a member key and nothing else."""
    said = "Following cluster members share a replication slot name: a-1, a.1 map to a_1"
    value = json.dumps({"state": "running", "role": "replica", "tanist": "0.1.0",
                        "conn_url": "postgres://127.0.0.1:1/postgres",
                        "api_url": "http://127.0.0.1:1/patroni"})
    etcdctl = ["etcdctl", "--endpoints", f"{cluster.etcd}:2379"]
    must_run(*etcdctl, "put", "/service/shop/members/a.1", value)
    try:
        for member in MEMBERS:
            eventually(lambda member=member: said in cluster.log(member), 10, f"a line of {member}")
        time.sleep(3)
        assert [cluster.log(member).count(said) for member in MEMBERS] == [1, 1, 1]
    finally:
        must_run(*etcdctl, "del", "/service/shop/members/a.1")


# ---- Parameters that a standby may not have smaller -----------------------------------------


def max_connections(cluster, member):
    return cluster.value(member, "SHOW max_connections")


def waits_for_restart(cluster, member):
    return cluster.status(member).get("pending_restart_reason", {}).get("max_connections")


def restart(cluster, member):
    told = tanistctl(cluster, "restart", "shop", member, "--force")
    assert told.endswith(f"Success: restart on member {member}\n")


def test_a_switchover_to_the_first_member_with_more_makes_all_have_more(cluster):
    """The others replay from a primary with more than they were started with: PostgreSQL pauses or
    ends, and they come back with what it needs."""
    old = cluster.leader()
    first, last = replicas(cluster)
    before = max_connections(cluster, last)
    cluster.patch({"postgresql": {"parameters": {"max_connections": 131}}})
    for member in MEMBERS:
        eventually(lambda member=member: waits_for_restart(cluster, member) ==
                   {"old_value": before, "new_value": "131"}, 30, f"{member} to want a restart")
    assert "Pending restart" in tanistctl(cluster, "list")
    restart(cluster, first)
    assert max_connections(cluster, first) == "131"
    cluster.wait_healthy()
    tanistctl(cluster, "switchover", "--leader", old, "--candidate", first, "--force")
    eventually(lambda: cluster.leader() == first, 30, f"{first} to lead")
    cluster.query(first, "CREATE TABLE after AS SELECT 1 AS n")
    for member in (last, old):
        eventually(lambda member=member: cluster.value(member, "SELECT to_regclass('after')") ==
                   "after" and max_connections(cluster, member) == "131", 60,
                   f"{member} to replay with as many connections as its primary")
        eventually(lambda member=member: not cluster.status(member).get("pending_restart"), 20,
                   "nothing to wait for a restart")


def test_less_is_reached_by_restarting_the_primary_first(cluster):
    leader, replica = cluster.leader(), replicas(cluster)[0]
    cluster.patch({"postgresql": {"parameters": {"max_connections": 57}}})
    eventually(lambda: waits_for_restart(cluster, replica), 30, "the replica to want a restart")
    restart(cluster, replica)
    assert max_connections(cluster, replica) == "131", "as many as its primary may use"
    wanted = {"old_value": "131", "new_value": "57"}
    eventually(lambda: waits_for_restart(cluster, replica) == wanted, 20, "it to be told")
    restart(cluster, leader)
    assert max_connections(cluster, leader) == "57"
    eventually(lambda: cluster.leader() == leader, 20, "the leader to lead again")
    assert max_connections(cluster, replica) == "131"
    # What the primary wrote of its new settings has to arrive first.
    position = cluster.value(leader, "SELECT pg_current_wal_lsn()")
    eventually(lambda: cluster.value(
        replica, f"SELECT pg_last_wal_replay_lsn() >= '{position}'"), 30, "the replica to replay")
    cluster.query(replica, "CHECKPOINT")
    restart(cluster, replica)
    eventually(lambda: max_connections(cluster, replica) == "57", 20, "the replica to have less")
    eventually(lambda: not cluster.status(replica).get("pending_restart"), 20, "nothing to wait")
    assert (cluster.data(replica) / "standby.signal").exists()
