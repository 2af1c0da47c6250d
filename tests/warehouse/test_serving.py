"""Feeds from the warehouse beside a server, without one, and when its engine does not answer."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from differential import rankings
from graphs import generate
from harness import WITH_WAREHOUSE, Server, assert_problem, novafeed, post_id, scratch_directory, user_id, wait_until
from harness.warehouse import await_filled
from oracle import oracle
from warehouse.test_feed_cache import await_runs, metric

SOON = {**WITH_WAREHOUSE, "warehouse.source_deadline": "1s", "warehouse.trending_deadline": "1s"}


@pytest.fixture(name="served")
def serve_from_warehouse():
    with Server(settings={**SOON, "serve.engine": "warehouse"}) as server:
        yield server


def write_post(server: Server) -> str:
    """A post of ada's, whom bob follows; the position of the last write."""
    with server.client(scope="service") as client:
        for user in ("ada", "bob"):
            client.post("/api/v1/users", {"id": f"ext:{user}", "handle": user, "name": user}).expect(201)
        followed = client.request(
            "PUT", f"/api/v1/users/{user_id('ada')}/follow", headers={"Novafeed-User": user_id("bob")}
        ).expect(204)
        posted = client.request(
            "POST",
            "/api/v1/posts",
            body={"id": "ext:hello", "text": "hello"},
            headers={"Novafeed-User": user_id("ada"), "Novafeed-Position": followed.position},
        ).expect(201)
    return posted.position


def feed_with(client, position: str) -> dict:
    """Bob's feed once the warehouse has reached the position."""

    def reached():
        got = client.get(f"/api/v1/feed?min_position={position}")
        return got.status == 200 and not got.json()["degraded"] and got.json()

    return wait_until(reached, "the warehouse answers with what was written", 60)


def test_feeds_come_from_the_engine_that_is_configured(served):
    position = write_post(served)
    with served.client(user_id("bob")) as bob:
        page = feed_with(bob, position)
        assert (page["engine"], page["cached"]) == ("warehouse", False)
        assert [(item["post"]["id"], item["source"]) for item in page["items"]] == [(post_id("hello"), "follow")]
        assert page["items"][0]["post"]["text"] == "hello"
        assert abs(served.now() - page["counters_as_of"]) < 5000

        liked = bob.request("PUT", f"/api/v1/posts/{post_id('hello')}/like").expect(204)
        assert feed_with(bob, liked.position)["items"][0]["post"]["likes"] == 1

        # Gone from the next answer, though the warehouse has yet to hear of it.
        with served.client(user_id("ada")) as ada:
            ada.request("DELETE", f"/api/v1/posts/{post_id('hello')}").expect(204)
        assert bob.get("/api/v1/feed").expect(200).json()["items"] == []


def test_the_pipeline_tells_how_far_the_warehouse_is_and_what_it_holds(served):
    feed = write_post(served)
    with served.client(user_id("bob")) as bob, served.client(scope="service") as service:
        feed_with(bob, feed)

        def held() -> dict | None:
            told = service.get("/api/v1/pipeline").expect(200).json()
            assert told["warehouse"]["state"] in {"following", "catching_up"}
            rows = {one["table"]: one["rows"] for one in told["warehouse"]["tables"] or ()}
            return told if told["warehouse"]["applied"] == told["log"] and rows.get("posts_cdc") == 1 else None

        told = wait_until(held, "the row is counted", 60)
        assert 0 <= told["warehouse"]["lag_seconds"] < 60
        engine = json.loads(Path(served.data, "olap", "serve.json").read_text(encoding="utf-8"))["pid"]
        os.kill(engine, signal.SIGSTOP)
        try:

            def unknown() -> bool:
                return service.get("/api/v1/pipeline").expect(200).json()["warehouse"]["tables"] is None

            wait_until(unknown, "an engine that does not answer is told", 30)
        finally:
            os.kill(engine, signal.SIGCONT)
        wait_until(held, "it answers again", 60)


def test_the_hours_list_from_the_warehouse_explains_itself_as_the_days_from_the_index_does():
    with Server(settings={**WITH_WAREHOUSE, "hot_posts.refresh_every": "1s"}) as server:
        write_post(server)
        with server.client(user_id("bob")) as bob:
            bob.request("PUT", f"/api/v1/posts/{post_id('hello')}/like").expect(204)
            seen = {"event_id": "ext:e", "type": "impression", "post_id": post_id("hello"), "at": server.now()}
            bob.post("/api/v1/events", {"events": [seen]}).expect(202)
            await_filled(server)
            def explained(window: str) -> dict | None:
                items = bob.get(f"/api/v1/trending?window={window}&explain=1").expect(200).json()["items"]
                return items[0]["explain"]["engagement"] if items else None

            of_day = explained("24h")
            assert (of_day["likes"], of_day["impressions"]) == (1, 1)
            await_runs(server, "hot_posts")
            assert metric(server, "novafeed_hot_posts_fallbacks_total") == 0, "the warehouse makes the list"
            assert explained("1h") == of_day


def test_an_engine_that_does_not_answer_is_said_and_costs_the_index_nothing(served):
    position = write_post(served)
    with served.client(user_id("bob")) as bob, served.client(scope="service", acting_for=user_id("bob")) as service:
        feed_with(bob, position)
        engine = json.loads(Path(served.data, "olap", "serve.json").read_text(encoding="utf-8"))["pid"]
        os.kill(engine, signal.SIGSTOP)
        try:
            assert_problem(bob.get("/api/v1/feed"), 503, "warehouse_unavailable")
            assert_problem(bob.get("/api/v1/feed?mode=following"), 503, "warehouse_unavailable")
            page = service.get("/api/v1/feed?engine=index").expect(200).json()
            assert (page["engine"], page["degraded"], len(page["items"])) == ("index", [], 1)
        finally:
            os.kill(engine, signal.SIGCONT)
        assert len(feed_with(bob, position)["items"]) == 1
    with served.admin() as admin:
        metrics = admin.get("/metrics").expect(200).body.decode()
    assert 'novafeed_source_failures_total{source="follow"} 1' in metrics


def test_without_a_warehouse_it_cannot_be_asked_for():
    with Server() as server, server.client(scope="service", acting_for=user_id("bob")) as service:
        assert_problem(service.get("/api/v1/feed?engine=warehouse"), 400, "bad_engine")
    refused = novafeed("serve", "--data", server.data, "--set", "serve.engine=warehouse", "--set",
                       "warehouse.engine=off", check=False)  # fmt: skip
    assert refused.returncode != 0 and "warehouse.engine" in refused.stderr


def test_rank_fills_the_warehouse_of_a_stopped_directory():
    graph = generate.generate(3)
    with scratch_directory() as scratch:
        file, data = Path(scratch, "graph.ndjson"), Path(scratch, "data")
        graph.write(file)
        assert not rankings.import_files(data, [file], graph.state().outcomes["bad"])
        users = graph.viewers[:4]
        by_index, by_warehouse = (
            rankings.rank_by_binary(data, users, graph.as_of, graph.as_of, engine, ("--set", "olap.ttl=false"))
            for engine in ("index", "warehouse")
        )
        assert not rankings.differences(by_index, by_warehouse)
        assert not rankings.differences(
            rankings.rank_by_oracle(graph.state(), users, graph.as_of, graph.as_of), by_warehouse
        )
        assert oracle.PROFILE == by_warehouse[0]["profile"]
        dropped = novafeed("rank", "--data", data, "--user", users[0], "--engine", "warehouse", "--as-of", graph.as_of,
                           check=False)  # fmt: skip
        assert dropped.returncode != 0 and "olap.ttl" in dropped.stderr, "what TTLs may have dropped is not ranked"
        off = novafeed("rank", "--data", data, "--user", users[0], "--engine", "warehouse", "--set",
                       "warehouse.engine=off", check=False)  # fmt: skip
        assert off.returncode != 0 and "warehouse.engine" in off.stderr
