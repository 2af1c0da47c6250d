#!/usr/bin/env python3
"""Converts a Stack Exchange dump to import lines (NDJSON on standard output).

    stackexchange.py DIRECTORY [--prefix qc] > quantum.ndjson

DIRECTORY holds Posts.xml.gz, Comments.xml.gz and Votes.xml.gz. A question is a post; answers and comments are comments
on it; an up-vote on a question is a like; the view count becomes impressions. The texts are the dump's, HTML and all.
Who voted and who looked is not in the dump: those users are STAND-INS, and named so. See README.md for the mapping.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import xml.etree.ElementTree as xml
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple, TextIO

from timeline import Timeline, check

QUESTION, ANSWER = "1", "2"  # PostTypeId
UP_VOTE = "2"  # VoteTypeId
MAX_TEXT = 10_000  # code points of a text
VIEWERS = 1000
SECOND_MS = 1000

# Of quantumcomputing.stackexchange.com, 2018-03-12 to 2018-09-02 (checked with the prefix that stands for it).
PUBLISHED = {
    "qc": {"questions": 612, "answers": 1_060, "comments": 3_413, "votes": 12_560, "up-votes": 10_103},
}


class Question(NamedTuple):
    id: str
    created_at: int


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rb") as file:
        for _, element in xml.iterparse(file):
            if element.tag == "row":
                yield dict(element.attrib)
            element.clear()


def milliseconds(text: str) -> int:
    """Times in the dump are UTC without a zone."""
    moment = datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    return round(moment.timestamp() * 1000)


class Converter:
    """Takes all posts (questions before their answers), then comments, then votes."""

    def __init__(self, out: TextIO, prefix: str) -> None:
        self.timeline = Timeline(out)
        self.seen: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self._prefix = prefix
        self._questions: dict[str, Question] = {}  # by the post id of the question, and of each of its answers
        self._views: list[tuple[Question, int]] = []
        self._up_votes: Counter[str] = Counter()
        self._named: dict[str, tuple[int, dict[str, str]]] = {}  # user -> first time, further fields of the line
        self._end = 0

    def take_post(self, row: dict[str, str]) -> None:
        if row["PostTypeId"] == QUESTION:
            self._take_question(row)
        elif row["PostTypeId"] == ANSWER:
            self._take_answer(row)
        else:
            self.left_out["posts that are neither question nor answer"] += 1

    def take_comment(self, row: dict[str, str]) -> None:
        self.seen["comments"] += 1
        question = self._questions.get(row["PostId"])
        if question is None:
            self.left_out["comments on posts that are not in the dump"] += 1
            return
        self._add_comment(f"comment:{row['Id']}", question, row.get("UserId"), row["CreationDate"], row["Text"])

    def take_vote(self, row: dict[str, str]) -> None:
        self.seen["votes"] += 1
        if row["VoteTypeId"] != UP_VOTE:
            self.left_out["votes that are no up-votes"] += 1
            return
        self.seen["up-votes"] += 1
        question = self._questions.get(row["PostId"])
        if question is None or question.id != self._id(row["PostId"]):
            self.left_out["up-votes on what is no question (comments cannot be liked)"] += 1
            return
        number = self._up_votes[question.id]
        self._up_votes[question.id] += 1
        # Votes have a day only, which may begin before the question was asked.
        at = max(milliseconds(row["CreationDate"]), question.created_at + SECOND_MS)
        self._add("like", at, user=self._stand_in("voter", number, at), post=question.id)

    def finish(self) -> None:
        for question, views in self._views:
            self._add_views(question, views)
        for user, (at, fields) in self._named.items():
            self.timeline.add("user", at, id=user, **fields)
        self.timeline.write_rest()

    def _take_question(self, row: dict[str, str]) -> None:
        self.seen["questions"] += 1
        at = milliseconds(row["CreationDate"])
        question = Question(self._id(row["Id"]), at)
        self._questions[row["Id"]] = question
        self._views.append((question, int(row["ViewCount"])))
        text = self._cut(f"{row['Title']}\n\n{row['Body']}")
        self._add("post", at, id=question.id, author=self._user(row.get("OwnerUserId"), at), text=text)

    def _take_answer(self, row: dict[str, str]) -> None:
        self.seen["answers"] += 1
        question = self._questions.get(row["ParentId"])
        if question is None:
            self.left_out["answers to questions that are not in the dump"] += 1
            return
        self._questions[row["Id"]] = question
        self._add_comment(f"answer:{row['Id']}", question, row.get("OwnerUserId"), row["CreationDate"], row["Body"])

    def _add_comment(self, name: str, question: Question, user: str | None, created: str, text: str) -> None:
        at = milliseconds(created)
        author = self._user(user, at)
        self._add("comment", at, id=self._id(name), user=author, post=question.id, text=self._cut(text))

    def _add_views(self, question: Question, views: int) -> None:
        """As many as the dump counts, evenly between the question and the last action in the dump."""
        for number in range(views):
            at = question.created_at + (number + 1) * (self._end - question.created_at) // (views + 1)
            viewer = self._stand_in("viewer", number % VIEWERS, at)
            self.timeline.add("impression", at, user=viewer, post=question.id)

    def _add(self, kind: str, at: int, **fields: str) -> None:
        self._end = max(self._end, at)
        self.timeline.add(kind, at, **fields)

    def _user(self, user: str | None, at: int) -> str:
        return self._name(self._id(user), at, {}) if user else self._stand_in("author", 0, at)

    def _stand_in(self, role: str, number: int, at: int) -> str:
        fields = {"handle": f"stand-in-{role}-{number}", "name": f"Stand-in {role} {number}"}
        return self._name(self._id(f"stand-in-{role}-{number}"), at, fields)

    def _name(self, user: str, at: int, fields: dict[str, str]) -> str:
        first, _ = self._named.get(user, (at, fields))
        self._named[user] = (min(first, at), fields)
        return user

    def _id(self, name: str) -> str:
        return f"{self._prefix}:{name}"

    def _cut(self, text: str) -> str:
        if len(text) > MAX_TEXT:
            self.left_out["ends of texts of more than 10,000 code points"] += 1
        return text[:MAX_TEXT]


def convert(directory: Path, converter: Converter) -> None:
    # Questions first: an answer may have the smaller id.
    posts = sorted(read_rows(directory / "Posts.xml.gz"), key=lambda row: row["PostTypeId"] != QUESTION)
    for row in posts:
        converter.take_post(row)
    for row in read_rows(directory / "Comments.xml.gz"):
        converter.take_comment(row)
    for row in read_rows(directory / "Votes.xml.gz"):
        converter.take_vote(row)
    converter.finish()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, help="where Posts.xml.gz, Comments.xml.gz and Votes.xml.gz lie")
    parser.add_argument("--prefix", default="qc", help="stands before all ids (default: qc, the set with known numbers)")
    arguments = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8")
    converter = Converter(sys.stdout, arguments.prefix)
    convert(arguments.directory, converter)
    for what, expected in PUBLISHED.get(arguments.prefix, {}).items():
        check(what, converter.seen[what], expected)
    for what, count in sorted(converter.left_out.items()):
        print(f"left out: {count:,} {what}", file=sys.stderr)


if __name__ == "__main__":
    main()
