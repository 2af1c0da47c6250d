#!/usr/bin/env python3
"""Random social graphs as NDJSON actions, made to sit on every edge of every window of the ranking.

    generate.py --seed N --out FILE     writes the actions, prints {"seed","as_of","viewers","large",...} as JSON

Equal seeds give equal files. Every eighth seed gives a *large* graph: its first viewer has more than 500 follow, 200
trending and 200 affinity candidates and more than 500 merged ones, with a tie (equal score, equal created_at: the id
bytes decide) across each of the four cuts. The oracle asserts that before the graph is given out.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oracle import oracle  # noqa: E402  (the path must be set first when this runs as a script)

HOUR = oracle.HOUR_MS
DAY = oracle.DAY_MS
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
BASE_MIDNIGHT = 1_700_006_400_000  # 2023-11-15T00:00:00Z
LARGE_EVERY = 8
LARGE_ATTEMPTS = 40
FIRST_SLOT = 31_536_000_000  # 1971-01-01T00:00:00Z
SLOT_DAYS = 130  # more than the oldest action before as_of and the newest after it
NAMES_OF_SLOT = 100_000
SLOTS = 360  # until 2099


@dataclass
class Graph:
    """Lines of NDJSON, the instant to rank at, and the viewers to rank for (as `ext:<string>` or UUID)."""

    seed: int
    large: bool
    as_of: int
    viewers: list[str]
    lines: list[str]

    def write(self, path: str | Path) -> None:
        Path(path).write_text("".join(line + "\n" for line in self.lines), encoding="utf-8")

    def state(self) -> oracle.State:
        """The graph as the oracle sees it: one file."""
        state = oracle.State()
        state.begin_file()
        for line in self.lines:
            state.apply_line(line)
        return state

    def describe(self) -> dict:
        return {
            "seed": self.seed,
            "as_of": self.as_of,
            "viewers": self.viewers,
            "large": self.large,
            "lines": len(self.lines),
        }


def is_large(seed: int) -> bool:
    return seed % LARGE_EVERY == 0


def generate(seed: int, slot: int | None = None) -> Graph:
    """With a slot, the same kind of graph in a stretch of time, and with names, that no other slot has.

    So graphs of several slots may lie in one data set, and what the whole platform shares (the trending list; the newest
    posts, as far as there are enough) is still each graph's own at its instant.
    """
    if not is_large(seed):
        return small_graph(seed, random.Random(f"small {seed}"), slot)
    for attempt in range(LARGE_ATTEMPTS):
        graph = large_graph(seed, random.Random(f"large {seed} {attempt}"), slot)
        if large_shortcoming(graph) is None:
            return graph
    raise AssertionError(f"seed {seed}: no large graph in {LARGE_ATTEMPTS} attempts: {large_shortcoming(graph)}")


# --- Instants ----------------------------------------------------------------------------------------------------


def choose_as_of(rng: random.Random, slot: int | None = None) -> int:
    """Mostly on or beside a midnight or an hour: there the windows of hours and days move."""
    midnight = BASE_MIDNIGHT + rng.randrange(365) * DAY
    if slot is not None:
        midnight = FIRST_SLOT + slot * SLOT_DAYS * DAY
    hour = midnight + rng.randrange(24) * HOUR
    return rng.choice(
        [
            midnight + rng.choice((-1, 0, 1)),
            midnight + rng.randrange(HOUR),
            hour + rng.choice((-1, 0, 1)),
            hour + rng.randrange(HOUR),
        ]
    )


def edges(as_of: int) -> list[int]:
    """Each instant at which some window begins or ends, with its neighbours."""
    hour, day = as_of - as_of % HOUR, as_of - as_of % DAY
    anchors = (
        as_of,
        as_of - oracle.FOLLOW_WINDOW_MS,
        as_of - oracle.POST_WINDOW_MS,
        hour,
        hour + HOUR,
        hour - (oracle.TRENDING_HOURS - 1) * HOUR,
        day,
        day + DAY,
        day - (oracle.INTERACTION_DAYS - 1) * DAY,
        day - oracle.INTERACTION_DAYS * DAY,
    )
    return sorted({anchor + step for anchor in anchors for step in (-1, 0, 1)})


# --- Writing actions ---------------------------------------------------------------------------------------------


class Writer:
    """Collects lines; knows what exists, so that random actions mostly hit something. Owns no clock, only times."""

    def __init__(self, rng: random.Random, as_of: int, slot: int | None) -> None:
        self.rng = rng
        self.as_of = as_of
        self.edges = edges(as_of)
        self.used_times: list[int] = []
        self.lines: list[str] = []
        self.users: list[str | int] = []
        self.posts: list[str | int] = []
        self.comments: list[str] = []
        self.follows: list[tuple] = []
        self.likes: list[tuple] = []
        self.events: list[dict] = []
        self.names = NAMES_OF_SLOT * (slot or 0)
        self.comments_from = self.names

    def new_name(self, kind: str) -> str | int:
        """A UUID, an integer or any string: the forms of an id."""
        self.names += 1
        return self.rng.choice((self.new_uuid(), self.names, f"{kind}-{self.names}", f"{kind} №{self.names}"))

    def new_uuid(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def reference(self, name: str | int) -> str | int:
        """The same id, sometimes spelled differently."""
        if self.rng.random() > 0.2:
            return name
        if isinstance(name, int):
            return str(name)
        return name.upper() if oracle.UUID_FORM.fullmatch(name) else name

    def instant(self) -> int:
        """On an edge, equal to an earlier one, or somewhere within the windows."""
        draw = self.rng.random()
        if draw < 0.4:
            at = self.rng.choice(self.edges)
        elif draw < 0.6 and self.used_times:
            at = self.rng.choice(self.used_times)
        elif draw < 0.8:
            at = self.as_of - self.rng.randrange(oracle.FOLLOW_WINDOW_MS)
        else:
            at = self.as_of + HOUR - self.rng.randrange(100 * DAY)
        self.used_times.append(at)
        return at

    def spell_time(self, at: int) -> int | str:
        if self.rng.random() > 0.1:
            return at
        offset = self.rng.choice((0, 0, 120, -270))
        local = EPOCH + timedelta(milliseconds=at, minutes=offset)
        sign, minutes = ("+" if offset >= 0 else "-"), abs(offset)
        zone = f"{sign}{minutes // 60:02}:{minutes % 60:02}" if offset else "Z"
        beyond = self.rng.choice(("", "9", "500"))  # digits after the milliseconds: truncated
        return f"{local:%Y-%m-%dT%H:%M:%S}.{at % 1000:03}{beyond}{zone}"

    def add(self, kind: str, at: int, **fields) -> str:
        action = {"type": kind, **fields, "at": self.spell_time(at)}
        if self.rng.random() < 0.02:
            action["note"] = "a field that nobody knows"
        line = json.dumps(action)
        self.lines.append(line)
        return line

    def add_user(self) -> str | int:
        name = self.new_name("user")
        self.users.append(name)
        return name

    def add_post(self, author: str | int, at: int) -> str | int:
        name = self.new_name("post")
        text = {"text": f"post {name}"} if self.rng.random() < 0.5 else {}
        self.posts.append(name)
        self.add("post", at, id=name, author=self.reference(author), **text)
        return name

    def add_follow(self, user: str | int, target: str | int, at: int) -> None:
        self.follows.append((user, target))
        self.add("follow", at, user=self.reference(user), target=self.reference(target))

    def add_like(self, user: str | int, post: str | int, at: int) -> None:
        self.likes.append((user, post))
        self.add("like", at, user=self.reference(user), post=self.reference(post))

    # Random actions. Each of these is one row of the contract's table, or a way to get it wrong.

    def random_user(self) -> str | int:
        return self.rng.choice(self.users)

    def random_post(self) -> str | int:
        """Few posts get most of the actions, so that counters grow and re-likes happen."""
        return self.posts[int(len(self.posts) * self.rng.random() ** 2)]

    def random_action(self) -> None:
        self.rng.choices(*zip(*self.MIX.items()))[0](self)

    def write_post(self) -> None:
        self.add_post(self.random_user(), self.instant())

    def write_posts_of_one_instant(self) -> None:
        at = self.instant()
        for _ in range(self.rng.randint(2, 6)):
            self.add_post(self.random_user(), at)

    def write_user(self) -> None:
        handle = self.rng.choice(("ann", "bob", "zoe"))  # taken soon: then the handle gets a number
        self.add("user", self.instant(), id=self.reference(self.random_user()), handle=handle, name="A Name")

    def follow(self) -> None:
        user, target = self.random_user(), self.random_user()
        if user != target:
            self.add_follow(user, target, self.instant())

    def unfollow(self) -> None:
        if self.follows:
            user, target = self.rng.choice(self.follows)
            at = self.instant()
            self.add("unfollow", at, user=user, target=target)
            if self.rng.random() < 0.4:
                self.add_follow(user, target, at + self.rng.randrange(2))

    def like(self) -> None:
        self.add_like(self.random_user(), self.random_post(), self.instant())

    def unlike(self) -> None:
        if self.likes:
            user, post = self.rng.choice(self.likes)
            self.add("unlike", self.instant(), user=user, post=self.reference(post))

    def like_unlike_like(self) -> None:
        """Within one millisecond, or moved by the second like from one side of an edge to the other."""
        user, post, at = self.random_user(), self.random_post(), self.instant()
        self.add_like(user, post, at)
        self.add("unlike", at, user=user, post=post)
        self.add_like(user, post, self.rng.choice((at, self.instant())))

    def comment(self) -> None:
        name = f"comment-{self.comments_from + len(self.comments)}"
        self.comments.append(name)
        self.add("comment", self.instant(), id=name, user=self.random_user(), post=self.random_post(), text="so it is")

    def delete_comment(self) -> None:
        if self.comments:
            self.add("delete_comment", self.instant(), id=self.rng.choice(self.comments))

    def event(self) -> None:
        named = {"id": f"event-{self.rng.randrange(50)}"} if self.rng.random() < 0.5 else {}
        event = {"user": self.random_user(), "post": self.random_post(), **named}
        line = self.add_event(self.random_event_type(), self.instant(), **event)
        # An exact copy: a duplicate if it has an id, one more if not.
        self.lines.extend([line] * self.rng.choice((0, 0, 0, 1, 2)))

    def event_of_nearly_the_same_identity(self) -> None:
        """Another event by one of the five parts of its identity, or none: then it is a duplicate."""
        if self.events:
            event = dict(self.rng.choice(self.events))
            change = self.rng.choice(("type", "at", "user", "post", "id", "none"))
            event |= {
                "type": {"type": self.random_event_type()},
                "at": {"at": self.rng.choice((event["at"] + 1, self.instant()))},
                "user": {"user": self.random_user()},
                "post": {"post": self.random_post()},
                "id": {"id": "another event"},
                "none": {},
            }[change]
            self.add_event(event.pop("type"), event.pop("at"), **event)

    def random_event_type(self) -> str:
        return self.rng.choice(("impression", "impression", "view", "share", "share"))

    def add_event(self, kind: str, at: int, **event) -> str:
        self.events.append({"type": kind, "at": at, **event})
        return self.add(kind, at, **event)

    def edit_post(self) -> None:
        self.add("edit_post", self.instant(), post=self.random_post(), text="changed")

    def delete_post(self) -> None:
        self.add("delete_post", self.instant(), post=self.random_post())

    def conflict(self) -> None:
        """A known id with other content: the first wins."""
        self.add("post", self.instant(), id=self.random_post(), author=self.random_user(), text="another")
        if self.comments:
            name = self.rng.choice(self.comments)
            self.add("comment", self.instant(), id=name, user=self.random_user(), post=self.random_post(), text="other")

    def repeat(self) -> None:
        self.lines.append(self.rng.choice(self.lines))

    def bad_line(self) -> None:
        user, at = self.random_user(), self.as_of
        bad = (
            {"type": "like", "user": user, "post": "no such post", "at": at},
            {"type": "share", "user": user, "post": "no such post", "at": at},
            {"type": "delete_comment", "id": "no such comment", "at": at},
            {"type": "follow", "user": user, "target": user, "at": at},
            {"type": "like", "user": user, "post": self.random_post(), "at": "noon"},
            {"type": "like", "user": user, "post": self.random_post()},
            {"type": "post", "id": "no author", "at": at},
            {"type": "adore", "user": user, "at": at},
        )
        self.lines.append(self.rng.choice([*map(json.dumps, bad), '{"type":"like",', "[1]"]))

    MIX = {
        write_post: 14,
        write_posts_of_one_instant: 5,
        write_user: 3,
        follow: 14,
        unfollow: 4,
        like: 16,
        unlike: 5,
        like_unlike_like: 3,
        comment: 9,
        delete_comment: 3,
        event: 13,
        event_of_nearly_the_same_identity: 6,
        edit_post: 2,
        delete_post: 2,
        conflict: 1,
        repeat: 2,
        bad_line: 2,
    }


# --- Small graphs ------------------------------------------------------------------------------------------------


def small_graph(seed: int, rng: random.Random, slot: int | None) -> Graph:
    as_of = choose_as_of(rng, slot)
    writer = Writer(rng, as_of, slot)
    for _ in range(rng.randint(3, 12)):
        writer.add_user()
    writer.write_post()
    for _ in range(rng.randint(20, 160)):
        writer.random_action()
    return Graph(seed, False, as_of, viewers_of(writer), writer.lines)


def viewers_of(writer: Writer) -> list[str]:
    """Everybody, and somebody of whom the platform never heard."""
    return [as_api_id(user) for user in [*writer.users, "a stranger"]]


def as_api_id(name: str | int) -> str:
    text = str(name)
    return text if oracle.UUID_FORM.fullmatch(text) else f"ext:{text}"


# --- Large graphs ------------------------------------------------------------------------------------------------


class LargeWriter(Writer):
    """Fills each source beyond its cut with blocks of posts that are equal in all that is ranked by."""

    def __init__(self, rng: random.Random, as_of: int, slot: int | None) -> None:
        super().__init__(rng, as_of, slot)
        self.viewer = self.add_user()
        self.crowd = [self.add_user() for _ in range(4)]

    def new_name(self, kind: str) -> str | int:
        self.names += 1
        return f"{kind}-{self.names}" if self.rng.random() < 0.5 else self.new_uuid()

    def block(self, authors: list, created: int, size: int) -> list:
        """`size` posts of one instant, shared among the authors."""
        return [self.add_post(self.rng.choice(authors), created) for _ in range(size)]

    def blocks(self, authors: list, instants: list[int], total: int) -> list[list]:
        made: list[list] = []
        while sum(map(len, made)) < total:
            made.append(self.block(authors, self.rng.choice(instants), self.rng.randint(60, 130)))
        return made

    def quiet_instants(self) -> list[int]:
        """Within the 90 days, outside of the 24 hours: a like then adds to a score without making it trend."""
        first_hour = self.as_of - self.as_of % HOUR - (oracle.TRENDING_HOURS - 1) * HOUR
        first_day = self.as_of - self.as_of % DAY - (oracle.INTERACTION_DAYS - 1) * DAY
        return [first_hour - 1, first_hour - DAY, first_day, first_day + DAY]

    def loud_instants(self) -> list[int]:
        """Within the 24 hours, mostly at their two ends."""
        hour = self.as_of - self.as_of % HOUR
        return [hour - (oracle.TRENDING_HOURS - 1) * HOUR, hour, hour + HOUR - 1, self.as_of - 5 * HOUR]

    def like_each(self, posts: list, users: list, instants: list[int]) -> None:
        for post in posts:
            for user in users:
                self.add_like(user, post, self.rng.choice(instants))

    def act_on_each(self, kind: str, posts: list, instants: list[int]) -> None:
        """One comment, share or impression for each post."""
        for post in posts:
            self.names += 1
            at, user = self.rng.choice(instants), self.rng.choice(self.crowd)
            self.add(kind, at, id=f"{kind}-{self.names}", user=user, post=post)

    def interact(self, author: str | int, times: int) -> None:
        """The viewer shares an old post of the author: interactions, and nothing that a source could show."""
        post = self.add_post(author, self.as_of - 60 * DAY)
        for _ in range(times):
            self.add("share", self.rng.choice(self.quiet_instants()), user=self.viewer, post=post)

    def fill_follow(self) -> None:
        authors = [self.add_user() for _ in range(4)]
        friends = [self.add_user() for _ in range(2)]  # followed and interacted with: follow and affinity at once
        for author in authors + friends:
            self.add_follow(self.viewer, author, self.as_of - DAY)
        for friend in friends:
            self.interact(friend, 1)
        oldest = self.as_of - oracle.FOLLOW_WINDOW_MS
        instants = [self.as_of, oldest + 1, oldest + DAY, self.as_of - 30 * HOUR]
        for block in self.blocks(authors, instants, self.rng.randint(560, 700)):
            self.like_each(block, self.crowd[: self.rng.choice((0, 0, 0, 1))], self.quiet_instants())
        self.blocks(friends, instants, 60)
        self.block(authors, oldest, 20)  # just too old
        self.block(authors, self.as_of + 1, 20)  # not yet there

    def fill_trending(self) -> None:
        authors = [self.add_user() for _ in range(3)]
        oldest = self.as_of - oracle.POST_WINDOW_MS
        instants = [oldest + 1, self.as_of - 4 * DAY, self.as_of]
        for block in self.blocks(authors, instants, self.rng.randint(230, 330)):
            self.like_each(block, self.crowd[: self.rng.choice((1, 1, 2))], self.loud_instants())
            # Of two blocks, the counters of 24 hours and those of all time may disagree about which is better.
            for kind in ("comment", "share", "impression", "impression"):
                loud = self.rng.random() < 0.5
                if self.rng.random() < 0.4:
                    self.act_on_each(kind, block, self.loud_instants() if loud else self.quiet_instants())
        self.like_each(self.block(authors, oldest, 10), self.crowd[:2], self.loud_instants())
        self.like_each(self.block([self.viewer], self.as_of - HOUR, 5), self.crowd[:2], self.loud_instants())

    def fill_affinity(self) -> None:
        authors = [self.add_user() for _ in range(3)]
        times = self.rng.randint(1, 3)
        for author in authors:
            self.interact(author, times)
        oldest = self.as_of - oracle.POST_WINDOW_MS
        # So old that freshness is lost in the sum: equal scores at two instants.
        instants = [oldest + 1, oldest + DAY, self.as_of - 10 * DAY, self.as_of - 6 * HOUR]
        for block in self.blocks(authors, instants, self.rng.randint(230, 330)):
            self.like_each(block, self.crowd[: self.rng.choice((0, 0, 1))], self.quiet_instants())
        self.block(authors, oldest, 10)


def large_graph(seed: int, rng: random.Random, slot: int | None) -> Graph:
    as_of = choose_as_of(rng, slot)
    writer = LargeWriter(rng, as_of, slot)
    for fill in (writer.fill_follow, writer.fill_trending, writer.fill_affinity):
        fill()
    for _ in range(rng.randint(20, 80)):
        writer.random_action()
    return Graph(seed, True, as_of, viewers_of(writer), writer.lines)


def large_shortcoming(graph: Graph) -> str | None:
    """What the first viewer of a large graph lacks, if anything, by the oracle's count."""
    state, as_of = graph.state(), graph.as_of
    viewer = oracle.api_id("user", graph.viewers[0])
    given = oracle.interactions(state, viewer, as_of)
    ordered = {
        "follow": by_rank(oracle.follow_candidates(state, viewer, as_of), as_of, given),
        "trending": [(-score, -p.created_at) for score, p in oracle.trending_scores(state, as_of)],
        "affinity": by_rank(oracle.affinity_candidates(state, viewer, as_of, given), as_of, given),
    }
    trending = oracle.trending_list(state, as_of)
    merged = oracle.merged_candidates(state, viewer, as_of, trending, given)
    ordered["merged"] = [oracle.ranking_order(item)[:2] for item in merged]
    cuts = {
        "follow": oracle.FOLLOW_CUT,
        "trending": oracle.TRENDING_CUT,
        "affinity": oracle.AFFINITY_CUT,
        "merged": oracle.RANKING_CUT,
    }
    for name, cut in cuts.items():
        if len(ordered[name]) <= cut:
            return f"{len(ordered[name])} {name} candidates"
        if ordered[name][cut - 1] != ordered[name][cut]:
            return f"no tie across the cut of {name}"
    return None


def by_rank(posts: list[oracle.Post], as_of: int, given: dict) -> list[tuple[float, int]]:
    return [oracle.ranking_order(item)[:2] for item in oracle.best(posts, "", as_of, given, None)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="A random graph of actions on the edges of every window.")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", required=True, metavar="FILE")
    options = parser.parse_args(arguments)
    graph = generate(options.seed)
    graph.write(options.out)
    print(json.dumps(graph.describe()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
