# SPDX-License-Identifier: Apache-2.0
"""Rounds of harm to one cluster under its workload, each followed by healing and by the checks of
safety 7: what was promised is there, no two servers accepted writes at once, and the cluster comes
back by itself."""

import collections
import dataclasses
import datetime
import random
import re
import time

import psycopg2
from faults import FAULTS, KINDS, World
from local_servers import Broken, eventually
from workload import Workload

ROW_WAL_MIN = 64               # bytes of WAL that a row needs at least
LOST_BYTES_MAX = 2 * 1048576   # maximum_lag_on_failover, and what was written since the last status
RESUME_S = 90                  # for slow machines; what it took is reported
STOPPED_SERVERS = {"freeze_backends", "freeze_postmaster"}
STAMP = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]\d+)")


@dataclasses.dataclass
class Figures:
    """What a campaign has seen so far."""
    rounds: int = 0
    seconds: float = 0.0
    faults: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    promised: int = 0
    unpromised: int = 0
    lost_by_asynchronous_failover: int = 0
    promotions: int = 0
    longest_heal_s: float = 0.0


class Campaign:
    """Requires a started cluster. The seed decides what happens; when, the machine."""

    def __init__(self, cluster, seed):
        self.cluster = cluster
        self.chance = random.Random(seed)
        self.workload = Workload(cluster)
        self.figures = Figures()
        self.told = []
        self.missing = set()
        self.begun = time.time()
        self.prepare_table()

    def prepare_table(self):
        eventually(self.cluster.create_table, 60, "an empty table")

    def tell(self, text):
        now = time.time()
        self.told.append((now, text))
        print(f"{now - self.begun:8.2f} s  {text}", flush=True)

    # ---- One round --------------------------------------------------------------------------

    def round(self, names, seconds=4.0, gap=1.0):
        """These faults, `gap` apart; healed `seconds` later; checked."""
        world = World(self.cluster, self.chance)
        begun = time.time()
        self.workload.start()
        try:
            eventually(lambda: self.workload.wrote_since(begun), RESUME_S, "clients to write")
            self.before_harm()
            for index, name in enumerate(names):
                time.sleep(gap if index else 0.2)
                self.tell(f"{name}: {FAULTS[name](world)}")
                self.figures.faults[KINDS[name]] += 1
            time.sleep(seconds)
            self.cluster.heal()
            self.tell("all is healed")
            self.after_healing()
            took = self.cluster.wait_whole()
            healed = time.time()
            eventually(lambda: self.workload.wrote_since(healed), RESUME_S, "writes to resume")
        finally:
            self.workload.stop()
        self.tell(f"healthy {took:.1f} s after the healing, {self.cluster.leader()} leads")
        self.figures.longest_heal_s = max(self.figures.longest_heal_s, took)
        self.figures.rounds += 1
        self.figures.seconds += time.time() - begun
        self.check(names)

    def before_harm(self):
        """For clusters in a particular state (special_clusters.py)."""

    def after_healing(self):
        """Before the cluster has to be whole."""

    def random_round(self):
        number = self.chance.choice([1, 1, 1, 2, 2, 3])
        names = [self.chance.choice(sorted(FAULTS)) for _ in range(number)]
        # An orderly stop waits for every session, as PostgreSQL does, and nobody would thaw them.
        if STOPPED_SERVERS & set(names):
            names = [name for name in names if name != "roll_agents"]
        self.round(names, self.chance.uniform(0.5, 12), self.chance.uniform(0, 3))

    # ---- Checks -----------------------------------------------------------------------------

    def check(self, names):
        answers = self.workload.answers()
        self.figures.promised = sum(answer.promised for answer in answers)
        self.figures.unpromised = len(answers) - self.figures.promised
        found, self.figures.promotions = self.cluster.two_primaries(answers)
        if found:
            raise Broken("two servers accepted writes at once: " + "; ".join(found))
        self.check_lost(answers, names)

    def check_lost(self, answers, names):
        present = self.rows()
        gone = [answer for answer in answers if answer.promised and answer.number not in present
                and answer.number not in self.missing]
        if not gone:
            return
        text = (f"{len(gone)} acknowledged rows are gone: " + ", ".join(
            f"{a.number} ({a.client}, timeline {a.timeline})" for a in gone[:20]))
        # Nobody can keep a promise that only etcd knew of (safety 7).
        if self.cluster.is_synchronous() and "lose_store_data" not in names:
            raise Broken(f"mode {self.cluster.mode}: {text}")
        if set(names) <= {"switch_over", "roll_agents", "renew_certificates"}:
            raise Broken(f"nothing but planned work happened: {text}")
        if len(gone) * ROW_WAL_MIN > LOST_BYTES_MAX:
            raise Broken(f"more than asynchronous replication may lose: {text}")
        self.missing.update(answer.number for answer in gone)
        self.figures.lost_by_asynchronous_failover += len(gone)
        self.tell(f"asynchronous failover lost {len(gone)} rows")

    def rows(self):
        """The numbers that the leader has."""
        def read():
            try:
                connection = psycopg2.connect(**self.cluster.application(), connect_timeout=3)
            except psycopg2.OperationalError:
                return None
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT number FROM written")
                    return {row[0] for row in cursor.fetchall()} | {0}
            except psycopg2.Error:
                return None
            finally:
                connection.close()
        return eventually(read, 60, "the rows to be read")

    # ---- The story --------------------------------------------------------------------------

    def story(self, seconds=120):
        """The logs of all programs of the last time, merged with what was done, line by line."""
        since = time.time() - seconds
        lines = [(at, f"**** {text}") for at, text in self.told]
        for file in sorted((self.cluster.folder.path / "log").iterdir()):
            if not file.name.startswith(("tanist-", "patroni-")):
                continue
            at = 0.0
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                stamp = STAMP.match(line)
                if stamp:
                    parsed = datetime.datetime.fromisoformat(stamp.group(1).replace(",", "."))
                    at = parsed.astimezone().timestamp()
                lines.append((at, f"{file.name}: {line}"))
        lines.sort(key=lambda pair: pair[0])
        return "\n".join(f"{at - self.begun:8.2f} s  {text}" for at, text in lines if at >= since)


def report(figures):
    """The figures as lines of docs/testing.md have them."""
    faults = ", ".join(f"{kind} {count}" for kind, count in sorted(figures.faults.items()))
    return "\n".join([
        f"rounds {figures.rounds}, {figures.seconds / 60:.1f} minutes under load, "
        f"longest healing {figures.longest_heal_s:.1f} s",
        f"faults: {faults}",
        f"rows promised {figures.promised}, answered without a promise {figures.unpromised}, "
        f"lost {figures.lost_by_asynchronous_failover} (by asynchronous failover)",
        f"promotions proven by WAL {figures.promotions}, seconds with two writable nodes 0"])
