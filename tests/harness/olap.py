"""A real `novafeed olap` under test, and a client that speaks ClickHouse's HTTP interface to it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from harness.cli import binary
from harness.client import Client, Response
from harness.server import Server

WRITER = "novafeed"
READER = "reader"


def password_of(data: str | Path, user: str) -> str:
    return json.loads(Path(data, "olap.json").read_text(encoding="utf-8"))[user]


class OlapClient(Client):
    """One kept-alive connection of one user. Not thread-safe."""

    def __init__(self, url: str, user: str, password: str) -> None:
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        super().__init__(url, headers={"Authorization": f"Basic {basic}", "Content-Type": "text/plain"}, seconds=120)

    def ask(self, sql: str, data: bytes = b"", *, method: str = "POST", **params: object) -> Response:
        """POSTs the statement; with `data`, the statement goes into the URL and they are the body."""
        if data or method == "GET":
            return self.request(method, "/", query={"query": sql, **params}, raw=data if method == "POST" else None)
        return self.request(method, "/", query=params, raw=sql.encode())

    def read(self, sql: str, **params: object) -> str:
        """The text of an answer that must succeed."""
        return self.ask(sql, **params).expect(200).body.decode()


class Olap(Server):
    """
    with Olap() as olap, olap.of(WRITER) as writer:
        writer.read("SELECT 1")

    Life and death are Server's.
    """

    def of(self, user: str, password: str | None = None) -> OlapClient:
        return OlapClient(self.url, user, password_of(self.data, user) if password is None else password)

    def _command(self) -> list[str]:
        command = [binary(), "olap", "--listen", "127.0.0.1:0", "--data", str(self.data)]
        for name, value in self._settings.items():
            command += ["--set", f"{name}={value}"]
        return command + list(self._flags)

    def _info_file(self) -> Path:
        return self.data / "olap" / "serve.json"


def assert_refused(response: Response, status: int, code: int, *parts: str) -> str:
    """The answer is ClickHouse's error of this status and code, and its text names `parts`; returns the text."""
    text = response.body.decode()
    assert (response.status, response.headers.get("X-ClickHouse-Exception-Code")) == (status, str(code)), text
    assert text.startswith(f"Code: {code}. DB::Exception: "), text
    for part in parts:
        assert part in text, text
    return text
