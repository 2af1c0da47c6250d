"""Tokens, scopes and rate limits (contract, section 5)."""

import base64
import hashlib
import hmac
import json
import re
import time
import uuid

import pytest

from harness.client import assert_problem
from harness.server import Server

FEED = "/api/v1/feed"


def with_token(server, token):
    return server.anonymous().request("GET", FEED, headers={"Authorization": f"Bearer {token}"})


def unsigned(header, claims, secret=b""):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    signed = part(header) + b"." + part(claims)
    mac = base64.urlsafe_b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).rstrip(b"=")
    return (signed + b"." + mac).decode()


def test_without_a_token_it_is_401_and_says_how(server):
    response = server.anonymous().get(FEED)
    assert_problem(response, 401, "no_token")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_from_the_command_line_is_good(server):
    user = str(uuid.uuid4())
    assert with_token(server, server.token_from_command(user)).status == 200
    assert with_token(server, server.token_from_command(user, "service")).status == 400  # names nobody


def test_forged_tokens_are_401(server):
    good = server.token(str(uuid.uuid4()))
    head, claims, signature = good.split(".")
    for forged in ("", "x", "a.b.c", good[:-2], f"{head}.{claims}.", f"{head}.{claims}.{signature[::-1]}"):
        assert_problem(with_token(server, forged), 401)


def test_no_algorithm_but_hs256_is_taken(server):
    claims = {"sub": str(uuid.uuid4()), "exp": int(time.time()) + 600}
    for algorithm in ("none", "HS512", "RS256", "hs256"):
        assert_problem(with_token(server, unsigned({"alg": algorithm, "typ": "JWT"}, claims)), 401)


def test_expired_tokens_and_those_without_end_are_401(server):
    now = server.now() // 1000
    assert_problem(with_token(server, server.token(exp=now - 61)), 401, "token_expired")
    assert with_token(server, server.token(str(uuid.uuid4()), exp=now - 30)).status == 200, "within the leeway"
    assert_problem(with_token(server, server.token(exp=now + 31 * 86_400)), 401)
    assert_problem(with_token(server, server.token(exp=None)), 401)


def test_a_service_names_its_person_where_one_is_needed(server):
    service = server.client(scope="service")
    assert_problem(service.get(FEED), 400, "user_required")
    assert_problem(service.post("/api/v1/posts", {"text": "x"}), 400, "user_required")
    assert server.client(scope="service", acting_for=str(uuid.uuid4())).get(FEED).status == 200


def test_a_user_token_speaks_for_its_subject_only(server):
    user = str(uuid.uuid4())
    client = server.client(user)
    headers = {"Novafeed-User": user}
    assert client.request("GET", FEED, headers=headers).status == 200
    assert_problem(client.request("GET", FEED, headers={"Novafeed-User": str(uuid.uuid4())}), 403, "other_user")


def test_users_choose_no_ids_and_create_no_users(person):
    ada = person()
    chosen = {"id": str(uuid.uuid4()), "text": "x"}
    assert_problem(ada.http.post("/api/v1/posts", chosen), 403, "id_not_allowed")
    assert_problem(ada.http.post(f"/api/v1/posts/{ada.post()['id']}/comments", chosen), 403, "id_not_allowed")
    assert_problem(ada.http.post("/api/v1/users", {"handle": "x", "name": ""}), 403, "scope_required")


def test_the_admin_listener_takes_admins_only(server):
    for scope in ("user", "service"):
        token = server.token(scope=scope)
        response = server.admin().request("GET", "/admin/status", headers={"Authorization": f"Bearer {token}"})
        assert_problem(response, 403)
    assert server.admin().get("/admin/status").status == 200


def test_admin_routes_are_not_on_the_public_listener(server):
    assert_problem(server.client(scope="admin").get("/admin/status"), 404)


def test_metrics_are_served_in_prometheus_text(server):
    text = server.admin().get("/metrics").expect(200).body.decode()
    assert "# TYPE novafeed_index_applied_total counter" in text


def test_what_is_open_is_open(server):
    for path in ("/", "/docs", "/openapi.json", "/healthz", "/readyz"):
        assert server.anonymous().get(path).status == 200


def test_the_pages_have_a_content_security_policy(server):
    for path in ("/", "/docs"):
        policy = server.anonymous().get(path).headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy


def test_no_cors_unless_configured(server):
    response = server.anonymous().request("GET", "/healthz", headers={"Origin": "https://example.org"})
    assert response.headers["Access-Control-Allow-Origin"] is None


def test_a_caller_over_the_limit_is_told_when_to_come_back():
    settings = {"rate.user_per_second": 1, "rate.user_burst": 3}
    with Server(settings=settings) as server:
        client, other = server.client(str(uuid.uuid4())), server.client(str(uuid.uuid4()))
        answers = [client.get(FEED) for _ in range(5)]
        assert [answer.status for answer in answers[:3]] == [200] * 3
        assert_problem(answers[4], 429, "rate_limited")
        assert int(answers[4].headers["Retry-After"]) >= 1
        assert other.get(FEED).status == 200, "limits hold per caller"


def test_asking_for_likes_counts_as_any_other_request():
    likes = f"/api/v1/likes?posts={uuid.uuid4()}"
    with Server(settings={"rate.user_per_second": 0.001, "rate.user_burst": 3}) as server:
        client = server.client(str(uuid.uuid4()))
        answers = [client.get(path) for path in (FEED, likes, likes, likes)]
        assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
        assert_problem(answers[3], 429, "rate_limited")


def test_every_answer_says_how_much_of_the_limit_is_left():
    settings = {"rate.user_per_second": 0.001, "rate.user_burst": 3, "rate.stranger_per_second": 0.001}
    with Server(settings=settings) as server:
        client, other, stranger = server.client(str(uuid.uuid4())), server.client(str(uuid.uuid4())), server.anonymous()
        answers = [client.get(FEED) for _ in range(4)]
        assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"user";q=3;w=3000'}
        told = [re.fullmatch(r'"user";r=(\d);t=(\d+)', answer.headers["RateLimit"]).groups() for answer in answers]
        assert told == [("2", "1000"), ("1", "2000"), ("0", "3000"), ("0", "3000")]
        assert answers[3].status == 429 and 0 < int(answers[3].headers["Retry-After"]) <= 1000
        assert other.get(FEED).headers["RateLimit"] == '"user";r=2;t=1000'
        assert stranger.get(FEED).headers["RateLimit-Policy"] == '"stranger";q=50;w=50000'
        assert server.client(scope="service").get(FEED).headers["RateLimit"] is None, "no limit, nothing to say"


def test_keys_are_made_at_the_first_start_for_the_owner_only(server):
    mode = (server.data / "keys.json").stat().st_mode
    assert mode & 0o777 == 0o600


@pytest.mark.parametrize("scope", ["root", ""])
def test_an_unknown_scope_is_401(server, scope):
    assert_problem(with_token(server, server.token(scope=scope)), 401)
