# SPDX-License-Identifier: Apache-2.0
"""What operators do to a running cluster, and what it must not cost: nobody gets an error on the
leader's machine, no server is restarted, the leader stays."""

import pathlib
import time

from local_servers import eventually, must_run

PROGRAM_NAMES = ("tanist", "tanist-guard")


def kill_agent(cluster, node):
    cluster.folder.kill_one(f"tanist-{node}")


def replace_programs(cluster, node, programs=None, stop=None):
    """The programs of a node are replaced by new files while its server runs: by those of a folder,
    default: by the same again. The agent is killed; `stop`: does it in another way."""
    before = cluster.postmaster(node)
    folder = cluster.files / node / "bin"
    for name in PROGRAM_NAMES:
        must_run("cp", (programs or folder) / name, folder / f"{name}.new")
    if stop:
        stop(node)
    else:
        kill_agent(cluster, node)
    for name in PROGRAM_NAMES:
        must_run("mv", folder / f"{name}.new", folder / name)
    cluster.start_node(node)
    agent = cluster.folder.started[f"tanist-{node}"].pid
    eventually(lambda: '"state": "running"' in cluster.said(node), 30,
               "the new agent to answer")
    assert cluster.postmaster(node) == before, "the server was restarted"
    assert pathlib.Path(f"/proc/{agent}/exe").resolve() == folder / "tanist"


def undisturbed(campaign, change):
    """Makes the change while clients write: the leader stays, and whoever sits on its machine gets
    no error. (HAProxy ends sessions while the agent that it asks is away.)"""
    cluster, begun = campaign.cluster, time.time()
    leader = cluster.leader()
    campaign.workload.start()
    try:
        eventually(lambda: campaign.workload.wrote_since(begun), 60, "clients to write")
        change()
        now = time.time()
        eventually(lambda: campaign.workload.wrote_since(now), 60, "clients to go on")
    finally:
        campaign.workload.stop()
    assert cluster.leader() == leader
    assert not campaign.workload.errors_on(f"on-{leader}")
    campaign.check([])


def settled(cluster, leader):
    """Healthy, paused, and the leader has the lock."""
    cluster.wait_whole()
    eventually(lambda: cluster.code(leader, "/primary") == 200
               and "cluster_unlocked" not in cluster.said(leader), 60, "the leader's lock")


def in_pause(campaign, change):
    """Makes the change in a paused cluster under clients."""
    cluster = campaign.cluster
    leader = cluster.leader()

    def paused_change():
        assert cluster.ctl("pause", "--wait").returncode == 0
        change()
        settled(cluster, leader)
        assert cluster.ctl("resume", "--wait").returncode == 0
        cluster.wait_whole()

    undisturbed(campaign, paused_change)
