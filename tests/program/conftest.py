"""A small imported network that the tests of this folder share, and how to write one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import novafeed, scratch_directory

NOON = 1_700_049_600_000  # 2023-11-15T12:00:00Z
HOUR = 3_600_000
DAY = 24 * HOUR

# Bob posts every three hours for ten days; ann follows him and likes every other post an hour after it.
ACTIONS = (
    [{"type": "user", "id": name, "handle": name, "at": NOON - 20 * DAY} for name in ("ann", "bob")]
    + [{"type": "follow", "user": "ann", "target": "bob", "at": NOON - 19 * DAY}]
    + [
        {"type": "post", "id": f"post-{n}", "author": "bob", "at": NOON - 10 * DAY + n * 3 * HOUR, "text": f"post {n}"}
        for n in range(80)
    ]
    + [
        {"type": "like", "user": "ann", "post": f"post-{n}", "at": NOON - 10 * DAY + n * 3 * HOUR + HOUR}
        for n in range(0, 80, 2)
    ]
)


def write_ndjson(path: Path, actions) -> Path:
    path.write_text("".join(json.dumps(action) + "\n" for action in actions), encoding="utf-8")
    return path


@pytest.fixture
def directory():
    """A place for data directories and files."""
    with scratch_directory() as path:
        yield Path(path)


@pytest.fixture
def imported(directory):
    """A stopped data directory that holds ACTIONS."""
    data = directory / "data"
    novafeed("import", write_ndjson(directory / "actions.ndjson", ACTIONS), "--data", data)
    return data


def rank(data: Path, *flags: object, user: str = "ann") -> dict:
    done = novafeed("rank", "--data", data, "--user", f"ext:{user}", *flags)
    return json.loads(done.stdout)
