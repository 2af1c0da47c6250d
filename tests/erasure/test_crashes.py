"""kill -9 at any moment of an erasure and of a purge: both end complete, and the numbers are those of an undisturbed one."""

from __future__ import annotations

import http.client
import os
import random
import threading
import time
from pathlib import Path

import pytest

from erasure import network
from erasure.test_erasing import erase, rankings, rows_of
from erasure.traces import traces
from harness import Server, scratch_directory, user_id, wait_until

ROUNDS = {"fast": 2, "full": 4, "long": 25}[os.environ.get("NOVAFEED_TEST_LEVEL", "full")]


@pytest.fixture
def directory():
    with scratch_directory() as path:
        yield Path(path)


def kill_within(server: Server, seconds: float) -> threading.Timer:
    timer = threading.Timer(seconds, os.kill, (server.pid, 9))
    timer.start()
    return timer


def send(call) -> None:
    """A request whose server may die on it."""
    try:
        call()
    except (OSError, http.client.HTTPException):  # what a connection says when the server is gone
        pass


def undisturbed(directory: Path, now: int, seed: int) -> list[dict]:
    """The rankings after an erasure that nothing cut off."""
    directory.mkdir()
    data = network.make(directory, now, seed)
    with Server(data, test_clock=now) as server:
        erase(server, network.ada().id)
        return rankings(data, now)


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_kill_9_in_the_middle_leaves_nothing_half_erased(directory, round_number):
    seed = random.SystemRandom().randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    now = time.time_ns() // 1_000_000
    expected = undisturbed(directory / "undisturbed", now, seed)
    data = network.make(directory, now, seed)
    ada = network.ada()
    with Server(data, test_clock=now) as server:
        delete = server.client(scope="admin")
        killer = kill_within(server, rng.uniform(0, 0.03))
        send(lambda: delete.delete(f"/api/v1/users/{ada.id}"))
        killer.join()
        server.kill()
        server.start()
        erase(server, ada.id)  # the retry of a client whose answer was lost
        assert rankings(data, now) == expected

        for _ in range(4):
            with server.admin() as admin:
                killer = kill_within(server, rng.uniform(0, 0.08))
                send(lambda: admin.post("/admin/purge", {}))
                killer.join()
            server.kill()
            server.start()
            assert rankings(data, now) == expected, "between two purges"
        with server.admin() as admin:
            admin.post("/admin/purge", {}).expect(200)
        assert traces(data, ada) == []
        assert rankings(data, now) == expected
        server.kill()
        (data / "index.snapshot").unlink()
        assert rankings(data, now) == expected, "from the tables"
        server.start()
        assert traces(data, ada) == []


def test_an_erasure_goes_on_by_itself_after_a_crash(directory):
    """Killed as soon as the user is gone; nobody asks again."""
    seed = random.SystemRandom().randrange(1 << 30)
    print("seed", seed)
    now = time.time_ns() // 1_000_000
    data = network.make(directory, now, seed)
    ada = network.ada()
    with Server(data, test_clock=now) as server:
        delete, watch = server.client(scope="admin"), server.client(user_id("other-0"))
        deleting = threading.Thread(target=send, args=(lambda: delete.delete(f"/api/v1/users/{ada.id}"),))
        deleting.start()
        wait_until(lambda: watch.get(f"/api/v1/users/{ada.id}").status == 404, "the first transaction")
        server.kill()
        deleting.join()
        server.start()
        wait_until(lambda: rows_of(data, ada.id) == 0, "the removal")
        with server.admin() as admin:
            assert admin.post("/admin/purge", {}).expect(200).json()["users"] == 1
        assert traces(data, ada) == []

