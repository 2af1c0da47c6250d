"""Time that a test moves, and a network that does what a test says: as in typescript/fakes.mjs."""

from __future__ import annotations

import json
import threading

from harness import wait_until
from novafeed_events import Clock, EventsClient
from novafeed_events.transport import Answer


class HeldClock(Clock):
    """Only `step` and `advance` move it. `idle` while the client's thread waits, until `deadline` (None: for ever)."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.idle = False
        self.deadline: float | None = None
        self.condition: threading.Condition | None = None

    def now(self) -> int:
        return 1_700_000_000_000 + round(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        self.deadline = None if seconds is None else self.seconds + seconds
        self.condition, self.idle = condition, True
        condition.wait()
        self.idle = False

    def step(self) -> None:
        """To the time for which the client waits; until it has done what it does then."""
        wait_until(lambda: self.idle and self.deadline is not None, "the client waits for a time")
        self.advance(self.deadline - self.seconds)

    def advance(self, seconds: float) -> None:
        self.settle()
        with self.condition:
            self.seconds += seconds
        self.settle()

    def settle(self) -> None:
        """Until the client's thread has seen everything and waits again."""
        wait_until(lambda: self.idle, "the client waits")
        with self.condition:
            self.idle = False
            self.condition.notify_all()
        wait_until(lambda: self.idle, "the client waits")


def accepted(events):
    return answer(202, {"results": [{"event_id": event["event_id"], "status": "accepted"} for event in events]})


def answer(status, body, headers=None):
    return Answer(status, headers or {}, body.encode() if isinstance(body, str) else json.dumps(body).encode())


def problem(status, code, headers=None):
    return answer(status, {"status": status, "code": code, "detail": f"It is {code}."}, headers)


def refuse(status, code, headers=None):
    return lambda events: problem(status, code, headers)


def offline(events):
    raise OSError("no network")


class World:
    """A client with time and network of the test, and what it has told. `random` is 1: waits are as long as they may
    be. A request is answered by the next of `answers`, a function of the events, or accepted."""

    def __init__(self, **options) -> None:
        self.clock = HeldClock()
        self.answers: list = []
        self.requests: list[list[dict]] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.dropped: list[tuple] = []
        self.sent: list = []
        self.problems: list[str] = []
        given = {
            "clock": self.clock,
            "random": lambda: 1.0,
            "post": self._post,
            "on_dropped": lambda event, why: self.dropped.append((event, why.code)),
            "on_sent": self.sent.append,
            "on_problem": lambda why: self.problems.append(why.code),
            "token": lambda renew: "t0",
        }
        self.events = EventsClient("http://feed.test/", **{**given, **options})

    def _post(self, url, headers, body, timeout):
        events = json.loads(body)["events"]
        self.requests.append(events)
        self.bodies.append(body)
        self.headers.append(headers)
        self.times.append(self.clock.monotonic())
        return (self.answers.pop(0) if self.answers else accepted)(events)

    @property
    def sizes(self) -> list[int]:
        return [len(events) for events in self.requests]

    def track(self, count):
        return [self.events.track("share", f"ext:{number}") for number in range(count)]

    def stop(self) -> None:
        self.events.close(0)
