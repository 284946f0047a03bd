# SPDX-License-Identifier: Apache-2.0
"""tanistctl against a real etcd into which the keys were written by hand, as agents write them.
TANISTCTL names the program under test."""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
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


@contextlib.contextmanager
def member_that_answers(store, name, status, body):
    """Publishes a REST API for the member; yields the list of requests that it got."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            seen.append((self.command, self.path, json.loads(text) if text else None))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_PATCH = do_GET = do_DELETE = answer

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer((HOST, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    value = json.loads(store.get(f"members/{name}"))
    store.put(f"members/{name}", {**value,
                                  "api_url": f"http://{HOST}:{server.server_port}/patroni"})
    yield seen
    server.shutdown()
    server.server_close()


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


def test_a_switchover_is_asked_of_the_leader(store):
    with member_that_answers(store, "a1", 200, 'Successfully switched over to "a2"') as seen:
        out = store.ctl("switchover", answers="\na2\n\ny\n")
    assert seen == [("POST", "/switchover", {"candidate": "a2", "leader": "a1"})]
    assert 'Successfully switched over to "a2"\n' + TABLE % "a2    " in out


def test_a_refused_switchover_is_told_and_ends_well(store):
    with member_that_answers(store, "a1", 412, "candidate does not exists"):
        out = store.ctl("switchover", "--force")
    assert out.endswith("Switchover failed, details: 412, candidate does not exists\n")
    assert store.get("failover") == ""


def test_restart_is_asked_of_each_member_with_its_conditions(store):
    with member_that_answers(store, "a2", 202, "Restart scheduled") as seen:
        out = store.ctl("restart", "shop", "a2", "--pg-version", "15.4", "--scheduled",
                        "2031-05-01 06:00+02:00", answers="y\n")
    assert seen == [("POST", "/restart", {"postgres_version": "15.4",
                                          "schedule": "2031-05-01T06:00:00+02:00"})]
    assert out.endswith("Are you sure you want to schedule restart of members a2 at "
                        "2031-05-01 06:00:00+02:00? [y/N]: "
                        "Success: restart scheduled on member a2\n")


def test_pause_is_asked_of_whoever_answers(store):
    with member_that_answers(store, "a2", 200, "{}") as seen:
        out = store.ctl("pause")
    assert seen == [("PATCH", "/config", {"pause": True})]
    assert out == "Success: cluster management is paused\n"


def test_version_names_what_members_run(store):
    body = '{"patroni": {"version": "4.1.4"}, "server_version": 150004}'
    with member_that_answers(store, "a2", 200, body):
        out = store.ctl("version", "shop", "a2")
    assert out.splitlines()[1:] == ["", "a2: Patroni 4.1.4 PostgreSQL 15.4"]
