"""GET /api/v1/trending over HTTP (contract, sections 1 and 5)."""

import math

import pytest

from harness import Server
from harness.client import assert_problem

from .conftest import make_person
from .test_events import event, send

NOON = 1_790_000_000_000
HOUR = 3_600_000
COUNTS = ("likes", "comments", "shares", "impressions")


def trending(reader, window, limit=200, explain=0):
    page = reader.http.get(f"/api/v1/trending?window={window}&limit={limit}&explain={explain}").expect(200).json()
    assert set(page) == {"items", "trending_as_of"}
    keys = {"post", "source", "score"} | ({"explain"} if explain else set())
    for item in page["items"]:
        assert set(item) == keys and item["source"] == "trending"
    scores = [item["score"] for item in page["items"]]
    assert scores == sorted(scores, reverse=True)
    return page["items"]


@pytest.mark.parametrize("window", ["1h", "24h"])
def test_a_list_holds_posts_that_are_acted_on_and_none_that_are_gone(window):
    with Server(test_clock=NOON) as server:
        ada, bob = make_person(server), make_person(server)
        assert trending(ada, window) == []
        liked, quiet, deleted = bob.post("liked"), bob.post("quiet"), bob.post("deleted")
        for post in (liked, deleted):
            ada.like(post).expect(204)
        server.set_clock(NOON + 120_000)  # the list of the hour is kept for two minutes
        shown = {item["post"]["id"]: item["post"] for item in trending(bob, window)}
        assert shown[liked["id"]] == {**liked, "likes": 1}, "one's own posts are in it, with the counters of the post"
        assert deleted["id"] in shown and quiet["id"] not in shown
        bob.http.delete(f"/api/v1/posts/{deleted['id']}").expect(204)
        assert deleted["id"] not in {item["post"]["id"] for item in trending(bob, window)}


def window_counts(item):
    return {name: item["explain"]["engagement"][name] for name in COUNTS}


def assert_explains(item):
    """The contract's formula for the shared lists, from the counts that the item itself gives."""
    freshness, engagement = item["explain"]["freshness"], item["explain"]["engagement"]
    assert set(item["explain"]) == {"freshness", "engagement"}, "a list for everybody knows no affinity"
    rate = (engagement["likes"] + 2 * engagement["comments"] + 3 * engagement["shares"]) / max(
        engagement["impressions"], 1
    )
    assert engagement["value"] == pytest.approx(math.log1p(rate), abs=1e-12)
    assert freshness["value"] == pytest.approx(math.exp(-0.1 * freshness["age_hours"]), abs=1e-12)
    assert (freshness["weight"], engagement["weight"]) == (0.3, 0.4)
    assert item["score"] == engagement["term"] + freshness["term"]


def test_explain_tells_the_counts_of_the_window_and_the_post_those_of_all_time():
    with Server(test_clock=NOON) as server:
        ada, bob, cleo = make_person(server), make_person(server), make_person(server)
        post = bob.post("discussed")
        ada.like(post).expect(204)
        send(ada.http, event(post, at=NOON))
        later = NOON + 5 * HOUR
        server.set_clock(later)
        cleo.like(post).expect(204)
        cleo.comment(post)
        send(cleo.http, event(post, at=later), event(post, at=later - 1))
        server.set_clock(later + 180_000)
        of_hour = {"likes": 1, "comments": 1, "shares": 0, "impressions": 2}
        of_day = {"likes": 2, "comments": 1, "shares": 0, "impressions": 3}
        for window, counts in (("1h", of_hour), ("24h", of_day)):
            for _ in range(2):  # the second answer is that of the list that is kept
                (item,) = trending(bob, window, explain=1)
                assert_explains(item)
                assert window_counts(item) == counts, window
                assert {name: item["post"][name] for name in COUNTS} == of_day
                assert item["explain"]["freshness"]["age_hours"] == pytest.approx(5.05)


def test_a_limit_cuts_the_same_list(person):
    ada, bob = person(), person()
    for number in range(3):
        ada.like(bob.post(f"post {number}")).expect(204)
    whole = trending(ada, "24h")
    assert [item["post"]["id"] for item in trending(ada, "24h", 2)] == [item["post"]["id"] for item in whole[:2]]


def test_parameters(person):
    ada = person()
    assert ada.http.get("/api/v1/trending").expect(200).json()["items"] is not None
    assert_problem(ada.http.get("/api/v1/trending?window=7d"), 400, "bad_window")
    for limit in ("0", "201", "x"):
        assert_problem(ada.http.get(f"/api/v1/trending?limit={limit}"), 400, "bad_limit")
    assert_problem(ada.http.get("/api/v1/trending?explain=yes"), 400, "bad_explain")
