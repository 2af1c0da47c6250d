"""The Higgs set as both engines and the oracle hold it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from differential import rankings
from harness import scratch_directory, test_data
from harness.cli import CHECKOUT
from oracle import oracle

CONVERTER = CHECKOUT / "tools" / "converters" / "higgs.py"


@pytest.fixture(name="higgs", scope="session")
def import_higgs():
    """(data directory, the oracle's state): converted, imported and folded once for all modules."""
    with scratch_directory() as scratch:
        file, data = Path(scratch, "higgs.ndjson"), Path(scratch, "data")
        with file.open("wb") as out:
            subprocess.run([sys.executable, str(CONVERTER), str(test_data("higgs"))], stdout=out, check=True)
        problems = rankings.import_files(data, [file], bad_lines=0)
        assert not problems, problems
        yield data, oracle.State().load([file])
