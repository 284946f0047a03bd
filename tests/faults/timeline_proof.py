# SPDX-License-Identifier: Apache-2.0
"""The proof by WAL that no two servers accepted writes at once (safety 7): on every timeline that
was left, the last commit lies before the moment at which the next timeline began.

All nodes share one clock. The log that a rewind would overwrite was put aside before
(FaultCluster.keep_log_before_rewind)."""

import dataclasses
import datetime
import re
import subprocess

from local_servers import POSTGRESQL

SEGMENT = re.compile(r"^[0-9A-F]{24}(\.partial)?$")
COMMIT = re.compile(r"lsn: ([0-9A-F]+)/([0-9A-F]+),.*desc: COMMIT (\S+ \S+) ([A-Z]+)")
END_OF_RECOVERY = re.compile(
    r"desc: END_OF_RECOVERY tli (\d+); prev tli (\d+); time (\S+ \S+) ([A-Z]+)")


@dataclasses.dataclass(frozen=True)
class Switch:
    """A promotion: from `parent` at `lsn` to `timeline`, which was writable from `instant` on."""
    timeline: int
    parent: int
    lsn: int
    instant: float


@dataclasses.dataclass(frozen=True)
class Commit:
    instant: float
    lsn: int
    where: str


def waldump(*words):
    """What it printed; that it met the end of the log is no failure."""
    return subprocess.run([POSTGRESQL / "pg_waldump", *map(str, words)], text=True,
                          env={"TZ": "UTC", "LC_ALL": "C"}, capture_output=True,
                          check=False).stdout


def wall_time(text, zone):
    assert zone in ("UTC", "GMT"), f"pg_waldump tells times in {zone}"
    parsed = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
    return parsed.timestamp()


def lsn_text(lsn):
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def lsn_number(text):
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


def switch_of(folder, timeline):
    """How this timeline began, from its history file; None for the first, or without its log."""
    history = folder / f"{timeline:08X}.history"
    if not history.exists():
        return None
    lines = [line.split() for line in history.read_text(encoding="ascii").splitlines()
             if line.strip() and not line.startswith("#")]
    parent, lsn = int(lines[-1][0]), lsn_number(lines[-1][1])
    said = waldump("-p", folder, "-t", timeline, "-s", lsn_text(lsn), "-n", 20, "--rmgr=XLOG")
    found = END_OF_RECOVERY.search(said)
    if not found or int(found.group(1)) != timeline:
        return None
    return Switch(timeline, parent, lsn, wall_time(found.group(3), found.group(4)))


def switches(folders):
    """Timeline -> Switch, whoever has the log in which it began."""
    known = {}
    for folder in folders:
        for file in folder.glob("*.history"):
            timeline = int(file.stem, 16)
            if timeline not in known:
                found = switch_of(folder, timeline)
                if found:
                    known[timeline] = found
    return known


def last_commit(folder, timeline, since_lsn):
    """The latest commit on a timeline in this folder, looked for from the segment before
    `since_lsn` on."""
    size = 16 * 1024 * 1024
    first = max(since_lsn // size - 1, 0)
    latest = None
    for file in sorted(folder.iterdir()):
        if not SEGMENT.match(file.name) or int(file.name[:8], 16) != timeline:
            continue
        if int(file.name[8:16], 16) * 256 + int(file.name[16:24], 16) < first:
            continue
        for high, low, text, zone in COMMIT.findall(waldump("--rmgr=Transaction", file)):
            commit = Commit(wall_time(text, zone), int(high, 16) << 32 | int(low, 16), str(folder))
            if latest is None or commit.instant > latest.instant:
                latest = commit
    return latest


def overlaps(folders, answers):
    """Sentences about two servers that accepted writes at once; and of how many promotions the
    proof was there."""
    found, known = [], switches(folders)
    for switch in known.values():
        for folder in folders:
            commit = last_commit(folder, switch.parent, switch.lsn)
            if commit and commit.instant >= switch.instant:
                found.append(
                    f"timeline {switch.parent} had a commit at {lsn_text(commit.lsn)} "
                    f"{commit.instant - switch.instant:.6f} s after timeline {switch.timeline} "
                    f"was writable (log in {commit.where})")
        late = [answer for answer in answers
                if answer.timeline == switch.parent and answer.began >= switch.instant]
        if late:
            found.append(
                f"{len(late)} rows were begun and acknowledged on timeline {switch.parent} up to "
                f"{max(a.ended for a in late) - switch.instant:.3f} s after timeline "
                f"{switch.timeline} was writable, the first by {late[0].client}")
    return found, len(known)
