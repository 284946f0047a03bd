# SPDX-License-Identifier: Apache-2.0
"""Proof by WAL that two servers never accepted writes at once (safety 7): the last commit of the
old server's timeline is older than the record with which the new one's begins. Both times are
written by servers of this machine, hence by one clock."""

import datetime
import re

from local_servers import POSTGRESQL, Broken, must_run, run

TIME = r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) UTC"


def keep_wal(cluster, node, name):
    """A copy of the node's WAL, before it returns and rewinds. Its server must be gone."""
    copy = cluster.folder.path / name
    must_run("cp", "-r", cluster.data(node) / "pg_wal", copy)
    return copy


def records(folder, timeline, rmgr):
    """What pg_waldump prints of all segments of a timeline, oldest first. It ends with an error at
    the end of what was written; that is no failure."""
    text = ""
    segments = sorted(file.name for file in folder.iterdir()
                      if re.fullmatch(f"{timeline:08X}[0-9A-F]{{16}}", file.name))
    for segment in segments:
        text += run(POSTGRESQL / "pg_waldump", f"--rmgr={rmgr}", folder / segment, TZ="UTC").stdout
    return text


def times(text, pattern):
    return [datetime.datetime.fromisoformat(time) for time in re.findall(pattern + TIME, text)]


def last_commit(folder, timeline):
    """When the last transaction of the timeline committed."""
    found = times(records(folder, timeline, "Transaction"), r"COMMIT ")
    assert found, f"no commit on timeline {timeline} in {folder}"
    return max(found)


def beginning(folder, timeline):
    """When the server took the timeline into use, by its end-of-recovery record."""
    found = times(records(folder, timeline, "XLOG"),
                  rf"END_OF_RECOVERY tli {timeline}; prev tli \d+; time ")
    assert found, f"no end-of-recovery record of timeline {timeline} in {folder}"
    return min(found)


def check_one_after_the_other(old_wal, cluster, new, timeline):
    """`timeline`: of the new leader; the old server's is the one before. Seconds in between."""
    pause = beginning(cluster.data(new) / "pg_wal", timeline) - last_commit(old_wal, timeline - 1)
    if pause.total_seconds() <= 0:
        raise Broken(f"the old server committed {-pause} after the promotion")
    return pause.total_seconds()
