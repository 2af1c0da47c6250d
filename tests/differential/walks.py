"""A walk through a feed by cursor, what it was promised, and whether that was kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from differential import rankings
from harness import Client, user_id
from oracle.oracle import HOUR_MS

MOST_SERVED = 560
WALK_LASTS_MS = HOUR_MS

Place = tuple[int, str]  # sorts newest first, ties by id: the order of mode=following


@dataclass
class Page:
    """One page with the instant at which it was taken and what it was taken from."""

    now: int
    as_of: int
    trending_as_of: int
    degraded: list[str]
    served: list[str]  # ids
    ranking: list[str]  # R(t)
    is_last: bool
    places: dict[str, Place]


@dataclass
class Walk:
    viewer: str
    mode: str
    limit: int
    cursor: str | None = None
    pages: list[Page] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return bool(self.pages) and self.pages[-1].is_last

    def served(self) -> list[str]:
        return [post for page in self.pages for post in page.served]

    def ever_ranked(self) -> set[str]:
        return set().union(*(page.ranking for page in self.pages))

    def take_page(self, client: Client, now: int) -> None:
        """The next page and, beside it, R(t). Nothing may be written between the two."""
        user = user_id(self.viewer)
        answer = rankings.feed_page(client, user, limit=self.limit, mode=self.mode, cursor=self.cursor)
        source = rankings.feed_by_offset(client, user, mode=self.mode, **self._instants(answer, now))["items"]
        self.cursor = answer["next_cursor"]
        self.pages.append(
            Page(
                now=now,
                as_of=answer["as_of"],
                trending_as_of=answer["trending_as_of"],
                degraded=answer["degraded"],
                served=ids_of(answer["items"]),
                ranking=ids_of(source),
                is_last=self.cursor is None,
                places=places_of(answer["items"]) | places_of(source),
            )
        )

    def _instants(self, answer: dict, now: int) -> dict:
        """A page of `following` promises nothing about its instant; one older than an hour cannot be asked for."""
        if self.mode == "following":
            return {"as_of": max(answer["as_of"], now - HOUR_MS)}
        return {"as_of": answer["as_of"], "trending_as_of": answer["trending_as_of"]}


def ids_of(items: list[dict]) -> list[str]:
    return [item["post"]["id"] for item in items]


def places_of(items: list[dict]) -> dict[str, Place]:
    rows = map(rankings.row_of, items)
    return {row["post_id"]: (-row["created_at"], row["post_id"]) for row in rows}


# --- The promises. Each returns what was broken, for a reader, or None. ---


def nothing_twice(walk: Walk) -> str | None:
    """(a)"""
    served = walk.served()
    twice = {post for post in served if served.count(post) > 1}
    return f"served twice: {sorted(twice)}" if twice else None


def pages_are_full(walk: Walk) -> str | None:
    """(b)"""
    for number, page in enumerate(walk.pages, 1):
        if not page.is_last and len(page.served) != walk.limit:
            return f"page {number} has a next_cursor and {len(page.served)} of {walk.limit} posts"
    return None


def what_stays_is_served(walk: Walk) -> str | None:
    """(c); in mode=following without the limit of 560"""
    if walk.mode == "for_you" and len(walk.ever_ranked()) > MOST_SERVED:
        return None
    missed = set.intersection(*(set(page.ranking) for page in walk.pages)) - set(walk.served())
    return f"in every R(t) and never served: {sorted(missed)}" if missed else None


def never_behind(walk: Walk) -> str | None:
    """(d): on one node, the position of the page before is always reached."""
    for number, page in enumerate(walk.pages, 1):
        # "stale" may be there: the clock jumps by more than 5 s, and the log's background work may be under way.
        if "behind" in page.degraded:
            return f"page {number} is behind"
    return None


def as_of_lasts_an_hour(walk: Walk) -> str | None:
    """(e); in mode=following no instant is promised."""
    if walk.mode == "following":
        return None
    as_of = walk.pages[0].now
    for number, page in enumerate(walk.pages, 1):
        as_of = page.now if page.now - as_of >= WALK_LASTS_MS else as_of
        if page.as_of != as_of:
            return f"page {number}, at {page.now}: as_of {page.as_of}, expected {as_of}"
    return None


def trending_is_fresh(walk: Walk) -> str | None:
    """The shared list is at most 1 s old."""
    for number, page in enumerate(walk.pages, 1):
        if walk.mode == "for_you" and not 0 <= page.now - page.trending_as_of <= 1000:
            return f"page {number}, at {page.now}: trending_as_of {page.trending_as_of}"
    return None


def pages_are_the_first_of_what_is_left(walk: Walk) -> str | None:
    """A page is the first `limit` of R(t) that were not served (following: that come after the last one)."""
    for number, (page, left) in enumerate(zip(walk.pages, what_was_left(walk)), 1):
        if page.served != left[: walk.limit]:
            place = next((n for n, pair in enumerate(zip(page.served, left)) if pair[0] != pair[1]), len(page.served))
            return (
                f"page {number}, place {place + 1} of {len(page.served)}: "
                f"got {page.served[place : place + 2]}, expected {left[place : place + 2]}"
            )
    return None


def the_end_is_the_end(walk: Walk) -> str | None:
    """next_cursor is null when nothing of R(t) is left, or 560 are served; only then."""
    served = 0
    for number, (page, left) in enumerate(zip(walk.pages, what_was_left(walk)), 1):
        served += len(page.served)
        full = walk.mode == "for_you" and served >= MOST_SERVED
        if page.is_last != (full or len(left) <= len(page.served)):
            return f"page {number}: last {page.is_last}, {len(left) - len(page.served)} posts left, {served} served"
    return None


def what_was_left(walk: Walk) -> list[list[str]]:
    """For each page, the part of its R(t) that it could be taken from."""
    served: set[str] = set()
    last: Place | None = None
    all_left = []
    for page in walk.pages:
        if walk.mode == "for_you":
            all_left.append([post for post in page.ranking if post not in served])
        else:
            all_left.append([post for post in page.ranking if last is None or page.places[post] > last])
        served.update(page.served)
        last = page.places[page.served[-1]] if page.served else last
    return all_left
