"""The five queries of the document that the product was asked for in run as written there, with `final=1`."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from harness import READER, olap_of
from oracle import oracle

QUERIES = Path(__file__).parent / "seed_queries"


@pytest.fixture(name="ask")
def make_ask(world):
    """ask(query, as_of, viewer) -> rows, in the database `novafeed` as the seed's clients are."""
    with olap_of(world.server, READER) as reader:

        def ask(query: str, as_of: int, viewer: bytes = bytes(16)) -> list[list[str]]:
            statement = (QUERIES / f"{query}.sql").read_text(encoding="utf-8")
            params = {"param_user_id": oracle.show_id(viewer), "param_now": as_of // 1000}
            answer = reader.read(statement, database="novafeed", final=1, **params)
            return [line.split("\t") for line in answer.splitlines()]

        yield ask


def descends(values: list[float]) -> bool:
    return values == sorted(values, reverse=True)


def test_f1(world, ask):
    viewer, as_of = oracle.api_id("user", world.large.viewers[0]), world.large.as_of
    rows = ask("f1_follow", as_of, viewer)
    assert len(rows) == oracle.FOLLOW_CUT
    followed = {oracle.show_id(author) for author in world.state.following[viewer]}
    assert {row[1] for row in rows} <= followed
    posts = {oracle.show_id(post.id): post for post in world.state.posts.values()}
    assert all(posts[row[0]].created_at > as_of - as_of % 1000 - oracle.FOLLOW_WINDOW_MS for row in rows)
    assert descends([float(row[6]) for row in rows])


def test_f2(world, ask):
    rows = ask("f2_trending", world.large.as_of)
    assert len(rows) == oracle.TRENDING_CUT
    assert descends([float(row[2]) for row in rows])
    posts = {oracle.show_id(post.id): post for post in world.state.posts.values()}
    assert all(int(row[1]) <= len(posts[row[0]].likes) for row in rows)


def test_f3(world, ask):
    viewer = oracle.api_id("user", world.large.viewers[0])
    rows = ask("f3_affinity", world.large.as_of, viewer)
    assert len(rows) == oracle.AFFINITY_CUT
    authors = {post.author for post, _ in world.state.shared_by[viewer]}
    authors |= {post.author for post in world.state.liked_by.get(viewer, ())}
    posts = {oracle.show_id(post.id): post for post in world.state.posts.values()}
    assert {posts[row[0]].author for row in rows} <= authors
    assert all(int(row[1]) >= 1 for row in rows)


def test_hot_posts(world, ask):
    rows = ask("hot_posts", world.large.as_of)
    assert rows
    for _, _, likes, comments, shares, score in rows:
        assert float(score) <= 0.4 * math.log1p(int(likes) + 2 * int(comments) + 3 * int(shares)) + 0.3 + 1e-9
    assert descends([float(row[5]) for row in rows])


def test_suggested_users(world, ask):
    viewer = oracle.api_id("user", world.large.viewers[0])
    rows = ask("suggested_users", world.large.as_of, viewer)
    assert 0 < len(rows) <= 20
    followed = {oracle.show_id(author) for author in world.state.following[viewer]}
    assert not followed & {row[0] for row in rows}
    assert descends([float(row[2]) for row in rows])
    assert all(int(row[1]) >= 1 for row in rows)
