"""Each statement of the feed's queries, run alone by `novafeed sql`, gives the ids that the oracle finds."""

from __future__ import annotations

from collections import Counter

import pytest

from harness import WRITER, novafeed, olap_of
from harness.cli import CHECKOUT
from oracle import oracle

STATEMENTS = CHECKOUT / "src" / "warehouse" / "sql"
NIL = "00000000-0000-0000-0000-000000000000"
HOT_HOURS = 2


def rows_of(world, statement: str, **params: object) -> list[dict]:
    """The rows of sql/<statement>.sql."""
    flags = [part for name, value in params.items() for part in ("--param", f"{name}={value}")]
    done = novafeed("sql", "--data", world.server.data, "--file", STATEMENTS / f"{statement}.sql", *flags)
    names, *lines = done.stdout.splitlines()
    return [dict(zip(names.split("\t"), line.split("\t"))) for line in lines]


def ids_of(rows: list[dict]) -> list[str]:
    ids = [row["post_id"] for row in rows]
    assert len(ids) == len(set(ids)), "a post twice"
    return ids


def shown(posts) -> list[str]:
    return [oracle.show_id(post.id) for post in posts]


def viewers(world):
    """(viewer, their id for the oracle, instant) of all graphs."""
    for graph in world.graphs:
        for user in graph.viewers[:6]:
            viewer = oracle.api_id("user", user)
            yield oracle.show_id(viewer), viewer, graph.as_of


def expect_posts(rows: list[dict], posts) -> int:
    """The rows are these posts, with what they count: their number."""
    by_id = {oracle.show_id(post.id): post for post in posts}
    assert sorted(ids_of(rows)) == sorted(by_id)
    for row in rows:
        post = by_id[row["post_id"]]
        assert int(row["created_ms"]) == post.created_at
        assert (int(row["likes"]), int(row["comments"])) == (len(post.likes), len(post.comments))
        assert (int(row["shares"]), int(row["impressions"])) == (len(post.shares), len(post.impressions))
    return len(rows)


def test_f1_follow(world):
    found = [
        expect_posts(
            rows_of(world, "f1_follow", viewer=name, as_of=as_of),
            oracle.follow_candidates(world.state, viewer, as_of),
        )
        for name, viewer, as_of in viewers(world)
    ]
    assert max(found) > oracle.FOLLOW_CUT, "none of them has to be cut"


def test_f3_affinity(world):
    """With the posts of those with whom the viewer's interactions lie too far back."""
    found = []
    for name, viewer, as_of in viewers(world):
        given = oracle.interactions(world.state, viewer, as_of)
        authors = {oracle.show_id(author) for author in given}
        rows = rows_of(world, "f3_affinity", viewer=name, as_of=as_of)
        expected = oracle.affinity_candidates(world.state, viewer, as_of, given)
        found.append(expect_posts([row for row in rows if row["author_id"] in authors], expected))
    assert max(found) > oracle.AFFINITY_CUT, "none of them has to be cut"


def test_interactions(world):
    most = 0
    for name, viewer, as_of in viewers(world):
        rows = rows_of(world, "interactions", viewer=name, as_of=as_of)
        given = {oracle.show_id(author): n for author, n in oracle.interactions(world.state, viewer, as_of).items() if n}
        assert {row["author_id"]: int(row["interaction_count"]) for row in rows} == given
        most = max(most, len(given))
    assert most > 1
    assert rows_of(world, "interactions", viewer=NIL, as_of=as_of) == []


@pytest.mark.parametrize("hours", [oracle.TRENDING_HOURS, HOT_HOURS])
def test_f2_trending(world, monkeypatch, hours):
    monkeypatch.setattr(oracle, "TRENDING_HOURS", hours)
    for graph in world.graphs:
        scored = oracle.trending_scores(world.state, graph.as_of)
        cut = oracle.TRENDING_CUT
        kept = [post for score, post in scored if len(scored) <= cut or score >= scored[cut - 1][0] - 1e-9]
        rows = rows_of(world, "f2_trending", as_of=graph.as_of, hours=hours)
        assert sorted(ids_of(rows)) == sorted(shown(kept)), f"graph {graph.seed}"


def test_posts_of_list(world):
    for graph in world.graphs:
        trending = oracle.trending_list(world.state, graph.as_of)
        posts = "[" + ",".join(f"'{oracle.show_id(post.id)}'" for post in trending) + "]"
        authors = "[" + ",".join(f"'{oracle.show_id(post.author)}'" for post in trending) + "]"
        expect_posts(rows_of(world, "posts_of_list", posts=posts, authors=authors), trending)


def test_active_viewers(world):
    most = 0
    for graph in world.graphs:
        rows = rows_of(world, "active_viewers", as_of=graph.as_of, limit=5)
        day = range(graph.as_of - oracle.DAY_MS + 1, graph.as_of + 1)
        done = Counter(user for user, _, _, at, _ in world.state.event_identities if at in day)
        expected = sorted(done, key=lambda user: (-done[user], user))[:5]
        assert [row["user_id"] for row in rows] == [oracle.show_id(user) for user in expected]
        most = max(most, len(expected))
    assert most == 5


def test_fallback(world):
    for name, viewer, as_of in viewers(world):
        newest = oracle.fallback_pool(world.state, viewer, as_of)[: 2 * oracle.FALLBACK_UNTIL]
        assert ids_of(rows_of(world, "fallback", viewer=name, as_of=as_of)) == shown(newest)


def test_following_goes_on_after_its_place(world):
    for name, viewer, as_of in viewers(world):
        expected = [item.post for item in oracle.following(world.state, viewer, as_of)]
        place, walked = (as_of + 1, NIL), []
        while True:
            params = {"viewer": name, "as_of": as_of, "after_ms": place[0], "after_id": place[1], "limit": 300}
            rows = rows_of(world, "following", **params)
            walked += ids_of(rows)
            if len(rows) < 300:
                break
            place = (rows[-1]["created_ms"], rows[-1]["post_id"])
        assert walked == shown(expected)


def test_hot_posts(world, monkeypatch):
    """Writes, so not by `sql`: as the job that keeps the list does."""
    monkeypatch.setattr(oracle, "TRENDING_HOURS", HOT_HOURS)
    statement = (STATEMENTS / "hot_posts.sql").read_text(encoding="utf-8")
    lengths = []
    with olap_of(world.server, WRITER) as writer:
        for graph in world.graphs:
            as_of = graph.as_of - 1  # the job itself may write for the instant at which the clock is held
            writer.ask(statement, param_as_of=as_of).expect(200)
            answer = writer.read(
                "SELECT post_id, score, likes, comments, shares, impressions FROM novafeed.hot_posts_1h"
                " WHERE as_of = fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') ORDER BY rank",
                param_as_of=as_of,
            )
            rows = [line.split("\t") for line in answer.splitlines()]
            expected = oracle.trending_scores(world.state, as_of)[: oracle.TRENDING_CUT]
            assert [row[0] for row in rows] == shown(post for _, post in expected), f"graph {graph.seed}"
            for row, (score, _) in zip(rows, expected):
                assert abs(float(row[1]) - score) < 1e-9
            lengths.append(len(rows))
    assert max(lengths) > 1
