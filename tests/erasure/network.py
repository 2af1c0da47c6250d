"""A network in which "ada" did everything that can be done, among many others whose rows lie between hers."""

from __future__ import annotations

import random
import uuid
from pathlib import Path

from erasure.traces import Person
from harness import Server, novafeed, user_id
from program.conftest import write_ndjson

HOUR = 3_600_000
OTHERS = 40
WORD = "Zitronenfalter-ΔΕΖ"  # in every text of hers, and nowhere else


def ada() -> Person:
    return Person(user_id("ada-external-id"), ["ada-external-id", "ada-the-handle", "Ada Die Name", WORD, "adas-post"])


def actions(now: int, rng: random.Random, size: int) -> list[dict]:
    """As a file of an import would have them; ada comes into being by being mentioned."""
    at = now - 5 * HOUR
    lines: list[dict] = [{"type": "follow", "user": "other-0", "target": "ada-external-id", "at": at}]
    lines += [{"type": "user", "id": f"other-{n}", "handle": f"other-{n}", "name": f"N{n}", "at": at} for n in range(OTHERS)]
    # So that nobody's page is empty without her.
    lines += [{"type": "follow", "user": f"other-{n}", "target": f"other-{(n + 1) % OTHERS}", "at": at} for n in range(OTHERS)]
    lines.append({"type": "user", "id": "ada-external-id", "handle": "ada-the-handle", "name": "Ada Die Name", "at": at})
    posts: list[str] = []
    for n in range(size):
        is_hers = rng.random() < 0.15
        author = "ada-external-id" if is_hers else f"other-{rng.randrange(OTHERS)}"
        post = f"adas-post-{n}" if is_hers else f"post-{n}"
        text = f"{WORD if is_hers else 'of somebody else'} {n} " * rng.choice((1, 5, 200))
        lines.append({"type": "post", "id": post, "author": author, "text": text, "at": at + n})
        posts.append(post)
        for _ in range(6):
            by_ada = rng.random() < 0.15
            user = "ada-external-id" if by_ada else f"other-{rng.randrange(OTHERS)}"
            target = rng.choice(posts)
            kind = rng.choice(("like", "like", "comment", "share", "impression", "view", "follow"))
            action: dict = {"type": kind, "user": user, "at": at + n}
            if kind == "follow":
                action["target"] = rng.choice(["ada-external-id", f"other-{rng.randrange(OTHERS)}"])
                if action["target"] == user:
                    continue
            else:
                action["post"] = target
            if kind == "comment":
                action["id"] = f"comment-{uuid.UUID(int=rng.getrandbits(128))}"
                action["text"] = f"{WORD} says she" if by_ada else "says somebody"
            lines.append(action)
        if is_hers and n % 7 == 0:
            lines.append({"type": "edit_post", "post": post, "text": f"{WORD} again", "at": at + n})
        if is_hers and n % 11 == 0:
            lines.append({"type": "delete_post", "post": post, "at": at + n})
    return lines


def make(directory: Path, now: int, seed: int, size: int = 400) -> Path:
    """A stopped data directory that holds the network, with `size` posts."""
    data, lines = directory / "data", actions(now, random.Random(seed), size)
    novafeed("import", write_ndjson(directory / "network.ndjson", lines), "--data", data)
    return data


def act_through_the_api(server: Server) -> dict:
    """What an import cannot say: posts without an external id, likes as events. Returns a post of somebody else."""
    her = server.client(ada().id)
    somebody = server.client(user_id("other-1"))
    theirs = somebody.post("/api/v1/posts", {"text": "of somebody else"}).expect(201).json()
    hers = her.post("/api/v1/posts", {"text": f"{WORD} live"}).expect(201).json()
    her.post(f"/api/v1/posts/{theirs['id']}/comments", {"text": f"{WORD} below"}).expect(201)
    somebody.post(f"/api/v1/posts/{hers['id']}/comments", {"text": "by somebody else"}).expect(201)
    somebody.put(f"/api/v1/posts/{hers['id']}/like").expect(204)
    events = [
        {"event_id": str(uuid.uuid4()), "type": kind, "post_id": post["id"], "at": server.now()}
        for kind in ("like", "share", "impression", "view", "unlike", "like")
        for post in (hers, theirs)
    ]
    assert her.post("/api/v1/events", {"events": events}).expect(202).json()["accepted"] == len(events)
    return theirs


def raw(user: str) -> bytes:
    return uuid.UUID(user).bytes
