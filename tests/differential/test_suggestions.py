"""Suggested users: both engines against the brute-force oracle, on random graphs that reach every bound of the formula.

NOVAFEED_SEED (printed) draws the graph. What is compared over HTTP: ids and order, scores to 1e-9, mutual followers and
who of them is named, affinity scores, counts.
"""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path

import pytest

from differential.rankings import import_files
from harness import WITH_WAREHOUSE, Server, await_filled, scratch_directory, user_id
from oracle import oracle
from oracle.suggestions import Graph, Suggested, suggested_users

NOW = 1_795_348_800_000
PEOPLE = 260
DATED = 40  # different times of follows: many are of one millisecond, so ids decide
ENGINES = ("index", "warehouse")


@pytest.fixture(name="seed", scope="module")
def print_seed():
    seed = int(os.environ.get("NOVAFEED_SEED", time.time_ns() % 1_000_000))
    print(f"NOVAFEED_SEED={seed}")
    return seed


class World:
    """People in circles, a celebrity, one who follows very many, and likes among them: as import lines."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.actions: list[dict] = []
        self.people = [f"p{n}" for n in range(PEOPLE)]
        self._follow_in_circles()
        self._beyond_the_bounds()
        self._like()

    def follow(self, user: str, target: str) -> None:
        if user == target:
            return
        at = NOW - 10 * oracle.DAY_MS + self.rng.randrange(DATED)
        self.actions.append({"type": "follow", "user": user, "target": target, "at": at})

    def _follow_in_circles(self) -> None:
        for number, person in enumerate(self.people):
            self.actions.append({"type": "user", "id": person, "handle": person, "at": NOW - 20 * oracle.DAY_MS})
            for _ in range(self.rng.randrange(25)):
                circle = number % 6 if self.rng.random() < 0.7 else self.rng.randrange(6)
                self.follow(person, self.people[circle + 6 * self.rng.randrange(PEOPLE // 6)])
        for _ in range(60):
            action = self.rng.choice([a for a in self.actions if a["type"] == "follow"])
            self.actions.append(action | {"type": "unfollow"})

    def _beyond_the_bounds(self) -> None:
        crowd = [f"c{n}" for n in range(1400)]
        for fan in crowd:
            self.follow(fan, "celebrity")
            self.follow(fan, self.rng.choice(self.people))
        for target in self.rng.sample(crowd, 700):  # a viewer of more than 500 followees
            self.follow("collector", target)
            self.follow(target, self.rng.choice(crowd))
        for target in self.rng.sample(crowd + self.people, 800):  # a neighbour of more than 500 followees
            self.follow("hub", target)
        for fan in ("hub", "collector", *self.people[:20]):
            self.follow(fan, "celebrity")

    def _like(self) -> None:
        for number in range(80):
            author, at = self.rng.choice(self.people), NOW - 30 * oracle.DAY_MS
            self.actions.append({"type": "post", "id": f"post{number}", "author": author, "at": at, "text": "."})
            for _ in range(self.rng.randrange(20)):
                given = NOW - self.rng.choice((0, 1, 89, 90)) * oracle.DAY_MS
                user = self.rng.choice([*self.people, "hub"])
                self.actions.append({"type": "like", "user": user, "post": f"post{number}", "at": given})

    def viewers(self) -> list[str]:
        return ["collector", "hub", "celebrity", "c5", "nobody", *self.rng.sample(self.people, 30)]


class Compared:
    """A server with both engines, and the oracle's state beside it."""

    def __init__(self, data: Path, world: World) -> None:
        self.state = oracle.State()
        lines = data.with_name("world.ndjson")
        with lines.open("w", encoding="utf-8") as out:
            for action in world.actions:
                line = json.dumps(action)
                out.write(line + "\n")
                self.state.apply_line(line)
        self.server = Server(data, test_clock=NOW, settings={**WITH_WAREHOUSE, "warehouse.refresh_every": "20ms"})
        assert not import_files(data, [lines], self.state.outcomes["bad"])

    def check(self, viewers: list[str], dismissed: dict[str, set[str]] | None = None) -> None:
        await_filled(self.server)
        graph = Graph(self.state)
        found = []
        with self.server.client(scope="service") as client:
            for viewer in viewers:
                gone = frozenset(oracle.api_id("user", f"ext:{name}") for name in (dismissed or {}).get(viewer, ()))
                expected = suggested_users(graph, oracle.api_id("user", f"ext:{viewer}"), NOW, gone, 100)
                for engine in ENGINES:
                    answer = client.request(
                        "GET", "/api/v1/discover/suggested-users",
                        query={"limit": 100, "explain": 1, "engine": engine},
                        headers={"Novafeed-User": user_id(viewer)},
                    ).expect(200).json()
                    assert answer["engine"] == engine and answer["as_of"] == NOW and not answer["degraded"]
                    found += [f"{viewer}, {engine}: {wrong}" for wrong in differences(graph, expected, answer["users"])]
        assert not found, "\n".join(found[:20])


def differences(graph: Graph, expected: list[Suggested], shown: list[dict]) -> list[str]:
    if len(expected) != len(shown):
        return [f"{len(shown)} users instead of {len(expected)}"]
    for place, (wanted, got) in enumerate(zip(expected, shown)):
        reasons = got["reasons"][0] if got["reasons"] else {"count": 0, "users": []}
        facts = (
            (got["user"]["id"], oracle.show_id(wanted.user)),
            (got["mutual_followers"], wanted.mutual_followers),
            (reasons["count"], wanted.mutual_followers),
            ([user["id"] for user in reasons["users"]], [oracle.show_id(one) for one in wanted.mutual]),
            (got["user"]["followers"], len(graph.followers[wanted.user])),
            (got["user"]["following"], len(graph.following[wanted.user])),
        )
        wrong = [f"{got_value} instead of {value}" for got_value, value in facts if got_value != value]
        for name in ("score", "affinity_score"):
            if abs(got[name] - getattr(wanted, name)) > 1e-9:
                wrong.append(f"{name} {got[name]} instead of {getattr(wanted, name)}")
        if wrong:
            return [f"place {place}: {wrong}"]
    return []


@pytest.fixture(name="compared", scope="module")
def start(seed):
    world = World(seed)
    with scratch_directory() as scratch:
        compared = Compared(Path(scratch, "data"), world)
        with compared.server:
            yield compared, world


def change(compared: Compared, world: World, client, kind: str, user: str, target: str) -> None:
    method = client.put if kind == "follow" else client.delete
    method(f"/api/v1/users/{user_id(target)}/follow").expect(204)
    compared.state.apply({"type": kind, "user": user, "target": target, "at": NOW})


def test_both_engines_suggest_as_the_oracle_does(compared):
    both, world = compared
    both.check(world.viewers())


def test_follows_unfollows_and_a_replay_of_the_log_leave_them_equal(compared):
    both, world = compared
    for _ in range(40):
        user, target = world.rng.sample([*world.people, "hub", "celebrity"], 2)
        with both.server.client(scope="service", acting_for=user_id(user)) as client:
            follows = oracle.api_id("user", f"ext:{target}") in both.state.following[oracle.api_id("user", f"ext:{user}")]
            change(both, world, client, "unfollow" if follows else "follow", user, target)
    viewers = world.viewers()[:20]
    both.check(viewers)
    with both.server.admin() as admin:
        admin.post("/admin/warehouse/rewind", {"changes": 0, "events": 0, "state": True}).expect(200)
    both.check(viewers)


def test_dismissals_hold_over_a_restart_from_the_warehouse(compared):
    both, world = compared
    viewers = world.viewers()[:12]
    dismissed: dict[str, set[str]] = {viewer: {"hub", world.rng.choice(world.people)} - {viewer} for viewer in viewers}
    for viewer, gone in dismissed.items():
        with both.server.client(scope="service", acting_for=user_id(viewer)) as client:
            for name in gone if viewer != "nobody" else ():
                client.delete(f"/api/v1/discover/suggested-users/{user_id(name)}").expect(204)
    dismissed.pop("nobody", None)
    both.check(viewers, dismissed)
    both.server.kill()
    Path(both.server.data, "index.snapshot").unlink(missing_ok=True)
    both.server.start()
    both.check(viewers, dismissed)
