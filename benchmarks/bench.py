#!/usr/bin/env python3
"""The suites of ./bench. Standard library only; drives the release build from outside, like a user."""

import argparse
import http.client
import json
import os
import platform
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / "build/release/novafeed"
DATASET = ROOT / "build/release/bench/novafeed_standard_dataset"
LOAD = ROOT / "build/release/bench/novafeed_load"
SEED = 20_261_123
MASK = (1 << 64) - 1


def mix(value):
    """splitmix64, as in dataset.h."""
    value = (value + 0x9E3779B97F4A7C15) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def numbered_id(kind, number):
    """The id of the n-th user or post of the standard data set, as in dataset.h."""
    high = mix(SEED ^ (ord(kind) << 40) ^ number)
    low = mix(high ^ 0x5851F42D4C957F2D)
    return (f"{high >> 32:08x}-{high >> 16 & 0xFFFF:04x}-4{high & 0xFFF:03x}-"
            f"{0x8000 | (low >> 48 & 0x3FFF):04x}-{low & 0xFFFFFFFFFFFF:012x}")


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


class Server:
    """A `novafeed serve` on a data directory, pinned to the first core."""

    def __init__(self, data, core=0):
        self.data = Path(data)
        started = time.monotonic()
        self.process = subprocess.Popen(
            ["taskset", "-c", str(core), BINARY, "serve", "--listen", "127.0.0.1:0", "--data", self.data],
            stdout=subprocess.PIPE, stderr=open(self.data.parent / "serve.log", "ab"), text=True)
        for line in self.process.stdout:
            if line.startswith("ready "):
                self.url = line.split()[1]
                break
        else:
            raise RuntimeError(f"serve ended; see {self.data.parent / 'serve.log'}")
        self.ready_seconds = time.monotonic() - started

    def token(self, scope="service", user="00000000-0000-4000-8000-000000000001"):
        command = [BINARY, "token", "--data", self.data, "--user", user, "--scope", scope]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def memory(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def stop(self, with_signal=signal.SIGTERM):
        self.process.send_signal(with_signal)
        self.process.wait(60)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.stop()


class Client:
    """One kept connection with a service token."""

    def __init__(self, server, token):
        url = urllib.parse.urlparse(server.url)
        self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
        self.token = token

    def send(self, method, path, user=None, body=None):
        headers = {"Authorization": f"Bearer {self.token}"}
        if user:
            headers["Novafeed-User"] = user
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        self.connection.request(method, path, body=body, headers=headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text) if text else None


class Bench:
    def __init__(self, options, folder):
        self.scale = 0.05 if options.quick else 1.0
        self.folder = Path(folder)
        self.quick = options.quick
        self.figures = []
        self.data_sets = {}
        self.described = {}

    # --- Bookkeeping.

    def figure(self, name, value, unit, note=""):
        self.figures.append({"name": name, "value": value, "unit": unit, "note": note})
        shown = f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"
        print(f"  {name:<46} {shown:>14} {unit:<12} {note}", flush=True)

    def heading(self, name):
        print(f"{name}", flush=True)

    def load(self, server, token, kind, rate, seconds, **options):
        command = ["taskset", "-c", str(os.cpu_count() - 1), LOAD, "--url", server.url, "--token", token,
                   "--kind", kind, "--rate", str(rate), "--seconds", str(seconds),
                   "--scale", str(options.pop("scale", self.scale)), "--pid", str(server.process.pid)]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        bad = {status: n for status, n in result["statuses"].items() if not status.startswith("2")}
        if bad or result["broken"]:
            result["note"] = f"answers that were not 2xx: {bad}, broken {result['broken']}"
        elif rate and result["rate"] < 0.98 * rate:
            result["note"] = "VOID: the rate was not reached"
        else:
            result["note"] = ""
        return result

    def latencies(self, name, result):
        for part in ("p50", "p95", "p99"):
            self.figure(f"{name} {part.upper()}", result[f"{part}_us"] / 1000, "ms", result["note"])

    # --- Data sets.

    def imported(self, scale):
        """A data directory with the standard data set at a scale; imported once a run."""
        if scale in self.data_sets:
            return self.data_sets[scale]
        home = self.folder / f"scale-{scale}"
        home.mkdir()
        data, lines = home / "data", home / "lines.ndjson"
        end = int(time.time() * 1000)
        with open(lines, "wb") as out:
            made = subprocess.run([DATASET, "--scale", str(scale), "--end", str(end)], check=True, stdout=out,
                                  stderr=subprocess.PIPE, text=True)
        self.described[scale] = json.loads(made.stderr)
        count = sum(chunk.count(b"\n") for chunk in iter(lambda f=open(lines, "rb"): f.read(1 << 20), b""))
        started = time.monotonic()
        subprocess.run([BINARY, "import", lines, "--data", data], check=True, stdout=subprocess.DEVNULL,
                       stderr=open(home / "import.log", "wb"))
        seconds = time.monotonic() - started
        lines.unlink()
        self.data_sets[scale] = (data, count / seconds, count)
        return self.data_sets[scale]

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
        scale = min(self.scale, 0.2)
        home = self.folder / "memory"
        home.mkdir()
        end = int(time.time() * 1000)
        made = subprocess.run([DATASET, "--scale", str(scale), "--end", str(end)], check=True, capture_output=True)
        lines = made.stdout.splitlines(keepends=True)
        kinds = [("user", (b'"user",',)), ("post", (b'"post",',)), ("follow", (b'"follow",',)),
                 ("event", (b'"impression"', b'"view"', b'"share"', b'"like"'))]
        before = None
        for kind, marks in kinds:
            part = [line for line in lines if line.startswith(tuple(b'{"type":' + mark for mark in marks))]
            (home / "part.ndjson").write_bytes(b"".join(part))
            subprocess.run([BINARY, "import", home / "part.ndjson", "--data", home / "data"], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            with Server(home / "data"):
                pass  # makes the snapshot, so that the next start does not carry the memory of building
            with Server(home / "data") as server:
                memory = server.memory()
            if before is not None:
                self.figure(f"memory per {kind}", (memory - before) / len(part), "bytes", f"{len(part):,} of them")
            else:
                self.figure(f"memory per {kind}", memory / len(part), "bytes", "with the bare process")
            before = memory

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

    def suite_feed(self):
        with Server(self.copy_of(self.scale)) as server:
            token = server.token()
            most = self.load(server, token, "feed", 0, 8, connections=32)
            self.figure("feeds, closed loop", most["rate"], "feeds/s", f"one core each; {most['note']}")
            self.figure("CPU per feed", most["cpu_us_per_answer"], "us", f"{most['bytes_per_answer']:.0f} bytes")
            rate = int(most["rate"] * 0.7)
            paced = self.load(server, token, "feed", rate, 8, connections=64)
            self.latencies(f"feed at {rate}/s", paced)
            self.nginx(server, token, most)

    def nginx(self, server, token, feeds):
        """nginx serving a file of the same bytes, in the same run."""
        if not shutil.which("nginx"):
            print("  nginx is not installed: no comparison", flush=True)
            return
        home = self.folder / "nginx"
        (home / "html").mkdir(parents=True)
        body = json.dumps(Client(server, token).send("GET", "/api/v1/feed?limit=20", numbered_id("u", 1)))
        (home / "html/feed.json").write_text(body)
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
            command = ["taskset", "-c", str(os.cpu_count() - 1), LOAD, "--url", f"http://127.0.0.1:{port}", "--kind",
                       "get", "--path", "/feed.json", "--seconds", "5", "--connections", "32", "--pid", worker]
            result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            self.figure("nginx, a file of the same bytes", result["rate"], "answers/s", f"{len(body)} bytes")
            self.figure("feeds against nginx", feeds["rate"] / result["rate"], "ratio", "every request another viewer")
        finally:
            process.terminate()
            process.wait(10)

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
            self.figure("events, durable and applied", most["rate"] * 100, "events/s", f"batches of 100 {most['note']}")
            paced = self.load(server, token, "events", 20, 6, connections=16, batch=100)
            self.latencies("batch of 100 events at 2,000/s", paced)

    def suite_fresh(self):
        """Like -> the next read of a follower, and a deleted post's last showing, under 500 writes a second."""
        with Server(self.copy_of(self.scale)) as server:
            token = server.token()
            background = subprocess.Popen(
                [LOAD, "--url", server.url, "--token", token, "--kind", "like", "--rate", "500", "--seconds", "90",
                 "--scale", str(self.scale), "--connections", "16"], stdout=subprocess.DEVNULL)
            try:
                client = Client(server, token)
                chooser = random.Random(7)
                users = int(100_000 * self.scale)
                self.freshness("like -> next feed", client, chooser, users, 200)
                viewers = [numbered_id("u", chooser.randrange(users)) for _ in range(20)]
                for viewer in viewers:
                    client.send("GET", "/api/v1/feed", viewer)
                time.sleep(30)  # the measured thing: they were away
                self.freshness("like -> next feed, away for 30 s", client, chooser, users, 20, viewers)
                self.deletes(client, chooser, users, 50)
            finally:
                background.terminate()
                background.wait(10)

    def freshness(self, name, client, chooser, users, count, viewers=None):
        waits = []
        for turn in range(count):
            viewer = viewers[turn] if viewers else numbered_id("u", chooser.randrange(users))
            items = client.send("GET", "/api/v1/feed", viewer)["items"]
            if not items:
                continue
            post = items[-1]["post"]
            fan = client.send("POST", "/api/v1/users", None,
                              {"handle": f"fan-{time.monotonic_ns()}", "name": ""})["id"]
            started = time.monotonic()
            client.send("PUT", f"/api/v1/posts/{post['id']}/like", fan)
            while True:
                page = client.send("GET", "/api/v1/feed?limit=100", viewer)
                shown = [item["post"] for item in page["items"] if item["post"]["id"] == post["id"]]
                if shown and shown[0]["likes"] > post["likes"] or time.monotonic() - started > 10:
                    break
            waits.append((time.monotonic() - started) * 1000)
        self.figure(f"{name} P50", statistics.median(waits), "ms", f"{len(waits)} likes, 500 writes/s beside")
        self.figure(f"{name} P95", percentile(waits, 0.95), "ms", "target <= 250")

    def deletes(self, client, chooser, users, count):
        waits = []
        for _ in range(count):
            viewer = numbered_id("u", chooser.randrange(users))
            items = client.send("GET", "/api/v1/feed", viewer)["items"]
            post = items[0]["post"]["id"]
            started = time.monotonic()
            client.send("DELETE", f"/api/v1/posts/{post}")
            while any(item["post"]["id"] == post for item in client.send("GET", "/api/v1/feed", viewer)["items"]):
                if time.monotonic() - started > 10:
                    break
            waits.append((time.monotonic() - started) * 1000)
        self.figure("deleted post gone P95", percentile(waits, 0.95), "ms", "must <= 1,000")

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


SUITES = ("import", "memory", "restart", "feed", "writes", "events", "fresh", "scaling")


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

    with tempfile.TemporaryDirectory(prefix="novafeed-bench-", dir=os.environ.get("TMPDIR")) as folder:
        bench = Bench(options, folder)
        print(f"machine: {json.dumps(machine())}", flush=True)
        for name in options.suites or SUITES:
            bench.heading(name)
            getattr(bench, f"suite_{name}")()
        result = {"machine": machine(), "scale": bench.scale, "data": list(bench.described.values()),
                  "figures": bench.figures}
    for described in bench.described.values():
        print(f"data: {json.dumps(described)}")
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1) + "\n")
    else:
        print(json.dumps(result))


if __name__ == "__main__":
    sys.exit(main())
