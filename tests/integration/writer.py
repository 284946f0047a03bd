# SPDX-License-Identifier: Apache-2.0
"""An application that keeps writing numbered rows, and remembers which were acknowledged."""

import threading
import time

import psycopg2

PAUSE_S = 0.02  # between two rows, and between two attempts to connect


def writes(connection):
    """Does this one take a row?"""
    try:
        connection.cursor().execute("INSERT INTO written VALUES (0)")
        return True
    except psycopg2.Error:
        return False


class Writer(threading.Thread):
    """Inserts until stopped, a row a transaction, numbers after `first`. `options` are psycopg2's;
    timeouts are added."""

    def __init__(self, options, first=0):
        super().__init__(daemon=True)
        self.options = {**options, "connect_timeout": 2, "tcp_user_timeout": 2000,
                        "keepalives_idle": 1, "keepalives_interval": 1, "keepalives_count": 2,
                        "options": "-c statement_timeout=2000"}
        self.first = first
        self.acknowledged = []
        self.times = []
        self.errors = []
        self.ended = threading.Event()

    def run(self):
        number, connection = self.first, None
        while not self.ended.is_set():
            number += 1  # also after a failure: whether that row is there is not known
            try:
                if connection is None:
                    connection = psycopg2.connect(**self.options)
                    connection.autocommit = True
                connection.cursor().execute("INSERT INTO written VALUES (%s)", [number])
                self.acknowledged.append(number)
                self.times.append(time.monotonic())
            except psycopg2.Error as error:
                self.errors.append((time.monotonic(), str(error).strip()))
                if connection is not None:
                    connection.close()
                connection = None
            self.ended.wait(PAUSE_S)
        if connection is not None:
            connection.close()

    def last(self):
        """When the last row was acknowledged; 0 when none was."""
        return self.times[-1] if self.times else 0.0

    def wrote_since(self, instant):
        """Two rows, the first perhaps begun earlier."""
        return len(self.times) > 1 and self.times[-2] > instant

    def stop(self):
        self.ended.set()
        self.join(10)
        assert not self.is_alive(), "the writer hangs in spite of its timeouts"

    def longest_gap(self):
        """Seconds between two acknowledged rows."""
        return max((b - a for a, b in zip(self.times, self.times[1:])), default=0.0)

    def lost(self, present):
        """Acknowledged rows that are not among those present."""
        return sorted(set(self.acknowledged) - set(present))
