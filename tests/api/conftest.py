"""One server for the tests that do not need one of their own, and people to act in it."""

from __future__ import annotations

import itertools
import uuid

import pytest

from harness.server import Server

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server():
    with Server(settings={"rate.service_per_second": 0, "rate.stranger_per_second": 0}) as running:
        yield running


class Person:
    """A user that exists, with a client that carries their token."""

    def __init__(self, server: Server, user: dict) -> None:
        self.id = user["id"]
        self.user = user
        self.http = server.client(self.id)

    def post(self, text: str = "A post.") -> dict:
        return self.http.post("/api/v1/posts", {"text": text}).expect(201).json()

    def like(self, post: dict):
        return self.http.put(f"/api/v1/posts/{post['id']}/like")

    def unlike(self, post: dict):
        return self.http.delete(f"/api/v1/posts/{post['id']}/like")

    def comment(self, post: dict, text: str = "A comment.") -> dict:
        return self.http.post(f"/api/v1/posts/{post['id']}/comments", {"text": text}).expect(201).json()

    def follow(self, other: Person):
        return self.http.put(f"/api/v1/users/{other.id}/follow")

    def feed(self, **query) -> dict:
        return self.http.get("/api/v1/feed", **query).expect(200).json()

    def feed_ids(self, **query) -> list[str]:
        return [item["post"]["id"] for item in self.feed(limit=100, **query)["items"]]


def make_person(server: Server, name: str = "person") -> Person:
    handle = f"{name}-{next(_numbers)}-{uuid.uuid4().hex[:6]}"
    user = server.client(scope="service").post("/api/v1/users", {"handle": handle, "name": name.title()})
    return Person(server, user.expect(201).json())


@pytest.fixture
def person(server):
    """person() makes a new one."""
    return lambda name="person": make_person(server, name)


@pytest.fixture
def service(server):
    return server.client(scope="service")


@pytest.fixture
def act_as(server):
    """act_as(user_id): a service's client that acts for that user."""
    return lambda user: server.client(scope="service", acting_for=user)
