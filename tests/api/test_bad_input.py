"""Bad input: a correct status, a problem+json with a code that says what to do, no crash (contract, section 5)."""

import gzip
import io
import json
import re
import socket
import uuid
from http.client import HTTPResponse
from urllib.parse import urlsplit

import pytest

from harness import Response, public_document
from harness.client import assert_problem
from harness.server import Server

REQUEST_LINE = re.compile(rb"([A-Z]+) (/\S*) HTTP/")


class Received:
    """What HTTPResponse needs of a socket."""

    def __init__(self, received):
        self.makefile = lambda _: io.BytesIO(received)


def judge(data, received):
    """Holds the first answer to the document; of a request that names no route, to what is said of those."""
    line = REQUEST_LINE.match(data)
    method, target = (part.decode() for part in line.groups()) if line else ("GET", "")
    answer = HTTPResponse(Received(received), method=method)
    answer.begin()
    public_document().check(method, target, Response(answer.status, answer.headers, answer.read()))


def raw(server, data, *, half_close=False):
    """Sends bytes as they are and reads until the server closes or pauses."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    if received:
        judge(data, received)
    return received


def status_of(received):
    return int(received.split()[1])


def problem_of(received):
    return json.loads(received.split(b"\r\n\r\n", 1)[1])


def authorized(server, request):
    return request.replace(b"\r\n", b"\r\nAuthorization: Bearer " + server.token(str(uuid.uuid4())).encode() + b"\r\n", 1)


def test_unknown_fields_are_refused_on_writes_and_ignored_on_events(person, server):
    ada = person()
    problem = assert_problem(ada.http.post("/api/v1/posts", {"text": "x", "mood": "good"}), 422, "unknown_field")
    assert "mood" in problem["detail"]
    event = {"event_id": str(uuid.uuid4()), "type": "view", "post_id": ada.post()["id"], "at": server.now(), "mood": 1}
    assert ada.http.post("/api/v1/events", {"events": [event], "sdk": "7"}).expect(202).json()["accepted"] == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[1,]", b'{"text":"x"} x', b'{"text":"\xff"}', b"\x00"], ids=repr)
def test_malformed_json_is_400(person, body):
    assert_problem(person().http.request("POST", "/api/v1/posts", raw=body), 400)


def test_deep_nesting_is_refused(person):
    deep = b'{"text":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert_problem(person().http.request("POST", "/api/v1/posts", raw=deep), 400, "malformed_json")


def test_a_body_that_is_not_json_is_415(person):
    response = person().http.request("POST", "/api/v1/posts", raw=b"text=x",
                                     headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert_problem(response, 415)


@pytest.mark.parametrize("path", ["users/x", "users/ext:", "posts/123", "users/" + "0" * 36, "posts/%zz/like",
                                  "users/ext:" + "x" * 129])
def test_bad_ids_in_paths_are_400(person, path):
    assert_problem(person().http.get(f"/api/v1/{path}"), 400) if "like" not in path else assert_problem(
        person().http.put(f"/api/v1/{path}"), 400)


def test_the_character_zero_is_refused_with_what_to_do(person, service):
    """PostgreSQL cannot keep it, so no store takes it in."""
    ada = person()
    post = ada.post()
    for answer, code in (
        (ada.http.post("/api/v1/posts", {"text": "a\0b"}), "bad_text"),
        (ada.http.patch(f"/api/v1/posts/{post['id']}", {"text": "\0"}), "bad_text"),
        (ada.http.post(f"/api/v1/posts/{post['id']}/comments", {"text": "a\0b"}), "bad_text"),
        (service.post("/api/v1/users", {"handle": "a\0b", "name": ""}), "bad_handle"),
        (service.post("/api/v1/users", {"handle": "zero", "name": "a\0b"}), "bad_name"),
        (service.post("/api/v1/users", {"handle": "zero", "name": "", "id": "ext:a\0b"}), "bad_id"),
    ):
        assert "U+0000" in assert_problem(answer, 422, code)["detail"]
    assert "U+0000" in assert_problem(ada.http.get("/api/v1/users/ext:a%00b"), 400, "bad_id")["detail"]


def test_wrong_methods_are_405_with_those_that_are_right(person):
    response = person().http.request("PUT", "/api/v1/feed")
    assert_problem(response, 405)
    assert "GET" in response.headers["Allow"]
    assert_problem(person().http.request("BREW", "/api/v1/feed"), 405)


def test_unknown_paths_are_404(person):
    assert_problem(person().http.get("/api/v1/nothing"), 404)


def test_a_body_over_the_limit_is_413(person):
    assert_problem(person().http.post("/api/v1/posts", {"text": "x" * 2_000_000}), 413, "body_too_large")


def test_a_packed_body_is_unpacked(person, server):
    ada = person()
    headers = {"Content-Encoding": "gzip"}
    packed = gzip.compress(json.dumps({"text": "packed"}).encode())
    assert ada.http.request("POST", "/api/v1/posts", raw=packed, headers=headers).expect(201).json()["text"] == "packed"


def test_a_packed_bomb_is_413(person):
    packed = gzip.compress(b'{"text":"' + b"x" * 200_000_000 + b'"}')
    assert len(packed) < 1_000_000
    response = person().http.request("POST", "/api/v1/posts", raw=packed, headers={"Content-Encoding": "gzip"})
    assert_problem(response, 413, "body_too_large")


def test_broken_and_unknown_packing_is_refused(person):
    ada = person()
    broken = ada.http.request("POST", "/api/v1/posts", raw=b"not gzip", headers={"Content-Encoding": "gzip"})
    assert_problem(broken, 400, "bad_gzip")
    unknown = ada.http.request("POST", "/api/v1/posts", raw=b"x", headers={"Content-Encoding": "br"})
    assert_problem(unknown, 415)


def test_both_framings_in_one_request_are_refused(server):
    request = b"POST /api/v1/posts HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    received = raw(server, authorized(server, request))
    assert status_of(received) == 400 and problem_of(received)["code"] == "bad_framing"


@pytest.mark.parametrize("request_bytes", [
    b"GARBAGE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
], ids=["garbage", "version", "control", "space-in-name", "negative-length", "bad-chunk"])
def test_malformed_requests_are_400_and_closed(server, request_bytes):
    received = raw(server, request_bytes)
    assert status_of(received) == 400
    assert problem_of(received)["code"] in ("malformed_request", "bad_framing")


def test_a_header_over_the_limit_is_refused(server):
    received = raw(server, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000 + b"\r\n\r\n")
    assert status_of(received) in (400, 431)


def test_half_a_request_is_no_request(server):
    raw(server, b"GET /healthz HTTP/1.1\r\nHos", half_close=True)
    raw(server, b"POST /api/v1/posts HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", half_close=True)
    assert server.anonymous().get("/healthz").status == 200


def test_slow_headers_and_bodies_time_out():
    settings = {"limits.header_timeout": "300ms", "limits.body_timeout": "300ms"}
    with Server(settings=settings) as server:
        received = raw(server, b"GET /healthz HTTP/1.1\r\nHos")
        assert not received or status_of(received) == 408
        request = b"POST /api/v1/posts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        received = raw(server, authorized(server, request))
        assert status_of(received) == 408


def test_requests_in_one_packet_are_answered_in_order(server):
    one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    received = raw(server, one * 5 + last)
    assert received.count(b"HTTP/1.1 200") == 5 and received.count(b"HTTP/1.1 404") + received.count(b"HTTP/1.1 401") == 1


def test_a_request_id_is_answered_and_a_hostile_one_is_not(server):
    client = server.anonymous()
    given = client.request("GET", "/healthz", headers={"X-Request-Id": "abc-123"})
    assert given.headers["X-Request-Id"] == "abc-123"
    hostile = client.request("GET", "/healthz", headers={"X-Request-Id": "x" * 500})
    assert hostile.headers["X-Request-Id"] != "x" * 500


def test_head_has_the_head_of_get(server):
    response = server.anonymous().request("HEAD", "/healthz")
    assert response.status == 200 and response.body == b""
