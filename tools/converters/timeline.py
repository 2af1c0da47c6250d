"""Puts import actions in the order of their times, and writes them as NDJSON."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from typing import TextIO

# At equal times, what is named comes before what names it.
_RANK = {"user": 0, "follow": 1, "post": 2, "impression": 3}
_LAST_RANK = 4


class Timeline:
    """Takes actions in any order within a window, gives them out sorted: by time, then kind, then as they came."""

    def __init__(self, out: TextIO) -> None:
        self.written: Counter[str] = Counter()  # by type
        self._out = out
        self._waiting: list[tuple[int, int, int, str]] = []
        self._taken = 0

    def add(self, kind: str, at: int, **fields: object) -> None:
        line = json.dumps({"type": kind, "at": at, **fields}, ensure_ascii=False, separators=(",", ":"))
        self._taken += 1
        heapq.heappush(self._waiting, (at, _RANK.get(kind, _LAST_RANK), self._taken, line))
        self.written[kind] += 1

    def write_before(self, at: int) -> None:
        """Writes what lies before `at`: nothing earlier may be added any more."""
        while self._waiting and self._waiting[0][0] < at:
            self._out.write(heapq.heappop(self._waiting)[3] + "\n")

    def write_rest(self) -> None:
        for *_, line in sorted(self._waiting):
            self._out.write(line + "\n")
        self._waiting.clear()


def check(what: str, actual: int, expected: int) -> None:
    """Stops the conversion where a published number is not met."""
    if actual != expected:
        raise SystemExit(f"{what}: {actual:,} found, {expected:,} expected. Is the data set complete, and the one named?")
