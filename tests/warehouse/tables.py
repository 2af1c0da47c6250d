"""The warehouse behind a running serve: waiting for it, and what its tables hold once everything is merged."""

from __future__ import annotations

import json
import re
from pathlib import Path

from harness import Server, wait_until
from harness.olap import WRITER, OlapClient, password_of

ROOT = Path(__file__).resolve().parents[2]
# The job of hot posts, which writes by itself, runs seldom.
ON = {"warehouse.engine": "chdb", "warehouse.refresh_every": "20ms", "hot_posts.refresh_every": "100s"}

_SETS = ("likes_added", "likes_removed", "comments_added", "comments_removed", "shares_seen", "impressions_seen",
         "views_seen")
_SIZES = ", ".join(f"uniqExactMerge({name})" for name in _SETS)

# What each table says once it is merged, whatever its parts are, without numbers of the sink's own. A snapshot of the
# state raises versions of rows (Debezium's does the same) and changes nothing else.
_CONTENTS = {
    "users_cdc": "SELECT * EXCEPT (_version) FROM {table} FINAL",
    "posts_cdc": "SELECT * EXCEPT (_version) FROM {table} FINAL",
    "comments_cdc": "SELECT * EXCEPT (_version) FROM {table} FINAL",
    "likes_cdc": "SELECT * EXCEPT (_version) FROM {table} FINAL",
    "follows_cdc": "SELECT * EXCEPT (_version) FROM {table} FINAL",
    "follow_graph": "SELECT * EXCEPT (_version) FROM {table} FINAL",
    "events_raw": "SELECT * FROM {table} FINAL",
    "post_totals": "SELECT author_id, created_at, post_id, max(is_known), max(totals.is_deleted), " + _SIZES
    + " FROM {table} AS totals GROUP BY author_id, created_at, post_id",
    "post_metrics_1h": "SELECT post_id, metric_hour, any(author_id), any(post_created_at), " + _SIZES
    + " FROM {table} GROUP BY post_id, metric_hour",
    "user_author_90d": "SELECT user_id, author_id, day, uniqExactMerge(given), uniqExactMerge(taken_back)"
    " FROM {table} GROUP BY user_id, author_id, day",
    "post_counters": "SELECT * EXCEPT (_version) FROM {table} FINAL",
    "post_hour_counters": "SELECT * EXCEPT (_version) FROM {table} FINAL",
    "user_follows": "SELECT * EXCEPT (_version) FROM {table} FINAL",
    "touched_posts": "SELECT * FROM {table}",
    "touched_users": "SELECT * FROM {table}",
    "touched_hours": "SELECT * FROM {table}",
    "hot_posts_1h": "SELECT * FROM {table}",
    "ingest_errors": "SELECT topic, reason, raw FROM {table}",
    "schema_migrations": "SELECT * FROM {table} FINAL",
    "log_positions": "SELECT stream, partition, generation, point FROM {table} FINAL",
}


def schema_text() -> str:
    scripts = sorted((ROOT / "schema" / "clickhouse").glob("*.sql"))
    return "\n".join(script.read_text(encoding="utf-8") for script in scripts)


def statement(name: str) -> str:
    return (ROOT / "src" / "warehouse" / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def tables_with_storage() -> set[str]:
    """Of the schema: what keeps rows on disk."""
    made = re.findall(r"CREATE TABLE IF NOT EXISTS novafeed\.(\w+)\s*\((?:.|\n)*?\)\s*ENGINE = (\w+)", schema_text())
    return {name for name, engine in made if engine not in ("Null", "Memory")}


class Warehouse:
    """A client of the engine that a server has started. Not thread-safe."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._client: OlapClient | None = None
        self._url = ""

    def client(self) -> OlapClient:
        """A new one where the engine has started again."""
        url = self._info()["url"]
        if self._client is None or url != self._url:
            self._client = OlapClient(url, WRITER, password_of(self.server.data, WRITER))
            self._url = url
        return self._client

    def pid(self) -> int:
        """Of the engine that runs. What a dead one has left says nothing: its number may be another process's by now."""

        def running():
            pid = self._info()["pid"]
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                return None
            return pid if b"olap" in command and str(self.server.data).encode() in command else None

        return wait_until(running, "an engine that runs")

    def read(self, sql: str, **params: object) -> list[list[str]]:
        answer = self.client().read(sql, default_format="TabSeparated", **params)
        return [line.split("\t") for line in answer.splitlines()]

    def contents(self) -> dict[str, list[list[str]]]:
        assert set(_CONTENTS) == tables_with_storage(), "a table of the schema is not compared"
        return {
            table: sorted(self.read(sql.format(table=f"novafeed.{table}"))) for table, sql in _CONTENTS.items()
        }

    def status(self) -> dict:
        with self.server.admin() as admin:
            return admin.get("/admin/status").expect(200).json()

    def wait_applied(self, seconds: float = 60) -> dict:
        """Until the warehouse has applied the whole log, and lands nothing any more."""

        def applied():
            status = self.status()
            warehouse = status["warehouse"]
            if warehouse["state"] == "following" and warehouse["applied"] == warehouse["reading"] == status["log_end"]:
                return status["warehouse"]
            return None

        return wait_until(applied, "the warehouse has applied the log", seconds)

    def rewind(self, **what: object) -> None:
        with self.server.admin() as admin:
            admin.post("/admin/warehouse/rewind", what).expect(200)
        self.wait_applied()

    def rows_landed(self) -> int:
        return sum(int(value) for value in self.metric("novafeed_warehouse_rows_total"))

    def metric(self, name: str) -> list[float]:
        with self.server.admin() as admin:
            text = admin.get("/metrics").expect(200).body.decode()
        return [float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if re.match(rf"{name}[{{ ]", line)]

    def _info(self) -> dict:
        path = self.server.data / "olap" / "serve.json"

        def info():
            try:
                return json.loads(path.read_text(encoding="utf-8"))
            except (FileNotFoundError, json.JSONDecodeError):
                return None

        return wait_until(info, "the engine has said where it is")


def as_counters(rows: list[list[str]]) -> dict[str, tuple]:
    """Of `SELECT post_id, n, ...`."""
    return {row[0]: tuple(map(int, row[1:])) for row in rows}


def check_counts(warehouse: Warehouse, world) -> None:
    """The warehouse counts what the world was told was done, by all ways that there are to it."""
    counters = "SELECT post_id, is_live, is_deleted, likes, comments, shares, impressions, views"
    assert as_counters(warehouse.read(f"{counters} FROM novafeed.post_counters FINAL")) == world.counters()

    hours = warehouse.read(
        "SELECT post_id, toUnixTimestamp(metric_hour), likes, comments, shares, impressions, views"
        " FROM novafeed.post_hour_counters FINAL WHERE likes + comments + shares + impressions + views > 0"
    )
    assert {(row[0], int(row[1])): tuple(map(int, row[2:])) for row in hours} == world.hours()

    given = warehouse.read(
        "SELECT user_id, author_id, uniqExactMerge(given) - uniqExactMerge(taken_back) AS interactions"
        " FROM novafeed.user_author_90d GROUP BY user_id, author_id HAVING interactions != 0"
    )
    assert {(row[0], row[1]): int(row[2]) for row in given} == world.interactions()

    follows = warehouse.read("SELECT follower_id, following_id FROM novafeed.follow_graph FINAL")
    assert {tuple(row) for row in follows} == world.follows
    live = warehouse.read("SELECT id FROM novafeed.posts_cdc FINAL WHERE deleted_at IS NULL")
    assert {row[0] for row in live} == set(world.posts) - world.deleted
