"""One engine for the tests of a module, and clients of its two users."""

from __future__ import annotations

import pytest

from harness import READER, WRITER, Olap


@pytest.fixture(scope="module")
def olap():
    with Olap() as running:
        yield running


@pytest.fixture
def writer(olap):
    with olap.of(WRITER) as client:
        yield client


@pytest.fixture
def reader(olap):
    with olap.of(READER) as client:
        yield client
