"""What every test of erasing begins with."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from harness import scratch_directory


@pytest.fixture
def directory():
    with scratch_directory() as path:
        yield Path(path)


@pytest.fixture
def seed():
    value = random.SystemRandom().randrange(1 << 30)
    print("seed", value)
    return value
