# SPDX-License-Identifier: Apache-2.0
"""What is done to a cluster. Each fault is a function of a World; it acts at once and tells what it
did in one sentence. FaultCluster.heal() undoes all of them."""

import os
import signal
import subprocess
import time

import store_data
from cluster import PORTS
from local_servers import must_run

STORE_PORTS = (PORTS["etcd_client"], PORTS["etcd_peer"])
DATA_PORTS = (PORTS["postgresql"], PORTS["rest"])
ROWS = []


class World:
    """The cluster, the chance, and whose agent or guard is out of order already: the two of one
    node never fail together (docs/guide/guard.md, "What it cannot do")."""

    def __init__(self, cluster, chance):
        self.cluster = cluster
        self.chance = chance
        self.unguarded = set()

    def anyone(self, names=None):
        """Rather the leader than another."""
        names = names or self.cluster.nodes
        leader = self.cluster.leader()
        if leader in names and self.chance.random() < 0.6:
            return leader
        return self.chance.choice(names)

    def guarded(self):
        """A node whose agent and guard are both in order; from now on they are not. Or None."""
        left = [node for node in self.cluster.nodes if node not in self.unguarded]
        if not left:
            return None
        node = self.anyone(left)
        self.unguarded.add(node)
        return node

    def others(self, node):
        return [name for name in self.cluster.nodes if name != node]

    def signal(self, pids, number):
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


def fault(kind):
    """Marks a function as a fault of this kind."""
    def register(function):
        ROWS.append((kind, function))
        return function
    return register


# ---- Processes ------------------------------------------------------------------------------

def strike(world, node, program, number):
    pids = world.cluster.pids(node, program)
    world.signal(pids, number)
    return f"{signal.Signals(number).name} to {program} of {node} ({len(pids)} processes)"


@fault("agent killed")
def kill_agent(world):
    node = world.guarded()
    if node is None:
        return "nothing: no agent is left to kill"
    said = strike(world, node, "tanist", signal.SIGKILL)
    pause = world.chance.choice([0.1, 0.1, 1.0, None])
    if pause is None:
        return f"{said}, back when all is healed"
    time.sleep(pause)
    world.cluster.start_node(node)
    return f"{said}, back after {pause} s"


@fault("agent frozen")
def freeze_agent(world):
    node = world.guarded()
    return strike(world, node, "tanist", signal.SIGSTOP) if node else "nothing: all are frozen"


@fault("agent frozen")
def freeze_leaders_agent(world):
    node = world.cluster.leader()
    if node is None or node in world.unguarded:
        return "nothing: there is no leader with a guard"
    world.unguarded.add(node)
    return strike(world, node, "tanist", signal.SIGSTOP)


@fault("guard killed")
def kill_guard(world):
    node = world.guarded()
    return strike(world, node, "tanist-guard", signal.SIGKILL) if node else "nothing: none is left"


@fault("guard frozen")
def freeze_guard(world):
    node = world.guarded()
    return strike(world, node, "tanist-guard", signal.SIGSTOP) if node else "nothing: none is left"


def postmaster(world, node):
    try:
        return [world.cluster.postmaster(node)]
    except (OSError, ValueError, IndexError):
        return []


@fault("postmaster killed")
def kill_postmaster(world):
    node = world.anyone()
    world.signal(postmaster(world, node), signal.SIGKILL)
    return f"SIGKILL to the postmaster of {node}"


@fault("postmaster frozen")
def freeze_postmaster(world):
    node = world.anyone()
    world.signal(postmaster(world, node), signal.SIGSTOP)
    return f"SIGSTOP to the postmaster of {node}"


@fault("backend killed")
def kill_backend(world):
    node = world.anyone()
    pids = world.cluster.backends(node)[:1]
    world.signal(pids, signal.SIGKILL)
    return f"SIGKILL to {len(pids)} backend of {node}"


@fault("backends frozen")
def freeze_backends(world):
    node = world.anyone()
    pids = world.cluster.backends(node)
    world.signal(pids, signal.SIGSTOP)
    return f"SIGSTOP to {len(pids)} backends of {node}"


@fault("machine rebooted")
def reboot(world):
    node = world.anyone()
    world.unguarded.add(node)
    world.cluster.kill_node(node)
    return f"SIGKILL to everything of {node}; its sockets and pid files stay"


@fault("all machines rebooted")
def reboot_all(world):
    world.unguarded.update(world.cluster.nodes)
    for node in world.cluster.nodes:
        world.cluster.kill_node(node)
    return "SIGKILL to everything of every node"


# ---- Store ----------------------------------------------------------------------------------

@fault("etcd killed")
def kill_etcd(world):
    node = world.anyone(world.cluster.store_nodes)
    return strike(world, node, "etcd", signal.SIGKILL)


@fault("etcd frozen")
def freeze_etcd(world):
    node = world.anyone(world.cluster.store_nodes)
    return strike(world, node, "etcd", signal.SIGSTOP)


@fault("etcd moves its leader")
def move_store_leader(world):
    cluster = world.cluster
    target = world.chance.choice(cluster.store_nodes)
    done = store_data.ask_to_lead(cluster, target)
    return f"etcd asked to make {target} its leader: {(done.stdout or done.stderr).strip()[:90]}"


@fault("store outage")
def freeze_store(world):
    for node in world.cluster.store_nodes:
        strike(world, node, "etcd", signal.SIGSTOP)
    return "SIGSTOP to all of etcd"


@fault("store outage")
def kill_store(world):
    for node in world.cluster.store_nodes:
        strike(world, node, "etcd", signal.SIGKILL)
    return "SIGKILL to all of etcd"


@fault("etcd's data lost")
def lose_store_data(world):
    store_data.wipe(world.cluster)
    world.chance.choice([store_data.start, lambda cluster: None])(world.cluster)
    return "all of etcd is stopped and its data deleted"


# ---- Network --------------------------------------------------------------------------------

@fault("partition: one node from all")
def isolate(world):
    node = world.anyone()
    for other in [*world.others(node), "outside"]:
        world.cluster.field.cut_both(node, other)
    return f"{node} is cut off"


@fault("partition: one way")
def deafen(world):
    node = world.anyone()
    for other in world.others(node):
        world.cluster.field.cut(other, node)
    return f"{node} hears nobody, but is heard"


@fault("partition: one way")
def mute(world):
    node = world.anyone()
    for other in world.others(node):
        world.cluster.field.cut(node, other)
    return f"{node} is not heard, but hears"


@fault("partition: data only")
def cut_data(world):
    node = world.anyone()
    for other in world.others(node):
        world.cluster.field.cut_service(node, other, DATA_PORTS)
        world.cluster.field.cut_service(other, node, DATA_PORTS)
    return f"{node} and the others do not reach each other's PostgreSQL and REST; etcd goes on"


@fault("partition: store only")
def cut_store(world):
    node = world.anyone()
    for other in world.others(node):
        world.cluster.field.cut_service(node, other, STORE_PORTS)
        world.cluster.field.cut_service(other, node, STORE_PORTS)
    return f"{node} is cut off from etcd on other nodes; PostgreSQL and REST go on"


@fault("partition: bridge")
def bridge(world):
    nodes = list(world.cluster.nodes)
    world.chance.shuffle(nodes)
    middle, *rest = nodes
    half = len(rest) // 2
    for one in rest[:half]:
        for other in rest[half:]:
            world.cluster.field.cut_both(one, other)
    return f"{rest[:half]} and {rest[half:]} do not reach each other; both reach {middle}"


@fault("packets lost")
def lose_packets(world):
    node = world.anyone()
    for other in world.others(node):
        world.cluster.field.lose(node, other)
    return f"a fifth of all packets between {node} and the others is lost"


@fault("line narrow")
def narrow_line(world):
    node = world.anyone()
    world.cluster.field.throttle(node)
    return f"the line to {node} has become narrow"


@fault("packets late")
def delay_packets(world):
    node = world.anyone()
    milliseconds = world.chance.choice([5, 30, 100, 400])
    world.cluster.field.delay(node, milliseconds)
    return f"packets to and from {node} take {milliseconds} ms more"


# ---- Disk -----------------------------------------------------------------------------------

@fault("disk full")
def fill_disk(world):
    node = world.anyone()
    ballast = world.cluster.data(node).parent / "ballast"
    free = os.statvfs(ballast.parent)
    size = max(free.f_bavail * free.f_frsize - 64 * 1024, 4096)
    subprocess.run(["fallocate", "-l", str(size), ballast], check=False, capture_output=True)
    return f"the disk of {node} is full"


@fault("disk slow")
def slow_disk(world):
    node = world.anyone()
    milliseconds = world.chance.choice([20, 100, 500, 2000])
    if not world.cluster.slow_down(node, milliseconds):
        return "nothing: there is no compiler for slow_disk.c"
    return f"each fsync of PostgreSQL and agent of {node} takes {milliseconds} ms more"


# ---- Operators ------------------------------------------------------------------------------

@fault("switchover")
def switch_over(world):
    done = world.cluster.ctl("switchover", "--force")
    text = (done.stdout + done.stderr).strip().splitlines()
    return f"switchover: {text[-1] if text else 'nothing said'}"


@fault("certificates renewed")
def renew_certificates(world):
    cluster = world.cluster
    must_run(cluster.folder.path / "tanistctl", "provision", cluster.folder.path / "topology.yml",
             "-o", cluster.files, "--renew", "certificates")
    for node in cluster.nodes:
        world.signal(cluster.pids(node, "tanist"), signal.SIGHUP)
    return "all certificates are new; agents were told to reload"


@fault("agents restarted one by one")
def roll_agents(world):
    for node in world.cluster.nodes:
        if world.cluster.folder.runs(f"tanist-{node}") and node not in world.unguarded:
            world.cluster.stop_agent(node)
            world.cluster.start_node(node)
            time.sleep(world.chance.uniform(0.5, 4))
    return "every agent was stopped in order and started again"


FAULTS = {function.__name__: function for _, function in ROWS}
KINDS = {function.__name__: kind for kind, function in ROWS}
