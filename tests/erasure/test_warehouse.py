"""Erased: out of every file of the warehouse as well, while everything that counts stays counted."""

from __future__ import annotations

import random
import time

from erasure import network
from erasure.test_crashes import kill_within, send
from erasure.test_erasing import erase, purge, rows_of
from erasure.traces import traces
from harness import WRITER, Server, assert_problem, wait_until
from harness.olap import OlapClient, password_of
from olap.test_process import wait_up

ENGINE = {"warehouse.engine": "chdb", "warehouse.refresh_every": "50ms"}
SECONDS = 120
TABLES = "SELECT name FROM system.tables WHERE database = 'novafeed' AND engine LIKE '%MergeTree' ORDER BY name"
OF_THE_SINK = {"log_positions", "schema_migrations", "touched_posts", "touched_hours", "touched_users"}
COUNTERS = """
    SELECT post_id, uniqExactMerge(likes_added), uniqExactMerge(likes_removed), uniqExactMerge(comments_added),
        uniqExactMerge(comments_removed), uniqExactMerge(shares_seen), uniqExactMerge(impressions_seen),
        uniqExactMerge(views_seen)
    FROM novafeed.{table} GROUP BY {key} ORDER BY {key}"""
SUMS = {
    "posts": COUNTERS.format(table="post_totals", key="post_id"),
    "hours": COUNTERS.format(table="post_metrics_1h", key="post_id, metric_hour"),
    "integers": "SELECT post_id, is_live, is_deleted, likes, comments, shares, impressions, views"
                " FROM novafeed.post_counters FINAL ORDER BY post_id",
    "interactions": "SELECT day, uniqExactMerge(given), uniqExactMerge(taken_back) FROM novafeed.user_author_90d"
                    " GROUP BY day ORDER BY day",
    "pairs": "SELECT given, taken, count() FROM (SELECT uniqExactMerge(given) AS given, uniqExactMerge(taken_back) AS taken"
             " FROM novafeed.user_author_90d GROUP BY user_id, author_id, day) GROUP BY ALL ORDER BY ALL",
    "events": "SELECT identity, type, post_id, event_id FROM novafeed.events_raw FINAL ORDER BY identity",
}


def engine_of(server: Server) -> OlapClient:
    return OlapClient(wait_up(server)["url"], WRITER, password_of(server.data, WRITER))


def status_of(server: Server) -> dict:
    with server.admin() as admin:
        return admin.get("/admin/status").expect(200).json()


def wait_filled(server: Server) -> None:
    """Until the warehouse has applied the whole log, and lands nothing again."""

    def filled() -> bool:
        status = status_of(server)
        warehouse = status["warehouse"]
        return warehouse["state"] == "following" and status["log_end"] == warehouse["applied"] == warehouse["reading"]

    wait_until(filled, "the warehouse has the log", SECONDS, pause=0.05)


def sums(olap: OlapClient) -> dict[str, str]:
    return {name: olap.read(sql) for name, sql in SUMS.items()}


def contents(olap: OlapClient) -> dict[str, str]:
    """What the tables say, without what depends on how often something was merged, landed or refreshed."""
    said = {}
    for table in olap.read(TABLES).split():
        if table in OF_THE_SINK:
            continue
        engine = olap.read(f"SELECT engine FROM system.tables WHERE database = 'novafeed' AND name = '{table}'").strip()
        columns = olap.read(
            f"SELECT name FROM system.columns WHERE database = 'novafeed' AND table = '{table}' AND default_kind = ''"
            f" AND type NOT LIKE 'AggregateFunction%'"
            f" AND NOT (name = '_version' AND (table LIKE '%counters' OR table = 'user_follows'))").split()
        final = "" if engine == "MergeTree" else "FINAL"
        said[table] = olap.read(f"SELECT {', '.join(columns)} FROM novafeed.{table} {final} ORDER BY ALL")
    return said


def rows_that_name(olap: OlapClient, user: str) -> dict[str, int]:
    """By column, in every version of every row."""
    columns = olap.read(
        "SELECT table, name, type FROM system.columns WHERE database = 'novafeed' AND type LIKE '%UUID%' AND table IN"
        " (SELECT name FROM system.tables WHERE database = 'novafeed' AND engine LIKE '%MergeTree')")
    found = {}
    for table, column, kind in (line.split("\t") for line in columns.splitlines()):
        condition = f"has({column}, toUUID('{user}'))" if kind.startswith("Array") else f"{column} = '{user}'"
        count = int(olap.read(f"SELECT count() FROM novafeed.{table} WHERE {condition}"))
        if count:
            found[f"{table}.{column}"] = count
    return found


def rows_landed(server: Server) -> float:
    with server.admin() as admin:
        lines = admin.get("/metrics").expect(200).body.decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("novafeed_warehouse_rows_total"))


def land_all_again(server: Server) -> None:
    end = status_of(server)["log_end"]
    wanted = rows_landed(server) + end["changes"] + end["events"]
    with server.admin() as admin:
        admin.post("/admin/warehouse/rewind", {"changes": 0, "events": 0}).expect(200)
    wait_until(lambda: rows_landed(server) >= wanted, "the whole log has landed again", SECONDS, pause=0.05)
    wait_filled(server)


def land_something_broken(olap: OlapClient, user: str) -> None:
    olap.ask("INSERT INTO novafeed.events_kafka (raw) FORMAT LineAsString", f'{{"user_id":"{user}"}}\n'.encode()).expect(200)


def test_the_warehouse_forgets_an_erased_user_and_counts_on(directory, seed):
    now = time.time_ns() // 1_000_000
    data = network.make(directory, now, seed)
    ada = network.ada()
    with Server(data, test_clock=now, settings=ENGINE) as server:
        network.act_through_the_api(server)
        wait_filled(server)
        with engine_of(server) as olap:
            land_something_broken(olap, ada.id)
            named = rows_that_name(olap, ada.id)
            for column in ("users_cdc.id", "posts_cdc.user_id", "comments_cdc.user_id", "comments_cdc.post_author_id",
                           "likes_cdc.user_id", "likes_cdc.post_author_id", "follows_cdc.follower_id",
                           "follows_cdc.following_id", "follow_graph.follower_id", "follow_graph.following_id",
                           "events_raw.user_id", "events_raw.post_author_id", "post_totals.author_id",
                           "post_counters.author_id", "post_metrics_1h.author_id", "post_hour_counters.author_id",
                           "user_author_90d.user_id", "user_author_90d.author_id", "user_follows.user_id",
                           "user_follows.latest_followers", "user_follows.latest_following"):
                assert named.get(column), f"{column} does not name her: {named}"
            found = [line for line in traces(data, ada) if line.startswith("olap/")]
            for what in ("the engine's bytes of the id", "id as text", network.WORD, "ada-the-handle", "ada-external-id"):
                assert any(what in line for line in found), f"{what} is nowhere: {found}"

            erase(server, ada.id)
            wait_until(lambda: rows_of(data, ada.id) == 0, "the removal")
            wait_filled(server)
            before = sums(olap)
            assert purge(server)["users"] == 1
            assert traces(data, ada) == []
            assert rows_that_name(olap, ada.id) == {}
            assert sums(olap) == before
            assert "\t1\t" in before["posts"] and len(before["events"].splitlines()) > 100

            said = contents(olap)
            land_all_again(server)
            assert sums(olap) == before, "landed again"
            assert contents(olap) == said
            assert traces(data, ada) == []
            assert purge(server)["users"] == 0

        server.restart(kill=True)
        wait_filled(server)
        land_all_again(server)
        with engine_of(server) as olap:
            assert sums(olap) == before
            assert contents(olap) == said
        assert traces(data, ada) == []
        server.stop()
        assert traces(data, ada) == []


def test_kill_9_in_the_middle_of_a_purge_leaves_nothing_and_counts_on(directory, seed):
    rng = random.Random(seed)
    now = time.time_ns() // 1_000_000
    data = network.make(directory, now, seed, 150)
    ada = network.ada()
    with Server(data, test_clock=now, settings=ENGINE) as server:
        wait_filled(server)
        erase(server, ada.id)
        wait_until(lambda: rows_of(data, ada.id) == 0, "the removal")
        wait_filled(server)
        with engine_of(server) as olap:
            before = sums(olap)
        for _ in range(4):
            with server.admin() as admin:
                killer = kill_within(server, rng.uniform(0.05, 1.0))
                send(lambda: admin.post("/admin/purge", {}))
                killer.join()
            server.kill()
            server.start()
            wait_filled(server)
        purge(server)
        assert traces(data, ada) == []
        with engine_of(server) as olap:
            assert rows_that_name(olap, ada.id) == {}
            assert sums(olap) == before
        land_all_again(server)
        with engine_of(server) as olap:
            assert sums(olap) == before
        assert traces(data, ada) == []


def test_a_purge_is_put_off_while_the_warehouse_is_off_and_its_files_are_there(directory, seed):
    now = time.time_ns() // 1_000_000
    data = network.make(directory, now, seed, 50)
    ada = network.ada()
    with Server(data, test_clock=now, settings=ENGINE) as server:
        wait_filled(server)
    with Server(data, test_clock=now) as server:
        erase(server, ada.id)
        with server.admin() as admin:
            assert_problem(admin.post("/admin/purge", {}), 503, "warehouse_off")
    with Server(data, test_clock=now, settings=ENGINE) as server:
        wait_filled(server)
        assert purge(server)["users"] == 1
        assert traces(data, ada) == []
