"""GET /api/v1/pipeline: who may see it, and that its figures are the server's. With a warehouse: tests/warehouse."""

from harness import Server
from harness.client import assert_problem

from .conftest import make_person

PATH = "/api/v1/pipeline"


def pipeline(server) -> dict:
    with server.client(scope="service") as platform:
        return platform.get(PATH).expect(200).json()


def test_it_is_for_platforms_and_in_a_demo_for_everybody(server, person):
    assert_problem(person().http.get(PATH), 403, "scope_required")
    assert_problem(server.anonymous().get(PATH), 401, "no_token")
    for scope in ("service", "admin"):
        server.client(scope=scope).get(PATH).expect(200)
    with Server(flags=("--demo",)) as demo:
        user = demo.anonymous().get("/demo/users", limit=1).json()["users"][0]
        demo.client(user["id"]).get(PATH).expect(200)
        assert_problem(demo.anonymous().get(PATH), 401, "no_token")


def test_it_shows_how_far_the_log_and_the_index_are():
    with Server() as server:
        before = pipeline(server)
        assert before["warehouse"] is None
        ada = make_person(server)
        post = ada.post()
        ada.http.post(
            "/api/v1/events",
            {"events": [{"event_id": "ext:e", "type": "impression", "post_id": post["id"], "at": server.now()}]},
        ).expect(202)
        after = pipeline(server)
        events = before["log"]["events"] + 1
        assert after["log"] == {"changes": before["log"]["changes"] + 2, "events": events, "event_points": [events]}
        assert after["index"]["applied"] == after["log"]
        assert after["index"]["lag_seconds"] < 5
        assert after["at"] >= before["at"] > 0


def test_it_counts_likes_and_unlikes_and_how_long_they_took(server, person):
    ada = person()
    post = ada.post()
    before = pipeline(server)["likes"]
    ada.like(post).expect(204)
    ada.like(post).expect(204)  # changes nothing
    ada.unlike(post).expect(204)
    after = pipeline(server)["likes"]
    assert after["count"] == before["count"] + 2
    assert 0 <= after["sum_seconds"] - before["sum_seconds"] < 10
    counts = [bucket["count"] for bucket in after["buckets"]]
    bounds = [bucket["at_most_seconds"] for bucket in after["buckets"]]
    assert counts == sorted(counts) and bounds == sorted(bounds) and counts[-1] <= after["count"]


def test_it_counts_what_the_cache_is_asked_and_what_the_jobs_do(server, person):
    def hot() -> dict:
        return next(use for use in pipeline(server)["cache"] if use["kind"] == "hot")

    person().http.get("/api/v1/trending?window=1h").expect(200)
    before = hot()
    person().http.get("/api/v1/trending?window=1h").expect(200)
    after = hot()
    assert after["hits"] + after["misses"] == before["hits"] + before["misses"] + 1
    jobs = {job["job"]: job for job in pipeline(server)["jobs"]}
    assert {"trending", "hot_posts", "snapshot"} <= set(jobs)
    assert jobs["trending"]["period_seconds"] == 0.5
    assert all(job["failures"] == 0 for job in jobs.values())
