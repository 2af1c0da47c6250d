"""An HTTP client for tests: one kept-alive connection, JSON in and out, nothing retried and nothing hidden."""

from __future__ import annotations

import functools
import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from harness.document import Document

PROBLEM_FIELDS = {"type", "title", "status", "detail", "code", "request_id"}


@dataclass
class Response:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return self._json

    @functools.cached_property  # the document's judge reads it before the test does
    def _json(self):
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def position(self) -> str | None:
        """What a write answers with, for min_position of a later read."""
        return self.headers.get("Novafeed-Position")

    def expect(self, status: int) -> Response:
        if self.status != status:
            raise AssertionError(f"expected {status}, got {self.status}: {self.body[:2000]!r}")
        return self


class Client:
    """Not thread-safe: one for each thread. `token` gives the bearer token of each request (None: without one).

    With a `document`, an answer that it does not have is an AssertionError.
    """

    def __init__(
        self,
        url: str,
        token: Callable[[], str | None] = lambda: None,
        headers: dict[str, str] | None = None,
        seconds: float = 30,
        document: Document | None = None,
    ) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=seconds)
        self._token = token
        self._headers = headers or {}
        self._document = document

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The next request opens a new connection."""
        self._connection.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: dict | None = None,
        body: object = None,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """Sends `body` as JSON, or `raw` as it is. In `query`, a list gives one parameter each, None gives none."""
        sent = {**self._headers, **(headers or {})}
        token = self._token()
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token}")
        if body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent.setdefault("Content-Type", "application/json")
        given = {name: value for name, value in (query or {}).items() if value is not None}
        target = f"{path}?{urlencode(given, doseq=True)}" if given else path
        try:
            self._connection.request(method, target, body=raw, headers=sent)
            answer = self._connection.getresponse()
            response = Response(answer.status, answer.headers, answer.read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if self._document is not None:
            self._document.check(method, path, response)
        return response

    def get(self, path: str, **query: object) -> Response:
        return self.request("GET", path, query=query)

    def post(self, path: str, body: object, **query: object) -> Response:
        return self.request("POST", path, body=body, query=query)

    def put(self, path: str, **query: object) -> Response:
        return self.request("PUT", path, query=query)

    def patch(self, path: str, body: object, **query: object) -> Response:
        return self.request("PATCH", path, body=body, query=query)

    def delete(self, path: str, **query: object) -> Response:
        return self.request("DELETE", path, query=query)


def assert_problem(response: Response, status: int, code: str | None = None) -> dict:
    """The answer is a complete problem+json of this status (and code); returns it."""
    kind = response.headers.get_content_type()
    assert (response.status, kind) == (status, "application/problem+json"), (response.status, kind, response.body)
    problem = response.json()
    assert set(problem) >= PROBLEM_FIELDS, problem
    assert problem["status"] == status, problem
    assert problem["detail"] and problem["request_id"], problem
    assert code is None or problem["code"] == code, problem
    return problem
