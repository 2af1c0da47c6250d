"""The demo command: a network as lines, in a directory, in a server; and its people, who go on doing things."""

import http.server
import itertools
import json
import os
import re
import signal
import sqlite3
import statistics
import subprocess
import threading
import time
from collections import Counter

import pytest

from harness import Server, binary, novafeed, wait_until
from program.conftest import ACTIONS, NOON, write_ndjson

FAILED, USAGE = 1, 2
EVENING = NOON + 7 * 3_600_000  # when people do most
SMALL = ("--users", 20, "--as-of", NOON)


def refused(*arguments: object) -> tuple[int, str]:
    done = novafeed("demo", *arguments, check=False)
    lines = done.stderr.splitlines()
    assert done.stdout == "" and len(lines) == 1, done
    return done.returncode, lines[0]


def counts(data) -> dict[str, int]:
    """Rows that there are of each kind, from the files of a server that may run."""
    with sqlite3.connect(f"file:{data}/graph.db?mode=ro", uri=True) as graph:
        rows = {name: graph.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}
        # People unfollow as often as they follow: the last follow that was made tells whether they do.
        rows["follows"] = graph.execute("SELECT max(incarnation) FROM follows").fetchone()[0]
    with sqlite3.connect(f"file:{data}/events.db?mode=ro", uri=True) as events:
        rows["events"] = events.execute("SELECT count(*) FROM events").fetchone()[0]
    return rows


TABLES = ("posts", "likes", "comments")


def await_growth(data, before: dict[str, int]) -> None:
    """Until there is more of everything."""
    wait_until(
        lambda: (now := counts(data)) and all(now[name] > before[name] for name in before), "more of everything", 60, 0.2
    )


# --- The network ---


def test_the_same_seed_and_instant_give_the_same_lines_and_all_of_them_are_taken(directory):
    first = novafeed("demo", "--out", "-", *SMALL).stdout
    assert first == novafeed("demo", "--out", "-", *SMALL).stdout
    assert first != novafeed("demo", "--out", "-", *SMALL, "--seed", 2).stdout
    file = directory / "demo.ndjson"
    novafeed("demo", "--out", file, *SMALL)
    assert file.read_text(encoding="utf-8") == first
    kinds = {json.loads(line)["type"] for line in first.splitlines()}
    assert kinds == {"user", "follow", "post", "impression", "view", "like", "comment", "share"}
    novafeed("import", file, "--data", directory / "data")  # exit status 0: no line is bad


def test_a_directory_is_filled_once_and_served_as_a_demo(directory):
    data = directory / "data"
    said = novafeed("demo", "--data", data, *SMALL, "--seed", 5).stdout
    assert "20 people, 250 posts" in said and "seed 5" in said
    before = counts(data)
    assert novafeed("demo", "--data", data, "--seed", 5, "--users", 20).stdout == said
    status, sentence = refused("--data", data, "--seed", 6, "--users", 20)
    assert status == FAILED and "seed 5" in sentence
    assert counts(data) == before
    with Server(data, flags=("--demo",)) as server, server.anonymous() as client:
        assert len(client.get("/demo/users", limit=100).expect(200).json()["users"]) == 20
        assert counts(data) == before


@pytest.mark.parametrize("hour", [6, 12, 20])
def test_no_author_fills_a_feed(directory, hour):
    """Most posts of one author among the first 20 of a feed, over 100 viewers of the network that a demo shows."""
    as_of = NOON + (hour - 12) * 3_600_000
    novafeed("demo", "--data", directory / "data", "--as-of", as_of)
    actions = map(json.loads, novafeed("demo", "--out", "-", "--as-of", as_of).stdout.splitlines())
    viewers = directory / "viewers"
    people = (action["id"] for action in actions if action["type"] == "user")
    viewers.write_text("".join(f"ext:{name}\n" for name in itertools.islice(people, 100)), encoding="utf-8")
    rankings = novafeed("rank", "--data", directory / "data", "--users", viewers, "--as-of", as_of).stdout.splitlines()
    authors = [Counter(item["author_id"] for item in json.loads(ranking)["items"][:20]) for ranking in rankings]
    assert len(authors) == 100 and all(feed.total() == 20 for feed in authors)
    most = sorted(max(feed.values()) for feed in authors)
    assert statistics.median(most) <= 5 and most[89] <= 8, most


def test_a_directory_of_others_is_refused(imported):
    status, sentence = refused("--data", imported)
    assert status == FAILED and "no demo made" in sentence


def test_a_server_gets_the_network_once(directory):
    with Server(directory / "data", settings={"serve.drain_grace": "1s"}) as server:
        there = ("--url", server.url, "--token", server.token(scope="admin"))
        send = ("demo", *there, "--users", 20)
        novafeed(*send)
        before = counts(server.data)
        assert before["posts"] == 250
        again = novafeed(*send)
        assert counts(server.data) == before, again.stdout
        for other in (("--seed", 2, "--users", 20), ("--users", 19), ("--users", 21)):
            status, sentence = refused(*there, *other)
            assert status == FAILED and "another --seed or --users" in sentence, sentence
        assert counts(server.data) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--live"], "--url"),
        (["--url", "http://127.0.0.1:1"], "--token"),
        (["--users", 9], "10 to 1500"),
        (["--users", 1501], "10 to 1500"),
        (["--out", "-", "--live"], "--live"),
        (["--out", "-", "--url", "http://127.0.0.1:1"], "--url"),
        (["--live", "--url", "http://127.0.0.1:1", "--rate", "0"], "demo.rate"),
    ],
)
def test_wrong_use_says_what_is_wrong(arguments, words):
    status, sentence = refused(*arguments)
    assert status == USAGE and words in sentence, (status, sentence)


def test_a_live_serve_needs_a_demo(directory):
    done = novafeed("serve", "--live", "--listen", "127.0.0.1:0", "--data", directory / "data", check=False)
    assert done.returncode == USAGE and "--demo" in done.stderr


# --- The network alive ---


def test_a_live_demo_grows_in_everything_and_drains_at_once(directory):
    data = directory / "data"
    settings = {"demo.rate": 200}
    with Server(data, test_clock=EVENING, flags=("--demo", "--live"), settings=settings) as server:
        await_growth(data, counts(data))
        assert server.stop() == 0
        ended = next(json.loads(line) for line in server.log().splitlines() if '"live_demo_ended"' in line)
        assert ended["reason"] == "stopped" and "posts written" in ended["done"]
        assert ", 0 refused, 0 waits" in ended["done"], ended

    before = counts(data)
    with Server(data, test_clock=EVENING, flags=("--demo", "--live"), settings=settings):
        await_growth(data, before)
    with Server(data, test_clock=EVENING, flags=("--demo",)) as server:
        before = counts(data)
        with server.anonymous() as client:
            client.get("/demo/users").expect(200)
        assert counts(data) == before


def hourly_rate(line: str) -> tuple[int, int] | None:
    """How much the people do a minute, at this hour and in the busiest one, as a line says; None if it says no such."""
    found = re.fullmatch(r"Its people do about (\d+) things a minute at this hour \(UTC\), (\d+) in the busiest one\.", line)
    return (int(found[1]), int(found[2])) if found else None


def test_a_live_demo_says_how_much_its_people_do_at_this_hour_and_never_sleeps(directory):
    for hour in (3, 19):
        clock = NOON + (hour - 12) * 3_600_000
        with Server(directory / f"at-{hour}", test_clock=clock, flags=("--demo", "--live")) as server:
            told = wait_until(lambda server=server: [*filter(None, map(hourly_rate, server.stdout))], "the rate is told")
        (now, busiest) = told[0]
        assert busiest * 0.33 <= now < busiest * 0.34 if hour == 3 else now == busiest, told


class Live:
    """`novafeed demo --live` as a child process."""

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [binary(), "demo", "--live", "--rate", "1000", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Live":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def end(self, number: int) -> tuple[int, str, str]:
        os.kill(self.process.pid, number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_acts_on_a_running_demo_without_a_token_and_ends_with_one_line(directory, number):
    with Server(directory / "data", flags=("--demo",)) as server, Live("--url", server.url) as live:
        before = counts(server.data)
        wait_until(lambda: counts(server.data)["events"] > before["events"] + 20, "events of demo users")
        wait_until(lambda: counts(server.data)["likes"] > before["likes"], "a like of a demo user")
        status, out, err = live.end(number)
        assert status == 0 and err == "" and out.count("\n") == 2, (status, out, err)
        begun, ended = out.splitlines()
        assert hourly_rate(begun) and " likes, " in ended, out


def test_it_acts_with_a_service_token_where_there_is_no_demo_and_outlives_a_restart(directory):
    with Server(directory / "data", keep_port=True) as server:
        novafeed("demo", "--url", server.url, "--token", server.token(scope="admin"), "--users", 20)
        service = server.token(scope="service")
        with Live("--url", server.url, "--users", 20, "--token", service) as live:
            for _ in range(2):
                before = counts(server.data)["events"]
                wait_until(lambda before=before: counts(server.data)["events"] > before, "events of the live network")
                server.restart()
            status, out, err = live.end(signal.SIGTERM)
        assert (status, err) == (0, ""), (out, err)


def test_without_the_network_or_a_way_to_act_it_says_so(directory):
    file = write_ndjson(directory / "actions.ndjson", ACTIONS)
    novafeed("import", file, "--data", directory / "data")
    with Server(directory / "data") as server:
        status, sentence = refused("--live", "--url", server.url)
        assert status == FAILED and "--token" in sentence
        status, sentence = refused("--live", "--url", server.url, "--token", server.token(scope="service"))
        assert status == FAILED and "--seed" in sentence
        status, sentence = refused("--live", "--url", server.url, "--token", "nonsense")
        assert status == FAILED and "token" in sentence
    status, sentence = refused("--live", "--url", "http://127.0.0.1:1")
    assert status == FAILED and "Cannot connect" in sentence


class Busy(http.server.BaseHTTPRequestHandler):
    """Answers the first requests with 503 or 429, then what the test says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.times.append(time.monotonic())
        status, headers = self.server.answers.pop(0) if self.server.answers else (403, {})
        body = b'{"code":"enough","detail":"That is enough."}'
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_a_busy_server_is_left_alone_for_as_long_as_it_says():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        server.times = []
        server.answers = [(503, {"Retry-After": "2"}), (429, {}), (503, {"Retry-After": "1"})]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        status, sentence = refused("--live", "--url", f"http://127.0.0.1:{server.server_port}", "--token", "t")
        server.shutdown()
    assert status == FAILED and "That is enough." in sentence
    waits = [later - earlier for earlier, later in zip(server.times, server.times[1:])]
    # At least as long as it says; else twice as long as the time before.
    assert len(waits) == 3 and all(wait >= least for wait, least in zip(waits, (2, 2, 1))), waits
