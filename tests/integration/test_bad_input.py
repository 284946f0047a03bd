# SPDX-License-Identifier: Apache-2.0
"""What an operator gets wrong: the agent says so in one clear line that names cause and remedy,
ends with the exit code that the configuration reference tells (or goes on trying, where that is the
rule), and deletes nothing."""

import hashlib
import re
import socket

import pytest
import yaml
from cluster import PORTS, Cluster
from local_servers import POSTGRESQL, Folder, eventually, must_run, network, programs_into

CONFIGURATION_ERROR = 1


def snapshot(folder):
    """Path -> hash of every file."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def lines_about(text, words):
    return [line for line in text.splitlines() if re.search(words, line, re.I)]


def one_line_about(text, words):
    """The one line that fits; a second one would be noise, none a riddle."""
    found = lines_about(text, words)
    assert len(found) == 1, f"{len(found)} lines about '{words}' in:\n{text}"
    return found[0]


class Alone:
    """One agent, with a data directory that somebody else filled."""

    def __init__(self):
        self.folder = Folder("tanist-alone-")
        programs_into(self.folder.path)
        self.data = self.folder.path / "data"
        must_run("mkdir", "-m", "0700", self.data, self.folder.path / "run")
        self.folder.write("data/precious", "do not delete")
        self.before = snapshot(self.data)

    def configuration(self, **changes):
        address = f"{network()}.21"
        return {"scope": "alone", "name": "one",
                "restapi": {"listen": f"{address}:18008", "connect_address": f"{address}:18008"},
                "etcd3": {"hosts": [f"{address}:12379"]},
                "postgresql": {"listen": f"{address}:15432", "connect_address": f"{address}:15432",
                               "data_dir": str(self.data), "bin_dir": str(POSTGRESQL),
                               "authentication": {"superuser": {"username": "postgres"},
                                                  "replication": {"username": "replicator"}}},
                **changes}

    def start(self, text):
        file = self.folder.write("tanist.yml", text if isinstance(text, str) else
                                 yaml.safe_dump(text))
        self.folder.start("tanist", self.folder.path / "tanist", file,
                          RUNTIME_DIRECTORY=self.folder.path / "run")

    def log(self):
        return self.folder.log("tanist")

    def check_untouched(self):
        after = snapshot(self.data)
        assert {name: after.get(name) for name in self.before} == self.before


@pytest.fixture(name="alone")
def fixture_alone():
    alone = Alone()
    yield alone
    alone.folder.show_logs()
    alone.folder.remove()


# ---- The file -------------------------------------------------------------------------------


def test_a_file_that_is_no_yaml(alone):
    alone.start("scope: alone\nname: [one\npostgresql:\n  listen: x\n")
    assert alone.folder.exit_code("tanist", 20) == CONFIGURATION_ERROR
    assert re.search(r"tanist\.yml.*\b[234]\b", one_line_about(alone.log(), "tanist.yml"))
    alone.check_untouched()


def test_a_list_where_parameters_should_be(alone):
    configuration = alone.configuration()
    configuration["postgresql"]["parameters"] = ["max_connections"]
    alone.start(configuration)
    assert alone.folder.exit_code("tanist", 20) == CONFIGURATION_ERROR
    one_line_about(alone.log(), "postgresql.parameters is not a dictionary")
    alone.check_untouched()


def test_no_store_at_all(alone):
    configuration = alone.configuration()
    del configuration["etcd3"]
    alone.start(configuration)
    assert alone.folder.exit_code("tanist", 20) == CONFIGURATION_ERROR
    one_line_about(alone.log(), "suitable configuration of distributed configuration store")
    alone.check_untouched()


# ---- The store ------------------------------------------------------------------------------


def test_an_etcd_that_nobody_serves_is_named_and_tried_again(alone):
    alone.start(alone.configuration())
    address = f"{network()}.21:12379"
    eventually(lambda: lines_about(alone.log(), re.escape(address)), 30, "a line about etcd")
    assert alone.folder.runs("tanist"), "an agent waits for its store"
    assert alone.folder.stop("tanist", 20) == 0
    alone.check_untouched()


# ---- A running cluster ----------------------------------------------------------------------


@pytest.fixture(scope="module", name="kept")
def fixture_kept():
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.show_logs()
        cluster.remove()


@pytest.fixture(name="cluster")
def fixture_cluster(kept):
    """Healthy before each test, and again after it."""
    kept.wait_healthy()
    yield kept
    kept.show_logs()


def replica_of(cluster):
    return next(name for name, member in cluster.members().items() if member["role"] == "replica")


def new_lines(cluster, name, before):
    return cluster.folder.log(name)[before:]


def test_a_store_with_a_certificate_of_another_authority(cluster, alone):
    must_run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
             "/CN=another", "-keyout", alone.folder.path / "ca.key", "-out",
             alone.folder.path / "ca.crt")
    store = {**cluster.config("node1")["etcd3"], "cacert": str(alone.folder.path / "ca.crt")}
    alone.start(alone.configuration(etcd3=store))
    eventually(lambda: lines_about(alone.log(), "certificate"), 30, "a line about the certificate")
    assert alone.folder.runs("tanist")
    assert alone.folder.stop("tanist", 20) == 0
    alone.check_untouched()
    assert cluster.is_healthy(3)


def test_a_name_that_is_taken(cluster, alone):
    store, control = cluster.config("node1")["etcd3"], cluster.config("node1")["ctl"]
    alone.start(alone.configuration(scope="demo", name="node1", etcd3=store, ctl=control))
    assert alone.folder.exit_code("tanist", 30) == CONFIGURATION_ERROR
    one_line_about(alone.log(), "there is already a node named 'node1' running")
    alone.check_untouched()
    assert cluster.is_healthy(3)


def test_data_of_another_cluster(cluster):
    node = replica_of(cluster)
    assert cluster.stop_agent(node) == 0
    data = cluster.data(node)
    aside = data.with_name("aside")
    must_run("mv", data, aside)
    must_run(POSTGRESQL / "initdb", "-D", data, "-U", "postgres")
    before = snapshot(data / "base")
    size = len(cluster.folder.log(f"tanist-{node}"))
    cluster.start_agent(node)
    assert cluster.folder.exit_code(f"tanist-{node}") == CONFIGURATION_ERROR
    one_line_about(new_lines(cluster, f"tanist-{node}", size), "system ID mismatch")
    assert set(before) <= set(snapshot(data / "base")), "files of the foreign data are gone"
    must_run("rm", "-r", data)
    must_run("mv", aside, data)
    cluster.start_agent(node)
    cluster.wait_healthy()


def test_the_port_of_the_rest_api_is_in_use(cluster):
    node = replica_of(cluster)
    assert cluster.stop_agent(node) == 0
    before = snapshot(cluster.data(node))
    size = len(cluster.folder.log(f"tanist-{node}"))
    address = cluster.address[node]
    with socket.create_server((address, PORTS["rest"])):
        cluster.start_agent(node)
        assert cluster.folder.exit_code(f"tanist-{node}") == CONFIGURATION_ERROR
        one_line_about(new_lines(cluster, f"tanist-{node}", size), f"{address}:{PORTS['rest']}")
    after = snapshot(cluster.data(node))
    assert set(before) <= set(after)
    cluster.start_agent(node)
    cluster.wait_healthy()


def test_the_port_of_postgresql_is_in_use(cluster):
    node = replica_of(cluster)
    assert cluster.stop_agent(node) == 0
    before = snapshot(cluster.data(node) / "base")
    size = len(cluster.folder.log(f"tanist-{node}"))
    with socket.create_server((cluster.address[node], PORTS["postgresql"])):
        cluster.start_agent(node)
        eventually(lambda: lines_about(new_lines(cluster, f"tanist-{node}", size),
                                       f"{PORTS['postgresql']}.*in use|in use.*"
                                       f"{PORTS['postgresql']}|could not bind"), 60,
                   "a line about the port")
        assert cluster.folder.runs(f"tanist-{node}"), "the agent goes on trying"
        assert set(before) <= set(snapshot(cluster.data(node) / "base"))
    cluster.wait_healthy()
