"""The keys of the seed in the real Redis, as its own client sees them: who writes them, and for how long."""

from __future__ import annotations

import os
import re
import subprocess
import time
import uuid
from urllib.parse import urlsplit

import pytest

from harness import Cluster, Server, wait_until

HOT_POSTS_SECONDS = 120
SUGGESTIONS_SECONDS = 600
PAGE_SECONDS = 60
WARMED_PAGE_SECONDS = 150
POSTS = 35
QUICK_JOBS = {"hot_posts.refresh_every": "1s", "warmer.every": "1s", "suggestions.refresh_every": "1s"}
JOB_SECONDS = 60  # until a job has run, and the warehouse knows what it is to find

UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
LONGEST = {  # of every key that may be there
    "hot:posts:1h": HOT_POSTS_SECONDS,
    f"suggest:users:{UUID}": SUGGESTIONS_SECONDS,
    rf"feed:v1:{UUID}:\d+:\d+": WARMED_PAGE_SECONDS,
    f"follows:changed:{UUID}": SUGGESTIONS_SECONDS,
}


class Redis:
    """`redis-cli` of the cluster's cache."""

    def __init__(self, cluster: Cluster) -> None:
        url = urlsplit(cluster.addresses()["REDIS_URL"])
        self._command = ["redis-cli", "-h", url.hostname, "-p", str(url.port)]
        self._environment = {**os.environ, "REDISCLI_AUTH": url.password}

    def ask(self, *arguments: str) -> str:
        command = [*self._command, *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, check=True)
        return done.stdout.decode(errors="replace").strip()

    def keys(self) -> list[str]:
        return self.ask("--scan").splitlines()

    def ttl(self, key: str) -> int:
        """In seconds; -1 where it never ends, -2 where it is not there."""
        return int(self.ask("TTL", key))

    def await_ttl(self, key: str) -> int:
        return wait_until(lambda: (ttl := self.ttl(key)) != -2 and ttl, f"{key} is there", JOB_SECONDS, 0.1)


@pytest.fixture(name="redis", scope="module")
def connect(cluster: Cluster) -> Redis:
    return Redis(cluster)


@pytest.fixture(name="nodes", scope="module")
def start_nodes(cluster: Cluster):
    """The second one answers from the warehouse unless it is told otherwise."""
    with cluster.node(**QUICK_JOBS) as one, cluster.node(**QUICK_JOBS, serve__engine="warehouse") as two:
        yield one, two


class Network:
    """Somebody with posts, and others who follow them."""

    def __init__(self, node: Server) -> None:
        self._node = node
        self.author = self.join("author")
        for number in range(POSTS):
            node.client(self.author).post("/api/v1/posts", {"text": f"post {number}"}).expect(201)

    def join(self, name: str) -> str:
        handle = f"{name}-{uuid.uuid4().hex[:8]}"
        made = self._node.client(scope="service").post("/api/v1/users", {"handle": handle, "name": name}).expect(201)
        return made.json()["id"]

    def follower(self) -> tuple[str, str]:
        """A new one, and the position from which on they follow."""
        user = self.join("follower")
        return user, self._node.client(user).put(f"/api/v1/users/{self.author}/follow").expect(204).position


@pytest.fixture(name="network", scope="module")
def make_network(nodes) -> Network:
    return Network(nodes[0])


def look_around(node: Server, user: str, post: str) -> None:
    """More than anybody else did in this cluster: that is what makes an active viewer."""
    at = time.time_ns() // 1_000_000
    for _ in range(2):
        seen = [{"event_id": str(uuid.uuid4()), "type": "view", "post_id": post, "at": at} for _ in range(500)]
        sent = node.client(user).post("/api/v1/events", {"events": seen}).expect(202)
        assert sent.json()["rejected"] == 0, sent.json()


def page_from_warehouse(node: Server, user: str, limit: int, position: str) -> dict:
    """Once the warehouse has the position. What it answered until then is kept nowhere."""
    client = node.client(scope="service", acting_for=user)
    query = {"engine": "warehouse", "limit": limit, "min_position": position}

    def answer():
        page = client.get("/api/v1/feed", **query).expect(200).json()
        assert page["engine"] == "warehouse"
        return not page["degraded"] and page

    return wait_until(answer, "the warehouse has the position", JOB_SECONDS, 0.1)


def ids(page: dict) -> list[str]:
    return [item["post"]["id"] for item in page["items"]]


def test_the_job_writes_hot_posts_again_and_again(nodes, redis):
    assert 0 < redis.await_ttl("hot:posts:1h") <= HOT_POSTS_SECONDS
    redis.ask("DEL", "hot:posts:1h")
    assert HOT_POSTS_SECONDS - 20 <= redis.await_ttl("hot:posts:1h") <= HOT_POSTS_SECONDS
    assert redis.ask("TYPE", "hot:posts:1h") == "string" and int(redis.ask("STRLEN", "hot:posts:1h")) > 0


def test_the_jobs_write_suggestions_and_the_first_page_of_an_active_viewer(nodes, network, redis):
    viewer, position = network.follower()
    post = ids(page_from_warehouse(nodes[0], viewer, 5, position))[0]
    look_around(nodes[0], viewer, post)
    assert 0 < redis.await_ttl(f"suggest:users:{viewer}") <= SUGGESTIONS_SECONDS
    assert PAGE_SECONDS < redis.await_ttl(f"feed:v1:{viewer}:0:20") <= WARMED_PAGE_SECONDS
    page = nodes[1].client(viewer).get("/api/v1/feed", limit=20).expect(200).json()
    assert page["cached"] and page["engine"] == "warehouse" and len(page["items"]) == 20


def test_a_miss_writes_three_pages_for_a_minute_and_every_node_reads_them(nodes, network, redis):
    viewer, position = network.follower()
    assert not [key for key in redis.keys() if key.startswith(f"feed:v1:{viewer}")]
    made = page_from_warehouse(nodes[0], viewer, 10, position)
    assert not made["cached"] and len(made["items"]) == 10
    for offset in (0, 10, 20):
        assert 0 < redis.await_ttl(f"feed:v1:{viewer}:{offset}:10") <= PAGE_SECONDS
    for node in nodes:
        kept = page_from_warehouse(node, viewer, 10, position)
        assert kept["cached"] and ids(kept) == ids(made)
    served = ids(made)
    walk = kept
    while walk["next_cursor"] and len(served) < 30:
        client = nodes[1].client(scope="service", acting_for=viewer)
        walk = client.get("/api/v1/feed", engine="warehouse", limit=10, cursor=walk["next_cursor"]).expect(200).json()
        assert walk["cached"], "the second and the third page are kept, too"
        served += ids(walk)
    assert len(served) == len(set(served)) == 30


def test_a_miss_writes_suggestions(nodes, network, redis):
    viewer, position = network.follower()
    page_from_warehouse(nodes[1], viewer, 10, position)
    nodes[1].client(viewer).get("/api/v1/discover/suggested-users", limit=20).expect(200)
    assert 0 < redis.await_ttl(f"suggest:users:{viewer}") <= SUGGESTIONS_SECONDS


def test_a_page_that_redis_has_lost_is_made_again(nodes, network, redis):
    viewer, position = network.follower()
    made = page_from_warehouse(nodes[0], viewer, 10, position)
    redis.ask("FLUSHALL")
    again = page_from_warehouse(nodes[0], viewer, 10, position)
    assert not again["cached"] and ids(again) == ids(made)
    assert 0 < redis.await_ttl(f"feed:v1:{viewer}:0:10") <= PAGE_SECONDS


def test_nothing_else_is_kept_and_nothing_for_ever(nodes, network, redis):
    redis.await_ttl("hot:posts:1h")
    for key in redis.keys():
        longest = [seconds for name, seconds in LONGEST.items() if re.fullmatch(name, key)]
        assert longest, f"a key that nobody described: {key}"
        ttl = redis.ttl(key)
        assert ttl == -2 or 0 <= ttl <= longest[0], (key, ttl)
