# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the tests of provision: output folders for a cluster on this machine and for hosts
of their own, and programs run without privileges. TANIST_PROVISION names the program under test
(tanistctl, or the driver beside this file). Run as root everything drops to the user postgres."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import pytest
import yaml

PROGRAM = os.environ.get("TANIST_PROVISION", "tanistctl")
EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
NODES = ["node1", "node2", "node3"]
ADDRESS = {"node1": "127.77.7.11", "node2": "127.77.7.12", "node3": "127.77.7.13",
           "haproxy": "127.77.7.10"}
PORTS = {"postgresql": 25432, "rest": 28008, "etcd_client": 22379, "etcd_peer": 22380,
         "read_write": 25000, "read_only": 25001, "statistics": 27000}


def unprivileged(command):
    if os.getuid() != 0:
        return command
    # libpq looks for certificates below HOME, and root's is closed to others.
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
            "env", "HOME=/nonexistent", *command]


def run(*command, **options):
    """Runs to the end, without privileges; the output is text."""
    options.setdefault("cwd", "/")
    return subprocess.run(unprivileged([str(word) for word in command]), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)


def must_run(*command, **options):
    result = run(*command, **options)
    assert result.returncode == 0, f"{command} said:\n{result.stdout}"
    return result.stdout


def eventually(condition, seconds=20):
    """Waits for the condition to hold; returns its (true) value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {condition}"
        time.sleep(0.05)


class Processes:
    """Background programs of one test; all are gone when it ends."""

    def __init__(self, folder):
        self.folder = folder
        self.running = {}

    def start(self, name, *command):
        log = open(self.folder / f"{name}.log", "a", encoding="utf-8")
        self.running[name] = subprocess.Popen(
            unprivileged([str(word) for word in command]), stdout=log, stderr=log, cwd="/",
            start_new_session=True)
        log.close()

    def stop(self, name):
        process = self.running.pop(name)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop_all(self):
        for name in list(self.running):
            self.stop(name)


@pytest.fixture(scope="module", name="folder")
def fixture_folder():
    with tempfile.TemporaryDirectory(prefix="provision-", dir="/tmp") as name:
        folder = pathlib.Path(name)
        # The program may lie where the unprivileged user cannot go.
        shutil.copy(shutil.which(PROGRAM), folder / "provision-program")
        if os.getuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        folder.chmod(0o755)
        yield folder


def provision(folder, topology, output, *options):
    file = folder / f"{output}.yml"
    file.write_text(topology, encoding="utf-8")
    return run(folder / "provision-program", "provision", file, "-o", folder / output, *options)


@pytest.fixture(scope="module", name="one")
def fixture_one(folder):
    """The output for a cluster on this machine, on addresses and ports of our own."""
    topology = yaml.safe_load((EXAMPLES / "topology-demo.yml").read_text(encoding="utf-8"))
    for host in topology["nodes"] + topology["haproxy"]:
        host["address"] = ADDRESS[host["name"]]
    topology["ports"] = PORTS
    bin_dir = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    topology["postgresql"] = {"bin_dir": str(bin_dir), "parameters": {"max_connections": 30}}
    result = provision(folder, yaml.safe_dump(topology), "one")
    assert result.returncode == 0, result.stdout
    return folder / "one"


@pytest.fixture(scope="module", name="hosts")
def fixture_hosts(folder):
    """The output for hosts of their own, whose units find programs to run."""
    programs = folder / "programs"
    programs.mkdir()
    for name in ("tanist", "etcd"):
        shutil.copy("/bin/true", programs / name)
    topology = (EXAMPLES / "topology-three-nodes.yml").read_text(encoding="utf-8")
    result = provision(folder, topology + f"\ndirectories: {{programs: {programs}}}\n", "hosts")
    assert result.returncode == 0, result.stdout
    return folder / "hosts"


@pytest.fixture(name="processes")
def fixture_processes(folder):
    processes = Processes(folder)
    yield processes
    processes.stop_all()


def agent_file(one, node):
    return yaml.safe_load((one / node / "etc/tanist/tanist.yml").read_text(encoding="utf-8"))


def password(one, name):
    return (one / "secrets" / name).read_text(encoding="utf-8").strip()
