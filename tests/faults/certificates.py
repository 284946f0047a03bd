# SPDX-License-Identifier: Apache-2.0
"""Certificates of a cluster's nodes: made anew by `tanistctl provision`, or with an end that lies
in the past, from the same key and by the same authority."""

import shutil
import signal
import subprocess

from cluster import PORTS
from local_servers import USER, must_run


def certificate(cluster, node, name):
    """`name`: agent (towards etcd), rest or postgresql."""
    return cluster.files / node / f"etc/tanist/ssl/{name}.crt"


def openssl(*words, text=""):
    done = subprocess.run(["openssl", *map(str, words)], input=text, text=True, check=False,
                          capture_output=True)
    assert done.returncode == 0, f"openssl {words} said: {done.stderr}"
    return done.stdout


def expire(cluster, node, name):
    """From now on this file holds a certificate that ended yesterday."""
    file = certificate(cluster, node, name)
    key = file.with_suffix(".key")
    request = openssl("x509", "-in", file, "-x509toreq", "-copy_extensions", "copyall", "-signkey",
                      key)
    new = file.with_suffix(".new")
    openssl("x509", "-req", "-copy_extensions", "copyall", "-CA", cluster.files / "ca/ca.crt",
            "-CAkey", cluster.files / "ca/ca.key", "-set_serial", "99", "-days", "-1", "-out", new,
            text=request)
    shutil.copymode(file, new)
    shutil.chown(new, USER, USER)
    new.replace(file)


def renew(cluster):
    """All of them; agents are told to reload."""
    must_run(cluster.folder.path / "tanistctl", "provision", cluster.folder.path / "topology.yml",
             "-o", cluster.files, "--renew", "certificates", "--overwrite")
    reload_agents(cluster)


def reload_agents(cluster):
    for node in cluster.nodes:
        cluster.folder.signal(f"tanist-{node}", signal.SIGHUP)


def serial_of(pem):
    return openssl("x509", "-noout", "-serial", text=pem).strip()


def shows_its_file(cluster, node, name):
    """Whoever connects to this node's REST API or PostgreSQL is shown what the file holds."""
    port, *more = {"rest": [PORTS["rest"]],
                   "postgresql": [PORTS["postgresql"], "-starttls", "postgres"]}[name]
    done = subprocess.run(["openssl", "s_client", "-connect", f"{cluster.address[node]}:{port}",
                           *more], stdin=subprocess.DEVNULL, text=True, capture_output=True,
                          check=False)
    if "-----BEGIN CERTIFICATE-----" not in done.stdout:
        return False
    file = certificate(cluster, node, name).read_text(encoding="ascii")
    return serial_of(done.stdout) == serial_of(file)


def restart_etcd_one_by_one(cluster):
    """So that every connection to it is made anew."""
    for node in cluster.store_nodes:
        cluster.folder.kill_one(f"etcd-{node}")
        cluster.start_etcd(node)
        cluster.wait_etcd()
