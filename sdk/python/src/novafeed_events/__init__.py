"""Sends behaviour events to a Novafeed server: in batches, also after being offline, each counted once."""

from .client import EventsClient
from .clock import Clock, SystemClock
from .events import EventType, FeedEvent, FlushResult, Problem, Sent
from .queue import QueueInUse

__all__ = [
    "Clock",
    "EventType",
    "EventsClient",
    "FeedEvent",
    "FlushResult",
    "Problem",
    "QueueInUse",
    "Sent",
    "SystemClock",
]
