# SPDX-License-Identifier: Apache-2.0
"""Clients that insert numbers, and remember exactly what they were told: some come through HAProxy,
one sits on each node and uses its socket whatever happens to the network. The latter are the live
proof that there is one primary: whoever could write at a wrong time, they do."""

import dataclasses
import faulthandler
import itertools
import os
import socket
import threading
import time

import psycopg2

PAUSE_S = 0.03       # between two rows
PAUSE_DOWN_S = 0.1   # between two attempts to connect
ANSWER_S = 4.0       # a server that is silent for so long is given up
CANCELLED_WAIT = "canceling wait for synchronous replication"
# With the timeline on which it was written.
INSERT = ("INSERT INTO written VALUES (%s) RETURNING "
          "('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int")


@dataclasses.dataclass(frozen=True)
class Answer:
    """One row that was answered with success. Times are of the wall clock, as in the WAL."""
    number: int
    client: str
    timeline: int
    began: float
    ended: float
    promised: bool  # False: the warning came that the wait for a standby was cut short


class Client(threading.Thread):
    """Inserts its own numbers until it is told to end."""

    def __init__(self, name, options, numbers):
        super().__init__(name=name, daemon=True)
        self.options = {**options, "connect_timeout": 2, "options": "-c statement_timeout=2000"}
        self.numbers = numbers
        self.answers = []
        self.errors = []
        self.ended = threading.Event()
        self.connection = None
        self.asked_at = None  # since when an answer is waited for

    def run(self):
        connection = None
        while not self.ended.is_set():
            try:
                if connection is None:
                    connection = psycopg2.connect(**self.options)
                    connection.autocommit = True
                    self.connection = connection
                self.asked_at = time.monotonic()
                standby = self.is_standby(connection)
                if not standby:
                    self.insert(connection, next(self.numbers))
                pause = PAUSE_DOWN_S if standby else PAUSE_S
            except psycopg2.Error as error:
                self.errors.append((time.time(), str(error).strip().splitlines()[0]))
                self.asked_at = self.connection = None
                if connection is not None:
                    connection.close()
                connection, pause = None, PAUSE_DOWN_S
            self.asked_at = None
            self.ended.wait(pause)
        if connection is not None:
            connection.close()

    def give_up_if_silent(self):
        """From another thread: a frozen server must not freeze the client. Its end of the
        connection is shut, so that the wait ends with an error."""
        asked_at, connection = self.asked_at, self.connection
        if asked_at is None or connection is None or time.monotonic() < asked_at + ANSWER_S:
            return
        try:
            descriptor = os.dup(connection.fileno())
            with socket.socket(fileno=descriptor) as copy:
                copy.shutdown(socket.SHUT_RDWR)
        except (OSError, psycopg2.Error):
            pass  # it ended in this moment

    @staticmethod
    def is_standby(connection):
        cursor = connection.cursor()
        cursor.execute("SELECT pg_is_in_recovery()")
        return cursor.fetchone()[0]

    def insert(self, connection, number):
        del connection.notices[:]
        began = time.time()
        cursor = connection.cursor()
        cursor.execute(INSERT, [number])
        timeline = cursor.fetchone()[0]
        promised = not any(CANCELLED_WAIT in notice for notice in connection.notices)
        self.answers.append(Answer(number, self.name, timeline, began, time.time(), promised))


class Workload:
    """All clients of a cluster; the numbers are unique over its whole life."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.numbers = itertools.count(1)  # next() is one step under the interpreter's lock
        self.clients = []
        self.earlier = []
        self.errors = {}

    def start(self):
        through_proxy = self.cluster.application()
        self.clients = [Client(f"proxy-{index}", through_proxy, self.numbers) for index in (1, 2)]
        for node in self.cluster.nodes:
            self.clients.append(
                Client(f"on-{node}", self.cluster.application_on(node), self.numbers))
        self.begin()

    def begin(self):
        for client in self.clients:
            client.start()
        threading.Thread(target=self.watch, args=[list(self.clients)], daemon=True).start()

    @staticmethod
    def watch(clients):
        """Until they have ended."""
        while any(client.is_alive() for client in clients):
            for client in clients:
                client.give_up_if_silent()
            time.sleep(0.5)

    def stop(self):
        for client in self.clients:
            client.ended.set()
        for client in self.clients:
            client.join(5 * ANSWER_S)
            if client.is_alive():
                faulthandler.dump_traceback()
                raise AssertionError(f"client {client.name} hangs in spite of its timeouts")
        self.earlier += [answer for client in self.clients for answer in client.answers]
        self.errors = {client.name: client.errors for client in self.clients}
        self.clients = []

    def errors_on(self, name):
        """What a client of the last run was told; (time, text)."""
        return self.errors.get(name, [])

    def answers(self):
        """What was answered so far; while the clients run, a part of it."""
        return self.earlier + [answer for client in self.clients for answer in list(client.answers)]

    def wrote_since(self, instant):
        """A client behind HAProxy was promised a row that it sent after this time."""
        return any(client.name.startswith("proxy") and client.answers
                   and client.answers[-1].began > instant for client in self.clients)
