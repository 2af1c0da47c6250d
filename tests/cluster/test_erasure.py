"""A user is erased through one node of several: out of every answer, every node's files, PostgreSQL and the warehouse.

What stays is what the contract leaves to the retention of logs: the topics, PostgreSQL's write-ahead log and what its
files hold of rows that are gone, and keys of the cache until they expire."""

from __future__ import annotations

import os
import random
import subprocess
import time
from urllib.parse import urlsplit

import pytest

from erasure import network
from erasure.test_warehouse import rows_that_name
from erasure.traces import Person, traces
from harness import Cluster, Server, assert_problem, novafeed, scratch_directory, user_id, wait_until
from harness.cluster import await_caught_up
from harness.olap import OlapClient
from program.conftest import write_ndjson

POSTS = 150
OUT_OF_EVERY_ANSWER = 5.0  # seconds; on a machine that is busy with other tests six times as long
CACHED = 600  # seconds: the longest that a key lives


@pytest.fixture(name="cluster", scope="module")
def start_cluster_of_its_own(engines):
    with scratch_directory("novafeed-cluster-") as folder, Cluster(folder) as cluster:
        cluster.up()
        yield cluster


@pytest.fixture(name="nodes", scope="module")
def start_two_nodes(cluster):
    with cluster.node() as one, cluster.node() as two:
        yield one, two


@pytest.fixture(name="theirs", scope="module")
def write_network(cluster, nodes):
    """Everything that can be done, by the person who will leave among others: a post of somebody else."""
    node = nodes[0]
    rng = random.SystemRandom()
    lines = write_ndjson(cluster.data / "network.ndjson", network.actions(node.now(), rng, POSTS))
    novafeed("import", lines, "--url", node.url, "--token", node.token(scope="admin"))
    await_caught_up(node)
    return network.act_through_the_api(node)


def save_snapshot(node: Server) -> None:
    with node.admin() as admin:
        admin.post("/admin/snapshot", {}).expect(200)


def purge(node: Server) -> int:
    with node.admin() as admin:
        answer = admin.post("/admin/purge", {})
        assert answer.status == 200, f"{answer.body!r}\n{node.log()[-4000:]}"
        return answer.json()["users"]


def rows_in_postgres(cluster: Cluster, person: Person) -> dict[str, int]:
    """By table: rows that say anything of the person."""
    tables = cluster.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'novafeed' ORDER BY 1;", superuser=True).split()
    needles = [person.id, *person.strings]
    found = {}
    for table in tables:
        says = " OR ".join(f"row::text ILIKE '%{needle}%'" for needle in needles)
        count = int(cluster.sql(f"SELECT count(*) FROM novafeed.{table} AS row WHERE {says};", superuser=True))
        if count:
            found[table] = count
    return found


SAYING = """
local found = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local value = redis.call('TYPE', key).ok == 'string' and redis.call('GET', key) or ''
  if string.find(key, ARGV[1], 1, true) or string.find(value, ARGV[1], 1, true) then
    found[#found + 1] = tostring(redis.call('TTL', key)) .. ' ' .. key
  end
end
return found"""


def lives_in_redis(cluster: Cluster, needle: str) -> dict[str, int]:
    """Keys whose name or value says it, and how many more seconds each of them lives, as Redis's own client says."""
    url = urlsplit(cluster.addresses()["REDIS_URL"])
    command = ["redis-cli", "-h", url.hostname, "-p", str(url.port), "--raw", "EVAL", SAYING, "0", needle]
    environment = {**os.environ, "REDISCLI_AUTH": url.password}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=True)
    lines = [line.split(" ", 1) for line in done.stdout.splitlines() if line]
    return {key: int(seconds) for seconds, key in lines}


def says_of(node: Server, person: Person, others: list[str]) -> list[str]:
    """What answers of the node say of the person."""
    found = []
    service = node.client(scope="service")
    if service.get(f"/api/v1/users/{person.id}").status != 404:
        found.append("the user is there")
    if node.client(person.id).get("/api/v1/feed").status != 401:
        found.append("the token is taken")
    for other in others:
        client = node.client(other)
        for path in ("/api/v1/feed?limit=100", "/api/v1/feed?limit=100&mode=following", "/api/v1/trending?limit=200",
                     "/api/v1/discover/suggested-users?limit=100", f"/api/v1/users/{other}/followers",
                     f"/api/v1/users/{other}/following"):
            text = client.get(path).expect(200).body.decode()
            found += [f"{path}: {needle}" for needle in (person.id, *person.strings) if needle in text]
    return found


def counters(node: Server, post: str) -> dict:
    shown = node.client(scope="service").get(f"/api/v1/posts/{post}").expect(200).json()
    return {name: shown[name] for name in ("likes", "comments", "shares", "impressions")}


OTHERS = [user_id(f"other-{number}") for number in range(0, network.OTHERS, 5)]


def test_out_of_every_answer_and_every_file_of_both_nodes(cluster, nodes, theirs):
    one, two = nodes
    ada = network.ada()
    for node in nodes:
        await_caught_up(node)
        node.client(ada.id).get("/api/v1/feed").expect(200)
        save_snapshot(node)
        named = traces(node.data, ada)
        for file in ("journal.db", "index.snapshot"):
            assert any(line.startswith(file) for line in named), (file, named)
    assert {"users", "posts", "likes", "follows", "comments"} <= rows_in_postgres(cluster, ada).keys()
    before = counters(one, theirs["id"])

    one.client(scope="admin").delete(f"/api/v1/users/{ada.id}").expect(204)
    erased = time.monotonic()
    for node in nodes:
        wait_until(lambda node=node: not says_of(node, ada, OTHERS), "no answer says anything of her", 6 * OUT_OF_EVERY_ANSWER)
    print(f"out of every answer after {time.monotonic() - erased:.1f} s")
    assert_problem(two.client(ada.id).get("/api/v1/feed"), 401, "user_erased")

    wait_until(lambda: purge(one) == 1, "a purge", 120, 0.2)
    assert traces(one.data, ada) == []
    wait_until(lambda: traces(two.data, ada) == [], "the other node has purged her, too", 60, 0.2)
    assert rows_in_postgres(cluster, ada) == {}
    with cluster.olap() as olap:
        assert rows_that_name(olap, ada.id) == {}
    assert traces(cluster.data / "olap", ada) == []
    for needle in (ada.id, network.WORD):
        assert all(0 < ttl <= CACHED for ttl in lives_in_redis(cluster, needle).values())
    for node in nodes:
        cluster.check(node)
        after = counters(node, theirs["id"])
        assert (after["shares"], after["impressions"]) == (before["shares"], before["impressions"])
        assert after["likes"] < before["likes"] and after["comments"] < before["comments"]
        node.restart(kill=True)
        cluster.check(node)
        assert traces(node.data, ada) == []
        assert says_of(node, ada, OTHERS) == []


def make_leaver(node: Server, name: str) -> Person:
    """Somebody who does a little of everything, on top of the network."""
    made = node.client(scope="service").post("/api/v1/users", {"handle": name, "name": f"{name} N"}).expect(201).json()
    client = node.client(made["id"])
    mine = client.post("/api/v1/posts", {"text": f"{name} says"}).expect(201)
    client.put(f"/api/v1/users/{OTHERS[0]}/follow").expect(204)
    other = node.client(OTHERS[0])
    other.put(f"/api/v1/users/{made['id']}/follow").expect(204)
    theirs = other.post("/api/v1/posts", {"text": "of somebody else"}).expect(201).json()
    other.put(f"/api/v1/posts/{mine.json()['id']}/like").expect(204)
    other.post(f"/api/v1/posts/{mine.json()['id']}/comments", {"text": "below"}).expect(201)
    client.put(f"/api/v1/posts/{theirs['id']}/like").expect(204)
    client.post(f"/api/v1/posts/{theirs['id']}/comments", {"text": f"{name} comments"}).expect(201)
    events = [{"event_id": str(user_id(f"{name}-{kind}")), "type": kind, "post_id": theirs["id"], "at": node.now()}
              for kind in ("impression", "view", "share")]
    sent = client.post("/api/v1/events", {"events": events}).expect(202)
    assert sent.json()["accepted"] == len(events)
    return Person(made["id"], [name])


def make_purged_leaver(node: Server, name: str) -> Person:
    """Somebody who did a little of everything, and is erased and purged by now."""
    leaver = make_leaver(node, name)
    await_caught_up(node)
    node.client(scope="admin").delete(f"/api/v1/users/{leaver.id}").expect(204)
    wait_until(lambda: purge(node) == 1, "a purge", 120, 0.2)
    return leaver


@pytest.mark.usefixtures("theirs")
def test_a_node_that_was_down_meanwhile_forgets_them_when_it_comes_back(cluster, nodes):
    one, two = nodes
    leaver = make_leaver(one, "leaver-behind-ones-back")
    await_caught_up(two)
    save_snapshot(two)
    two.stop()
    named = traces(two.data, leaver)
    assert any(line.startswith("journal.db") for line in named), named
    assert any(line.startswith("index.snapshot") for line in named), named

    one.client(scope="admin").delete(f"/api/v1/users/{leaver.id}").expect(204)
    wait_until(lambda: purge(one) == 1, "a purge without the other node", 120, 0.2)
    assert traces(one.data, leaver) == [] and rows_in_postgres(cluster, leaver) == {}

    two.start()
    wait_until(lambda: says_of(two, leaver, OTHERS[:2]) == [], "no answer says anything of them", 6 * OUT_OF_EVERY_ANSWER)
    wait_until(lambda: traces(two.data, leaver) == [], "its files name nobody who was purged", 60, 0.2)
    for node in nodes:
        cluster.check(node)


@pytest.mark.usefixtures("theirs")
def test_a_new_node_that_reads_the_topics_from_before_never_learns_their_names(cluster, nodes):
    one, _ = nodes
    leaver = make_purged_leaver(one, "leaver-before-ones-time")
    with cluster.node() as fresh:
        await_caught_up(fresh)
        save_snapshot(fresh)
        assert traces(fresh.data, leaver) == []
        cluster.check(fresh)
        assert says_of(fresh, leaver, OTHERS[:2]) == []


@pytest.mark.usefixtures("theirs")
def test_a_part_of_the_topics_that_lands_once_more_brings_nobody_back(cluster, nodes):
    one, two = nodes
    leaver = make_purged_leaver(one, "leaver-whose-events-come-again")
    leads = next(node for node in (one, two) if rewind(node))
    with cluster.olap() as olap:
        wait_until(lambda: rows_that_name(olap, leaver.id), "their names have landed again", 120, 0.2)
        await_caught_up(leads)
        wait_until(lambda: purge(two) == 0 and not rows_that_name(olap, leaver.id), "they are out again", 120, 1)
    for node in nodes:
        cluster.check(node)
    assert traces(one.data, leaver) == [] and traces(two.data, leaver) == []


def broken_messages_that_name(olap: OlapClient, *names: str) -> int:
    condition = " OR ".join(f"position(lower(raw), '{name}') > 0" for name in names)
    return int(olap.read(f"SELECT count() FROM novafeed.ingest_errors WHERE {condition}"))


@pytest.mark.usefixtures("theirs")
def test_messages_that_nobody_understands_do_not_keep_their_names(cluster, nodes):
    one, _ = nodes
    leaver = make_purged_leaver(one, "leaver-in-a-broken-message")
    names = (leaver.id, leaver.id.replace("-", ""))
    for name in names:
        cluster.put("events", f'{{"broken": "{name}'.encode())
    with cluster.olap() as olap:
        wait_until(lambda: broken_messages_that_name(olap, *names) == 2, "both have landed", 60)
        wait_until(lambda: purge(one) == 0 and broken_messages_that_name(olap, *names) == 0, "both are gone", 120, 1)


def rewind(node: Server) -> bool:
    """Whether the node is the one that fills the warehouse; then the events land again."""
    with node.admin() as admin:
        return admin.post("/admin/warehouse/rewind", {"events": 0}).status == 200
