# SPDX-License-Identifier: Apache-2.0
"""A cluster whose nodes have a network namespace and a small disk each, and the ways to look into
it and to bring it back to health. How it is harmed: faults.py."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import time

from cluster import HEAL_S, PASSWORD, PORTS, Cluster
from field import OUTSIDE, Field, command
from local_servers import POSTGRESQL, USER, eventually, must_run, processes_of
from timeline_proof import overlaps

DISK = "700m"
# What a rewind overwrites is the proof of what the old primary did.
KEEPING_REWIND = """#!/bin/sh
# pg_rewind, after the target's log was put aside.
data=
previous=
for word; do
  [ "$previous" != -D ] || data=$word
  previous=$word
done
[ -z "$data" ] || cp -a "$data/pg_wal" "{kept}/$(date +%s%N)"
exec "{program}" "$@"
"""
SETTINGS = ("synchronous_mode", "synchronous_mode_strict", "failsafe_mode")
MODES = {  # values of SETTINGS
    "asynchronous": ("off", "off", "off"),
    "synchronous": ("on", "off", "off"),
    "strict": ("on", "on", "off"),
    "quorum": ("quorum", "on", "off"),
    "failsafe": ("off", "off", "on"),
    "quorum-failsafe": ("quorum", "on", "on"),
}
SYNC, QUORUM = '"sync_standby": true', '"quorum_standby": true'
STANDBY_MARK = {"synchronous": SYNC, "strict": SYNC, "quorum": QUORUM, "quorum-failsafe": QUORUM}


class FaultCluster(Cluster):
    """`number` nodes, etcd on the first three or five of them."""

    def __init__(self, number=3):
        names = [f"node{index}" for index in range(1, number + 1)]
        self.field = Field(names)
        super().__init__({
            "cluster": "faults", "one_machine": True, "ports": PORTS,
            "nodes": [{"name": name, "address": self.field.address[name]} for name in names],
            "etcd": names[:5 if number >= 5 else 3],
            "haproxy": [{"name": "haproxy", "address": OUTSIDE}],
            "timing": {"ttl": 5, "loop_wait": 1, "retry_timeout": 2},
            "postgresql": {"parameters": {
                "max_connections": 40, "max_wal_size": "96MB", "wal_keep_size": "128MB",
                "max_slot_wal_keep_size": "256MB"}}})
        self.store_nodes = self.topology["etcd"]
        self.kept = self.folder.path / "kept"
        self.operator = self.folder.path / "operator"
        self.environment = {}  # node -> what its agent and server are given
        self.mode = "asynchronous"
        must_run("mkdir", self.kept)
        self.slow_disk = self.make_slow_disk()
        self.topology["postgresql"]["bin_dir"] = str(self.own_programs())

    # ---- Making it --------------------------------------------------------------------------

    def own_programs(self):
        """The server's programs, but for a pg_rewind that keeps the log."""
        folder = self.folder.path / "programs"
        must_run("mkdir", folder)
        for program in POSTGRESQL.iterdir():
            if program.name != "pg_rewind":
                (folder / program.name).symlink_to(program)
        self.folder.write("programs/pg_rewind", KEEPING_REWIND.format(
            kept=self.kept, program=POSTGRESQL / "pg_rewind"), 0o755)
        return folder

    def make_slow_disk(self):
        """The library; None where nothing compiles it."""
        compiler = next((name for name in ("cc", "clang-19", "gcc") if shutil.which(name)), None)
        if compiler is None:
            return None
        library = self.folder.path / "slow_disk.so"
        command(compiler, "-O2", "-shared", "-fPIC", "-o", library,
                pathlib.Path(__file__).parent / "slow_disk.c")
        library.chmod(0o755)
        for node in self.nodes:
            file = self.folder.write(f"slow-disk-{node}", "0", 0o644)
            self.environment[node] = {"LD_PRELOAD": library, "SLOW_DISK": file}
        return library

    def slow_down(self, node, milliseconds):
        """True when this node's disk takes so much longer from now on."""
        if self.slow_disk is not None:
            self.folder.write(f"slow-disk-{node}", str(milliseconds), 0o644)
        return self.slow_disk is not None

    def provision(self):
        super().provision()
        # An operator's own: those of the nodes may come to harm.
        must_run("cp", "-r", self.files / "node1/etc/tanist/ssl", self.operator)
        owner = pwd.getpwnam(USER)
        for node in self.nodes:
            disk = self.data(node).parent
            must_run("mkdir", "-p", disk)
            if not os.path.ismount(disk):
                command("mount", "-t", "tmpfs", "-o",
                        f"size={DISK},mode=700,uid={owner.pw_uid},gid={owner.pw_gid}", "tmpfs",
                        disk)

    def start_etcd(self, node):
        if node in self.store_nodes:
            super().start_etcd(node)

    def launch(self, host, name, *words, **environment):
        where = host if host in self.nodes else "outside"
        if name.startswith("tanist-"):
            environment.update(self.environment.get(host, {}))
        return self.folder.start(name, *words, inside=self.field.inside(where), **environment)

    def start_node(self, node):
        if node in self.store_nodes and not self.folder.runs(f"etcd-{node}"):
            self.start_etcd(node)
        if not self.folder.runs(f"tanist-{node}"):
            self.start_agent(node)

    def remove(self):
        self.folder.kill()
        for node in self.nodes:
            subprocess.run(["umount", "--lazy", self.data(node).parent], check=False)
        self.field.remove()
        super().remove()

    # ---- Looking ----------------------------------------------------------------------------

    def said(self, node, path="/patroni"):
        """What its agent answers; nothing when it does not."""
        try:
            return self.get(node, path)[1]
        except OSError:
            return ""

    def code(self, node, path):
        """The status of a health check; 0 without an answer."""
        try:
            return self.get(node, path)[0]
        except OSError:
            return 0

    def application_on(self, node):
        """How a program on the node itself connects: the network does not matter to it."""
        folder = self.config(node)["postgresql"]["parameters"]["unix_socket_directories"]
        return {"host": folder, "port": PORTS["postgresql"], "dbname": "app", "user": "app",
                "password": PASSWORD}

    def pids(self, node, program):
        """Of a program of this node, by the name of its executable; zombies do not count."""
        def runs_it(pid):
            try:
                return pathlib.Path(os.readlink(f"/proc/{pid}/exe")).name == program
            except OSError:
                return False  # it has just ended
        return [pid for pid in processes_of(self.files / node) if runs_it(pid)]

    def backends(self, node):
        """Pids of the application's connections there."""
        found = []
        for pid in self.pids(node, "postgres"):
            try:
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
            except OSError:
                continue
            if ": app app " in words:
                found.append(pid)
        return found

    def is_healthy(self, number):
        """Also where standbys are listed as synchronous ones."""
        members = self.members().values()
        states = sorted(member["state"] for member in members)
        leaders = [member for member in members if member["role"] == "leader"]
        return (states == ["running", *["streaming"] * (number - 1)] and len(leaders) == 1
                and leaders[0]["state"] == "running"
                and len({member.get("timeline") for member in members}) == 1)

    def mode_is_confirmed(self):
        """/sync names as many standbys as the mode is to have in a healthy cluster."""
        if not self.is_synchronous():
            return True
        named = [node for node in self.nodes
                 if STANDBY_MARK[self.mode] in self.said(node)]
        return len(named) == (1 if STANDBY_MARK[self.mode] == SYNC else len(self.nodes) - 1)

    def is_synchronous(self):
        return self.mode in STANDBY_MARK

    def logs_of_servers(self):
        """Folders with WAL: those of the servers, and what was put aside."""
        kept = [path for path in self.kept.iterdir() if path.is_dir()]
        return [*(self.data(node) / "pg_wal" for node in self.nodes), *kept]

    def two_primaries(self, answers):
        return overlaps([folder for folder in self.logs_of_servers() if folder.is_dir()], answers)

    def credentials(self):
        return self.operator

    def wait_etcd(self):
        eventually(self.etcd_is_healthy, 60, "etcd to be healthy")

    # ---- Settings and health ----------------------------------------------------------------

    def set_mode(self, mode):
        """Returns when it is in force everywhere."""
        words = [word for name, value in zip(SETTINGS, MODES[mode])
                 for word in ("-s", f"{name}={value}")]
        eventually(lambda: self.ctl("edit-config", "--force", *words).returncode == 0, 30,
                   f"mode {mode} to be set")
        self.mode = mode
        eventually(self.mode_is_confirmed, HEAL_S, f"mode {mode} to be confirmed")

    def heal(self):
        """Ends every harm; what was killed is started again."""
        self.field.heal()
        for pid in self.folder.processes():
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                continue
        for node in self.nodes:
            self.slow_down(node, 0)
            (self.data(node).parent / "ballast").unlink(missing_ok=True)
            self.start_node(node)

    def wait_whole(self, seconds=HEAL_S):
        """Healthy, the mode in force; returns how long that took. An agent that ended is started
        again, as systemd would."""
        begun = time.monotonic()

        def whole():
            for node in self.nodes:
                self.start_node(node)
            return self.is_healthy(len(self.nodes)) and self.mode_is_confirmed()

        eventually(whole, seconds, f"all {len(self.nodes)} nodes to be healthy")
        return time.monotonic() - begun
