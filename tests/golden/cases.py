"""What is done to the rows of a real cluster for the golden envelopes, and what must come of it on the topics."""

from __future__ import annotations

import json
from typing import NamedTuple

from golden.messages import GoldenMessage
from harness import Cluster

TABLES = ("users", "posts", "comments", "likes", "follows")


class Case(NamedTuple):
    name: str
    sql: str  # one statement is one transaction, unless it says BEGIN
    emits: tuple[str, ...]  # "c posts": operation and table, in the order of each table


def _id(kind: int, number: int) -> str:
    return f"'018f0000-0000-7000-{kind:x}000-{number:012x}'"


def user(number: int) -> str:
    return _id(8, number)


def post(number: int) -> str:
    return _id(9, number)


def comment(number: int) -> str:
    return _id(0xA, number)


def add_user(number: int, external: str = "NULL", at: str = "2026-11-20 10:00:00.123+00") -> str:
    return f"INSERT INTO users VALUES ({user(number)}, {external}, 'user{number}', 'User {number}', '{at}');"


def add_post(number: int, text: str, author: int = 1, external: str = "NULL", deleted: str = "NULL") -> str:
    at = f"2026-11-20 10:{number % 60:02}:00.001+00"
    return f"INSERT INTO posts VALUES ({post(number)}, {external}, {user(author)}, {text}, '{at}', {deleted});"


def add_comment(number: int, text: str = "'A comment.'", incarnation: int = 1, external: str = "NULL") -> str:
    return (f"INSERT INTO comments VALUES ({comment(number)}, {external}, {post(1)}, {user(2)}, {user(1)}, "
            f"'2026-11-20 10:01:00.001+00', {text}, '2026-11-20 11:00:00.120+00', {incarnation});")


def add_like(who: int, of: int, incarnation: int) -> str:
    return (f"INSERT INTO likes VALUES ({user(who)}, {post(of)}, {user(1)}, '2026-11-20 10:01:00.001+00', "
            f"'2026-11-20 12:00:00+00', {incarnation});")


def add_follow(who: int, whom: int, incarnation: int) -> str:
    return f"INSERT INTO follows VALUES ({user(who)}, {user(whom)}, '2026-11-20 13:00:00.999+00', {incarnation});"


LONG_TEXT = "(SELECT left(string_agg(md5(n::text), '' ORDER BY n), 10000) FROM generate_series(1, 400) n)"
# Every control character that PostgreSQL keeps, and what JSON, HTML and readers trip over.
STRANGE_TEXT = (
    "(SELECT string_agg(chr(n), '' ORDER BY n) FROM generate_series(1, 31) n)"
    r""" || U&'"quoted" ''single'' \\ / </script> \007f \0085 \00e4 \0416 \2028 \202e \feff \4f60 \+01f600'"""
)

# Before the connector's first start: they come as reads of its snapshot.
SNAPSHOT = Case(
    "snapshot",
    "\n".join([
        add_user(1), add_user(2, "'u-2'"),
        add_post(1, "'A post.'"), add_post(2, "''", deleted="'2026-11-21 00:00:00+00'"),
        add_post(3, LONG_TEXT, external="'p-3'"),
        add_comment(1, incarnation=1), add_like(2, 1, 2), add_follow(2, 1, 3),
    ]),
    ("r users", "r users", "r posts", "r posts", "r posts", "r comments", "r likes", "r follows"),
)

CASES = (
    Case("insert of a user", add_user(3), ("c users",)),
    Case("insert of a post", add_post(4, "'Another post.'", author=3, external="'p-4'"), ("c posts",)),
    Case("insert of a comment", add_comment(2, incarnation=4, external="'c-2'"), ("c comments",)),
    Case("insert of a like", add_like(3, 1, 5), ("c likes",)),
    Case("insert of a follow", add_follow(3, 1, 6), ("c follows",)),
    Case("update of a user", f"UPDATE users SET handle = 'ada', name = 'Ada' WHERE id = {user(3)};", ("u users",)),
    Case("update of a post", f"UPDATE posts SET text = 'Edited.' WHERE id = {post(4)};", ("u posts",)),
    Case("update of a comment", f"UPDATE comments SET text = 'Edited.' WHERE id = {comment(2)};", ("u comments",)),
    Case("update of a like", f"UPDATE likes SET incarnation = 7 WHERE user_id = {user(3)};", ("u likes",)),
    Case("update of a follow", f"UPDATE follows SET incarnation = 8 WHERE follower_id = {user(3)};", ("u follows",)),
    Case("soft delete of a post", "UPDATE posts SET text = '', deleted_at = '2026-11-21 01:02:03.456+00' "
         f"WHERE id = {post(4)};", ("u posts",)),
    Case("update that changes nothing", f"UPDATE posts SET text = text WHERE id = {post(1)};", ("u posts",)),
    Case("null becomes a value", f"UPDATE users SET external_id = 'u-1' WHERE id = {user(1)};", ("u users",)),
    Case("a value becomes null", f"UPDATE users SET external_id = NULL WHERE id = {user(1)};", ("u users",)),
    Case("insert of long text", add_post(5, LONG_TEXT), ("c posts",)),
    Case("update beside long text", f"UPDATE posts SET external_id = 'p-5' WHERE id = {post(5)};", ("u posts",)),
    Case("delete of long text", f"DELETE FROM posts WHERE id = {post(5)};", ("d posts",)),
    Case("strange text", add_comment(3, STRANGE_TEXT, incarnation=9), ("c comments",)),
    Case("first and last times", add_user(4, at="1970-01-01 00:00:00+00")
         + add_user(5, at="2099-12-31 23:59:59.999+00"), ("c users", "c users")),
    Case("greatest number", add_follow(4, 1, 2**63 - 1), ("c follows",)),
    Case("rolled back", f"BEGIN; {add_user(6)} ROLLBACK;", ()),
    Case("nothing to insert", add_like(3, 1, 10).replace(";", " ON CONFLICT DO NOTHING;"), ()),
    Case(
        "transaction of several rows",
        " ".join(["BEGIN;", add_user(7), add_post(6, "'In a transaction.'", author=7),
                  add_post(7, "'And another.'", author=7), add_like(2, 6, 11), add_follow(2, 7, 12),
                  f"UPDATE posts SET text = 'Edited.' WHERE id = {post(6)};",
                  f"DELETE FROM likes WHERE user_id = {user(2)} AND post_id = {post(6)};", "COMMIT;"]),
        ("c users", "c posts", "c posts", "c likes", "c follows", "u posts", "d likes"),
    ),
    Case("one statement, several rows", "UPDATE follows SET created_at = '2026-11-22 00:00:00+00' "
         f"WHERE follower_id IN ({user(2)}, {user(3)});", ("u follows", "u follows", "u follows")),
    Case("change of a key", f"UPDATE users SET id = {user(8)} WHERE id = {user(7)};", ("d users", "c users")),
    Case("change of half a key", f"UPDATE likes SET post_id = {post(3)} WHERE user_id = {user(3)};",
         ("d likes", "c likes")),
    Case("delete of a user", f"DELETE FROM users WHERE id = {user(8)};", ("d users",)),
    Case("delete of a comment", f"DELETE FROM comments WHERE id = {comment(2)};", ("d comments",)),
    Case("delete of a like", f"DELETE FROM likes WHERE user_id = {user(3)};", ("d likes",)),
    Case("delete of a follow", f"DELETE FROM follows WHERE follower_id = {user(3)};", ("d follows",)),
)


def write_snapshot_rows(cluster: Cluster) -> None:
    """Before the connector's first start."""
    cluster.sql(SNAPSHOT.sql)


def take(cluster: Cluster) -> list[GoldenMessage]:
    """Runs CASES where the tables hold the snapshot's rows and nothing else; returns what came, snapshot first."""
    for case in CASES:
        cluster.sql(case.sql)
    found = {table: _whole_topic(cluster, table) for table in TABLES}
    messages = []
    for case in (SNAPSHOT, *CASES):
        for emitted in case.emits:
            op, table = emitted.split()
            message = found[table].pop(0)
            assert json.loads(message.value)["op"] == op, f'"{case.name}" emits {emitted}, and not {message.value}'
            messages.append(GoldenMessage(case.name, f"cdc.{table}", *message))
    return messages


def _whole_topic(cluster: Cluster, table: str):
    expected = sum(emitted.endswith(f" {table}") for case in (SNAPSHOT, *CASES) for emitted in case.emits)
    messages = cluster.messages(f"cdc.{table}", expected)
    assert cluster.end_of(f"cdc.{table}") == expected, f"cdc.{table} holds more than CASES says"
    return messages
