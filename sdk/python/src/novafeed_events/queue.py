"""The events that wait, oldest first, bounded in number and bytes, in an SQLite file that survives kill -9."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from typing import List, Optional, Union

from .events import FeedEvent

_SCHEMA = "CREATE TABLE IF NOT EXISTS waiting (number INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL)"


class QueueInUse(Exception):
    """Another client has this queue file open: give each process a file of its own."""


@dataclass(frozen=True)
class Entry:
    number: int  # later entries have greater ones
    json: str  # the event as it is sent, each time the same

    @property
    def event(self) -> FeedEvent:
        return FeedEvent.from_json(self.json)

    @property
    def size(self) -> int:
        return _size(self.json)


def _size(text: str) -> int:
    return len(text) + 1  # ASCII, with the comma after it


class Queue:
    """Not thread-safe: its client holds a lock. Without a path it is in memory."""

    def __init__(self, path: Union[str, "os.PathLike[str]", None], max_events: int, max_bytes: int) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._file = _open(path)
        self._sending_to = 0
        self.count, self.bytes, self.newest = self._file.execute(
            "SELECT count(*), coalesce(sum(length(event) + 1), 0), coalesce(max(number), 0) FROM waiting"
        ).fetchone()

    def add(self, event: FeedEvent) -> List[FeedEvent]:
        """Durable when it returns. Returns the events that had to go for it: the oldest."""
        text = event.to_json()
        with self._file:
            self.newest = self._file.execute("INSERT INTO waiting (event) VALUES (?)", (text,)).lastrowid
        self.count += 1
        self.bytes += _size(text)
        return self.shrink()

    def batch(self, max_events: int, max_bytes: int) -> List[Entry]:
        """The oldest events, as many as fit, but at least one if any waits. They stay until they are settled."""
        batch: List[Entry] = []
        room = max_bytes
        for row in self._file.execute("SELECT number, event FROM waiting ORDER BY number LIMIT ?", (max_events,)):
            entry = Entry(*row)
            room -= entry.size
            if batch and room < 0:
                break
            batch.append(entry)
        return batch

    def sending(self, batch: List[Entry]) -> None:
        """These are on their way: they stay, for they would be called lost though they may be counted."""
        self._sending_to = batch[-1].number if batch else 0

    def settle(self, entries: List[Entry]) -> None:
        """They need not wait any more."""
        with self._file:
            self._file.executemany("DELETE FROM waiting WHERE number = ?", [(entry.number,) for entry in entries])
        self.count -= len(entries)
        self.bytes -= sum(entry.size for entry in entries)

    def shrink(self) -> List[FeedEvent]:
        """Takes out the oldest until the bounds hold, and returns them."""
        gone: List[FeedEvent] = []
        while self.count > self._max_events or self.bytes > self._max_bytes:
            oldest = self._oldest_waiting()
            if oldest is None:
                break
            self.settle([oldest])
            gone.append(oldest.event)
        return gone

    def close(self) -> None:
        self._file.close()

    def _oldest_waiting(self) -> Optional[Entry]:
        row = self._file.execute(
            "SELECT number, event FROM waiting WHERE number > ? ORDER BY number LIMIT 1", (self._sending_to,)
        ).fetchone()
        return Entry(*row) if row else None


def _open(path: Union[str, "os.PathLike[str]", None]) -> sqlite3.Connection:
    file = sqlite3.connect(":memory:" if path is None else os.fspath(path), timeout=0, check_same_thread=False)
    try:
        file.execute("PRAGMA locking_mode = EXCLUSIVE")  # two clients on one file would each send all of it
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")  # a power cut may take the last events, kill -9 may not
        with file:
            file.execute(_SCHEMA)
            file.execute("DELETE FROM waiting WHERE 0")  # takes the lock also where the table was there
        return file
    except sqlite3.OperationalError as error:
        file.close()
        if "locked" in str(error):
            raise QueueInUse(f"{path} is used by another client: give each process a file of its own") from None
        raise
