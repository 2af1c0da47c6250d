"""`novafeed sql` on a stopped directory answers from all of the log; it says so where there is no warehouse to ask."""

from __future__ import annotations

from harness import Server, novafeed, scratch_directory

FAILED = 1
HANDLES = "SELECT arrayStringConcat(arraySort(groupArray(handle)), ',') AS handles FROM novafeed.users_cdc FINAL"
LIKED = "SELECT sum(likes) AS likes FROM novafeed.post_counters FINAL"


def sql(server: Server, statement: str, *flags: str) -> str:
    return novafeed("sql", statement, "--data", server.data, *flags).stdout


def add_user(server: Server, handle: str) -> str:
    with server.client(scope="service") as client:
        return client.post("/api/v1/users", {"handle": handle, "name": handle}).expect(201).json()["id"]


def post_and_like(server: Server, user: str) -> None:
    with server.client(user) as client:
        post = client.post("/api/v1/posts", {"text": "a post"}).expect(201).json()["id"]
        client.put(f"/api/v1/posts/{post}/like").expect(204)


def test_a_stopped_directory_is_brought_up_to_the_logs_end_first():
    with Server() as server:  # it has no warehouse: whatever there is, `sql` has made
        post_and_like(server, add_user(server, "ada"))
        server.stop()
        assert sql(server, HANDLES) == "handles\nada\n"
        assert sql(server, LIKED) == "likes\n1\n"

        server.start()  # as nothing holds the directory any more
        post_and_like(server, add_user(server, "bob"))
        server.kill()
        assert sql(server, HANDLES) == "handles\nada,bob\n"
        assert sql(server, LIKED) == "likes\n2\n"


def failure(server: Server, *flags: str) -> str:
    done = novafeed("sql", "SELECT 1", "--data", server.data, *flags, check=False)
    assert (done.returncode, done.stdout) == (FAILED, "")
    return done.stderr


def test_where_there_is_no_warehouse_it_says_why():
    with scratch_directory() as directory, Server(f"{directory}/data") as server:
        assert f"{server.url} runs without a warehouse" in failure(server)
        server.stop()
        assert "warehouse.engine" in failure(server, "--set", "warehouse.engine=off")
        assert "/nowhere/x.so" in failure(server, "--set", "olap.library=/nowhere/x.so")
        assert "engine does not start" in failure(server, "--set", "olap.program=/bin/false")
        assert not (server.data / "olap").exists()
