"""The feed over HTTP: shape, parameters, sources, explanations, cursors (contract, sections 1 and 5)."""

import math
import uuid

import pytest

from harness.client import assert_problem
from harness.server import Server

from .conftest import make_person

PAGE_FIELDS = {"items", "next_cursor", "as_of", "trending_as_of", "counters_as_of", "profile", "engine", "cached",
               "degraded"}


def share(person, post, kind="share", at=None):
    event = {"event_id": str(uuid.uuid4()), "type": kind, "post_id": post["id"], "at": at}
    return person.http.post("/api/v1/events", {"events": [event]}).expect(202).json()


def test_feed_answers_on_both_paths(person):
    ada = person()
    for path in ("/feed", "/api/v1/feed"):
        page = ada.http.get(path).expect(200).json()
        assert set(page) == PAGE_FIELDS
        assert (page["profile"], page["engine"], page["cached"], page["degraded"]) == ("v1", "index", False, [])


def test_a_followed_authors_post_is_in_the_feed_at_once(person):
    ada, bob = person(), person()
    ada.follow(bob).expect(204)
    post = bob.post("news")
    item = next(item for item in ada.feed(limit=100)["items"] if item["post"]["id"] == post["id"])
    assert item["source"] == "follow"
    assert item["post"] == post


def test_ones_own_posts_are_never_in_the_feed(person):
    ada = person()
    post = ada.post()
    ada.like(post).expect(204)
    assert post["id"] not in ada.feed_ids()
    assert post["id"] not in ada.feed_ids(mode="following")


def test_a_deleted_post_is_gone_with_the_next_answer(person):
    ada, bob = person(), person()
    ada.follow(bob).expect(204)
    for _ in range(5):
        post = bob.post()
        assert post["id"] in ada.feed_ids()
        bob.http.delete(f"/api/v1/posts/{post['id']}").expect(204)
        assert post["id"] not in ada.feed_ids()


def test_an_unfollow_takes_the_posts_out_of_following(person):
    ada, bob = person(), person()
    ada.follow(bob).expect(204)
    post = bob.post()
    assert post["id"] in ada.feed_ids(mode="following")
    ada.http.delete(f"/api/v1/users/{bob.id}/follow").expect(204)
    assert post["id"] not in ada.feed_ids(mode="following")


def test_a_like_makes_its_author_affine_and_the_post_trending(person):
    ada, bob, eve = person(), person(), person()
    post, other = bob.post("liked"), bob.post("not liked")
    ada.like(post).expect(204)
    sources = {item["post"]["id"]: item["source"] for item in ada.feed(limit=100)["items"]}
    assert sources.get(other["id"]) == "affinity"
    # The shared list is at most a second old; eve, who knows nobody, finds the post by it or as the newest.
    assert post["id"] in eve.feed_ids()


def test_explain_takes_the_score_apart_to_the_digit(person, server):
    ada, bob = person(), person()
    ada.follow(bob).expect(204)
    post = bob.post()
    ada.like(post).expect(204)
    ada.comment(post)
    share(ada, post, at=server.now())
    share(ada, post, "impression", at=server.now())
    share(ada, post, "impression", at=server.now())
    page = ada.feed(limit=100, explain=1)
    item = next(item for item in page["items"] if item["post"]["id"] == post["id"])
    freshness, engagement, affinity = (item["explain"][term] for term in ("freshness", "engagement", "affinity"))
    assert (engagement["likes"], engagement["comments"], engagement["shares"], engagement["impressions"]) == (1, 1, 1, 2)
    assert affinity["interactions"] == 3
    age = max(0, page["as_of"] - post["created_at"]) / 3600000.0
    assert math.isclose(freshness["value"], math.exp(-0.1 * age), rel_tol=1e-12)
    assert math.isclose(engagement["value"], math.log1p(6 / 2), rel_tol=1e-12)
    assert math.isclose(affinity["value"], math.log1p(3), rel_tol=1e-12)
    for term in (freshness, engagement, affinity):
        assert math.isclose(term["term"], term["weight"] * term["value"], rel_tol=1e-15)
    assert freshness["term"] + engagement["term"] + affinity["term"] == item["score"]
    assert item["post"]["likes"] == 1


def test_without_explain_there_is_none(person):
    ada = person()
    person().post()
    assert all("explain" not in item for item in ada.feed()["items"])


def test_a_quiet_feed_is_filled_up_with_the_newest(person):
    ada, bob = person(), person()
    posts = [bob.post() for _ in range(3)]
    sources = {item["post"]["id"]: item["source"] for item in ada.feed(limit=100)["items"]}
    assert all(sources.get(post["id"]) == "fallback" for post in posts)


def test_following_is_chronological_and_has_no_score(person):
    ada, bob = person(), person()
    ada.follow(bob).expect(204)
    posts = [bob.post(str(n)) for n in range(5)]
    page = ada.feed(mode="following", limit=3)
    assert all(item["score"] is None and item["source"] == "follow" for item in page["items"])
    rest = ada.feed(mode="following", limit=3, cursor=page["next_cursor"])
    walked = [item["post"]["id"] for item in page["items"] + rest["items"]]
    expected = sorted(posts, key=lambda post: (-post["created_at"], uuid.UUID(post["id"]).bytes))
    assert walked == [post["id"] for post in expected]
    assert rest["next_cursor"] is None


def test_an_unknown_viewer_is_one_who_follows_nobody(server, person):
    person().post()
    page = server.client(str(uuid.uuid4())).get("/api/v1/feed").expect(200).json()
    assert page["items"]


def test_an_edit_shows_in_the_feed(person):
    ada, bob = person(), person()
    ada.follow(bob).expect(204)
    post = bob.post("before")
    bob.http.patch(f"/api/v1/posts/{post['id']}", {"text": "after"}).expect(200)
    item = next(item for item in ada.feed(limit=100)["items"] if item["post"]["id"] == post["id"])
    assert item["post"]["text"] == "after"


def test_a_walk_by_cursor_never_repeats_and_serves_everything(person):
    ada, bob = person(), person()
    ada.follow(bob).expect(204)
    posts = {bob.post(str(n))["id"] for n in range(23)}
    seen, cursor = [], None
    while True:
        page = ada.feed(limit=5, cursor=cursor)
        seen += [item["post"]["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert len(page["items"]) == 5
    assert len(seen) == len(set(seen))
    assert posts <= set(seen)


def test_a_cursor_belongs_to_its_viewer_and_mode(person):
    ada, bob = person(), person()
    ada.follow(bob).expect(204)
    for _ in range(3):
        bob.post()
    cursor = ada.feed(limit=1)["next_cursor"]
    assert_problem(bob.http.get("/api/v1/feed", cursor=cursor), 400, "bad_cursor")
    assert_problem(ada.http.get("/api/v1/feed", cursor=cursor, mode="following"), 400, "bad_cursor")
    assert_problem(ada.http.get("/api/v1/feed", cursor=cursor[:-1] + ("A" if cursor[-1] != "A" else "B")), 400,
                   "bad_cursor")
    assert_problem(ada.http.get("/api/v1/feed", cursor=cursor, offset=1), 400, "cursor_with_offset")


def test_offset_slices_the_ranking(person):
    ada, bob = person(), person()
    ada.follow(bob).expect(204)
    for n in range(12):
        bob.post(str(n))
    whole = [item["post"]["id"] for item in ada.feed(limit=12)["items"]]
    assert [item["post"]["id"] for item in ada.feed(limit=4, offset=5)["items"]] == whole[5:9]


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"limit": ""}, {"offset": 501},
                                   {"offset": -1}, {"mode": "best"}, {"explain": "maybe"}, {"cursor": "x"}],
                         ids=lambda query: "-".join(f"{name}={value}" for name, value in query.items()))
def test_bad_parameters_are_400(person, query):
    assert_problem(person().http.get("/api/v1/feed", **query), 400)


@pytest.mark.parametrize("name", ["engine", "as_of", "trending_as_of"])
def test_only_the_platform_chooses_engine_and_time(person, server, act_as, name):
    value = "index" if name == "engine" else server.now() - 1000
    ada = person()
    assert_problem(ada.http.get("/api/v1/feed", **{name: value}), 403)
    page = act_as(ada.id).get("/api/v1/feed", **{name: value}).expect(200).json()
    assert name == "engine" or page[name] == value


def test_as_of_is_at_most_an_hour_old(person, server, act_as):
    platform = act_as(person().id)
    assert_problem(platform.get("/api/v1/feed", as_of=server.now() - 3_700_000), 400, "bad_as_of")


def test_posts_dated_after_as_of_are_left_out(person, server, act_as):
    ada, bob = person(), person()
    ada.follow(bob).expect(204)
    before = server.now() - 10_000
    post = bob.post()
    items = act_as(ada.id).get("/api/v1/feed", as_of=before, limit=100).expect(200).json()["items"]
    assert post["id"] not in [item["post"]["id"] for item in items]


def test_stages_are_timed(person):
    timing = person().http.get("/api/v1/feed").headers["Server-Timing"]
    for stage in ("candidates", "ranking", "page", "total"):
        assert stage in timing


def test_a_feed_is_not_to_be_stored_by_anybody(person):
    assert "no-store" in person().http.get("/api/v1/feed").headers["Cache-Control"]


def test_a_liked_post_rises_in_the_next_feed():
    """The seed's end-to-end test in both engines is tests/warehouse/test_end_to_end.py."""
    with Server() as server:
        ada, bob, eve = (make_person(server, name) for name in ("ada", "bob", "eve"))
        ada.follow(bob).expect(204)
        posts = [bob.post(f"post {n}") for n in range(10)]
        oldest = posts[0]["id"]
        before = ada.feed_ids()
        assert eve.like(posts[0]).expect(204).position
        after = ada.feed_ids()
        assert after[0] == oldest and before.index(oldest) > 0


def test_the_walk_goes_on_after_a_restart_and_after_kill():
    with Server() as server:
        ada, bob = make_person(server, "ada"), make_person(server, "bob")
        ada.follow(bob).expect(204)
        posts = {bob.post(str(n))["id"] for n in range(30)}
        seen, cursor, pages = set(), None, 0
        while True:
            page = ada.feed(limit=7, cursor=cursor)
            ids = {item["post"]["id"] for item in page["items"]}
            assert not ids & seen
            seen |= ids
            cursor, pages = page["next_cursor"], pages + 1
            if cursor is None:
                break
            server.restart(kill=pages % 2 == 0)
            ada.http = server.client(ada.id)
        assert posts <= seen
