"""Damages to plant in a warehouse and in an index, each as an operator's mistake or a bug would leave it."""

from __future__ import annotations

import struct
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness import OlapClient

SYNC = "SETTINGS mutations_sync = 2"


@dataclass(frozen=True)
class Planted:
    """What a check has to say of it: at least one example of this kind in this table that names the key."""

    table: str
    kind: str
    key: str  # part of the example's key
    detail: str = ""  # part of its detail


@dataclass(frozen=True)
class Damage:
    name: str
    plant: Callable[[OlapClient], Planted]

    def __str__(self) -> str:
        return self.name


def pick(olap: OlapClient, columns: str, source: str, salt: str) -> list[str]:
    """A row that must be there: for another salt most likely another one."""
    sql = f"SELECT {columns} FROM novafeed.{source} ORDER BY cityHash64({columns}, '{salt}') LIMIT 1 FORMAT TabSeparated"
    rows = olap.read(sql).splitlines()
    assert rows, sql
    return rows[0].split("\t")


def copy_row(olap: OlapClient, table: str, match: str, sets: str) -> None:
    """Inserts a row that is there once more, changed."""
    columns = "* REPLACE(" + sets + ")"
    olap.read(
        f"INSERT INTO novafeed.{table} SELECT {columns} FROM (SELECT * FROM novafeed.{table} FINAL WHERE {match} LIMIT 1)"
    )


def missing_row(table: str, *columns: str) -> Damage:
    def plant(olap: OlapClient) -> Planted:
        values = pick(olap, ", ".join(columns), f"{table} FINAL WHERE _deleted = 0", "missing")
        match = " AND ".join(f"{column} = '{value}'" for column, value in zip(columns, values))
        olap.read(f"ALTER TABLE novafeed.{table} DELETE WHERE {match} {SYNC}")
        return Planted(table, "missing", " ".join(f"{column}={value}" for column, value in zip(columns, values)))

    return Damage(f"a missing row of {table}", plant)


def extra_row(table: str, *columns: str) -> Damage:
    """A copy of a row, under a key that nobody has."""

    def plant(olap: OlapClient) -> Planted:
        (old,) = pick(olap, columns[0], f"{table} FINAL WHERE _deleted = 0", "extra")
        new = str(uuid.uuid4())
        sets = f"toUUID('{new}') AS {columns[0]}" + (", 1000000007 AS incarnation" if table == "likes_cdc" else "")
        copy_row(olap, table, f"{columns[0]} = '{old}' AND _deleted = 0", sets)
        return Planted(table, "extra", f"{columns[0]}={new}")

    return Damage(f"an extra row of {table}", plant)


def older_version_on_top(olap: OlapClient) -> Planted:
    (post,) = pick(olap, "id", "posts_cdc FINAL WHERE isNull(deleted_at)", "older")
    copy_row(olap, "posts_cdc", f"id = '{post}'", "'an older text' AS text")
    return Planted("posts_cdc", "different", f"id={post}")


def version_ahead_of_the_log(olap: OlapClient) -> Planted:
    (user,) = pick(olap, "id", "users_cdc FINAL WHERE _deleted = 0", "ahead")
    copy_row(olap, "users_cdc", f"id = '{user}'", "_version + 1000000000 AS _version")
    return Planted("users_cdc", "ahead", f"id={user}", "beyond the log's")


def ghost_after_a_delete(olap: OlapClient) -> Planted:
    user, post = pick(olap, "user_id, post_id", "likes_cdc WHERE _deleted = 1", "ghost")
    match = f"user_id = '{user}' AND post_id = '{post}'"
    columns = "user_id, post_id, post_author_id, post_created_at, created_at, incarnation, _version, _deleted"
    (row,) = olap.read(
        f"SELECT {columns} FROM novafeed.likes_cdc WHERE {match} ORDER BY _version DESC LIMIT 1 FORMAT Values"
    ).splitlines()
    olap.read(f"ALTER TABLE novafeed.likes_cdc DELETE WHERE {match} {SYNC}")
    olap.read(f"INSERT INTO novafeed.likes_cdc ({columns}) VALUES {row.removesuffix(',1)')},0)")
    return Planted("likes_cdc", "extra", f"user_id={user} post_id={post}")


def wrong_counter(olap: OlapClient) -> Planted:
    post, likes = pick(olap, "post_id, likes", "post_counters FINAL WHERE likes > 0", "counter")
    copy_row(olap, "post_counters", f"post_id = '{post}'", "likes + 1 AS likes")
    detail = f"likes {int(likes) + 1} instead of {likes}"
    return Planted("post_counters", "different", f"post_id={post}", detail)


def wrong_hour_counter(olap: OlapClient) -> Planted:
    (post,) = pick(olap, "post_id", "post_hour_counters FINAL WHERE shares > 0", "hour counter")
    copy_row(olap, "post_hour_counters", f"post_id = '{post}' AND shares > 0", "shares + 2 AS shares")
    return Planted("post_hour_counters", "different", f"post_id={post}", "shares")


def lost_hour_of_a_set(olap: OlapClient) -> Planted:
    hours = "post_hour_counters FINAL WHERE likes > 0"
    post, hour = pick(olap, "post_id, toUnixTimestamp(metric_hour)", hours, "lost hour")
    olap.read(
        f"ALTER TABLE novafeed.post_metrics_1h DELETE WHERE post_id = '{post}' "
        f"AND toUnixTimestamp(metric_hour) = {hour} {SYNC}"
    )
    return Planted("post_metrics_1h", "missing", f"post_id={post}", "likes 0 instead of")


def lost_event(olap: OlapClient) -> Planted:
    (event,) = pick(olap, "event_id", "events_raw FINAL WHERE type = 'share'", "lost event")
    olap.read(f"ALTER TABLE novafeed.events_raw DELETE WHERE event_id = '{event}' {SYNC}")
    return Planted("events_raw", "missing", f"event_id={event}")


def doubled_aggregate(olap: OlapClient) -> Planted:
    (post,) = pick(olap, "post_id", "post_counters FINAL WHERE impressions > 0", "doubled")
    olap.read(
        "INSERT INTO novafeed.post_totals (author_id, created_at, post_id, impressions_seen) "
        "SELECT author_id, created_at, post_id, "
        "arrayReduce('uniqExactState', arrayMap(i -> toUInt64(1000000 + i), range(toUInt64(impressions)))) "
        f"FROM novafeed.post_counters FINAL WHERE post_id = '{post}'"
    )
    return Planted("post_totals", "different", f"post_id={post}", "impressions")


def doubled_interactions(olap: OlapClient) -> Planted:
    user, author, day = pick(olap, "user_id, author_id, day", "user_author_90d", "doubled")
    olap.read(
        "INSERT INTO novafeed.user_author_90d (user_id, author_id, day, given) "
        f"SELECT '{user}', '{author}', '{day}', arrayReduce('uniqExactState', [toUInt64(7), 8])"
    )
    return Planted("user_author_90d", "different", f"user_id={user} author_id={author} day={day}")


def lost_follower(olap: OlapClient) -> Planted:
    follower, followee = pick(olap, "follower_id, following_id", "follows_cdc FINAL WHERE _deleted = 0", "lost")
    match = f"follower_id = '{follower}' AND following_id = '{followee}'"
    olap.read(f"ALTER TABLE novafeed.follow_graph DELETE WHERE {match} {SYNC}")
    return Planted("follow_graph", "missing", f"following_id={followee} follower_id={follower}")


def undamaged_follows(counted: str, by: str) -> str:
    """Of whom no row of follows_cdc was planted: two damages in one place could undo each other."""
    rows = f"SELECT {by}, toInt64(count()) FROM novafeed.follows_cdc FINAL WHERE _deleted = 0 GROUP BY {by}"
    return f"user_follows FINAL WHERE {counted} > 1 AND (user_id, toInt64({counted})) IN ({rows})"


def wrong_follower_count(olap: OlapClient) -> Planted:
    user, followers = pick(olap, "user_id, followers", undamaged_follows("followers", "following_id"), "follower count")
    copy_row(olap, "user_follows", f"user_id = '{user}'", "followers + 1 AS followers")
    return Planted("user_follows", "different", f"user_id={user}", f"followers {int(followers) + 1} instead of {followers}")


def lost_latest_followee(olap: OlapClient) -> Planted:
    (user,) = pick(olap, "user_id", undamaged_follows("following", "follower_id"), "latest followee")
    copy_row(olap, "user_follows", f"user_id = '{user}'", "arrayPopBack(latest_following) AS latest_following")
    return Planted("user_follows", "different", f"user_id={user}", "latest_following")


ROWS = [
    missing_row("users_cdc", "id"),
    missing_row("posts_cdc", "id"),
    missing_row("comments_cdc", "id"),
    missing_row("likes_cdc", "user_id", "post_id"),
    missing_row("follows_cdc", "follower_id", "following_id"),
    extra_row("users_cdc", "id"),
    extra_row("posts_cdc", "id"),
    extra_row("likes_cdc", "user_id", "post_id"),
    extra_row("follows_cdc", "follower_id", "following_id"),
    Damage("an older version on top", older_version_on_top),
    Damage("a version ahead of the log", version_ahead_of_the_log),
    Damage("a ghost after a delete", ghost_after_a_delete),
    Damage("a wrong counter", wrong_counter),
    Damage("a wrong counter of an hour", wrong_hour_counter),
    Damage("a lost hour of a set", lost_hour_of_a_set),
    Damage("a lost event", lost_event),
    Damage("a doubled aggregate", doubled_aggregate),
    Damage("doubled interactions", doubled_interactions),
    Damage("a lost follower", lost_follower),
    Damage("a wrong number of followers", wrong_follower_count),
    Damage("a lost latest followee", lost_latest_followee),
]


@dataclass(frozen=True)
class Drift:
    name: str
    sql: str
    object: str
    kind: str
    detail: str

    def __str__(self) -> str:
        return self.name


DRIFTS = [
    Drift(
        "a TTL that was changed",
        "ALTER TABLE novafeed.post_metrics_1h MODIFY TTL metric_hour + INTERVAL 60 DAY",
        "post_metrics_1h",
        "different",
        "TTL: metric_hour + toIntervalDay(60) instead of metric_hour + toIntervalDay(30)",
    ),
    Drift("a view that was dropped", "DROP VIEW novafeed.mv_follow_graph SYNC", "mv_follow_graph", "missing", "View"),
    Drift(
        "a column that was dropped",
        "ALTER TABLE novafeed.comments_cdc DROP COLUMN external_id",
        "comments_cdc",
        "different",
        "columns",
    ),
    Drift("a table that was dropped", "DROP TABLE novafeed.follow_graph SYNC", "follow_graph", "missing", "Replacing"),
    Drift(
        "a table of another engine",
        "DROP TABLE novafeed.post_counters SYNC; CREATE TABLE novafeed.post_counters (author_id UUID, created_at "
        "DateTime64(3, 'UTC'), post_id UUID, is_live UInt8, is_deleted UInt8, likes Int64, comments Int64, shares Int64, "
        "impressions Int64, views Int64, _version UInt64) ENGINE = MergeTree ORDER BY (author_id, created_at, post_id)",
        "post_counters",
        "different",
        "engine: MergeTree instead of ReplacingMergeTree(_version)",
    ),
]


def like_too_many_in_snapshot(path: Path, post: str, created_at_ms: int) -> None:
    """One like more than there is, in a snapshot file that is whole in all else (src/index/snapshot.cpp)."""
    content = bytearray(path.read_bytes()[:-8])
    slot = content.index(uuid.UUID(post).bytes + struct.pack("<q", created_at_ms))
    likes = slot + 16 + 8 + 4 + 1 + 1  # after id, time, author, known, deleted
    (count,) = struct.unpack_from("<I", content, likes)
    struct.pack_into("<I", content, likes, count + 1)
    path.write_bytes(bytes(content) + struct.pack("<Q", zlib.crc32(content)))
