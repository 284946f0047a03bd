# SPDX-License-Identifier: Apache-2.0
"""Callbacks and hooks on a real cluster: which, when, with which arguments and in which order; and
scripts that hang or fail, which must not take the cluster with them."""

import plain_cluster
import pytest
from local_servers import eventually, processes_of, trace_of
from plain_cluster import PlainCluster, ctl, place_tanistctl

EVENTS = ["on_start", "on_stop", "on_restart", "on_reload", "on_role_change"]
# $1 is ours, the rest the agent's. A marker file makes one event hang, which is told too.
CALLBACK = """#!/bin/bash
echo "$*" >>%(told)s
[ ! -e "%(folder)s/hang-$2" ] || { sleep 300; echo "$* after all" >>%(told)s; }
"""
HOOK = """#!/bin/bash
echo "$*" >>%(told)s
[ ! -e "%(folder)s/fail-$2-$1" ]
"""


class Told(PlainCluster):
    """Every callback and hook of every member writes a line to one file."""

    def __init__(self):
        super().__init__()
        self.told = self.folder.path / "told"
        self.folder.write("told", "")
        self.seen = {}
        words = {"told": self.told, "folder": self.folder.path}
        self.callback = self.folder.write("callback", CALLBACK % words, 0o700)
        self.hook = self.folder.write("hook", HOOK % words, 0o700)

    def configuration(self, member):
        document = super().configuration(member)
        document["postgresql"]["callbacks"] = {event: f"{self.callback} '{member}'"
                                               for event in EVENTS}
        for hook in ("pre_promote", "before_stop"):
            document["postgresql"][hook] = f"{self.hook} {member} {hook}"
        return document

    def lines(self, *members):
        """What was told so far, of these members."""
        all_lines = self.told.read_text(encoding="utf-8").splitlines()
        return [line for line in all_lines if line.split()[0] in (members or self.address)]

    def expect(self, member, *lines):
        """That the member told exactly this since the last time, in this order."""
        wanted = [f"{member} {line}" for line in lines]
        eventually(lambda: self.new(member)[:len(wanted)] == wanted or
                   len(self.new(member)) > len(wanted), 30, f"{wanted}, not {self.new(member)}")
        assert self.new(member) == wanted
        self.seen[member] = len(self.lines(member))

    def new(self, member):
        return self.lines(member)[self.seen.get(member, 0):]

    def skip(self):
        """Forgets what was told so far."""
        self.seen = {member: len(self.lines(member)) for member in self.address}

    def switch_over(self, **options):
        """From the leader to the other one; their names."""
        old, new = self.leader(), self.replica()
        eventually(lambda: self.members()[new]["state"] == "streaming", 30, "a candidate")
        ctl(place_tanistctl(self.folder), self.file_of("a1"), "switchover", "--leader", old,
            "--candidate", new, "--force", **options)
        return old, new


@pytest.fixture(scope="module", name="kept")
def fixture_kept():
    yield from plain_cluster.kept(Told())


@pytest.fixture(name="cluster")
def fixture_cluster(kept):
    yield from plain_cluster.healthy(kept)


def test_a_new_cluster_tells_of_its_start_and_of_nothing_else(cluster):
    leader, replica = cluster.leader(), cluster.replica()
    cluster.expect(leader, "on_start primary shop")
    cluster.expect(replica, "on_start replica shop")


def test_a_reload_tells_the_role(cluster):
    """Also when nothing has changed (trap 120)."""
    leader, replica = cluster.leader(), cluster.replica()
    for member, role in ((leader, "primary"), (replica, "replica")):
        cluster.folder.signal(f"tanist-{member}", 1)
        cluster.expect(member, f"on_reload {role} shop")


def test_a_restart_is_no_stop_and_no_start(cluster):
    program = place_tanistctl(cluster.folder)
    for member, role in ((cluster.replica(), "replica"), (cluster.leader(), "primary")):
        ctl(program, cluster.file_of("a1"), "restart", "shop", member, "--force")
        cluster.expect(member, "before_stop", f"on_restart {role} shop")


def test_a_switchover_tells_old_and_new(cluster):
    old, new = cluster.switch_over()
    cluster.wait_healthy()
    cluster.expect(new, "pre_promote", "on_role_change primary shop")
    told = cluster.new(old)
    assert told[0] == f"{old} before_stop" and told[-1] == \
        f"{old} on_role_change replica shop"
    # "demoted" when the lock was given away before the server had ended (contract 12.1).
    assert len(told) == 3 and told[1] in (f"{old} on_stop primary shop",
                                          f"{old} on_stop demoted shop")
    cluster.seen[old] = len(cluster.lines(old))


def test_an_agent_that_ends_tells_of_the_stop(cluster):
    replica = cluster.replica()
    assert cluster.folder.stop(f"tanist-{replica}") == 0
    cluster.expect(replica, "before_stop", "on_stop replica shop")
    cluster.start_agent(replica)
    cluster.wait_healthy()
    cluster.expect(replica, "on_start replica shop")


# ---- Scripts that hang or fail --------------------------------------------------------------


def test_a_callback_that_hangs_delays_nothing_and_ends_with_the_next(cluster):
    cluster.skip()
    mark = cluster.folder.write("hang-on_role_change", "")
    old, new = cluster.switch_over()
    cluster.wait_healthy()
    eventually(lambda: f"{new} on_role_change primary shop" in cluster.new(new), 10, "the callback")
    hanging = sleepers(cluster)
    assert hanging, "the callbacks of both hang"
    mark.unlink()
    assert cluster.switch_over() == (new, old)
    cluster.wait_healthy()
    eventually(lambda: f"{new} on_role_change replica shop" in cluster.new(new), 10, "the next one")
    eventually(lambda: not set(hanging) & set(sleepers(cluster)), 10, "the hanging ones to end")
    assert "after all" not in " ".join(cluster.lines())


def sleepers(cluster):
    """Processes of callbacks; what they started has their folder nowhere, and ends with them."""
    return [pid for pid in processes_of(cluster.folder.path)
            if str(cluster.callback) in trace_of(pid)]


def test_a_pre_promote_that_fails_leaves_the_lock_to_the_others(cluster):
    cluster.skip()
    old, new = cluster.leader(), cluster.replica()
    mark = cluster.folder.write(f"fail-pre_promote-{new}", "")
    try:
        cluster.switch_over()
        said = "Releasing the leader key voluntarily because the pre-promote script failed"
        eventually(lambda: said in cluster.log(new), 20, "the lock to be given up")
        eventually(lambda: cluster.leader() == old, 40, "the old leader to lead again")
        cluster.wait_healthy()
        assert cluster.value(new, "SELECT pg_is_in_recovery()") is True
        assert cluster.new(new).count(f"{new} pre_promote") == 1, "it is not tried again and again"
        assert f"{new} on_role_change primary shop" not in cluster.new(new)
    finally:
        mark.unlink()


def test_a_restore_command_that_hangs_stops_nobody_else(cluster):
    leader, replica = cluster.leader(), cluster.replica()
    hang = cluster.folder.write("restore", "#!/bin/sh\nsleep 300\n", 0o700)
    cluster.change(replica, recovery_conf={"restore_command": str(hang)})
    assert cluster.folder.stop(f"tanist-{replica}", 30) == 0
    cluster.start_agent(replica)
    eventually(lambda: cluster.members().get(replica, {}).get("state") == "starting", 30,
               "the replica to wait for its script")
    assert cluster.leader() == leader
    cluster.query(leader, "CREATE TABLE meanwhile AS SELECT 1 AS n")
    assert cluster.folder.stop(f"tanist-{replica}", 30) == 0, "it ends while its server starts"
    cluster.change(replica, recovery_conf={}, reload=False)
    cluster.start_agent(replica)
    cluster.wait_healthy()
    assert cluster.value(replica, "SELECT n FROM meanwhile") == 1
