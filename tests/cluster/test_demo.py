"""The newcomer's way: `./cluster up` alone, with the demo network that `./run` shows; then `novafeed demo`."""

from __future__ import annotations

import re
import signal
import subprocess

import pytest

from harness import Client, Cluster, Server, binary, novafeed, scratch_directory, wait_until

FILLED_SECONDS = 60  # until the second node and the warehouse have what the first one was filled with


@pytest.fixture(name="cluster", scope="module")
def start_own_cluster(engines):
    """One whose graph nobody else has written to."""
    with scratch_directory("novafeed-cluster-") as folder, Cluster(folder) as cluster:
        said = cluster.run("up").stderr
        for name in ("NODE1_URL", "NODE2_URL"):
            assert cluster.addresses()[name] in said, "it says where the page can be opened"
        yield cluster


@pytest.fixture(name="urls", scope="module")
def addresses_of_nodes(cluster: Cluster) -> list[str]:
    addresses = cluster.addresses()
    return [addresses["NODE1_URL"], addresses["NODE2_URL"]]


@pytest.fixture(name="embedded", scope="module")
def serve_embedded():
    with Server(flags=("--demo",)) as server:
        yield server


def token(cluster: Cluster, scope: str) -> str:
    return novafeed("token", "--data", cluster.data / "node1", "--user", "ext:ops", "--scope", scope).stdout.strip()


def demo_users(url: str) -> list[dict]:
    with Client(url) as client:
        return client.get("/demo/users", limit=100).expect(200).json()["users"]


def sign_in(url: str, user: dict) -> Client:
    with Client(url) as client:
        signed = client.post("/demo/token", {"user_id": user["id"]}).expect(200).json()["token"]
    return Client(url, lambda: signed)


def test_both_nodes_show_the_page_of_an_embedded_one(urls, embedded):
    with Client(embedded.url) as client:
        expected = client.get("/").expect(200).text
    assert "<title>Novafeed</title>" in expected
    files = re.findall(r'(?:src|href)="(/[^"]+)"', expected)
    assert files
    for url in urls:
        with Client(url) as client:
            assert client.get("/").expect(200).text == expected
            for file in files:
                client.get(file).expect(200)


def test_its_people_are_those_of_an_embedded_demo_and_each_of_them_has_a_feed(urls, embedded):
    expected = [(user["id"], user["handle"]) for user in demo_users(embedded.url)]
    for url in urls:
        users = demo_users(url)
        assert [(user["id"], user["handle"]) for user in users] == expected
        for user in users[:20]:
            with sign_in(url, user) as client:
                page = client.get("/api/v1/feed", limit=20, explain=1).expect(200).json()
                assert len(page["items"]) == 20 and page["engine"] == "index", user["handle"]


def test_the_administration_of_each_node_is_where_env_says(cluster):
    addresses = cluster.addresses()
    admin = token(cluster, "admin")
    for name in ("NODE1_ADMIN_URL", "NODE2_ADMIN_URL"):
        with Client(addresses[name], lambda: admin) as client:
            client.get("/admin/status").expect(200)


def test_its_people_go_on_and_what_they_do_shows_on_the_other_node(urls):
    with sign_in(urls[1], demo_users(urls[1])[0]) as client:

        def log() -> dict:
            return client.get("/api/v1/pipeline").expect(200).json()["index"]["applied"]

        before = log()
        wait_until(lambda: log()["events"] > before["events"] + 5, "people are active", FILLED_SECONDS, 0.2)
        wait_until(lambda: log()["changes"] > before["changes"], "heartbeats come, too", FILLED_SECONDS, 0.2)


def test_one_likes_on_one_node_and_it_counts_on_the_other(urls):
    user = demo_users(urls[0])[1]
    with sign_in(urls[0], user) as here, sign_in(urls[1], user) as there:
        items = here.get("/api/v1/feed", limit=100).expect(200).json()["items"]
        for item in items:
            post, likes = item["post"]["id"], item["post"]["likes"]
            liked = here.put(f"/api/v1/posts/{post}/like").expect(204)
            found = there.get(f"/api/v1/posts/{post}", min_position=liked.position).expect(200).json()["likes"]
            if found == likes + 1:
                return
    raise AssertionError("none of the likes of a hundred posts counted")


def test_an_option_for_nodes_that_run_counts_from_their_next_start(cluster):
    said = cluster.run("up", "--no-demo").stderr
    assert "--no-demo counts from the next start" in said and "node1 node2" in said, said
    assert "Open http" in said and "own data" not in said, "what it says is true of what runs"
    taken_back = cluster.run("up", "--live").stderr
    assert "next start" not in taken_back and "Open http" in taken_back, taken_back


def test_both_engines_of_both_nodes_find_the_same(cluster, urls):
    """As of one instant, once the warehouse has what the index has: nobody may be writing, so without live people."""
    cluster.run("down", "--only", "node1,node2")
    cluster.run("up", "--no-live")
    service = token(cluster, "service")
    users = demo_users(urls[0])[:5]
    for user in users:
        as_user = {"Novafeed-User": user["id"]}
        with Client(urls[0], lambda: service, as_user) as one, Client(urls[1], lambda: service, as_user) as two:
            instant = one.get("/api/v1/feed").expect(200).json()["as_of"]

            def shown(client: Client, engine: str, as_of: int = instant) -> list[tuple[str, str]]:
                query = {"engine": engine, "as_of": as_of, "trending_as_of": as_of, "limit": 100}
                items = client.get("/api/v1/feed", **query).expect(200).json()["items"]
                return [(item["post"]["id"], item["source"]) for item in items]

            expected = shown(one, "index")
            assert len(expected) > 20 and shown(two, "index") == expected
            for node in (one, two):
                wait_until(
                    lambda node=node: shown(node, "warehouse") == expected, "the warehouse agrees", FILLED_SECONDS, 0.5
                )


def test_the_demo_command_finds_the_network_and_changes_nothing(cluster, urls):
    before = cluster.sql("SELECT count(*), sum(incarnation) FROM likes;")
    novafeed("demo", "--url", urls[1], "--token", token(cluster, "admin"))
    assert cluster.sql("SELECT count(*), sum(incarnation) FROM likes;") == before


def test_live_people_act_through_any_node(cluster, urls):
    """`novafeed demo --live` against a node whose own people rest."""

    def likes() -> str:
        return cluster.sql("SELECT count(*) FROM likes;")

    before = likes()
    command = [binary(), "demo", "--live", "--url", urls[1], "--rate", "200"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as live:
        try:
            wait_until(lambda: likes() != before, "somebody likes something", FILLED_SECONDS, 0.2)
        finally:
            live.send_signal(signal.SIGTERM)
        said, _ = live.communicate(timeout=30)
    assert live.returncode == 0 and "likes" in said, said


def test_an_own_platform_is_no_demo(cluster, urls):
    """Where the mark of a demo is missing, nobody may act as anybody."""
    cluster.run("down", "--only", "node1,node2")
    cluster.sql("DELETE FROM facts WHERE key LIKE 'demo.%';")
    refused = cluster.run("up", "--only", "node1", check=False)
    assert refused.returncode != 0 and "no demo made" in refused.stderr, refused.stderr
    cluster.run("up", "--no-demo")
    with Client(urls[0]) as client:
        client.get("/").expect(200)
        assert client.get("/demo/users").status in (401, 404)
    said = cluster.run("up", "--live").stderr
    assert "--live counts from the next start" in said and "own data" in said and "Open http" not in said, said
