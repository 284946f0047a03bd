# SPDX-License-Identifier: Apache-2.0
"""A server of nobody's cluster, which a standby cluster follows: first a standby of the cluster's
leader, then a primary."""

import psycopg2
from cluster import PORTS
from local_servers import POSTGRESQL, eventually, must_run


def one_value(connection, statement):
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
        value = cursor.fetchone()[0] if cursor.description else None
    connection.close()
    return value


class Remote:
    """Listens on an address of its own, and on a socket in its data directory."""

    def __init__(self, cluster, address):
        self.cluster = cluster
        self.address = address
        self.data = cluster.folder.path / "remote"

    def follow(self, node):
        self.copy(POSTGRESQL / "pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-c", "fast",
                  "-h", self.cluster.address[node], "-p", PORTS["postgresql"], "-U", "replicator",
                  PGPASSWORD=self.cluster.secret("replication"), PGSSLMODE="require")
        self.cluster.folder.start(
            "remote", POSTGRESQL / "postgres", "-D", self.data, "-p", PORTS["postgresql"], "-c",
            f"listen_addresses={self.address}", "-c", f"unix_socket_directories={self.data}")
        eventually(lambda: self.value("SELECT count(*) FROM pg_stat_wal_receiver") == 1, 30,
                   "the remote server to stream")

    def copy(self, *words, **environment):
        must_run(*words, **environment)

    def promote(self):
        must_run(POSTGRESQL / "pg_ctl", "-D", self.data, "promote")
        eventually(lambda: self.value("SELECT pg_is_in_recovery()") is False, 30,
                   "a remote primary")

    def value(self, statement):
        try:
            return one_value(psycopg2.connect(
                host=str(self.data), port=PORTS["postgresql"], user="postgres", dbname="postgres",
                password=self.cluster.secret("superuser"), connect_timeout=5), statement)
        except psycopg2.OperationalError:
            return None
