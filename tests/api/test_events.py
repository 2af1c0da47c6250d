"""Behaviour events over HTTP (contract, sections 2 and 5)."""

import uuid

import pytest

from harness.client import assert_problem
from harness.server import Server

from .conftest import make_person


def event(post, kind="impression", at=None, **more):
    return {"event_id": str(uuid.uuid4()), "type": kind, "post_id": post["id"], "at": at, **more}


def send(client, *events):
    return client.post("/api/v1/events", {"events": list(events)}).expect(202).json()


def statuses(answer):
    return [result["status"] for result in answer["results"]]


@pytest.fixture
def post(person):
    return person("author").post()


def counts(server, post):
    read = server.client().get(f"/api/v1/posts/{post['id']}").expect(200).json()
    return {name: read[name] for name in ("likes", "comments", "shares", "impressions")}


def test_events_answer_on_both_paths(person, server, post):
    ada = person()
    for path in ("/events", "/api/v1/events"):
        body = {"events": [event(post, at=server.now())]}
        answer = ada.http.post(path, body).expect(202)
        assert answer.json() == {"accepted": 1, "duplicates": 0, "rejected": 0,
                                 "results": [{"event_id": body["events"][0]["event_id"], "status": "accepted"}]}
        assert answer.position
    assert counts(server, post)["impressions"] == 2


def test_shares_impressions_and_views_count_what_they_should(person, server, post):
    ada = person()
    send(ada.http, *(event(post, kind, server.now()) for kind in ("impression", "impression", "share", "view")))
    assert counts(server, post) == {"likes": 0, "comments": 0, "shares": 1, "impressions": 2}


def test_the_same_event_counts_once_also_within_a_batch(person, server, post):
    ada = person()
    one = event(post, "share", server.now())
    assert statuses(send(ada.http, one, one)) == ["accepted", "duplicate"]
    assert statuses(send(ada.http, one)) == ["duplicate"]
    assert counts(server, post)["shares"] == 1


def test_another_time_or_id_is_another_event(person, server, post):
    ada = person()
    now = server.now()
    one = event(post, "share", now)
    assert statuses(send(ada.http, one, {**one, "at": now - 1}, {**one, "event_id": str(uuid.uuid4())})) == ["accepted"] * 3
    assert counts(server, post)["shares"] == 3


def test_each_event_of_a_batch_is_judged_by_itself(person, server, post):
    ada, now = person(), server.now()
    answer = send(ada.http, event(post, at=now), event(post, "dance", now), event({"id": str(uuid.uuid4())}, at=now),
                  event({"id": "x"}, at=now), event(post, at="soon"), {"type": "view"}, event(post, at=now, color="red"))
    assert statuses(answer) == ["accepted"] + ["rejected"] * 5 + ["accepted"]
    codes = [result.get("code") for result in answer["results"]]
    assert codes[1] == "unknown_type" and codes[2] == "unknown_post" and codes[3] == "bad_id"
    assert (answer["accepted"], answer["rejected"]) == (2, 5)


def test_times_as_rfc_3339_are_truncated_to_milliseconds(person, server, post):
    import datetime

    now = server.now()
    text = datetime.datetime.fromtimestamp(now / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    one = event(post, "share", f"{text}.{now % 1000:03d}9Z")
    assert statuses(send(person().http, one)) == ["accepted"]


def test_times_reach_from_a_day_back_to_five_minutes_ahead():
    base = 1_700_000_000_000
    with Server(test_clock=base) as server:
        ada = make_person(server, "ada")
        post = make_person(server, "bob").post()
        day, ahead = 24 * 3_600_000, 5 * 60_000
        answer = send(ada.http, *(event(post, at=at) for at in (base - day, base - day - 1, base + ahead, base + ahead + 1)))
        assert statuses(answer) == ["accepted", "rejected", "accepted", "rejected"]
        assert answer["results"][1]["code"] == "time_out_of_range"


def test_the_same_batch_counts_nothing_twice_at_once_after_a_restart_and_a_day_later():
    base = 1_700_000_000_000
    with Server(test_clock=base) as server:
        ada = make_person(server, "ada")
        post = make_person(server, "bob").post()
        batch = [event(post, kind, base) for kind in ("impression", "share", "view", "like", "impression")]
        assert statuses(send(ada.http, *batch)) == ["accepted"] * 5
        expected = counts(server, post)
        assert statuses(send(ada.http, *batch)) == ["duplicate"] * 5
        server.restart(kill=True)
        ada.http = server.client(ada.id)
        assert statuses(send(ada.http, *batch)) == ["duplicate"] * 5
        server.set_clock(base + 23 * 3_600_000)
        assert statuses(send(ada.http, *batch)) == ["duplicate"] * 5
        server.set_clock(base + 25 * 3_600_000)
        assert statuses(send(ada.http, *batch)) == ["rejected"] * 5
        assert counts(server, post) == expected == {"likes": 1, "comments": 0, "shares": 1, "impressions": 2}


def test_a_like_event_is_a_like(person, server, post):
    ada = person()
    assert statuses(send(ada.http, event(post, "like", server.now()))) == ["accepted"]
    assert counts(server, post)["likes"] == 1
    ada.like(post).expect(204)
    assert counts(server, post)["likes"] == 1
    assert statuses(send(ada.http, event(post, "unlike", server.now()))) == ["accepted"]
    assert counts(server, post)["likes"] == 0


def test_a_like_event_sent_again_after_an_unlike_does_not_like_again(person, server, post):
    ada = person()
    like = event(post, "like", server.now())
    send(ada.http, like)
    ada.unlike(post).expect(204)
    assert statuses(send(ada.http, like)) == ["duplicate"]
    assert counts(server, post)["likes"] == 0


def test_an_event_that_changes_nothing_is_accepted(person, server, post):
    assert statuses(send(person().http, event(post, "unlike", server.now()))) == ["accepted"]


def test_events_on_a_deleted_post_are_accepted_but_likes_are_not(person, server):
    ada, bob = person(), person()
    post = bob.post()
    bob.http.delete(f"/api/v1/posts/{post['id']}").expect(204)
    answer = send(ada.http, event(post, "share", server.now()), event(post, "like", server.now()))
    assert statuses(answer) == ["accepted", "rejected"]


def test_a_users_event_names_nobody_else(person, server, post):
    ada, bob = person(), person()
    answer = send(ada.http, event(post, at=server.now(), user_id=bob.id))
    assert answer["results"][0] == {**answer["results"][0], "status": "rejected", "code": "user_not_allowed"}


def test_a_service_names_the_user_of_each_event(person, server, service, post):
    ada = person()
    answer = send(service, event(post, "share", server.now(), user_id=ada.id),
                  event(post, "share", server.now(), user_id=str(uuid.uuid4())))
    assert statuses(answer) == ["accepted", "rejected"]
    assert answer["results"][1]["code"] == "unknown_user"


@pytest.mark.parametrize("count", [0, 501])
def test_a_batch_has_one_to_five_hundred_events(person, server, post, count):
    body = {"events": [event(post, at=server.now()) for _ in range(count)]}
    assert_problem(person().http.post("/api/v1/events", body), 422, "bad_batch_size")


def test_five_hundred_events_are_taken_together(person, server, post):
    answer = send(person().http, *(event(post, "share", server.now()) for _ in range(500)))
    assert answer["accepted"] == 500
    assert counts(server, post)["shares"] == 500


@pytest.mark.parametrize("body", [[], {}, {"events": {}}, {"events": [1]}, "x"], ids=str)
def test_bodies_of_another_shape_are_refused(person, body):
    response = person().http.post("/api/v1/events", body)
    assert response.status in (202, 400, 422)
    if response.status == 202:
        assert statuses(response.json()) == ["rejected"]
