"""The cache before the warehouse's answers, in a real `serve`: kept, fresh, and made ready by the jobs."""

from __future__ import annotations

import pytest

from harness import WITH_WAREHOUSE, Server, await_filled, post_id, user_id, wait_until

FRESH_MS = 5000
POSTS = 30


@pytest.fixture(name="server", scope="module")
def serve():
    jobs = {"warmer.every": "1s", "suggestions.refresh_every": "1s"}
    with Server(settings={**WITH_WAREHOUSE, **jobs, "serve.engine": "warehouse"}) as server:
        with server.client(scope="service") as client:
            for name in ("ada", "bob", "carl", "dora", "eve"):
                client.post("/api/v1/users", {"id": f"ext:{name}", "handle": name, "name": name}).expect(201)
            for number in range(POSTS):
                write(server, "ada", "POST", "/api/v1/posts", {"id": f"ext:{number}", "text": f"post {number}"})
            for follower in ("bob", "carl", "dora"):
                follow(server, follower, "ada")
        yield server


def write(server, actor, method, path, body=None):
    with server.client(scope="service", acting_for=user_id(actor)) as client:
        return client.request(method, path, body=body).expect(201 if method == "POST" else 204).position


def follow(server, follower, followee):
    return write(server, follower, "PUT", f"/api/v1/users/{user_id(followee)}/follow")


def page_of(client, query=""):
    page = client.get(f"/api/v1/feed{query}").expect(200).json()
    assert page["engine"] == "warehouse"
    return page


def ids_of(page):
    return [item["post"]["id"] for item in page["items"]]


def metric(server, name):
    with server.admin() as admin:
        lines = admin.get("/metrics").expect(200).body.decode().splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(name + " ")), 0.0)


def await_runs(server, job, runs=2):
    """Until a run of the job has begun and ended."""
    name = f'novafeed_job_runs_total{{job="{job}"}}'
    seen = metric(server, name)
    wait_until(lambda: metric(server, name) >= seen + runs, f"the job {job} runs", 60)


def kept(client):
    """A page that the warehouse makes, once it holds the posts, is kept."""
    return wait_until(lambda: (page := page_of(client))["cached"] and page, "a page is kept", 60)


def test_a_kept_page_is_the_page_and_its_walk_ends_without_a_repeat(server):
    await_filled(server)
    with server.client(user_id("bob")) as bob:
        page = kept(bob)
        walked = ids_of(page)
        assert len(walked) == 20
        rest = page_of(bob, f"?cursor={page['next_cursor']}")
        walked += ids_of(rest)
        assert sorted(walked) == sorted(post_id(str(number)) for number in range(POSTS))
        assert rest["next_cursor"] is None


def test_a_like_moves_a_kept_page_in_time(server):
    await_filled(server)
    with server.client(user_id("carl")) as carl:
        last = ids_of(kept(carl))[-1]
        write(server, "eve", "PUT", f"/api/v1/posts/{last}/like")
        began = server.now()

        def moved():
            page = page_of(carl)
            assert not page["degraded"]
            assert server.now() - page["counters_as_of"] <= FRESH_MS
            return ids_of(page)[0] == last and page

        page = wait_until(moved, "the liked post is the first", 30)
        assert page["items"][0]["post"]["likes"] == 1
        assert server.now() - began <= FRESH_MS
        assert metric(server, "novafeed_cached_pages_rescored_total") > 0


def test_own_follows_and_others_deletes_count_at_once(server):
    await_filled(server)
    with server.client(user_id("dora")) as dora:
        gone = ids_of(kept(dora))[3]
        write(server, "ada", "DELETE", f"/api/v1/posts/{gone}")
        assert gone not in ids_of(page_of(dora))
        kept(dora)
        follow(server, "dora", "eve")
        assert not page_of(dora)["cached"]
        write(server, "dora", "DELETE", f"/api/v1/users/{user_id('ada')}/follow")
        await_filled(server)
        assert "follow" not in {item["source"] for item in page_of(dora)["items"]}


def test_an_erased_viewer_follows_nobody(server):
    with server.client(scope="service") as client:
        client.post("/api/v1/users", {"id": "ext:gone", "handle": "gone", "name": "gone"}).expect(201)
    follow(server, "gone", "ada")
    await_filled(server)
    with server.client(scope="service", acting_for=user_id("gone")) as gone:
        assert {item["source"] for item in kept(gone)["items"]} == {"follow"}
        with server.client(scope="admin") as admin:
            admin.request("DELETE", f"/api/v1/users/{user_id('gone')}").expect(204)

        def is_unknown():
            return "follow" not in {item["source"] for item in page_of(gone)["items"]}

        wait_until(is_unknown, "they are answered as one who follows nobody", FRESH_MS / 1000)


def test_the_jobs_make_ready_what_active_viewers_will_ask_for(server):
    with server.client(user_id("eve")) as eve:
        event = {"event_id": user_id("any"), "type": "view", "post_id": post_id("1"), "at": server.now()}
        eve.post("/api/v1/events", {"events": [event]}).expect(202)
        follow(server, "eve", "ada")
        await_filled(server)
        for job in ("warmer", "suggestions"):
            await_runs(server, job)
        page = page_of(eve)
        assert page["cached"] and page["items"]
        hits = 'novafeed_cache_hits_total{kind="suggestions"}'
        before = metric(server, hits)
        users = eve.get("/api/v1/discover/suggested-users").expect(200).json()["users"]
        assert users and metric(server, hits) == before + 1
        dismissed = users[0]["user"]["id"]
        eve.request("DELETE", f"/api/v1/discover/suggested-users/{dismissed}").expect(204)
        users = eve.get("/api/v1/discover/suggested-users").expect(200).json()["users"]
        assert dismissed not in {found["user"]["id"] for found in users}
