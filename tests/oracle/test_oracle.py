"""The oracle against numbers worked out by hand from the contract, rule by rule."""

import gzip
import json
import math
import uuid

import pytest

from oracle import compare
from oracle import oracle as o

HOUR = 3_600_000
DAY = 24 * HOUR
MIDNIGHT = 1_700_006_400_000  # 2023-11-15T00:00:00Z
NOW = MIDNIGHT + 12 * HOUR + 30 * 60_000  # half past twelve


def post(name, author, at=NOW - HOUR, **more):
    return {"type": "post", "id": name, "author": author, "at": at, **more}


def act(kind, user, name, at=NOW, **more):
    return {"type": kind, "user": user, "post": name, "at": at, **more}


def follow(user, target):
    return {"type": "follow", "user": user, "target": target, "at": NOW}


def fold(*actions):
    state = o.State()
    state.begin_file()
    for action in actions:
        state.apply_line(json.dumps(action))
    return state


def ranked(state, viewer="v", as_of=NOW, trending_as_of=None):
    trending = o.trending_list(state, as_of if trending_as_of is None else trending_as_of)
    return o.rank(state, o.id_of("user", viewer), as_of, trending)


def names(items):
    return [item.post.external_id for item in items]


def shown(items):
    return [(item.post.external_id, item.source) for item in items]


def counters(state, name):
    found = state.posts[o.id_of("post", name)]
    return len(found.likes), len(found.comments), len(found.shares), len(found.impressions)


# --- Identity and time ---


def test_namespace_and_derived_ids():
    assert str(o.NAMESPACE) == "c1c8ce8d-f735-5bd1-a9d4-0685a57e4b43"
    assert o.id_of("user", "42") == uuid.uuid5(o.NAMESPACE, "user:42").bytes
    assert o.id_of("post", "42") != o.id_of("user", "42")


def test_a_uuid_is_itself_in_any_case():
    text = "A1B2C3D4-0000-4000-8000-00000000000F"
    assert o.show_id(o.id_of("user", text)) == text.lower()
    assert o.external_of(text) is None
    assert o.external_of("a1b2c3d4000040008000-00000000000f") is not None


def test_an_integer_id_is_its_decimal_string():
    state = fold(post(7, "a"), act("like", "b", "7"))
    assert counters(state, "7") == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2023-11-15T00:00:00Z", MIDNIGHT),
        ("2023-11-15T00:00:00.0019999Z", MIDNIGHT + 1),  # truncated, not rounded
        ("2023-11-15T02:00:00+02:00", MIDNIGHT),
        ("2023-11-14T19:30:00.5-04:30", MIDNIGHT + 500),
    ],
)
def test_rfc3339_times(text, expected):
    assert o.parse_rfc3339(text) == expected


@pytest.mark.parametrize("text", ["2023-13-01T00:00:00Z", "2023-11-15", "2023-11-15T00:00:00", "yesterday"])
def test_bad_times(text):
    with pytest.raises(o.BadLine):
        o.parse_rfc3339(text)


# --- State ---


def test_a_like_while_liked_keeps_its_first_time_and_a_like_after_an_unlike_has_the_new_one():
    state = fold(post("p", "a"), act("like", "b", "p", NOW - 9), act("like", "b", "p", NOW - 5))
    likes = state.posts[o.id_of("post", "p")].likes
    assert list(likes.values()) == [NOW - 9]
    for action in (act("unlike", "b", "p", NOW - 4), act("like", "b", "p", NOW - 3)):
        state.apply(action)
    assert list(likes.values()) == [NOW - 3]


def test_like_unlike_like_in_one_millisecond_is_one():
    state = fold(post("p", "a"), *(act(kind, "b", "p") for kind in ("like", "unlike", "like")))
    assert counters(state, "p") == (1, 0, 0, 0)


def test_order_of_arrival_decides_not_the_time():
    state = fold(post("p", "a"), act("like", "b", "p", NOW), act("unlike", "b", "p", NOW - DAY))
    assert counters(state, "p") == (0, 0, 0, 0)


def test_comments_count_each_and_are_taken_back():
    state = fold(
        post("p", "a"),
        act("comment", "b", "p", id="c1"),
        act("comment", "b", "p", id="c2"),
        {"type": "delete_comment", "id": "c1", "at": NOW},
    )
    assert counters(state, "p") == (0, 1, 0, 0)
    assert state.apply({"type": "delete_comment", "id": "c1", "at": NOW}) == "no-op"
    assert state.apply(act("comment", "b", "p", id="c1")) == "conflict"  # a deleted id is never accepted again
    assert counters(state, "p") == (0, 1, 0, 0)


def test_an_event_is_user_type_post_at_and_id():
    base = act("share", "b", "p", id="e")
    other = [{**base, "user": "c"}, {**base, "type": "impression"}, {**base, "at": NOW + 1}, {**base, "id": "f"}]
    state = fold(post("p", "a"), base, *other, base, *other)
    assert counters(state, "p") == (0, 0, 4, 1)
    assert state.outcomes["duplicate"] == 5


def test_events_without_an_id_are_numbered_within_a_file():
    state = fold(post("p", "a"), act("impression", "b", "p"), act("impression", "b", "p"))
    assert counters(state, "p") == (0, 0, 0, 2)
    state.begin_file()  # another file with the same two lines
    assert [state.apply(act("impression", "b", "p")) for _ in range(3)] == ["duplicate", "duplicate", "applied"]


def test_views_are_kept_and_count_nowhere():
    assert counters(fold(post("p", "a"), act("view", "b", "p")), "p") == (0, 0, 0, 0)


def test_a_known_id_with_other_content_is_a_conflict_and_the_first_wins():
    state = fold(post("p", "a"), post("p", "b"), post("p", "a"))
    assert state.posts[o.id_of("post", "p")].author == o.id_of("user", "a")
    assert (state.outcomes["conflict"], state.outcomes["no-op"]) == (1, 1)


def test_on_a_deleted_post_all_but_an_edit_is_applied():
    delete = {"type": "delete_post", "post": "p", "at": NOW}
    state = fold(post("p", "a"), act("like", "c", "p"), delete, delete)
    assert state.outcomes["no-op"] == 1
    for action in (act("like", "b", "p"), act("comment", "b", "p", id="c"), act("share", "b", "p")):
        assert state.apply(action) == "applied"
    assert state.apply(act("unlike", "c", "p")) == "applied"
    assert counters(state, "p") == (1, 1, 1, 0)
    with pytest.raises(o.BadLine):
        state.apply({"type": "edit_post", "post": "p", "at": NOW, "text": "x"})


def test_unlike_and_unfollow_of_nothing_are_no_ops():
    state = fold(post("p", "a"))
    assert state.apply(act("unlike", "b", "p")) == "no-op"
    assert state.apply({**follow("b", "a"), "type": "unfollow"}) == "no-op"


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[]",
        b"\xff{}",
        '{"type":"dance","at":1}',
        json.dumps(act("like", "b", "absent")),
        json.dumps({"type": "delete_comment", "id": "absent", "at": 1}),
        json.dumps(follow("b", "b")),
        json.dumps(post("q", "a", at="soon")),
        json.dumps(post("q", "a", at=True)),
        json.dumps(post("q", "a", at=-1)),
        json.dumps(post("q", "", at=1)),
        json.dumps(post("q" * 129, "a", at=1)),
        json.dumps(post("q", None, at=1)),
        json.dumps(post("q", "a", at=1, text="x" * 10_001)),
        json.dumps({"type": "edit_post", "post": "p", "at": 1}),
    ],
)
def test_a_bad_line_creates_nothing(line):
    state = fold(post("p", "a"))
    users, posts = set(state.users), dict(state.posts)
    assert state.apply_line(line) == "bad"
    assert (state.users, state.posts) == (users, posts)


# --- Score ---


def test_score_parts():
    state = fold(
        post("p", "a", NOW - 2 * HOUR),
        act("like", "v", "p"),
        act("like", "a", "p"),  # the author's own counts
        act("comment", "v", "p", id="c"),
        act("share", "v", "p"),
        *(act("impression", "b", "p") for _ in range(4)),
    )
    (item,) = ranked(state)
    assert (item.age_hours, item.interactions) == (2.0, 3)
    assert item.freshness == math.exp(-0.2)
    assert item.engagement == math.log1p((2 + 2 * 1 + 3 * 1) / 4)
    assert item.affinity == math.log1p(3)
    assert item.score == pytest.approx(0.3 * math.exp(-0.2) + 0.4 * math.log1p(7 / 4) + 0.3 * math.log1p(3), abs=1e-15)


def test_no_impression_divides_by_one():
    (item,) = ranked(fold(post("p", "a"), act("like", "b", "p")))
    assert item.engagement == math.log1p(1)


def test_equal_scores_go_by_time_then_by_id_bytes():
    same = [f"p{n}" for n in range(8)]
    state = fold(follow("v", "a"), *(post(name, "a", NOW - HOUR) for name in same), post("first", "a", NOW - HOUR + 1))
    assert names(ranked(state)) == ["first", *sorted(same, key=lambda name: o.id_of("post", name))]


# --- Interactions ---


@pytest.mark.parametrize(
    ("at", "counted"),
    [
        (MIDNIGHT - 89 * DAY - 1, 0),
        (MIDNIGHT - 89 * DAY, 1),
        (NOW, 1),
        (MIDNIGHT + DAY - 1, 1),  # the day of as_of is whole, also after as_of
        (MIDNIGHT + DAY, 0),
    ],
)
@pytest.mark.parametrize("kind", ["like", "comment", "share"])
def test_interactions_are_of_ninety_utc_days(kind, at, counted):
    state = fold(post("p", "a", MIDNIGHT - 200 * DAY), act(kind, "v", "p", at, id="x"))
    assert o.interactions(state, o.id_of("user", "v"), NOW)[o.id_of("user", "a")] == counted


def test_interactions_survive_the_post_and_not_the_unlike():
    delete = {"type": "delete_post", "post": "p", "at": NOW}
    state = fold(post("p", "a"), act("like", "v", "p"), act("share", "v", "p"), delete)
    given = o.interactions(state, o.id_of("user", "v"), NOW)
    assert given == {o.id_of("user", "a"): 2}
    state.apply(act("unlike", "v", "p"))
    assert o.interactions(state, o.id_of("user", "v"), NOW) == {o.id_of("user", "a"): 1}


def test_impressions_views_and_own_posts_are_no_interactions():
    state = fold(
        post("p", "a"), post("own", "v"), act("impression", "v", "p"), act("view", "v", "p"), act("like", "v", "own")
    )
    assert not o.interactions(state, o.id_of("user", "v"), NOW)


# --- Sources ---


@pytest.mark.parametrize(
    ("at", "source"),
    [
        (NOW + 1, None),
        (NOW, "follow"),
        (NOW - 72 * HOUR + 1, "follow"),
        (NOW - 72 * HOUR, "fallback"),
    ],
)
def test_follow_window(at, source):
    state = fold(follow("v", "a"), post("p", "a", at))
    assert shown(ranked(state)) == ([("p", source)] if source else [])


@pytest.mark.parametrize(
    ("at", "source"), [(NOW, "affinity"), (NOW - 30 * DAY + 1, "affinity"), (NOW - 30 * DAY, "fallback")]
)
def test_affinity_window(at, source):
    state = fold(post("old", "a", NOW - 80 * DAY), act("like", "v", "old", NOW - 2 * DAY), post("p", "a", at))
    assert dict(shown(ranked(state)))["p"] == source


HOUR_START = NOW - NOW % HOUR


@pytest.mark.parametrize(
    ("at", "trends"),
    [
        (HOUR_START - 23 * HOUR - 1, False),
        (HOUR_START - 23 * HOUR, True),
        (HOUR_START + HOUR - 1, True),  # the current bucket is whole
        (HOUR_START + HOUR, False),
    ],
)
@pytest.mark.parametrize("kind", ["like", "comment", "share"])
def test_trending_hours(kind, at, trends):
    state = fold(post("p", "a", NOW - 3 * DAY), act(kind, "b", "p", at, id="x"))
    assert bool(o.trending_list(state, NOW)) is trends


@pytest.mark.parametrize(
    ("at", "trends"), [(NOW + 1, False), (NOW, True), (NOW - 30 * DAY + 1, True), (NOW - 30 * DAY, False)]
)
def test_trending_window(at, trends):
    state = fold(post("p", "a", at), act("like", "b", "p"))
    assert bool(o.trending_list(state, NOW)) is trends


def test_trending_scores_by_the_hours_counters_with_their_impressions():
    state = fold(
        post("p", "a", NOW - 2 * HOUR),
        act("like", "b", "p"),
        act("like", "c", "p", NOW - 2 * DAY),
        act("impression", "b", "p"),
        act("impression", "c", "p"),
        act("impression", "d", "p", NOW - 2 * DAY),
    )
    ((value, _),) = o.trending_scores(state, NOW)
    assert value == pytest.approx(0.4 * math.log1p(1 / 2) + 0.3 * math.exp(-0.2), abs=1e-15)


def test_impressions_alone_do_not_trend():
    assert not o.trending_list(fold(post("p", "a"), act("impression", "b", "p")), NOW)


def test_trending_cuts_first_and_takes_own_posts_out_then():
    actions = []
    for n in range(201):
        author = "v" if n == 0 else "a"
        actions += [post(f"p{n}", author, NOW - n * HOUR), act("like", "b", f"p{n}")]
    state = fold(*actions)
    items = ranked(state)
    assert len(items) == 199
    assert "p200" not in names(items)


def test_trending_as_of_is_the_lists_own_instant():
    liked = [act("like", "b", name) for name in ("early", "late")]
    state = fold(post("early", "a", NOW - HOUR), post("late", "a", NOW), *liked)
    assert dict(shown(ranked(state, trending_as_of=NOW - 1))) == {"early": "trending", "late": "fallback"}
    assert dict(shown(ranked(state, as_of=NOW - 1, trending_as_of=NOW))) == {"early": "trending"}


def test_follow_cut_is_of_the_best_five_hundred():
    actions = [post(f"p{n}", "a", NOW - n) for n in range(501)]
    state = fold(follow("v", "a"), *actions, act("like", "b", "p500", NOW - 5 * DAY))
    items = ranked(state)
    assert len(items) == 500
    assert names(items)[0] == "p500"  # by score, not by time
    assert "p499" not in names(items)


def test_affinity_cut_is_of_the_best_two_hundred():
    state = fold(*(post(f"p{n}", "a", NOW - n) for n in range(201)), act("share", "v", "p0", NOW - 5 * DAY))
    items = ranked(state)
    assert {item.source for item in items} == {"affinity"}
    assert "p200" not in names(items)
    assert len(items) == 200


def test_merged_candidates_are_cut_to_five_hundred_and_cuts_are_not_refilled():
    actions = [post(f"f{n}", "a", NOW - n) for n in range(500)]
    actions += [post(f"b{n}", "b", NOW - 5 * DAY - n) for n in range(150)]
    state = fold(follow("v", "a"), *actions, act("share", "v", "b0", NOW - 5 * DAY))
    items = ranked(state)
    assert len(items) == 500
    viewer = o.id_of("user", "v")
    assert len(o.merged_candidates(state, viewer, NOW, [], o.interactions(state, viewer, NOW))) == 650


def test_a_post_has_the_first_of_follow_trending_affinity():
    liked = [act("like", "v", "both"), act("like", "v", "all")]
    state = fold(follow("v", "a"), post("all", "a"), post("both", "b"), *liked)
    assert dict(shown(ranked(state))) == {"all": "follow", "both": "trending"}


def test_fallback_fills_up_to_twenty_after_the_ranked_ones():
    actions = [post(f"n{n}", "b", NOW - n) for n in range(30)]
    state = fold(follow("v", "a"), post("old", "a", NOW - 71 * HOUR), *actions)
    items = ranked(state)
    assert shown(items) == [("old", "follow")] + [(f"n{n}", "fallback") for n in range(19)]
    assert items[1].score > items[0].score  # shown, not used


def test_no_fallback_from_twenty_on():
    state = fold(follow("v", "a"), *(post(f"p{n}", "a") for n in range(20)), post("other", "b", NOW))
    assert len(ranked(state)) == 20


def test_fallback_pool_is_cut_after_own_deleted_and_future_posts_left():
    actions = [post(f"own{n}", "v", NOW) for n in range(1000)]
    actions += [post("gone", "a", NOW), {"type": "delete_post", "post": "gone", "at": NOW}, post("later", "a", NOW + 1)]
    state = fold(*actions, post("p", "a", NOW - 50 * DAY))
    assert shown(ranked(state)) == [("p", "fallback")]


def test_the_fallback_pool_holds_a_thousand():
    state = fold(*(post(f"p{n}", "a", NOW - n) for n in range(1001)))
    assert len(o.fallback_pool(state, o.id_of("user", "v"), NOW)) == 1000


def test_an_unknown_viewer_follows_nobody():
    state = fold(post("p", "a"))
    assert shown(ranked(state, viewer="stranger")) == [("p", "fallback")]
    assert not o.following(state, o.id_of("user", "stranger"), NOW)


def test_unfollow_takes_the_source_away():
    state = fold(follow("v", "a"), post("p", "a"), {**follow("v", "a"), "type": "unfollow"})
    assert shown(ranked(state)) == [("p", "fallback")]


def test_mode_following_is_newest_first_without_score_or_cut():
    names_in = [f"p{n}" for n in range(3)]
    state = fold(
        follow("v", "a"),
        *(post(name, "a", NOW - 29 * DAY) for name in names_in),
        post("new", "a", NOW),
        post("later", "a", NOW + 1),
        post("old", "a", NOW - 30 * DAY),
        post("other", "b", NOW),
    )
    items = o.following(state, o.id_of("user", "v"), NOW)
    assert names(items) == ["new", *sorted(names_in, key=lambda name: o.id_of("post", name))]
    assert {(item.source, item.score) for item in items} == {("follow", None)}


# --- Command line and comparison ---


def test_rank_command_reads_plain_and_packed_files(tmp_path, capsys):
    first, second = tmp_path / "a.ndjson", tmp_path / "b.ndjson.gz"
    first.write_text(json.dumps(post("p", "a")) + "\n")
    with gzip.open(second, "wt") as file:
        file.write(json.dumps(act("like", "b", "p")) + "\n")
    assert o.main(["rank", str(first), str(second), "--user", "ext:v", "--as-of", str(NOW)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    (item,) = json.loads(line)["items"]
    assert (item["external_id"], item["likes"], item["source"]) == ("p", 1, "trending")


def as_json(state, viewer="v"):
    return o.ranking_json(o.id_of("user", viewer), NOW, NOW, ranked(state, viewer))


def test_compare_finds_equality_and_the_first_difference():
    state = fold(follow("v", "a"), post("p", "a"), post("q", "a", NOW - 2 * HOUR))
    expected, actual = as_json(state), as_json(state)
    actual["items"][0]["score"] += 1e-12
    assert compare.first_difference(expected, actual) is None
    actual["items"][0]["score"] += 1e-8
    assert "score of p" in compare.first_difference(expected, actual)
    actual = as_json(state)
    actual["items"].reverse()
    assert "place 1: post_id" in compare.first_difference(expected, actual)
    actual = as_json(state)
    del actual["items"][1]
    assert "expected 2 items, got 1" in compare.first_difference(expected, actual)
    actual = as_json(state)
    actual["items"][1]["source"] = "trending"
    assert "place 2: source" in compare.first_difference(expected, actual)
