# SPDX-License-Identifier: Apache-2.0
"""Programs of two versions in one cluster: replaced node by node under load, as
docs/guide/operations.md tells, forwards and back; the leader stays, no server is restarted, and in
between either version leads the other.

TANIST_PREVIOUS names a folder with tanist and tanist-guard of an earlier version. Without it the
other version differs from this one by its name alone: the way of an upgrade is the same, formats
that differ are not tried."""

import json
import os
import pathlib

import pytest
from campaign import Campaign
from fault_cluster import FaultCluster
from local_servers import PROGRAMS, eventually, must_run, run
from planned_work import PROGRAM_NAMES, in_pause, replace_programs, undisturbed

LONG = pytest.mark.skipif("TANIST_LONG" not in os.environ, reason="scripts/faults --long")


def version_of(programs):
    return run(programs / "tanist", "--version").stdout.split()[1]


def copy_of(programs, folder):
    """For user postgres to read."""
    must_run("mkdir", "-p", folder)
    for name in PROGRAM_NAMES:
        data = (programs / name).read_bytes()
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o755)
    return folder


def make_other_version(folder):
    """The programs of the other version, in a folder. What version they tell."""
    if "TANIST_PREVIOUS" in os.environ:
        return version_of(copy_of(pathlib.Path(os.environ["TANIST_PREVIOUS"]), folder))
    now = version_of(copy_of(PROGRAMS, folder))
    other = now[:-1] + ("8" if now[-1] == "9" else "9")
    for name in PROGRAM_NAMES:
        data = (folder / name).read_bytes()
        assert now.encode() + b"\0" in data
        (folder / name).write_bytes(data.replace(now.encode() + b"\0", other.encode() + b"\0"))
    return other


class TwoVersions:
    """A cluster that was started with the other version."""

    def __init__(self):
        self.cluster = FaultCluster()
        folder = self.cluster.folder.path
        self.new = copy_of(PROGRAMS, folder / "new")
        self.old = folder / "old"
        self.version = {self.old: make_other_version(self.old), self.new: version_of(self.new)}
        for node in self.cluster.nodes:
            target = self.cluster.files / node
            must_run("mkdir", "-p", "-m", "0700", target / "run/tanist")
            must_run("mkdir", "-p", target / "bin")
            for name in PROGRAM_NAMES:
                must_run("cp", self.old / name, target / "bin" / name)
        self.campaign = None

    def start(self):
        self.cluster.start()
        self.campaign = Campaign(self.cluster, 1)
        return self

    def replicas_first(self):
        leader = self.cluster.leader()
        return [*(node for node in self.cluster.nodes if node != leader), leader]

    def runs(self, node, programs):
        """Agent and guard of this node are those of the folder, and etcd was told so."""
        wanted = self.version[programs]

        def known():
            member = self.cluster.stored(f"members/{node}")
            return member and json.loads(member)["tanist"] == wanted

        eventually(known, 30, f"{node} to tell version {wanted}")
        eventually(lambda: self.guard_is(node, programs), 30, f"the guard of {node}")

    def guard_is(self, node, programs):
        pids = self.cluster.pids(node, "tanist-guard") + self.cluster.pids(
            node, "tanist-guard (deleted)")
        wanted = (programs / "tanist-guard").read_bytes()
        return len(pids) > 0 and all(self.program_of(pid) == wanted for pid in pids)

    @staticmethod
    def program_of(pid):
        try:
            return pathlib.Path(f"/proc/{pid}/exe").read_bytes()
        except OSError:
            return None

    def replace(self, nodes, programs, stop=None):
        for node in nodes:
            replace_programs(self.cluster, node, programs, stop)
            self.cluster.wait_whole()
            self.runs(node, programs)


@pytest.fixture(scope="module", name="two")
def fixture_two():
    two = TwoVersions()
    try:
        yield two.start()
    finally:
        if two.campaign:
            print(two.campaign.story(300))
        two.cluster.remove()


def test_nodes_are_upgraded_one_by_one(two):
    nodes = two.replicas_first()
    undisturbed(two.campaign, lambda: two.replace(nodes, two.new))


@LONG
def test_nodes_go_back_one_by_one(two):
    nodes = two.replicas_first()
    undisturbed(two.campaign, lambda: two.replace(nodes, two.old))


@LONG
def test_either_version_leads_the_other(two):
    """One node of the new version takes over and gives back."""
    cluster = two.cluster
    new, *others = two.replicas_first()
    two.replace([new], two.new)
    cluster.set_mode("quorum")
    for candidate in (new, others[-1]):
        done = cluster.ctl("switchover", "--candidate", candidate, "--force")
        assert done.returncode == 0, done.stdout + done.stderr
        cluster.wait_whole()
        assert cluster.leader() == candidate
    two.campaign.round(["reboot"], seconds=2)
    cluster.set_mode("asynchronous")
    two.replace([new], two.old)


@LONG
def test_nodes_are_upgraded_in_pause(two):
    nodes = two.replicas_first()
    in_pause(two.campaign, lambda: two.replace(nodes, two.new, stop=two.cluster.stop_agent))
