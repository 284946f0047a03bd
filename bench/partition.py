#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long an application cannot write when the leader's node is cut off from everybody, and
whether two servers accept writes meanwhile: tanist and Patroni (the distribution's package) in
turn.

    bench/partition.py [--runs 3] [--settings default fastest]

Both sides: three nodes in network namespaces of their own, etcd, PostgreSQL, HAProxy and TLS from
the same files of `tanistctl provision`. Two clients write through HAProxy, and one on each node
through its socket. The outage is the longest time between two acknowledged rows of a client behind
HAProxy; the node stays cut off for ttl + 15 s. With etcd's leader on that node, and without. Needs
root.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve()
ROOT = HERE.parent.parent
os.environ.setdefault("TANIST_BIN", str(ROOT / "build/release/src"))
for name in ("tests/integration", "tests/faults", "tests/neighbours", "bench"):
    sys.path.insert(0, str(ROOT / name))
# pylint: disable=wrong-import-position
import psycopg2  # noqa: E402
import real_patroni  # noqa: E402
import store_data  # noqa: E402
from failover import SETTINGS, machine  # noqa: E402
from fault_cluster import FaultCluster  # noqa: E402
from local_servers import eventually  # noqa: E402
from side import PATRONI  # noqa: E402
from workload import Workload  # noqa: E402

RESUME_S = 120
RESULT = "RESULT "


class PartitionedCluster(FaultCluster):
    def __init__(self, side, settings):
        super().__init__()
        self.side = side
        self.topology["timing"] = SETTINGS[settings][side]

    def start_agent(self, node):
        if self.side == "tanist":
            super().start_agent(node)
            return
        words, environment = real_patroni.agent(PATRONI, self.config_file(node))
        self.launch(node, f"tanist-{node}", *words, **environment)

    def members(self):
        return real_patroni.in_our_words(super().members())

    def isolate(self, node):
        for other in [*(name for name in self.nodes if name != node), "outside"]:
            self.field.cut_both(node, other)


def longest_gap(answers):
    ends = sorted(answer.ended for answer in answers if answer.client.startswith("proxy"))
    return max((b - a for a, b in zip(ends, ends[1:])), default=0.0)


def seconds_of_two(answers, old):
    """From the first row that somebody else's server took to the last one of the old leader's."""
    before = [answer for answer in answers if answer.client == f"on-{old}"]
    others = [answer.began for answer in answers if answer.timeline > before[0].timeline]
    same = [answer.ended for answer in before if answer.timeline == before[0].timeline]
    return max(0.0, max(same) - min(others)) if others else 0.0


def place_store_leader(cluster, node, carried):
    """etcd's leader goes to this node, or to another one."""
    target = node if carried else next(name for name in cluster.nodes if name != node)

    def leads():
        if store_data.leads(cluster, target):
            return True
        store_data.ask_to_lead(cluster, target)
        return False

    eventually(leads, 30, f"{target} to lead etcd")
    time.sleep(cluster.topology["timing"]["ttl"])  # its election prolonged all leases


def measure(cluster, workload, carried):
    """Outage, seconds with two writable servers, acknowledged rows that are gone."""
    place_store_leader(cluster, cluster.leader(), carried)
    earlier = len(workload.answers())
    workload.start()
    begun = time.time()
    eventually(lambda: workload.wrote_since(begun + 2), RESUME_S, "clients to write")
    leader = cluster.leader()
    cut_at = time.time()
    cluster.isolate(leader)
    stays = cluster.topology["timing"]["ttl"] + 15
    eventually(lambda: workload.wrote_since(cut_at + 2), RESUME_S, "writes to go on elsewhere")
    time.sleep(max(0.0, cut_at + stays - time.time()))
    cluster.heal()
    cluster.wait_whole()
    workload.stop()
    answers = workload.answers()[earlier:]
    connection = psycopg2.connect(**cluster.application(), connect_timeout=5)
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM written")
        present = {row[0] for row in cursor.fetchall()}
    connection.close()
    gone = [answer for answer in answers if answer.number not in present]
    return {"outage": longest_gap(answers), "two": seconds_of_two(answers, leader),
            "lost": len(gone)}


def measure_here(side, settings, carried):
    """Inside the namespaces: a line with the result."""
    cluster = PartitionedCluster(side, settings)
    try:
        cluster.start()
        eventually(cluster.create_table, 60, "an empty table")
        result = measure(cluster, Workload(cluster), carried)
    except BaseException:
        cluster.show_logs()
        raise
    finally:
        cluster.remove()
    print(RESULT + json.dumps(result), flush=True)


def measure_isolated(side, settings, carried):
    """The result in a list; an empty one when it came to none."""
    words = [sys.executable, "-B", HERE, "--inside", side, "--settings", settings]
    done = subprocess.run([sys.executable, "-B", ROOT / "tests/faults/isolated.py", *words,
                           *(["--carried"] if carried else [])],
                          text=True, capture_output=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith(RESULT):
            result = json.loads(line.removeprefix(RESULT))
            print(f"{settings}, {side}, with etcd's leader: {carried}: {result}", file=sys.stderr)
            return [result]
    print(f"{side}, {settings}: {done.stdout[-3000:]}{done.stderr[-3000:]}", file=sys.stderr)
    return []


def cell(results, key, choose):
    return f"{choose(result[key] for result in results):.2f}" if results else "-"


def row(settings, carried, runs):
    own, theirs = ([result for _ in range(runs)
                    for result in measure_isolated(side, settings, carried)]
                   for side in ("tanist", "patroni"))
    ratio = "-"
    if own and theirs:
        ratio = "{:.1f}".format(statistics.median(result["outage"] for result in theirs) /
                                statistics.median(result["outage"] for result in own))
    event = "partition" + (" with etcd's leader" if carried else "")
    return (f"| {settings} | {event} | {cell(own, 'outage', statistics.median)} | "
            f"{cell(theirs, 'outage', statistics.median)} | {ratio} | {len(own)} / {len(theirs)} | "
            f"{cell(own, 'two', max)} / {cell(theirs, 'two', max)} | "
            f"{sum(r['lost'] for r in own)} / {sum(r['lost'] for r in theirs)} |")


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--inside", choices=["tanist", "patroni"], help=argparse.SUPPRESS)
    parser.add_argument("--carried", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = read_options()
    if options.inside:
        return measure_here(options.inside, options.settings[0], options.carried)
    print(f"{machine()}, load average {os.getloadavg()[0]:.1f}\n\n"
          "| settings | event | tanist, s | Patroni, s | ratio | runs | two writable, s | lost |\n"
          "|---|---|---|---|---|---|---|---|", flush=True)
    for settings in options.settings:
        for carried in (False, True):
            print(row(settings, carried, options.runs), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
