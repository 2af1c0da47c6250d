"""A check reads more sets than the engine may hold at a time."""

from __future__ import annotations

import json
import random
from pathlib import Path

from harness import Server, novafeed, scratch_directory

POSTS = 2_000
HOURS = 100_000  # of a post in which it was seen: each is a row of seven sets
DAY_MS = 86_400_000


def write_seen_posts(path: Path, now: int) -> None:
    rng = random.Random(14)
    first = now - 29 * DAY_MS
    with path.open("w", encoding="utf-8") as out:

        def write(**line: object) -> None:
            out.write(json.dumps(line) + "\n")

        write(type="user", at=first, id="writer", handle="writer")
        for post in range(POSTS):
            write(type="post", at=first, id=f"p{post}", author="writer", text="seen")
        for _ in range(HOURS):
            write(type="impression", at=rng.randrange(first, now), user="writer", post=f"p{rng.randrange(POSTS)}")


def test_sets_beyond_the_engines_memory_are_compared():
    with scratch_directory() as directory, Server(f"{directory}/data") as server:
        server.stop()
        lines = Path(directory, "lines.ndjson")
        write_seen_posts(lines, server.now())
        novafeed("import", lines, "--data", server.data)
        done = novafeed("check", "--data", server.data, "--json", "--set", "olap.max_memory=256MiB", check=False)
        outcome = json.loads(done.stdout)
        hours = next(table for table in outcome["tables"] if table["name"] == "post_metrics_1h")
        assert hours.get("failure") is None, hours
        assert outcome["agree"] and hours["compared"] > HOURS / 2
