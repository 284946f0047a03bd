# SPDX-License-Identifier: Apache-2.0
"""Real Patroni for tests: the distribution's package, and Patroni 4 from Debian 13 where the
distribution has an older one (it is Python alone, so its package is unpacked, not installed).

TANIST_PATRONI names a folder with another one (the folder in which `patroni/` lies)."""

import fcntl
import os
import pathlib
import re
import subprocess

PYTHON = "/usr/bin/python3"
INSTALLED = pathlib.Path("/usr/lib/python3/dist-packages")
CACHE = pathlib.Path("/var/tmp/tanist-patroni")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SOURCE = f"deb [signed-by={KEYRING}] http://deb.debian.org/debian trixie main\n"


def version_in(folder):
    """As numbers, or None where there is no Patroni."""
    file = folder / "patroni/version.py"
    if not file.exists():
        return None
    found = re.search(r"__version__ = '([\d.]+)'", file.read_text(encoding="utf-8"))
    return tuple(int(part) for part in found.group(1).split(".")) if found else None


def apt(*words):
    """apt with lists and settings of its own: what is installed does not change."""
    folder = CACHE / "apt"
    options = [f"Dir::Etc::sourcelist={folder}/trixie.list", "Dir::Etc::sourceparts=/nonexistent",
               f"Dir::State::lists={folder}/lists", f"Dir::State::status={folder}/status",
               f"Dir::Cache={folder}/cache", "APT::Sandbox::User=root"]
    return subprocess.run(["apt-get", "-qq", *(word for option in options
                                               for word in ("-o", option)), *words],
                          cwd=CACHE, text=True, capture_output=True, check=False)


def fetch():
    """The folder with Debian 13's Patroni; None where it cannot be had. One process at a time."""
    unpacked = CACHE / "unpacked"
    folder = unpacked / "usr/lib/python3/dist-packages"
    if os.geteuid() != 0:
        return folder if version_in(folder) else None
    CACHE.mkdir(exist_ok=True)
    with open(CACHE / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if version_in(folder):
            return folder
        for name in ("lists/partial", "cache/archives/partial"):
            (CACHE / "apt" / name).mkdir(parents=True, exist_ok=True)
        (CACHE / "apt/status").touch()
        (CACHE / "apt/trixie.list").write_text(SOURCE, encoding="ascii")
        if apt("update").returncode != 0 or apt("download", "patroni").returncode != 0:
            return None
        package = max(CACHE.glob("patroni_*.deb"))
        subprocess.run(["dpkg-deb", "-x", package, unpacked], check=False)
        subprocess.run(["chmod", "-R", "a+rX", CACHE], check=False)
        return folder if version_in(folder) else None


def find(at_least):
    """The folder of a Patroni that is at least so new; None where there is none."""
    chosen = os.environ.get("TANIST_PATRONI")
    if chosen:
        return pathlib.Path(chosen)
    if (version_in(INSTALLED) or (0,)) >= at_least:
        return INSTALLED
    folder = fetch()
    return folder if folder and version_in(folder) >= at_least else None


def older():
    """The folder of the installed Patroni where it is older than 4; else None."""
    version = version_in(INSTALLED)
    return INSTALLED if version and version < (4,) else None


def in_our_words(members):
    """What /cluster tells of the members: an older Patroni does not say `streaming`, and
    synchronous standbys are replicas too."""
    for member in members.values():
        if member["role"] in ("sync_standby", "quorum_standby"):
            member["role"] = "replica"
        if member["role"] == "replica" and member["state"] == "running":
            member["state"] = "streaming"
    return members


def agent(folder, file):
    """Words and environment that run its agent."""
    return [PYTHON, "-B", "-m", "patroni", file], {"PYTHONPATH": folder}


def tool(folder, file, *words):
    """The same for patronictl."""
    program = "from patroni.ctl import ctl; ctl(prog_name='patronictl')"
    return [PYTHON, "-B", "-c", program, "-c", file, *words], {"PYTHONPATH": folder}
