"""Several `novafeed serve` on one cluster: what is written through one is read through the other, as if they were one."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path

import pytest

from differential import rankings
from harness import Cluster, Server, novafeed, scratch_directory, wait_until

VIEWERS = 200
DELETED_WITHIN = 1.0  # seconds, on every node


@pytest.fixture(name="nodes", scope="module")
def start_two_nodes(cluster: Cluster):
    with cluster.node() as one, cluster.node() as two:
        yield one, two


class Person:
    """Somebody who goes to whichever node they are sent to."""

    def __init__(self, nodes: tuple[Server, Server], name: str) -> None:
        self.name = f"{name}-{uuid.uuid4().hex[:8]}"
        self._nodes = nodes
        made = nodes[0].client(scope="service").post("/api/v1/users", {"handle": self.name, "name": name}).expect(201)
        self.id = made.json()["id"]
        self.position = made.headers["Novafeed-Position"]

    def on(self, node: int):
        return self._nodes[node].client(self.id)

    def note(self, answer) -> str:
        self.position = answer.headers["Novafeed-Position"]
        return self.position


def feed(person: Person, node: int, position: str) -> dict:
    return person.on(node).get(f"/api/v1/feed?limit=50&min_position={position}").expect(200).json()


def shown(page: dict) -> list[str]:
    return [item["post"]["id"] for item in page["items"]]


def test_sql_asks_the_engine_of_the_settings(cluster, nodes):
    config = cluster.data / "conf" / "serve.toml"
    assert novafeed("sql", "SELECT 1 AS one", "--config", config).stdout == "one\n1\n"
    unasked = novafeed("sql", "SELECT 1", "--data", nodes[0].data, check=False)
    assert unasked.returncode == 1 and "--config" in unasked.stderr, unasked
    away = novafeed("sql", "SELECT 1", "--config", config, "--set", "olap.url=http://127.0.0.1:1", check=False)
    assert away.returncode == 1 and "olap.url" in away.stderr, away


def test_what_a_command_leaves_in_a_folder_is_for_the_owner(cluster, nodes):
    with scratch_directory() as folder:
        novafeed("rank", "--user", "ext:nobody", "--config", cluster.data / "conf" / "serve.toml", "--data", folder)
        modes = {path.name: path.stat().st_mode & 0o777 for path in Path(folder).iterdir()}
    assert "journal.db" in modes and set(modes.values()) == {0o600}, modes


@pytest.fixture(name="nodes_alone")
def start_two_nodes_of_a_new_cluster(engines):
    with scratch_directory("novafeed-cluster-") as folder, Cluster(folder) as cluster:
        cluster.up()
        with cluster.node() as one, cluster.node() as two:
            yield one, two


def test_both_profiles_rank_the_same_input_the_same(nodes_alone):
    """The demo's network, imported into a cluster and into an embedded node, ranked as of one instant for everybody.

    A cluster of its own: in the other one something else is trending."""
    nodes = nodes_alone
    with scratch_directory() as scratch, Server(Path(scratch, "data")) as embedded:
        lines = Path(scratch, "demo.ndjson")
        novafeed("demo", "--users", VIEWERS, "--out", lines)
        for server in (embedded, nodes[0]):
            token = server.token(scope="admin")
            novafeed("import", lines, "--url", server.url, "--token", token)
        users = [row["id"] for row in map(json.loads, lines.read_text(encoding="utf-8").splitlines())
                 if row["type"] == "user"]
        people = [f"ext:{user}" for user in users]
        assert len(people) == VIEWERS
        as_of = time.time_ns() // 1_000_000
        expected = rankings.rank_by_binary(embedded.data, people, as_of, as_of)
        for node in nodes:
            await_caught_up(node)
            found = rankings.differences(expected, rankings.rank_by_binary(node.data, people, as_of, as_of))
            assert not found, found[:5]
        assert sum(len(ranking["items"]) for ranking in expected) > VIEWERS * 20, "there was something to rank"


def test_what_is_written_through_one_node_is_in_the_next_answer_of_the_other(nodes):
    ada, bob = Person(nodes, "ada"), Person(nodes, "bob")
    posted = bob.on(0).post("/api/v1/posts", {"text": "hello"}).expect(201)
    post, position = posted.json()["id"], bob.note(posted)
    followed = ada.on(0).put(f"/api/v1/users/{bob.id}/follow").expect(204)
    page = feed(ada, 1, f"{position}&min_position={ada.note(followed)}")
    assert page["degraded"] == [] and post in shown(page)
    liked = ada.on(1).put(f"/api/v1/posts/{post}/like").expect(204)
    page = feed(bob, 0, ada.note(liked))
    assert page["degraded"] == []
    again = ada.on(0).get(f"/api/v1/posts/{post}?min_position={ada.position}").expect(200)
    assert again.json()["likes"] == 1


def test_events_count_once_whichever_node_they_are_sent_to(nodes):
    ada, bob = Person(nodes, "ada"), Person(nodes, "bob")
    posted = bob.on(0).post("/api/v1/posts", {"text": "seen"}).expect(201)
    post, at = posted.json()["id"], time.time_ns() // 1_000_000
    event = {"event_id": str(uuid.uuid4()), "type": "impression", "post_id": post, "at": at}
    # The node that takes the event must know the post.
    feed(ada, 1, bob.note(posted))
    for node in (0, 1, 1, 0):
        sent = ada.on(node).post("/api/v1/events", {"events": [event]}).expect(202)
        assert sent.json()["rejected"] == 0, sent.json()
        ada.note(sent)
        for reader in (0, 1):
            found = ada.on(reader).get(f"/api/v1/posts/{post}?min_position={ada.position}").expect(200)
            assert "Novafeed-Degraded" not in found.headers and found.json()["impressions"] == 1


def test_a_deleted_post_is_gone_from_every_node_within_a_second(nodes):
    ada, bob = Person(nodes, "ada"), Person(nodes, "bob")
    ada.on(0).put(f"/api/v1/users/{bob.id}/follow").expect(204)
    took = []
    for _ in range(10):
        posted = bob.on(0).post("/api/v1/posts", {"text": "not for long"}).expect(201)
        post = posted.json()["id"]
        assert post in shown(feed(ada, 1, bob.note(posted)))
        bob.on(0).delete(f"/api/v1/posts/{post}").expect(204)
        deleted = time.monotonic()
        assert post not in shown(ada.on(0).get("/api/v1/feed?limit=50").expect(200).json()), "at once where it was deleted"
        wait_until(lambda: post not in shown(ada.on(1).get("/api/v1/feed?limit=50").expect(200).json()), "it is gone", 10)
        took.append(time.monotonic() - deleted)
    print(f"gone from the other node after {sorted(took)} s")
    assert max(took) <= DELETED_WITHIN, took


def test_one_cursor_is_walked_across_both_nodes(nodes):
    ada, bob = Person(nodes, "ada"), Person(nodes, "bob")
    ada.on(0).put(f"/api/v1/users/{bob.id}/follow").expect(204)
    for number in range(35):
        posted = bob.on(number % 2).post("/api/v1/posts", {"text": f"number {number}"}).expect(201)
        bob.note(posted)
    seen, cursor, node = [], "", 0
    while True:
        page = ada.on(node).get(f"/api/v1/feed?limit=10&min_position={bob.position}{cursor}").expect(200).json()
        assert page["degraded"] == []
        seen += shown(page)
        if page["next_cursor"] is None:
            break
        cursor, node = f"&cursor={page['next_cursor']}", 1 - node
    assert len(seen) == len(set(seen)) >= 35


def await_caught_up(node: Server) -> None:
    """Until its index is at the log's end, as its state of the pipeline says."""

    def is_caught_up() -> bool:
        state = node.client(scope="service").get("/api/v1/pipeline").expect(200).json()
        log, applied = state["log"], state["index"]["applied"]
        return applied["events"] >= log["events"] and applied["changes"] >= log["changes"]

    wait_until(is_caught_up, "the index is at the log's end", 60)
