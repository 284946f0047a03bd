# SPDX-License-Identifier: Apache-2.0
"""Storage in trouble on a real cluster (safety 5.3): each node's data lies in a small file system
of its own, which is frozen or filled. Needs root and loop devices; skipped without."""

import json
import os
import subprocess
import time

import pytest
from cluster import NODES, Cluster
from local_servers import eventually

MEGABYTES = 700
SETTINGS = "\nstorage: {silent_after: 3, demote_after: %d}\n"


def root(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          check=False)


class SmallDisks(Cluster):
    demote_after = 0

    def provision(self):
        super().provision()
        for node in NODES:
            with open(self.config_file(node), "a", encoding="utf-8") as file:
                file.write(SETTINGS % self.demote_after)
            self.mount(node)

    def disk(self, node):
        return self.data(node).parent

    def mount(self, node):
        image = self.folder.path / f"{node}.img"
        root("truncate", "-s", f"{MEGABYTES}M", image)
        root("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0", image)
        self.disk(node).mkdir(parents=True, exist_ok=True)
        mounted = root("mount", "-o", "loop", image, self.disk(node))
        if mounted.returncode != 0:
            pytest.skip(f"no loop device can be mounted: {mounted.stderr.strip()}")
        root("chown", "postgres:", self.disk(node))

    def freeze(self, node):
        frozen = root("fsfreeze", "-f", self.disk(node))
        assert frozen.returncode == 0, frozen.stderr

    def thaw(self, node):
        root("fsfreeze", "-u", self.disk(node))

    def fill(self, node):
        """All but 8 MB: less than a segment of WAL, and nothing that can be waited for."""
        free = os.statvfs(self.disk(node))
        size = free.f_bavail * free.f_frsize - 8 * 1024 * 1024
        filled = root("fallocate", "-l", size, self.disk(node) / "filler")
        assert filled.returncode == 0, filled.stderr

    def empty(self, node):
        (self.disk(node) / "filler").unlink()

    def storage(self, node):
        return json.loads(self.get(node, "/patroni")[1])["tanist"]["storage"]

    def remove(self):
        for node in NODES:
            self.thaw(node)
        self.folder.kill()
        for node in NODES:
            root("umount", "-l", self.disk(node))
        super().remove()


def started(demote_after):
    if os.getuid() != 0:
        pytest.skip("file systems can only be mounted by root")
    cluster = SmallDisks()
    cluster.demote_after = demote_after
    try:
        yield cluster.start()
    finally:
        cluster.show_logs()
        cluster.remove()


@pytest.fixture(scope="module", name="cluster")
def fixture_cluster():
    yield from started(6)


def test_a_hung_replica_says_so_and_is_no_candidate(cluster):
    leader = cluster.leader()
    hung = next(node for node in NODES if node != leader)
    eventually(lambda: cluster.storage(hung)["state"] == "good", 20, "the canary to be heard")
    cluster.freeze(hung)
    try:
        eventually(lambda: cluster.storage(hung)["state"] == "silent", 15, "the silence to be seen")
        refused = cluster.ctl("switchover", "--force", "--candidate", hung)
        assert refused.returncode != 0
        assert cluster.leader() == leader
    finally:
        cluster.thaw(hung)
    eventually(lambda: cluster.storage(hung)["state"] == "good", 20, "the storage to work again")
    assert "The storage of this node works again" in cluster.folder.log(f"tanist-{hung}")
    cluster.wait_healthy()


def test_a_hung_leader_under_load_gives_up_its_lock_where_configured(cluster):
    old = cluster.leader()
    writer = cluster.start_writer()
    cluster.freeze(old)
    began = time.monotonic()
    try:
        cluster.wait_leader_other_than(old, 60)
        since = time.monotonic()
        eventually(lambda: writer.wrote_since(since), 30, "writes to resume")
        assert since - began > cluster.demote_after, "not before demote_after"
    finally:
        cluster.thaw(old)
    assert "Giving up the leader lock because the storage hangs" in \
        cluster.folder.log(f"tanist-{old}")
    cluster.wait_healthy()
    lost = cluster.lost_rows(writer)
    assert len(lost) <= 1, f"{len(lost)} acknowledged rows are gone"


def test_a_full_disk_moves_the_leader_and_makes_no_crash_loop(cluster):
    old = cluster.leader()
    writer = cluster.start_writer()
    cluster.fill(old)
    eventually(lambda: cluster.storage(old)["state"] == "full", 20, "the full disk to be seen")
    connection = cluster.superuser(old)
    try:
        connection.cursor().execute(
            "CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 100000)")
    except Exception:  # the server ends in the middle
        pass
    finally:
        connection.close()
    cluster.wait_leader_other_than(old, 60)
    since = time.monotonic()
    eventually(lambda: writer.wrote_since(since), 30, "writes to resume")
    attempts = cluster.folder.log(f"tanist-{old}").count("starting primary after failure")
    assert attempts <= 3, f"{attempts} starts on a full disk"
    cluster.empty(old)
    cluster.wait_healthy()
    cluster.lost_rows(writer)
