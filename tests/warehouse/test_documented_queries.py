"""The queries of docs/warehouse.md run as they stand there, beside a server, and each finds something."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from harness import WITH_WAREHOUSE, Server, await_filled, binary, novafeed, scratch_directory

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "warehouse.md").read_text(encoding="utf-8")
SETTING_UP, *BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
# A comment, and the command below it.
QUERIES = [query for block in BLOCKS for query in re.findall(r"# (.+)\n((?:.+\n)+)", block)]


@pytest.fixture(name="data", scope="module")
def serve_data():
    now = time.time_ns() // 1_000_000
    lines = [
        {"type": "user", "id": "ada", "handle": "ada", "at": now - 9000},
        {"type": "follow", "user": "ada", "target": "bob", "at": now - 8000},
        {"type": "post", "id": "p", "author": "bob", "text": "x", "at": now - 7000},
        {"type": "impression", "user": "ada", "post": "p", "at": now - 6000},
        {"type": "like", "user": "ada", "post": "p", "at": now - 5000},
    ]
    with scratch_directory() as scratch:
        data = Path(scratch, "data")
        novafeed("import", "-", "--data", data, text_in="".join(json.dumps(line) + "\n" for line in lines))
        with Server(data, settings=WITH_WAREHOUSE) as server:
            await_filled(server)
            yield data


@pytest.mark.parametrize(("what", "command"), QUERIES, ids=[what for what, _ in QUERIES])
def test_a_documented_query_finds_something(data, what, command):
    shell = SETTING_UP.replace("~/novafeed-data", '"$THERE"').replace("./novafeed ", '"$NOVAFEED" ') + command
    environment = {**os.environ, "THERE": str(data), "NOVAFEED": binary()}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", shell], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 1, (what, done.stdout)


def test_every_view_has_an_example():
    asked = "".join(command for _, command in QUERIES)
    views = re.findall(r"^\| `(\w+)` \| view:", PAGE, re.MULTILINE)
    assert views and all(f"novafeed.{view}(" in asked for view in views)
