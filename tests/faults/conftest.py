# SPDX-License-Identifier: Apache-2.0
"""Tests of faults: the harness of tests/integration, in namespaces of their own (isolated.py)."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))


def pytest_collection_modifyitems(items):
    if "ISOLATED" not in os.environ:
        mark = pytest.mark.skip(reason="needs root, and to be started by tests/faults/isolated.py")
        for item in items:
            item.add_marker(mark)
