# SPDX-License-Identifier: Apache-2.0
"""The guard in a real cluster, at the shortest lease (ttl 3): whatever is done to agent, guard and
server, no two servers accept writes at once. Seen in two ways: by the servers' own WAL, and live by
one prober for each server. Suspended machines cannot be made here."""

import json
import os
import pathlib
import signal

import pytest
import yaml
from cluster import NODES, Cluster, Kept
from local_servers import eventually, trace_of
from wal_proof import check_one_after_the_other, keep_wal
from writer import Writer

TIMING = {"ttl": 3, "loop_wait": 1, "retry_timeout": 1}
GONE_S, TAKEN_S = 10, 30  # limits for slow machines
HOOK = """#!/bin/sh
# Freezes the process whose number is in the file, once.
if [ -e "$0.freeze" ]; then
  pid=$(cat "$0.freeze"); rm "$0.freeze"; kill -STOP "$pid"
fi
exit 0
"""


class GuardedCluster(Cluster):
    """Its agents can be frozen where a hook of theirs runs, and its guards be named."""

    def provision(self):
        super().provision()
        for node in NODES:
            hooks = {step: self.folder.write(f"hooks/{node}-{step}", HOOK, 0o755)
                     for step in ("pre_promote", "on_role_change")}
            config = self.config(node)
            config["postgresql"]["pre_promote"] = str(hooks["pre_promote"])
            config["postgresql"]["callbacks"] = {"on_role_change": str(hooks["on_role_change"])}
            self.config_file(node).write_text(yaml.safe_dump(config), encoding="utf-8")

    def agent(self, node):
        return self.folder.started[f"tanist-{node}"].pid

    def freeze_agent_at(self, node, step):
        self.folder.write(f"hooks/{node}-{step}.freeze", str(self.agent(node)))

    def kill_agent(self, node):
        os.kill(self.agent(node), signal.SIGKILL)
        self.folder.exit_code(f"tanist-{node}")

    def wake_everything(self):
        for pid in self.folder.processes():
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass  # ended meanwhile

    def guards(self, node):
        return [pid for pid in self.folder.processes(self.files / node)
                if "tanist-guard watch" in trace_of(pid)]

    def servers(self, node):
        """Pids of the node's server, orphans too."""
        found = {pid: trace_of(pid) for pid in self.folder.processes(self.files / node)}
        return [pid for pid, trace in found.items()
                if "/postgres" in trace.partition(" ")[0] and f" {self.data(node)} " in trace]

    def guard_of(self, node):
        """As the agent publishes it: {mode, state}; empty while it does not answer."""
        try:
            return json.loads(self.get(node, "/patroni")[1])["tanist"]["guard"]
        except (OSError, ValueError, KeyError):
            return {}

    def timeline(self, node):
        """Of a primary, by its server: what its member says follows a moment later."""
        name = self.query(node, "SELECT pg_walfile_name(pg_current_wal_insert_lsn())")[0][0]
        return int(name[:8], 16)


def is_frozen(pid):
    status = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    return status.rpartition(")")[2].split()[0] == "T"


class Probers:
    """One for each server, past HAProxy: each tries to write all the time."""

    def __init__(self, cluster):
        self.of = {node: Writer(cluster.superuser_options(node, "app")) for node in NODES}
        for prober in self.of.values():
            prober.start()

    def stop(self):
        for prober in self.of.values():
            prober.stop()

    def check_one_after_the_other(self, old, new, since):
        """No row of the old server was acknowledged after the first one of the new."""
        first = min(at for at in self.of[new].times if at > since)
        last = max((at for at in self.of[old].times if at < first + 3600), default=0.0)
        assert last < first, f"{old} acknowledged {last - first:.3f} s after {new} had"


@pytest.fixture(scope="module", name="kept")
def fixture_kept():
    kept = Kept(lambda: GuardedCluster(timing=TIMING))
    yield kept
    kept.drop()


@pytest.fixture(name="cluster")
def fixture_cluster(kept):
    try:
        yield kept.healthy()
    finally:
        if kept.cluster is not None:
            kept.cluster.wake_everything()
            kept.cluster.show_logs()


@pytest.fixture(name="probers")
def fixture_probers(cluster):
    cluster.start_writer().stop()  # an empty table
    probers = Probers(cluster)
    leader = cluster.leader()
    eventually(lambda: probers.of[leader].times, 20, "the leader's prober to write")
    yield probers
    for prober in probers.of.values():
        prober.ended.set()


def proven(cluster, probers, old, since, record_property):
    """The server of `old` is gone, another has taken over: by WAL and live. Returns its node."""
    eventually(lambda: not cluster.servers(old), GONE_S, f"the server of {old} to be gone")
    wal = keep_wal(cluster, old, f"wal-of-{old}-{since}")
    new = cluster.wait_leader_other_than(old, TAKEN_S)
    eventually(lambda: probers.of[new].last() > since, TAKEN_S, f"{new} to take writes")
    pause = check_one_after_the_other(wal, cluster, new, cluster.timeline(new))
    probers.check_one_after_the_other(old, new, since)
    record_property("seconds_between_writers", pause)
    print(f"seconds between the last commit and the promotion: {pause:.3f}")
    return new


def test_an_agent_that_is_killed_and_restarted_leaves_no_gap(cluster, record_property):
    leader, writer = cluster.leader(), cluster.start_writer()
    postmaster, guard = cluster.postmaster(leader), cluster.guards(leader)
    timeline = cluster.timeline(leader)
    cluster.kill_agent(leader)
    cluster.start_agent(leader)
    eventually(lambda: cluster.guard_of(leader).get("state") == "armed", 20, "an armed guard")
    since = writer.last()
    eventually(lambda: writer.wrote_since(since), 20, "writes")
    eventually(lambda: cluster.leader() == leader, 20, "the same leader")
    record_property("longest_gap_s", writer.longest_gap())
    cluster.check_nothing_lost(writer)
    assert not writer.errors, writer.errors
    assert cluster.postmaster(leader) == postmaster and cluster.guards(leader) == guard
    assert cluster.timeline(leader) == timeline


def test_a_killed_guard_is_replaced_and_the_server_goes_on(cluster):
    leader, writer = cluster.leader(), cluster.start_writer()
    postmaster, (guard,) = cluster.postmaster(leader), cluster.guards(leader)
    os.kill(guard, signal.SIGKILL)
    eventually(lambda: cluster.guards(leader) not in ([], [guard]), 10, "another guard")
    eventually(lambda: cluster.guard_of(leader).get("state") == "armed", 10, "an armed guard")
    cluster.check_nothing_lost(writer)
    assert not writer.errors, writer.errors
    assert cluster.postmaster(leader) == postmaster


def test_an_agent_that_is_killed_for_good_is_fenced(cluster, probers, record_property):
    old = cluster.leader()
    since = probers.of[old].last()
    cluster.kill_agent(old)
    proven(cluster, probers, old, since, record_property)
    cluster.start_agent(old)
    cluster.wait_healthy()


def test_a_frozen_process_group_is_fenced(cluster, probers, record_property):
    old = cluster.leader()
    since = probers.of[old].last()
    os.killpg(os.getpgid(cluster.agent(old)), signal.SIGSTOP)
    proven(cluster, probers, old, since, record_property)
    os.killpg(os.getpgid(cluster.agent(old)), signal.SIGCONT)
    cluster.wait_healthy()
    assert cluster.members()[old]["role"] == "replica"


def test_busy_backends_of_a_killed_postmaster_are_fenced(cluster, probers, record_property):
    old = cluster.leader()
    busy = cluster.superuser(old)
    backend = busy.info.backend_pid
    busy.cursor().execute("CREATE TABLE IF NOT EXISTS busy (number int)")
    endless = cluster.folder.start(
        "endless", "psql", "-X", "-d",
        " ".join(f"{name}={value}" for name, value in cluster.superuser_options(old).items()),
        "-c", "DO $$ BEGIN LOOP INSERT INTO busy VALUES (1); COMMIT; END LOOP; END $$")
    count = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO $$%' AND state = 'active'"

    def is_busy():
        cursor = busy.cursor()
        cursor.execute(count)
        return cursor.fetchone()[0] == 1
    eventually(is_busy, 20, "a busy backend")
    since = probers.of[old].last()
    os.kill(cluster.agent(old), signal.SIGSTOP)
    cluster.kill_postmaster(old)
    assert backend not in (None, 0)
    assert len(cluster.servers(old)) > 0, "no backend survived the postmaster"
    proven(cluster, probers, old, since, record_property)
    endless.wait(20)
    os.kill(cluster.agent(old), signal.SIGCONT)
    cluster.wait_healthy()


@pytest.mark.parametrize("step", ["pre_promote", "on_role_change"])
def test_an_agent_that_freezes_while_it_takes_over(cluster, probers, record_property, step):
    """Frozen after the lock was won: before the promotion, or right after it was ordered. It wakes
    when somebody else has promoted, and must do nothing with a lock that it no longer has."""
    old = cluster.leader()
    winner = next(node for node in NODES if node != old)
    cluster.freeze_agent_at(winner, step)
    done = cluster.ctl("switchover", "--leader", old, "--candidate", winner, "--force")
    print(done.stdout, done.stderr)
    eventually(lambda: is_frozen(cluster.agent(winner)), 20, f"{winner} to freeze")
    since = probers.of[winner].last()
    if step == "on_role_change":
        new = proven(cluster, probers, winner, since, record_property)
    else:
        new = cluster.wait_leader_other_than(winner, TAKEN_S)
        eventually(lambda: probers.of[new].last() > since, TAKEN_S, f"{new} to take writes")
    timeline = cluster.timeline(new)
    os.kill(cluster.agent(winner), signal.SIGCONT)
    cluster.wait_healthy()
    assert cluster.members()[winner]["role"] == "replica"
    assert cluster.leader() == new and cluster.timeline(new) == timeline


def test_without_its_required_guard_a_node_takes_no_lock(cluster):
    old = cluster.leader()
    bare = next(node for node in NODES if node != old)
    cluster.stop_agent(bare)
    program = cluster.files / bare / "bin/tanist-guard"
    config = cluster.config(bare)
    config["guard"] = {"mode": "required"}
    cluster.config_file(bare).write_text(yaml.safe_dump(config), encoding="utf-8")
    cluster.start_agent(bare)
    eventually(lambda: cluster.guard_of(bare) == {"mode": "required", "state": "disarmed"}, 20,
               "the required guard")
    cluster.wait_healthy()
    program.rename(program.with_suffix(".away"))
    for pid in cluster.guards(bare):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: cluster.guard_of(bare).get("state") == "absent", 20, "no guard")
    done = cluster.ctl("switchover", "--leader", old, "--candidate", bare, "--force")
    assert f"Member {bare} is without the guard that it requires" in done.stdout, done.stdout
    assert cluster.leader() == old, "nobody was stopped for it"
    program.with_suffix(".away").rename(program)
    eventually(lambda: cluster.guard_of(bare).get("state") == "disarmed", 30, "the guard again")
    cluster.wait_healthy()
