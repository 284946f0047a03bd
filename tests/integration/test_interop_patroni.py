# SPDX-License-Identifier: Apache-2.0
"""tanistctl against members that run the distribution's Patroni: what patronictl can do with them,
it can do, too."""

import json

import pytest
import yaml
from local_servers import eventually
from plain_cluster import PATRONI, TIMING, PlainCluster, ctl, place_tanistctl

pytestmark = pytest.mark.skipif(not PATRONI.exists(), reason="Patroni is not installed")
LATER = "2031-05-01T06:00:00+02:00"


class Patronis:
    """The cluster, and tanistctl with the configuration file of its first member."""

    def __init__(self):
        self.cluster = PlainCluster("patroni")
        self.program = place_tanistctl(self.cluster.folder)

    def ctl(self, *words, **options):
        return ctl(self.program, self.cluster.file_of("a1"), *words, **options)

    def rows(self, *words):
        return json.loads(self.ctl("list", "-f", "json", *words))

    def sql(self, text, *words):
        return self.ctl("query", "-c", text, "-U", "postgres", "-d", "postgres", *words)


@pytest.fixture(scope="module", name="patronis")
def fixture_patronis():
    patronis = Patronis()
    try:
        patronis.cluster.start()
        yield patronis
    finally:
        patronis.cluster.folder.remove()


@pytest.fixture(name="cluster")
def fixture_cluster(patronis):
    try:
        patronis.cluster.wait_healthy()
        yield patronis.cluster
    finally:
        patronis.cluster.folder.show_logs()


def test_list_and_topology_show_the_members(patronis, cluster):
    leader, replica = cluster.leader(), cluster.replica()
    rows = {row["Member"]: row for row in patronis.rows()}
    assert rows[leader]["Role"] == "Leader" and rows[leader]["State"] == "running"
    assert rows[replica]["Role"] == "Replica" and rows[replica]["Host"] == cluster.address[replica]
    topology = patronis.ctl("topology")
    assert topology.startswith("+ Cluster: shop (")
    assert topology.index(f"| {leader} ") < topology.index(f"| + {replica} ")


def test_dsn_and_query_reach_the_servers(patronis, cluster):
    leader, replica = cluster.leader(), cluster.replica()
    assert patronis.ctl("dsn") == f"host={cluster.address[leader]} port=5432\n"
    assert patronis.ctl("dsn", "-m", replica) == f"host={cluster.address[replica]} port=5432\n"
    question = "SELECT pg_is_in_recovery() AS standby, 1 AS one, NULL AS nothing"
    assert patronis.sql(question) == "standby\tone\tnothing\nFalse\t1\tNone\n"
    assert json.loads(patronis.sql(question, "-r", "replica", "--format", "json")) == [
        {"standby": True, "one": 1, "nothing": None}]
    assert patronis.sql("selec").split("\t")[1] == "ERROR, SQLSTATE: 42601\n"
    assert patronis.sql("CHECKPOINT").split("\t")[1] == "ERROR, SQLSTATE: no results to fetch\n"
    assert "No connection to role 'standby-leader' is available" in patronis.sql(
        "SELECT 1", "-r", "standby-leader")
    assert patronis.sql("SELECT 1", "--format", "no such") == ""


def test_configuration_is_shown_and_changed(patronis, cluster):
    expected = {**TIMING, "postgresql": {"use_pg_rewind": True}}
    assert patronis.ctl("show-config") == yaml.safe_dump(expected) + "\n"
    out = patronis.ctl("edit-config", "-p", "max_connections=30", "--force")
    assert out.endswith("Configuration changed\n")
    eventually(lambda: all(row.get("Pending restart") == "*" for row in patronis.rows()), 30,
               "both members to want a restart")
    assert cluster.leader() is not None


def test_restart_reload_and_version(patronis, cluster):
    leader, replica = cluster.leader(), cluster.replica()
    out = patronis.ctl("restart", "shop", replica, "--pending", answers="\ny\n\n")
    assert f"Are you sure you want to restart members {replica}? [y/N]: " in out
    assert out.endswith(f"Success: restart on member {replica}\n")
    out = patronis.ctl("restart", "shop", "--force")
    assert f"Success: restart on member {leader}\n" in out
    assert f"Success: restart on member {replica}\n" in out
    assert patronis.sql("SHOW max_connections").endswith("\n30\n")
    out = patronis.ctl("reload", "shop", "--force")
    for member in cluster.address:
        assert (f"Reload request received for member {member} and will be processed within 1 "
                "seconds\n") in out
    versions = patronis.ctl("version", "shop").splitlines()
    assert versions[0].startswith("tanistctl version ") and versions[1] == ""
    assert all(" PostgreSQL " in line and ": Patroni " in line for line in versions[2:])


def test_pause_and_resume(patronis, cluster):
    out = patronis.ctl("pause", "--wait")
    assert out.splitlines() == ["'pause' request sent, waiting until it is recognized by all nodes",
                                "Success: cluster management is paused"]
    assert patronis.ctl("list").endswith(" Maintenance mode: on\n")
    assert "Cluster is already paused" in patronis.ctl("pause", code=1)
    assert "Can't schedule switchover in the paused state" in patronis.ctl(
        "switchover", "--scheduled", LATER, "--force", code=1)
    assert patronis.ctl("resume", "--wait").endswith("Success: cluster management is resumed\n")
    assert cluster.leader() is not None


def test_what_is_scheduled_is_shown_and_flushed(patronis, cluster):
    leader, replica = cluster.leader(), cluster.replica()
    assert patronis.ctl("flush", "shop", "switchover") == "No pending scheduled switchover\n"
    out = patronis.ctl("switchover", "--scheduled", LATER, "--candidate", replica, "--force")
    assert " Switchover scheduled\n" in out
    assert patronis.ctl("list").endswith(f" Switchover scheduled at: {LATER}\n"
                                         f"                    from: {leader}\n"
                                         f"                      to: {replica}\n")
    assert patronis.ctl("flush", "shop", "switchover") == "Success: scheduled switchover deleted\n"
    out = patronis.ctl("restart", "shop", replica, "--scheduled", LATER, "--force")
    assert out.endswith(f"Success: restart scheduled on member {replica}\n")
    eventually(lambda: any("Scheduled restart" in row for row in patronis.rows()), 20,
               "the scheduled restart to be published")
    out = patronis.ctl("flush", "shop", "restart", answers="y\n")
    assert "Are you sure you want to flush members a1, a2? [y/N]: " in out
    assert f"No scheduled restart for member {leader}\n" in out
    assert f"Success: flush scheduled restart for member {replica}\n" in out


def test_switchover_moves_the_leader(patronis, cluster):
    leader, replica = cluster.leader(), cluster.replica()
    out = patronis.ctl("switchover", answers=f"{leader}\n{replica}\n\ny\n")
    assert f"Primary [{leader}]: Candidate ['{replica}'] []: When should the switchover" in out
    assert f'Successfully switched over to "{replica}"\n' in out
    cluster.wait_healthy()
    assert cluster.leader() == replica
    # New history is written once the new leader's timeline is known.
    eventually(lambda: len(patronis.ctl("history", "-f", "tsv").splitlines()) == 2, 20, "history")


def test_failover_goes_to_the_candidate(patronis, cluster):
    leader, replica = cluster.leader(), cluster.replica()
    assert "Failover could be performed only to a specific candidate" in patronis.ctl(
        "failover", "--force", code=1)
    assert f"Member {leader} is already the leader of cluster shop" in patronis.ctl(
        "failover", "--candidate", leader, "--force", code=1)
    # Patroni refuses a replica that has only just joined: told, and no error.
    eventually(lambda: f'Successfully failed over to "{replica}"\n' in patronis.ctl(
        "failover", "--candidate", replica, "--force"), 30, "the failover to be accepted")
    cluster.wait_healthy()
    assert cluster.leader() == replica


def test_reinit_replaces_the_data_of_a_replica(patronis, cluster):
    leader, replica = cluster.leader(), cluster.replica()
    assert "Error: No replica among provided members" in patronis.ctl(
        "reinit", "shop", leader, code=1)
    assert "Error: x is not a member of cluster" in patronis.ctl(
        "reinit", "shop", answers="x\n", code=1)
    # Without a name and under force nobody is touched.
    assert "Success" not in patronis.ctl("reinit", "shop", "--force")
    mark = cluster.place(replica) / "data" / "of_the_old_directory"
    mark.touch()
    out = patronis.ctl("reinit", "shop", replica, "--wait", answers="y\n")
    assert out.endswith(f"Are you sure you want to reinitialize members {replica}? [y/N]: "
                        f"Success: reinitialize for member {replica}\n"
                        f"Waiting for reinitialize to complete on: {replica}\n"
                        f"Reinitialize is completed on: {replica}\n")
    assert not mark.exists()
    cluster.wait_healthy()


def test_doctor_finds_nothing_wrong_until_something_is(patronis, cluster):
    # Of etcd there is one member, perhaps an old one: warnings.
    out = patronis.ctl("doctor")
    assert "ok       dynamic configuration: every value can be used\n" in out
    for member in cluster.address:
        assert f"ok       member {member}: Patroni " in out
    replica = cluster.replica()
    cluster.folder.stop(f"patroni-{replica}")
    out = patronis.ctl("doctor", "-q", code=1)
    assert f"wrong    replication to {replica}: the server is stopped\n" in out
    assert f"wrong    member {replica}: REST API: " in out
    assert "Error: 3 things are wrong, see above\n" in out
    cluster.start_agent(replica)
    cluster.wait_healthy()


def test_remove_wants_certainty_and_deletes_the_keys(patronis, cluster):
    leader = cluster.leader()
    answers = ["other\n", "shop\nyes\n", f"shop\nYes I am aware\n{cluster.replica()}\n"]
    errors = ["Cluster names specified do not match", 'You did not exactly type "Yes I am aware"',
              "You did not specify the current leader of the cluster"]
    for answer, error in zip(answers, errors):
        assert f"Error: {error}\n" in patronis.ctl("remove", "shop", answers=answer, code=1)
    assert patronis.rows()
    for member in cluster.address:
        cluster.folder.kill(cluster.place(member))
    out = patronis.ctl("remove", "shop", answers=f"shop\nYes I am aware\n{leader}\n")
    assert out.endswith("Please specify the leader name to continue: ")
    assert patronis.rows() == []
