# SPDX-License-Identifier: Apache-2.0
"""A cluster in which some members run tanist and some real Patroni, from the very same files that
`tanistctl provision` wrote."""

import signal
import time

import real_patroni
from cluster import HEAL_S, PORTS, Cluster, topology
from local_servers import eventually, run
from writer import Writer

TANIST = "tanist"
LOCAL_ROWS = 1 << 40  # the first number of a writer on a node


def quick_topology():
    """As quick as Patroni allows."""
    described = topology()
    described["timing"] = {"ttl": 20, "loop_wait": 2, "retry_timeout": 3}
    return described


class MixedCluster(Cluster):
    """`agents`: node -> TANIST, or the folder of a Patroni."""

    def __init__(self, agents):
        super().__init__(quick_topology())
        self.agents = dict(agents)

    def label(self, node):
        """Under which name its agent was started."""
        return f"{'tanist' if self.agents[node] == TANIST else 'patroni'}-{node}"

    def start_agent(self, node):
        if self.agents[node] == TANIST:
            super().start_agent(node)
            return
        words, environment = real_patroni.agent(self.agents[node], self.config_file(node))
        self.launch(node, self.label(node), *words, **environment)

    def start_node(self, node):
        if not self.folder.runs(f"etcd-{node}"):
            self.start_etcd(node)
        if not self.folder.runs(self.label(node)):
            self.start_agent(node)

    def has_started(self):
        for node in self.nodes:
            assert self.folder.runs(self.label(node)), f"the agent of {node} ended, see its log"
        return self.is_healthy(len(self.nodes))

    def stop_agent(self, node):
        return self.folder.stop(self.label(node))

    def kill_agent(self, node):
        """SIGKILL to the agent alone."""
        self.folder.started[self.label(node)].send_signal(signal.SIGKILL)
        self.folder.exit_code(self.label(node))

    def replace_agent(self, node, agent):
        """Another agent for the running server; the cluster is paused. Returns when the new one has
        found its server and, on the leader, has the lock."""
        leads = self.leader() == node
        self.stop_agent(node)
        self.agents[node] = agent
        self.start_agent(node)
        eventually(lambda: self.is_settled(node, leads), HEAL_S,
                   f"the new agent of {node} to have its server" + (" and the lock" * leads))

    def is_settled(self, node, leads):
        try:
            status, said = self.get(node, "/primary" if leads else "/patroni")
        except OSError:
            return False
        ours = ('"tanist"' in said) == (self.agents[node] == TANIST)
        has_lock = status == 200 and "cluster_unlocked" not in said
        return ours and (has_lock or not leads) and '"pause": true' in said

    # ---- Looking ----------------------------------------------------------------------------

    def members(self):
        return real_patroni.in_our_words(super().members())

    def server_identities(self):
        """Node -> pid and start time of its postmaster, as the pid file has them."""
        lines = {node: (self.data(node) / "postmaster.pid").read_text(encoding="ascii").split("\n")
                 for node in self.nodes}
        return {node: (found[0], found[2]) for node, found in lines.items()}

    def is_paused_everywhere(self):
        return all('"pause": true' in self.get(node, "/patroni")[1] for node in self.nodes)

    def ask(self, node, query):
        """One value from the server of a node."""
        connection = self.superuser(node)
        try:
            cursor = connection.cursor()
            cursor.execute(query)
            return cursor.fetchone()[0]
        finally:
            connection.close()

    def start_local_writer(self, node):
        """An application on the node's machine, into the same table with numbers of its own."""
        folder = self.config(node)["postgresql"]["parameters"]["unix_socket_directories"]
        writer = Writer({**self.application(), "host": folder, "port": PORTS["postgresql"],
                         "sslmode": "disable"}, first=LOCAL_ROWS)
        writer.start()
        eventually(lambda: len(writer.acknowledged) > 20, 30, "the writer to write")
        return writer

    # ---- Operators --------------------------------------------------------------------------

    def tool(self, kind, *words, seconds=60):
        """tanistctl, or the patronictl of a folder; the finished process."""
        if kind == TANIST:
            return self.ctl(*words, seconds=seconds)
        command, environment = real_patroni.tool(kind, self.config_file("node1"), *words)
        return run(*command, seconds=seconds, **environment)

    def must(self, kind, *words, seconds=60):
        done = self.tool(kind, *words, seconds=seconds)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def pause(self, kind):
        self.must(kind, "pause", "--wait")
        eventually(self.is_paused_everywhere, HEAL_S, "all members to be paused")

    def resume(self, kind):
        self.must(kind, "resume", "--wait")

    def switch_to(self, kind, node):
        """By either tool; returns when the cluster is healthy under its new leader."""
        old = self.leader()
        scope = self.topology["cluster"]
        # Patroni 4 calls the old leader --primary or --leader, by version; it may be left out.
        text = self.must(kind, "switchover", scope, "--candidate", node, "--force")
        assert "Successfully switched over to" in text, text
        eventually(lambda: self.leader() == node, HEAL_S, f"{node} to lead after {old}")
        self.wait_healthy()

    def configure(self, kind, *settings):
        words = [word for setting in settings for word in ("-s", setting)]
        self.must(kind, "edit-config", self.topology["cluster"], "--force", *words)


def lead(cluster, node, tool=TANIST):
    """This node leads; by a switchover with that tool, if need be."""
    if cluster.leader() != node:
        cluster.switch_to(tool, node)


def wait_for_writes(writer, seconds=60):
    since = time.monotonic()
    eventually(lambda: writer.wrote_since(since), seconds, "writes to resume")

