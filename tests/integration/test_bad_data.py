# SPDX-License-Identifier: Apache-2.0
"""Data directories that cannot be used, programs that are missing, bootstrap scripts that fail or
hang: one clear sentence, one attempt per loop_wait at most, and what lies there stays as it is."""

import os
import time

import pytest
from local_servers import POSTGRESQL, eventually, must_run, processes_of
from plain_cluster import PlainCluster
from test_bad_input import lines_about, snapshot

WATCHED_S = 3
# What the agent itself keeps in a data directory (docs/guide/storage.md).
CANARY = "pgsql_tmp_canary"


class Lonely(PlainCluster):
    """One member, whose data directory somebody else has made."""

    def __init__(self):
        super().__init__(members=1)
        self.data = self.place("a1") / "data"
        self.start_etcd()
        self.describe("a1")

    def initdb(self):
        must_run(POSTGRESQL / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust",
                 "--no-sync")

    def configure(self, section, **changes):
        document = self.configuration("a1")
        document[section].update(changes)
        self.describe("a1", document)

    def script(self, text):
        return str(self.folder.write("script", f"#!/bin/sh\n{text}\n", 0o700))

    def check_it_waits(self, sentence):
        """The agent goes on, says it again and again but seldom, and touches nothing."""
        before = snapshot(self.data)
        self.start_agent("a1")
        eventually(lambda: lines_about(self.log("a1"), sentence), 20, f"a line: {sentence}")
        time.sleep(WATCHED_S)
        said = lines_about(self.log("a1"), sentence)
        # A few more in the beginning, when the view and the lock are news.
        assert len(said) <= 2 * WATCHED_S + 3, f"{len(said)} times in {WATCHED_S} s: {said[0]}"
        assert self.folder.runs("tanist-a1")
        after = {name: content for name, content in snapshot(self.data).items()
                 if CANARY not in name}
        assert after == before
        assert self.folder.stop("tanist-a1", 20) == 0

    def check_it_ends(self, sentence):
        self.start_agent("a1")
        assert self.folder.exit_code("tanist-a1", 30) == 1
        assert len(lines_about(self.log("a1"), sentence)) == 1, self.log("a1")


@pytest.fixture(name="lonely")
def fixture_lonely():
    lonely = Lonely()
    try:
        yield lonely
    finally:
        lonely.folder.show_logs()
        lonely.folder.remove()


# ---- The data directory ---------------------------------------------------------------------


def test_one_that_others_may_read(lonely):
    lonely.initdb()
    lonely.data.chmod(0o755)
    lonely.check_it_waits("has mode 0755, the server demands 0700 or 0750")


def test_one_of_somebody_else(lonely):
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    lonely.initdb()
    os.chown(lonely.data, 0, 0)
    before = snapshot(lonely.data)
    lonely.check_it_ends(f"cannot open folder {lonely.data}: Permission denied")
    assert snapshot(lonely.data) == before


def test_one_of_another_version(lonely):
    lonely.initdb()
    (lonely.data / "PG_VERSION").write_text("12\n", encoding="ascii")
    lonely.check_it_waits("has data of PostgreSQL 12, but the programs are of version")


def test_one_without_a_version(lonely):
    lonely.initdb()
    (lonely.data / "PG_VERSION").unlink()
    lonely.check_it_waits("PG_VERSION is missing or damaged")


def test_one_whose_control_file_was_cut_off(lonely):
    lonely.initdb()
    os.truncate(lonely.data / "global/pg_control", 100)
    lonely.check_it_waits("pg_controldata failed")


def test_half_a_copy(lonely):
    lonely.initdb()
    (lonely.data / "global/pg_control").unlink()
    lonely.check_it_waits("is not empty and holds no PostgreSQL data")


# ---- Programs and scripts -------------------------------------------------------------------


def test_programs_that_are_not_there(lonely):
    lonely.initdb()
    lonely.configure("postgresql", bin_dir="/nonexistent")
    lonely.check_it_waits("cannot run /nonexistent/")


def test_a_bootstrap_script_that_fails(lonely):
    command = lonely.script("mkdir -p \"${2#--datadir=}\"; touch \"${2#--datadir=}/half\"\n"
                            "echo the tape is broken >&2; exit 3")
    lonely.configure("bootstrap", method="tape", tape={"command": command})
    lonely.check_it_ends(r"custom bootstrap tape failed \(exit code 3\): the tape is broken")
    assert not list(lonely.data.iterdir()), "the next attempt begins anew"
    assert lonely.data.with_name("data.failed").joinpath("half").exists()


def test_a_bootstrap_script_that_makes_no_data(lonely):
    lonely.configure("bootstrap", method="tape", tape={"command": lonely.script("exit 0")})
    lonely.check_it_ends("is no data directory: it has no global/pg_control")


def test_a_bootstrap_script_that_hangs_ends_with_the_agent(lonely):
    lonely.configure("bootstrap", method="tape",
                     tape={"command": lonely.script("sleep 300; echo $1")})
    lonely.start_agent("a1")
    script = str(lonely.folder.path / "script")
    hanging = eventually(lambda: [pid for pid in processes_of(lonely.folder.path)
                                  if script in open(f"/proc/{pid}/cmdline",
                                                    encoding="utf-8").read()], 20, "the script")
    assert lonely.folder.stop("tanist-a1", 30) == 1, "the bootstrap failed"
    eventually(lambda: not os.path.exists(f"/proc/{hanging[0]}"), 10, "the script to end")
