"""Suggested users and dismissals over HTTP (contract, sections 1 and 5). The numbers themselves: tests/differential."""

from __future__ import annotations

import math
import sqlite3
import uuid

import pytest

from api.conftest import make_person
from harness import Server, assert_problem, wait_until

PATH = "/api/v1/discover/suggested-users"


def suggested(person, **query) -> dict[str, dict]:
    """By id, in order."""
    answer = person.http.get(PATH, limit=100, **query).expect(200).json()
    return {item["user"]["id"]: item for item in answer["users"]}


@pytest.fixture(name="friends")
def befriend(person):
    """Ann follows Bob and Cid; Bob's other follower Dan follows Eve; so do Bob and Cid."""
    ann, bob, cid, dan, eve = (person(name) for name in ("ann", "bob", "cid", "dan", "eve"))
    for follower, followee in ((ann, bob), (ann, cid), (dan, bob), (dan, eve), (cid, eve), (bob, eve)):
        follower.follow(followee).expect(204)
    return ann, bob, cid, dan, eve


def test_whom_similar_people_follow_is_suggested_with_its_score(friends):
    ann, bob, cid, dan, eve = friends
    item = suggested(ann)[eve.id]
    assert item["score"] == pytest.approx((1 / math.sqrt(2 * 2)) / math.log2(2 + 3), abs=1e-9)
    assert item["mutual_followers"] == 2
    assert item["affinity_score"] == 0
    assert item["user"] == ann.http.get(f"/api/v1/users/{eve.id}").json()
    assert "reasons" not in item


def test_explain_names_people_whom_both_know_of(friends):
    ann, bob, cid, dan, eve = friends
    (reason,) = suggested(ann, explain=1)[eve.id]["reasons"]
    assert reason["kind"] == "followed_by"
    assert reason["count"] == 2
    assert {user["id"] for user in reason["users"]} == {bob.id, cid.id}
    assert {user["handle"] for user in reason["users"]} == {bob.user["handle"], cid.user["handle"]}


def test_interactions_of_similar_people_are_the_affinity(friends):
    ann, bob, cid, dan, eve = friends
    dan.like(eve.post()).expect(204)
    assert suggested(ann)[eve.id]["affinity_score"] == 0.6931


def test_a_follow_and_an_unfollow_show_in_the_next_answer(friends):
    ann, bob, cid, dan, eve = friends
    ann.follow(eve).expect(204)
    assert eve.id not in suggested(ann)
    ann.http.delete(f"/api/v1/users/{eve.id}/follow").expect(204)
    assert suggested(ann)[eve.id]["score"] > 0


def test_neither_oneself_nor_whom_one_follows_is_suggested(friends):
    ann, bob, cid, dan, eve = friends
    shown = suggested(ann)
    assert not {ann.id, bob.id, cid.id} & set(shown)


def test_a_dismissed_user_is_suggested_no_more_and_to_others_still(friends, person):
    ann, bob, cid, dan, eve = friends
    fay = person("fay")
    fay.follow(bob).expect(204)
    for _ in range(2):
        ann.http.delete(f"{PATH}/{eve.id}").expect(204)
    assert eve.id not in suggested(ann)
    assert suggested(fay)[eve.id]["score"] > 0


def test_a_service_asks_and_dismisses_for_somebody(friends, act_as):
    ann, bob, cid, dan, eve = friends
    backend = act_as(ann.id)
    answer = backend.get(PATH, engine="index").expect(200).json()
    assert answer["engine"] == "index"
    assert answer["degraded"] == []
    backend.delete(f"{PATH}/{eve.id}").expect(204)
    assert eve.id not in suggested(ann)


def test_the_limit_cuts_the_same_list(friends):
    ann = friends[0]
    whole = list(suggested(ann))
    for limit in (1, 3, 20):
        users = ann.http.get(PATH, limit=limit).expect(200).json()["users"]
        assert [item["user"]["id"] for item in users] == whole[:limit]
    assert len(ann.http.get(PATH).expect(200).json()["users"]) == min(20, len(whole))


def test_who_follows_nobody_gets_those_whom_most_follow(friends, person):
    stranger = person("stranger")
    shown = list(suggested(stranger).values())
    assert shown
    assert all(item["score"] == 0 for item in shown)
    followers = [item["user"]["followers"] for item in shown]
    assert followers == sorted(followers, reverse=True)


def test_an_unknown_viewer_is_answered_as_one_who_follows_nobody(friends, act_as):
    users = act_as(str(uuid.uuid4())).get(PATH).expect(200).json()["users"]
    assert all(item["score"] == 0 for item in users)


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"explain": 2}])
def test_bad_parameters_are_400(person, query):
    assert_problem(person().http.get(PATH, **query), 400)


@pytest.mark.parametrize("query", [{"engine": "index"}, {"as_of": 1}])
def test_a_user_may_choose_neither_engine_nor_instant(person, query):
    assert_problem(person().http.get(PATH, **query), 403, "scope_required")


def test_engines_and_instants_that_there_are_not(friends, act_as):
    backend = act_as(friends[0].id)
    assert_problem(backend.get(PATH, engine="fastest"), 400, "bad_engine")
    assert_problem(backend.get(PATH, engine="warehouse"), 400, "bad_engine")
    assert_problem(backend.get(PATH, as_of=1), 400, "bad_as_of")


def test_whose_suggestions_must_be_said(service):
    assert_problem(service.get(PATH), 400, "user_required")
    assert_problem(service.delete(f"{PATH}/{uuid.uuid4()}"), 400, "user_required")


def test_dismissing_the_unknown_is_404_and_oneself_422(person):
    ann = person("ann")
    assert_problem(ann.http.delete(f"{PATH}/{uuid.uuid4()}"), 404, "unknown_user")
    assert_problem(ann.http.delete(f"{PATH}/no-id"), 400)
    assert_problem(ann.http.delete(f"{PATH}/{ann.id}"), 422, "self_dismissal")


def test_dismissals_survive_a_kill_and_go_with_an_erased_user():
    with Server() as server:
        ann, bob = make_person(server, "ann"), make_person(server, "bob")
        ann.http.delete(f"{PATH}/{bob.id}").expect(204)
        server.kill()
        server.start()
        ann.http = server.client(ann.id)
        assert bob.id not in suggested(ann)
        assert rows(server) == 1
        with server.client(bob.id) as client:
            client.delete(f"/api/v1/users/{bob.id}").expect(204)
        wait_until(lambda: rows(server) == 0, "the removal of what names the erased user")


def rows(server: Server) -> int:
    with sqlite3.connect(f"file:{server.data}/graph.db?mode=ro", uri=True) as graph:
        return graph.execute("SELECT count(*) FROM dismissals").fetchone()[0]
