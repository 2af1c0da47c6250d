"""A small platform whose people act at random through the API: the moving world of the cursor walks."""

from __future__ import annotations

import json
import random
import uuid
from pathlib import Path

from harness import Client, post_id, user_id
from oracle.oracle import DAY_MS, HOUR_MS

VIEWERS = [f"viewer-{n}" for n in range(10)]
AUTHORS = [f"author-{n}" for n in range(14)]
READER = "reader"  # follows the press: far more posts than a ranking holds
PRESS = [f"press-{n}" for n in range(8)]
PRESS_POSTS = 1500


class People:
    """Knows what exists, so that what they do mostly has an effect. `position` is that of the last answered write."""

    def __init__(self, rng: random.Random, now: int) -> None:
        self.position: str | None = None
        self._rng = rng
        self._client: Client | None = None
        self._now = now
        self._posts: dict[str, str] = {}  # id -> author, while it exists
        self._follows: set[tuple[str, str]] = set()
        self._likes: list[tuple[str, str]] = []
        self._comments: list[tuple[str, str]] = []
        self._named = 0

    # --- Before the server starts: the world as a file for the import ---

    def write_world(self, path: Path) -> None:
        actions = [*self._first_posts(), *self._first_follows()]
        for _ in range(250):
            user, post = self._rng.choice(VIEWERS), self._social_post()
            self._likes.append((user, post))
            at = self._now - self._rng.randrange(2 * DAY_MS)
            actions.append({"type": "like", "user": user, "post": post, "at": at})
        path.write_text("".join(json.dumps(action) + "\n" for action in actions), encoding="utf-8")

    def _first_posts(self) -> list[dict]:
        actions = []
        windows = [(author, 40 * DAY_MS) for author in AUTHORS for _ in range(3)]
        windows += [(author, 76 * HOUR_MS) for author in AUTHORS for _ in range(6)]
        windows += [(self._rng.choice(PRESS), 60 * HOUR_MS) for _ in range(PRESS_POSTS)]
        for author, window in windows:
            name = self._new_post(author)
            # Whole minutes: many posts of one instant, so that ids decide.
            created = self._now - self._rng.randrange(window) // 60_000 * 60_000
            actions.append({"type": "post", "id": name, "author": author, "at": created, "text": name})
        return actions

    def _first_follows(self) -> list[dict]:
        pairs = []
        for viewer in VIEWERS:
            pairs += [(viewer, author) for author in self._rng.sample(AUTHORS, self._rng.randint(3, 8))]
        pairs += [(READER, press) for press in PRESS]
        self._follows.update(pair for pair in pairs if pair[0] != READER)
        return [{"type": "follow", "user": user, "target": target, "at": self._now} for user, target in pairs]

    # --- While it runs ---

    def act(self, client: Client, now: int) -> None:
        """One of them does something, through a service's client."""
        self._client, self._now = client, now
        acts = {
            self._like: 30,
            self._unlike: 10,
            self._follow: 10,
            self._unfollow: 10,
            self._post: 10,
            self._edit: 4,
            self._delete: 6,
            self._comment: 10,
            self._delete_comment: 3,
            self._send_event: 17,
        }
        self._rng.choices(*zip(*acts.items()))[0]()

    def delete_press_post(self, client: Client, post: str) -> None:
        """A post of the press leaves, and another moves up."""
        self._client = client
        self._remove(post)

    def press_posts(self) -> list[str]:
        return [post for post, author in self._posts.items() if author in PRESS]

    def _write(self, user: str, method: str, path: str, status: int, body: object = None) -> dict | None:
        headers = {"Novafeed-User": user_id(user)}
        answer = self._client.request(method, path, body=body, headers=headers).expect(status)
        self.position = answer.position
        return answer.json() if answer.body else None

    def _like(self) -> None:
        user, post = self._anybody(), self._social_post()
        self._likes.append((user, post))
        if self._rng.random() < 0.3:
            self._event(user, "like", post)
        else:
            self._write(user, "PUT", f"/api/v1/posts/{post_id(post)}/like", 204)

    def _unlike(self) -> None:
        user, post = self._likes.pop(self._rng.randrange(len(self._likes)))
        self._write(user, "DELETE", f"/api/v1/posts/{post_id(post)}/like", 204)

    def _follow(self) -> None:
        user, target = self._rng.choice(VIEWERS), self._rng.choice(AUTHORS)
        self._follows.add((user, target))
        self._write(user, "PUT", f"/api/v1/users/{user_id(target)}/follow", 204)

    def _unfollow(self) -> None:
        if len(self._follows) > 3 * len(VIEWERS):
            user, target = self._rng.choice(sorted(self._follows))
            self._follows.discard((user, target))
            self._write(user, "DELETE", f"/api/v1/users/{user_id(target)}/follow", 204)

    def _post(self) -> None:
        author = self._rng.choice(AUTHORS + VIEWERS + PRESS)
        name = self._new_post(author)
        self._write(author, "POST", "/api/v1/posts", 201, {"id": f"ext:{name}", "text": name})

    def _edit(self) -> None:
        post = self._social_post()
        self._write(self._posts[post], "PATCH", f"/api/v1/posts/{post_id(post)}", 200, {"text": "edited"})

    def _delete(self) -> None:
        social = [post for post, author in self._posts.items() if author in AUTHORS]
        if len(social) > 6 * len(AUTHORS):
            self._remove(self._rng.choice(social))

    def _remove(self, post: str) -> None:
        author = self._posts.pop(post)
        self._write(author, "DELETE", f"/api/v1/posts/{post_id(post)}", 204)

    def _comment(self) -> None:
        user, post = self._anybody(), self._social_post()
        made = self._write(user, "POST", f"/api/v1/posts/{post_id(post)}/comments", 201, {"text": "so it is"})
        self._comments.append((user, made["id"]))

    def _delete_comment(self) -> None:
        if self._comments:
            user, comment = self._comments.pop(self._rng.randrange(len(self._comments)))
            self._write(user, "DELETE", f"/api/v1/comments/{comment}", 204)

    def _send_event(self) -> None:
        self._event(self._anybody(), self._rng.choice(("impression", "share", "view")), self._social_post())

    def _event(self, user: str, kind: str, post: str) -> None:
        event = {
            "event_id": str(uuid.UUID(int=self._rng.getrandbits(128), version=4)),
            "type": kind,
            "post_id": post_id(post),
            "at": self._now,
            "user_id": user_id(user),
        }
        answer = self._write(user, "POST", "/api/v1/events", 202, {"events": [event]})
        assert answer["accepted"] == 1, answer

    def _anybody(self) -> str:
        return self._rng.choice(VIEWERS + AUTHORS)

    def _social_post(self) -> str:
        return self._rng.choice([post for post, author in self._posts.items() if author not in PRESS])

    def _new_post(self, author: str) -> str:
        self._named += 1
        name = f"post-{self._named}"
        self._posts[name] = author
        return name
