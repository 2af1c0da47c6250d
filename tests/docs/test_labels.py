"""The seed wants 50 tests of social features: they carry a label, and are counted."""

from __future__ import annotations

import re
import subprocess
import sys

from harness.cli import CHECKOUT

SEED_WANTS = 50


def test_fifty_tests_are_social():
    command = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q", "-m", "social"]
    done = subprocess.run([*command, "tests/api"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    counted = re.search(r"^(\d+)/\d+ tests collected", done.stdout, re.MULTILINE)
    assert counted and int(counted[1]) >= SEED_WANTS, done.stdout[-500:]
