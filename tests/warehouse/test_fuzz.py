"""Broken and random messages to every view: nothing throws, nothing blocks, good rows beside them land, and the bad ones
are in the table of errors."""

import json
import random
from collections import Counter

import pytest

from warehouse.world import NOON

SEED = random.SystemRandom().randrange(1 << 32)
ROUNDS = 15
A, B = "018f0000-0000-7000-8000-{:012x}", "018f0000-0000-7000-9000-{:012x}"
TIME = "2026-11-22T11:00:00.123456Z"
EARLIER = "2026-11-21T10:00:00.000000Z"


def envelope(row, lsn=7, op="c"):
    before, after = (row, None) if op == "d" else (None, row)
    return {"before": before, "after": after, "source": {"lsn": lsn, "table": "x"}, "op": op, "ts_ms": NOON}


def user(number):
    return envelope(
        {"id": A.format(number), "external_id": None, "handle": f"h{number}", "name": "N", "created_at": TIME}
    )


def post(number):
    return envelope({
        "id": B.format(number), "external_id": "e", "author_id": A.format(1), "text": "t", "created_at": TIME,
        "deleted_at": None,
    })


def comment(number):
    return envelope({
        "id": A.format(number), "external_id": None, "post_id": B.format(1), "user_id": A.format(2),
        "post_author_id": A.format(1), "post_created_at": EARLIER, "text": "c", "created_at": TIME,
        "incarnation": number,
    })


def like(number):
    return envelope({
        "user_id": A.format(number), "post_id": B.format(1), "post_author_id": A.format(1),
        "post_created_at": EARLIER, "created_at": TIME, "incarnation": number,
    })


def follow(number):
    return envelope(
        {"follower_id": A.format(number), "following_id": A.format(1), "created_at": TIME, "incarnation": number}
    )


def event(number):
    return {
        "event_id": A.format(number), "type": "share", "user_id": A.format(2), "post_id": B.format(1), "at": NOON,
        "post_author_id": A.format(1), "post_created_at": NOON - 5, "received_at": NOON,
    }


# Landing table: its topic, how a good message is made, where it goes, and by which column it is found there.
STREAMS = {
    "users": ("cdc.users", user, "users_cdc", "id", A),
    "posts": ("cdc.posts", post, "posts_cdc", "id", B),
    "comments": ("cdc.comments", comment, "comments_cdc", "id", A),
    "likes": ("cdc.likes", like, "likes_cdc", "user_id", A),
    "follows": ("cdc.follows", follow, "follows_cdc", "follower_id", A),
    "events": ("events", event, "events_raw", "event_id", A),
}

NOT_MESSAGES = [
    b"", b" ", b"{", b"}", b"null", b"[]", b"[{}]", b"{}", b'"text"', b"0", b"-1e999", b"nan", b"\x00", b"\xff\xfe",
    b'{"op":"c"}', b'{"op":"c","after":null,"source":{"lsn":1}}', b'{"op":"c","after":[],"source":[]}',
    b'{"op":{},"after":"x","source":7}', b"{" * 5000, b"[" * 5000, b'{"a":' * 2000 + b"1" + b"}" * 2000,
    b'{"schema":{},"payload":{"op":"c"}}', b'{"op":"c","op":"d"}', b"\xef\xbb\xbf{}", b'{"type":"share"}',
    b'{"event_id":null,"type":null,"at":null}', b"\r", b"{}" * 100,
]


def walk(message, path=()):
    """Every path to a value that is no object."""
    for name, value in message.items():
        if isinstance(value, dict):
            yield from walk(value, (*path, name))
        else:
            yield (*path, name)


def with_value(message, path, value):
    copy = json.loads(json.dumps(message))
    place = copy
    for name in path[:-1]:
        place = place[name]
    if value is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copy


def needed(stream):
    """Paths without which a message is none."""
    if stream == "events":
        return [("event_id",), ("type",), ("user_id",), ("post_id",), ("at",), ("post_author_id",),
                ("post_created_at",)]
    row = STREAMS[stream][1](1)["after"]
    columns = [name for name in row if name.endswith("_at") and name != "deleted_at"]
    columns += [name for name in row if name.endswith("id") and name != "external_id"]
    columns += ["incarnation"] if "incarnation" in row else []
    return [("op",), ("source", "lsn"), *(("after", name) for name in columns)]


def surely_broken(stream):
    good = STREAMS[stream][1](900)
    for message in NOT_MESSAGES:
        yield message
    text = json.dumps(good).encode()
    for size in range(1, len(text) - 1, max(1, len(text) // 25)):
        yield text[:size]
    numbers = {"at", "post_created_at", "incarnation", "lsn"}  # there, true is 1
    for path in needed(stream):
        for value in (KeyError, None, "x", "", [], {}, *([] if path[-1] in numbers else [True])):
            yield json.dumps(with_value(good, path, value)).encode()
    if stream != "events":
        for op in ("t", "x", "C", 7):
            yield json.dumps(with_value(good, ("op",), op)).encode()
        yield json.dumps(with_value(good, ("source", "lsn"), -1)).encode()
        yield json.dumps(with_value(good, ("source", "lsn"), 0)).encode()


STRANGE = [
    -1, 0, 2**63, 2**64, -(2**63), 10**40, 1e308, -0.0, 0.5, "0", "-1", "18446744073709551616", "\x00", "ÿ" * 3000,
    "2026-13-45T99:99:99Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59.999999Z",
    "2299-12-31T23:59:59.999999Z", "1900-01-01", "infinity", "-infinity", "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff", "{018f0000-0000-7000-8000-000000000001}", "018f00000000700080000000000000",
    None, True, [], {}, [[[]]], {"a": {"b": {}}}, "__debezium_unavailable_value",
]


def strange(stream, chance):
    """A good message with something odd somewhere, or with its bytes shuffled: valid or not, we do not say."""
    good = STREAMS[stream][1](chance.randrange(5000, 9000))
    message = with_value(good, chance.choice(list(walk(good))), chance.choice(STRANGE))
    text = bytearray(json.dumps(message, ensure_ascii=chance.random() < 0.5).encode())
    if chance.random() < 0.4:
        for _ in range(chance.randrange(1, 4)):
            text[chance.randrange(len(text))] = chance.randrange(256)
    return bytes(text).replace(b"\n", b" ")


def land(warehouse, stream, lines):
    body = b"\n".join(lines) + b"\n"
    answer = warehouse.client().ask(f"INSERT INTO novafeed.{stream}_kafka (raw) FORMAT LineAsString", body)
    assert answer.status == 200, answer.body


def landed(warehouse, stream, numbers):
    _, _, table, column, form = STREAMS[stream]
    wanted = ",".join(f"'{form.format(number)}'" for number in numbers)
    rows = warehouse.read(f"SELECT count() FROM novafeed.{table} FINAL WHERE {column} IN ({wanted})")
    return int(rows[0][0])


@pytest.mark.parametrize("stream", STREAMS)
def test_broken_messages_are_errors_and_good_ones_beside_them_land(warehouse, stream):
    broken = list(surely_broken(stream))
    make = STREAMS[stream][1]
    lines = []
    for number, message in enumerate(broken, 10):
        lines += [message, json.dumps(make(number)).encode()]
    land(warehouse, stream, lines)
    assert landed(warehouse, stream, range(10, 10 + len(broken))) == len(broken)
    assert landed(warehouse, stream, [900]) == 0
    raws = warehouse.read(f"SELECT hex(raw) FROM novafeed.ingest_errors WHERE topic = '{STREAMS[stream][0]}'")
    assert Counter(row[0] for row in raws) == Counter(message.hex().upper() for message in broken)


@pytest.mark.parametrize("stream", STREAMS)
def test_strange_messages_never_throw_nor_block(warehouse, stream):
    chance = random.Random(SEED + len(stream))
    number = 2000
    for _ in range(ROUNDS):
        lines = [strange(stream, chance) for _ in range(200)]
        good = list(range(number, number + 20))
        number += 20
        lines += [json.dumps(STREAMS[stream][1](each)).encode() for each in good]
        chance.shuffle(lines)
        land(warehouse, stream, lines)
        assert landed(warehouse, stream, good) == len(good)


def test_every_view_has_been_passed(warehouse):
    """What is fed by the messages above holds something: no view was left out."""
    for table in ("post_totals", "post_metrics_1h", "user_author_90d", "follow_graph", "touched_posts", "touched_hours",
                  "touched_users"):
        assert warehouse.read(f"SELECT count() > 0 FROM novafeed.{table}") == [["1"]], table


def test_the_sink_works_on_beside_all_that(warehouse):
    with warehouse.server.client(scope="service") as client:
        client.post("/api/v1/users", {"handle": "after", "name": "After"}).expect(201)
    warehouse.wait_applied()
    assert warehouse.read("SELECT count() FROM novafeed.users_cdc WHERE handle = 'after'") == [["1"]]
