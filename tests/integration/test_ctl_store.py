# SPDX-License-Identifier: Apache-2.0
"""tanistctl against a real etcd into which the keys were written by hand, as agents write them.
TANISTCTL names the program under test."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import pytest
import yaml

PROGRAM = os.environ.get("TANISTCTL", "tanistctl")
HOST = "127.83.4.17"
MEMBER = {"conn_url": "postgres://10.1.0.%d:5432/postgres", "role": "replica", "state": "running",
          "api_url": f"http://{HOST}:1/patroni", "version": "4.1.4", "timeline": 4}
CONFIG = {"ttl": 30, "loop_wait": 10, "postgresql": {"parameters": {"max_connections": 100}}}
TABLE = """\
+ Cluster: shop (7415926535897932384) ----+----+-------------+-----+------------+-----+
| Member | Host     | Role    | State     | TL | Receive LSN | Lag | Replay LSN | Lag |
+--------+----------+---------+-----------+----+-------------+-----+------------+-----+
| a1     | 10.1.0.1 | Leader  | running   |  4 |             |     |            |     |
| %s | 10.1.0.2 | Replica | streaming |  4 |   0/C000148 |   0 |  0/C000148 |   0 |
+--------+----------+---------+-----------+----+-------------+-----+------------+-----+
"""


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


class Store:
    """One etcd server in a temporary folder, and a configuration that leads to it."""

    def __init__(self, folder):
        self.endpoint = f"http://{HOST}:{free_port()}"
        peer = f"http://{HOST}:{free_port()}"
        with open(folder / "etcd.log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["etcd", "--data-dir", folder / "etcd", "--listen-client-urls", self.endpoint,
                 "--advertise-client-urls", self.endpoint, "--listen-peer-urls", peer,
                 "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}"],
                stdout=log, stderr=log)
        self.config = folder / "ctl.yml"
        self.config.write_text(yaml.safe_dump(
            {"scope": "shop", "etcd3": {"hosts": self.endpoint.removeprefix("http://")}}))
        self.config.chmod(0o600)
        end = time.monotonic() + 30
        while self.etcdctl("endpoint", "health", check=False).returncode != 0:
            assert time.monotonic() < end, (folder / "etcd.log").read_text()

    def etcdctl(self, *words, check=True):
        return subprocess.run(["etcdctl", "--endpoints", self.endpoint, *words], check=check,
                              env={**os.environ, "ETCDCTL_API": "3"}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def put(self, key, value):
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        self.etcdctl("put", f"/service/shop/{key}", text)

    def get(self, key):
        return self.etcdctl("get", "--print-value-only", f"/service/shop/{key}").stdout.strip()

    def ctl(self, *words, answers="", code=0, **variables):
        result = subprocess.run([PROGRAM, "-c", str(self.config), *words], input=answers, text=True,
                                capture_output=True, check=False, env={**os.environ, **variables})
        assert result.returncode == code, result.stdout + result.stderr
        return result.stdout if code == 0 else result.stdout + result.stderr


@pytest.fixture(scope="module")
def server():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tanist_ctl_"))
    store = Store(folder)
    yield store
    store.process.terminate()
    store.process.wait()
    shutil.rmtree(folder)


@pytest.fixture
def store(server):
    server.etcdctl("del", "--prefix", "/service/")
    server.put("initialize", "7415926535897932384")
    server.put("config", CONFIG)
    server.put("leader", "a1")
    server.put("status", {"optime": 201326920})
    server.put("members/a1", {**MEMBER, "conn_url": MEMBER["conn_url"] % 1, "role": "primary",
                              "xlog_location": 201326920})
    server.put("members/a2", {**MEMBER, "conn_url": MEMBER["conn_url"] % 2,
                              "xlog_location": 201326920, "receive_lsn": 201326920,
                              "replay_lsn": 201326920, "replication_state": "streaming"})
    return server


def test_list_is_a_table_by_default(store):
    assert store.ctl("list") == TABLE % "a2    "


def test_topology_shows_who_streams_from_whom(store):
    assert store.ctl("topology") == TABLE % "+ a2  "


def test_list_for_programs(store):
    rows = [{"Cluster": "shop", "Member": "a1", "Host": "10.1.0.1", "Role": "Leader",
             "State": "running", "TL": 4},
            {"Cluster": "shop", "Member": "a2", "Host": "10.1.0.2", "Role": "Replica",
             "State": "streaming", "TL": 4, "Receive LSN": "0/C000148", "Receive Lag": 0,
             "Replay LSN": "0/C000148", "Replay Lag": 0}]
    assert store.ctl("list", "-f", "json") == json.dumps(rows) + "\n"
    assert store.ctl("list", "-f", "yaml") == yaml.safe_dump(rows, width=200) + "\n"
    assert store.ctl("list", "-f", "tsv").splitlines() == [
        "Cluster\tMember\tHost\tRole\tState\tTL\tReceive LSN\tReceive Lag\tReplay LSN\tReplay Lag",
        "shop\ta1\t10.1.0.1\tLeader\trunning\t4\t\t\t\t",
        "shop\ta2\t10.1.0.2\tReplica\tstreaming\t4\t0/C000148\t0\t0/C000148\t0"]


def test_a_cluster_that_the_store_does_not_know_is_empty(store):
    assert store.ctl("list", "nowhere").startswith("+ Cluster: nowhere (uninitialized) ")


def test_show_config_prints_sorted_yaml_and_a_blank_line(store):
    assert store.ctl("show-config") == yaml.safe_dump(CONFIG) + "\n"


def test_history_pads_old_lines(store):
    store.put("history", [[1, 100, "no recovery target specified", "2026-01-01T00:00:00+00:00",
                           "a1"], [2, 200, "x"]])
    assert store.ctl("history", "-f", "tsv").splitlines()[1:] == [
        "1\t100\tno recovery target specified\t2026-01-01T00:00:00+00:00\ta1", "2\t200\tx\t\t"]
    assert json.loads(store.ctl("history", "-f", "json"))[1]["New Leader"] == ""


def test_edit_config_sets_shows_asks_and_writes(store):
    out = store.ctl("edit-config", "-s", "ttl=20", "-p", "work_mem=16MB", answers="y\n")
    assert out == ("--- \n+++ \n@@ -2,4 +2,5 @@\n postgresql:\n   parameters:\n"
                   "     max_connections: 100\n-ttl: 30\n+    work_mem: 16MB\n+ttl: 20\n"
                   "Apply these changes? [y/N]: Configuration changed\n")
    assert json.loads(store.get("config")) == {
        "ttl": 20, "loop_wait": 10,
        "postgresql": {"parameters": {"max_connections": 100, "work_mem": "16MB"}}}


def test_edit_config_declined_changes_nothing(store):
    store.ctl("edit-config", "-s", "ttl=20", answers="n\n")
    assert json.loads(store.get("config")) == CONFIG


def test_edit_config_tells_when_nothing_changes(store):
    assert store.ctl("edit-config", "-s", "ttl=30") == "Not changed\n"


def test_edit_config_from_standard_input_wants_force(store):
    words = ["edit-config", "-q", "--apply", "-"]
    assert store.ctl(*words, answers="ttl: 25\n") == "Use --force option to apply changes\n"
    assert store.ctl(*words, "--force", answers="ttl: 25\n") == "Configuration changed\n"
    assert json.loads(store.get("config"))["ttl"] == 25


def test_edit_config_opens_the_editor(store):
    out = store.ctl("edit-config", "--force", EDITOR="sed -i s/30/40/")
    assert out.endswith("Configuration changed\n")
    assert json.loads(store.get("config"))["ttl"] == 40
    assert "Editor exited with return code 3" in store.ctl("edit-config", code=1,
                                                           EDITOR="sh -c 'exit 3'")


def test_edit_config_gives_way_to_another_change(store):
    other = f"ETCDCTL_API=3 etcdctl --endpoints {store.endpoint} put /service/shop/config '{{}}' #"
    out = store.ctl("edit-config", "-s", "ttl=20", "--replace", str(store.config), "--quiet",
                    "--force")
    assert out == "Configuration changed\n"
    out = store.ctl("edit-config", "--force", code=1,
                    EDITOR=f"sh -c 'sed -i s/20/21/ $0; {other.replace(chr(39), chr(34))}'")
    assert "Config modification aborted due to concurrent changes" in out


def test_a_switchover_that_nobody_hears_is_left_in_the_store(store):
    out = store.ctl("switchover", "--candidate", "a2", "--force")
    assert "Could not switchover using Patroni api, falling back to DCS" in out
    assert json.loads(store.get("failover")) == {"leader": "a1", "member": "a2"}


def test_a_switchover_to_nobody_is_an_error(store):
    assert "Error: Member x does not exist in cluster shop or is tagged as nofailover" in store.ctl(
        "switchover", "--candidate", "x", "--force", code=1)
    assert "Aborted!" in store.ctl("switchover", code=1)


def test_pause_needs_somebody_who_answers(store):
    assert "Error: Can not find accessible cluster member" in store.ctl("pause", code=1)
    assert "Error: Cluster is not paused" in store.ctl("resume", code=1)


def test_reload_names_members_and_asks(store):
    out = store.ctl("reload", "shop", answers="n\n", code=1)
    assert out == (TABLE % "a2    " +
                   "Are you sure you want to reload members a1, a2? [y/N]: Error: Aborted reload\n")
