"""What must survive: kill -9, a full disk, a second server, ten thousand idle connections."""

import http.client
import json
import os
import random
import resource
import socket
import subprocess
import threading
import time
import uuid
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.cli import novafeed, scratch_directory
from harness.server import Server
from harness.waiting import wait_until

from .conftest import make_person

KILLS = {"fast": 2, "full": 5, "long": 30}[os.environ.get("NOVAFEED_TEST_LEVEL", "full")]


class Writer(threading.Thread):
    """Writes on one connection until the server goes, and remembers what was acknowledged and what was only sent.

    `wrong` is an answer that no write may get, kills or not; it ends the writing.
    """

    def __init__(self, server, user, author_post, seed):
        super().__init__(daemon=True)
        self.user = user["id"]
        self.client = server.client(self.user)
        self.post, self.random, self.now = author_post, random.Random(seed), server.now
        self.acknowledged, self.unsure = Counter(), Counter()
        self.posts, self.events = [], []
        self.wrong = None

    def run(self):
        while True:
            kind = self.random.choice(["post", "share", "comment"])
            text, event = uuid.uuid4().hex, None
            self.unsure[kind] += 1
            try:
                if kind == "post":
                    self.posts.append(self.client.post("/api/v1/posts", {"text": text}).expect(201).json()["id"])
                elif kind == "comment":
                    self.client.post(f"/api/v1/posts/{self.post['id']}/comments", {"text": text}).expect(201)
                else:
                    event = {"event_id": text[:8] + "-" + str(uuid.uuid4())[9:], "type": "share",
                             "post_id": self.post["id"], "at": self.now()}
                    self.client.post("/api/v1/events", {"events": [event]}).expect(202)
            except (OSError, http.client.HTTPException):  # what a connection says when the server is gone
                if event:
                    self.events.append(event)  # its answer was lost: a client sends it again
                return
            except AssertionError as wrong:
                self.wrong = str(wrong)
                return
            self.unsure[kind] -= 1
            self.acknowledged[kind] += 1


def test_kill_9_under_load_loses_nothing_and_doubles_nothing():
    seed = random.SystemRandom().randrange(1 << 30)
    chooser = random.Random(seed)
    print("seed", seed)
    with Server() as server:
        author, people = make_person(server, "author"), [make_person(server, f"w{n}") for n in range(4)]
        for person in people:
            author.follow(person).expect(204)
        post = author.post()
        expected, possible, posts = Counter(), Counter(), []
        wait_for_boots(server, 1)
        for round_number in range(KILLS):
            writers = [Writer(server, person.user, post, seed + round_number * 10 + n)
                       for n, person in enumerate(people)]
            kill_under_load(server, writers, chooser.randrange(20, 300))
            for writer in writers:
                expected += writer.acknowledged
                possible += writer.unsure
                posts += writer.posts
            server.start()
            boot = wait_for_boots(server, round_number + 2)[-1]
            assert boot["source"] == "snapshot", boot
            for writer in writers:
                for event in writer.events:  # the retry: counted once, whether or not it was kept
                    server.client(writer.user).post("/api/v1/events", {"events": [event]}).expect(202)
                    expected["share"] += 1
                    possible["share"] -= 1
        reader = server.client(author.id)
        counts = reader.get(f"/api/v1/posts/{post['id']}").expect(200).json()
        assert counts["shares"] == expected["share"]
        assert expected["comment"] <= counts["comments"] <= expected["comment"] + possible["comment"]
        for lost in posts:
            reader.get(f"/api/v1/posts/{lost}").expect(200)
        kept = sum(len(list(all_posts(reader, person.id))) for person in people)
        assert expected["post"] <= kept <= expected["post"] + possible["post"]
        assert_tables_rank_as_the_server_does(server, [author.id, *(person.id for person in people)])


def kill_under_load(server, writers, enough):
    """Kills when that many writes are acknowledged; half-way a snapshot is written: the next start reads it and a log."""
    for writer in writers:
        writer.start()
    wait_for_writes(writers, enough // 2)
    with server.admin() as admin:
        admin.post("/admin/snapshot", {}).expect(200)
    wait_for_writes(writers, enough)
    server.kill()
    for writer in writers:
        writer.join(30)
        assert not writer.is_alive()
        assert writer.wrong is None, writer.wrong


def wait_for_writes(writers, enough):
    def seen():
        return any(w.wrong for w in writers) or sum(sum(w.acknowledged.values()) for w in writers) >= enough

    wait_until(seen, f"{enough} acknowledged writes", 60)


def wait_for_boots(server, count):
    """The log's lines on all starts so far; the newest may come after `ready`."""
    def seen():
        lines = [json.loads(line) for line in server.log().splitlines() if '"index_booted"' in line]
        return lines if len(lines) >= count else None

    return wait_until(seen, f"{count} starts in the log")


def assert_tables_rank_as_the_server_does(server, users):
    """What the server holds (a snapshot and the log after it) gives the rankings that its tables alone give."""
    instant = server.now()
    served = rankings(server.data, users, instant)  # beside the running server: its own index
    assert len(served[0]["items"]) > 20, served[0]
    server.kill()
    (server.data / "index.snapshot").unlink()
    assert rankings(server.data, users, instant) == served


def rankings(data, users, instant):
    named = [part for user in users for part in ("--user", user)]
    done = novafeed("rank", "--data", data, *named, "--as-of", instant, "--trending-as-of", instant)
    return [json.loads(line) for line in done.stdout.splitlines()]


def all_posts(client, user):
    cursor = None
    while True:
        page = client.get(f"/api/v1/users/{user}/posts", limit=100, cursor=cursor).expect(200).json()
        yield from page["posts"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


@pytest.fixture
def small_disk():
    """A 64 MiB tmpfs; skipped, saying so, where mounting is not permitted."""
    with scratch_directory("novafeed-small-") as directory:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", directory], capture_output=True,
                                 text=True, check=False)
        if mounted.returncode != 0:
            pytest.skip(f"cannot mount a tmpfs here: {mounted.stderr.strip()}")
        try:
            yield Path(directory)
        finally:
            subprocess.run(["umount", "-l", directory], check=True)


def test_a_full_disk_refuses_writes_keeps_what_was_acknowledged_and_heals(small_disk):
    with Server(small_disk / "data") as server:
        ada = make_person(server, "ada")
        acknowledged, refused = [], None
        while refused is None:
            response = ada.http.post("/api/v1/posts", {"text": "x" * 10_000})
            if response.status == 201:
                acknowledged.append(response.json()["id"])
            else:
                refused = response
        assert refused.status in (503, 507), refused.body
        assert refused.json()["code"] in ("disk_full", "log_full", "overloaded")
        assert len(acknowledged) > 100
        for post in acknowledged:
            ada.http.get(f"/api/v1/posts/{post}").expect(200)
        assert ada.http.get("/api/v1/feed").status == 200
        # Room again: writes are taken again, and after a kill everything acknowledged is still there.
        subprocess.run(["mount", "-o", "remount,size=256m", small_disk], check=True)
        wait_until(lambda: ada.http.post("/api/v1/posts", {"text": "again"}).status == 201, "writes are taken again")
        server.restart(kill=True)
        reader = server.client(ada.id)
        for post in acknowledged:
            reader.get(f"/api/v1/posts/{post}").expect(200)


def test_a_second_serve_on_the_same_data_is_refused_with_a_sentence(server):
    second = novafeed("serve", "--listen", "127.0.0.1:0", "--data", server.data, check=False)
    assert second.returncode != 0
    assert str(server.pid) in second.stderr and "Traceback" not in second.stderr
    refused = novafeed("import", "/dev/null", "--data", server.data, check=False)
    assert refused.returncode != 0 and str(server.pid) in refused.stderr


def test_sigterm_drains_and_exits_0():
    with Server() as server:
        make_person(server).post()
        assert server.stop() == 0


def test_demo_is_refused_on_a_public_address_and_on_real_data(server):
    with scratch_directory() as directory:
        public = novafeed("serve", "--demo", "--listen", "0.0.0.0:0", "--data", f"{directory}/d", check=False)
        assert public.returncode != 0 and "demo" in public.stderr.lower()
    with Server() as real:
        make_person(real)
        real.stop()
        refused = novafeed("serve", "--demo", "--listen", "127.0.0.1:0", "--data", real.data, check=False)
        assert refused.returncode != 0 and "demo" in refused.stderr.lower()


def test_ten_thousand_idle_connections_are_carried(server):
    wanted = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted + 500:
        pytest.skip(f"only {hard} open files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted + 500, hard))
    address = urlsplit(server.url)
    connections = []
    try:
        for _ in range(wanted):
            connections.append(socket.create_connection((address.hostname, address.port)))
        started = time.monotonic()
        assert server.anonymous().get("/healthz").status == 200
        assert time.monotonic() - started < 5
        connections[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connections[-1].recv(100).startswith(b"HTTP/1.1 200")
    finally:
        for connection in connections:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    wait_until(lambda: server.anonymous().get("/healthz").status == 200, "still there")


def test_a_broken_snapshot_costs_nothing_but_time():
    with Server() as server:
        ada, bob = make_person(server, "ada"), make_person(server, "bob")
        ada.follow(bob).expect(204)
        post = bob.post()
        expected = ada.feed_ids()
        assert server.stop() == 0, server.log()
        snapshot = server.data / "index.snapshot"
        snapshot.write_bytes(snapshot.read_bytes()[:-100])
        server.start()
        ada.http = server.client(ada.id)
        assert ada.feed_ids() == expected and post["id"] in expected
        assert "broken_snapshot" in server.log() or "cut or changed" in server.log()
