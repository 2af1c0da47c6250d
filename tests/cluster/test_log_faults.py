"""Faults of the log: rows from before there was a log, a connector that was down, a topic that is late, a lost slot,
messages that come twice, messages that are gone. After each it heals: nothing is lost, nothing counts twice.

One cluster for all: each test leaves it as it was. The rows of the first test are there before the connector is."""

from __future__ import annotations

import importlib
import json
import os
import random
import re
import subprocess
import threading
import time
import urllib.request
import uuid

import pytest

from harness import Cluster, Server, scratch_directory, wait_until
from harness.cli import CHECKOUT

LEVEL = os.environ.get("NOVAFEED_TEST_LEVEL", "full")
ROUNDS = 3 if LEVEL == "long" else 1
ROWS_BEFORE = 100_000 if LEVEL == "long" else 20_000
HEAL_SECONDS = 180
WRITES_WITHOUT_CAPTURE = 20  # each is answered after a second, because it cannot be shown before
ROWS_OF_TOPICS = ("cdc.users", "cdc.posts", "cdc.comments", "cdc.likes", "cdc.follows")
TOPICS = (*ROWS_OF_TOPICS, "cdc.transaction", "cdc.cdc_heartbeat", "events")

pytestmark = pytest.mark.skipif(LEVEL == "fast", reason="./test --fast leaves it out")
only_long = pytest.mark.skipif(LEVEL != "long", reason="only ./test --long")

# Users, posts, comments, likes and follows in equal parts, of the last 20 days; everybody likes and follows the next.
ROWS = """
INSERT INTO users SELECT ('018f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'old-' || n, 'old-' || n, '',
    date_trunc('milliseconds', now()) - interval '20 days' FROM generate_series(1, {each}) n;
INSERT INTO posts SELECT ('018f0000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, NULL,
    ('018f0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'number ' || n,
    date_trunc('milliseconds', now()) - n % 400 * interval '1 hour', NULL FROM generate_series(1, {each}) n;
INSERT INTO comments SELECT ('018f0000-0000-7000-a000-' || lpad(to_hex(n), 12, '0'))::uuid, NULL, id, author_id,
    author_id, created_at, 'my own', created_at + interval '1 minute'
    FROM posts, LATERAL (SELECT substring(text from 8)::int AS n) AS numbered;
INSERT INTO likes SELECT ('018f0000-0000-7000-8000-' || lpad(to_hex(n % {each} + 1), 12, '0'))::uuid, id, author_id,
    created_at, created_at + interval '2 minutes'
    FROM posts, LATERAL (SELECT substring(text from 8)::int AS n) AS numbered;
INSERT INTO follows SELECT ('018f0000-0000-7000-8000-' || lpad(to_hex(n % {each} + 1), 12, '0'))::uuid, author_id,
    created_at FROM posts, LATERAL (SELECT substring(text from 8)::int AS n) AS numbered;
"""


def old_user(number: int) -> str:
    return f"018f0000-0000-7000-8000-{number:012x}"


def old_post(number: int) -> str:
    return f"018f0000-0000-7000-9000-{number:012x}"


@pytest.fixture(name="cluster", scope="module")
def start_cluster_of_rows(engines):
    """Its rows were written before the connector was made; the schema is the one of serve's migrations."""
    with scratch_directory("novafeed-cluster-") as folder, Cluster(folder) as cluster:
        cluster.up("postgres")
        cluster.sql(ROWS.format(each=ROWS_BEFORE // 5))
        cluster.up()
        yield cluster


@pytest.fixture(name="nodes", scope="module")
def start_two_nodes(cluster: Cluster):
    with cluster.node() as one, cluster.node() as two:
        yield one, two


@pytest.fixture(name="seed", params=range(ROUNDS))
def draw_seed(request):
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}, round {request.param + 1}")
    return seed


# --- Writing, and what must come of it ---


class Person:
    """Somebody new, who has written one post."""

    def __init__(self, nodes: tuple[Server, ...], name: str) -> None:
        self._nodes = nodes
        handle = f"{name}-{uuid.uuid4().hex[:12]}"
        made = nodes[0].client(scope="service").post("/api/v1/users", {"handle": handle, "name": name}).expect(201)
        self.id = made.json()["id"]
        posted = self.on(0).post("/api/v1/posts", {"text": name}).expect(201)
        self.post, self.position = posted.json()["id"], posted.position

    def on(self, node: int):
        return self._nodes[node].client(self.id)


class Writers:
    """Threads that write through all nodes until the block ends. Every write must succeed."""

    def __init__(self, nodes: tuple[Server, ...], seed: int, count: int = 2) -> None:
        self._nodes, self._stop, self._failures = nodes, threading.Event(), []
        self.done = 0
        people = [[Person(nodes, "writer") for _ in range(4)] for _ in range(count)]
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(seed + number), people[number]))
            for number in range(count)
        ]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert kind is not None or not self._failures, self._failures[:3]

    def await_more(self, count: int) -> None:
        goal = self.done + count
        wait_until(lambda: self._failures or self.done >= goal, f"{count} more writes", 120)

    def _run(self, rng: random.Random, people: list[Person]) -> None:
        clients = [[person.on(node) for node in range(len(self._nodes))] for person in people]
        posts, comments = [person.post for person in people], []
        try:
            while not self._stop.wait(0.005):
                who = rng.randrange(len(people))
                self._write(rng, clients[who][rng.randrange(len(self._nodes))], people, posts, comments)
                self.done += 1
        except Exception as error:  # noqa: BLE001 (told by the test's thread)
            self._failures.append(error)

    def _write(self, rng, client, people, posts, comments) -> None:
        post = rng.choice(posts)
        kind = rng.choices(("like", "unlike", "follow", "unfollow", "comment", "uncomment", "event", "post", "unpost"),
                           (8, 6, 2, 1, 3, 2, 6, 2, 1))[0]
        if kind in ("like", "unlike"):
            (client.put if kind == "like" else client.delete)(f"/api/v1/posts/{post}/like").expect(204)
        elif kind in ("follow", "unfollow"):
            path = f"/api/v1/users/{rng.choice(people).id}/follow"
            answer = (client.put if kind == "follow" else client.delete)(path)
            assert answer.status in (204, 422), answer.body  # nobody follows themselves
        elif kind == "comment":
            comments.append(client.post(f"/api/v1/posts/{post}/comments", {"text": "so"}).expect(201).json()["id"])
        elif kind == "uncomment" and comments:
            gone = comments.pop(rng.randrange(len(comments)))
            assert client.delete(f"/api/v1/comments/{gone}").status in (204, 403, 404)
        elif kind == "event":
            event = {"event_id": str(uuid.uuid4()), "type": rng.choice(("impression", "share", "view")),
                     "post_id": post, "at": time.time_ns() // 1_000_000}
            client.post("/api/v1/events", {"events": [event, event]}).expect(202)
        elif kind == "post":
            posts.append(client.post("/api/v1/posts", {"text": "more"}).expect(201).json()["id"])
        elif kind == "unpost" and len(posts) > len(people):
            gone = rng.randrange(len(posts))
            if client.delete(f"/api/v1/posts/{posts[gone]}").status == 204:
                del posts[gone]


def await_all_applied(nodes: tuple[Server, ...]) -> None:
    """Until the index of each node, and the warehouse, hold what the log holds now."""
    states = [pipeline(node) for node in nodes]
    end = {stream: max(state["log"][stream] for state in states) for stream in ("changes", "events")}

    def applied() -> bool:
        places = [place for state in map(pipeline, nodes) for place in (state["index"], state["warehouse"])]
        return all(place["applied"][stream] >= end[stream] for place in places for stream in end)

    wait_until(applied, "all nodes and the warehouse hold the log", HEAL_SECONDS, pause=0.2)


def pipeline(node: Server) -> dict:
    return node.client(scope="service").get("/api/v1/pipeline").expect(200).json()


def assert_whole(cluster: Cluster, nodes: tuple[Server, ...]) -> None:
    """Nothing is lost, nothing counts twice: `check` says so of PostgreSQL, log, warehouse, and each node's index."""
    await_all_applied(nodes)  # what was written through one is known to the log of the other
    for node in nodes:
        cluster.check(node)


def degraded(answer) -> str:
    return answer.headers.get("Novafeed-Degraded", "")


def likes(node: Server, post: str, position: str | None = None) -> int:
    answer = node.client(scope="service").get(f"/api/v1/posts/{post}", min_position=position).expect(200)
    assert position is None or not degraded(answer), degraded(answer)
    return answer.json()["likes"]


def metric(node: Server, name: str) -> float:
    """The sum over all labels."""
    with node.admin() as admin:
        text = admin.get("/metrics").expect(200).text
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if re.match(rf"{name}[{{ ]", line))


def ask_connect(cluster: Cluster, method: str, path: str, body: dict | None = None) -> dict:
    request = urllib.request.Request(
        f"{cluster.addresses()['CONNECT_URL']}/connectors/nova-postgres-cdc{path}", method=method,
        data=None if body is None else json.dumps(body).encode(), headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else {}


class Kafka:
    """What a test does to topics behind everybody's back."""

    def __init__(self, cluster: Cluster) -> None:
        self._library = importlib.import_module("confluent_kafka")
        self._brokers = cluster.addresses()["KAFKA_URL"].removeprefix("kafka://")

    def ends(self, topic: str) -> list[int]:
        consumer = self._consumer("novafeed-test")
        partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        found = [consumer.get_watermark_offsets(self._library.TopicPartition(topic, number), timeout=30)[1]
                 for number in sorted(partitions)]
        consumer.close()
        return found

    def make(self, topic: str) -> None:
        admin = importlib.import_module("confluent_kafka.admin")
        client = admin.AdminClient({"bootstrap.servers": self._brokers})
        for made in client.create_topics([admin.NewTopic(topic, 1, replication_factor=1)]).values():
            made.result()

    def copy(self, source: str, target: str) -> int:
        """Appends everything that `source` holds to `target`, by partition; how many messages."""
        messages = []
        for partition, end in enumerate(self.ends(source)):
            messages += self._read(source, partition, end)
        producer = self._library.Producer({"bootstrap.servers": self._brokers})
        for message in messages:
            producer.produce(target, message.value(), message.key(), message.partition())
            producer.poll(0)
        assert producer.flush(60) == 0
        return len(messages)

    def forget(self, *topics: str) -> None:
        """Deletes all that they hold now."""
        places = [{"topic": topic, "partition": partition, "offset": end}
                  for topic in topics for partition, end in enumerate(self.ends(topic))]
        with scratch_directory() as folder:
            file = os.path.join(folder, "places.json")
            with open(file, "w", encoding="utf-8") as out:
                json.dump({"version": 1, "partitions": places}, out)
            command = ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{CHECKOUT}/build/cluster/jars/kafka/*",
                       "org.apache.kafka.tools.DeleteRecordsCommand",
                       "--bootstrap-server", self._brokers, "--offset-json-file", file]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0 and "error" not in done.stdout, done.stdout + done.stderr

    def set_group_back(self, group: str, topic: str) -> None:
        """Makes a group begin again, as soon as nobody is in it: who ended without leaving is in it for a session."""
        places = [self._library.TopicPartition(topic, partition, 0) for partition in range(len(self.ends(topic)))]
        consumer = self._consumer(group)

        def is_set() -> bool:
            try:
                consumer.commit(offsets=places, asynchronous=False)
            except self._library.KafkaException as error:
                if error.args[0].code() == self._library.KafkaError.UNKNOWN_MEMBER_ID:
                    return False
                raise
            return True

        wait_until(is_set, f"the group {group} is set back", HEAL_SECONDS, pause=0.5)
        consumer.close()

    def committed(self, group: str, topic: str) -> list[int]:
        consumer = self._consumer(group)
        places = [self._library.TopicPartition(topic, partition) for partition in range(len(self.ends(topic)))]
        found = [place.offset for place in consumer.committed(places, timeout=30)]
        consumer.close()
        return found

    def _read(self, topic: str, partition: int, end: int) -> list:
        consumer, found = self._consumer("novafeed-test"), []
        consumer.assign([self._library.TopicPartition(topic, partition, self._library.OFFSET_BEGINNING)])
        first, _ = consumer.get_watermark_offsets(self._library.TopicPartition(topic, partition), timeout=30)
        deadline = time.monotonic() + 120
        while len(found) < end - first:
            assert time.monotonic() < deadline, f"{topic}: {len(found)} of {end - first} messages"
            found += [message for message in consumer.consume(10_000, 0.5) if message.error() is None]
        consumer.close()
        return found[: end - first]

    def _consumer(self, group: str):
        return self._library.Consumer({"bootstrap.servers": self._brokers, "group.id": group,
                                       "enable.auto.commit": False, "auto.offset.reset": "earliest"})


# --- The tests ---


def test_rows_from_before_the_log_are_everywhere_and_what_is_written_then_joins_them(cluster, nodes):
    with Writers(nodes, seed=1) as writers:
        writers.await_more(50)
        for node in nodes:
            assert likes(node, old_post(7)) == 1
            followers = node.client(scope="service").get(f"/api/v1/users/{old_user(7)}/followers").expect(200).json()
            assert len(followers["users"]) == 1, followers
        liked = nodes[0].client(old_user(3)).put(f"/api/v1/posts/{old_post(7)}/like").expect(204)
        unliked = nodes[1].client(old_user(10)).delete(f"/api/v1/posts/{old_post(9)}/like").expect(204)
        for node in nodes:
            assert likes(node, old_post(7), liked.position) == 2
            assert likes(node, old_post(9), unliked.position) == 0
    assert_whole(cluster, nodes)
    held = cluster.olap().read("SELECT count() FROM novafeed.posts_cdc FINAL WHERE startsWith(text, 'number ')")
    assert int(held) == ROWS_BEFORE // 5


def test_what_changed_while_the_connector_was_down_is_nowhere_until_it_starts_and_then_everywhere(cluster, nodes, seed):
    someone, gone = Person(nodes, "someone"), Person(nodes, "gone")
    said = someone.on(0).post(f"/api/v1/posts/{gone.post}/comments", {"text": "so"}).expect(201)
    followed = someone.on(1).put(f"/api/v1/users/{gone.id}/follow").expect(204)
    liked = someone.on(1).put(f"/api/v1/posts/{gone.post}/like").expect(204)
    for node in nodes:
        assert likes(node, gone.post, liked.position) == 1
    await_all_applied(nodes)

    cluster.run("down", "--only", "connect")
    late = gone.on(0).put(f"/api/v1/posts/{someone.post}/like").expect(204)
    someone.on(1).delete(f"/api/v1/posts/{gone.post}/like").expect(204)
    someone.on(0).delete(f"/api/v1/comments/{said.json()['id']}").expect(204)
    someone.on(0).delete(f"/api/v1/users/{gone.id}/follow").expect(204)
    last = gone.on(1).delete(f"/api/v1/posts/{gone.post}").expect(204)
    with Writers(nodes, seed) as writers:
        writers.await_more(WRITES_WITHOUT_CAPTURE)
    for node in nodes:
        answer = node.client(scope="service").get(f"/api/v1/posts/{someone.post}", min_position=late.position)
        assert answer.expect(200).json()["likes"] == 0, "the index reads Kafka, and nothing else"
        assert "behind" in degraded(answer)
    counted = f"SELECT likes FROM novafeed.post_counters FINAL WHERE post_id = '{someone.post}'"
    assert cluster.olap().read(counted).strip() == "0"

    cluster.up("connect")
    for node in nodes:
        service = node.client(scope="service")
        wait_until(lambda: likes(node, someone.post) == 1, "the like is there", 60)  # noqa: B023 (called at once)
        wait_until(
            lambda: not degraded(service.get("/api/v1/trending", min_position=last.position)),  # noqa: B023
            "all of it is there", 60)
        service.get(f"/api/v1/posts/{gone.post}").expect(404)
    assert_whole(cluster, nodes)
    assert cluster.olap().read(counted).strip() == "1"
    assert followed.position and said.position


def test_a_topic_that_is_late_makes_answers_behind_and_never_wrong(cluster, nodes):
    """The rows of likes go to another topic for a while; the ends of their transactions come as always."""
    someone, other = Person(nodes, "someone"), Person(nodes, "other")
    kafka = Kafka(cluster)
    held = f"held-{uuid.uuid4().hex[:8]}"
    kafka.make(held)
    config = ask_connect(cluster, "GET", "/config")
    ask_connect(cluster, "PUT", "/config", {
        **config, "transforms": "route,hold", "transforms.hold.type": config["transforms.route.type"],
        "transforms.hold.regex": "cdc\\.likes", "transforms.hold.replacement": held})
    wait_until(lambda: "ok " in status_of(cluster, "connect"), "it captures again", 60)
    liked = other.on(0).put(f"/api/v1/posts/{someone.post}/like").expect(204)
    wait_until(lambda: kafka.ends(held) == [1], "the like has gone astray", 60)
    behind_it = someone.on(1).post("/api/v1/posts", {"text": "later"}).expect(201)
    for node in nodes:
        service = node.client(scope="service")
        for position in (liked.position, behind_it.position):
            answer = service.get(f"/api/v1/posts/{someone.post}", min_position=position).expect(200)
            assert "behind" in degraded(answer) and answer.json()["likes"] == 0
    ask_connect(cluster, "PUT", "/stop")
    wait_until(lambda: ask_connect(cluster, "GET", "/status")["connector"]["state"] == "STOPPED", "it has stopped")
    assert kafka.copy(held, "cdc.likes") == 1
    ask_connect(cluster, "PUT", "/config", config)
    cluster.up("connect")
    for node in nodes:
        wait_until(lambda: likes(node, someone.post) == 1, "the like has come", 60)  # noqa: B023 (called at once)
        assert likes(node, someone.post, behind_it.position) == 1
    assert_whole(cluster, nodes)


def status_of(cluster: Cluster, part: str) -> str:
    lines = cluster.run("status", "--only", part, check=False).stdout.splitlines()
    return next(line for line in lines if line.startswith(part))


def test_the_last_write_on_an_idle_topic_is_reached_by_its_position(nodes):
    """Nothing comes behind it, on no topic of rows."""
    someone = Person(nodes, "someone")
    for write in (lambda: someone.on(0).post(f"/api/v1/posts/{someone.post}/comments", {"text": "so"}).expect(201),
                  lambda: someone.on(1).put(f"/api/v1/posts/{someone.post}/like").expect(204),
                  lambda: someone.on(0).put(f"/api/v1/users/{old_user(1)}/follow").expect(204)):
        position = write().position
        for node in nodes:
            answer = node.client(someone.id).get("/api/v1/feed", limit=1, min_position=position).expect(200)
            assert "behind" not in answer.json()["degraded"], answer.json()["degraded"]
    for node in nodes:
        post = node.client(scope="service").get(f"/api/v1/posts/{someone.post}").expect(200).json()
        assert (post["likes"], post["comments"]) == (1, 1)


@only_long
def test_messages_that_come_again_count_once(cluster, nodes, seed):
    kafka = Kafka(cluster)
    with Writers(nodes, seed) as writers:
        writers.await_more(60)
        for topic in TOPICS:
            assert kafka.copy(topic, topic) > 0
        writers.await_more(30)
    assert_whole(cluster, nodes)
    nodes[0].restart()  # its place is looked for on topics that rise, fall back and rise again
    assert_whole(cluster, nodes)

    cluster.run("down", "--only", "olap")
    landed = (*ROWS_OF_TOPICS, "events")
    for topic in landed:
        kafka.set_group_back(f"novafeed-{topic}", topic)
    cluster.up("olap")
    wait_until(lambda: all(kafka.committed(f"novafeed-{topic}", topic) == kafka.ends(topic) for topic in landed),
               "all of it is landed again", HEAL_SECONDS, pause=0.5)
    assert_whole(cluster, nodes)


@only_long
def test_who_finds_messages_gone_says_so_and_takes_the_state_instead(cluster, nodes, seed):
    one, two = nodes
    kafka = Kafka(cluster)
    # A node that was away for longer than topics are kept.
    two.stop()
    with Writers((one,), seed) as writers:
        writers.await_more(60)
    await_all_applied((one,))
    kafka.forget(*TOPICS)
    two.start()
    assert_whole(cluster, nodes)
    said = two.log()
    assert '"index_cut_off"' in said or '"log_forgotten"' in said
    assert '"journal_lost_events"' in said and metric(two, "novafeed_journal_losses_total") == 1

    # A warehouse that was.
    states = sum(metric(node, "novafeed_warehouse_states_total") for node in nodes)
    cluster.run("down", "--only", "olap")
    with Writers(nodes, seed) as writers:
        writers.await_more(60)
    end = one.client(scope="service").get("/api/v1/pipeline").expect(200).json()["log"]
    for node in nodes:
        wait_until(lambda: all(pipeline(node)["index"]["applied"][stream] >= end[stream] for stream in end),  # noqa: B023
                   "the index has read it", 60)
    kafka.forget(*TOPICS)
    cluster.up("olap")
    assert_whole(cluster, nodes)
    assert any('"warehouse_messages_lost"' in node.log() for node in nodes)
    assert sum(metric(node, "novafeed_warehouse_lost_messages_total") for node in nodes) > 0
    assert sum(metric(node, "novafeed_warehouse_states_total") for node in nodes) > states

    # A node that has nothing of its own.
    with cluster.node() as three:
        assert_whole(cluster, (three,))
        booted = next(line for line in three.log().splitlines() if '"index_booted"' in line)
        assert json.loads(booted)["source"] == "warehouse", booted


@only_long
def test_an_idle_database_lets_its_wal_go(cluster):
    """Nothing is written that is captured, and much else: the heartbeat moves the slot on."""
    cluster.sql("CREATE TABLE IF NOT EXISTS public.junk (text text);", superuser=True)
    kept = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint FROM pg_replication_slots"
    for _ in range(4):
        cluster.sql("INSERT INTO public.junk SELECT repeat(md5(n::text), 30) FROM generate_series(1, 20000) n;"
                    "SELECT pg_switch_wal();", superuser=True)
    wait_until(lambda: int(cluster.sql(kept, superuser=True)) < 20 << 20, "the slot has moved on", 180, pause=1)
    cluster.sql("DROP TABLE public.junk;", superuser=True)


def test_a_lost_slot_loses_nothing_and_what_was_deleted_meanwhile_is_swept(cluster, nodes, seed):
    someone, gone = Person(nodes, "someone"), Person(nodes, "gone")
    said = someone.on(0).post(f"/api/v1/posts/{gone.post}/comments", {"text": "so"}).expect(201).json()["id"]
    someone.on(0).put(f"/api/v1/users/{gone.id}/follow").expect(204)
    gone.on(0).put(f"/api/v1/posts/{someone.post}/like").expect(204)
    someone.on(1).put(f"/api/v1/posts/{gone.post}/like").expect(204)
    rebuilds = [metric(node, "novafeed_index_rebuilds_total") for node in nodes]
    with Writers(nodes, seed) as writers:
        writers.await_more(50)
        await_all_applied(nodes)
        cluster.run("down", "--only", "connect")
        someone.on(0).delete(f"/api/v1/users/{gone.id}/follow").expect(204)
        someone.on(0).delete(f"/api/v1/comments/{said}").expect(204)
        gone.on(0).delete(f"/api/v1/posts/{someone.post}/like").expect(204)
        for what in (someone.on(1).delete, someone.on(1).put):  # another life of the same row
            what(f"/api/v1/posts/{gone.post}/like").expect(204)
        lose_slot(cluster)
        writers.await_more(WRITES_WITHOUT_CAPTURE)
        refused = cluster.run("up", "--only", "connect", check=False)
        assert refused.returncode == 1 and "./cluster resnapshot" in refused.stderr, refused.stderr
        cluster.run("resnapshot")
        writers.await_more(50)
    assert_whole(cluster, nodes)
    for node, before in zip(nodes, rebuilds, strict=True):
        assert (likes(node, gone.post), likes(node, someone.post)) == (1, 0)
        assert metric(node, "novafeed_index_rebuilds_total") > before and metric(node, "novafeed_index_cut_off") == 0
        assert '"index_cut_off"' in node.log() and '"index_rebuilt"' in node.log()
    assert sum(metric(node, "novafeed_warehouse_ghosts_total") for node in nodes) >= 3


def lose_slot(cluster: Cluster) -> None:
    """PostgreSQL lets the slot go instead of keeping WAL without end."""
    cluster.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '16MB'; SELECT pg_reload_conf();", superuser=True)
    kept = "SELECT wal_status || coalesce(' from ' || restart_lsn, '') FROM pg_replication_slots"

    def is_lost() -> bool:
        cluster.sql("SELECT pg_switch_wal(); CHECKPOINT;", superuser=True)
        return cluster.sql(kept, superuser=True).strip() == "lost"

    wait_until(is_lost, "the slot is lost, and keeps nothing", 60)
    cluster.sql("ALTER SYSTEM RESET max_slot_wal_keep_size; SELECT pg_reload_conf();", superuser=True)
