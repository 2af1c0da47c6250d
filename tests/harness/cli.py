"""Where the binary, the test data and fast temporary directories are; running one command of the binary."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
COMMAND_SECONDS = 600  # a command that takes longer hangs
SHARED_MEMORY = Path("/dev/shm")
SHARED_MEMORY_BYTES = 2 << 30


def binary() -> str:
    """The binary under test: NOVAFEED_BINARY, or the release build of this checkout."""
    path = os.environ.get("NOVAFEED_BINARY") or str(CHECKOUT / "build" / "release" / "novafeed")
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path} is not there: build it with ./run or ./test, or set NOVAFEED_BINARY")
    return path


def novafeed(*arguments: object, check: bool = True, text_in: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs one command to its end. With `check`, an exit status other than 0 is an AssertionError with its output."""
    command = [binary(), *map(str, arguments)]
    done = subprocess.run(
        command, input=text_in, capture_output=True, text=True, encoding="utf-8", timeout=COMMAND_SECONDS, check=False
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def scratch_directory(prefix: str = "novafeed-test-") -> tempfile.TemporaryDirectory[str]:
    """A temporary directory; in memory where there is room, so that tests do not wait for the disk's fsync.

    What a test of `kill -9` needs is the page cache, and that is the same there.
    """
    roomy = SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > SHARED_MEMORY_BYTES
    return tempfile.TemporaryDirectory(prefix=prefix, dir=SHARED_MEMORY if roomy else None)


def test_data(*parts: str) -> Path | None:
    """A file of the real data sets, or None where they are not installed."""
    root = Path(os.environ.get("NOVAFEED_TEST_DATA") or CHECKOUT.parent / "shared" / "data")
    path = root.joinpath(*parts)
    return path if path.exists() else None


test_data.__test__ = False  # not a test, whatever pytest makes of its name
