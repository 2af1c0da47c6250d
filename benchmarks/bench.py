#!/usr/bin/env python3
"""The suites of ./bench. Standard library only; drives the release build from outside, like a user."""

import argparse
import contextlib
import itertools
import json
import os
import platform
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cluster_suite import ClusterSuite
from system import BINARY, ROOT, SEED, VOID, Client, Server, doubts, load_command, numbered_id, paced, percentile

DATASET = ROOT / "build/release/bench/novafeed_standard_dataset"
CACHE_MODEL = ROOT / "build/release/bench/novafeed_cache_model"
WARMUP_SECONDS = 1
LONGEST_SECONDS = 3600  # of a load that is ended by a signal
AWAY_SECONDS = 30
SEED_RATE = 10_000  # feeds a second, of the whole system that the seed describes


class Background:
    """Likes at a fixed rate beside a measurement: while the block runs. `note` says afterwards what was reached."""

    def __init__(self, server, token, scale, rate):
        self.rate = rate
        self.note = ""
        self.command = load_command(server.url, "like", LONGEST_SECONDS, token=token, rate=rate, scale=scale,
                                    connections=16, warmup=WARMUP_SECONDS)

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        time.sleep(WARMUP_SECONDS)  # its own warm-up is not measured either
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        out, _ = self.process.communicate(timeout=60)
        self.note = self.judge(json.loads(out)) if self.process.returncode == 0 else f"{VOID}: the load broke off"

    def judge(self, result):
        written = sum(n for status, n in result["statuses"].items() if status.startswith("2"))
        reached = result["rate"] * written / max(result["answers"], 1)  # a like of a deleted post is a 404
        # Over a long block the mean could hide a generator that fell behind while something was measured; a stall of the
        # disk that is made up for within half a second is not that.
        if reached < 0.98 * self.rate or result["worst_queue"] > self.rate / 2 or result["broken"]:
            return f"{VOID}: {reached:.0f} of {self.rate} writes/s beside, {result['worst_queue']} behind at worst"
        return f"{reached:.0f} writes/s beside"


def wait_for_feed(client, viewer, shown):
    """Reads the feed until `shown(posts by id)`, for at most ten seconds."""
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        page = client.send("GET", "/api/v1/feed?limit=100", viewer)
        if shown({item["post"]["id"]: item["post"] for item in page["items"]}):
            return


def like_and_wait(client, viewer, post):
    """Milliseconds from the like of a new user until the viewer's feed counts it."""
    fan = client.send("POST", "/api/v1/users", None, {"handle": f"fan-{time.monotonic_ns()}", "name": ""})["id"]
    before = client.send("GET", f"/api/v1/posts/{post}")["likes"]  # the load may have liked it since it was read
    started = time.monotonic()
    client.send("PUT", f"/api/v1/posts/{post}/like", fan)
    wait_for_feed(client, viewer, lambda posts: post in posts and posts[post]["likes"] > before)
    return (time.monotonic() - started) * 1000


def delete_and_wait(client, viewer, post):
    """Milliseconds from the deletion until the viewer's feed is without the post."""
    started = time.monotonic()
    client.send("DELETE", f"/api/v1/posts/{post}")
    wait_for_feed(client, viewer, lambda posts: post not in posts)
    return (time.monotonic() - started) * 1000


class Bench:
    def __init__(self, options, folder):
        self.scale = 0.05 if options.quick else 1.0
        self.users = int(100_000 * self.scale)
        self.folder = Path(folder)
        self.quick = options.quick
        self.figures = []
        self.data_sets = {}
        self.end = int(time.time() * 1000)  # of every data set
        self.described = {}

    # --- Bookkeeping.

    def figure(self, name, value, unit, note="", at_most=None, at_least=None):
        """`at_most` or `at_least` make it a must; a figure that is void meets none."""
        figure = {"name": name, "value": value, "unit": unit, "note": note}
        if at_most is not None or at_least is not None:
            figure["must"] = f"<= {at_most:,}" if at_most is not None else f">= {at_least:,}"
            within = value <= at_most if at_most is not None else value >= at_least
            figure["met"] = within and VOID not in note
            note = f"must {figure['must']}{'' if figure['met'] else ' MISSED'}; {note}".removesuffix("; ")
        self.figures.append(figure)
        shown = f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"
        print(f"  {name:<46} {shown:>14} {unit:<12} {note}", flush=True)

    def musts(self):
        """How many of the musts that were measured are met, and how many are missed."""
        met = [figure["met"] for figure in self.figures if "must" in figure]
        return {"met": sum(met), "missed": len(met) - sum(met)}

    def heading(self, name):
        print(f"{name}", flush=True)

    def load(self, server, token, kind, rate, seconds, **options):
        command = load_command(server.url, kind, seconds, token=token, rate=rate, pid=server.pid,
                               **{"scale": self.scale, **options})
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        result["note"] = doubts(result)
        return result

    def latencies(self, name, result, at_most=None):
        """`at_most`: what P95 must not exceed, in milliseconds."""
        for part in ("p50", "p95", "p99"):
            limit = at_most if part == "p95" else None
            self.figure(f"{name} {part.upper()}", result[f"{part}_us"] / 1000, "ms", result["note"], at_most=limit)

    # --- Data sets.

    def imported(self, scale):
        """A data directory with the standard data set at a scale; imported once a run."""
        if scale in self.data_sets:
            return self.data_sets[scale]
        home = self.folder / f"scale-{scale}"
        home.mkdir()
        data, lines = home / "data", self.lines_of(scale)
        count = sum(chunk.count(b"\n") for chunk in iter(lambda f=open(lines, "rb"): f.read(1 << 20), b""))
        started = time.monotonic()
        subprocess.run([BINARY, "import", lines, "--data", data], check=True, stdout=subprocess.DEVNULL,
                       stderr=open(home / "import.log", "wb"))
        seconds = time.monotonic() - started
        lines.unlink()
        self.data_sets[scale] = (data, count / seconds, count)
        return self.data_sets[scale]

    def lines_of(self, scale):
        """The standard data set at a scale, as a file for `novafeed import`; always the same in a run."""
        lines = self.folder / f"lines-{scale}.ndjson"
        with open(lines, "wb") as out:
            made = subprocess.run([DATASET, "--scale", str(scale), "--end", str(self.end)], check=True, stdout=out,
                                  stderr=subprocess.PIPE, text=True)
        self.described[scale] = json.loads(made.stderr)
        return lines

    def copy_of(self, scale):
        """A data directory that a suite may write into."""
        data, _, _ = self.imported(scale)
        copy = self.folder / f"copy-{len(list(self.folder.iterdir()))}" / "data"
        copy.parent.mkdir()
        shutil.copytree(data, copy)
        return copy

    # --- Suites.

    def suite_import(self):
        _, rate, count = self.imported(self.scale)
        self.figure("import", rate, "lines/s", f"{count:,} lines, durable")

    def suite_memory(self):
        """What one more user, post, follow and event costs in `serve`, by growing a data set kind by kind."""
        home = self.folder / "memory"
        home.mkdir()
        before = None
        for kind, (part, count) in self.lines_by_kind(home, min(self.scale, 0.2)).items():
            subprocess.run([BINARY, "import", part, "--data", home / "data"], check=True,
                           stdout=subprocess.DEVNULL, stderr=open(home / "import.log", "ab"))
            part.unlink()
            with Server(home / "data"):
                pass  # makes the snapshot, so that the next start does not carry the memory of building
            with Server(home / "data") as server:
                memory = server.memory()
            grown, note = (memory, "with the bare process") if before is None else (memory - before, "")
            self.figure(f"memory per {kind}", grown / count, "bytes", f"{count:,} of them {note}".strip())
            before = memory

    @staticmethod
    def lines_by_kind(home, scale):
        """The data set in one file for each kind, in the order in which they can be imported: (file, lines) by kind."""
        parts = {kind: home / f"{kind}.ndjson" for kind in ("user", "post", "follow", "event")}
        counts = dict.fromkeys(parts, 0)
        command = [DATASET, "--scale", str(scale), "--end", str(self.end)]
        with contextlib.ExitStack() as stack:
            files = {kind: stack.enter_context(open(part, "wb")) for kind, part in parts.items()}
            made = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
            for line in made.stdout:
                kind = line.split(b'"', 4)[3].decode()  # {"type":"...
                kind = kind if kind in parts else "event"
                files[kind].write(line)
                counts[kind] += 1
        if made.returncode != 0:
            raise RuntimeError(f"{DATASET} ended with {made.returncode}")
        return {kind: (part, counts[kind]) for kind, part in parts.items()}

    def suite_restart(self):
        data = self.copy_of(self.scale)
        with Server(data) as server:
            self.figure("start from the tables", server.ready_seconds, "s", "no snapshot yet")
            self.figure("memory of serve", server.memory() / 2**20, "MiB")
        with Server(data) as server:
            self.figure("start from the snapshot", server.ready_seconds, "s", "after SIGTERM")
            token = server.token()
            self.load(server, token, "like", 500, 5)
            server.stop(signal.SIGKILL)
        with Server(data) as server:
            self.figure("restart after kill -9", server.ready_seconds, "s", "2,500 writes since the snapshot")
            self.figure("memory of serve after restart", server.memory() / 2**20, "MiB")

    def suite_warehouse(self):
        """How it is filled, its source queries and feeds, and the start of the index from it."""
        data = self.copy_of(self.scale)
        with Server(data, warehouse=True) as server:
            self.fill_the_warehouse(server)
            self.source_queries(server.olap())
            self.warehouse_feeds(server)
            server.stop(signal.SIGKILL)
        (data / "index.snapshot").unlink(missing_ok=True)
        with Server(data, warehouse=True) as server:
            source = server.boot_source()
            note = "compared with SQL by sample" if source == "warehouse" else f"{VOID}: from the {source}"
            self.figure("start from the warehouse", server.ready_seconds, "s", note)
            self.figure("memory of serve, from the warehouse", server.memory() / 2**20, "MiB")

    def fill_the_warehouse(self, server):
        started = time.monotonic()
        server.wait_for_warehouse()
        seconds = time.monotonic() - started
        entries = sum(json.loads(server.ask_admin("/admin/status"))["log_end"].values())
        self.figure("rows into the warehouse", entries / seconds, "rows/s", f"{entries:,} entries of the log")
        olap = server.olap()
        self.figure("memory of the warehouse's engine", olap.memory() / 2**20, "MiB", "after that")
        for name, tables in (("events_raw", "name = 'events_raw'"), ("all tables", "1")):
            size = olap.number(f"(SELECT sum(total_bytes) FROM system.tables WHERE database = 'novafeed' AND {tables})")
            events = olap.number("(SELECT count() FROM novafeed.events_raw)")
            self.figure(f"disk per event, {name}", size / events, "bytes", f"{events:,} events")

    def source_queries(self, olap):
        """Each source alone: what one feed waits for, and the trending list that all share."""
        now = int(time.time() * 1000)
        chooser = random.Random(SEED)
        viewers = [numbered_id("u", number) for number in chooser.sample(range(self.users), 400)]
        for name, parameters in (("f1_follow", {}), ("f2_trending", {"hours": 2}), ("f2_trending", {"hours": 24}),
                                 ("f3_affinity", {})):
            sql = (ROOT / f"src/warehouse/sql/{name}.sql").read_text()
            label = name + (f" of {parameters['hours']} h" if parameters else "")

            def ask(viewer, sql=sql, parameters=parameters):
                started = time.monotonic()
                of_viewer = {} if parameters else {"viewer": viewer}
                olap.ask(sql, as_of=now, **parameters, **of_viewer)
                return (time.monotonic() - started) * 1000

            for callers in (1, 4):
                with ThreadPoolExecutor(callers) as pool:
                    times = list(pool.map(ask, viewers[callers * 20:callers * 20 + 50 * callers]))
                at_a_time = f"{label}, {callers} at a time"
                self.figure(f"{at_a_time} P50", statistics.median(times), "ms", f"{len(times)} queries")
                self.figure(f"{at_a_time} P95", percentile(times, 0.95), "ms", at_most=500)

    def warehouse_feeds(self, server):
        token = server.token()
        for connections in (1, 4):
            result = self.load(server, token, "feed", 0, 10, connections=connections, query="engine=warehouse")
            self.figure(f"warehouse feeds, {connections} at a time", result["rate"], "feeds/s", "closed loop")
            self.latencies(f"warehouse feed, {connections} at a time", result)

    def suite_cache(self):
        """The cache before the warehouse: its hit rate in simulated time, and how long hits and misses really take."""
        model = json.loads(subprocess.run([CACHE_MODEL], check=True, capture_output=True, text=True).stdout)
        note = f"{model['viewers']:,} viewers, Zipf 1.0, 3 pages a visit, 10,000 requests/s in simulated time"
        self.figure("cache hits, feed", 100 * model["hit_rate"], "%", note, at_least=90)
        self.figure("cache hits, hot posts", 100 * model["hot_hit_rate"], "%", "an hour of simulated time", at_least=90)
        self.figure("oldest counters, model", model["oldest_counters_ms"], "ms", f"{model['requests']:,} answers",
                    at_most=5000)
        with Server(self.copy_of(self.scale), warehouse=True, settings=["hot_posts.refresh_every=1s"]) as server:
            server.wait_for_warehouse()
            most = self.load(server, server.token(), "visits", 0, 30, connections=8, query="engine=warehouse", warmup=60)
            self.figure("cached feeds, 8 at a time", most["rate"], "feeds/s", self.share_of_hits(most))
            self.visits(server, most["rate"])
            self.hot_posts(server)

    def visits(self, server, closed_loop):
        """The highest rate, in steps of a tenth of the closed loop's, at which hits and misses are as quick as they must."""
        limits = (("hit", "hits", 150), ("miss", "misses", 800))
        for percent in range(80, 0, -10):
            rate = closed_loop * percent / 100
            visits = self.load(server, server.token(), "visits", rate, 40, connections=64, query="engine=warehouse")
            held = all(visits[part]["p95_us"] <= limit * 1000 for _, part, limit in limits)
            if held and not visits["note"]:
                break
        share = f"open loop, {percent} % of the closed loop; {self.share_of_hits(visits)}"
        self.figure("cached feeds, sustained", visits["rate"], "feeds/s", share)
        for name, part, limit in limits:
            answers = visits[part]
            self.figure(f"cache {name} P50", answers["p50_us"] / 1000, "ms", f"{answers['answers']:,} answers")
            self.figure(f"cache {name} P95", answers["p95_us"] / 1000, "ms", visits["note"], at_most=limit)
        self.figure("oldest counters", visits["oldest_counters_ms"], "ms", "of every answer", at_most=5000)

    @staticmethod
    def share_of_hits(visits):
        return f"{100 * visits['hits']['answers'] / max(visits['answers'], 1):.0f} % hits {visits['note']}".strip()

    def hot_posts(self, server):
        """The job that makes the list of the last two hours, in the warehouse."""
        times = []
        for _ in range(10):
            time.sleep(1)  # its period here
            found = re.search(r'^novafeed_job_last_seconds\{job="hot_posts"\} (\S+)$', server.ask_admin("/metrics"),
                              re.MULTILINE)
            times.append(float(found[1]) * 1000)
        self.figure("refresh of hot posts", max(times), "ms", f"the worst of {len(times)} runs", at_most=2000)

    def suite_suggest(self):
        """Suggested users by both engines, for anybody and for who follows whom most follow."""
        with Server(self.copy_of(self.scale), warehouse=True) as server:
            server.wait_for_warehouse()
            client = Client(server, server.token())
            chooser = random.Random(SEED)
            anybody = [numbered_id("u", number) for number in chooser.sample(range(self.users), 200)]
            for engine in ("index", "warehouse"):
                for who, viewers in (("anybody", anybody), ("followers of celebrities", self.fans(client))):
                    self.suggestions(client, engine, who, viewers)

    @staticmethod
    def fans(client):
        """Ten followers of each of the ten users whom most follow: somebody unknown is shown these."""
        nobody = "00000000-0000-4000-8000-000000000000"
        shown = client.send("GET", "/api/v1/discover/suggested-users?limit=10", nobody)["users"]
        lists = [client.send("GET", f"/api/v1/users/{item['user']['id']}/followers?limit=10") for item in shown]
        return [user["id"] for page in lists for user in page["users"]]

    def suggestions(self, client, engine, who, viewers):
        times, size = [], 0
        for viewer in viewers:
            started = time.monotonic()
            size += len(client.send_raw("GET", f"/api/v1/discover/suggested-users?explain=1&engine={engine}", viewer))
            times.append((time.monotonic() - started) * 1000)
        name = f"suggestions, {engine}, {who}"
        self.figure(f"{name} P50", statistics.median(times), "ms", f"{len(times)} viewers, {size // len(times)} bytes")
        self.figure(f"{name} P95", percentile(times, 0.95), "ms", at_most=300)

    def suite_feed(self):
        with Server(self.copy_of(self.scale)) as server:
            token = server.token()
            most = self.load(server, token, "feed", 0, 8, connections=32)
            self.figure("feeds, closed loop", most["rate"], "feeds/s", f"one core each; {most['note']}")
            self.figure("CPU per feed", most["cpu_us_per_answer"], "us", f"{most['bytes_per_answer']:.0f} bytes")
            rate = int(most["rate"] * 0.7)
            paced = self.load(server, token, "feed", rate, 8, connections=64)
            self.latencies(f"feed at {rate}/s", paced, at_most=800)
            for limit in (10, 800):
                self.highest_rate(server, token, most["rate"], limit)
            self.nginx(server, token, most)

    def highest_rate(self, server, token, closed_loop, limit):
        """In steps of 5 % of the closed loop's rate: open loop, every request another viewer, P95 within the limit."""
        for percent in range(110, 0, -5):
            result = self.load(server, token, "feed", int(closed_loop * percent / 100), 5, connections=128)
            if not result["note"] and result["p95_us"] <= limit * 1000:
                share = 100 * result["rate"] / SEED_RATE
                self.figure(f"feeds with P95 <= {limit} ms", result["rate"], "feeds/s",
                            f"open loop, one server core: {share:.0f} % of the seed's {SEED_RATE:,}/s")
                return
        self.figure(f"feeds with P95 <= {limit} ms", 0, "feeds/s", f"{VOID}: at no rate")

    def nginx(self, server, token, feeds):
        """nginx serving the bytes of a typical answer, in the same run."""
        if not shutil.which("nginx"):
            print("  nginx is not installed: no comparison", flush=True)
            return
        home = self.folder / "nginx"
        (home / "html").mkdir(parents=True)
        (home / "html/feed.json").write_bytes(self.typical_feed(Client(server, token)))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        (home / "nginx.conf").write_text(f"""
            user {os.environ.get('USER', 'root')}; worker_processes 1; daemon off; pid {home}/pid; error_log {home}/error.log;
            events {{ worker_connections 1024; }}
            http {{ access_log off; open_file_cache max=10; keepalive_requests 1000000000; default_type application/json;
                    server {{ listen 127.0.0.1:{port}; root {home}/html; }} }}""")
        process = subprocess.Popen(["taskset", "-c", "0", "nginx", "-p", home, "-c", home / "nginx.conf"])
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.02)
            worker = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()[0]
            command = load_command(f"http://127.0.0.1:{port}", "get", 5, path="/feed.json", connections=32, pid=worker)
            result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            sizes = f"{result['bytes_per_answer']:.0f} bytes an answer, the feeds {feeds['bytes_per_answer']:.0f}"
            self.figure("nginx, a file with a typical feed", result["rate"], "answers/s", f"{sizes} {doubts(result)}")
            self.figure("feeds against nginx", feeds["rate"] / result["rate"], "ratio", "every request another viewer")
        finally:
            process.terminate()
            process.wait(10)

    def typical_feed(self, client):
        """Of the answers to 200 viewers the one whose size is nearest to their mean."""
        chooser = random.Random(SEED)
        viewers = [numbered_id("u", chooser.randrange(self.users)) for _ in range(200)]
        feeds = [client.send_raw("GET", "/api/v1/feed?limit=20", viewer) for viewer in viewers]
        mean = statistics.mean(map(len, feeds))
        return min(feeds, key=lambda feed: abs(len(feed) - mean))

    def suite_writes(self):
        with Server(self.copy_of(self.scale)) as server:
            token = server.token()
            most = self.load(server, token, "like", 0, 6, connections=64)
            self.figure("durable likes, closed loop", most["rate"], "writes/s", most["note"])
            paced = self.load(server, token, "like", 500, 6, connections=64)
            self.latencies("durable like at 500/s", paced)

    def suite_events(self):
        with Server(self.copy_of(self.scale)) as server:
            token = server.token()
            most = self.load(server, token, "events", 0, 6, connections=16, batch=100)
            self.figure("events, durable and applied", most["rate"] * 100, "events/s",
                        f"batches of 100 {most['note']}", at_least=1000)
            paced = self.load(server, token, "events", 20, 6, connections=16, batch=100)
            self.latencies("batch of 100 events at 2,000/s", paced)

    def suite_fresh(self):
        """Like -> the next read of a follower, and a deleted post's last showing, under 500 writes a second."""
        with Server(self.copy_of(self.scale)) as server:
            token = server.token()
            client = Client(server, token)
            readers = self.readers(client)

            with Background(server, token, self.scale, 500) as beside:
                waits = [like_and_wait(client, *place) for place in paced(0.05, itertools.islice(readers, 200))]
            self.freshness("like -> next feed", waits, beside.note)

            with Background(server, token, self.scale, 500) as beside:
                away = list(itertools.islice(readers, 100))
                time.sleep(AWAY_SECONDS)  # the measured thing: they read nothing meanwhile
                waits = [like_and_wait(client, *place) for place in paced(0.05, away)]
            self.freshness(f"like -> next feed, away for {AWAY_SECONDS} s", waits, beside.note)

            with Background(server, token, self.scale, 500) as beside:
                waits = [delete_and_wait(client, *place) for place in paced(0.1, itertools.islice(readers, 50))]
            self.figure("deleted post gone, worst", max(waits), "ms", f"{len(waits)} deletes, {beside.note}",
                        at_most=1000)

    def freshness(self, name, waits, note):
        self.figure(f"{name} P50", statistics.median(waits), "ms", f"{len(waits)} likes, {note}")
        self.figure(f"{name} P95", percentile(waits, 0.95), "ms", note, at_most=250)

    def readers(self, client):
        """Viewers in a random order, each once and read once, with the last post of their first page; none without."""
        for number in random.Random(SEED).sample(range(self.users), self.users):
            viewer = numbered_id("u", number)
            items = client.send("GET", "/api/v1/feed", viewer)["items"]
            if items:
                yield viewer, items[-1]["post"]["id"]

    def suite_scaling(self):
        """CPU of a feed depends on its candidates, not on the data: the same small world inside both data sets."""
        costs = {}
        for scale in (self.scale / 20, self.scale):
            with Server(self.copy_of(scale)) as server:
                token = server.token()
                viewer = self.small_world(Client(server, token))
                runs = []
                for _ in range(5):
                    result = self.load(server, token, "viewer", 0, 2, connections=8, path=viewer)
                    runs.append(result["cpu_us_per_answer"])
                costs[scale] = statistics.median(runs)
                self.figure(f"CPU per feed at {scale:g} of the data set", costs[scale], "us",
                            "one viewer with 300 candidates, median of 5")
        small, large = costs[self.scale / 20], costs[self.scale]
        self.figure("full against 1/20", large / small, "ratio", "target <= 2")

    @staticmethod
    def small_world(client):
        """A new viewer who follows three new authors with 100 posts each."""
        stamp = time.monotonic_ns()

        def new_user(name):
            return client.send("POST", "/api/v1/users", None, {"handle": f"{name}-{stamp}", "name": ""})["id"]

        viewer = new_user("viewer")
        for number in range(3):
            author = new_user(f"author{number}")
            client.send("PUT", f"/api/v1/users/{author}/follow", viewer)
            for post in range(100):
                client.send("POST", "/api/v1/posts", author, {"text": f"Post {post} of a small world."})
        return viewer

    def suite_cluster(self):
        """The cluster profile on this machine, and the embedded one beside it."""
        ClusterSuite(self).run()


SUITES = ("import", "memory", "restart", "feed", "writes", "events", "fresh", "scaling", "suggest", "warehouse", "cache",
          "cluster")


def machine():
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    return {"cpu": model, "cores": os.cpu_count(), "system": platform.platform(), "load": os.getloadavg()[0]}


def main():
    parser = argparse.ArgumentParser(prog="./bench", description="Measures Novafeed on the standard data set.")
    parser.add_argument("--quick", action="store_true", help="1/20 of the data set")
    parser.add_argument("--json", metavar="FILE", help="write the figures as one JSON object")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"any of {', '.join(SUITES)} (default: all)")
    options = parser.parse_args()
    unknown = set(options.suites) - set(SUITES)
    if unknown:
        parser.error(f"unknown suite {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started ends with it
    with tempfile.TemporaryDirectory(prefix="novafeed-bench-", dir=os.environ.get("TMPDIR")) as folder:
        bench = Bench(options, folder)
        print(f"machine: {json.dumps(machine())}", flush=True)
        for name in options.suites or SUITES:
            bench.heading(name)
            getattr(bench, f"suite_{name}")()
        musts = bench.musts()
        result = {"machine": machine(), "scale": bench.scale, "data": list(bench.described.values()),
                  "figures": bench.figures, "musts": musts}
    for described in bench.described.values():
        print(f"data: {json.dumps(described)}")
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1) + "\n")
    else:
        print(json.dumps(result))
    print(f"musts: {musts['met']} met, {musts['missed']} missed")
    return 1 if musts["missed"] else 0


if __name__ == "__main__":
    sys.exit(main())
