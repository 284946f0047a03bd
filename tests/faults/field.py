# SPDX-License-Identifier: Apache-2.0
"""The network of a cluster: each node in a network namespace of its own, all joined by a bridge,
and the harm that can be done to it. The caller's own namespace is the place of HAProxy and clients.

Requires namespaces of its own (isolated.py). Packets are dropped where they cross the bridge, by
pairs of addresses, so that connections that are open are harmed as well as new ones."""

import pathlib
import subprocess
import sys

NETWORK = "10.77.0"
OUTSIDE = f"{NETWORK}.100"  # the caller's own address: HAProxy and clients
LINE = pathlib.Path(__file__).parent / "delay_line.py"
RULES = """
table bridge faults {
  set cut { type ipv4_addr . ipv4_addr; }
  set cut_service { type ipv4_addr . ipv4_addr . inet_service; }
  set lossy { type ipv4_addr . ipv4_addr; }
  chain harm {
    ip saddr . ip daddr @cut drop
    ip saddr . ip daddr . tcp dport @cut_service drop
    ip daddr . ip saddr . tcp sport @cut_service drop
    ip saddr . ip daddr @lossy numgen random mod 100 < 20 drop
  }
  chain crossing { type filter hook forward priority 0; jump harm; }
  chain coming { type filter hook input priority 0; jump harm; }
  chain going { type filter hook output priority 0; jump harm; }
}
"""


def command(*words, text=None):
    done = subprocess.run([str(word) for word in words], input=text, text=True, check=False,
                          capture_output=True)
    assert done.returncode == 0, f"{' '.join(map(str, words))} said: {done.stderr}"
    return done.stdout


class Field:
    """`address` knows everybody's address, that of `outside` too."""

    def __init__(self, names):
        self.address = {name: f"{NETWORK}.{index}" for index, name in enumerate(names, 1)}
        command("ip", "link", "set", "lo", "up")
        command("ip", "link", "add", "joined", "type", "bridge")
        command("ip", "address", "add", f"{OUTSIDE}/24", "dev", "joined")
        command("ip", "link", "set", "joined", "up")
        command("nft", "-f", "-", text=RULES)
        for name in names:
            self.add(name)
        self.address["outside"] = OUTSIDE
        self.netem = self.has_netem(names[0])
        self.lines = {}  # name -> process of a line that takes its time

    def add(self, name):
        end = f"at-{name}"
        command("ip", "netns", "add", name)
        command("ip", "link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", name)
        command("ip", "link", "set", end, "master", "joined", "up")
        inside = self.inside(name)
        command(*inside, "ip", "link", "set", "lo", "up")
        command(*inside, "ip", "address", "add", f"{self.address[name]}/24", "dev", "eth0")
        command(*inside, "ip", "link", "set", "eth0", "up")

    @staticmethod
    def inside(name):
        """Words before a command that is to run on this node; for the outside, none."""
        return [] if name == "outside" else ["nsenter", f"--net=/run/netns/{name}"]

    # ---- Harm, until heal() -----------------------------------------------------------------

    def insert(self, name, *elements):
        command("nft", "add", "element", "bridge", "faults", name, f"{{ {', '.join(elements)} }}")

    def cut(self, sender, receiver):
        """Nothing gets from the one to the other any more."""
        self.insert("cut", f"{self.address[sender]} . {self.address[receiver]}")

    def cut_both(self, one, other):
        self.cut(one, other)
        self.cut(other, one)

    def cut_service(self, client, server, ports):
        """The client cannot reach these ports of the server any more; all else passes."""
        self.insert("cut_service", *(f"{self.address[client]} . {self.address[server]} . {port}"
                                     for port in ports))

    def lose(self, one, other):
        """A fifth of the packets is lost, both ways."""
        self.insert("lossy", f"{self.address[one]} . {self.address[other]}",
                    f"{self.address[other]} . {self.address[one]}")

    def throttle(self, name):
        """A line to this node that has become narrow: what is sent there waits in a queue of up to
        a second."""
        command("tc", "qdisc", "replace", "dev", f"at-{name}", "root", "tbf", "rate", "2mbit",
                "burst", "4k", "latency", "1s")

    def delay(self, name, milliseconds):
        """What is sent to this node, or by it, arrives later."""
        if self.netem:
            for words in ([], self.inside(name)):
                command(*words, "tc", "qdisc", "replace", "dev", "eth0" if words else f"at-{name}",
                        "root", "netem", "delay", f"{milliseconds}ms", f"{milliseconds // 4}ms")
            return
        self.end_line(name)
        command("ip", "link", "add", f"late-{name}", "type", "veth", "peer", "name", f"on-{name}")
        command("ip", "link", "set", f"on-{name}", "up", "promisc", "on")
        command("ip", "link", "set", f"late-{name}", "master", "joined", "up")
        command("ip", "link", "set", f"at-{name}", "nomaster", "promisc", "on")
        self.lines[name] = subprocess.Popen(
            [sys.executable, "-B", LINE, f"at-{name}", f"on-{name}", str(milliseconds)])

    def end_line(self, name):
        line = self.lines.pop(name, None)
        if line is None:
            return
        line.kill()
        line.wait()
        command("ip", "link", "del", f"late-{name}")
        command("ip", "link", "set", f"at-{name}", "master", "joined", "promisc", "off")

    @staticmethod
    def has_netem(name):
        words = ["tc", "qdisc", "replace", "dev", f"at-{name}", "root", "netem", "delay", "1ms"]
        done = subprocess.run(words, check=False, capture_output=True)
        subprocess.run(["tc", "qdisc", "del", "dev", f"at-{name}", "root"], check=False,
                       capture_output=True)
        return done.returncode == 0

    def heal(self):
        for name in ("cut", "cut_service", "lossy"):
            command("nft", "flush", "set", "bridge", "faults", name)
        for name in self.address:
            if name == "outside":
                continue
            self.end_line(name)
            for words in (["tc", "qdisc", "del", "dev", f"at-{name}", "root"],
                          [*self.inside(name), "tc", "qdisc", "del", "dev", "eth0", "root"]):
                subprocess.run(words, check=False, capture_output=True)

    def remove(self):
        """Another field may follow."""
        for name in list(self.lines):
            self.end_line(name)
        command("nft", "delete", "table", "bridge", "faults")
        command("ip", "link", "del", "joined")
        for name in self.address:
            if name != "outside":
                command("ip", "link", "del", f"at-{name}")
                command("ip", "netns", "del", name)
