"""Feeds walked to their end by cursor while everything moves: the promises of the contract's section on the cursor.

Walks of several viewers go side by side on a real `serve` with a held clock. In each round people like, follow, post,
edit and delete, the clock moves (over hours and a UTC midnight, now and then by more than the hour that a walk's
instant lasts), and sometimes the server is killed and started again: in the first rounds by plan, later by chance. Then
each walk takes one page, and R(t), what the page is taken from, is read beside it: nothing is written in between, and
since the clock has moved by more than a second after the last write, the shared trending list is made of that state,
too.

The seed is printed, and taken from NOVAFEED_SEED where that is set.
"""

import os
import random
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from differential import people, rankings, walks
from harness import Server, post_id, scratch_directory, user_id
from oracle.oracle import DAY_MS, HOUR_MS

WALKS = 100 if os.environ.get("NOVAFEED_TEST_LEVEL") == "fast" else 1000
LONG_WALKS = 3  # beside them: by the reader of the press, over more than 560 posts
SIDE_BY_SIDE = 25
START = 1_700_006_400_000 - 70 * 60_000  # 22:50 before the midnight of 2023-11-15 UTC
TRENDING_MAX_AGE_MS = 1000
# What happens in the first rounds. The first long walk is open in all of them: it has six pages at least. By how many
# minutes the clock moves (and some seconds): to 23:02, to 23:51 when the walk is an hour old, and over the midnight.
PLANNED_MINUTES = (0, 12, 0, 49, 12)
PLANNED_KILL = 2


@dataclass
class Record:
    """Everything that was walked, and what happened meanwhile."""

    taken: list[walks.Walk] = field(default_factory=list)
    kills: int = 0

    def broken(self, promise) -> list[str]:
        return [
            f"{walk.viewer}, {walk.mode}, limit {walk.limit}: {problem}"
            for walk in self.taken
            if (problem := promise(walk))
        ]


class Walkers:
    """Runs the rounds. One service client does everything, in the name of each viewer."""

    def __init__(self, rng: random.Random, server: Server, population: people.People) -> None:
        self.record = Record()
        self._rng = rng
        self._server = server
        self._people = population
        self._client = server.client(scope="service")
        self._open: list[walks.Walk] = []
        self._planned = self._plan()
        self._round = 0

    def run(self) -> Record:
        while self._planned or self._open:
            while self._planned and len(self._open) < SIDE_BY_SIDE:
                self._open.append(self._planned.popleft())
            self._live()
            self._settle()
            for walk in self._open:
                walk.take_page(self._client, self._server.now())
            self._open = [walk for walk in self._open if not walk.ended]
            self._round += 1
        self._client.close()
        return self.record

    def _plan(self) -> deque[walks.Walk]:
        planned = [
            walks.Walk(
                viewer=self._rng.choice(people.VIEWERS),
                mode="following" if self._rng.random() < 0.1 else "for_you",
                limit=self._rng.randint(1, 4) if self._rng.random() < 0.1 else self._rng.randint(1, 100),
            )
            for _ in range(WALKS)
        ]
        for number in range(LONG_WALKS):
            walk = walks.Walk(viewer=people.READER, mode="for_you", limit=self._rng.randint(40, 100))
            planned.insert(number * WALKS // LONG_WALKS, walk)
        self.record.taken = planned
        return deque(planned)

    def _live(self) -> None:
        for _ in range(self._rng.randint(2, 10)):
            self._people.act(self._client, self._server.now())
        for walk in self._open:
            if walk.viewer == people.READER:
                self._thin_out(walk)

    def _thin_out(self, walk: walks.Walk) -> None:
        """Posts that were served go, so that others move up into the ranking: more than 560 in the whole walk."""
        served = set(walk.served()[-100:])
        gone = [name for name in self._people.press_posts() if post_id(name) in served]
        for name in gone[:20]:
            self._people.delete_press_post(self._client, name)

    def _settle(self) -> None:
        """Everything that was written is applied, and the trending list has to be made anew."""
        if self._round == PLANNED_KILL or self._rng.random() < 1 / 20:
            self._server.restart(kill=True)
            self._client.close()
            self._client = self._server.client(scope="service")
            self.record.kills += 1
        page = rankings.feed_page(self._client, user_id(people.READER), limit=1, min_position=self._people.position)
        assert "behind" not in page["degraded"], page
        step = TRENDING_MAX_AGE_MS + 1 + self._rng.randrange(30_000)
        self._server.set_clock(self._server.now() + self._minutes() * 60_000 + step)

    def _minutes(self) -> int:
        if self._round < len(PLANNED_MINUTES):
            return PLANNED_MINUTES[self._round]
        draw = self._rng.random()
        if draw < 0.02:
            return self._rng.randint(61, 70)
        return self._rng.randint(5, 25) if draw < 0.06 else 0


@pytest.fixture(name="record", scope="module")
def walk_all():
    seed = int(os.environ.get("NOVAFEED_SEED", time.time_ns() % 1_000_000))
    print(f"NOVAFEED_SEED={seed}")
    rng = random.Random(seed)
    population = people.People(rng, START)
    with scratch_directory() as scratch:
        file, data = Path(scratch, "world.ndjson"), Path(scratch, "data")
        population.write_world(file)
        assert not rankings.import_files(data, [file], bad_lines=0)
        with Server(data, test_clock=START) as server:
            yield Walkers(rng, server, population).run()


PROMISES = {
    "a: no post twice": walks.nothing_twice,
    "b: a page with a next_cursor is full": walks.pages_are_full,
    "c: what is in each R(t) is served": walks.what_stays_is_served,
    "d: no page is behind the one before": walks.never_behind,
    "e: as_of lasts an hour": walks.as_of_lasts_an_hour,
    "a page is the first of what is left": walks.pages_are_the_first_of_what_is_left,
    "next_cursor is null at the end and only there": walks.the_end_is_the_end,
    "trending is at most a second old": walks.trending_is_fresh,
}


@pytest.mark.parametrize("promise", PROMISES.values(), ids=PROMISES.keys())
def test_promise_holds_on_every_page_of_every_walk(record, promise):
    broken = record.broken(promise)
    assert not broken, "\n".join([f"{len(broken)} of {len(record.taken)} walks:", *broken[:10]])


def test_the_walks_went_through_what_they_are_meant_to(record):
    ranked = [walk for walk in record.taken if walk.mode == "for_you"]
    pages = [page for walk in ranked for page in walk.pages]
    assert any(page.as_of // HOUR_MS < page.now // HOUR_MS for page in pages), "no walk went on into another clock hour"
    assert any(page.as_of // DAY_MS < page.now // DAY_MS for page in pages), "no walk went on over a midnight"
    assert any(len({page.as_of for page in walk.pages}) > 1 for walk in ranked), "no walk became an hour old"
    assert record.kills >= 1
    long = [walk for walk in record.taken if len(walk.ever_ranked()) > walks.MOST_SERVED]
    assert len(long) >= LONG_WALKS, "too few walks over more than 560 posts"
    lengths = [len(page.ranking) for walk in record.taken if walk.viewer != people.READER for page in walk.pages]
    assert max(lengths) > 60, lengths
