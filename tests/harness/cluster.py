"""A cluster under test: what ./cluster runs, SQL in its PostgreSQL, messages of its Kafka."""

from __future__ import annotations

import contextlib
import importlib
import os
import subprocess
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from harness.cli import CHECKOUT, binary, novafeed
from harness.olap import OlapClient
from harness.server import Server
from harness.waiting import wait_until

COMMAND_SECONDS = 300  # a command that takes longer hangs
ENGINES = ("postgres", "redis", "kafka", "connect", "olap")
MESSAGE_SECONDS = 60  # after that, a message that is missing does not come
CATCH_UP_SECONDS = 120  # a node, or the warehouse, that is behind for longer does not come


class Message(NamedTuple):
    """As it stands on its topic; what is no text with U+FFFD in it."""

    key: str
    value: str


class Cluster:
    """
    with Cluster(folder) as cluster:
        cluster.up("postgres", "redis")

    PostgreSQL may run as another user, so everybody may pass through the folder. All parts end with the block, and with
    the process that has begun it, however that ends.
    """

    def __init__(self, folder: str | Path) -> None:
        Path(folder).chmod(0o711)
        self.data = Path(folder, "cluster")
        self._guard: subprocess.Popen[str] | None = None

    def __enter__(self) -> Cluster:
        # Waits for the end of its input, which is the end of this process at the latest.
        command = ["/bin/sh", "-c", 'cat >/dev/null; exec "$CLUSTER" down --data "$DATA"']
        self._guard = subprocess.Popen(
            command, env={**os.environ, "CLUSTER": str(CHECKOUT / "cluster"), "DATA": str(self.data)},
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        _, errors = self._guard.communicate(timeout=COMMAND_SECONDS)
        assert self._guard.returncode == 0, errors

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """With `check`, an exit status other than 0 is an AssertionError with what was printed."""
        command = [CHECKOUT / "cluster", *arguments, "--data", self.data]
        environment = {**os.environ, "NOVAFEED_BINARY": binary()}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
        if check and done.returncode != 0:
            said = f"{done.stdout}{done.stderr}"
            raise AssertionError(f"./cluster {' '.join(arguments)} ended with {done.returncode}\n{said}")
        return done

    def up(self, *parts: str) -> None:
        """All engines where none is named, and no node."""
        self.run("up", "--only", ",".join(parts or ENGINES))

    def node(self, **settings: object) -> Server:
        """A `serve` of this cluster, with a data directory of its own; begin it with `with`."""
        flags = ("--config", str(self.data / "conf" / "serve.toml"))
        wanted = {"warehouse.engine": "chdb", **{name.replace("__", "."): value for name, value in settings.items()}}
        return Server(flags=flags, settings=wanted, keys=self.data / "keys")

    def check(self, node: Server) -> None:
        """Until the node's index and the warehouse hold all that the log holds now; then `novafeed check` agrees."""
        await_caught_up(node)
        done = novafeed("check", "--data", node.data, check=False)
        assert done.returncode == 0, f"novafeed check: {done.returncode}\n{done.stdout}{done.stderr}"

    def olap(self) -> OlapClient:
        """The ClickHouse node, as the user who may do everything."""
        url = urlsplit(self.addresses()["OLAP_URL"])
        return OlapClient(f"http://{url.hostname}:{url.port}", url.username, url.password)

    def addresses(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.run("env").stdout.splitlines())

    def processes(self) -> dict[str, int]:
        """Of the parts that were started."""
        return {file.stem: int(file.read_text().split()[0]) for file in (self.data / "run").glob("*.pid")}

    def sql(self, statements: str, superuser: bool = False) -> str:
        """As the owner of the graph; each statement is a transaction, unless they say BEGIN. Answers what psql does."""
        url = urlsplit(self.addresses()["POSTGRES_ADMIN_URL" if superuser else "POSTGRES_URL"])
        where = {"PGHOST": url.hostname, "PGPORT": str(url.port), "PGDATABASE": url.path[1:], "PGUSER": url.username}
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        environment = {**os.environ, **where, "PGPASSWORD": url.password}
        done = subprocess.run(
            command, input=statements, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def messages(self, topic: str, count: int, start: int = 0) -> list[Message]:
        """`count` messages of a topic with one partition, from the offset `start`; AssertionError if fewer come."""
        deadline = time.monotonic() + MESSAGE_SECONDS
        found = []
        with self._consumer() as (consumer, partition_of):
            consumer.assign([partition_of(topic, 0, start)])
            while len(found) < count:
                assert time.monotonic() < deadline, f"{topic}: {len(found)} of {count} messages came: {found[-3:]}"
                message = consumer.poll(0.2)
                if message is not None and message.error() is None:
                    found.append(Message((message.key() or b"").decode(), (message.value() or b"").decode(errors="replace")))
        return found

    def put(self, topic: str, value: bytes, partition: int = 0, headers: dict[str, str] | None = None) -> int:
        """Puts a message there, as any client of Kafka can; returns its offset."""
        library = importlib.import_module("confluent_kafka")
        producer = library.Producer({"bootstrap.servers": self.addresses()["KAFKA_URL"].removeprefix("kafka://")})
        offsets = []

        def delivered(error, message) -> None:
            assert error is None, error
            offsets.append(message.offset())

        producer.produce(topic, value, partition=partition, headers=headers or {}, on_delivery=delivered)
        producer.flush(MESSAGE_SECONDS)
        assert offsets, f"{topic} took no message within {MESSAGE_SECONDS} s"
        return offsets[0]

    def end_of(self, topic: str, partition: int = 0) -> int:
        """The offset behind the last message of a partition."""
        with self._consumer() as (consumer, partition_of):
            return consumer.get_watermark_offsets(partition_of(topic, partition), timeout=MESSAGE_SECONDS)[1]

    @contextlib.contextmanager
    def _consumer(self):
        library = importlib.import_module("confluent_kafka")  # Debian's: only who runs a cluster has it
        brokers = self.addresses()["KAFKA_URL"].removeprefix("kafka://")
        settings = {"bootstrap.servers": brokers, "group.id": "novafeed-test", "enable.auto.commit": False}
        consumer = library.Consumer(settings)
        try:
            yield consumer, library.TopicPartition
        finally:
            consumer.close()


def await_caught_up(node: Server) -> None:
    """Until the node's index and the warehouse, where there is one, hold what the log holds when this begins."""
    with node.admin() as admin:
        end = admin.get("/admin/status").expect(200).json()["log_end"]

        def holds_all() -> bool:
            status = admin.get("/admin/status").expect(200).json()
            applied = [status["applied"], status["warehouse"].get("applied", end)]
            return all(at["changes"] >= end["changes"] and at["events"] >= end["events"] for at in applied)

        wait_until(holds_all, "index and warehouse hold what the log held", CATCH_UP_SECONDS)
