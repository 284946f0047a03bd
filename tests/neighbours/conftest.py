# SPDX-License-Identifier: Apache-2.0
"""Tests with real Patroni: on the harness of tests/integration."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
