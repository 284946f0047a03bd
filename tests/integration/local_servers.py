# SPDX-License-Identifier: Apache-2.0
"""Programs that a test starts and ends on this machine, as user postgres when run by root:
addresses of its own, processes found again by their folder, logs to show when it fails."""

import errno
import functools
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

USER = "postgres"
PROGRAMS = pathlib.Path(os.environ.get("TANIST_BIN", "build/release/src")).resolve()
# Another version's (scripts/test --matrix), else the newest that is installed.
POSTGRESQL = pathlib.Path(os.environ["TANIST_POSTGRESQL"]) if "TANIST_POSTGRESQL" in os.environ \
    else max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"),
             key=lambda path: int(path.parent.name), default=pathlib.Path("/none"))
ETCD = os.environ.get("TANIST_ETCD", "etcd")
LINES_OF_LOG = 120
CLAIMS = []  # sockets that keep our network for us


class Broken(AssertionError):
    """A safety rule was broken; the text says which. tools/run_tests.py knows it by its name."""


@functools.cache
def network():
    """Three numbers of an own loopback network, from our pid: 127.x.y. Processes of other pid
    namespaces may have the same: who holds the port that is bound here has the network."""
    for number in range(os.getpid(), os.getpid() + 1000):
        name = f"127.{64 + number // 240 % 160}.{10 + number % 240}"
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            claim.bind((f"{name}.254", 40000))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                claim.close()
                continue
        CLAIMS.append(claim)
        return name
    raise AssertionError("no free loopback network 127.x.y")


def eventually(condition, seconds=20, what=""):
    """Waits for the condition; returns its (true) value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what or condition.__name__}"
        time.sleep(0.05)


def unprivileged(words, **environment):
    """The command as user postgres, with an environment of its own: root's folders are closed."""
    become = []
    if os.getuid() == 0:
        become = ["setpriv", f"--reuid={USER}", f"--regid={pwd.getpwnam(USER).pw_gid}",
                  "--init-groups"]
    known = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8",
             "ETCDCTL_API": "3", **environment}
    return [*become, "env", "-i", *(f"{name}={value}" for name, value in known.items()),
            *(str(word) for word in words)]


def run(*words, seconds=60, given="", **environment):
    """Runs to the end, with standard input `given`; output and error are kept apart, all text."""
    return subprocess.run(unprivileged(words, **environment), capture_output=True, text=True,
                          input=given, cwd="/", timeout=seconds, check=False)


def must_run(*words, **options):
    result = run(*words, **options)
    assert result.returncode == 0, f"{words} said:\n{result.stdout}{result.stderr}"
    return result.stdout


def trace_of(pid):
    """What tells from which folder a process runs; empty when it is gone or only a zombie."""
    folder = pathlib.Path("/proc") / str(pid)
    try:
        if (folder / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z":
            return ""
        links = [os.readlink(folder / name) for name in ("exe", "cwd")]
        words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return " ".join([*links, words])
    except OSError:
        return ""


def processes_of(*folders):
    """Pids of everything that runs from one of these folders."""
    marks = [f"{folder}/" for folder in folders]
    own = {os.getpid(), os.getppid()}
    return [int(entry.name) for entry in pathlib.Path("/proc").glob("[0-9]*")
            if int(entry.name) not in own
            and any(mark in trace_of(entry.name) for mark in marks)]


def kill_everything_of(*folders):
    """SIGKILL to all of them, again until none is left."""
    def none_left():
        found = processes_of(*folders)
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not found
    eventually(none_left, what="everything to be killed")


def start_sweeper(folder):
    """A process that outlives us and cleans up when we are gone, however we ended: a test that runs
    into its time limit is killed. Nobody's child, so that it is not killed with us. Returns the
    descriptor whose end it waits for."""
    reading, writing = os.pipe()
    subprocess.run(["setsid", "--fork", sys.executable, "-B", __file__, folder], stdin=reading,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    os.close(reading)
    return writing


class Folder:
    """A temporary folder of user postgres, and everything that runs from it."""

    def __init__(self, prefix):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
        self.path.chmod(0o755)
        self.sweeper = start_sweeper(self.path)
        (self.path / "log").mkdir()
        self.started = {}
        self.shown = {}
        self.give(self.path, self.path / "log")

    def give(self, *paths):
        if os.getuid() == 0:
            for path in paths:
                shutil.chown(path, USER, USER)

    def write(self, name, text, mode=0o600):
        """A file of user postgres; its path."""
        path = self.path / name
        must_run("mkdir", "-p", path.parent)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        self.give(path)
        return path

    def start(self, name, *words, inside=(), **environment):
        """In the background and in a group of its own; what it says goes to log/NAME. `inside`:
        words before the command that enter some namespace and become it."""
        with open(self.path / "log" / name, "a", encoding="utf-8") as log:
            self.started[name] = subprocess.Popen(
                [*inside, *unprivileged(words, **environment)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd="/", start_new_session=True)
        return self.started[name]

    def runs(self, name):
        return name in self.started and self.started[name].poll() is None

    def exit_code(self, name, seconds=60):
        """Waits for the end of a program."""
        try:
            return self.started[name].wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{name} did not end within {seconds} s:\n"
                                 f"{self.log(name)[-4000:]}") from None

    def stop(self, name, seconds=60):
        """SIGTERM, and the exit code."""
        if self.runs(name):
            self.started[name].terminate()
        return self.exit_code(name, seconds)

    def signal(self, name, what):
        """To the program alone, not to what it started."""
        self.started[name].send_signal(what)

    def kill_one(self, name):
        """SIGKILL to one program that was started, and to nothing that it started."""
        self.started[name].kill()
        self.exit_code(name)

    def log(self, name):
        return (self.path / "log" / name).read_text(encoding="utf-8", errors="replace")

    def processes(self, *below):
        """Pids of everything that runs from one of these folders (default: from this one)."""
        return processes_of(*(below or (self.path,)))

    def kill(self, *below):
        """SIGKILL to everything that runs from these folders (default: from this one)."""
        kill_everything_of(*(below or (self.path,)))
        for process in self.started.values():
            process.poll()

    def show_logs(self):
        """Prints what was logged since the last time; pytest shows it when the test failed."""
        for file in sorted((self.path / "log").iterdir()):
            text = file.read_text(encoding="utf-8", errors="replace")
            new = text[self.shown.get(file.name, 0):].splitlines()
            self.shown[file.name] = len(text)
            if new:
                print(f"==== {file.name}", *new[-LINES_OF_LOG:], sep="\n")

    def remove(self):
        self.kill()
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self.sweeper)


def programs_into(folder, names=("tanist", "tanist-guard")):
    """The programs under test, as files of the folder: /proc then tells whose process it is, and
    they can be started where user postgres cannot read the build."""
    for name in names:
        source = PROGRAMS / name
        assert source.is_file(), f"there is no {source}; build it, or set TANIST_BIN"
        shutil.copy(source, folder / name)
        (folder / name).chmod(0o755)


if __name__ == "__main__":
    sys.stdin.read()
    kill_everything_of(sys.argv[1])
    shutil.rmtree(sys.argv[1], ignore_errors=True)
