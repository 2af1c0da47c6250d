"""GET /api/v1/trending over HTTP (contract, sections 1 and 5)."""

import pytest

from harness import Server
from harness.client import assert_problem

from .conftest import make_person

NOON = 1_790_000_000_000


def trending(reader, window, limit=200):
    page = reader.http.get(f"/api/v1/trending?window={window}&limit={limit}").expect(200).json()
    assert set(page) == {"items", "trending_as_of"}
    for item in page["items"]:
        assert set(item) == {"post", "source", "score"} and item["source"] == "trending"
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
