#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""How many clusters one etcd carries: requests, processor time and memory of a real etcd of three
members, and the time of failovers, for 10, 100 and 1000 clusters of three agents.

    bench/scale.py [--clusters 10,100,1000] [--seconds 60] [--failovers 20] [--without-patroni]

The agents are the real loop and etcd client, all in one process (`tanist-scale`); their servers are
the simulator's, a row a second is written in each cluster. etcd runs on this machine, plain TCP.
Beside it, one cluster of the distribution's Patroni with real servers tells how much Patroni asks
of the store for a cluster, at the same settings (ttl 30, loop_wait 10): multiply it, it is not run.
Build first: cmake --build --preset release --target tanist-scale tanist
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import urllib.request

from cost import processor_time_of
from side import ROOT, Side, start_etcd
from local_servers import Folder, eventually, must_run, network

SCALE = ROOT / "build/release/bench/scale/tanist-scale"
PEERS = 3
# Of etcd's counters: requests by method, and messages within streams.
STARTED = re.compile(r'^grpc_server_started_total\{grpc_method="(\w+)".*\} (\S+)$', re.M)
RECEIVED = re.compile(r'^grpc_server_msg_received_total\{grpc_method="(\w+)".*\} (\S+)$', re.M)


def address(index):
    return f"{network()}.{200 + index}"


def start_members(folder):
    cluster = ",".join(f"m{i}=http://{address(i)}:2380" for i in range(PEERS))
    for i in range(PEERS):
        client, peer = f"http://{address(i)}:2379", f"http://{address(i)}:2380"
        folder.start(f"m{i}", "etcd", "--name", f"m{i}", "--data-dir", folder.path / f"m{i}",
                     "--listen-client-urls", client, "--advertise-client-urls", client,
                     "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                     "--initial-cluster", cluster, "--log-level", "error")
    eventually(lambda: all(is_healthy(f"http://{address(i)}:2379") for i in range(PEERS)), 60,
               "etcd to be healthy")


def is_healthy(url):
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
            return b'"true"' in answer.read()
    except OSError:
        return False


def requests_at(urls):
    """Method -> how many so far, over all members. Of a stream its messages count."""
    counts = {}
    for url in urls:
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found = dict(STARTED.findall(text))
        found.update({method: number for method, number in RECEIVED.findall(text)
                      if method in ("LeaseKeepAlive", "Watch")})
        for method, number in found.items():
            counts[method] = counts.get(method, 0) + float(number)
    return counts


def rates(before, after, seconds):
    grown = {method: (after[method] - before.get(method, 0)) / seconds for method in after}
    return {method: rate for method, rate in grown.items() if rate > 0}


def memory_of(pid):
    """Resident, MiB."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^VmRSS:\s+(\d+) kB", text, re.M)[1]) / 1024


def next_event(process, name):
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == name:
            return event
    raise SystemExit(f"tanist-scale ended before it said \"{name}\"")


def measure(clusters, options):
    folder = Folder("tanist-scale-")
    try:
        start_members(folder)
        urls = [f"http://{address(i)}:2379" for i in range(PEERS)]
        pids = [folder.started[f"m{i}"].pid for i in range(PEERS)]
        with subprocess.Popen([SCALE, "--endpoints", ",".join(url[7:] for url in urls),
                               "--clusters", str(clusters), "--seconds", str(options.seconds),
                               "--failovers", str(min(options.failovers, clusters))],
                              stdout=subprocess.PIPE, text=True) as process:
            next_event(process, "calm begins")
            before, used = requests_at(urls), sum(map(processor_time_of, pids))
            calm = next_event(process, "calm ends")
            after, used = requests_at(urls), sum(map(processor_time_of, pids)) - used
            memory = sum(map(memory_of, pids))
            failovers = next_event(process, "failovers")
        return {"clusters": clusters, "rates": rates(before, after, calm["seconds"]),
                "etcd_cores": used / calm["seconds"], "etcd_mib": memory,
                "agents_cores": calm["processor_seconds"] / calm["seconds"],
                "failovers": sorted(failovers["seconds"]), "missed": failovers["missed"]}
    finally:
        folder.remove()


def measure_patroni(options):
    """Requests a second of one cluster of three, by method."""
    folder = Folder("tanist-scale-")
    try:
        start_etcd(folder)
        side = Side("patroni", folder, 3)
        url = f"http://{network()}.100:2379"
        eventually(lambda: is_healthy(url), 60, "etcd to be healthy")
        side.start()
        eventually(side.roles, 180, "Patroni's cluster")
        must_run("sleep", 30, seconds=60)
        before = requests_at([url])
        must_run("sleep", options.seconds, seconds=options.seconds + 60)
        return rates(before, requests_at([url]), options.seconds)
    finally:
        folder.remove()


def text_of(found):
    return ", ".join(f"{method} {rate:.2f}" for method, rate in sorted(found.items()))


def show(rows, patroni, options):
    print(f"\n{options.seconds} s each; load average {os.getloadavg()[0]:.2f}; "
          "failovers by loss of the leader's machine at ttl 30\n")
    print("| clusters | requests/s | of a cluster | etcd, cores | etcd, MiB | agents, cores "
          "| failover, median s | worst s | missed |")
    print("|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        total = sum(row["rates"].values())
        took = row["failovers"] or [float("nan")]
        print(f"| {row['clusters']} | {total:.1f} | {total / row['clusters']:.2f} "
              f"| {row['etcd_cores']:.3f} | {row['etcd_mib']:.0f} | {row['agents_cores']:.3f} "
              f"| {statistics.median(took):.1f} | {took[-1]:.1f} | {row['missed']} |")
    for row in rows:
        print(f"\n{row['clusters']} clusters, requests/s: {text_of(row['rates'])}")
    if patroni:
        total = sum(patroni.values())
        print(f"\nPatroni, one cluster, requests/s: {total:.2f}: {text_of(patroni)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clusters", default="10,100,1000")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--failovers", type=int, default=20)
    parser.add_argument("--without-patroni", action="store_true")
    options = parser.parse_args()
    if not SCALE.is_file():
        sys.exit(f"there is no {SCALE}; its help says how to build it")
    rows = [measure(int(number), options) for number in options.clusters.split(",")]
    show(rows, None if options.without_patroni else measure_patroni(options), options)


if __name__ == "__main__":
    main()
