"""tools/converters: small data made here, mapped by hand; the real sets, whose numbers the converters check."""

import gzip
import json
import os
import subprocess
import sys
from collections import Counter

import pytest

from harness import test_data
from harness.cli import CHECKOUT

CONVERTERS = CHECKOUT / "tools" / "converters"
not_in_fast = pytest.mark.skipif(os.environ.get("NOVAFEED_TEST_LEVEL") == "fast", reason="./test --fast leaves it out")


def run(script, *arguments):
    command = [sys.executable, str(CONVERTERS / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


def actions_of(text):
    return [json.loads(line) for line in text.splitlines()]


def write_gz(path, text):
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(text)


def test_higgs_maps_rows_as_its_readme_says(tmp_path):
    hour = 3600 * 100
    rows = [
        f"1 2 {hour + 10} MT",  # the twin of the next
        f"1 2 {hour + 10} RE",
        f"1 2 {hour + 10} RT",
        f"3 2 {hour + 11} MT",  # a new post
        f"3 1 {hour + 11} MT",  # another in the same second
        f"2 2 {hour + 3600} RE",  # dropped, its post stays
        f"4 4 {hour + 3601} MT",  # dropped, its account stays
    ]
    write_gz(tmp_path / "higgs-activity_time.txt.gz", "\n".join(rows) + "\n")
    result = run("higgs.py", tmp_path)
    assert "expected" in result.stderr, "a data set of other numbers is not taken for the published one"
    at = (hour + 10) * 1000
    assert actions_of(result.stdout) == [
        {"type": "user", "at": at - 2000, "id": "1"},
        {"type": "user", "at": at - 2000, "id": "2"},
        {"type": "follow", "at": at - 2000, "user": "1", "target": "2"},
        {"type": "user", "at": at - 1000, "id": "3"},
        {"type": "follow", "at": at - 1000, "user": "3", "target": "2"},
        {"type": "follow", "at": at - 1000, "user": "3", "target": "1"},
        {"type": "post", "at": at - 1000, "id": "2:100", "author": "2"},
        {"type": "impression", "at": at - 1, "user": "1", "post": "2:100"},
        {"type": "impression", "at": at - 1, "user": "1", "post": "2:100"},
        {"type": "comment", "at": at, "id": f"1:2:{hour + 10}:0", "user": "1", "post": "2:100"},
        {"type": "share", "at": at, "user": "1", "post": "2:100"},
        {"type": "post", "at": at + 1000, "id": f"3:{hour + 11}:0", "author": "3"},
        {"type": "post", "at": at + 1000, "id": f"3:{hour + 11}:1", "author": "3"},
        {"type": "user", "at": (hour + 3599) * 1000, "id": "4"},
        {"type": "post", "at": (hour + 3599) * 1000, "id": "2:101", "author": "2"},
    ]


STACK_EXCHANGE = {
    "Posts": [
        'Id="2" PostTypeId="2" ParentId="1" CreationDate="2018-03-12T10:00:02.500" Body="&lt;b&gt;because&lt;/b&gt;"',
        'Id="1" PostTypeId="1" CreationDate="2018-03-12T10:00:00.000" ViewCount="2" Title="Why?" OwnerUserId="7" '
        'Body="&lt;script&gt;ä&lt;/script&gt;"',
        'Id="3" PostTypeId="4" CreationDate="2018-03-12T10:00:00.000" Body="a wiki"',
    ],
    "Comments": [
        'Id="5" PostId="2" Text="hm" CreationDate="2018-03-12T10:00:04.000" UserId="8"',
        'Id="6" PostId="3" Text="lost" CreationDate="2018-03-12T10:00:04.000" UserId="9"',
    ],
    "Votes": [
        'Id="1" PostId="1" VoteTypeId="2" CreationDate="2018-03-12T00:00:00.000"',
        'Id="2" PostId="1" VoteTypeId="2" CreationDate="2018-03-13T00:00:00.000"',
        'Id="3" PostId="1" VoteTypeId="3" CreationDate="2018-03-13T00:00:00.000"',
        'Id="4" PostId="2" VoteTypeId="2" CreationDate="2018-03-13T00:00:00.000"',
    ],
}


def test_stackexchange_maps_rows_as_its_readme_says(tmp_path):
    for name, rows in STACK_EXCHANGE.items():
        body = "".join(f"<row {row} />\n" for row in rows)
        write_gz(tmp_path / f"{name}.xml.gz", f'\ufeff<?xml version="1.0" encoding="utf-8"?>\n<{name}>{body}</{name}>')
    result = run("stackexchange.py", tmp_path, "--prefix", "t")
    assert result.returncode == 0, result.stderr
    assert "1 up-votes on what is no question" in result.stderr
    actions = actions_of(result.stdout)
    asked = 1520848800000
    by_type = {kind: [action for action in actions if action["type"] == kind] for kind in Counter(a["type"] for a in actions)}
    assert by_type["post"] == [
        {"type": "post", "at": asked, "id": "t:1", "author": "t:7", "text": "Why?\n\n<script>ä</script>"}
    ]
    assert [(a["id"], a["user"], a["at"], a["text"]) for a in by_type["comment"]] == [
        ("t:answer:2", "t:stand-in-author-0", asked + 2500, "<b>because</b>"),
        ("t:comment:5", "t:8", asked + 4000, "hm"),
    ]
    assert [(a["user"], a["at"]) for a in by_type["like"]] == [
        ("t:stand-in-voter-0", asked + 1000),
        ("t:stand-in-voter-1", 1520899200000),
    ]
    assert [a["user"] for a in by_type["impression"]] == ["t:stand-in-viewer-0", "t:stand-in-viewer-1"]
    assert {a["id"] for a in by_type["user"]} >= {"t:7", "t:8", "t:stand-in-author-0", "t:stand-in-voter-1"}
    assert "t:9" not in {a["id"] for a in by_type["user"]}
    assert_named_in_order(actions)


def assert_named_in_order(actions):
    """By time, and nobody and nothing is named before its line."""
    known = set()
    last = 0
    for action in actions:
        assert action["at"] >= last
        last = action["at"]
        for field, kind in (("user", "user"), ("author", "user"), ("target", "user"), ("post", "post")):
            assert field not in action or (kind, action[field]) in known, action
        if action["type"] in ("user", "post", "comment"):
            name = (action["type"], action["id"])
            assert name not in known, action
            known.add(name)


@not_in_fast
@pytest.mark.skipif(test_data("higgs") is None, reason="the Higgs set is not installed (NOVAFEED_TEST_DATA)")
def test_higgs_meets_the_published_numbers():
    result = run("higgs.py", test_data("higgs"))
    assert result.returncode == 0, result.stderr
    actions = actions_of(result.stdout)
    assert_named_in_order(actions)
    assert Counter(action["type"] for action in actions) == {
        "user": 304_691,
        "follow": 461_192,
        "post": 115_405 + 130_787 - 6_574,  # those of the hours, and mentions but of oneself
        "impression": 354_930 + 36_902 - 507,
        "share": 354_930,
        "comment": 36_902 - 507,
    }


@pytest.mark.skipif(test_data("stackexchange-quantum") is None, reason="the set is not installed (NOVAFEED_TEST_DATA)")
def test_stackexchange_meets_the_published_numbers():
    result = run("stackexchange.py", test_data("stackexchange-quantum"))
    assert result.returncode == 0, result.stderr
    actions = actions_of(result.stdout)
    assert_named_in_order(actions)
    counts = Counter(action["type"] for action in actions)
    assert (counts["post"], counts["comment"]) == (612, 1_060 + 3_413)
