"""The harness itself: tokens as the binary makes them, ids as Python's uuid does, a server that comes and goes."""

import json
import os
import time
import uuid

import pytest

from harness import Keys, Server, assert_problem, ids, novafeed, sign_token, tokens, wait_until

NOON = 1_700_049_600_000  # 2023-11-15T12:00:00Z


def claims_of(token):
    return json.loads(tokens.from_base64url(token.split(".")[1]))


def test_ids_are_those_of_the_contract():
    assert str(ids.NAMESPACE) == "c1c8ce8d-f735-5bd1-a9d4-0685a57e4b43"
    assert ids.user_id("42") == str(uuid.uuid5(ids.NAMESPACE, "user:42"))
    assert ids.ext("a/b c") == "ext:a%2Fb%20c"


def test_base64url_survives_a_round_trip():
    for size in range(40):
        data = os.urandom(size)
        assert tokens.from_base64url(tokens.to_base64url(data)) == data


def test_claims_can_be_replaced_and_removed():
    token = sign_token(Keys("k", b"s" * 32), "u", "user", NOON, iat=None, exp=7, nbf=3)
    assert claims_of(token) == {"sub": "u", "scope": "user", "exp": 7, "nbf": 3}


def test_waiting_ends_with_what_was_waited_for():
    with pytest.raises(AssertionError, match="rain"):
        wait_until(lambda: False, "rain", seconds=0)
    assert wait_until(lambda: 7, "seven") == 7


@pytest.fixture(name="server", scope="module")
def make_server():
    with Server(test_clock=NOON) as server:
        yield server


def test_a_server_is_ready_and_named(server):
    assert server.running
    with server.anonymous() as client:
        client.get("/healthz").expect(200)
        client.get("/readyz").expect(200)
        assert_problem(client.get("/api/v1/feed"), 401)


def test_a_token_made_by_hand_and_one_by_the_command_say_the_same(server):
    user = ids.user_id("ann")
    made, printed = claims_of(server.token(user)), claims_of(server.token_from_command(user))
    assert (printed["sub"], printed["scope"]) == (made["sub"], made["scope"])
    with server.client(user) as client:
        client.get("/api/v1/feed").expect(200)


def test_the_held_clock_stands_and_moves(server):
    with server.client() as client:
        assert client.get("/api/v1/feed").expect(200).json()["as_of"] == NOON
        server.set_clock(NOON + 5_000)
        assert client.get("/api/v1/feed").expect(200).json()["as_of"] == NOON + 5_000


def test_a_server_restarts_on_the_same_data_and_clock(server):
    pid, now = server.pid, server.now()
    for kill in (False, True):
        server.restart(kill=kill)
        assert server.pid != pid
        with server.client() as client:
            assert client.get("/api/v1/feed").expect(200).json()["as_of"] == now


def test_a_start_that_fails_says_why(server):
    with pytest.raises(AssertionError, match="not ready"), Server(server.data):
        pass


def test_nothing_is_left_behind():
    with Server() as server:
        pid, data = server.pid, server.data
        assert abs(server.now() - time.time() * 1000) < 1000
    assert not data.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_command_that_fails_shows_its_output():
    with pytest.raises(AssertionError, match="ended with"):
        novafeed("no-such-command")
