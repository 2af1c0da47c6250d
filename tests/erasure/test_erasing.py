"""Erased: out of every answer, out of every file, and no replay brings anything back."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import time
from pathlib import Path

from erasure import network
from erasure.traces import traces
from harness import Server, assert_problem, ext, novafeed, user_id, wait_until
from program.conftest import write_ndjson

ROWS_AT_ONCE = 200  # graph/commands.h: kErasedAtOnce
LARGE = 4000  # posts: enough for SQLite to leave copies of rows in its files, which the purge has to find
VIEWERS = [user_id(f"other-{n}") for n in range(0, network.OTHERS, 7)]


def purge(server: Server) -> dict:
    with server.admin() as admin:
        return admin.post("/admin/purge", {}).expect(200).json()


def erase(server: Server, user: str) -> None:
    server.client(scope="admin").delete(f"/api/v1/users/{user}").expect(204)


def rankings(data: Path, instant: int) -> list[dict]:
    """Of the viewers, on a stopped directory or beside a server, without what only names the position."""
    named = [part for user in VIEWERS for part in ("--user", user)]
    done = novafeed("rank", "--data", data, *named, "--as-of", instant, "--trending-as-of", instant)
    return [{**json.loads(line), "position": None} for line in done.stdout.splitlines()]


def counters(server: Server, post: str) -> dict:
    shown = server.client(scope="service").get(f"/api/v1/posts/{post}").expect(200).json()
    return {name: shown[name] for name in ("likes", "comments", "shares", "impressions")}


def assert_gone_from_answers(server: Server) -> None:
    ada = network.ada()
    service = server.client(scope="service")
    assert_problem(server.client(ada.id).get("/api/v1/feed"), 401, "user_erased")
    for address in (ada.id, ext("ada-external-id")):
        assert_problem(service.get(f"/api/v1/users/{address}"), 404, "unknown_user")
        assert_problem(service.get(f"/api/v1/users/{address}/posts"), 404, "unknown_user")
    again = {"id": ext("ada-external-id"), "handle": "another", "name": ""}
    assert_problem(service.post("/api/v1/users", again), 409, "id_retired")
    for n in range(network.OTHERS):
        for listing in ("followers", "following"):
            page = service.get(f"/api/v1/users/{user_id(f'other-{n}')}/{listing}", limit=100).expect(200)
            assert ada.id not in page.text
        user = service.get(f"/api/v1/users/{user_id(f'other-{n}')}").expect(200).json()
        assert user["followers"] < network.OTHERS and user["following"] < network.OTHERS
    for viewer in VIEWERS:
        for mode in ("for_you", "following"):
            page = server.client(viewer).get("/api/v1/feed", limit=100, mode=mode).expect(200)
            assert page.json()["items"] and ada.id not in page.text and network.WORD not in page.text


def test_an_erased_user_is_in_no_answer_and_after_the_purge_in_no_file(directory, seed):
    now = time.time_ns() // 1_000_000
    data = network.make(directory, now, seed, LARGE)
    ada = network.ada()
    with Server(data, test_clock=now) as server:
        theirs = network.act_through_the_api(server)
        before = counters(server, theirs["id"])
        assert before == {"likes": 1, "comments": 1, "shares": 1, "impressions": 1}
        server.restart()  # the snapshot is of a time with her
        found = traces(data, ada)
        for file in ("graph.db", "events.db", "index.snapshot"):
            assert any(line.startswith(file) for line in found), found

        server.client(ada.id).delete(f"/api/v1/users/{ada.id}").expect(204)
        assert_gone_from_answers(server)
        assert counters(server, theirs["id"]) == before | {"likes": 0, "comments": 0}
        ranked = rankings(data, now)
        assert traces(data, ada), "the purge comes later"

        purged = purge(server)
        assert purged["users"] == 1
        assert traces(data, ada) == []
        assert_gone_from_answers(server)
        assert counters(server, theirs["id"]) == before | {"likes": 0, "comments": 0}
        assert rankings(data, now) == ranked
        assert purge(server) == {"users": 0, "pages": 0}

        server.restart(kill=True)
        assert traces(data, ada) == []
        server.restart()
        assert traces(data, ada) == []
        server.stop()
        assert traces(data, ada) == []

        # From the tables and the log alone.
        (data / "index.snapshot").unlink()
        server.start()
        assert_gone_from_answers(server)
        assert counters(server, theirs["id"]) == before | {"likes": 0, "comments": 0}
        assert rankings(data, now) == ranked
        server.stop()
        assert traces(data, ada) == []


def test_no_import_brings_an_erased_user_back(directory, seed):
    now = time.time_ns() // 1_000_000
    data = network.make(directory, now, seed)
    ada = network.ada()
    file = directory / "network.ndjson"
    with Server(data, test_clock=now) as server:
        erase(server, ada.id)
        purge(server)
        server.stop()
        ranked = rankings(data, now)
        novafeed("import", file, "--data", data)  # all of it is in
        assert traces(data, ada) == []

        # The same lines in a file that begins in another way are new to the journal.
        other = directory / "again.ndjson"
        first = json.dumps({"type": "user", "id": "other-0", "at": now - 9 * network.HOUR}) + "\n"
        other.write_text(first + file.read_text(encoding="utf-8"), encoding="utf-8")
        bad = directory / "bad.ndjson"
        done = novafeed("import", other, "--data", data, "--bad", bad, check=False)
        assert done.returncode == 3, done.stderr
        codes = {json.loads(line)["code"] for line in bad.read_text(encoding="utf-8").splitlines()}
        assert "retired" in codes and codes <= {"retired", "post_deleted", "unknown_post", "unknown_comment"}, codes
        assert traces(data, ada) == []
        server.start()
        assert_gone_from_answers(server)
        server.stop()
        assert len(ranked) == len(rankings(data, now))
        assert traces(data, ada) == []


def test_a_purge_comes_by_itself_when_it_is_due(directory, seed):
    now = time.time_ns() // 1_000_000
    data = network.make(directory, now, seed)
    ada = network.ada()
    with Server(data, settings={"erase.purge_every": "1s"}) as server:
        erase(server, ada.id)
        wait_until(lambda: traces(data, ada) == [], "the purge")
        wait_until(lambda: "novafeed_purged_total 1\n" in metrics(server), "the metric")
        assert "novafeed_erasures_pending 0\n" in metrics(server)


def metrics(server: Server) -> str:
    with server.admin() as admin:
        return admin.get("/metrics").expect(200).text


def test_several_users_are_purged_together(directory, seed):
    now = time.time_ns() // 1_000_000
    data = network.make(directory, now, seed)
    with Server(data, test_clock=now) as server:
        gone = [user_id(f"other-{n}") for n in range(2, 20, 3)]
        for user in gone:
            erase(server, user)
        erase(server, network.ada().id)
        assert purge(server)["users"] == len(gone) + 1
        for user in gone:
            person = network.Person(user)
            assert traces(data, person) == []
        assert traces(data, network.ada()) == []


def test_a_restored_backup_does_not_bring_an_erased_user_back(directory, seed):
    now = time.time_ns() // 1_000_000
    data = network.make(directory, now, seed)
    ada = network.ada()
    backup = directory / "backup"
    shutil.copytree(data, backup)
    with Server(data, test_clock=now) as server:
        erase(server, ada.id)
        wait_until(lambda: (data / "erased.list").exists(), "the list")
        server.kill()
        shutil.copy(data / "erased.list", backup / "erased.list")
        shutil.rmtree(data)
        backup.rename(data)
        server.start()
        wait_until(lambda: rows_of(data, ada.id) == 0, "the removal")
        assert_gone_from_answers(server)
        assert purge(server)["users"] == 1
        assert traces(data, ada) == []


# --- A user whom many know. ---

CROWD = 50_000


def celebrity_actions(now: int) -> list[dict]:
    at = now - network.HOUR
    lines: list[dict] = [{"type": "post", "id": f"p{n}", "author": f"u{n % 50}", "text": "x", "at": at} for n in range(5000)]
    lines += [{"type": "follow", "user": f"f{n}", "target": "star", "at": at} for n in range(CROWD)]
    lines += [{"type": "like", "user": "star", "post": f"p{n}", "at": at} for n in range(5000)]
    lines += [{"type": "comment", "id": f"c{n}", "user": "star", "post": f"p{n}", "text": "y", "at": at} for n in range(2000)]
    return lines


def test_erasing_somebody_whom_many_follow_keeps_nobody_waiting(directory):
    now = time.time_ns() // 1_000_000
    data = directory / "data"
    novafeed("import", write_ndjson(directory / "celebrity.ndjson", celebrity_actions(now)), "--data", data)
    star, liker = user_id("star"), user_id("u1")
    with Server(data, test_clock=now) as server:
        with server.admin() as admin:
            start = admin.get("/admin/status").expect(200).json()["log_end"]["changes"]
        client, waits, over = server.client(liker), [], threading.Event()

        def like_on_and_on() -> None:
            n = 0
            while not over.is_set():
                began = time.monotonic()
                client.put(f"/api/v1/posts/{ext(f'p{n % 5000}')}/like").expect(204)
                waits.append(time.monotonic() - began)
                n += 1

        liking = threading.Thread(target=like_on_and_on, daemon=True)
        liking.start()
        began = time.monotonic()
        erase(server, star)
        answered = time.monotonic() - began
        assert_problem(server.client(star).get("/api/v1/feed"), 401, "user_erased")
        wait_until(lambda: "novafeed_erasures_pending 1\n" in metrics(server) and rows_of(data, star) == 0, "removal", 120)
        removed = time.monotonic() - began
        over.set()
        liking.join(30)
        print(f"answered after {answered:.3f} s, all removed after {removed:.1f} s; a like beside it: "
              f"median {sorted(waits)[len(waits) // 2]:.4f} s, longest {max(waits):.3f} s of {len(waits)}")
        assert largest_work_since(data, start) <= ROWS_AT_ONCE
        assert purge(server)["users"] == 1
        assert traces(data, network.Person(star, ["star"])) == []


def rows_of(data: Path, user: str) -> int:
    value = network.raw(user)
    with read(data) as graph:
        return graph.execute(
            "SELECT (SELECT count(*) FROM follows WHERE followee = ?1) + (SELECT count(*) FROM likes WHERE user = ?1)"
            " + (SELECT count(*) FROM comments WHERE user = ?1)", (value,)).fetchone()[0]


def largest_work_since(data: Path, start: int) -> int:
    """How many changes the largest transaction of the eraser made: of one work."""
    with read(data) as graph:
        return graph.execute(
            "SELECT max(n) FROM (SELECT count(*) AS n FROM changes WHERE sequence > ? GROUP BY work)", (start,)
        ).fetchone()[0]


class read:  # noqa: N801 (reads as a verb: with read(data) as graph)
    """The graph's file, beside the server."""

    def __init__(self, data: Path) -> None:
        self._connection = sqlite3.connect(f"file:{data / 'graph.db'}?mode=ro", uri=True)

    def __enter__(self) -> sqlite3.Connection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()
