# SPDX-License-Identifier: Apache-2.0
"""etcd without its data: all members begin anew with empty folders, or from an older snapshot. The
cluster id stays the same, because it is made of the configuration. Only the revisions tell."""

import pathlib
import shutil

import yaml
from local_servers import must_run


def age(cluster):
    """Gives etcd a long past, so that one without a past takes long to come that far."""
    words = ["put", "/a/past", "x"]
    for _ in range(400):
        assert cluster.etcdctl(*words).returncode == 0


def etcd_config(cluster, node):
    file = cluster.files / node / "etc/etcd/etcd.yml"
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def stop(cluster):
    for node in cluster.store_nodes:
        if cluster.folder.runs(f"etcd-{node}"):
            cluster.folder.kill_one(f"etcd-{node}")


def start(cluster):
    for node in cluster.store_nodes:
        cluster.start_etcd(node)
    cluster.wait_etcd()


def wipe(cluster):
    """All members' data is deleted. They are left stopped."""
    stop(cluster)
    for node in cluster.store_nodes:
        shutil.rmtree(etcd_config(cluster, node)["data-dir"])


def save(cluster):
    """A snapshot of what etcd holds now; its file."""
    file = cluster.folder.path / "etcd-snapshot"
    file.unlink(missing_ok=True)
    done = cluster.etcdctl("snapshot", "save", file, node=cluster.store_nodes[0])
    assert done.returncode == 0, done.stdout + done.stderr
    return file


def restore(cluster, file):
    """All members' data becomes that of the snapshot. They are left stopped."""
    wipe(cluster)
    for node in cluster.store_nodes:
        config = etcd_config(cluster, node)
        must_run("etcdctl", "snapshot", "restore", file, "--name", node,
                 "--initial-cluster", config["initial-cluster"],
                 "--initial-cluster-token", config["initial-cluster-token"],
                 "--initial-advertise-peer-urls", config["initial-advertise-peer-urls"],
                 "--data-dir", config["data-dir"])


def status(cluster, node):
    """Of one member of etcd: MemberID, Leader and the like."""
    told = cluster.etcdctl("endpoint", "status", "-w", "fields", node=node).stdout
    fields = (line.split(" : ") for line in told.splitlines() if " : " in line)
    return {name.strip('"'): value for name, value in fields}


def ask_to_lead(cluster, node):
    identity = int(status(cluster, node).get("MemberID", "0"))
    return cluster.etcdctl("move-leader", f"{identity:x}")


def leads(cluster, node):
    """Is it etcd's leader?"""
    told = status(cluster, node)
    return told.get("Leader", "none") == told.get("MemberID")


def term(cluster):
    """etcd's raft term: whether it is another one after a loss is chance."""
    told = cluster.etcdctl("endpoint", "status", "-w", "fields").stdout
    return max(int(line.split(" : ")[1]) for line in told.splitlines() if '"RaftTerm"' in line)


def data_identities(cluster):
    """Node -> device, inode and time of making of its data directory's version file, which nobody
    writes again: a directory that was emptied and filled has others."""
    found = {}
    for node in cluster.nodes:
        state = pathlib.Path(cluster.data(node) / "PG_VERSION").stat()
        found[node] = (state.st_dev, state.st_ino, state.st_mtime_ns)
    return found
