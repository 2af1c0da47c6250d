"""The client: takes events, and sees to it that each reaches the server once or is told to be dropped."""

from __future__ import annotations

import logging
import os
import random as system_random
import sqlite3
import threading
import uuid
from typing import Any, Callable, List, Literal, Optional, Tuple, Union

from .backoff import Backoff
from .clock import Clock, SystemClock
from .events import EventType, FeedEvent, FlushResult, Problem, Sent
from .queue import Entry, Queue
from .transport import Answered, Failed, Outcome, Post, Refused, TokenProvider, Transport, post_with_urllib

_log = logging.getLogger("novafeed_events")

_QUEUE_FULL = Problem(0, "queue_full", "There was no room: the oldest event had to go.")

Waiting = Literal["interval", "backoff", "retry_after"]
Call = Tuple[Optional[Callable[..., None]], Tuple[Any, ...]]


class EventsClient:
    """Thread-safe. A thread of its own does the sending; make the client after a fork, not before.

    `token` is called with True when the server has just refused the token before. `user` is whom a service token speaks
    for (the header Novafeed-User). `path` names the file in which waiting events survive the process; without it they
    are in memory. Times are in seconds. `on_dropped` is told each event that will not be sent again: the server refused
    it, or there was no room ("queue_full"); `on_problem` what failed and is tried again. Callbacks run on the sending
    thread, or on the one that calls `track`.
    """

    def __init__(
        self,
        url: str,
        token: TokenProvider,
        *,
        user: Optional[str] = None,
        path: Union[str, "os.PathLike[str]", None] = None,
        max_queue_events: int = 100_000,
        max_queue_bytes: int = 64 * 1024 * 1024,
        max_batch_events: int = 200,
        max_batch_bytes: int = 256 * 1024,
        flush_interval: float = 2.0,
        request_timeout: float = 30.0,
        backoff_base: float = 0.5,
        backoff_max: float = 60.0,
        on_dropped: Optional[Callable[[FeedEvent, Problem], None]] = None,
        on_sent: Optional[Callable[[Sent], None]] = None,
        on_problem: Optional[Callable[[Problem], None]] = None,
        clock: Optional[Clock] = None,
        random: Callable[[], float] = system_random.random,
        post: Post = post_with_urllib,
    ) -> None:
        self._clock = clock or SystemClock()
        self._max_batch_events = max_batch_events
        self._max_batch_bytes = max_batch_bytes
        self._flush_interval = flush_interval
        self._on_dropped = on_dropped
        self._on_sent = on_sent
        self._on_problem = on_problem
        self._backoff = Backoff(backoff_base, backoff_max, random)
        self._transport = Transport(url, token, user, post, request_timeout, self._clock)
        self._batch_events = max_batch_events  # of the next batch: smaller while a refused event is looked for

        self._changed = threading.Condition()  # guards all below
        self._waiting: Optional[Waiting] = None
        self._due = 0.0
        self._until = 0  # entries up to this number are to be sent without more waiting
        self._failures = 0
        self._problem: Optional[Problem] = None
        self._closing = False
        self._stopped = False
        self._queue = Queue(path, max_queue_events, max_queue_bytes)
        self._tell([(self._on_dropped, (gone, _QUEUE_FULL)) for gone in self._queue.shrink()])
        self._start_interval()
        self._thread = threading.Thread(target=self._run, name="novafeed-events", daemon=True)
        self._thread.start()

    def __enter__(self) -> EventsClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pending(self) -> int:
        """Events that wait."""
        with self._changed:
            return self._queue.count

    def track(
        self,
        type: EventType,
        post_id: object,
        *,
        at: Optional[int] = None,
        user_id: object = None,
        event_id: object = None,
    ) -> FeedEvent:
        """Takes an event; its id and time are fixed now, and with a `path` it survives the process when this returns.

        `at` is in milliseconds since 1970, by default now; `user_id` who did it, where the token speaks for a platform;
        `event_id` an id of your own (a UUID or "ext:<string>").
        """
        event = FeedEvent(
            str(event_id or uuid.uuid4()),
            type,
            str(post_id),
            self._clock.now() if at is None else at,
            None if user_id is None else str(user_id),
        )
        with self._changed:
            if self._closing:
                raise RuntimeError("this client is closed")
            dropped = self._add(event)
            self._start_interval()
            self._changed.notify_all()
        self._tell([(self._on_dropped, told) for told in dropped])
        return event

    def flush(self, timeout: float = 30.0) -> FlushResult:
        """Tries at once to send all that waits, also during a back-off, but not while the server has asked to be left
        alone. Returns after the first failure."""
        with self._changed:
            if self._waiting == "retry_after":
                return self._state()
            failures, until = self._failures, self._hurry()
            self._await(lambda: self._is_sent(until) or self._failures > failures, timeout)
            return self._state()

    def close(self, deadline: float = 5.0) -> FlushResult:
        """Takes no more events, and goes on sending until none waits or the time is over. What is left stays in the
        file."""
        with self._changed:
            self._closing = True
            self._hurry()
            self._await(lambda: self._queue.count == 0, deadline)
            self._stopped = True
            self._changed.notify_all()
            state = self._state()
        if threading.current_thread() is not self._thread:
            self._thread.join(deadline)  # it may be in a request; then it closes the file when that is over
        return state

    # --- When to send; all with the lock held ---

    def _state(self) -> FlushResult:
        return FlushResult(self._queue.count, self._problem)

    def _await(self, condition: Callable[[], bool], seconds: float) -> None:
        if threading.current_thread() is self._thread:
            return  # a callback would wait for itself
        self._changed.wait_for(lambda: self._stopped or condition(), seconds)

    def _hurry(self) -> int:
        self._until = self._queue.newest
        self._changed.notify_all()
        return self._until

    def _is_sent(self, number: int) -> bool:
        if number == 0:
            return True
        first = self._queue.batch(1, 0)
        return not first or first[0].number > number

    def _start_interval(self) -> None:
        if self._waiting is None and self._queue.count > 0:
            self._wait("interval", self._flush_interval)

    def _wait(self, what: Waiting, seconds: float) -> None:
        self._waiting = what
        self._due = self._clock.monotonic() + seconds

    def _delay(self) -> Optional[float]:
        """Seconds until the next batch is due, 0 or less for now; None where nothing waits."""
        if self._queue.count == 0:
            return None
        remaining = self._due - self._clock.monotonic()
        if self._waiting == "retry_after":
            return remaining
        if not self._is_sent(self._until):
            return 0.0
        full = self._queue.count >= self._max_batch_events or self._queue.bytes >= self._max_batch_bytes
        return 0.0 if full and self._waiting != "backoff" else remaining

    # --- The sending thread ---

    def _run(self) -> None:
        while True:
            try:
                batch = self._next_batch()
                if batch is None:
                    break
                self._apply(self._transport.send([entry.json for entry in batch]), batch)
            except sqlite3.Error as error:  # a full disk, say: nothing is lost, and what was taken is a duplicate then
                self._fail(Failed(Problem(0, "queue_failed", str(error)), None))
        with self._changed:
            self._queue.close()

    def _next_batch(self) -> Optional[List[Entry]]:
        """Waits until one is due. None at the end."""
        with self._changed:
            while not self._stopped:
                delay = self._delay()
                if delay is not None and delay <= 0:
                    return self._take()
                self._clock.wait(self._changed, delay)
            return None

    def _take(self) -> List[Entry]:
        if self._waiting is not None and self._is_sent(self._until):
            self._until = self._queue.newest  # the time has come for all that waits now
        self._waiting = None
        batch = self._queue.batch(self._batch_events, self._max_batch_bytes)
        self._queue.sending(batch)
        return batch

    def _apply(self, outcome: Outcome, batch: List[Entry]) -> None:
        if isinstance(outcome, Failed):
            self._fail(outcome)
            return
        with self._changed:
            self._backoff.reset()
            self._problem = None
            calls = self._settle(outcome, batch) if isinstance(outcome, Answered) else self._refuse(outcome, batch)
            self._queue.sending([])
            self._start_interval()
        self._report(calls)

    def _settle(self, outcome: Answered, batch: List[Entry]) -> List[Call]:
        self._queue.settle(batch)
        self._batch_events = min(self._max_batch_events, self._batch_events * 2)
        calls: List[Call] = []
        taken: List[FeedEvent] = []
        duplicates = 0
        for entry, result in zip(batch, outcome.results):
            if result.get("status") == "rejected":
                why = Problem(202, str(result.get("code", "")), "The server refused this event.")
                calls.append((self._on_dropped, (entry.event, why)))
            else:
                taken.append(entry.event)
                duplicates += result.get("status") == "duplicate"
        if taken:
            sent = Sent(tuple(taken), len(taken) - duplicates, duplicates, outcome.position)
            calls.append((self._on_sent, (sent,)))
        return calls

    def _refuse(self, outcome: Refused, batch: List[Entry]) -> List[Call]:
        """Sends smaller batches, until the event that is to blame is alone."""
        if len(batch) == 1 or outcome.because == "all":
            self._queue.settle(batch)
            return [(self._on_dropped, (entry.event, outcome.problem)) for entry in batch]
        self._batch_events = (len(batch) + 1) // 2
        if outcome.because == "size":
            self._max_batch_events = self._batch_events
        return []

    def _fail(self, outcome: Failed) -> None:
        with self._changed:
            self._problem = outcome.problem
            self._failures += 1
            self._until = 0
            self._queue.sending([])
            waiting: Waiting = "backoff" if outcome.retry_after is None else "retry_after"
            self._wait(waiting, self._backoff.next(outcome.retry_after or 0.0))
        self._report([(self._on_problem, (outcome.problem,))])

    def _report(self, calls: List[Call]) -> None:
        """Who waits for the outcome learns of it when the callbacks have."""
        self._tell(calls)
        with self._changed:
            self._changed.notify_all()

    # --- Both threads ---

    def _add(self, event: FeedEvent) -> List[Tuple[FeedEvent, Problem]]:
        try:
            return [(gone, _QUEUE_FULL) for gone in self._queue.add(event)]
        except sqlite3.Error as error:
            return [(event, Problem(0, "queue_failed", str(error)))]

    def _tell(self, calls: List[Call]) -> None:
        """What a callback raises is its author's to see, and must not stop the sending."""
        for callback, arguments in calls:
            try:
                if callback is not None:
                    callback(*arguments)
            except Exception:
                _log.exception("a callback failed")
