# SPDX-License-Identifier: Apache-2.0
"""Clusters in a particular state, and what differs in their rounds of harm: one that is paused
during the harm, one with a cascade, one that follows a remote primary."""

import psycopg2
import yaml
from campaign import Campaign
from cluster import PASSWORD, PORTS
from fault_cluster import STANDBY_MARK, FaultCluster
from field import OUTSIDE
from local_servers import Broken, eventually
from remote_server import Remote
from workload import Client, Workload

OPERATOR_S = 60
NOT_PLANNED = "unplanned"  # a name that is no planned work


class PausedCampaign(Campaign):
    """Each round happens in pause, and ends with the resume. Nothing fails over before that."""

    def before_harm(self):
        def paused():
            return self.cluster.ctl("pause", "--wait").returncode == 0
        eventually(paused, OPERATOR_S, "the cluster to be paused")
        self.led_in_pause = self.cluster.leader()

    def after_healing(self):
        def resumed():
            done = self.cluster.ctl("resume", "--wait")
            return done.returncode == 0 or "not paused" in done.stdout + done.stderr
        led = self.cluster.leader()
        if led not in (None, self.led_in_pause):
            raise Broken(f"{led} was promoted in pause, after {self.led_in_pause}")
        eventually(resumed, OPERATOR_S, "the cluster to be resumed")
        self.tell("resumed")

    def check_lost(self, answers, names):
        # What begins as planned work in pause ends with a race at the resume.
        super().check_lost(answers, [*names, NOT_PLANNED])


class CascadeCluster(FaultCluster):
    """The last node streams from the one before it, unless that one leads or is away."""

    def provision(self):
        super().provision()
        self.upstream, self.end = self.nodes[-2:]
        file = self.config_file(self.end)
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
        config.setdefault("tags", {})["replicatefrom"] = self.upstream
        file.write_text(yaml.safe_dump(config), encoding="utf-8")

    def source_of(self, node):
        """The address from which its receiver streams."""
        try:
            connection = self.superuser(node)
            with connection.cursor() as cursor:
                cursor.execute("SELECT sender_host FROM pg_stat_wal_receiver "
                               "WHERE status = 'streaming'")
                row = cursor.fetchone()
            connection.close()
        except psycopg2.Error:
            return None
        return row[0] if row else None

    def is_healthy(self, number):
        if not super().is_healthy(number):
            return False
        leader = self.leader()
        if leader == self.end:
            return True
        return self.source_of(self.end) == self.address[self.upstream]


    def mode_is_confirmed(self):
        """Who streams from a replica is no synchronous standby."""
        mark = STANDBY_MARK.get(self.mode)
        return mark is None or any(mark in self.said(node) for node in self.nodes)


class FollowingCluster(FaultCluster):
    """A standby cluster: its leader follows a remote primary outside."""

    def __init__(self, number=3):
        super().__init__(number)
        self.remote = Remote(self, OUTSIDE)
        self.follows = False

    def provision(self):
        super().provision()
        for node in self.nodes:  # the remote server's certificate names none of its addresses
            file = self.config_file(node)
            config = yaml.safe_load(file.read_text(encoding="utf-8"))
            for user in ("replication", "rewind"):
                config["postgresql"]["authentication"][user]["sslmode"] = "require"
            config["postgresql"]["pg_hba"].insert(
                0, f"hostssl replication replicator {OUTSIDE}/32 scram-sha-256")
            file.write_text(yaml.safe_dump(config), encoding="utf-8")

    def begin_to_follow(self):
        """The remote server gets all that the leader had, and only then is promoted."""
        self.remote.follow(self.leader())
        section = f'{{"host": "{OUTSIDE}", "port": {PORTS["postgresql"]}}}'
        done = self.ctl("edit-config", "--force", "-s", f"standby_cluster={section}")
        assert done.returncode == 0, done.stdout + done.stderr
        self.follows = True
        self.wait_whole()
        self.remote.promote()

    def leader(self):
        role = "standby_leader" if self.follows else "leader"
        for name, member in self.members().items():
            if member["role"] == role and member["state"] in ("running", "streaming"):
                return name
        return None

    def is_healthy(self, number):
        if not self.follows:
            return super().is_healthy(number)
        members = self.members().values()
        roles = sorted(member["role"] for member in members)
        return (roles == [*["replica"] * (number - 1), "standby_leader"]
                and all(member["state"] == "streaming" for member in members)
                and len({member.get("timeline") for member in members}) == 1)

    def set_mode(self, mode):
        """Only one: the remote server decides how it replicates."""


class RemoteWorkload(Workload):
    """One client writes at the remote primary; those on the nodes must never be able to."""

    def start(self):
        remote = {"host": str(self.cluster.remote.data), "port": PORTS["postgresql"],
                  "dbname": "app", "user": "app", "password": PASSWORD}
        self.clients = [Client("proxy-remote", remote, self.numbers)]
        for node in self.cluster.nodes:
            self.clients.append(
                Client(f"on-{node}", self.cluster.application_on(node), self.numbers))
        self.begin()


class FollowingCampaign(Campaign):
    """What the remote primary was asked to keep reaches every node; nothing is written here."""

    def __init__(self, cluster, seed):
        super().__init__(cluster, seed)
        cluster.begin_to_follow()
        self.workload = RemoteWorkload(cluster)

    def check(self, names):
        answers = self.workload.answers()
        here = [answer for answer in answers if answer.client != "proxy-remote"]
        if here:
            raise Broken(f"{len(here)} rows were written in a standby cluster, the first "
                         f"by {here[0].client}")
        self.figures.promised = len(answers)
        wanted = {answer.number for answer in answers}
        for node in self.cluster.nodes:
            try:
                eventually(lambda at=node: wanted <= self.rows_on(at), 30, "rows")
            except AssertionError:
                gone = sorted(wanted - self.rows_on(node))
                raise Broken(f"{len(gone)} rows of the remote primary never came to {node}: "
                             f"{gone[:20]}") from None

    def rows_on(self, node):
        try:
            connection = psycopg2.connect(**self.cluster.application_on(node), connect_timeout=3)
            with connection.cursor() as cursor:
                cursor.execute("SELECT number FROM written")
                found = {row[0] for row in cursor.fetchall()}
            connection.close()
            return found
        except psycopg2.Error:
            return set()


SHAPES = {"plain": (FaultCluster, Campaign), "paused": (FaultCluster, PausedCampaign),
          "cascade": (CascadeCluster, Campaign), "standby": (FollowingCluster, FollowingCampaign)}
