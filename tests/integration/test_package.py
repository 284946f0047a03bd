# SPDX-License-Identifier: Apache-2.0
"""The Debian package, of the programs under test: what is in it, and that it runs."""

import os
import pathlib
import subprocess

import pytest

BUILD = pathlib.Path(os.environ["TANIST_BIN"]).parent
CONTENT = {
    "usr/bin/tanist", "usr/bin/tanist-guard", "usr/bin/tanistctl",
    "usr/share/bash-completion/completions/tanistctl", "usr/share/doc/tanist/copyright",
    "usr/share/fish/vendor_completions.d/tanistctl.fish", "usr/share/man/man1/tanist.1",
    "usr/share/man/man1/tanistctl.1", "usr/share/man/man5/tanist.yml.5",
    "usr/share/zsh/vendor-completions/_tanistctl"}


def said(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    said("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", folder)
    return next(folder.glob("tanist_*.deb"))


def test_it_holds_the_programs_their_pages_and_completions(package, tmp_path):
    said("dpkg-deb", "-x", package, tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == CONTENT
    for program in ("tanist", "tanistctl"):
        assert "Usage: " + program in said(tmp_path / "usr/bin" / program, "--help")


def test_it_names_the_libraries_that_it_needs(package):
    needs = said("dpkg-deb", "-f", package, "Depends")
    for library in ("libpq5", "libssl3", "libgrpc++1", "libyaml-cpp0"):
        assert library in needs
