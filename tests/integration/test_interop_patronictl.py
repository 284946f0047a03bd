# SPDX-License-Identifier: Apache-2.0
"""The distribution's patronictl against tanist members, with the agent's own configuration file as
`tanistctl provision` writes it: etcd with certificates through its JSON gateway, the REST API with
TLS and a password."""

import json
import re
import subprocess

import pytest
import yaml
from cluster import NODES, Cluster
from local_servers import eventually
from plain_cluster import PATRONICTL, ctl

pytestmark = pytest.mark.skipif(not PATRONICTL.exists(), reason="Patroni is not installed")


class Ours:
    """A cluster of tanist members, and patronictl."""

    def __init__(self):
        self.cluster = Cluster()

    def patronictl(self, *words, **options):
        return ctl(PATRONICTL, self.cluster.config_file("node1"), *words, **options)

    def rows(self):
        return {row["Member"]: row
                for row in json.loads(self.patronictl("list", "-f", "json", "-e"))}


@pytest.fixture(scope="module", name="ours")
def fixture_ours():
    ours = Ours()
    try:
        ours.cluster.start()
        yield ours
    finally:
        ours.cluster.remove()


@pytest.fixture(name="cluster")
def fixture_cluster(ours):
    try:
        ours.cluster.wait_healthy()
        yield ours.cluster
    finally:
        ours.cluster.show_logs()


def replicas_of(cluster):
    leader = cluster.leader()
    return [node for node in NODES if node != leader]


def test_list_shows_the_members(ours, cluster):
    leader = cluster.leader()
    rows = ours.rows()
    assert {name: row["Role"] for name, row in rows.items()} == {
        name: "Leader" if name == leader else "Replica" for name in NODES}
    # patronictl 3 calls a streaming replica `running`, newer ones `streaming`.
    assert all(row["State"] in ("running", "streaming") for row in rows.values())
    assert all(row["Host"].startswith(cluster.address[name]) for name, row in rows.items())


def test_configuration_is_shown_and_changed(ours, cluster):
    shown = yaml.safe_load(ours.patronictl("show-config"))
    assert shown["ttl"] == 5 and shown["loop_wait"] == 1
    out = ours.patronictl("edit-config", "-p", "max_connections=45", "--force")
    assert "Configuration changed" in out
    eventually(lambda: all(row.get("Pending restart") == "*" for row in ours.rows().values()), 30,
               "all members to want a restart")
    assert cluster.leader() is not None


def test_restart_and_reload(ours, cluster):
    replica = replicas_of(cluster)[0]
    out = ours.patronictl("restart", "demo", replica, "--pending", "--force")
    assert out.endswith(f"Success: restart on member {replica}\n")
    cluster.wait_healthy()
    # The others, or a standby with fewer connections than its primary would stop replaying.
    out = ours.patronictl("restart", "demo", "--pending", "--force")
    assert out.count("Success: restart on member") == 2
    assert f"Success: restart on member {replica}" not in out
    cluster.wait_healthy()
    assert all(row.get("Pending restart") != "*" for row in ours.rows().values())
    out = ours.patronictl("reload", "demo", "--force")
    for node in NODES:
        assert f"Reload request received for member {node}" in out


def test_pause_and_resume(ours, cluster):
    assert ours.patronictl("pause", "--wait").endswith("Success: cluster management is paused\n")
    assert "Maintenance mode: on" in ours.patronictl("list")
    assert ours.patronictl("resume", "--wait").endswith("Success: cluster management is resumed\n")
    assert cluster.leader() is not None


def test_switchover_to_a_named_candidate(ours, cluster):
    leader, candidate = cluster.leader(), replicas_of(cluster)[0]
    # What it is called to give the leader changed between versions: asked, not given.
    out = ours.patronictl("switchover", answers=f"{leader}\n{candidate}\n\ny\n")
    assert f'Successfully switched over to "{candidate}"' in out, out
    cluster.wait_healthy()
    assert cluster.leader() == candidate


def test_a_scheduled_switchover_is_flushed(ours, cluster):
    out = ours.patronictl("switchover", "--scheduled", "2031-05-01T06:00:00+02:00", "--force")
    assert "Switchover scheduled" in out
    assert "Switchover scheduled at: 2031-05-01T" in ours.patronictl("list")
    assert ours.patronictl("flush", "demo", "switchover") == (
        "Success: scheduled switchover deleted\n")
    assert cluster.leader() is not None


def test_failover_to_a_named_candidate(ours, cluster):
    candidate = replicas_of(cluster)[0]
    out = ours.patronictl("failover", "--candidate", candidate, "--force")
    # Older ones name the leader, which makes it a switchover.
    assert re.search(f'Successfully (failed|switched) over to "{candidate}"', out), out
    cluster.wait_healthy()
    assert cluster.leader() == candidate


def test_history_tells_of_both_changes(ours, cluster):
    eventually(lambda: len(json.loads(ours.patronictl("history", "-f", "json"))) >= 2, 20,
               "two lines of history")
    last = json.loads(ours.patronictl("history", "-f", "json"))[-1]
    assert last["New Leader"] == cluster.leader()


def test_reinit_replaces_the_data_of_a_replica(ours, cluster):
    replica = replicas_of(cluster)[0]
    mark = cluster.data(replica) / "of_the_old_directory"
    subprocess.run(["touch", mark], check=True)
    out = ours.patronictl("reinit", "demo", replica, "--wait", "--force")
    assert f"Success: reinitialize for member {replica}\n" in out
    eventually(lambda: not mark.exists(), 30, "the old directory to be gone")
    cluster.wait_healthy()


def test_version_and_dsn(ours, cluster):
    lines = ours.patronictl("version", "demo").splitlines()[2:]
    assert sorted(line.split(":")[0] for line in lines) == NODES
    assert all(": Patroni 4." in line and " PostgreSQL " in line for line in lines)
    assert ours.patronictl("dsn").startswith(f"host={cluster.address[cluster.leader()]} ")
