"""The life of serve: the lock, boot and readiness, signals, restarts, the admin listener, the demo."""

import http.client
import json
import os
import shlex
import signal
import stat
import subprocess
import threading
import time

import pytest

from harness import Client, Server, assert_problem, binary, novafeed, post_id, user_id, wait_until
from program.conftest import ACTIONS, DAY, HOUR, NOON, rank, write_ndjson

FAILED = 1


def metrics(admin: Client) -> list[str]:
    return admin.get("/metrics").expect(200).body.decode().splitlines()


def metric(admin: Client, name: str) -> float:
    return next(float(line.rsplit(" ", 1)[1]) for line in metrics(admin) if line.startswith(name + " "))


def follow_feed(server: Server) -> list[str]:
    with server.client(user_id("ann")) as client:
        answer = client.get("/api/v1/feed", limit=100).expect(200).json()
    return [item["post"]["id"] for item in answer["items"]]


def test_a_second_process_is_refused_and_told_who_serves(imported):
    with Server(imported, test_clock=NOON) as server:
        for command in (["serve", "--listen", "127.0.0.1:0"], ["import", "-"]):
            done = novafeed(*command, "--data", imported, check=False, text_in="")
            assert done.returncode == FAILED
            assert f"process {server.pid}" in done.stderr and server.url in done.stderr
            assert (f"--url {server.url}" in done.stderr) == (command[0] == "import")


def test_files_are_for_their_owner_only(imported):
    with Server(imported, test_clock=NOON):
        for name in ("keys.json", "serve.json", "lock"):
            assert stat.S_IMODE((imported / name).stat().st_mode) == 0o600, name
        assert stat.S_IMODE(imported.stat().st_mode) == 0o700


def test_ready_stands_on_a_line_of_its_own_before_a_command_that_makes_a_token(imported):
    with Server(imported, test_clock=NOON) as server:
        assert f"ready {server.url}" in server.stdout
        wait_until(lambda: any(" token --data " in line for line in server.stdout), "the line about tokens")
        line = next(line for line in server.stdout if " token --data " in line)
        program, *arguments = line.partition("/: ")[2].split(" [")[0].split()
        assert program == binary() and arguments == ["token", "--data", str(imported), "--user", "ID"]


def test_sigterm_ends_well_and_leaves_a_snapshot(imported):
    with Server(imported, test_clock=NOON) as server:
        before = follow_feed(server)
        assert len(before) == 80
        assert server.stop() == 0
        assert (imported / "index.snapshot").exists()
        assert not (imported / "serve.json").exists()
        server.start()
        assert '"source":"snapshot"' in server.log()
        assert follow_feed(server) == before


def test_sigint_ends_as_well(imported):
    with Server(imported, test_clock=NOON) as server:
        os.kill(server.pid, signal.SIGINT)
        wait_until(lambda: not server.running, "the end of serve")
        assert server.stop() == 0


def test_a_killed_server_leaves_the_directory_usable(imported):
    with Server(imported, test_clock=NOON) as server:
        before = follow_feed(server)
        server.kill()
        assert len(rank(imported, "--as-of", NOON)["items"]) == 80
        server.start()
        assert follow_feed(server) == before


@pytest.mark.parametrize("damage", [b"", b"not a snapshot", None])
def test_a_damaged_snapshot_is_replaced_from_the_tables(imported, damage):
    snapshot = imported / "index.snapshot"
    with Server(imported, test_clock=NOON) as server:
        before = follow_feed(server)
        server.stop()
        content = snapshot.read_bytes()
        snapshot.write_bytes(content[: len(content) // 2] if damage is None else damage)
        server.start()
        wait_until(lambda: '"event":"index_booted","source":"tables"' in server.log(), "the log says what it boots from")
        with server.admin() as admin:
            boots = [line for line in metrics(admin) if line.startswith("novafeed_index_boots_total")]
        assert len(boots) == 1 and 'source="tables"' in boots[0] and "_snapshot" in boots[0], boots
        assert follow_feed(server) == before


def test_stopping_while_the_demo_is_made_ends_well_and_the_next_start_completes_it(directory):
    data = directory / "data"
    process = subprocess.Popen(
        [binary(), "serve", "--demo", "--listen", "127.0.0.1:0", "--data", str(data), "--set", "warehouse.engine=off"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        wait_until((data / "serve.json").exists, "serve.json")
        process.terminate()
        _, log = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, log
    with Server(data, flags=("--demo",)) as server, server.admin() as admin:
        index = admin.get("/admin/status").expect(200).json()["index"]
        assert (index["users"], index["posts"]) == (200, 2500)


def test_stopping_while_rankings_are_built_ends_well():
    """What outlasts the grace must not run on what is gone: rankings of old instants build an index each."""
    asked = 12
    with Server(flags=("--demo",), settings={"serve.drain_grace": "0s"}) as server:

        def ask(days: int) -> None:
            try:
                with server.admin() as admin:
                    admin.get("/admin/rank", user=user_id("ann"), as_of=server.now() - days * DAY)
            except (OSError, http.client.HTTPException):
                pass  # cut, as it should be

        for _ in range(3):
            threads = [threading.Thread(target=ask, args=(days,)) for days in range(2, 2 + asked)]
            for thread in threads:
                thread.start()
            with server.admin() as admin:
                wait_until(lambda: metric(admin, 'novafeed_http_connections{listener="admin"}') > asked / 2, "rankings")
            server.restart()  # checks the exit status
            for thread in threads:
                thread.join()


# --- rank beside a running server ---


def test_rank_beside_a_server_equals_rank_on_the_stopped_directory(imported):
    flags = ("--as-of", NOON, "--trending-as-of", NOON - HOUR // 2)
    stopped = rank(imported, *flags)
    with Server(imported, test_clock=NOON):
        assert rank(imported, *flags) == stopped


def test_rank_beside_a_server_reaches_instants_outside_its_windows(imported):
    instants = [NOON - 9 * DAY, NOON - 5 * DAY, NOON + 3 * DAY]
    stopped = [rank(imported, "--as-of", instant) for instant in instants]
    with Server(imported, test_clock=NOON):
        assert [rank(imported, "--as-of", instant) for instant in instants] == stopped


def test_an_old_instant_is_ranked_over_the_state_of_now(imported):
    instant = NOON - 5 * DAY
    with Server(imported, test_clock=NOON) as server:
        before = [item["post_id"] for item in rank(imported, "--as-of", instant)["items"]]
        assert post_id("post-8") in before
        with server.client(scope="service") as platform:
            platform.delete(f"/api/v1/posts/{post_id('post-8')}").expect(204)
        after = [item["post_id"] for item in rank(imported, "--as-of", instant)["items"]]
        assert post_id("post-8") not in after and len(after) == len(before) - 1


# --- The admin listener ---


@pytest.fixture(name="server", scope="module")
def make_server():
    with Server(test_clock=NOON) as server:
        yield server


ADMIN_ROUTES = [
    ("GET", "/metrics"),
    ("GET", "/admin/status"),
    ("GET", f"/admin/rank?user={user_id('ann')}"),
    ("POST", "/admin/snapshot"),
    ("POST", "/admin/import"),
    ("POST", "/admin/clock"),
]


@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
def test_admin_routes_need_an_admin_token(server, method, path):
    with Client(server.admin_url) as stranger:
        assert_problem(stranger.request(method, path, body={}), 401, "no_token")
    with Client(server.admin_url, lambda: server.token(scope="service")) as service:
        assert_problem(service.request(method, path, body={}), 403)


@pytest.mark.parametrize(("method", "path"), [route for route in ADMIN_ROUTES if route[1] != "/admin/import"])
def test_admin_routes_are_not_on_the_public_listener(server, method, path):
    with server.client(scope="admin") as client:
        assert client.request(method, path, body={}).status == 404


def test_imports_are_on_the_public_listener_for_admins(server):
    with server.anonymous() as stranger:
        assert_problem(stranger.post("/admin/import", {}), 401, "no_token")
    with server.client(scope="service") as service:
        assert_problem(service.post("/admin/import", {}), 403, "scope_required")
        assert_problem(service.request("POST", "/admin/import", raw=b" " * (2 << 20)), 413, "body_too_large")
    with server.client(scope="admin") as admin:
        assert_problem(admin.request("POST", "/admin/import", raw=b" " * (2 << 20)), 422, "bad_import_request")
        assert_problem(admin.request("POST", "/admin/import", raw=b" " * (17 << 20)), 413, "body_too_large")
        assert_problem(admin.request("POST", "/events", raw=b" " * (2 << 20)), 413, "body_too_large")


def test_an_erased_admin_has_no_way_in(server):
    with server.client(scope="service") as platform:
        platform.post("/api/v1/users", {"id": "ext:root", "handle": "root", "name": "Root"}).expect(201)
    with Client(server.admin_url, lambda: server.token(user_id("root"), "admin")) as admin:
        admin.get("/admin/status").expect(200)
        with server.client(user_id("root")) as client:
            client.delete("/api/v1/users/ext:root").expect(204)
        for path in ("/admin/status", "/metrics", f"/admin/rank?user={user_id('ann')}"):
            assert_problem(admin.get(path), 401, "user_erased")


def test_metrics_can_be_opened():
    with Server(settings={"serve.metrics_token": "false"}) as server, Client(server.admin_url) as stranger:
        answer = stranger.get("/metrics").expect(200)
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert b"novafeed_http_requests_total" in answer.body
        assert_problem(stranger.get("/admin/status"), 401)


def test_status_says_how_far_the_index_is(server):
    with server.client(scope="service") as platform, server.admin() as admin:
        platform.post("/api/v1/users", {"handle": "status", "name": "Status"}).expect(201)
        status = admin.get("/admin/status").expect(200).json()
        assert status["ready"] is True and status["now"] == server.now()
        assert status["applied"] == status["log_end"] and status["log_end"]["changes"] >= 1


def test_a_snapshot_can_be_asked_for(server):
    with server.admin() as admin:
        saved = admin.post("/admin/snapshot", {}).expect(200).json()["saved"]
        assert saved == admin.get("/admin/status").json()["applied"]
        assert (server.data / "index.snapshot").exists()


def test_the_clock_moves_forward_only():
    with Server(test_clock=NOON) as server, server.admin() as admin:
        server.set_clock(NOON + HOUR)
        assert json.loads((server.data / "serve.json").read_text())["test_clock"] == NOON + HOUR
        assert_problem(admin.post("/admin/clock", {"now": NOON}), 422, "bad_time")
        assert_problem(admin.post("/admin/clock", {"then": NOON}), 422)
        with server.client(user_id("ann")) as client:
            answer = client.get("/api/v1/feed").expect(200).json()
        assert (answer["as_of"], answer["trending_as_of"]) == (NOON + HOUR, NOON + HOUR)


def test_a_server_by_the_real_clock_refuses_to_move_it():
    with Server() as server, server.admin() as admin:
        assert_problem(admin.post("/admin/clock", {"now": NOON}), 409, "no_test_clock")


@pytest.mark.parametrize(
    "query", [{}, {"user": "nobody"}, {"user": user_id("ann"), "as_of": "x"}, {"user": user_id("ann"), "as_of": -1}]
)
def test_rank_route_refuses_bad_parameters(server, query):
    with server.admin() as admin:
        assert_problem(admin.get("/admin/rank", **query), 400)


@pytest.mark.parametrize("listener", ["url", "admin_url"])
def test_import_into_a_running_server_shows_at_once(directory, listener):
    # Long texts, so that chunks are larger than what others may send.
    texts = [{**action, "text": "long " * 400} if action["type"] == "post" else action for action in ACTIONS]
    old = [{**texts[3], "id": f"old-{n}", "at": NOON - 40 * DAY} for n in range(1000)]
    file = write_ndjson(directory / "actions.ndjson", [*old, *texts])
    with Server(directory / "data", test_clock=NOON) as server:
        url = getattr(server, listener)
        flags = ("--url", url, "--token", server.token(scope="admin"))
        novafeed("import", file, *flags)
        wait_until(lambda: len(follow_feed(server)) == 80, "the imported posts in the feed")
        ranking = rank(server.data, "--as-of", NOON)
        novafeed("import", file, *flags)
        assert rank(server.data, "--as-of", NOON)["items"] == ranking["items"]
        refused = novafeed("import", file, "--url", url, "--token", server.token(), check=False)
        assert refused.returncode == FAILED and "admin" in refused.stderr


# --- The demo ---


@pytest.fixture(name="demo", scope="module")
def make_demo():
    with Server(flags=("--demo",)) as server:
        yield server


def test_the_demo_lists_users_by_their_handles(demo):
    with demo.anonymous() as client:
        users = client.get("/demo/users", limit=100).expect(200).json()["users"]
        assert len(users) == 100
        assert [user["handle"] for user in users] == sorted(user["handle"] for user in users)
        prefix = users[50]["handle"][:3]
        found = client.get("/demo/users", prefix=prefix).expect(200).json()["users"]
        assert users[50] in found

        def begins(user, text):
            return any(word.lower().startswith(text.lower()) for word in (user["handle"], *user["name"].split()))

        for text in (prefix, prefix.upper(), *users[50]["name"].split(), users[50]["name"].split()[-1].lower()):
            found = client.get("/demo/users", prefix=text, limit=100).expect(200).json()["users"]
            assert users[50]["handle"] in [user["handle"] for user in found], text
            assert all(begins(user, text) for user in found), text
        assert client.get("/demo/users", prefix="\u00df").expect(200).json()["users"] == []
        assert any(user["followers"] > 0 for user in users)


def test_a_demo_token_acts_for_its_user_and_no_more(demo):
    with demo.anonymous() as client:
        user = client.get("/demo/users", limit=1).json()["users"][0]
        answer = client.post("/demo/token", {"user_id": user["id"]}).expect(200).json()
        assert answer["expires_at"] > time.time_ns() // 1_000_000
        assert_problem(client.post("/demo/token", {"user_id": user_id("nobody")}), 404, "unknown_user")
        assert_problem(client.post("/demo/token", {"user": user["id"]}), 422)
        bearer = {"Authorization": f"Bearer {answer['token']}"}
        feed = client.request("GET", "/api/v1/feed", headers=bearer).expect(200).json()
        assert feed["items"]
        assert client.request("POST", "/api/v1/users", headers=bearer, body={"handle": "x", "name": "X"}).status == 403


def test_the_demo_shows_a_token_and_how_to_use_it(demo):
    wait_until(lambda: any(line.startswith("curl ") for line in demo.stdout), "the curl line")
    command = next(line for line in demo.stdout if line.startswith("curl "))
    header, url = shlex.split(command)[2:4]
    assert url.startswith(demo.url)
    name, value = header.split(": ")
    with demo.anonymous() as client:
        answer = client.request("GET", url.removeprefix(demo.url), headers={name: value}).expect(200)
    assert answer.json()["items"]


def test_without_demo_its_routes_are_unknown(server):
    with server.anonymous() as client:
        assert_problem(client.get("/demo/users"), 404)
        assert_problem(client.post("/demo/token", {"user_id": user_id("ann")}), 404)


def test_the_demo_is_made_once(demo):
    def sizes():
        with demo.admin() as admin:
            return admin.get("/admin/status").json()["log_end"]

    before = sizes()
    demo.restart()
    assert sizes() == before


def test_a_demo_is_refused_on_data_that_no_demo_made(imported):
    done = novafeed("serve", "--demo", "--listen", "127.0.0.1:0", "--data", imported, check=False)
    assert done.returncode == FAILED and "--demo" in done.stderr
