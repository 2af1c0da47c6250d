"""`novafeed check` over PostgreSQL, Kafka, ClickHouse and the indexes of two nodes."""

from __future__ import annotations

import json
import random
import subprocess
import threading
from pathlib import Path

import pytest

from check.conftest import disagreements
from check.damage import ROWS, like_too_many_in_snapshot
from differential.people import People
from harness import Cluster, Server, novafeed, scratch_directory, wait_until
from harness.cli import CHECKOUT
from harness.cluster import await_caught_up

ACTS = 200


class Platform:
    """Two nodes of a cluster, and people who act through both."""

    def __init__(self, cluster: Cluster, nodes: tuple[Server, Server], people: People) -> None:
        self.cluster = cluster
        self.nodes = nodes
        self._people = people

    def act(self, acts: int) -> None:
        clients = [node.client(scope="service") for node in self.nodes]
        for number in range(acts):
            client = clients[number // 20 % 2]
            if number % 20 == 0 and self._people.position is not None:
                # What one has written, the other's next write may be about.
                client.get(f"/api/v1/trending?min_position={self._people.position}")
            self._people.act(client, self.nodes[0].now())

    def check(self, node: Server, *flags: str) -> tuple[int, dict]:
        done = novafeed("check", "--data", node.data, "--json", *flags, check=False)
        assert done.returncode in (0, 1) and done.stdout, (done.returncode, done.stdout, done.stderr)
        return done.returncode, json.loads(done.stdout)

    def await_rest(self) -> None:
        """Until nothing is refreshed any more: what is planted then stays."""
        for node in self.nodes:
            await_caught_up(node)
        touched = "SELECT sum(rows) FROM system.parts WHERE database = 'novafeed' AND active AND table LIKE 'touched_%'"
        with self.cluster.olap() as olap:
            wait_until(lambda: olap.read(touched).strip() in ("0", "\\N"), "all that was touched is refreshed", 120, 0.2)


@pytest.fixture(name="platform", scope="module")
def start_platform(engines):
    with scratch_directory("novafeed-cluster-") as folder, Cluster(folder) as cluster:
        cluster.up()
        with cluster.node() as one, cluster.node() as two:
            people = People(random.Random(4), one.now())
            world = Path(folder, "world.ndjson")
            people.write_world(world)
            novafeed("import", world, "--url", one.url, "--token", one.token(scope="admin"))
            platform = Platform(cluster, (one, two), people)
            platform.act(ACTS)
            yield platform


def test_all_agree_on_both_nodes_after_a_busy_past(platform):
    for node in platform.nodes:
        platform.cluster.check(node)
        status, outcome = platform.check(node)
        assert (status, outcome["agree"]) == (0, True), disagreements(outcome)
        compared = {table["name"]: table["compared"] for table in outcome["tables"]}
        assert all(compared.values()), compared
        assert outcome["warehouse_position"]["changes"] >= outcome["position"]["changes"]


def test_both_nodes_may_check_at_once_while_writes_go_on(platform):
    found = {}

    def check(number: int) -> None:
        found[number] = platform.check(platform.nodes[number])

    checks = [threading.Thread(target=check, args=(number,)) for number in (0, 1)]
    for thread in checks:
        thread.start()
    while any(thread.is_alive() for thread in checks):
        platform.act(5)
    for number in (0, 1):
        status, outcome = found[number]
        assert (status, outcome["agree"]) == (0, True), disagreements(outcome)


def test_damages_of_the_warehouse_are_each_named_on_both_nodes_and_mended_through_one(platform):
    platform.await_rest()
    with platform.cluster.olap() as olap:
        planted = [damage.plant(olap) for damage in ROWS]
    for node in platform.nodes:
        status, outcome = platform.check(node)
        assert (status, outcome["agree"]) == (1, False)
        for damage in planted:
            examples = next(table for table in outcome["tables"] if table["name"] == damage.table)["examples"]
            assert any(
                example["kind"] == damage.kind and damage.key in example["key"] and damage.detail in example["detail"]
                for example in examples
            ), (damage, disagreements(outcome))
    status, outcome = platform.check(platform.nodes[1], "--repair")
    assert (status, outcome["agree"]) == (0, True), disagreements(outcome)
    assert outcome["mended"]
    for node in platform.nodes:
        platform.cluster.check(node)


def test_an_index_counter_that_is_off_by_one_is_found_on_its_node_alone_and_mended(platform):
    healthy, node = platform.nodes
    with platform.cluster.olap() as olap:
        post, created_at = olap.read(
            "SELECT id, toUnixTimestamp64Milli(created_at) FROM novafeed.posts_cdc FINAL WHERE isNull(deleted_at) "
            "ORDER BY id LIMIT 1 FORMAT TabSeparated"
        ).split()
    node.stop()
    like_too_many_in_snapshot(node.data / "index.snapshot", post, int(created_at))
    node.start()
    await_caught_up(node)
    platform.cluster.check(healthy)
    status, outcome = platform.check(node)
    assert status == 1
    (wrong,) = [table for table in outcome["tables"] if not table["agrees"]]
    (example,) = wrong["examples"]
    assert wrong["name"] == "index.posts" and example["kind"] == "different" and example["key"] == f"id={post}"
    assert "likes" in example["detail"]
    status, outcome = platform.check(node, "--repair")
    assert (status, outcome["agree"]) == (0, True), disagreements(outcome)
    platform.cluster.check(node)
    node.restart(kill=True)
    platform.cluster.check(node)


def forget_all_events(cluster: Cluster) -> None:
    """As retention does: what is on the topic of events goes."""
    wanted = {"version": 1, "partitions": [{"topic": "events", "partition": part, "offset": -1} for part in range(4)]}
    offsets = cluster.data / "forgotten.json"
    offsets.write_text(json.dumps(wanted))
    brokers = cluster.addresses()["KAFKA_URL"].removeprefix("kafka://")
    command = ["java", "-cp", str(CHECKOUT / "build" / "cluster" / "jars" / "kafka" / "*"),
               "org.apache.kafka.tools.DeleteRecordsCommand", "--bootstrap-server", brokers,
               "--offset-json-file", str(offsets)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def test_a_node_whose_log_does_not_know_all_events_compares_warehouse_and_index(platform):
    platform.await_rest()
    forget_all_events(platform.cluster)
    old, _ = platform.nodes
    with platform.cluster.node() as fresh:
        await_caught_up(fresh)
        status, outcome = platform.check(fresh)
        assert (status, outcome["agree"]) == (0, True), disagreements(outcome)
        assert outcome["events_from"] is not None
        compared = {table["name"]: table["compared"] for table in outcome["tables"]}
        assert compared.pop("events_raw") == 0 and all(compared.values()), compared
        said = novafeed("check", "--data", fresh.data).stdout
        assert "are in the log no more" in said, said

        damages = {damage.name: damage for damage in ROWS}
        with platform.cluster.olap() as olap:
            damages["a doubled aggregate"].plant(olap)
            interactions = damages["doubled interactions"].plant(olap)
            damages["a missing row of likes_cdc"].plant(olap)
        status, outcome = platform.check(fresh)
        wrong = {table["name"]: table["examples"] for table in outcome["tables"] if not table["agrees"]}
        assert status == 1 and {"index.posts", "user_author_90d", "likes_cdc"} <= wrong.keys(), disagreements(outcome)
        assert any("impressions" in example["detail"] for example in wrong["index.posts"])
        assert any(interactions.key in example["key"] for example in wrong["user_author_90d"])
        status, outcome = platform.check(fresh, "--repair")
        assert (status, outcome["agree"]) == (0, True), disagreements(outcome)
        platform.cluster.check(old)  # which knows all events: what was made again is right
        platform.act(20)
        platform.cluster.check(fresh)


def test_a_stopped_node_is_checked_beside_a_running_one(platform):
    node = platform.nodes[1]
    node.stop()
    config = platform.cluster.data / "conf" / "serve.toml"
    novafeed("check", "--data", node.data, "--config", config)
    node.start()


def test_the_check_by_itself_runs_on_the_node_that_leads(platform):
    with platform.cluster.node(check__every="1s") as third:
        for node in platform.nodes:
            node.stop()
        try:
            def last_success() -> float:
                with third.admin() as admin:
                    lines = admin.get("/metrics").expect(200).body.decode().splitlines()
                return float(next(line for line in lines if line.startswith("novafeed_check_last_success_seconds ")).split()[1])

            wait_until(lambda: last_success() > 0, "a check by itself", 120, 0.2)
        finally:
            for node in platform.nodes:
                node.start()
