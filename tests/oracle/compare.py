#!/usr/bin/env python3
"""Compares two rankings (the oracle's and the engine's): ids, sources and order exactly, numbers to 1e-9.

    compare.py EXPECTED ACTUAL      two files of JSON lines, as `oracle.py rank` and `novafeed rank` print them
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

TOLERANCE = 1e-9
EXACT = (
    "post_id",
    "external_id",
    "author_id",
    "source",
    "created_at",
    "likes",
    "comments",
    "shares",
    "impressions",
    "interactions",
)
NEAR = ("score", "freshness", "engagement", "affinity", "age_hours")
HEADER = ("user_id", "as_of", "trending_as_of", "profile")


def first_difference(expected: dict, actual: dict) -> str | None:
    """What differs first between two rankings of one viewer, for a reader; None if nothing does."""
    for name in HEADER:
        if expected[name] != actual.get(name):
            return f"{name}: expected {expected[name]!r}, got {actual.get(name)!r}"
    problem = items_difference(expected["items"], actual["items"])
    return f"viewer {expected['user_id']} as of {expected['as_of']}: {problem}" if problem else None


def items_difference(expected: list[dict], actual: list[dict]) -> str | None:
    for place, (wanted, got) in enumerate(zip(expected, actual), 1):
        problem = item_difference(wanted, got)
        if problem:
            return f"place {place}: {problem}{where_else(wanted, expected, got, actual)}"
    if len(expected) != len(actual):
        longer = max(expected, actual, key=len)
        extra = longer[min(len(expected), len(actual))]
        return f"expected {len(expected)} items, got {len(actual)}; the first one more is {brief(extra)}"
    return None


def item_difference(wanted: dict, got: dict) -> str | None:
    for name in EXACT:
        if wanted.get(name) != got.get(name):
            return f"{name}: expected {wanted.get(name)!r}, got {got.get(name)!r}"
    for name in NEAR:
        if not near(wanted[name], got.get(name)):
            return f"{name} of {brief(wanted)}: expected {wanted[name]!r}, got {got.get(name)!r}"
    return None


def near(wanted: float | None, got: float | None) -> bool:
    if wanted is None or got is None:
        return wanted is got
    return math.isfinite(got) and abs(wanted - got) <= TOLERANCE


def where_else(wanted: dict, expected: list[dict], got: dict, actual: list[dict]) -> str:
    """Where the two posts that stand at one place are found on the other side."""
    if wanted["post_id"] == got["post_id"]:
        return ""
    return (
        f"\n  expected here {brief(wanted)}: in the answer {place_of(wanted, actual)}"
        f"\n  answered here {brief(got)}: by the oracle {place_of(got, expected)}"
    )


def place_of(item: dict, items: list[dict]) -> str:
    for place, other in enumerate(items, 1):
        if other["post_id"] == item["post_id"]:
            return f"at place {place} as {brief(other)}"
    return "absent"


def brief(item: dict) -> str:
    name = item.get("external_id") or item["post_id"]
    counters = "/".join(str(item.get(key)) for key in ("likes", "comments", "shares", "impressions"))
    return (
        f"{name} ({item['source']}, score {item['score']!r}, created {item.get('created_at')}, "
        f"L/C/S/I {counters}, interactions {item.get('interactions')})"
    )


def read_rankings(path: str) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines() if line]


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    expected, actual = (read_rankings(path) for path in arguments)
    problems = [problem for pair in zip(expected, actual) if (problem := first_difference(*pair))]
    if len(expected) != len(actual):
        problems.append(f"expected {len(expected)} rankings, got {len(actual)}")
    print("\n".join(problems) or f"{len(expected)} rankings are equal")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
