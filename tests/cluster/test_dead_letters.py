"""Messages that cannot be read, on every topic: they stop nothing, and each is kept once; a mended event counts once."""

from __future__ import annotations

import json
import time
import uuid

import pytest

from harness import READER, WRITER, Cluster, OlapClient, Server, novafeed, wait_until

CHANGES = ("cdc.users", "cdc.posts", "cdc.comments", "cdc.likes", "cdc.follows", "cdc.cdc_heartbeat", "cdc.transaction")
EVENTS = "events"
DEAD_LETTERS = "events.dlq"


@pytest.fixture(name="nodes", scope="module")
def start_two_nodes(cluster: Cluster):
    with cluster.node() as one, cluster.node() as two:
        yield one, two


def dlq(cluster: Cluster, *arguments: object, check: bool = True, text_in: str | None = None):
    flags = ("--config", cluster.data / "conf" / "serve.toml")
    return novafeed("dlq", *arguments, *flags, check=check, text_in=text_in)


def lines_of(output: str) -> list[dict]:
    return [json.loads(line) for line in output.splitlines()]


def listed(cluster: Cluster) -> dict[tuple[str, int, int], dict]:
    """What `dlq list` prints, by place; no place is there twice."""
    letters = lines_of(dlq(cluster, "list").stdout)
    by_place = {(letter["topic"], letter["partition"], letter["offset"]): letter for letter in letters}
    assert len(by_place) == len(letters), letters
    return by_place


def await_listed(cluster: Cluster, places: set[tuple[str, int, int]]) -> dict[tuple[str, int, int], dict]:
    return wait_until(lambda: found if places <= (found := listed(cluster)).keys() else None, f"{places} are listed", 60)


def kept(cluster: Cluster, start: int) -> list[tuple[str, ...]]:
    """The places of the messages on events.dlq from there on, as often as they stand there."""
    count = cluster.end_of(DEAD_LETTERS) - start
    return [tuple(message.key.split("/")) for message in cluster.messages(DEAD_LETTERS, count, start)]


def as_keys(places) -> list[tuple[str, ...]]:
    return sorted(tuple(map(str, place)) for place in places)


def person(node: Server, name: str) -> str:
    wanted = {"handle": f"{name}-{uuid.uuid4().hex[:8]}", "name": name}
    return node.client(scope="service").post("/api/v1/users", wanted).expect(201).json()["id"]


def counts(node: Server, viewer: str, post: str, position: str = "") -> dict:
    after = f"?min_position={position}" if position else ""
    answer = node.client(viewer).get(f"/api/v1/posts/{post}{after}").expect(200)
    assert "Novafeed-Degraded" not in answer.headers, answer.headers
    return answer.json()


def olap(cluster: Cluster, user: str) -> OlapClient:
    file = cluster.data / "conf" / ("olap-reader.password" if user == READER else "olap.password")
    return OlapClient(cluster.addresses()["OLAP_URL"], user, file.read_text(encoding="utf-8").strip())


def counted_in_warehouse(cluster: Cluster, post: str) -> tuple[int, ...]:
    with olap(cluster, READER) as reader:
        row = reader.read("SELECT likes, comments, impressions FROM novafeed.post_counters FINAL "
                          f"WHERE post_id = '{post}'").strip()
    return tuple(map(int, row.split("\t"))) if row else ()


def test_a_message_that_cannot_be_read_stops_nothing_and_is_kept_once(cluster: Cluster, nodes):
    start = cluster.end_of(DEAD_LETTERS)
    before = set(listed(cluster))
    bob, ada = person(nodes[0], "bob"), person(nodes[0], "ada")
    poison = {}
    for topic in CHANGES:
        poison[topic, 0, cluster.put(topic, f"no message of {topic}".encode())] = f"no message of {topic}"
    for partition in range(4):
        poison[EVENTS, partition, cluster.put(EVENTS, b'{"half": "a mess', partition)] = '{"half": "a mess'

    # What comes behind it is applied on both nodes and in the warehouse.
    post = nodes[0].client(bob).post("/api/v1/posts", {"text": "behind the poison"}).expect(201).json()["id"]
    nodes[0].client(ada).put(f"/api/v1/users/{bob}/follow").expect(204)
    nodes[0].client(ada).post(f"/api/v1/posts/{post}/comments", {"text": "well"}).expect(201)
    liked = nodes[0].client(ada).put(f"/api/v1/posts/{post}/like").expect(204)
    position = liked.headers["Novafeed-Position"]
    event = {"event_id": str(uuid.uuid4()), "type": "impression", "post_id": post, "at": time.time_ns() // 1_000_000}
    for node in nodes:
        counts(node, ada, post, position)
        sent = node.client(ada).post("/api/v1/events", {"events": [event]}).expect(202)
        assert sent.json()["rejected"] == 0
    position += f"&min_position={sent.headers['Novafeed-Position']}"
    for node in nodes:
        found = counts(node, ada, post, position)
        assert (found["likes"], found["comments"], found["impressions"]) == (1, 1, 1), found
        page = node.client(ada).get(f"/api/v1/feed?limit=50&min_position={position}").expect(200).json()
        assert post in [item["post"]["id"] for item in page["items"]] and page["degraded"] == []
    wait_until(lambda: counted_in_warehouse(cluster, post) == (1, 1, 1), "it counts in the warehouse", 60)

    letters = await_listed(cluster, set(poison))
    assert set(letters) - before == set(poison)
    for place, message in poison.items():
        letter = letters[place]
        assert letter["message"] == message and letter["bytes"] == len(message), letter
        assert letter["reason"] and not letter["replayed"] and abs(letter["time"] - time.time_ns() // 1_000_000) < 300_000
    assert as_keys(kept(cluster, start)) == as_keys(poison), "once, though two nodes and the warehouse have met it"
    assert any('"event":"dead_letter"' in node.log() for node in nodes)

    # Others that lead, and read from further back, add nothing to what is there.
    for node in nodes:
        node.restart(kill=True)
    last = EVENTS, 1, cluster.put(EVENTS, b"\xff\x00 no text", 1)
    assert await_listed(cluster, {last})[last]["message_hex"] == b"\xff\x00 no text".hex()
    assert as_keys(kept(cluster, start)) == as_keys([*poison, last])

    # What the warehouse alone could not read, and has landed twice.
    theirs = "cdc.posts", 0, 777_777_777
    with olap(cluster, WRITER) as writer:
        for _ in range(2):
            writer.read("INSERT INTO novafeed.ingest_errors (topic, partition, offset, reason, raw) "
                        f"VALUES ('{theirs[0]}', {theirs[1]}, {theirs[2]}, 'not a post', 'half a post')")
    letter = await_listed(cluster, {theirs})[theirs]
    assert (letter["message"], letter["reason"]) == ("half a post", "not a post")
    assert as_keys(kept(cluster, start)) == as_keys([*poison, last, theirs])


def impression(post: dict, viewer: str) -> str:
    """As it stands on the topic."""
    now = time.time_ns() // 1_000_000
    return json.dumps({
        "event_id": str(uuid.uuid4()), "type": "impression", "user_id": viewer, "post_id": post["id"], "at": now,
        "post_author_id": post["author_id"], "post_created_at": post["created_at"], "received_at": now,
    })


def test_an_event_that_was_mended_or_can_be_read_by_now_is_put_back_and_counts_once(cluster: Cluster, nodes):
    bob, ada, eve = (person(nodes[0], name) for name in ("bob", "ada", "eve"))
    posted = nodes[0].client(bob).post("/api/v1/posts", {"text": "to be seen"}).expect(201)
    post = posted.json()["id"]
    shown = [counts(node, ada, post, posted.headers["Novafeed-Position"]) for node in nodes][0]

    # One is mended by hand.
    whole = impression(shown, ada)
    broken = EVENTS, 3, cluster.put(EVENTS, whole[:-20].encode(), 3)
    letter = await_listed(cluster, {broken})[broken]
    mended = json.dumps({**letter, "message": letter["message"] + whole[-20:]})
    assert dlq(cluster, "replay", "--mended", "-", text_in=json.dumps(letter), check=False).returncode == 3, "not yet"
    for outcome in ("replayed", "replayed_before", "replayed_before"):
        told = lines_of(dlq(cluster, "replay", "--mended", "-", text_in=mended).stdout)
        assert told == [{"topic": EVENTS, "partition": 3, "offset": broken[2], "outcome": outcome}]
    assert listed(cluster)[broken]["replayed"]
    for node in nodes:
        wait_until(lambda: counts(node, ada, post)["impressions"] == 1, "it counts", 30)  # noqa: B023 (called at once)

    # One could not be read by whoever kept it, an older program perhaps, and can be now. It is kept twice.
    later = impression(shown, eve).encode()
    place = {"topic": EVENTS, "partition": "0", "offset": "999999999"}
    for _ in range(2):
        cluster.put(DEAD_LETTERS, later, headers={**place, "reason": "of a kind that is not known", "time": "1"})
    command = ("replay", "--topic", EVENTS, "--partition", 0, "--offset", "999999990..999999999")
    for outcome in ("replayed", "replayed_before"):
        told = lines_of(dlq(cluster, *command).stdout)
        assert [line["outcome"] for line in told] == [outcome], told
    for node in nodes:
        wait_until(lambda: counts(node, ada, post)["impressions"] == 2, "it counts", 30)  # noqa: B023 (called at once)
    wait_until(lambda: counted_in_warehouse(cluster, post) == (0, 0, 2), "they count in the warehouse", 60)

    # Nobody who was erased comes back.
    gone = impression(shown, eve).encode()
    nodes[0].client(eve).delete(f"/api/v1/users/{eve}").expect(204)
    cluster.put(DEAD_LETTERS, gone, headers={**place, "offset": "999999995"})
    refused = dlq(cluster, *command, check=False)
    assert refused.returncode == 3 and [line["outcome"] for line in lines_of(refused.stdout)].count("erased") == 1


def test_what_cannot_be_read_still_and_changes_are_not_put_back(cluster: Cluster, nodes):
    place = EVENTS, 0, cluster.put(EVENTS, b"still no event", 0)
    await_listed(cluster, {place})
    end = cluster.end_of(EVENTS, 0)
    still = dlq(cluster, "replay", "--offset", place[2], "--partition", 0, "--topic", EVENTS, check=False)
    assert still.returncode == 3
    assert [line["outcome"] for line in lines_of(still.stdout)] == ["unreadable"]
    refused = dlq(cluster, "replay", "--topic", "cdc.likes", check=False)
    assert refused.returncode == 2 and "check --repair" in refused.stderr
    assert cluster.end_of(EVENTS, 0) == end


def test_without_a_cluster_the_command_says_what_holds():
    for command in (["list"], ["replay"]):
        done = novafeed("dlq", *command, check=False)
        assert done.returncode == 2 and "log.url is sqlite:" in done.stderr, done.stderr
