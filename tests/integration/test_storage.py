# SPDX-License-Identifier: Apache-2.0
"""Storage in trouble on a real cluster (safety 5.3): each node's data lies in a small file system
of its own, which is frozen or filled. Needs root and loop devices; skipped without."""

import json
import os
import subprocess
import time

import psycopg2
import pytest
from cluster import NODES, Cluster
from local_servers import POSTGRESQL, eventually, must_run, trace_of

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
        must_run("mkdir", "-p", self.disk(node))
        mounted = root("mount", "-o", "loop", image, self.disk(node))
        if mounted.returncode != 0:
            pytest.skip(f"no loop device can be mounted: {mounted.stderr.strip()}")
        root("chown", "postgres:", self.disk(node))

    def freeze(self, node):
        frozen = root("fsfreeze", "-f", self.disk(node))
        assert frozen.returncode == 0, frozen.stderr

    def thaw(self, node):
        root("fsfreeze", "-u", self.disk(node))

    def fill(self, node, left_mb=8):
        """All but 8 MB: less than a segment of WAL, and nothing that can be waited for."""
        free = os.statvfs(self.disk(node))
        size = free.f_bavail * free.f_frsize - left_mb * 1024 * 1024
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
        assert "no good candidates" in refused.stdout, refused.stdout + refused.stderr
        assert cluster.leader() == leader
    finally:
        cluster.thaw(hung)
    eventually(lambda: cluster.storage(hung)["state"] == "good", 20, "the storage to work again")
    assert "The storage of this node works again" in cluster.folder.log(f"tanist-{hung}")
    cluster.wait_healthy()


def test_a_hung_leader_under_load_gives_up_its_lock_where_configured(cluster):
    """Its killed processes wait for the disk, but never run again (safety 2.3): the successor does
    not wait for them. When the disk is back they are gone, and the node rejoins."""
    old = cluster.leader()
    postmaster = cluster.postmaster(old)
    writer = cluster.start_writer()
    cluster.freeze(old)
    try:
        eventually(lambda: "Giving up the leader lock because the storage hangs" in
                   cluster.folder.log(f"tanist-{old}"), 40, "the leader to give up")
        given_up = time.monotonic()
        eventually(lambda: "Demoting self (immediate-nolock)" in
                   cluster.folder.log(f"tanist-{old}"), 20, "its server to be fenced")
        cluster.wait_leader_other_than(old, 30)
        eventually(lambda: writer.wrote_since(given_up), 30, "writes to resume on the successor")
        assert trace_of(postmaster), "its postmaster is still there, as the disk is"
        assert json.loads(cluster.get(old, "/patroni")[1])["role"] != "primary"
        assert cluster.get(old, "/primary")[0] == 503
    finally:
        cluster.thaw(old)
    eventually(lambda: not trace_of(postmaster), 20, "what was killed to go with the disk's return")
    cluster.wait_healthy()
    cluster.check_lost(writer)


def test_a_full_disk_is_reported_and_makes_no_candidate(cluster):
    leader = cluster.leader()
    full = next(node for node in NODES if node != leader)
    cluster.fill(full)
    try:
        eventually(lambda: cluster.storage(full)["state"] == "full", 20, "the full disk to be seen")
        eventually(lambda: cluster.members()[full].get("storage_failed"), 20, "it to be published")
        refused = cluster.ctl("switchover", "--force", "--candidate", full)
        assert "no good candidates" in refused.stdout, refused.stdout + refused.stderr
    finally:
        cluster.empty(full)
    eventually(lambda: cluster.storage(full)["state"] == "good", 20, "space to be seen")
    cluster.wait_healthy()


def write_until_it_ends(cluster, node):
    """WAL and nothing else, until the server has no room for it."""
    connection = cluster.superuser(node)
    cursor = connection.cursor()
    with pytest.raises(psycopg2.OperationalError):
        for _ in range(MEGABYTES):
            cursor.execute("SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000000))")


def test_a_leader_that_ends_for_want_of_space_is_replaced_once(cluster):
    old = cluster.leader()
    writer = cluster.start_writer()
    log = f"tanist-{old}"
    before = len(cluster.folder.log(log))
    cluster.fill(old, left_mb=4)
    try:
        write_until_it_ends(cluster, old)
        ended = time.monotonic()
        new = cluster.wait_leader_other_than(old, 40)
        eventually(lambda: writer.wrote_since(ended), 30, "writes to resume on the successor")
        eventually(lambda: cluster.storage(old)["state"] == "full", 20, "the full disk to be seen")
        refused = cluster.ctl("switchover", "--force", "--candidate", old)
        assert "no good candidates" in refused.stdout, refused.stdout + refused.stderr
        time.sleep(5)
        said = cluster.folder.log(log)[before:]
        assert "PANIC" in said and "The storage of this node is full" in said
        assert said.count("INFO: starting primary after failure") <= 1, "in place only once"
        starts = said.count("LOG:  starting PostgreSQL")
        assert starts <= time.monotonic() - ended + 2, f"{starts} starts: more than one a second"
        assert cluster.leader() == new
    finally:
        cluster.empty(old)
    # PostgreSQL lets no standby stream again before the new primary's WAL has left the segment in
    # which the old one ended in the middle of a record (docs/guide/storage.md).
    cluster.superuser(cluster.leader()).cursor().execute("SELECT pg_switch_wal()")
    if int(POSTGRESQL.parent.name) < 14:  # 13.16 does not get over it at all
        for node in NODES:
            if node != cluster.leader():
                assert cluster.ctl("reinit", "demo", node, "--force", "--wait").returncode == 0
    cluster.wait_healthy()
    cluster.check_lost(writer)
