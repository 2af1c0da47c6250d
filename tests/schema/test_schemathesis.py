"""schemathesis makes up requests from the OpenAPI document: no answer may be 5xx, none may be undocumented."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from harness import DOCUMENT, PACKAGES, Server

LEVEL = os.environ.get("NOVAFEED_TEST_LEVEL", "full")
# For each scope: how many requests there must be, how many of each operation, and the ways that they are made up.
AMOUNT = {"full": (250, 8, "examples,fuzzing"), "long": (2500, 40, "examples,coverage,fuzzing,stateful")}
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ignored_auth",
)
USERS = 20
POSTS = 200
RUN_SECONDS = 1200


@pytest.fixture(name="server", scope="module")
def make_server():
    # A demo: else the document has routes that are not there.
    with Server(flags=("--demo",), settings={"rate.service_per_second": 0, "rate.stranger_per_second": 0}) as server:
        yield server


def populate(server: Server, scope: str) -> tuple[str, dict[str, list]]:
    """People with posts and comments; one of them to be, and what hooks.py gives to schemathesis."""
    platform = server.client(scope="service")
    people = [
        platform.post("/api/v1/users", {"handle": f"{scope}-{n}", "name": "A name"}).expect(201).json()["id"]
        for n in range(USERS)
    ]
    posts, comments, positions = [], [], []
    for number in range(POSTS):
        with server.client(scope="service", acting_for=people[number % USERS]) as author:
            post = author.post("/api/v1/posts", {"text": f"Post {number}"}).expect(201).json()["id"]
            comment = author.post(f"/api/v1/posts/{post}/comments", {"text": "A comment"}).expect(201)
            posts.append(post)
            comments.append(comment.json()["id"])
            positions.append(comment.position)
    return people[0], {
        "user_id": people[1:],  # else it would erase itself
        "Novafeed-User": people[1:] if scope == "service" else [],
        "post_id": posts,
        "comment_id": comments,
        "min_position": positions,
        "Novafeed-Position": positions,
        "at": [server.now()],
        "as_of": [server.now()],
        "trending_as_of": [server.now()],
        "cursor": [],
        "engine": ["index"],
    }


def requests_served(server: Server) -> int:
    with server.admin() as admin:
        lines = admin.get("/metrics").expect(200).text.splitlines()
    counted = (line for line in lines if line.startswith('novafeed_http_requests_total{listener="public"'))
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in counted)


@pytest.mark.skipif(LEVEL not in AMOUNT, reason="not with --fast: run ./test schema")
@pytest.mark.parametrize("scope", ["user", "service"])
def test_no_answer_is_5xx_or_undocumented(server, scope, tmp_path):
    wanted, examples, phases = AMOUNT[LEVEL]
    caller, known = populate(server, scope)
    known_file = tmp_path / "known.json"
    known_file.write_text(json.dumps(known), encoding="utf-8")
    seed = os.environ.get("NOVAFEED_SEED") or str(random.SystemRandom().randrange(1 << 30))
    print(f"NOVAFEED_SEED={seed}")

    before = requests_served(server)
    run = subprocess.run(
        [
            PACKAGES / "bin" / "schemathesis",
            *("run", DOCUMENT, "--url", server.url, "--seed", seed, "--max-examples", str(examples)),
            *("--phases", phases, "--checks", ",".join(CHECKS), "--continue-on-failure", "--no-color"),
            *("--header", f"Authorization: Bearer {server.token(caller, scope)}"),
            *("--generation-database", "none", "--warnings", "off", "--output-sanitize", "false"),
        ],
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "hooks",
            "PYTHONPATH": str(Path(__file__).parent),
            "NOVAFEED_KNOWN": str(known_file),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=RUN_SECONDS,
        check=False,
    )
    print(run.stdout[-20_000:], run.stderr[-5_000:])
    assert run.returncode == 0, "schemathesis has found something"
    made = requests_served(server) - before
    print(f"{made} requests")
    assert made >= wanted
