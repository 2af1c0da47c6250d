"""What the differential tests share: rankings of the binary and of the oracle in one shape."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from harness import Client, novafeed
from oracle import compare, oracle

PAGE = 100
RANKING_CUT = oracle.RANKING_CUT
IMPORTED_WITH_BAD_LINES = 3  # exit status


def import_files(data: Path, files: Iterable[Path], bad_lines: int) -> list[str]:
    """Imports into a fresh data directory; complains where exit status or rejected lines are not as foreseen."""
    bad = data.with_name(data.name + ".bad")
    done = novafeed("import", *files, "--data", data, "--bad", bad, check=False)
    expected = IMPORTED_WITH_BAD_LINES if bad_lines else 0
    if done.returncode != expected:
        return [f"import: expected exit status {expected}, got {done.returncode}: {done.stderr[-2000:]}"]
    rejected = bad.read_text(encoding="utf-8").splitlines() if bad.exists() else []
    if len(rejected) != bad_lines:
        return [f"import: expected {bad_lines} rejected lines, got {len(rejected)}: {rejected[:5]}"]
    return []


def rank_by_binary(
    data: Path, users: list[str], as_of: int, trending_as_of: int, engine: str = "index", flags: tuple = ()
) -> list[dict]:
    listed = data.with_name(data.name + ".users")
    listed.write_text("".join(user + "\n" for user in users), encoding="utf-8")
    instants = ("--as-of", as_of, "--trending-as-of", trending_as_of)
    done = novafeed("rank", "--data", data, "--users", listed, "--engine", engine, *instants, *flags)
    return [json.loads(line) for line in done.stdout.splitlines()]


def rank_by_oracle(state: oracle.State, users: list[str], as_of: int, trending_as_of: int) -> list[dict]:
    trending = oracle.trending_list(state, trending_as_of)
    rankings = []
    for user in users:
        viewer = oracle.api_id("user", user)
        items = oracle.rank(state, viewer, as_of, trending)
        rankings.append(oracle.ranking_json(viewer, as_of, trending_as_of, items))
    return rankings


def rank_differences(data: Path, state: oracle.State, users: list[str], as_of: int, trending_as_of: int) -> list[str]:
    expected = rank_by_oracle(state, users, as_of, trending_as_of)
    return differences(expected, rank_by_binary(data, users, as_of, trending_as_of))


def differences(expected: list[dict], actual: list[dict]) -> list[str]:
    found = [problem for pair in zip(expected, actual) if (problem := compare.first_difference(*pair))]
    if len(expected) != len(actual):
        found.append(f"expected {len(expected)} rankings, got {len(actual)}")
    return found


# --- The same over HTTP ---


def row_of(item: dict) -> dict:
    """An Item of the feed in the shape of one line of `rank`; mode=following has no score and no explanation."""
    post, explain = item["post"], item.get("explain")
    row = {
        "post_id": post["id"],
        "external_id": post.get("external_id"),
        "author_id": post["author_id"],
        "created_at": post["created_at"],
        "source": item["source"],
        "score": item["score"],
    }
    if explain is None:
        return row | {name: post[name] for name in ("likes", "comments", "shares", "impressions")}
    row |= {part: explain[part]["value"] for part in ("freshness", "engagement", "affinity")}
    row["age_hours"] = explain["freshness"]["age_hours"]
    row |= {name: explain["engagement"][name] for name in ("likes", "comments", "shares", "impressions")}
    row["interactions"] = explain["affinity"]["interactions"]
    return row


def feed_by_offset(client: Client, user: str, **query: object) -> dict:
    """The whole ranking of a viewer in pages of `offset`, as one answer; `query` fixes its instants."""
    answer: dict = {}
    for offset in range(0, RANKING_CUT, PAGE):
        page = feed_page(client, user, limit=PAGE, offset=offset, **query)
        if not answer:
            answer = page
            query |= {"as_of": page["as_of"], "trending_as_of": page["trending_as_of"]}
        else:
            answer["items"] += page["items"]
        if len(page["items"]) < PAGE:
            break
    return answer


def feed_by_cursor(client: Client, user: str, limit: int, **query: object) -> list[dict]:
    """The items of a walk to its end."""
    items, cursor = [], None
    while True:
        page = feed_page(client, user, limit=limit, cursor=cursor, **query)
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


def feed_page(client: Client, user: str, **query: object) -> dict:
    """One page of the feed of `user`, asked for with a service token."""
    headers = {"Novafeed-User": user}
    return client.request("GET", "/api/v1/feed", query=query, headers=headers).expect(200).json()
