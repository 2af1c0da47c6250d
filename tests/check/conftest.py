"""A platform with a past, served with its warehouse: what the tests of the check damage, one thing at a time."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from differential.people import People
from harness import WRITER, Client, OlapClient, Server, novafeed, user_id, wait_until
from harness.olap import password_of

ACTS = 400


class Platform:
    def __init__(self, server: Server, people: People) -> None:
        self.server = server
        self.people = people

    def act(self, acts: int) -> None:
        with self.server.client(scope="service") as client:
            for _ in range(acts):
                self.people.act(client, self.server.now())

    def write_what_is_hard_to_copy(self) -> None:
        with self.server.client(scope="service", acting_for=user_id("viewer-0")) as client:
            for text in ("\u0001 \\N \\0 'x' \"y\"\t\n", "\U0001f642 \u202e\u0301 \u00fc", "x" * 9_999):
                client.post("/api/v1/posts", {"text": text}).expect(201)

    def olap(self) -> OlapClient:
        """The warehouse's engine, as the user who may do everything."""
        served = json.loads((self.server.data / "olap" / "serve.json").read_text(encoding="utf-8"))
        return OlapClient(served["url"], WRITER, password_of(self.server.data, WRITER))

    def check(self, *flags: str) -> tuple[int, dict]:
        done = novafeed("check", "--data", self.server.data, "--json", *flags, check=False)
        assert done.returncode in (0, 1) and done.stdout, (done.returncode, done.stdout, done.stderr)
        return done.returncode, json.loads(done.stdout)

    def assert_agrees(self) -> dict:
        status, outcome = self.check()
        assert (status, outcome["agree"]) == (0, True), disagreements(outcome)
        return outcome

    def replay_the_whole_log(self) -> None:
        with self.server.admin() as admin:
            applied = admin.get("/admin/status").expect(200).json()["warehouse"]["applied"]
            entries = applied["changes"] + applied["events"]
            before = self._landed(admin)
            admin.post("/admin/warehouse/rewind", {"changes": 0, "events": 0}).expect(200)
            wait_until(lambda: self._landed(admin) >= before + entries, "the log to be landed again")

    @staticmethod
    def _landed(admin: Client) -> float:
        lines = admin.get("/metrics").expect(200).body.decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("novafeed_warehouse_rows_total{"))


def disagreements(outcome: dict) -> str:
    """What a check found, as lines for a failed test."""
    report = outcome.get("after", outcome)
    lines = [f"schema {entry}" for entry in report["schema"]]
    for table in report["tables"]:
        if not table["agrees"]:
            head = {name: value for name, value in table.items() if name != "examples"}
            lines += [str(head), *(f"  {example}" for example in table["examples"][:5])]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    with Server(settings={"warehouse.engine": "chdb", "warehouse.refresh_every": "50ms"}) as server:
        server.stop()
        people = People(random.Random(4), server.now())
        world = Path(tmp_path_factory.mktemp("world"), "world.ndjson")
        people.write_world(world)
        novafeed("import", world, "--data", server.data)
        server.start()
        platform = Platform(server, people)
        platform.act(ACTS)
        platform.write_what_is_hard_to_copy()
        platform.assert_agrees()  # and the warehouse has taken all of it in
        yield platform
