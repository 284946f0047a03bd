# SPDX-License-Identifier: Apache-2.0
"""tools/run-sim: with the real simulator (TANIST_SIM), and with a script that plays one."""

import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

RUN_SIM = pathlib.Path(__file__).with_name("run-sim")
SIM = os.environ.get("TANIST_SIM", "")

# Seed 3 breaks a rule; seed 5 crashes the program; --slow waits for SIGINT after its first run.
PLAYED = '''#!/usr/bin/python3
import json, signal, sys, time
words = sys.argv[1:]
value = lambda name: int(words[words.index(name) + 1])
if "--nonsense" in words:
    print("unknown option", file=sys.stderr)
    sys.exit(2)
if "--story" in words:
    print("the story of", value("--seed"))
    sys.exit(1)
first, runs = value("--first-seed"), value("--runs")
seeds = range(first, first + runs)
if "--slow" in words:
    seeds, over = seeds[:1], []
    signal.signal(signal.SIGINT, lambda *_: over.append(1))
    print("up", file=sys.stderr, flush=True)
    while not over:
        time.sleep(0.01)
if "--crash" in words and 5 in seeds:
    sys.exit(99)
failed = [seed for seed in seeds if seed == 3]
print(json.dumps({
    "runs": len(seeds), "failed": len(failed), "seconds": len(seeds) * value("--seconds"),
    "cpu_seconds": 0.5 * len(seeds), "promotions": 2, "switchovers": 1, "acknowledged": 100,
    "lost": 3, "faults": {"crash machine": 4}, "failures": [
        {"seed": str(seed), "rule": "two primaries", "detail": "n1 and n2",
         "replay": f"tanist-sim --seed {seed} --story"} for seed in failed]}))
sys.exit(1 if failed else 0)
'''


@pytest.fixture(name="played")
def _played(tmp_path):
    path = tmp_path / "tanist-sim"
    path.write_text(PLAYED)
    path.chmod(0o755)
    return path


def run_sim(sim, *words):
    return subprocess.run([RUN_SIM, "--sim", sim, "--stories", sim.parent / "stories", *words],
                          capture_output=True, text=True, timeout=120, check=False)


def number(text, pattern):
    return float(re.search(pattern, text).group(1).replace(",", ""))


@pytest.mark.skipif(not SIM, reason="TANIST_SIM names no simulator")
def test_the_real_simulator_is_run_for_the_hours_asked_for(tmp_path):
    done = subprocess.run(
        [RUN_SIM, "--sim", SIM, "--hours", "0.2", "--seconds", "60", "--jobs", "2", "--nodes", "3",
         "--stories", tmp_path], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert number(done.stdout, r"([\d.]+) hours simulated") >= 0.2
    assert number(done.stdout, r"([\d,]+) writes acknowledged") > 100
    assert number(done.stdout, r"([\d,]+) faults:") > 0
    assert number(done.stdout, r"([\d,]+) promotions") > 0
    assert list(tmp_path.iterdir()) == []


def test_every_seed_is_run_once(played):
    done = run_sim(played, "--hours", "100", "--seconds", "3600", "--seed", "10", "--jobs", "3")
    assert done.returncode == 0, done.stderr
    assert "100.0 hours simulated, 100 seeds (10 to 109), 0 failed" in done.stdout
    assert "0.83 CPU minutes" in done.stdout


def test_a_failed_seed_leaves_its_story_and_how_to_replay_it(played):
    done = run_sim(played, "--hours", "8", "--jobs", "2")
    assert done.returncode == 1
    assert "8 seeds (1 to 8), 1 failed" in done.stdout
    assert "seed 3: two primaries: n1 and n2" in done.stdout
    assert f"replay: {played} --seed 3 --story" in done.stdout
    assert (played.parent / "stories" / "seed-3.txt").read_text() == "the story of 3\n"


def test_a_seed_that_crashes_the_simulator_is_found(played):
    done = run_sim(played, "--hours", "6", "--seed", "4", "--jobs", "1", "--crash")
    assert done.returncode == 1
    assert "seed 5: the simulator crashed: exit status 99" in done.stdout
    assert f"replay: {played} --seed 5 --story --seconds 3600 --crash" in done.stdout


def test_unknown_options_are_refused_with_the_simulators_words(played):
    done = run_sim(played, "--hours", "1", "--nonsense")
    assert done.returncode == 2
    assert "tanist-sim does not take these options: unknown option" in done.stderr
    assert run_sim(played, "--hours", "1", "--runs", "5").returncode == 2


def test_an_interrupt_ends_it_with_the_report_so_far(played):
    process = subprocess.Popen(
        [RUN_SIM, "--sim", played, "--hours", "50", "--seed", "100", "--jobs", "2", "--slow"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        children = subprocess.run(["pgrep", "-c", "-P", str(process.pid)], capture_output=True,
                                  text=True, check=False).stdout
        if children.strip() == "2":
            break
        time.sleep(0.05)
    time.sleep(0.5)  # both have their handlers
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "2.0 hours simulated, 2 seeds" in out
