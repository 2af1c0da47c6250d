"""What the real Debezium wrote (tests/golden/cdc.txt) lands in the warehouse, to the character, in any order."""

import json
import random

import pytest

from golden.messages import read_golden

SEED = random.SystemRandom().randrange(1 << 32)
TABLES = {
    "users": ["id", "external_id", "handle", "name", "created_at"],
    "posts": ["id", "external_id", "author_id", "text", "created_at", "deleted_at"],
    "comments": ["id", "external_id", "post_id", "user_id", "post_author_id", "post_created_at", "text", "created_at",
                 "incarnation"],
    "likes": ["user_id", "post_id", "post_author_id", "post_created_at", "created_at", "incarnation"],
    "follows": ["follower_id", "following_id", "created_at", "incarnation"],
}
RENAMED = {"author_id": "user_id"}  # in posts_cdc, by the seed


def rows_that_are_left(table):
    """The messages, folded."""
    rows = {}
    for message in read_golden():
        if message.topic == f"cdc.{table}":
            rows[message.key] = json.loads(message.value)["after"]
    return [row for row in rows.values() if row is not None]


def as_landed(row):
    """Times count milliseconds in the warehouse."""
    return {name: value[:-4] + "Z" if name.endswith("_at") and value else value for name, value in row.items()}


@pytest.mark.parametrize("table", TABLES)
def test_rows_land_as_they_were_written(warehouse, table):
    lines = [message.value.encode() for message in read_golden() if message.topic == f"cdc.{table}"]
    random.Random(SEED).shuffle(lines)
    body = b"\n".join(lines) + b"\n"
    warehouse.client().ask(f"INSERT INTO novafeed.{table}_kafka (raw) FORMAT LineAsString", body).expect(200)
    columns = ", ".join(f"{RENAMED.get(name, name) if table == 'posts' else name} AS {name}" for name in TABLES[table])
    answer = warehouse.client().read(
        f"SELECT {columns} FROM novafeed.{table}_cdc FINAL", default_format="JSONEachRow",
        date_time_output_format="iso", output_format_json_quote_64bit_integers=0,
    )
    found = [json.loads(line) for line in answer.strip().split("\n")]  # not splitlines: see read_golden
    wanted = [as_landed(row) for row in rows_that_are_left(table)]
    assert sorted(found, key=json.dumps) == sorted(wanted, key=json.dumps)
    assert warehouse.read("SELECT raw FROM novafeed.ingest_errors") == []
