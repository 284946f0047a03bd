#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long the guard needs to kill a busy PostgreSQL server while all cores are loaded.

Each round starts a server, connects clients that write all the time, loads every core, lets the
deadline pass and reads from the guard's page how long the sweep took. It loads the machine: not
beside something that minds. A sweep takes about a second; Ctrl-C ends it with the figures so
far. Run as root (server and guard then run as user postgres) or as any user that may run postgres.

    bench/guard_sweep.py [--sweeps 200] [--backends 50] [--real-time] [--guard PROGRAM]
"""

import argparse
import fcntl
import mmap
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# src/guard/page.h
PAGE_BYTES, MAGIC = 4096, 0x74616E6973742131
ORDER, MARGIN, POSTMASTER, INODE, DEVICE = 32, 40, 64, 72, 80
TRAITS, FIRED_KILL, FIRED_HIT, FIRED_TOOK, FIRINGS = 96, 136, 144, 152, 160
SERVER_NAME, DIRECTORY = 168, 232
MODE_NONE, MODE_PRIMARY = 0, 2
LOOK, MESSAGE_BYTES = 2, 64
F_ADD_SEALS, SEALS = 1033, 0x1 | 0x2 | 0x4

# PostgreSQL refuses to run as root, and the guard kills processes of its own user only.
USER = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}

FIGURES = ("first SIGKILL until each process has one pending or is stopped",
           "first SIGKILL until nothing is left", "moment it was due until the guard says so")
MARGIN_NS = 530_000_000  # F of a ttl of 30 s


def now():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Guard:
    """A guard process and its page."""

    def __init__(self, program, data):
        memory = os.memfd_create("page", os.MFD_ALLOW_SEALING)
        os.ftruncate(memory, PAGE_BYTES)
        fcntl.fcntl(memory, F_ADD_SEALS, SEALS)
        self.page = mmap.mmap(memory, PAGE_BYTES)
        self.put(0, MAGIC)
        self.put(8, 1)
        self.put(MARGIN, MARGIN_NS)
        self.page[SERVER_NAME:SERVER_NAME + 8] = b"postgres"
        self.page[DIRECTORY:DIRECTORY + len(data)] = data.encode()
        status = os.stat(data)
        self.put(INODE, status.st_ino)
        self.put(DEVICE, status.st_dev)
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen(
            [program, "watch", "--page-fd", str(memory), "--agent-fd", str(theirs.fileno())],
            pass_fds=[memory, theirs.fileno()], stdin=subprocess.DEVNULL, **USER)
        self.socket.recv(MESSAGE_BYTES)  # welcome

    def put(self, offset, value):
        struct.pack_into("=Q", self.page, offset, value)

    def get(self, offset):
        return struct.unpack_from("=Q", self.page, offset)[0]

    def traits(self):
        names = "locked memory", "real-time priority", "raised priority", "OOM protection"
        return [n for i, n in enumerate(names) if self.get(TRAITS) >> i & 1] or ["no privilege"]

    def record_postmaster(self, pid):
        """As the launcher does."""
        start = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[19]
        self.put(POSTMASTER, int(start) << 22 | pid)

    def tell(self, deadline, mode):
        self.put(ORDER, deadline & ~3 | mode)
        self.socket.send(struct.pack("=Q", LOOK).ljust(MESSAGE_BYTES, b"\0"))
        self.socket.recv(MESSAGE_BYTES)

    def fire(self):
        """Makes it kill at once. Returns (all hit, nothing left, from our word on; killed)."""
        before = self.get(FIRINGS)
        due = now()
        self.tell(due, MODE_PRIMARY)
        while self.get(FIRINGS) == before:
            time.sleep(0.0005)
        gone = now()
        return self.get(FIRED_HIT), self.get(FIRED_TOOK), gone - due, self.get(FIRED_KILL)


class Server:
    """A PostgreSQL server in a temporary directory."""

    def __init__(self, root):
        self.binaries = max(Path("/usr/lib/postgresql").glob("*/bin"))
        self.root, self.data = root, os.path.join(root, "data")
        self.log = open(os.path.join(root, "log"), "ab")
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync")
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="ascii") as conf:
            conf.write(f"listen_addresses = ''\nunix_socket_directories = '{root}'\n"
                       "max_connections = 200\nshared_buffers = 128MB\n")
        self.start()
        self.run("pgbench", "-i", "-q", *self.address())
        self.run("pg_ctl", "-D", self.data, "stop", "-w")
        self.postmaster.wait()

    def address(self):
        return "-h", self.root, "-U", "postgres", "postgres"

    def spawn(self, name, *arguments):
        return subprocess.Popen([self.binaries / name, *arguments], stdin=subprocess.DEVNULL,
                                stdout=self.log, stderr=self.log, cwd="/", **USER)

    def run(self, name, *arguments):
        if self.spawn(name, *arguments).wait() != 0:
            sys.exit(f"{name} failed, see {self.root}/log")

    def start(self):
        self.postmaster = self.spawn("postgres", "-D", self.data)
        while self.spawn("pg_isready", "-q", "-h", self.root).wait() != 0:
            if self.postmaster.poll() is not None:
                sys.exit(f"the server does not start, see {self.root}/log")
            time.sleep(0.05)

    def processes(self):
        found = 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                found += os.readlink(f"/proc/{pid}/cwd") == self.data \
                    and os.readlink(f"/proc/{pid}/exe").endswith("/postgres")
            except OSError:
                pass
        return found

    def make_busy(self, clients):
        bench = self.spawn("pgbench", "-n", "-c", str(clients), "-j", "2", "-T", "600",
                           *self.address())
        while self.processes() < clients + 6:
            time.sleep(0.02)
        return bench


def signal_all(processes, number):
    for process in processes:
        process.send_signal(number)


def sweep(server, guard, backends, load):
    """One round. Returns the guard's figures (all hit, nothing left, from our word on)."""
    signal_all(load, signal.SIGSTOP)  # only what is measured needs it
    server.start()
    guard.record_postmaster(server.postmaster.pid)
    clients = server.make_busy(backends)
    signal_all(load, signal.SIGCONT)
    time.sleep(0.3)  # until all cores are loaded, and every client is in the middle of its work
    hit, took, from_due, killed = guard.fire()
    if server.processes() != 0 or killed < backends:
        sys.exit(f"{server.processes()} left, {killed} killed")
    guard.tell(0, MODE_NONE)
    clients.wait()
    server.postmaster.wait()
    return hit, took, from_due


def describe(name, values):
    values = sorted(values)
    at = lambda share: values[min(len(values) - 1, int(share * len(values)))] / 1e6
    print(f"{name}: min {at(0):.2f}, median {at(0.5):.2f}, p99 {at(0.99):.2f}, "
          f"p99.9 {at(0.999):.2f}, max {values[-1] / 1e6:.2f} ms ({len(values)} sweeps)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sweeps", type=int, default=200)
    parser.add_argument("--backends", type=int, default=50)
    parser.add_argument("--real-time", action="store_true",
                        help="the guard's priority as with LimitRTPRIO=1 (needs root)")
    parser.add_argument("--guard", default="build/release/src/tanist-guard")
    options = parser.parse_args()
    program = os.path.abspath(options.guard)
    root = tempfile.mkdtemp(prefix="guard-sweep-")
    if USER:
        shutil.chown(root, **{k: USER[k] for k in ("user", "group")})
    os.chdir("/")
    server = Server(root)
    guard = Guard(program, server.data)
    if options.real_time:
        os.sched_setscheduler(guard.process.pid, os.SCHED_FIFO, os.sched_param(1))
    print(f"{options.backends} backends, {os.cpu_count()} loaded cores, "
          f"guard has {', '.join(guard.traits())}"
          f"{', real-time priority (given)' if options.real_time else ''}", flush=True)
    loop = ["sh", "-c", "while :; do :; done"]
    load = [subprocess.Popen(loop) for _ in range(os.cpu_count())]
    rows = []
    try:
        for done in range(options.sweeps):
            rows.append(sweep(server, guard, options.backends, load))
            if sys.stdout.isatty():
                print(f"\r{done + 1} of {options.sweeps}", end="", flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        for process in *load, guard.process, server.postmaster:
            process.kill()
        shutil.rmtree(root)
    print(f"\nload average {os.getloadavg()[0]:.1f}")
    for name, values in zip(FIGURES, zip(*rows)):
        describe(name, values)


if __name__ == "__main__":
    main()
