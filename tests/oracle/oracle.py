#!/usr/bin/env python3
"""An independent, brute-force reading of the contract: import (section 3), state (section 2), ranking (section 1).

It exists to be compared with the C++ engines, so it shares nothing with them: it is written from the contract's text
alone, keeps every single action, and counts by looking at all of them again for each question. Plain Python 3.11.

    oracle.py rank FILE... --user ID [--user ID2 ...] [--users FILE] --as-of MS [--trending-as-of MS] [--mode following]
    oracle.py trending FILE... --as-of MS

`rank` prints one JSON object a line for each user, in the shape of `novafeed rank`.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import hashlib
import json
import math
import re
import sys
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

PROFILE = "v1"
FOLLOW_WINDOW_MS = 72 * HOUR_MS
POST_WINDOW_MS = 30 * DAY_MS
TRENDING_HOURS = 24
INTERACTION_DAYS = 90
FOLLOW_CUT = 500
TRENDING_CUT = 200
AFFINITY_CUT = 200
RANKING_CUT = 500
FALLBACK_POOL = 1000
FALLBACK_UNTIL = 20

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:novafeed")
UUID_FORM = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
RFC3339_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))"
)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
LAST_TIME_MS = (datetime(2101, 1, 1, tzinfo=timezone.utc) - EPOCH) // timedelta(milliseconds=1) - 1

Id = bytes  # the 16 bytes of a UUID: what "id bytes ascending" compares


# --- Identity and time (section 3) -------------------------------------------------------------------------------


def uuid5_bytes(name: str) -> Id:
    """UUIDv5 of `name` in the project's namespace. By hand, since uuid.uuid5 is slow on millions of names."""
    digest = bytearray(hashlib.sha1(NAMESPACE.bytes + name.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return bytes(digest)


@functools.lru_cache(maxsize=1_000_000)
def id_of(kind: str, text: str) -> Id:
    """The id of `text`: itself if it is a UUID, otherwise derived from the kind and the string."""
    if UUID_FORM.fullmatch(text):
        return uuid.UUID(text).bytes
    return uuid5_bytes(f"{kind}:{text}")


def api_id(kind: str, text: str) -> Id:
    """The id that `text` names outside of an import: `ext:<string>`, a UUID, or the bare string."""
    return id_of(kind, text.removeprefix("ext:"))


def show_id(value: Id) -> str:
    return str(uuid.UUID(bytes=value))


def external_of(text: str) -> str | None:
    return None if UUID_FORM.fullmatch(text) else text


def parse_rfc3339(text: str) -> int:
    """Milliseconds since 1970, truncated. Raises BadLine."""
    match = RFC3339_FORM.fullmatch(text)
    if not match:
        raise BadLine(f"not an RFC 3339 time: {text!r}")
    year, month, day, hour, minute, second = (int(part) for part in match.group(1, 2, 3, 4, 5, 6))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError as error:
        raise BadLine(f"not a time: {text!r}: {error}") from error
    if match[9]:
        offset = timedelta(hours=int(match[10]), minutes=int(match[11]))
        moment -= offset if match[9] == "+" else -offset
    fraction_ms = int((match[7] or "0").ljust(3, "0")[:3])
    return (moment - EPOCH) // timedelta(milliseconds=1) + fraction_ms


def hour_of(at: int) -> int:
    return at // HOUR_MS


def day_of(at: int) -> int:
    return at // DAY_MS


# --- State (section 2) -------------------------------------------------------------------------------------------


class BadLine(Exception):
    """A line that the import rejects; it leaves no trace in the state."""


@dataclass(slots=True, eq=False)
class Post:
    """A post and every action on it that exists: what all counters are counted from."""

    id: Id
    external_id: str | None
    author: Id
    created_at: int
    text: str | None
    deleted: bool = False
    likes: dict[Id, int] = field(default_factory=dict)  # user -> time of the like
    comments: dict[Id, int] = field(default_factory=dict)  # comment -> its time
    shares: list[int] = field(default_factory=list)
    impressions: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Comment:
    id: Id
    post: Post
    user: Id
    created_at: int
    text: str | None
    deleted: bool = False


class State:
    """The platform after the actions folded in so far. `apply` takes one parsed action, `load` whole files."""

    def __init__(self) -> None:
        self.users: set[Id] = set()
        self.posts: dict[Id, Post] = {}
        self.posts_by_author: dict[Id, list[Post]] = defaultdict(list)
        self.comments: dict[Id, Comment] = {}
        self.following: dict[Id, dict[Id, int]] = defaultdict(dict)  # follower -> followee -> time of the follow
        self.liked_by: dict[Id, set[Post]] = defaultdict(set)
        self.commented_by: dict[Id, dict[Id, Post]] = defaultdict(dict)
        self.shared_by: dict[Id, list[tuple[Post, int]]] = defaultdict(list)
        self.event_identities: set[tuple[Id, str, Id, int, Id]] = set()
        self.outcomes: Counter[str] = Counter()
        self._identical_in_file: Counter[tuple[str, Id, Id, int]] = Counter()

    def load(self, paths: Iterable[str | Path]) -> State:
        for path in paths:
            self.begin_file()
            for line in read_lines(path):
                self.apply_line(line)
        return self

    def begin_file(self) -> None:
        """Events without an id are numbered among their equals within one file."""
        self._identical_in_file.clear()

    def apply_line(self, line: bytes | str) -> str:
        """Folds one NDJSON line; returns (and counts) applied, no-op, conflict, duplicate or bad."""
        try:
            outcome = self.apply(parse_line(line))
        except BadLine:
            outcome = "bad"
        self.outcomes[outcome] += 1
        return outcome

    def apply(self, action: dict) -> str:
        """Folds one action. All of it is checked before any of it changes the state. Raises BadLine."""
        kind = action.get("type")
        fold = FOLDS.get(kind) if isinstance(kind, str) else None
        if fold is None:
            raise BadLine(f"unknown type {kind!r}")
        return fold(self, action)

    def erase(self, user: Id) -> None:
        """The user goes with posts, comments, likes and follows; shares and impressions stay, as nobody's we ask for."""
        self.users.discard(user)
        for post in self.posts_by_author[user]:
            post.deleted = True
        for post in self.liked_by.pop(user, set()):
            del post.likes[user]
        for comment_id, post in self.commented_by.pop(user, {}).items():
            del post.comments[comment_id]
            self.comments[comment_id].deleted = True
        for followees in (*self.following.values(), self.following.pop(user, {})):
            followees.pop(user, None)
        self.shared_by.pop(user, None)

    # One function for each row of the table in section 3.

    def _user(self, action: dict) -> str:
        user, _ = user_field(action, "id"), time_field(action)
        text_field(action, "handle")
        text_field(action, "name")
        known = user in self.users
        self.users.add(user)
        return "no-op" if known else "applied"

    def _post(self, action: dict) -> str:
        text_id = id_field(action, "id")
        author, at, text = user_field(action, "author"), time_field(action), text_field(action, "text")
        post = Post(id_of("post", text_id), external_of(text_id), author, at, text)
        known = self.posts.get(post.id)
        if known is not None:
            same = (known.author, known.created_at, known.text) == (author, at, text) and not known.deleted
            return "no-op" if same else "conflict"
        self.users.add(author)
        self.posts[post.id] = post
        self.posts_by_author[author].append(post)
        return "applied"

    def _edit_post(self, action: dict) -> str:
        post, _, text = self._known_post(action), time_field(action), text_field(action, "text")
        if text is None:
            raise BadLine("edit_post without text")
        if post.deleted:
            raise BadLine("edit of a deleted post")
        post.text = text
        return "applied"

    def _delete_post(self, action: dict) -> str:
        post, _ = self._known_post(action), time_field(action)
        if post.deleted:
            return "no-op"
        post.deleted = True
        return "applied"

    def _follow(self, action: dict) -> str:
        user, target, at = user_field(action, "user"), user_field(action, "target"), time_field(action)
        if user == target:
            raise BadLine("nobody follows themselves")
        self.users |= {user, target}
        if target in self.following[user]:
            return "no-op"
        self.following[user][target] = at
        return "applied"

    def _unfollow(self, action: dict) -> str:
        user, target, _ = user_field(action, "user"), user_field(action, "target"), time_field(action)
        return "no-op" if self.following[user].pop(target, None) is None else "applied"

    def _like(self, action: dict) -> str:
        user, post, at = user_field(action, "user"), self._known_post(action), time_field(action)
        self.users.add(user)
        if user in post.likes:
            return "no-op"
        post.likes[user] = at
        self.liked_by[user].add(post)
        return "applied"

    def _unlike(self, action: dict) -> str:
        user, post, _ = user_field(action, "user"), self._known_post(action), time_field(action)
        if post.likes.pop(user, None) is None:
            return "no-op"
        self.liked_by[user].discard(post)
        return "applied"

    def _comment(self, action: dict) -> str:
        comment_id = id_of("comment", id_field(action, "id"))
        user, post, at = user_field(action, "user"), self._known_post(action), time_field(action)
        comment = Comment(comment_id, post, user, at, text_field(action, "text"))
        known = self.comments.get(comment_id)
        if known is not None:
            same = (known.post, known.user, known.created_at, known.text) == (post, user, at, comment.text)
            return "no-op" if same and not known.deleted else "conflict"
        self.users.add(user)
        self.comments[comment_id] = comment
        post.comments[comment_id] = at
        self.commented_by[user][comment_id] = post
        return "applied"

    def _delete_comment(self, action: dict) -> str:
        comment = self.comments.get(id_of("comment", id_field(action, "id")))
        time_field(action)
        if comment is None:
            raise BadLine("unknown comment")
        if comment.deleted:
            return "no-op"
        comment.deleted = True
        del comment.post.comments[comment.id]
        del self.commented_by[comment.user][comment.id]
        return "applied"

    def _event(self, action: dict) -> str:
        kind = action["type"]
        user, post, at = user_field(action, "user"), self._known_post(action), time_field(action)
        event = self._event_id(action, kind, user, post, at)
        self.users.add(user)
        identity = (user, kind, post.id, at, event)
        if identity in self.event_identities:
            return "duplicate"
        self.event_identities.add(identity)
        if kind == "share":
            post.shares.append(at)
            self.shared_by[user].append((post, at))
        elif kind == "impression":
            post.impressions.append(at)
        return "applied"

    def _event_id(self, action: dict, kind: str, user: Id, post: Post, at: int) -> Id:
        if action.get("id") is not None:
            return id_of("event", id_field(action, "id"))
        key = (kind, user, post.id, at)
        before = self._identical_in_file[key]
        self._identical_in_file[key] += 1
        return uuid5_bytes(f"event:{kind}|{show_id(user)}|{show_id(post.id)}|{at}|{before}")

    def _known_post(self, action: dict) -> Post:
        post = self.posts.get(id_of("post", id_field(action, "post")))
        if post is None:
            raise BadLine("unknown post")
        return post


FOLDS = {
    "user": State._user,
    "post": State._post,
    "edit_post": State._edit_post,
    "delete_post": State._delete_post,
    "follow": State._follow,
    "unfollow": State._unfollow,
    "like": State._like,
    "unlike": State._unlike,
    "comment": State._comment,
    "delete_comment": State._delete_comment,
    "impression": State._event,
    "view": State._event,
    "share": State._event,
}


def read_lines(path: str | Path) -> Iterator[bytes]:
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rb") as file:
        yield from file


def parse_line(line: bytes | str) -> dict:
    try:
        action = json.loads(line)
    except ValueError as error:  # also bad UTF-8
        raise BadLine(str(error)) from error
    if not isinstance(action, dict):
        raise BadLine("not an object")
    return action


def is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def id_field(action: dict, name: str) -> str:
    value = action.get(name)
    text = str(value) if is_integer(value) else value
    if not isinstance(text, str) or not 1 <= utf8_length(text) <= 128:
        raise BadLine(f"{name} is not an id")
    return text


def utf8_length(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError as error:
        raise BadLine("half of a surrogate pair") from error


def user_field(action: dict, name: str) -> Id:
    return id_of("user", id_field(action, name))


def time_field(action: dict) -> int:
    value = action.get("at")
    at = value if is_integer(value) else parse_rfc3339(value) if isinstance(value, str) else None
    if at is None or not 0 <= at <= LAST_TIME_MS:
        raise BadLine("at is not a time from 1970 to 2100")
    return at


def text_field(action: dict, name: str) -> str | None:
    value = action.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > 10_000):
        raise BadLine(f"{name} is not a text of at most 10,000 code points")
    return value


# --- Ranking (section 1) -----------------------------------------------------------------------------------------


def freshness(post: Post, as_of: int) -> float:
    return math.exp(-0.10 * age_hours(post, as_of))


def age_hours(post: Post, as_of: int) -> float:
    return max(0, as_of - post.created_at) / 3600000.0


def engagement(likes: int, comments: int, shares: int, impressions: int) -> float:
    return math.log1p((likes + 2 * comments + 3 * shares) / max(impressions, 1))


def in_trending_hours(at: int, as_of: int) -> bool:
    """In the 24 whole clock-hour buckets that end with the current one: the rest of this hour is in, too."""
    return 0 <= hour_of(as_of) - hour_of(at) < TRENDING_HOURS


def interactions(state: State, viewer: Id, as_of: int) -> Counter[Id]:
    """Author -> likes and comments that exist, plus shares, given to them on the day of as_of or one of 89 before."""
    given = [(post, post.likes[viewer]) for post in state.liked_by.get(viewer, ())]
    given += [(post, post.comments[comment]) for comment, post in state.commented_by.get(viewer, {}).items()]
    given += state.shared_by.get(viewer, ())
    return Counter(
        post.author
        for post, at in given
        if post.author != viewer and 0 <= day_of(as_of) - day_of(at) < INTERACTION_DAYS
    )


@dataclass(slots=True)
class Scored:
    """One post of a ranking with everything that its score was computed from. `score` is None in mode=following."""

    post: Post
    source: str
    score: float | None
    freshness: float
    engagement: float
    affinity: float
    age_hours: float
    interactions: int


def score(post: Post, as_of: int, given: Counter[Id], source: str) -> Scored:
    f = freshness(post, as_of)
    e = engagement(len(post.likes), len(post.comments), len(post.shares), len(post.impressions))
    a = math.log1p(given[post.author])
    total = 0.30 * f + 0.40 * e + 0.30 * a
    return Scored(post, source, total, f, e, a, age_hours(post, as_of), given[post.author])


def ranking_order(item: Scored) -> tuple[float, int, Id]:
    sinking = item.score if math.isfinite(item.score) else -math.inf
    return (-sinking, -item.post.created_at, item.post.id)


def newest_first(post: Post) -> tuple[int, Id]:
    return (-post.created_at, post.id)


def is_visible(post: Post, as_of: int) -> bool:
    return not post.deleted and post.created_at <= as_of


def trending_scores(state: State, as_of: int) -> list[tuple[float, Post]]:
    """Every post that may trend as of `as_of` with its list score, best first, before the cut."""
    scored = []
    for post in state.posts.values():
        if not is_visible(post, as_of) or post.created_at <= as_of - POST_WINDOW_MS:
            continue
        likes, comments, shares, impressions = (
            sum(in_trending_hours(at, as_of) for at in times)
            for times in (post.likes.values(), post.comments.values(), post.shares, post.impressions)
        )
        if likes + comments + shares >= 1:
            value = 0.40 * engagement(likes, comments, shares, impressions) + 0.30 * freshness(post, as_of)
            scored.append((value, post))
    scored.sort(key=lambda entry: (-entry[0], *newest_first(entry[1])))
    return scored


def trending_list(state: State, as_of: int) -> list[Post]:
    """The one list for everybody, as of the instant at which it is made."""
    return [post for _, post in trending_scores(state, as_of)[:TRENDING_CUT]]


def follow_candidates(state: State, viewer: Id, as_of: int) -> list[Post]:
    """All of them, before the cut; also what a wider window makes mode=following of."""
    return posts_by(state, state.following.get(viewer, ()), viewer, as_of, FOLLOW_WINDOW_MS)


def affinity_candidates(state: State, viewer: Id, as_of: int, given: Counter[Id]) -> list[Post]:
    return posts_by(state, given, viewer, as_of, POST_WINDOW_MS)


def posts_by(state: State, authors: Iterable[Id], viewer: Id, as_of: int, window: int) -> list[Post]:
    return [
        post
        for author in authors
        if author != viewer
        for post in state.posts_by_author.get(author, ())
        if is_visible(post, as_of) and post.created_at > as_of - window
    ]


def best(posts: Iterable[Post], source: str, as_of: int, given: Counter[Id], cut: int | None) -> list[Scored]:
    return sorted((score(post, as_of, given, source) for post in posts), key=ranking_order)[:cut]


def merged_candidates(
    state: State, viewer: Id, as_of: int, trending: list[Post], given: Counter[Id]
) -> list[Scored]:
    """The three sources, each cut, without duplicates, in order, before the cut to 500 and without fallback."""
    sources = (
        best(follow_candidates(state, viewer, as_of), "follow", as_of, given, FOLLOW_CUT),
        best(
            (post for post in trending if post.author != viewer and is_visible(post, as_of)),
            "trending",
            as_of,
            given,
            None,
        ),
        best(affinity_candidates(state, viewer, as_of, given), "affinity", as_of, given, AFFINITY_CUT),
    )
    merged: dict[Id, Scored] = {}
    for source in sources:
        for item in source:
            merged.setdefault(item.post.id, item)
    return sorted(merged.values(), key=ranking_order)


def fallback_pool(state: State, viewer: Id, as_of: int) -> list[Post]:
    """The platform's newest 1,000 posts; what no source may show leaves before the cut."""
    visible = (p for p in state.posts.values() if is_visible(p, as_of) and p.author != viewer)
    return sorted(visible, key=newest_first)[:FALLBACK_POOL]


def rank(state: State, viewer: Id, as_of: int, trending: list[Post]) -> list[Scored]:
    """The ranking of `viewer` as of `as_of`; `trending` is trending_list() as of its own instant."""
    given = interactions(state, viewer, as_of)
    ranked = merged_candidates(state, viewer, as_of, trending, given)
    if len(ranked) < FALLBACK_UNTIL:
        present = {item.post.id for item in ranked}
        more = (post for post in fallback_pool(state, viewer, as_of) if post.id not in present)
        for post in more:
            if len(ranked) >= FALLBACK_UNTIL:
                break
            ranked.append(score(post, as_of, given, "fallback"))
    return ranked[:RANKING_CUT]


def following(state: State, viewer: Id, as_of: int) -> list[Scored]:
    """mode=following: newest first, no cut, no score."""
    given = interactions(state, viewer, as_of)
    posts = posts_by(state, state.following.get(viewer, ()), viewer, as_of, POST_WINDOW_MS)
    items = [score(post, as_of, given, "follow") for post in sorted(posts, key=newest_first)]
    for item in items:
        item.score = None
    return items


# --- Output ------------------------------------------------------------------------------------------------------


def item_json(position: int, item: Scored) -> dict:
    post = item.post
    shown = {
        "rank": position,
        "post_id": show_id(post.id),
        "external_id": post.external_id,
        "author_id": show_id(post.author),
        "created_at": post.created_at,
        "source": item.source,
        "score": item.score,
        "freshness": item.freshness,
        "engagement": item.engagement,
        "affinity": item.affinity,
        "age_hours": item.age_hours,
        "likes": len(post.likes),
        "comments": len(post.comments),
        "shares": len(post.shares),
        "impressions": len(post.impressions),
        "interactions": item.interactions,
    }
    return {name: value for name, value in shown.items() if name != "external_id" or value is not None}


def ranking_json(viewer: Id, as_of: int, trending_as_of: int, items: list[Scored]) -> dict:
    return {
        "user_id": show_id(viewer),
        "as_of": as_of,
        "trending_as_of": trending_as_of,
        "engine": "oracle",
        "profile": PROFILE,
        "items": [item_json(position, item) for position, item in enumerate(items, 1)],
    }


def command_rank(options: argparse.Namespace) -> None:
    state = State().load(options.files)
    users = list(options.user)
    if options.users:
        users += Path(options.users).read_text(encoding="utf-8").splitlines()
    trending_as_of = options.as_of if options.trending_as_of is None else options.trending_as_of
    trending = trending_list(state, trending_as_of) if options.mode == "for_you" else []
    for user in users:
        viewer = api_id("user", user)
        if options.mode == "for_you":
            items = rank(state, viewer, options.as_of, trending)
        else:
            items = following(state, viewer, options.as_of)
        print(json.dumps(ranking_json(viewer, options.as_of, trending_as_of, items)))


def command_trending(options: argparse.Namespace) -> None:
    for value, post in trending_scores(State().load(options.files), options.as_of)[:TRENDING_CUT]:
        print(json.dumps({"post_id": show_id(post.id), "score": value, "created_at": post.created_at}))


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Brute-force oracle of Novafeed's contract, sections 1 to 3.")
    commands = parser.add_subparsers(required=True)
    rank_parser = commands.add_parser("rank", help="the ranking of each user, one JSON object a line")
    rank_parser.add_argument("files", nargs="+", metavar="FILE", help="NDJSON actions, .gz or plain")
    rank_parser.add_argument("--user", action="append", default=[], metavar="ID", help="a UUID or ext:<string>")
    rank_parser.add_argument("--users", metavar="FILE", help="a file with one user a line")
    rank_parser.add_argument("--as-of", type=int, required=True, metavar="MS")
    rank_parser.add_argument("--trending-as-of", type=int, metavar="MS", help="default: as --as-of")
    rank_parser.add_argument("--mode", choices=("for_you", "following"), default="for_you")
    rank_parser.set_defaults(run=command_rank)
    trending_parser = commands.add_parser("trending", help="the shared list with its own scores")
    trending_parser.add_argument("files", nargs="+", metavar="FILE")
    trending_parser.add_argument("--as-of", type=int, required=True, metavar="MS")
    trending_parser.set_defaults(run=command_trending)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    options.run(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
