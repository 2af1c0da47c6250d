"""The suite `cluster` of ./bench: the cluster profile on this machine, and the embedded one beside it, with the same
data and the same load. Needs what ./cluster installs."""

import contextlib
import os
import random
import subprocess
import threading
import time
from pathlib import Path

import legs
from system import BINARY, ROOT, SEED, VOID, Client, Server, numbered_id

SCALE = 0.005  # of the standard data set: 80,000 lines, which go through a node
QUICK_SCALE = 0.002
LIKES = 200
LIKE_EVERY = 0.3  # seconds
LAG_RATE = 1000  # events a second
LAG_SECONDS = 60
EMBEDDED_SHARE = 4  # of the likes and of the load's time: enough to compare with
BATCH = 100  # events
FRESH_MS = 2000  # like -> feed, P95
LAG_LIMIT = 10
MEMORY_LIMIT = 6 * 1024  # MiB
LOADED_SECONDS = 300


class Node:
    """One of the two that ./cluster has started."""

    def __init__(self, name, url, data):
        self.name = name
        self.url = url.rstrip("/")
        self.data = data / name

    @property
    def pid(self):
        return int((self.data.parent / "run" / f"{self.name}.pid").read_text().split()[0])


class Cluster:
    """What ./cluster runs in a folder, while the block lasts."""

    def __init__(self, folder):
        folder.chmod(0o711)  # PostgreSQL may run as another user
        self.data = folder / "cluster"

    def __enter__(self):
        try:
            self.run("up", "--no-demo")
            self.addresses = dict(line.split("=", 1) for line in self.run("env").splitlines())
        except BaseException:
            self.run("down")
            raise
        self.nodes = [Node(name, self.addresses[f"{name.upper()}_URL"], self.data) for name in ("node1", "node2")]
        return self

    def __exit__(self, *unused):
        self.run("down")

    def run(self, *arguments):
        done = subprocess.run([ROOT / "cluster", *arguments, "--data", self.data], capture_output=True, text=True,
                              env={**os.environ, "NOVAFEED_BINARY": str(BINARY)}, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"./cluster {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def token(self, scope):
        command = [BINARY, "token", "--data", self.nodes[0].data, "--user", "ext:bench", "--scope", scope]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def processes(self):
        """The first process of each part."""
        return {file.stem: int(file.read_text().split()[0]) for file in (self.data / "run").glob("*.pid")}


def proportional(pid):
    """Bytes of a process and of those that it began: what they share with others in parts (PSS)."""
    total = 0
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(proportional(int(child)) for child in (task / "children").read_text().split())
    return total


class Pipeline:
    """What a server says of its pipeline."""

    def __init__(self, server, token):
        self.client = Client(server, token)

    def state(self):
        return self.client.send("GET", "/api/v1/pipeline")

    def has(self, end):
        """Whether both engines have the log up to there."""
        state = self.state()
        applied = (state["index"]["applied"], state["warehouse"].get("applied") or {"changes": -1, "events": -1})
        return all(place["events"] >= end["events"] and place["changes"] >= end["changes"] for place in applied)

    def lags(self):
        state = self.state()
        return state["index"]["lag_seconds"], state["warehouse"]["lag_seconds"]


class LagWatch:
    """The worst lag of any consumer, in seconds, once a second while the block runs."""

    def __init__(self, pipelines):
        self.pipelines = pipelines
        self.index = self.warehouse = 0.0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.ended.set()
        self.thread.join()

    def watch(self):
        while not self.ended.wait(1):
            for pipeline in self.pipelines:
                index, warehouse = pipeline.lags()
                self.index, self.warehouse = max(self.index, index), max(self.warehouse, warehouse)


class ClusterSuite:
    """Prints by `bench`, whose data set, load generator and table it uses."""

    def __init__(self, bench):
        self.bench = bench
        self.scale = QUICK_SCALE if bench.quick else SCALE
        self.users = int(100_000 * self.scale)
        self.likes = 40 if bench.quick else LIKES
        self.lag_seconds = 10 if bench.quick else LAG_SECONDS
        self.seconds = 3 if bench.quick else 6

    def run(self):
        embedded = self.bench.copy_of(self.scale)
        with Server(embedded, warehouse=True) as server:
            server.wait_for_warehouse()
            olap = server.olap()
            address = f"http://reader:{olap.key}@{olap.address}"
            self.measure("embedded", [server], legs.System(server, server, server.token(), address))
            self.memory("embedded", {"serve and its engine": server.pid})
        with Cluster(self.bench.folder) as cluster:
            token = cluster.token("service")
            self.load_data(cluster, token)
            write, read = cluster.nodes
            system = legs.System(write, read, token, cluster.addresses["OLAP_URL"],
                                 cluster.addresses["KAFKA_URL"].removeprefix("kafka://"))
            self.measure("cluster", cluster.nodes, system)
            self.memory("cluster", cluster.processes(), at_most=MEMORY_LIMIT)

    def load_data(self, cluster, token):
        lines = self.bench.lines_of(self.scale)
        started = time.monotonic()
        subprocess.run([BINARY, "import", lines, "--url", cluster.nodes[0].url], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "NOVAFEED_TOKEN": cluster.token("admin")}, stderr=subprocess.DEVNULL)
        seconds = time.monotonic() - started
        with open(lines, "rb") as file:
            count = sum(1 for _ in file)
        self.bench.figure("cluster: import through a node", count / seconds, "lines/s", f"{count:,} lines, durable")
        drained = self.drain([Pipeline(node, token) for node in cluster.nodes])
        self.bench.figure("cluster: then, until all have it", drained, "s", "both nodes' index, and the warehouse")

    def measure(self, profile, servers, system):
        pipelines = [Pipeline(server, system.token) for server in servers]
        self.feeds(profile, servers[0], system.token)
        self.legs(profile, system)
        self.lag(profile, servers[0], system.token, pipelines)
        self.highest(profile, servers[0], system.token, pipelines)

    def figure(self, profile, name, value, unit, note="", at_most=None):
        """A must of the cluster alone: other suites hold the embedded profile to its own."""
        self.bench.figure(f"{profile}: {name}", value, unit, note, at_most=at_most if profile == "cluster" else None)

    def load(self, server, token, kind, rate, seconds, **options):
        return self.bench.load(server, token, kind, rate, seconds, scale=self.scale, **options)

    @staticmethod
    def drain(pipelines):
        """Seconds until both engines of all have what is in the log now."""
        started = time.monotonic()
        end = pipelines[0].state()["log"]
        while not all(pipeline.has(end) for pipeline in pipelines):
            if time.monotonic() - started > LOADED_SECONDS:
                raise RuntimeError(f"what is in the log does not arrive: {[one.state() for one in pipelines]}")
            time.sleep(0.1)
        return time.monotonic() - started

    # --- Feeds.

    def feeds(self, profile, server, token):
        for engine, connections in (("index", 16), ("warehouse", 4)):
            most = self.load(server, token, "feed", 0, self.seconds, connections=connections, query=f"engine={engine}")
            note = f"{connections} at a time, {most['cpu_us_per_answer']:.0f} us of its CPU each {most['note']}"
            self.figure(profile, f"feeds from the {engine}, closed loop", most["rate"], "feeds/s", note.strip())
            self.figure(profile, f"feed from the {engine} P95", most["p95_us"] / 1000, "ms", most["note"])

    # --- A like's way.

    def legs(self, profile, system):
        viewers = (numbered_id("u", number) for number in random.Random(SEED).sample(range(self.users), self.users))
        count = self.likes if profile == "cluster" else self.likes // EMBEDDED_SHARE
        likes = legs.follow_likes(system, viewers, count, LIKE_EVERY)
        for name, middle, late, seen in legs.rows(likes):
            lost = "" if seen == count else f"{VOID}: "
            note = f"{lost}{seen} of {count} likes"
            if name.startswith("like"):
                self.figure(profile, f"{name} P50", middle, "ms", note)
                self.figure(profile, f"{name} P95", late, "ms", note, at_most=FRESH_MS)
            else:
                self.figure(profile, f"  {name}, P95", late, "ms", f"P50 {middle:.0f} ms; {note}")

    # --- Events, and how far behind their consumers are.

    def lag(self, profile, server, token, pipelines):
        before = pipelines[0].state()["log"]["events"]
        seconds = self.lag_seconds if profile == "cluster" else self.lag_seconds // EMBEDDED_SHARE
        with LagWatch(pipelines) as watch:
            result = self.load(server, token, "events", LAG_RATE // BATCH, seconds, connections=16, batch=BATCH)
        taken = pipelines[0].state()["log"]["events"] - before
        note = result["note"]
        if not note and taken < 0.98 * LAG_RATE * seconds:
            note = f"{VOID}: {taken} events in the log"
        note = note or f"worst of {seconds} s of {LAG_RATE:,} events/s"
        self.figure(profile, "lag of the index", watch.index, "s", note, at_most=LAG_LIMIT)
        self.figure(profile, "lag of the warehouse", watch.warehouse, "s", note, at_most=LAG_LIMIT)
        self.figure(profile, "batch of 100 events P95", result["p95_us"] / 1000, "ms", note)

    def highest(self, profile, server, token, pipelines):
        """As many as it takes, and until both engines have them."""
        self.drain(pipelines)
        # A like's answer waits for its way through Debezium, so it takes many at a time.
        for kind, each, name, connections in (("events", BATCH, "events", 32), ("like", 1, "likes", 256)):
            started = time.monotonic()
            most = self.load(server, token, kind, 0, self.seconds, connections=connections, batch=BATCH)
            taken = time.monotonic() - started
            drained = self.drain(pipelines)
            self.figure(profile, f"durable {name}, closed loop", most["rate"] * each, f"{name}/s",
                        f"P95 {most['p95_us'] / 1000:.0f} ms {most['note']}".strip())
            arrived = most["rate"] * each * taken / (taken + drained)
            self.figure(profile, f"{name}, in both engines", arrived, f"{name}/s",
                        f"all of them {drained:.1f} s after the last {most['note']}".strip())

    # --- Memory.

    def memory(self, profile, processes, at_most=None):
        sizes = {name: proportional(pid) / 2**20 for name, pid in sorted(processes.items())}
        for name, size in sizes.items():
            self.figure(profile, f"memory of {name}", size, "MiB", "PSS, with the processes that it began")
        if len(sizes) > 1:
            self.figure(profile, "memory of all", sum(sizes.values()), "MiB", at_most=at_most)
