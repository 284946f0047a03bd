# SPDX-License-Identifier: Apache-2.0
"""tanistctl against a real etcd into which the keys were written by hand, as agents write them.
TANISTCTL names the program under test."""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import signal
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


def test_resume_lets_a_primary_take_the_lock_first(store):
    store.put("config", {**CONFIG, "loop_wait": 1, "pause": True})
    store.etcdctl("del", "/service/shop/leader")
    with member_that_answers(store, "a1", 200, "{}") as seen:
        taken = threading.Timer(1, lambda: store.put("leader", "a1"))
        taken.start()
        out = store.ctl("resume")
        taken.join()
        assert "waiting for a1, which runs as primary" in out
        assert "Success: cluster management is resumed" in out
        store.etcdctl("del", "/service/shop/leader")
        out = subprocess.run([PROGRAM, "-c", str(store.config), "resume"], capture_output=True,
                             text=True, check=True)
        assert "a1 does not take the leader lock: its server may be demoted now" in out.stderr
    assert seen == 2 * [("PATCH", "/config", {"pause": None})]


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
    assert out.splitlines()[0].startswith("tanistctl version ")
    assert out.splitlines()[1:] == ["", "a2: Patroni 4.1.4 PostgreSQL 15.4"]


def test_a_link_named_patronictl_is_patronictl(store):
    with tempfile.TemporaryDirectory() as folder:
        link = pathlib.Path(folder) / "patronictl"
        link.symlink_to(shutil.which(PROGRAM) or pathlib.Path(PROGRAM).resolve())
        said = subprocess.run([link, "-c", store.config, "version"], capture_output=True, text=True,
                              check=True).stdout
        wrong = subprocess.run([link, "list", "--foo"], capture_output=True, text=True, check=False)
    assert said.startswith("patronictl version 4.")
    assert wrong.returncode == 2
    assert wrong.stderr == ("Usage: patronictl list [OPTIONS] [CLUSTER_NAMES]...\n"
                            "Try 'patronictl list --help' for help.\n\n"
                            "Error: No such option: --foo\n")


def test_the_configuration_may_come_from_variables(store):
    words = dict(capture_output=True, text=True, check=False)
    by_file = subprocess.run([PROGRAM, "list"], **words,
                             env={**os.environ, "PATRONICTL_CONFIG_FILE": str(store.config)})
    assert by_file.stdout == TABLE % "a2    "
    by_url = subprocess.run([PROGRAM, "list", "shop"], **words, env={
        **os.environ, "XDG_CONFIG_HOME": "/nonexistent",
        "DCS_URL": store.endpoint.replace("http", "etcd3")})
    assert by_url.stdout == TABLE % "a2    "
    missing = subprocess.run([PROGRAM, "-c", "/no/such", "list"], **words)
    assert missing.returncode == 1
    assert missing.stderr == ("Error: Provided config file /no/such not existing or no read rights."
                              " Check the -c/--config-file parameter\n")


def test_warnings_are_silent_at_a_higher_level(store):
    words = ["flush", "shop", "switchover"]
    store.put("failover", {"leader": "a1", "scheduled_at": "2031-05-01T06:00:00+02:00"})
    loud = subprocess.run([PROGRAM, "-c", store.config, *words], capture_output=True, text=True,
                          check=True)
    assert " - WARNING - Member a1 is not accessible\n" in loud.stderr
    store.put("failover", {"leader": "a1", "scheduled_at": "2031-05-01T06:00:00+02:00"})
    quiet = subprocess.run([PROGRAM, "-c", store.config, *words], capture_output=True, text=True,
                           check=True, env={**os.environ, "PATRONI_LOGLEVEL": "ERROR"})
    assert quiet.stderr == ""


def test_a_schedule_is_shown_in_its_own_zone(store):
    store.put("failover", {"leader": "a1", "scheduled_at": "2031-05-01T06:00:00+02:00"})
    assert store.ctl("list").endswith(" Switchover scheduled at: 2031-05-01T06:00:00+02:00\n"
                                      "                    from: a1\n")


def test_a_scheduled_switchover_that_nobody_can_delete_is_deleted_in_the_store(store):
    assert store.ctl("flush", "shop", "switchover") == "No pending scheduled switchover\n"
    store.put("failover", {"leader": "a1", "scheduled_at": "2031-05-01T06:00:00+02:00"})
    out = store.ctl("flush", "shop", "switchover")
    assert out.endswith(" Could not find any accessible member of cluster shop\n")
    assert store.get("failover") == "{}"


def test_flushing_asks_members_until_one_knows(store):
    store.put("failover", {"leader": "a1", "scheduled_at": "2031-05-01T06:00:00+02:00"})
    with member_that_answers(store, "a2", 404, "no failover is scheduled") as seen:
        out = store.ctl("flush", "shop", "switchover")
    assert seen == [("DELETE", "/switchover", None)]
    assert out == "Failed: no switchover is scheduled\n"


def test_a_scheduled_restart_is_flushed_where_there_is_one(store):
    value = json.loads(store.get("members/a2"))
    store.put("members/a2", {**value, "scheduled_restart": {"schedule": "2031-05-01T04:00:00Z"}})
    with member_that_answers(store, "a2", 200, "scheduled restart deleted") as seen:
        out = store.ctl("flush", "shop", "restart", "--force")
    assert seen == [("DELETE", "/restart", None)]
    assert out.endswith("No scheduled restart for member a1\n"
                        "Success: flush scheduled restart for member a2\n")


def test_reinit_offers_to_cancel_what_is_under_way(store):
    with member_that_answers(store, "a2", 503, "restart already in progress") as seen:
        out = store.ctl("reinit", "shop", "a2", "--from-leader", answers="y\ny\n")
    assert seen == [("POST", "/reinitialize", {"force": force, "from_leader": True})
                    for force in (False, True)]
    failed = "Failed: reinitialize for member a2, status code=503, (restart already in progress)\n"
    assert out.endswith(f"[y/N]: {failed}Do you want to cancel it and reinitialize anyway? [y/N]: "
                        f"{failed}")


def test_reinit_takes_replicas_only(store):
    assert "Error: No replica among provided members\n" in store.ctl("reinit", "shop", "a1", code=1)
    out = store.ctl("reinit", "shop", answers="a1\n", code=1)
    assert "Which member do you want to reinitialize [a2]? []: " in out
    assert "Error: a1 is not a member of cluster\n" in out
    assert store.ctl("reinit", "shop", "--force") == TABLE % "a2    "


def test_one_member_is_chosen_by_name_or_by_role(store):
    assert store.ctl("dsn") == "host=10.1.0.1 port=5432\n"
    assert store.ctl("dsn", "-r", "replica") == "host=10.1.0.2 port=5432\n"
    assert store.ctl("dsn", "-r", "any", "-m", "a2", code=1) == (
        "Error: --role and --member are mutually exclusive options\n")
    assert "Error: Can not find a suitable member\n" in store.ctl("dsn", "-m", "x", code=1)


def test_a_query_that_fails_is_a_row_and_no_error(store):
    row = store.ctl("query", "-c", "SELECT 1", "-m", "x").split("\t")
    assert row[1] == "No connection to member x is available\n"
    out = store.ctl("query", "-c", "SELECT 1", "-m", "x", "--format", "pretty")
    assert out.splitlines()[1].split() == ["|", "Field", "1", "|", "Field", "2", "|"]
    assert store.ctl("query", "-c", "SELECT 1", "-m", "x", "--format", "json") == "[{}]\n"
    assert store.ctl("query", code=1) == (
        "Error: You need to specify either --command or --file\n")
    assert store.ctl("query", "-c", "x", "-f", "/dev/null", code=1) == (
        "Error: --file and --command are mutually exclusive options\n")


def test_remove_deletes_this_cluster_only(store):
    store.etcdctl("put", "/service/shop2/initialize", "1")
    out = store.ctl("remove", "shop", "-f", "json", answers="\nshop\nYes I am aware\na1\n")
    assert out.startswith('[{"Cluster": "shop", ')
    assert out.count("Please confirm the cluster name to remove: ") == 2
    assert store.etcdctl("get", "--prefix", "--keys-only", "/service/").stdout.split() == [
        "/service/shop2/initialize"]


def test_a_cluster_is_not_demoted_without_a_source_or_a_leader(store):
    assert store.ctl("demote-cluster", code=1) == (
        "Error: At least --host, --port or --restore-command should be specified\n")
    assert store.ctl("promote-cluster", code=1) == (
        "Error: Cluster is already in the required state\n")
    store.etcdctl("del", "/service/shop/leader")
    assert store.ctl("promote-cluster", code=1) == (
        "Error: Cluster has no leader, promotion is not possible\n")


def test_demote_cluster_writes_the_source_and_waits_for_the_role(store):
    with member_that_answers(store, "a1", 200, "{}") as seen:
        value = json.loads(store.get("members/a1"))
        later = threading.Timer(1.5, lambda: store.put("members/a1",
                                                       {**value, "role": "standby_leader"}))
        later.start()
        out = store.ctl("demote-cluster", "--host", "10.2.0.1", "--port", "5433", "--force")
        later.join()
    source = {"host": "10.2.0.1", "port": 5433}
    assert seen == [("PATCH", "/config", {"standby_cluster": source})]
    lines = out.splitlines()
    assert lines[0] == "Current cluster topology"
    looks = [line[20:] for line in lines if "cluster is unlocked" in line]
    assert looks[0] == "cluster is unlocked: False, leader role: primary, leader state: running"
    assert looks[-1].endswith("leader role: standby_leader, leader state: running")
    assert any(line[20:] == "cluster is successfully demoted" for line in lines)


def test_a_refused_change_of_the_standby_cluster_is_an_error(store):
    with member_that_answers(store, "a1", 409, "no"):
        out = store.ctl("demote-cluster", "--restore-command", "x", "--force", code=1)
    assert out.endswith("Error: Failed to demote shop cluster: Failed to demote shop cluster: "
                        "/config PATCH status code=409, (no)\n")


def test_doctor_tells_what_is_wrong_and_what_to_do(store):
    rows = yaml.safe_load(store.ctl("doctor", "-f", "yaml", code=1).partition("Error: ")[0])
    wrong = {row["Subject"]: row for row in rows if row["Grade"] == "wrong"}
    # The members' addresses lead nowhere.
    assert sorted(wrong) == ["member a1", "member a2"]
    assert all(row["Remedy"] for row in rows if row["Grade"] != "ok")
    store.put("config", {**CONFIG, "ttl": 3, "loop_wait": 1, "retry_timeout": 1})
    quiet = store.ctl("doctor", "-q", code=1)
    assert "\nwrong    setting ttl: 3 s; etcd's election timeout is about 1.0 s" in quiet
    assert "\nok " not in quiet and not quiet.startswith("ok ")
    store.put("config", {**CONFIG, "retry_timeout": "soon"})
    assert "\nwrong    setting retry_timeout: " in store.ctl("doctor", "-q", code=1)


def test_doctor_on_a_store_that_is_away(store):
    out = subprocess.run([PROGRAM, "-d", f"etcd3://{HOST}:1", "doctor", "shop"],
                         capture_output=True, text=True, check=False, timeout=30)
    assert out.returncode == 1
    assert f"wrong    etcd {HOST}:1: does not answer: " in out.stdout


def test_a_list_is_repeated_until_it_is_interrupted(store):
    with subprocess.Popen([PROGRAM, "-c", store.config, "list", "-w", "0.1", "-f", "tsv"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        headings = [process.stdout.readline() for _ in range(7)]
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 1
        assert process.stderr.read().endswith("Aborted!\n")
    assert headings.count(headings[0]) == 3
