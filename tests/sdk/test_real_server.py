"""Both SDKs against a real server, through everything that goes wrong: afterwards each tracked event counts once."""

from __future__ import annotations

import json
import os
import random
import socket
import time
import uuid
from urllib.parse import urlsplit

import pytest

from harness import Server, novafeed, wait_until

from .proxy import CuttingProxy

ROUNDS = {"fast": 2, "full": 4, "long": 20}[os.environ.get("NOVAFEED_TEST_LEVEL", "full")]
DAY_MS = 24 * 3_600_000


@pytest.fixture
def seed(request):
    value = random.SystemRandom().randrange(1 << 30)
    print("seed", value)
    return value


@pytest.fixture
def server():
    with Server(keep_port=True) as running:
        yield running


@pytest.fixture
def user(server):
    return make_user(server)


@pytest.fixture
def post(server):
    return make_post(server)


def make_user(server) -> str:
    body = {"handle": f"u-{uuid.uuid4().hex[:8]}", "name": "U"}
    with server.client(scope="service") as client:
        return client.post("/api/v1/users", body).expect(201).json()["id"]


def make_post(server) -> str:
    with server.client(make_user(server)) as client:
        return client.post("/api/v1/posts", {"text": "A post."}).expect(201).json()["id"]


def counted(server, post) -> tuple[int, int]:
    with server.client() as client:
        read = client.get(f"/api/v1/posts/{post}").expect(200).json()
    return read["shares"], read["impressions"]


def track_some(driver, post, count: int) -> None:
    for _ in range(count):
        driver.track("share", post)
        driver.track("impression", post)


def assert_all_counted(server, post, *drivers) -> None:
    """Each share and impression that the drivers have tracked counts once."""
    tracked = sum(len(driver.tracked) for driver in drivers)
    assert counted(server, post) == (tracked // 2, tracked // 2)


def assert_closed(driver) -> None:
    assert driver.close() == {"pending": 0, "problem": None}
    assert not driver.dropped


def test_events_are_counted(server, user, post, driver_of):
    driver = driver_of(server, user)
    track_some(driver, post, 20)
    driver.wait_sent(40)
    assert_closed(driver)
    assert_all_counted(server, post, driver)
    assert not driver.problems and driver.duplicates == 0


def test_a_flush_sends_all_that_waits(server, user, post, driver_of):
    driver = driver_of(server, user, flush_seconds=1000, batch=500)
    track_some(driver, post, 20)
    assert counted(server, post) == (0, 0)
    assert driver.flush() == {"pending": 0, "problem": None}
    assert counted(server, post) == (20, 20)


def test_the_server_is_killed_again_and_again(server, user, post, driver_of):
    driver = driver_of(server, user)
    for _ in range(ROUNDS):
        sent = len(driver.sent)
        track_some(driver, post, 20)
        driver.wait_sent(sent + 5)
        server.kill()
        track_some(driver, post, 10)
        driver.wait_problem(status=0, code="no_answer")
        server.start()
    assert_closed(driver)
    assert_all_counted(server, post, driver)


def test_the_client_is_killed_again_and_again(server, user, post, driver_of):
    drivers = []
    for _ in range(ROUNDS):
        drivers.append(driver_of(server, user))
        track_some(drivers[-1], post, 20)
        drivers[-1].wait_sent(5)
        drivers[-1].kill()
    drivers.append(driver_of(server, user))
    assert_closed(drivers[-1])
    assert_all_counted(server, post, *drivers)


def test_client_and_server_are_both_killed(server, user, post, driver_of):
    before = driver_of(server, user)
    track_some(before, post, 20)
    before.wait_sent(5)
    server.kill()
    track_some(before, post, 20)
    before.kill()
    after = driver_of(server, user)
    track_some(after, post, 5)
    after.wait_problem(status=0, code="no_answer")
    server.start()
    assert_closed(after)
    assert_all_counted(server, post, before, after)


def test_a_client_that_is_closed_offline_leaves_its_events_to_the_next(server, user, post, driver_of):
    server.kill()
    before = driver_of(server, user)
    track_some(before, post, 10)
    left = before.close(deadline=0.3)
    assert (left["pending"], left["problem"]["code"]) == (20, "no_answer")
    before.kill()
    server.start()
    after = driver_of(server, user)
    assert_closed(after)
    assert_all_counted(server, post, before, after)


def test_answers_are_lost_on_the_way(server, user, post, driver_of, seed):
    with CuttingProxy(urlsplit(server.url).port, seed) as proxy:
        driver = driver_of(server, user, url=proxy.url)
        track_some(driver, post, 75)
        assert_closed(driver)
    assert_all_counted(server, post, driver)
    assert driver.duplicates > 0, "no answer was lost"


def test_rate_limits_are_kept(driver_of):
    with Server(settings={"rate.user_per_second": 0.5, "rate.user_burst": 1}) as server:
        post = make_post(server)
        driver = driver_of(server, make_user(server), flush_seconds=1000, batch=20)
        began = time.monotonic()
        track_some(driver, post, 30)
        driver.wait_problem(status=429, code="rate_limited")
        assert driver.flush()["problem"]["code"] == "rate_limited", "Retry-After does not bind a flush"
        assert_closed(driver)
        refusals = sum(problem["status"] == 429 for problem in driver.problems)
        assert refusals <= time.monotonic() - began + 1, "it did not wait for the second or two of Retry-After"
        assert_all_counted(server, post, driver)


def test_a_server_without_a_free_connection(server, user, post, driver_of):
    server.stop()
    with Server(server.data, settings={"limits.max_connections": 1}) as full:
        with full.client(user) as client:
            client.get("/api/v1/feed").expect(200)
            driver = driver_of(full, user, batch=500)
            track_some(driver, post, 10)
            driver.wait_problem(status=503, code="too_many_connections")
        assert_closed(driver)
    server.start()
    assert_all_counted(server, post, driver)


def test_a_server_that_boots(server, user, post, driver_of, tmp_path):
    driver = driver_of(server, user, backoff_base=0.001, backoff_max=0.01)
    make_boot_slow(server, tmp_path)
    server.kill()
    (server.data / "index.snapshot").unlink(missing_ok=True)
    track_some(driver, post, 10)
    server.start(wait_ready=False)
    driver.wait_problem(status=503, code="booting")
    server.wait_ready()
    assert_closed(driver)
    assert_all_counted(server, post, driver)


def make_boot_slow(server, directory) -> None:
    at = server.now() - 1000
    lines = [{"type": "user", "id": f"slow-{n}", "at": at} for n in range(1000)]
    lines += [{"type": "follow", "user": f"slow-{n}", "target": f"slow-{(n + k) % 1000}", "at": at}
              for k in range(1, 101) for n in range(1000)]
    file = directory / "slow.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    novafeed("import", file, "--url", server.admin_url, "--token", server.token(scope="admin"))


def test_a_token_that_is_no_longer_valid(server, user, post, driver_of):
    driver = driver_of(server, user)
    driver.give_token(server.token(user, exp=server.now() // 1000 - 3600))
    track_some(driver, post, 10)
    driver.wait_problem(status=401, code="token_expired")
    driver.give_token(server.token(user))
    assert_closed(driver)
    assert_all_counted(server, post, driver)


def test_what_the_server_refuses_is_dropped_with_its_reason(server, user, post, driver_of):
    driver = driver_of(server, user)
    refused = {
        driver.track("share", str(uuid.uuid4())): "unknown_post",
        driver.track("share", "no id"): "bad_id",
        driver.track("dance", post): "unknown_type",
        driver.track("share", post, at=server.now() - DAY_MS - 1000): "time_out_of_range",
    }
    driver.tracked.clear()
    track_some(driver, post, 10)
    assert driver.close() == {"pending": 0, "problem": None}
    assert driver.dropped == refused
    assert_all_counted(server, post, driver)


def test_one_event_that_spoils_its_batch_is_found(server, user, post, driver_of):
    driver = driver_of(server, user, flush_seconds=1000, batch=500)
    track_some(driver, post, 10)
    spoiled = [driver.track("share", "ext:\ud800") for _ in range(2)]  # half of a character: no JSON to the server
    del driver.tracked[-2:]
    track_some(driver, post, 10)
    assert driver.flush() == {"pending": 0, "problem": None}
    assert driver.dropped == dict.fromkeys(spoiled, "malformed_json")
    assert_all_counted(server, post, driver)


def test_batches_that_are_too_large_are_split(driver_of):
    with Server(settings={"limits.max_body": "1KiB"}) as server:
        post = make_post(server)
        driver = driver_of(server, make_user(server), flush_seconds=1000, batch=500)
        track_some(driver, post, 50)
        assert driver.flush() == {"pending": 0, "problem": None}
        assert_all_counted(server, post, driver)


def test_batches_of_more_events_than_the_server_takes_are_split(server, user, post, driver_of):
    driver = driver_of(server, user, flush_seconds=1000, batch=5000)
    track_some(driver, post, 600)
    assert driver.flush() == {"pending": 0, "problem": None}
    assert_all_counted(server, post, driver)


def test_an_erased_user_sends_no_more(server, user, post, driver_of):
    driver = driver_of(server, user, flush_seconds=1000)
    driver.track("share", post)
    server.client(user).delete(f"/api/v1/users/{user}").expect(204)
    driver.flush()
    wait_until(lambda: driver.dropped, "the event is dropped")
    assert list(driver.dropped.values()) == ["user_erased"]
    assert counted(server, post) == (0, 0)
