# SPDX-License-Identifier: Apache-2.0
"""The files that provision writes, read by the programs that know their forms: openssl,
systemd-analyze, nft and sh."""

import configparser
import os
import shutil
import subprocess
import time

import pytest
from provisioned import (fixture_folder, fixture_hosts, fixture_one,  # noqa: F401
                         must_run, provision, run)


# ---- Files ----------------------------------------------------------------------------------


def test_a_second_run_changes_nothing(folder, one):
    before = {path: path.stat().st_mtime_ns for path in one.rglob("*")}
    result = provision(folder, (folder / "one.yml").read_text(encoding="utf-8"), "one")
    assert result.returncode == 0, result.stdout
    assert {path: path.stat().st_mtime_ns for path in one.rglob("*")} == before


def test_a_bad_topology_is_told_with_file_line_and_remedy(folder):
    result = provision(folder, "cluster: c\nnodes:\n  - {name: a, adress: 10.0.0.1}\n", "bad")
    assert result.returncode == 1
    assert f"{folder}/bad.yml:3: nodes.0.adress: unknown key; did you mean `address`?" \
        in result.stdout
    assert not (folder / "bad").exists()


CERTIFICATES = [
    ("etcd/ssl/server", {"sslserver", "sslclient"}),
    ("etcd/ssl/peer", {"sslserver", "sslclient"}),
    ("tanist/ssl/agent", {"sslclient"}),
    ("tanist/ssl/rest", {"sslserver"}),
    ("tanist/ssl/postgresql", {"sslserver"}),
]


@pytest.mark.parametrize("stem,purposes", CERTIFICATES)
def test_openssl_accepts_certificates_for_their_purposes_only(hosts, stem, purposes):
    for node in ("pg-1", "pg-2", "pg-3"):
        certificate = hosts / node / "etc" / f"{stem}.crt"
        for purpose in ("sslserver", "sslclient"):
            result = run("openssl", "verify", "-x509_strict", "-CAfile",
                         certificate.with_name("ca.crt"), "-purpose", purpose, certificate)
            assert (result.returncode == 0) == (purpose in purposes), result.stdout
        key = certificate.with_suffix(".key")
        assert key.stat().st_mode & 0o777 == 0o600
        assert must_run("openssl", "pkey", "-in", key, "-pubout") == \
            must_run("openssl", "x509", "-in", certificate, "-noout", "-pubkey")
        assert "prime256v1" in must_run("openssl", "x509", "-in", certificate, "-noout", "-text")


def test_servers_certificates_carry_every_name_they_are_called_by(hosts):
    def names(path):
        text = must_run("openssl", "x509", "-in", hosts / path, "-noout", "-ext",
                        "subjectAltName")
        return {name.strip() for name in text.splitlines()[1].split(",")}

    own = {"DNS:pg-2", "DNS:localhost", "IP Address:192.168.122.24", "IP Address:127.0.0.1"}
    for stem in ("etcd/ssl/server", "etcd/ssl/peer", "tanist/ssl/rest"):
        assert names(f"pg-2/etc/{stem}.crt") == own
    assert names("pg-2/etc/tanist/ssl/postgresql.crt") == \
        own | {"DNS:haproxy", "IP Address:192.168.122.66"}


def test_the_unit_leaves_the_server_time_and_is_the_last_to_run_out_of_memory(hosts):
    """Traps 137 and 138: nothing but the agent is ended by systemd, and that late."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(hosts / "pg-1/etc/systemd/system/tanist.service")
    service = dict(parser["Service"])
    assert service["KillMode"] == "process" and service["OOMPolicy"] == "continue"
    assert service["TimeoutStopSec"] == "10min"
    assert service["Restart"] == "always" and service["RuntimeDirectoryPreserve"] == "yes"
    assert int(service["OOMScoreAdjust"]) < -500


def test_systemd_finds_nothing_wrong_with_the_units(hosts):
    for node in ("pg-1", "pg-2", "pg-3"):
        for unit in ("etcd", "tanist"):
            file = hosts / node / f"etc/systemd/system/{unit}.service"
            assert must_run("systemd-analyze", "verify", "--man=no", file) == ""


@pytest.mark.skipif(shutil.which("nft") is None or os.getuid() != 0, reason="nft, as root")
def test_nft_loads_the_firewall_files(hosts):
    for host in ("pg-1", "pg-2", "pg-3", "haproxy"):
        subprocess.run(["nft", "-c", "-f", str(hosts / host / "firewall/nftables.conf")],
                       check=True)


def test_scripts_are_shell(hosts):
    for script in [*hosts.glob("*/install"), *hosts.glob("*/firewall/ufw.sh")]:
        must_run("sh", "-n", script)


def recorded(folder, script, programs):
    """The calls that a script makes to programs which here only write down their arguments."""
    stubs = folder / f"stubs-{time.monotonic_ns()}"
    stubs.mkdir()
    calls = stubs / "calls"
    for name in programs:
        answer = "echo 0" if name == "id" else f'echo {name} "$@" >>{calls}'
        (stubs / name).write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
        (stubs / name).chmod(0o755)
    subprocess.run(["sh", str(script)], check=True, stdout=subprocess.DEVNULL,
                   env={"PATH": f"{stubs}:/usr/bin:/bin"})
    return calls.read_text(encoding="utf-8").splitlines()


def test_the_ufw_script_opens_the_ports_of_the_guides_table(folder, hosts):
    calls = recorded(folder, hosts / "pg-1/firewall/ufw.sh", ["ufw", "id"])
    assert calls[0] == "ufw allow proto tcp to any port 22 comment ssh"
    assert calls[-3:] == ["ufw default deny incoming", "ufw --force enable", "ufw status"]
    nodes = {"192.168.122.48/32", "192.168.122.24/32", "192.168.122.65/32"}
    proxy = {"192.168.122.66/32"}
    opened = {}
    for call in calls[1:-3]:
        words = call.split()
        opened.setdefault(int(words[words.index("port") + 1]), set()).add(words[5])
    # 8009 is ours: where the agents answer HAProxy's agent-check.
    assert opened == {5432: nodes | proxy, 8008: nodes | proxy, 8009: proxy, 2379: nodes,
                      2380: nodes}
    calls = recorded(folder, hosts / "haproxy/firewall/ufw.sh", ["ufw", "id"])
    assert [call.split()[9] for call in calls[1:-3]] == ["5000", "5001"]


def test_the_install_script_puts_every_file_in_its_place(folder, hosts):
    calls = recorded(folder, hosts / "pg-1/install", ["install", "systemctl", "id"])
    placed = {call.split()[-1]: call for call in calls if call.startswith("install -D")}
    written = {str(path)[len(str(hosts / "pg-1")):]
               for path in (hosts / "pg-1/etc").rglob("*") if path.is_file()}
    assert set(placed) == written
    for path, call in placed.items():
        assert f" .{path} " in call
        assert ("-m 0600" in call) == path.endswith((".key", "tanist.yml"))
