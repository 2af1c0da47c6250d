"""How long to wait after a failure: exponential, with full jitter, so that many clients do not come back together."""

from __future__ import annotations

import email.utils
from typing import Callable, Optional

LONGEST_RETRY_AFTER = 3600.0  # even a server that asks for more is asked again after this time


class Backoff:
    def __init__(self, base: float, longest: float, random: Callable[[], float]) -> None:
        self._base = base
        self._longest = longest
        self._random = random
        self._failures = 0

    def next(self, retry_after: float = 0.0) -> float:
        """Another failure: the seconds until the next try, at least `retry_after`."""
        ceiling = min(self._longest, self._base * 2.0 ** min(self._failures, 64))
        self._failures += 1
        return min(retry_after, LONGEST_RETRY_AFTER) + self._random() * ceiling

    def reset(self) -> None:
        self._failures = 0


def parse_retry_after(value: Optional[str], now_ms: int) -> Optional[float]:
    """The header's seconds or date as seconds from `now_ms`; None where there is none."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now_ms / 1000)
    except (TypeError, ValueError):
        return None
