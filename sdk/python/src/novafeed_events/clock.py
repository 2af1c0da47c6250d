"""Time, as something that a test can hold."""

from __future__ import annotations

import threading
import time
from typing import Optional


class Clock:
    """`now` dates events, in milliseconds since 1970: the server refuses those more than 5 minutes ahead of it.
    `monotonic`, in seconds, measures waits."""

    def now(self) -> int:
        raise NotImplementedError

    def monotonic(self) -> float:
        raise NotImplementedError

    def wait(self, condition: threading.Condition, seconds: Optional[float]) -> None:
        """Until the condition is notified, or the time is over. The caller holds its lock."""
        raise NotImplementedError


class SystemClock(Clock):
    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: Optional[float]) -> None:
        condition.wait(seconds)
