#!/usr/bin/env python3
"""Converts SNAP's higgs-twitter activity to import lines (NDJSON on standard output).

    higgs.py DIRECTORY > higgs.ndjson        DIRECTORY holds higgs-activity_time.txt.gz

In the data: who retweeted (RT), replied to (RE) or mentioned (MT) whom, and in which second. There are no posts in it,
so an account has one post an hour, on which all retweets and replies of that hour fall; and a mention that is no reply
and no retweet is a new post. There are no follows and no impressions either: both are STAND-INS, made from who acted
on whom. See README.md for the mapping.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, TextIO

from timeline import Timeline, check

SECOND_MS = 1000
HOUR_SECONDS = 3600
FOLLOW_BEFORE_MS = 2000  # the earliest that an action causes
POST_BEFORE_MS = 1000
IMPRESSION_BEFORE_MS = 1

# What SNAP published, and what the mapping makes of it.
ROWS = {"RT": 354_930, "MT": 171_237, "RE": 36_902}
ACCOUNTS = 304_691
MENTIONS_WITHOUT_TWIN = 130_787
FOLLOWS = 461_192
HOURLY_POSTS = 115_405
LARGEST_POST = 4_457


class Row(NamedTuple):
    actor: str
    target: str
    second: int
    kind: str


def read_rows(lines: Iterable[str]) -> Iterator[Row]:
    for line in lines:
        actor, target, second, kind = line.split()
        yield Row(actor, target, int(second), kind)


def without_twins(rows: Iterable[Row], rows_by_kind: Counter[str]) -> Iterator[Row]:
    """Leaves out mentions that are a reply or retweet of the same second. Counts all rows."""
    for _, same_second in groupby(rows, key=lambda row: row.second):
        second = list(same_second)
        rows_by_kind.update(row.kind for row in second)
        twins = {(row.actor, row.target) for row in second if row.kind != "MT"}
        yield from (row for row in second if row.kind != "MT" or (row.actor, row.target) not in twins)


class Converter:
    """Takes the rows in the order of time."""

    def __init__(self, out: TextIO) -> None:
        self.timeline = Timeline(out)
        self.mentions_without_twin = 0
        self.actions_of_post: Counter[str] = Counter()
        self._users: set[str] = set()
        self._follows: set[tuple[str, str]] = set()
        self._ids_in_second: Counter[str] = Counter()
        self._second = -1

    def take(self, row: Row) -> None:
        at = row.second * SECOND_MS
        if row.second != self._second:
            self.timeline.write_before(at - FOLLOW_BEFORE_MS)
            self._ids_in_second.clear()
            self._second = row.second
        self._name_users(row, at)
        if row.kind == "MT":
            self._take_mention(row, at)
        else:
            self._take_reaction(row, at)

    def finish(self) -> None:
        self.timeline.write_rest()

    def _name_users(self, row: Row, at: int) -> None:
        for user in (row.actor, row.target):
            if user not in self._users:
                self._users.add(user)
                self.timeline.add("user", at - FOLLOW_BEFORE_MS, id=user)
        edge = (row.actor, row.target)
        if row.actor != row.target and edge not in self._follows:
            self._follows.add(edge)
            self.timeline.add("follow", at - FOLLOW_BEFORE_MS, user=row.actor, target=row.target)

    def _take_mention(self, row: Row, at: int) -> None:
        self.mentions_without_twin += 1
        if row.actor != row.target:
            self.timeline.add("post", at, id=self._numbered(f"{row.actor}:{row.second}"), author=row.actor)

    def _take_reaction(self, row: Row, at: int) -> None:
        post = f"{row.target}:{row.second // HOUR_SECONDS}"
        self.actions_of_post[post] += 1
        if self.actions_of_post[post] == 1:
            self.timeline.add("post", at - POST_BEFORE_MS, id=post, author=row.target)
        if row.actor == row.target:
            return
        self.timeline.add("impression", at - IMPRESSION_BEFORE_MS, user=row.actor, post=post)
        if row.kind == "RT":
            self.timeline.add("share", at, user=row.actor, post=post)
        else:
            comment = self._numbered(f"{row.actor}:{row.target}:{row.second}")
            self.timeline.add("comment", at, id=comment, user=row.actor, post=post)

    def _numbered(self, name: str) -> str:
        """`name` with a number behind it: how many came before it with that name."""
        number = self._ids_in_second[name]
        self._ids_in_second[name] += 1
        return f"{name}:{number}"


def check_published_numbers(rows_by_kind: Counter[str], converter: Converter) -> None:
    for kind, expected in ROWS.items():
        check(f"rows of kind {kind}", rows_by_kind[kind], expected)
    check("accounts", converter.timeline.written["user"], ACCOUNTS)
    check("mentions without twin", converter.mentions_without_twin, MENTIONS_WITHOUT_TWIN)
    check("follows", converter.timeline.written["follow"], FOLLOWS)
    check("posts by hour", len(converter.actions_of_post), HOURLY_POSTS)
    check("actions on the largest post", max(converter.actions_of_post.values()), LARGEST_POST)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, help="where higgs-activity_time.txt.gz lies")
    arguments = parser.parse_args()
    converter = Converter(sys.stdout)
    rows_by_kind: Counter[str] = Counter()
    with gzip.open(arguments.directory / "higgs-activity_time.txt.gz", "rt", encoding="ascii") as lines:
        for row in without_twins(read_rows(lines), rows_by_kind):
            converter.take(row)
    converter.finish()
    check_published_numbers(rows_by_kind, converter)


if __name__ == "__main__":
    main()
