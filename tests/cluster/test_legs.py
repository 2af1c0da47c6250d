"""A like's way to a follower's feed on another node, through PostgreSQL, Debezium and Kafka, in both engines."""

from __future__ import annotations

import importlib
import sys
import uuid

import pytest

from harness import Cluster
from harness.cli import CHECKOUT

LIKES = 20
LATEST_MS = 10_000  # a machine that does other things, too; ./bench cluster holds it to 2 s


@pytest.fixture(name="legs", scope="module")
def import_legs():
    """What ./bench measures with."""
    sys.path.append(str(CHECKOUT / "benchmarks"))
    yield importlib.import_module("legs")
    sys.path.remove(str(CHECKOUT / "benchmarks"))


@pytest.fixture(name="system", scope="module")
def start_two_nodes(cluster: Cluster, legs):
    addresses = cluster.addresses()
    with cluster.node() as one, cluster.node() as two:
        brokers = addresses["KAFKA_URL"].removeprefix("kafka://")
        yield legs.System(one, two, one.token(scope="service"), addresses["OLAP_URL"], brokers)


def make_followers(system) -> list[str]:
    """Twenty people who follow somebody with forty posts."""

    def join(name: str) -> str:
        handle = f"{name}-{uuid.uuid4().hex[:8]}"
        platform = system.write.client(scope="service")
        return platform.post("/api/v1/users", {"handle": handle, "name": name}).expect(201).json()["id"]

    author = join("author")
    for number in range(2 * LIKES):
        system.write.client(author).post("/api/v1/posts", {"text": f"post {number}"}).expect(201)
    followers = [join("follower") for _ in range(LIKES)]
    for follower in followers:
        followed = system.write.client(follower).put(f"/api/v1/users/{author}/follow").expect(204)
    page = system.read.client(followers[-1]).get("/api/v1/feed", min_position=followed.position).expect(200).json()
    assert page["degraded"] == []
    return followers


def test_likes_reach_feeds_of_both_engines_on_another_node(system, legs):
    likes = legs.follow_likes(system, make_followers(system), LIKES, 0.5)
    assert len(likes) == LIKES
    for name, middle, late, seen in legs.rows(likes):
        print(f"{name:<36} P50 {middle:7.0f} ms  P95 {late:7.0f} ms  {seen} likes")
        assert seen == LIKES, f"{name}: {LIKES - seen} likes were not seen"
    for engine in ("index", "warehouse", "cached"):
        assert max(legs.durations(likes, "sent", engine)) <= LATEST_MS
