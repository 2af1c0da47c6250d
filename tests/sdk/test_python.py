"""The Python SDK by itself: queue, back-off and client, with time and network of the test."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import uuid

import pytest

from harness import wait_until

from .drivers import python_environment
from .fakes import World, accepted, answer, offline, problem, refuse
from novafeed_events import EventsClient, FeedEvent, FlushResult, Problem, QueueInUse
from novafeed_events.backoff import LONGEST_RETRY_AFTER, Backoff, parse_retry_after
from novafeed_events.queue import Queue

SEEDS = {"fast": 5, "full": 20, "long": 200}[os.environ.get("NOVAFEED_TEST_LEVEL", "full")]
SENT = FlushResult(0, None)


@pytest.fixture
def world():
    """world(...) makes a World; its client ends with the test."""
    made = []

    def make(**options):
        made.append(World(**options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


# --- Back-off ---


def test_a_wait_is_anything_up_to_a_ceiling_that_doubles_until_its_maximum():
    longest = Backoff(0.5, 60, lambda: 1.0)
    assert [longest.next() for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    for _ in range(2000):
        longest.next()
    longest.reset()
    assert longest.next() == 0.5
    shortest = Backoff(0.5, 60, lambda: 0.0)
    assert [shortest.next() for _ in range(3)] == [0, 0, 0]


def test_waits_are_spread_evenly():
    backoff = Backoff(1, 1, random.random)
    quarters = [int(backoff.next() * 4) for _ in range(4000)]
    assert all(abs(quarters.count(n) / 4000 - 0.25) < 0.05 for n in range(4))


def test_retry_after_is_waited_for_and_the_jitter_comes_after_it():
    assert Backoff(0.5, 60, lambda: 0.0).next(7) == 7
    assert Backoff(0.5, 60, lambda: 1.0).next(7) == 7.5
    assert Backoff(0.5, 60, lambda: 0.0).next(1e12) == LONGEST_RETRY_AFTER


def test_retry_after_may_be_seconds_or_a_date():
    now = 1_795_521_600_000  # 2026-11-24T12:00:00Z
    assert parse_retry_after("3", now) == 3
    assert parse_retry_after("Tue, 24 Nov 2026 12:00:09 GMT", now) == 9
    assert parse_retry_after("Tue, 24 Nov 2026 11:00:00 GMT", now) == 0
    assert parse_retry_after("soon", now) is None
    assert parse_retry_after(None, now) is None


# --- Queue ---


def event(number):
    return FeedEvent(str(uuid.uuid4()), "share", f"ext:{number}", number)


def fill(queue, count):
    for number in range(count):
        queue.add(event(number))


def posts(entries):
    return [entry.event.at for entry in entries]


def test_a_batch_is_the_oldest_events_that_fit_but_at_least_one():
    queue = Queue(None, 1000, 10**6)
    fill(queue, 5)
    assert posts(queue.batch(3, 10**6)) == [0, 1, 2]
    [first] = queue.batch(9, 1)
    assert posts(queue.batch(9, 2 * first.size)) == [0, 1]
    queue.settle([first])
    assert posts(queue.batch(9, 10**6)) == [1, 2, 3, 4]


def test_without_room_the_oldest_go_but_not_what_is_on_its_way():
    queue = Queue(None, 2, 10**6)
    fill(queue, 2)
    assert [gone.at for gone in queue.add(event(2))] == [0]
    queue.sending(queue.batch(1, 10**6))
    assert [gone.at for gone in queue.add(event(3))] == [2]
    assert posts(queue.batch(9, 10**6)) == [1, 3]


def test_the_bound_in_bytes_holds():
    queue = Queue(None, 1000, 400)
    fill(queue, 10)
    assert queue.bytes <= 400
    assert posts(queue.batch(9, 10**6)) == list(range(10 - queue.count, 10))
    large = dataclasses.replace(event(11), post_id="ext:" + "x" * 500)
    assert queue.add(large)[-1] == large
    assert (queue.count, queue.bytes) == (0, 0)


def test_a_file_holds_what_waits_the_same_and_in_order(tmp_path):
    before = Queue(tmp_path / "queue", 1000, 10**6)
    fill(before, 12)
    entries, size = before.batch(99, 10**6), before.bytes
    before.close()
    after = Queue(tmp_path / "queue", 1000, 10**6)
    assert (after.batch(99, 10**6), after.bytes, after.count) == (entries, size, 12)
    after.close()


def test_a_file_has_one_client_at_a_time(tmp_path):
    one = Queue(tmp_path / "queue", 1000, 10**6)
    with pytest.raises(QueueInUse, match="a file of its own"):
        Queue(tmp_path / "queue", 1000, 10**6)
    one.close()
    Queue(tmp_path / "queue", 1000, 10**6).close()


def test_what_is_no_queue_file_is_refused(tmp_path):
    (tmp_path / "queue").write_bytes(b"something else" * 1000)
    with pytest.raises(sqlite3.DatabaseError):
        EventsClient("http://feed.test", lambda renew: "t", path=tmp_path / "queue")


def test_kill_9_at_any_moment_keeps_what_track_has_acknowledged(tmp_path):
    program = (
        "import sys; from novafeed_events import EventsClient\n"
        "events = EventsClient('http://127.0.0.1:9', lambda renew: 't', path=sys.argv[1])\n"
        "while True: print(events.track('share', 'ext:p').event_id, flush=True)\n"
    )
    for round_number in range(5):
        path = tmp_path / f"queue-{round_number}"
        child = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True,
                                 env=python_environment())
        acknowledged = [child.stdout.readline().strip() for _ in range(50 + round_number * 37)]
        child.kill()
        acknowledged += [line.strip() for line in child.communicate()[0].splitlines() if len(line.strip()) == 36]
        queue = Queue(path, 10**6, 10**9)
        kept = [entry.event.event_id for entry in queue.batch(10**6, 10**9)]
        queue.close()
        assert kept[: len(acknowledged)] == acknowledged
        assert len(kept) <= len(acknowledged) + 1


# --- Client ---


def test_an_event_has_its_identity_when_it_is_tracked_and_keeps_it_on_every_try(world):
    w = world()
    one = w.events.track("share", "ext:p")
    two = w.events.track("impression", "ext:q", at=7, user_id="ext:ada", event_id="ext:e")
    assert (one.at, two) == (w.clock.now(), FeedEvent("ext:e", "impression", "ext:q", 7, "ext:ada"))
    w.answers = [offline, refuse(503, "booting"), lambda events: answer(202, "half of an ans")]
    for _ in range(4):
        w.clock.step()
    assert len(w.bodies) == 4 and len(set(w.bodies)) == 1
    assert w.requests[0] == [
        {"event_id": one.event_id, "type": "share", "post_id": "ext:p", "at": one.at},
        {"event_id": "ext:e", "type": "impression", "post_id": "ext:q", "at": 7, "user_id": "ext:ada"},
    ]
    assert [sent.accepted for sent in w.sent] == [2]
    assert w.events.pending == 0


def test_events_are_sent_together_after_the_flush_interval(world):
    w = world(flush_interval=2.0)
    w.track(3)
    w.clock.advance(1.9)
    w.track(1)
    w.clock.settle()
    assert w.sizes == []
    w.clock.step()
    assert (w.sizes, w.times) == ([4], [1002.0])


def test_a_full_batch_is_sent_at_once_what_is_beyond_it_after_the_interval(world):
    w = world(max_batch_events=10)
    w.track(25)
    w.clock.settle()
    assert w.sizes[0] == 10 and w.times[0] == 1000
    while w.events.pending:
        w.clock.step()
    assert sum(w.sizes) == 25 and max(w.sizes) == 10


def test_batches_are_bounded_in_bytes_too(world):
    w = world(max_batch_bytes=1000)
    w.track(30)
    assert w.events.flush() == SENT
    assert len(w.bodies) > 3 and max(map(len, w.bodies)) <= 1000 + len('{"events":[]}')


def test_after_failures_it_backs_off_exponentially_and_begins_anew_after_a_success(world):
    w = world(backoff_base=0.5, backoff_max=3)
    w.answers = [offline, refuse(500, "internal"), refuse(507, "disk_full"), refuse(404, "unknown_route"), offline]
    w.track(1)
    for _ in range(6):
        w.clock.step()
    assert [later - before for before, later in itertools.pairwise(w.times)] == [0.5, 1, 2, 3, 3]
    assert w.problems == ["no_answer", "internal", "disk_full", "unknown_route", "no_answer"]
    w.answers = [offline]
    w.track(1)
    w.clock.step()
    w.clock.step()
    assert w.times[7] - w.times[6] == 0.5


def test_new_events_do_not_cut_a_back_off_short_a_flush_does(world):
    w = world(max_batch_events=2, backoff_base=10)
    w.answers = [offline]
    w.track(2)
    w.clock.settle()
    w.track(4)
    w.clock.advance(9.9)
    assert w.sizes == [2]
    assert w.events.flush() == SENT
    assert w.sizes == [2, 2, 2, 2]


def test_a_flush_says_what_waits_and_why(world):
    w = world()
    w.answers = [refuse(503, "booting")]
    w.track(3)
    assert w.events.flush() == FlushResult(3, Problem(503, "booting", "It is booting."))
    assert w.events.flush() == SENT
    assert w.events.flush() == SENT


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_kept_also_by_a_flush(world, status):
    w = world(max_batch_events=3)
    w.answers = [refuse(status, "wait", {"Retry-After": "7"})]
    w.track(3)
    w.clock.settle()
    w.track(3)
    assert w.events.flush().pending == 6
    w.clock.advance(7.4)
    assert w.sizes == [3]
    w.clock.advance(0.2)
    assert w.sizes == [3, 3, 3]


def test_a_refused_token_is_asked_for_once_more_and_only_once(world):
    asked = []
    w = world(token=lambda renew: f"t{asked.append(renew) or len(asked)}", user="ext:ada")
    w.answers = [refuse(401, "token_expired")]
    w.track(1)
    assert w.events.flush() == SENT
    assert asked == [False, True]
    assert [headers["Authorization"] for headers in w.headers] == ["Bearer t1", "Bearer t2"]
    assert w.headers[0]["Novafeed-User"] == "ext:ada"
    w.answers = [refuse(401, "token_expired")] * 2
    w.track(1)
    assert w.events.flush().problem.status == 401
    assert len(w.requests) == 4
    w.clock.step()
    assert (w.events.pending, w.problems, w.dropped) == (0, ["token_expired"], [])


def test_a_token_provider_that_fails_is_asked_again_later(world):
    failures = iter([RuntimeError("signed out"), RuntimeError("signed out")])

    def token(renew):
        for failure in failures:
            raise failure
        return "t"

    w = world(token=token)
    w.track(1)
    assert w.events.flush().problem == Problem(0, "no_token", "signed out")
    w.clock.step()
    w.clock.step()
    assert (w.events.pending, w.sizes) == (0, [1])


def test_single_refused_events_are_dropped_with_the_servers_reason_the_others_are_settled(world):
    w = world()
    results = [{"status": "rejected", "code": "unknown_post"}, {"status": "duplicate"}, {"status": "accepted"}]
    w.answers = [lambda events: answer(202, {"results": results}, {"Novafeed-Position": "abc"})]
    tracked = w.track(3)
    assert w.events.flush() == SENT
    wait_until(lambda: w.sent, "it is told")
    assert w.dropped == [(tracked[0], "unknown_post")]
    [sent] = w.sent
    assert (sent.events, sent.accepted, sent.duplicates, sent.position) == (tuple(tracked[1:]), 1, 1, "abc")


@pytest.mark.parametrize(("status", "code"), [(413, "body_too_large"), (422, "bad_batch_size")])
def test_batches_that_are_too_large_are_halved_for_good(world, status, code):
    w = world()
    w.answers = [lambda events: problem(status, code) if len(events) > 3 else accepted(events)] * 99
    w.track(20)
    assert w.events.flush() == SENT
    assert (w.sizes, w.dropped) == ([20, 10, 5, 3, 3, 3, 3, 3, 3, 2], [])


@pytest.mark.parametrize("bad", [0, 1, 7, 16, 31, 32])
def test_of_a_batch_that_is_refused_as_a_whole_only_the_event_that_is_to_blame_is_dropped(world, bad):
    w = world()
    spoiled = w.track(33)[bad]

    def judge(events):
        spoils = any(one["event_id"] == spoiled.event_id for one in events)
        return problem(400, "malformed_json") if spoils else accepted(events)

    w.answers = [judge] * 99
    assert w.events.flush() == SENT
    wait_until(lambda: w.dropped == [(spoiled, "malformed_json")], "it is told")
    wait_until(lambda: sum(sent.accepted for sent in w.sent) == 32, "the others are told")
    assert len(w.requests) <= 20


@pytest.mark.parametrize(("status", "code"), [(401, "user_erased"), (400, "user_required")])
def test_all_is_dropped_where_nothing_of_it_can_ever_be_taken(world, status, code):
    w = world()
    w.answers = [refuse(status, code)]
    w.track(5)
    assert w.events.flush() == SENT
    wait_until(lambda: len(w.dropped) == 5, "it is told")
    assert {why for _, why in w.dropped} == {code} and len(w.requests) == 1


STRANGE = [
    (200, "<html>Please sign in to this network</html>"),
    (202, "<html>"),
    (202, "[]"),
    (202, '{"results":[]}'),
    (202, '{"results":[null]}'),
    (500, '{"results":[{"status":"accepted"}]}'),
    (302, ""),
    (403, "forbidden by a proxy"),
]


def test_what_is_no_answer_of_this_server_settles_nothing(world):
    w = world()
    w.answers = [lambda events, given=given: answer(*given) for given in STRANGE]
    w.track(1)
    for _ in STRANGE:
        w.clock.step()
        assert w.events.pending == 1
    w.clock.step()
    assert (w.events.pending, w.dropped) == (0, [])


def test_where_there_is_no_room_the_oldest_events_are_dropped_and_that_is_told(world):
    w = world(max_queue_events=5)
    tracked = w.track(8)
    assert w.dropped == [(gone, "queue_full") for gone in tracked[:3]]
    assert w.events.flush() == SENT
    assert [one["event_id"] for one in w.requests[0]] == [one.event_id for one in tracked[3:]]


def test_close_sends_what_waits_and_then_takes_nothing_more(world):
    w = world()
    w.track(3)
    assert w.events.close() == SENT
    with pytest.raises(RuntimeError, match="closed"):
        w.track(1)
    assert w.events.close() == SENT


def test_what_is_left_at_the_end_is_sent_by_the_next_client(world, tmp_path):
    before = world(path=tmp_path / "queue")
    before.answers = [offline] * 99
    tracked = before.track(3)
    assert before.events.close(0.05).pending == 3
    after = world(path=tmp_path / "queue")
    assert after.events.flush() == SENT
    assert [one["event_id"] for one in after.requests[0]] == [one.event_id for one in tracked]


def test_a_callback_that_raises_stops_nothing(world):
    def broken(*_):
        raise ValueError("mine")

    w = world(on_sent=broken, on_dropped=broken, on_problem=broken, max_queue_events=2)
    w.answers = [offline]
    w.track(3)
    w.clock.step()
    w.clock.step()
    assert (w.events.pending, w.sizes) == (0, [2, 2])


def test_a_callback_may_call_the_client(world):
    w = world(on_sent=lambda sent: w.events.pending or (w.events.flush(), w.events.close()))
    w.track(1)
    assert w.events.flush() == SENT
    with pytest.raises(RuntimeError, match="closed"):
        w.track(1)


def test_many_threads_may_track_and_flush_at_once(world):
    w = world(max_batch_events=50)
    tracked = []

    def work():
        for number in range(200):
            tracked.append(w.events.track("view", "ext:p").event_id)
            if number % 50 == 0:
                w.events.flush()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert w.events.flush() == SENT
    sent = [one["event_id"] for events in w.requests for one in events]
    assert sorted(sent) == sorted(tracked)


class BadWorld:
    """A server behind a bad network: counts by identity, refuses some events for good, and anything may fail."""

    def __init__(self, rng, clock):
        self.rng, self.clock = rng, clock
        self.counted = set()
        self.quiet_until = 0.0
        self.quiet = False
        self.complaints = []

    def answer(self, events):
        now = self.clock.monotonic()
        if now < self.quiet_until:
            self.complaints.append("Retry-After was not kept")
        fate = 1 if self.quiet else self.rng.random()
        if fate < 0.15:
            return offline(events)
        if fate < 0.3:
            seconds = self.rng.randint(1, 20)
            self.quiet_until = now + seconds
            return problem(429 if fate < 0.22 else 503, "wait", {"Retry-After": str(seconds)})
        if fate < 0.36:
            return problem(500, "internal")
        if len(events) > 20:
            return problem(413, "body_too_large")
        if any(one["post_id"] == "ext:spoils" for one in events):
            return problem(400, "malformed_json")
        results = [self.judge(one) for one in events]
        if fate < 0.5:
            raise OSError("the answer is lost")
        return answer(202, {"results": results})

    def judge(self, one):
        if one["post_id"] == "ext:gone":
            return {"status": "rejected", "code": "unknown_post"}
        identity = json.dumps(one)
        known = identity in self.counted
        self.counted.add(identity)
        return {"status": "duplicate" if known else "accepted"}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_happens_each_event_is_counted_once_or_told_to_be_dropped(world, tmp_path, seed):
    rng = random.Random(seed)
    w = world(random=rng.random, max_batch_events=30, path=tmp_path / "queue")
    bad = BadWorld(rng, w.clock)
    w.answers = [bad.answer] * 10_000
    tracked = []
    for _ in range(200):
        what = rng.random()
        if what < 0.75:
            post = "ext:spoils" if rng.random() < 0.03 else "ext:gone" if rng.random() < 0.05 else "ext:good"
            tracked.append(w.events.track("share", post))
        elif what < 0.8:
            w.events.flush()
        else:
            w.clock.advance(rng.random() * 3)
    bad.quiet = True
    while w.events.pending:
        w.clock.step()
    w.clock.settle()
    good = sorted(json.dumps(json.loads(one.to_json())) for one in tracked if one.post_id == "ext:good")
    assert sorted(bad.counted) == good
    codes = {"ext:spoils": "malformed_json", "ext:gone": "unknown_post"}
    expected = sorted((one.event_id, codes[one.post_id]) for one in tracked if one.post_id in codes)
    assert sorted((one.event_id, code) for one, code in w.dropped) == expected
    assert sum(len(sent.events) for sent in w.sent) == len(good)
    assert not bad.complaints
