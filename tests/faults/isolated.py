#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command in namespaces of its own for network, mounts and processes: isolated.py WORDS...

Whatever it does to the network or mounts is seen nowhere else, and everything that it started ends
with it, however it ends. Below it, /tmp is a folder of its own that is deleted at the end, and /run
is empty. Without root the command runs as it is, and finds no ISOLATED in its environment."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from local_servers import start_sweeper  # noqa: E402

AS_FIRST = "--as-first-process"


def run_isolated(words):
    """In new namespaces, this program is process 1; the exit code of the command."""
    folder = tempfile.mkdtemp(prefix="tanist-faults-", dir="/tmp")
    os.chmod(folder, 0o1777)
    sweeper = start_sweeper(folder)  # deletes the folder also when we are killed
    try:
        return subprocess.run(
            ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child",
             "--propagation", "unchanged", sys.executable, "-B", __file__, AS_FIRST, folder,
             *words], check=False).returncode
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(sweeper)


def be_first_process(folder, words):
    """What process 1 of a machine does: prepares, starts one program, buries all orphans."""
    # A root that is only a folder (chroot) is no mount whose propagation could be changed; who made
    # it has seen to that.
    mounts = pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    if any(line.split()[4] == "/" for line in mounts):
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for command in (["mount", "-t", "proc", "proc", "/proc"],
                    ["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"],
                    ["mount", "--bind", folder, "/tmp"]):
        subprocess.run(command, check=True)
    os.mkdir("/run/netns")
    child = os.spawnvpe(os.P_NOWAIT, words[0], words, {**os.environ, "ISOLATED": "1"})
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status) & 255


def main():
    words = sys.argv[1:]
    if words[:1] == [AS_FIRST]:
        return be_first_process(words[1], words[2:])
    if os.geteuid() != 0:
        os.execvp(words[0], words)
    return run_isolated(words)


if __name__ == "__main__":
    sys.exit(main())
