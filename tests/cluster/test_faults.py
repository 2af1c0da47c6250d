"""What a cluster must survive under write load: parts that are killed, networks that are cut or slow, a cache that is full.
Each ends with: it heals by itself, nothing that was acknowledged is lost, nothing counts twice."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cluster.load import NOBODY, Load
from harness import Cluster, Response, Server, scratch_directory, wait_until
from harness.network import Network

LEVEL = os.environ.get("NOVAFEED_TEST_LEVEL", "full")
pytestmark = pytest.mark.skipif(LEVEL == "fast", reason="a cluster takes a minute")
every_level = pytest.mark.parametrize("round_number", range(3 if LEVEL == "long" else 1))


def only_long(test):
    return pytest.mark.skipif(LEVEL != "long", reason="for ./test --long")(every_level(test))


# Between each pair a network of its own: who reaches whom.
PAIRS = ("serve-postgres", "serve-kafka", "serve-redis", "serve-olap", "connect-postgres", "connect-kafka", "olap-kafka")
THROUGH, BESIDE = 0, 1  # the node that goes through the networks, and the one that does not


class Faulty:
    """A cluster whose parts reach each other through networks that fail, and two nodes."""

    def __init__(self, cluster: Cluster, networks: dict[str, Network]) -> None:
        self.cluster = cluster
        self.networks = networks
        self.nodes: tuple[Server, Server] = ()

    def make_nodes(self) -> tuple[Server, Server]:
        def address(pair: str) -> str:
            return f"127.0.0.1:{self.networks[pair].port}"

        through = {
            "graph__url": f"postgresql://novafeed@{address('serve-postgres')}/novafeed",
            "log__url": f"kafka://{address('serve-kafka')}",
            "cache__url": f"redis://default@{address('serve-redis')}/0",
            "olap__url": f"http://{address('serve-olap')}",
        }
        brokers = address("olap-kafka")
        return self.cluster.node(olap__brokers=brokers, **through), self.cluster.node(olap__brokers=brokers)

    def start(self) -> None:
        """What does not run."""
        self.cluster.up("postgres", "redis", "kafka", "connect", "olap")

    def kill(self, part: str) -> None:
        """-9, and waits for its end."""
        pid = self.cluster.processes()[part]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: "DIED" in self.state_of(part), f"{part} is dead")

    def state_of(self, part: str) -> str:
        return self.cluster.run("status", "--only", part, check=False).stdout

    @contextlib.contextmanager
    def load(self) -> Iterator[Load]:
        """Ends with everything healed."""
        with Load(self.nodes, random.SystemRandom().randrange(1 << 30)) as load:
            try:
                load.await_actions(30)
                yield load
                load.await_actions(30)
                for node in (THROUGH, BESIDE):
                    load.await_said(node, "done")
                    load.await_feed(node, "")
            except BaseException:
                self._mend()  # for the writers, who must come to an end, and for the next test
                raise
        load.await_healed(self.cluster.olap())
        for node in self.nodes:
            self.cluster.check(node)

    def _mend(self) -> None:
        for network in self.networks.values():
            network.heal()
        self.start()
        for node in self.nodes:
            if not node.running:
                node.kill()  # reaps it
                node.start()


def free_ports(count: int) -> list[int]:
    """Below what the system gives to outgoing connections: one of these would take the port of a server that is killed."""
    found: set[int] = set()
    while len(found) < count:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.add(port)
    return list(found)


@pytest.fixture(name="faulty", scope="module")
def start_faulty_cluster(engines) -> Iterator[Faulty]:
    names = ("postgres", "redis", "olap", "serve", "connect", "olap_reads")
    with contextlib.ExitStack() as stack:
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        ends = {
            "serve-postgres": "postgres", "connect-postgres": "postgres", "serve-redis": "redis", "serve-olap": "olap",
            "serve-kafka": "serve", "connect-kafka": "connect", "olap-kafka": "olap_reads",
        }
        networks = {pair: stack.enter_context(Network(ports[ends[pair]])) for pair in PAIRS}
        cluster = stack.enter_context(Cluster(stack.enter_context(scratch_directory("novafeed-faults-"))))
        listeners = " ".join(
            f"{ends[pair].upper()}={ports[ends[pair]]}={networks[pair].port}" for pair in PAIRS if pair.endswith("kafka")
        )
        cluster.data.mkdir()
        Path(cluster.data, "cluster.env").write_text(
            f"POSTGRES_PORT={ports['postgres']}\nREDIS_PORT={ports['redis']}\nOLAP_PORT={ports['olap']}\n"
            f"KAFKA_LISTENERS='{listeners}'\nCONNECT_KAFKA_PORT={networks['connect-kafka'].port}\n"
            f"CONNECT_POSTGRES_PORT={networks['connect-postgres'].port}\n",
            encoding="utf-8",
        )
        Path(cluster.data, "cluster.env").chmod(0o600)
        faulty = Faulty(cluster, networks)
        faulty.start()
        faulty.nodes = tuple(stack.enter_context(node) for node in faulty.make_nodes())
        yield faulty


def leads(node: Server) -> bool:
    return metric(node, "novafeed_leader") == 1


# --- kill -9, under write load.


@every_level
def test_killed_serve(faulty: Faulty, round_number):
    """The node that leads: another one takes its place, and it finds its own when it starts again."""
    with faulty.load() as load:
        leader = wait_until(lambda: next((node for node in faulty.nodes if leads(node)), None), "a node leads")
        number = faulty.nodes.index(leader)
        with load.restarting(number):
            leader.kill()
            load.await_said(number, "broken")
            load.await_actions(50)
            wait_until(lambda: leads(faulty.nodes[1 - number]), "the other node leads", 60)
            leader.start()


@every_level
def test_killed_kafka(faulty: Faulty, round_number):
    """Events are refused for the moment, everything else goes on; feeds say that they are not fresh."""
    with faulty.load() as load:
        faulty.kill("kafka")
        load.await_said(THROUGH, "log_unavailable")
        load.await_feed(THROUGH, "stale")
        faulty.cluster.up("kafka")


@every_level
def test_killed_connect(faulty: Faulty, round_number):
    """Writes are taken, feeds are not fresh, and the next Connect sends what the dead one has not."""
    with faulty.load() as load:
        faulty.kill("connect")
        load.await_feed(THROUGH, "stale")
        load.await_actions(20)
        faulty.cluster.up("connect")


@every_level
def test_killed_postgres(faulty: Faulty, round_number):
    """Writes are refused for the moment, feeds go on."""
    with faulty.load() as load:
        faulty.kill("postgres")
        load.await_said(THROUGH, "database_unavailable")
        load.await_feed(THROUGH, "stale")
        faulty.cluster.up("postgres")


@every_level
def test_killed_olap(faulty: Faulty, round_number):
    """Feeds and writes do not need it; the topics are landed behind what it had committed."""
    with faulty.load() as load:
        faulty.kill("olap")
        load.await_actions(100)
        faulty.cluster.up("olap")


@every_level
def test_killed_redis(faulty: Faulty, round_number):
    with faulty.load() as load:
        faulty.kill("redis")
        load.await_actions(100)
        faulty.cluster.up("redis")


# --- The network between each pair: cut, and slow. In the second round connections break off instead of standing still,
# in the third one the cut outlasts sessions (6 s) and what waits for others (30 s).


@contextlib.contextmanager
def cut(faulty: Faulty, pair: str, round_number: int) -> Iterator[Load]:
    with faulty.load() as load:
        faulty.networks[pair].cut(silent=round_number != 1)
        try:
            yield load
        finally:
            faulty.networks[pair].heal()


def await_lag(faulty: Faulty, load: Load, node: int, round_number: int, engine: str = "index") -> None:
    least = 35 if round_number == 2 else 6
    load.wait(
        lambda: metric(faulty.nodes[node], f"novafeed_{engine}_lag_seconds") > least, f"{engine} is {least} s behind"
    )


def metric(node: Server, name: str) -> float:
    """The sum over its labels."""
    with node.admin() as admin:
        lines = admin.get("/metrics").expect(200).text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


def warehouse_page(node: Server) -> Response:
    with node.client(scope="service") as client:
        headers = {"Novafeed-User": NOBODY}
        return client.request("GET", "/api/v1/feed", query={"engine": "warehouse"}, headers=headers)


@only_long
def test_cut_between_serve_and_postgres(faulty: Faulty, round_number):
    """One node cannot write, and leads no more; its feeds stay fresh, since these come from Kafka."""
    with cut(faulty, "serve-postgres", round_number) as load:
        load.await_refused(THROUGH)
        load.wait(lambda: leads(faulty.nodes[BESIDE]), "the other node leads")
        load.await_feed(THROUGH, "")
        load.await_actions(50)


@only_long
def test_cut_between_serve_and_kafka(faulty: Faulty, round_number):
    with cut(faulty, "serve-kafka", round_number) as load:
        load.await_said(THROUGH, "log_unavailable")
        load.await_feed(THROUGH, "stale")
        load.await_feed(BESIDE, "")
        await_lag(faulty, load, THROUGH, round_number)


@only_long
def test_cut_between_serve_and_redis(faulty: Faulty, round_number):
    with cut(faulty, "serve-redis", round_number) as load:
        load.wait(lambda: warehouse_page(faulty.nodes[THROUGH]).expect(200) and metric(
            faulty.nodes[THROUGH], "novafeed_redis_breaker_state") == 2, "the breaker is open")
        load.await_feed(THROUGH, "")
        load.await_actions(50)


@only_long
def test_cut_between_serve_and_olap(faulty: Faulty, round_number):
    with cut(faulty, "serve-olap", round_number) as load:
        load.wait(lambda: warehouse_page(faulty.nodes[THROUGH]).status == 503 or warehouse_page(
            faulty.nodes[THROUGH]).json()["degraded"], "the warehouse's answers say so")
        load.await_feed(THROUGH, "")
        load.await_actions(50)


@only_long
def test_cut_between_connect_and_postgres(faulty: Faulty, round_number):
    with cut(faulty, "connect-postgres", round_number) as load:
        for node in (THROUGH, BESIDE):
            load.await_feed(node, "stale")
        await_lag(faulty, load, THROUGH, round_number)


@only_long
def test_cut_between_connect_and_kafka(faulty: Faulty, round_number):
    with cut(faulty, "connect-kafka", round_number) as load:
        for node in (THROUGH, BESIDE):
            load.await_feed(node, "stale")
        await_lag(faulty, load, THROUGH, round_number)


@only_long
def test_cut_between_olap_and_kafka(faulty: Faulty, round_number):
    """The index goes on; the warehouse's answers say that they are old."""
    with cut(faulty, "olap-kafka", round_number) as load:
        load.wait(lambda: "stale" in warehouse_page(faulty.nodes[BESIDE]).expect(200).json()["degraded"], "it is stale")
        await_lag(faulty, load, BESIDE, round_number, "warehouse")
        load.await_feed(BESIDE, "")


@only_long
@pytest.mark.parametrize("pair", PAIRS)
def test_slow(faulty: Faulty, pair, round_number):
    """Everything goes on, later."""
    with faulty.load() as load:
        faulty.networks[pair].slow(delay=0.1 * (1 + round_number), bytes_per_second=250_000)
        try:
            load.await_actions(60)
            for node in (THROUGH, BESIDE):
                load.await_said(node, "done")
        finally:
            faulty.networks[pair].heal()


# --- The cache.


def redis(faulty: Faulty, *command: str) -> str:
    url = urlsplit(faulty.cluster.addresses()["REDIS_URL"])
    done = subprocess.run(
        ["redis-cli", "-p", str(url.port), *command], env={**os.environ, "REDISCLI_AUTH": url.password},
        capture_output=True, text=True, timeout=30, check=True,
    )
    return done.stdout


@only_long
def test_full_redis(faulty: Faulty, round_number):
    """Where it may not make room, what would be kept is not; it is counted, and answers are as good as without it."""
    with faulty.load() as load:
        redis(faulty, "CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "1")
        try:
            refused = metric(faulty.nodes[THROUGH], "novafeed_redis_failures_total")
            load.wait(lambda: warehouse_page(faulty.nodes[THROUGH]).expect(200) and metric(
                faulty.nodes[THROUGH], "novafeed_redis_failures_total") > refused, "refusals are counted")
            load.await_feed(THROUGH, "")
        finally:
            redis(faulty, "CONFIG", "SET", "maxmemory", "256mb", "maxmemory-policy", "allkeys-lru")


@only_long
def test_redis_that_is_too_slow(faulty: Faulty, round_number):
    """It is not waited for: the breaker opens, says so, and closes when Redis is quick again."""
    node = faulty.nodes[THROUGH]
    with faulty.load() as load:
        faulty.networks["serve-redis"].slow(delay=2)
        try:
            load.wait(lambda: warehouse_page(node).expect(200) and metric(node, "novafeed_redis_breaker_state") == 2,
                      "the breaker is open")
            assert '"redis_breaker"' in node.log()
            load.await_feed(THROUGH, "")
        finally:
            faulty.networks["serve-redis"].heal()
        load.wait(lambda: warehouse_page(node).expect(200) and metric(node, "novafeed_redis_breaker_state") == 0,
                  "the breaker is closed")
