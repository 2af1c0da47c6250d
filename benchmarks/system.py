"""What ./bench drives: servers, engines and the load generator, from outside, like a user. Standard library only."""

import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / "build/release/novafeed"
LOAD = ROOT / "build/release/bench/novafeed_load"
SEED = 20_261_123
MASK = (1 << 64) - 1
VOID = "VOID"  # begins the note of a figure that shows nothing, because the load was not what it should be


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
    """A `novafeed serve` on a data directory, pinned to the first core; with a warehouse, it and its engine have all."""

    def __init__(self, data, core=0, warehouse=False, settings=()):
        self.data = Path(data)
        started = time.monotonic()
        self.process = subprocess.Popen(
            ["taskset", "-c", f"0-{os.cpu_count() - 1}" if warehouse else str(core), BINARY, "serve",
             "--listen", "127.0.0.1:0", "--data", self.data,
             "--set", f"warehouse.engine={'chdb' if warehouse else 'off'}",
             *(part for setting in settings for part in ("--set", setting))],
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

    def ask_admin(self, path):
        """What the admin listener answers."""
        url = json.loads((self.data / "serve.json").read_text())["admin_url"]
        request = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {self.token('admin')}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    def boot_source(self):
        """What the index came to life from."""
        boots = re.findall(r'^novafeed_index_boots_total\{.*source="(\w+)"\} 1$', self.ask_admin("/metrics"), re.MULTILINE)
        return boots[0]

    def wait_for_warehouse(self):
        """Until it has the whole log."""
        while True:
            status = json.loads(self.ask_admin("/admin/status"))
            if status["warehouse"].get("applied") == status["log_end"]:
                return
            time.sleep(1)

    @property
    def pid(self):
        return self.process.pid

    def memory(self):
        return resident(self.pid)

    def olap(self):
        """Its warehouse's engine: an Olap."""
        return Olap(self.data)

    def stop(self, with_signal=signal.SIGTERM):
        self.process.send_signal(with_signal)
        self.process.wait(60)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.stop()


class Olap:
    """The engine beside a Server, asked as the warehouse asks it: a kept connection for each thread."""

    def __init__(self, data):
        served = json.loads((data / "olap/serve.json").read_text())
        self.pid = served["pid"]
        self.address = urllib.parse.urlparse(served["url"]).netloc
        self.key = json.loads((data / "olap.json").read_text())["reader"]
        self.kept = threading.local()

    def ask(self, sql, **parameters):
        """The bytes of the answer in RowBinary."""
        if not hasattr(self.kept, "connection"):
            self.kept.connection = http.client.HTTPConnection(self.address, timeout=30)
        values = {f"param_{name}": value for name, value in parameters.items()}
        values |= {"default_format": "RowBinary", "optimize_move_to_prewhere_if_final": 1}  # as the engine of candidates asks
        headers = {"X-ClickHouse-User": "reader", "X-ClickHouse-Key": self.key}
        self.kept.connection.request("POST", f"/?{urllib.parse.urlencode(values)}", sql, headers)
        answer = self.kept.connection.getresponse()
        rows = answer.read()
        if answer.status != 200:
            raise RuntimeError(rows[:300])
        return rows

    def number(self, sql):
        return int.from_bytes(self.ask(f"SELECT assumeNotNull(toUInt64({sql}))"), "little")

    def memory(self):
        return resident(self.pid)


def resident(pid):
    """Bytes of a process in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


class Refused(RuntimeError):
    """An answer that is an error."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Client:
    """One kept connection with a service token."""

    def __init__(self, server, token):
        url = urllib.parse.urlparse(server.url)
        self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
        self.token = token

    def send(self, method, path, user=None, body=None):
        text = self.send_raw(method, path, user, body)
        return json.loads(text) if text else None

    def send_raw(self, method, path, user=None, body=None):
        """The bytes of the answer; Refused where it is an error."""
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
            raise Refused(answer.status, f"{method} {path}: {answer.status} {text[:300]!r}")
        return text


def load_command(url, kind, seconds, **options):
    """The load generator, pinned to the last core; what it prints is one JSON object."""
    command = ["taskset", "-c", str(os.cpu_count() - 1), LOAD, "--url", url, "--kind", kind, "--seconds", str(seconds)]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    return command


def doubts(result):
    """What is wrong with a run of the load generator; empty where nothing is."""
    bad = {status: n for status, n in result["statuses"].items() if not status.startswith("2")}
    if bad or result["broken"]:
        return f"{VOID}: answers that were not 2xx: {bad}, broken {result['broken']}"
    if result["rate"] < 0.98 * result["rate_wanted"]:
        return f"{VOID}: {result['rate']:.0f}/s instead of {result['rate_wanted']}"
    return ""


def paced(seconds, items):
    """The items, one in so many seconds: a measurement has to last for the load beside it to have a rate."""
    due = time.monotonic()
    for item in items:
        time.sleep(max(0, due - time.monotonic()))
        yield item
        due += seconds
