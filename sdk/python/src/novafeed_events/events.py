"""What an event is, and what can be said about it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal, Optional, Tuple

EventType = Literal["impression", "view", "share", "like", "unlike"]


@dataclass(frozen=True)
class FeedEvent:
    """An event as it is sent. All of it together is its identity: the server counts it once, however often it comes."""

    event_id: str
    type: EventType
    post_id: str
    at: int
    user_id: Optional[str] = None  # who did it, where the token speaks for a platform

    def to_json(self) -> str:
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(given, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> FeedEvent:
        given = json.loads(text)
        return FeedEvent(given["event_id"], given["type"], given["post_id"], given["at"], given.get("user_id"))


@dataclass(frozen=True)
class Problem:
    """Why something was not done. `status` is the HTTP status, 0 where there was no answer."""

    status: int
    code: str
    detail: str


@dataclass(frozen=True)
class Sent:
    """What the server has taken. Duplicates were taken before: an earlier answer was lost. `position` is for
    `min_position` of reads that must show these events."""

    events: Tuple[FeedEvent, ...]
    accepted: int
    duplicates: int
    position: Optional[str]


@dataclass(frozen=True)
class FlushResult:
    """How many events still wait, and why; `problem` is None where nothing went wrong."""

    pending: int
    problem: Optional[Problem]
