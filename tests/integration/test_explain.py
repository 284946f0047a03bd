# SPDX-License-Identifier: Apache-2.0
"""A real cluster loses its leader: `whatif` has named who takes over, `explain` tells why and how
long each phase took, `replay` comes to the same decisions, an idle cluster writes nothing. The node
that shall win has the higher failover priority."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest
import yaml
from cluster import NODES, Cluster
from local_servers import eventually, run

IDLE_S = 15
TICKS = os.sysconf("SC_CLK_TCK")


class Journaled(Cluster):
    """node2 goes before node3 when both have the same WAL; the first leader is node1 or another."""

    def provision(self):
        super().provision()
        for number, node in enumerate(NODES, 1):
            config = self.config(node)
            config["tags"] = {**(config.get("tags") or {}), "failover_priority": number}
            config["bootstrap"]["dcs"].setdefault("postgresql", {})["authentication"] = {
                "rewind": {"username": "nobody", "password": "never-to-be-seen"}}
            self.config_file(node).write_text(yaml.safe_dump(config), encoding="utf-8")

    def journal(self, node):
        return pathlib.Path(f"{self.data(node)}.journal/tanist.journal")

    def copy_of_journal(self, node):
        """Readable for whoever runs the test, and no longer written to."""
        copy = self.folder.path / f"{node}.journal"
        shutil.copy(self.journal(node), copy)
        self.folder.give(copy)
        return copy

    def explain(self, *words):
        done = self.ctl("explain", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def cpu_seconds(self, node):
        """Of the agent so far."""
        pid = self.folder.started[f"tanist-{node}"].pid
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
        user, system = fields.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / TICKS


@pytest.fixture(scope="module", name="cluster")
def fixture_cluster():
    cluster = Journaled()
    try:
        yield cluster.start()
    finally:
        cluster.show_logs()
        cluster.remove()


def heir_of(old):
    """Who is left with the highest priority."""
    return [node for node in NODES if node != old][-1]


def all_equal(cluster):
    """Every replica has received what the leader has written."""
    connection = cluster.superuser(cluster.leader())
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_replication "
                       "WHERE flush_lsn = pg_current_wal_flush_lsn()")
        count = cursor.fetchone()[0]
    connection.close()
    return count == len(NODES) - 1


def test_the_bootstrap_is_told(cluster):
    report = json.loads(cluster.explain("-f", "json", "--since", "600"))
    first = report["incidents"][0]
    assert first["cause"] == "bootstrap"
    assert first["new_leader"] == cluster.leader()
    assert len([s for s in report["sources"] if "entries" in s]) == len(NODES), report["sources"]


def test_an_idle_cluster_writes_nothing(cluster, record_property):
    time.sleep(3)  # what a start leaves to be done
    sizes = {node: cluster.journal(node).stat().st_size for node in NODES}
    before = {node: cluster.cpu_seconds(node) for node in NODES}
    time.sleep(IDLE_S)
    grown = {node: cluster.journal(node).stat().st_size - sizes[node] for node in NODES}
    used = {node: cluster.cpu_seconds(node) - before[node] for node in NODES}
    record_property("idle_journal_bytes", sum(grown.values()))
    record_property("idle_cpu_s_per_minute",
                    round(max(used.values()) * 60 / IDLE_S, 3))
    print(f"bytes in {IDLE_S} s: {grown}; CPU s: {used}")
    assert not any(grown.values()), grown


def test_a_lost_leader_is_foretold_and_explained(cluster, record_property):
    old = cluster.leader()
    eventually(lambda: all_equal(cluster), 30, "all replicas to have everything")
    foretold = json.loads(must(cluster.ctl("whatif", "-f", "json")))
    assert foretold["failing"] == old and foretold["is_leader"]
    heirs = [p["member"] for p in foretold["prospects"] if p["takes_over"]]
    assert heirs == [heir_of(old)], foretold
    replica = [node for node in NODES if node != old][0]
    assert f"{old} stays the leader" in must(cluster.ctl("whatif", replica))

    cluster.kill_node(old)
    assert cluster.wait_leader_other_than(old) == heirs[0]
    eventually(lambda: told(cluster, heirs[0]), 30, "the digest and the first health check")
    report = json.loads(must(explain_by(cluster, heirs[0], "-f", "json")))
    incident = report["incidents"][-1]
    print(json.dumps(incident, indent=1))
    assert incident["old_leader"] == old and incident["new_leader"] == heirs[0]
    assert incident["cause"] == "silence"
    phases = incident["phases"]
    assert phases["lease_ms"] > 0 and phases["promote_ms"] > 0, phases
    assert phases["race_ms"] >= 0 and phases["routing_ms"] >= 0, phases
    assert incident["total_ms"] == sum(ms for name, ms in phases.items() if name.endswith("_ms"))
    assert any("without a release" in text for text in incident["evidence"]), incident
    loser = [node for node in NODES if node not in (old, heirs[0])][0]
    voice = [v["text"] for v in incident["voices"] if v["member"] == loser]
    # It was slower than the winner or found a better candidate, in words of its own.
    words = ("was still looking at its own server", "was still asking the other members",
             f"{heirs[0]} has equally tolerable WAL position")
    assert voice and any(word in voice[0] for word in words), incident
    for name, value in phases.items():
        record_property(name, value)

    cluster.start_node(old)
    cluster.wait_healthy()
    incident = json.loads(cluster.explain("-f", "json"))["incidents"][-1]
    assert incident["cause"] == "silence"
    text = cluster.explain()
    assert f"{heirs[0]} took over from {old}" in text and "fell silent" in text, text
    assert "| promote |" in cluster.explain("-f", "markdown")


def test_a_switchover_is_told_by_its_old_leader(cluster):
    old = cluster.leader()
    told = must(cluster.ctl("switchover", "--force"))
    assert re.search(r"^No primary for \d+ ms: .*\d+ ms to promote", told, re.M), told
    new = cluster.wait_leader_other_than(old)
    cluster.wait_healthy()
    incident = json.loads(cluster.explain("-f", "json"))["incidents"][-1]
    assert (incident["cause"], incident["old_leader"], incident["new_leader"]) == \
        ("switchover", old, new), incident
    assert incident["phases"]["detection_ms"] >= 0


def test_replay_comes_to_the_same_decisions(cluster):
    for node in NODES:
        done = cluster.ctl("replay", cluster.copy_of_journal(node))
        assert done.returncode == 0, done.stdout + done.stderr
        assert " 0 differ" in done.stdout, done.stdout


def test_replay_shows_a_difference(cluster):
    """A journal that says that somebody else decided."""
    lines = cluster.copy_of_journal(NODES[0]).read_text(encoding="utf-8").splitlines()
    entry = next(json.loads(line) for line in lines if '"decided"' in line)
    entry["decided"]["decision"]["why"]["reason"] = "race_lost"
    file = cluster.folder.write("forged.journal", json.dumps(entry) + "\n")
    done = cluster.ctl("replay", file)
    assert done.returncode == 1
    assert 'was "race_lost"' in done.stdout, done.stdout


def test_journals_are_readable_without_the_cluster(cluster):
    files = [word for node in NODES for word in ("--file", cluster.copy_of_journal(node))]
    report = json.loads(cluster.explain("-f", "json", "--since", "3600", *files))
    causes = [incident["cause"] for incident in report["incidents"]]
    assert causes == ["bootstrap", "silence", "switchover"], causes


def test_no_password_is_in_a_journal(cluster):
    secrets = ["never-to-be-seen"] + [
        file.read_text(encoding="utf-8").strip()
        for file in (cluster.files / "secrets").iterdir() if file.is_file()]
    for node in NODES:
        text = cluster.journal(node).read_text(encoding="utf-8")
        assert "********" in text
        found = [secret for secret in secrets if len(secret) > 5 and secret in text]
        assert not found, found


def test_strangers_do_not_get_the_journal(cluster):
    """As the unsafe endpoints: whoever has no certificate is refused."""
    status, body = cluster.get(NODES[0], "/journal")
    assert status == 403, body[:200]


@pytest.mark.skipif(shutil.which("patronictl") is None, reason="Patroni is not installed")
def test_patronictl_does_not_mind_the_key(cluster):
    done = subprocess.run(["patronictl", "-c", cluster.config_file("node1"), "list", "-f", "json"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert {member["Member"] for member in json.loads(done.stdout)} == set(NODES)


def must(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def explain_by(cluster, node, *words):
    """By the configuration of a node that lives."""
    return run(cluster.folder.path / "tanistctl", "-c", cluster.config_file(node), "explain",
               *words)


def told(cluster, node):
    done = explain_by(cluster, node, "-f", "json")
    if done.returncode != 0:
        return False
    incidents = json.loads(done.stdout)["incidents"]
    return bool(incidents) and incidents[-1]["new_leader"] == node \
        and "routing_ms" in incidents[-1]["phases"]
