"""A small platform that acts at random over the API, and what it was told was done: the truth to count from."""

from __future__ import annotations

import http.client
import random
import uuid
from collections import Counter

from harness import Server, wait_until

HOUR_MS = 3_600_000
NOON = 1_795_348_800_000  # 2026-11-22T12:00:00Z
EVENT_TYPES = ("impression", "view", "share")
# An answer that never came may have been for something that was done; it is asked again, and these mean: done already.
DONE = (200, 201, 202, 204, 404)


class World:
    """Every method that changes something returns once it is acknowledged. The server's clock is held."""

    def __init__(self, server: Server, seed: int, users: int = 8) -> None:
        self.server = server
        self.random = random.Random(seed)
        self.users: list[str] = []
        self.posts: dict[str, str] = {}  # author by id
        self.created: dict[str, int] = {}
        self.deleted: set[str] = set()
        self.likes: dict[tuple[str, str], int] = {}  # (user, post): when
        self.comments: dict[str, tuple[str, str, int]] = {}  # user, post, when
        self.follows: set[tuple[str, str]] = set()
        self.events: set[tuple[str, str, str, int, str]] = set()  # user, type, post, at, event id
        self._client = None
        for number in range(users):
            self._add_user(number)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def act(self, count: int = 1) -> None:
        for _ in range(count):
            actions = [self._post] if not self._live() else self._ACTIONS
            self.random.choice(actions)(self) if actions is self._ACTIONS else self._post()

    # --- What the warehouse has to show.

    def counters(self) -> dict[str, tuple]:
        """(live, deleted, likes, comments, shares, impressions, views) by post."""
        likes = Counter(post for _, post in self.likes)
        comments = Counter(post for _, post, _ in self.comments.values())
        seen = Counter((post, kind) for _, kind, post, _, _ in self.events)
        return {
            post: (
                int(post not in self.deleted), int(post in self.deleted), likes[post], comments[post],
                seen[post, "share"], seen[post, "impression"], seen[post, "view"],
            )
            for post in self.posts
        }

    def hours(self) -> dict[tuple[str, int], tuple]:
        """(likes, comments, shares, impressions, views) by post and start of the clock hour, where any is not 0."""
        columns: dict[tuple[str, int], Counter] = {}

        def count(post, at, what):
            columns.setdefault((post, at // HOUR_MS * HOUR_MS // 1000), Counter())[what] += 1

        for (_, post), at in self.likes.items():
            count(post, at, "like")
        for _, post, at in self.comments.values():
            count(post, at, "comment")
        for _, kind, post, at, _ in self.events:
            count(post, at, kind)
        kinds = ("like", "comment", "share", "impression", "view")
        return {key: tuple(counter[kind] for kind in kinds) for key, counter in columns.items()}

    def interactions(self) -> dict[tuple[str, str], int]:
        """Likes, comments and shares by user and author, where there are any."""
        given = Counter()
        for user, post in self.likes:
            given[user, self.posts[post]] += 1
        for user, post, _ in self.comments.values():
            given[user, self.posts[post]] += 1
        for user, kind, post, _, _ in self.events:
            if kind == "share":
                given[user, self.posts[post]] += 1
        return {pair: count for pair, count in given.items() if pair[0] != pair[1]}

    # --- Acting.

    def _ask(self, method: str, path: str, body: object = None, user: str | None = None):
        """Asks until there is an answer: whoever kills the server starts it again."""
        headers = {} if user is None else {"Novafeed-User": user}
        while True:
            try:
                if self._client is None:
                    wait_until(lambda: self.server.url, "the server is back", 60)
                    self._client = self.server.client(scope="service")
                answer = self._client.request(method, path, body=body, headers=headers)
            except (OSError, http.client.HTTPException):
                self._client = None
                continue
            if answer.status == 503:  # it boots
                continue
            assert answer.status in DONE, (method, path, answer.status, answer.body)
            return answer

    def _id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def _live(self) -> list[str]:
        return [post for post in self.posts if post not in self.deleted]

    def _any_user(self) -> str:
        return self.random.choice(self.users)

    def _add_user(self, number: int) -> None:
        user = self._id()
        self._ask("POST", "/api/v1/users", {"id": user, "handle": f"u{user[:8]}", "name": f"User \"{number}\""})
        self.users.append(user)

    def _post(self) -> None:
        post, author = self._id(), self._any_user()
        text = self.random.choice(["plain", 'quoted "text"', "two\nlines", "tab\there", "Zoë 😀", "back\\slash", "a,b'c"])
        self._ask("POST", "/api/v1/posts", {"id": post, "text": text}, author)
        self.posts[post], self.created[post] = author, self.server.now()

    def _edit(self) -> None:
        post = self.random.choice(self._live())
        self._ask("PATCH", f"/api/v1/posts/{post}", {"text": f"edited {self.random.random()}"}, self.posts[post])

    def _delete(self) -> None:
        if len(self._live()) < 4:
            return
        post = self.random.choice(self._live())
        self._ask("DELETE", f"/api/v1/posts/{post}", None, self.posts[post])
        self.deleted.add(post)

    def _like(self) -> None:
        user, post = self._any_user(), self.random.choice(self._live())
        self._ask("PUT", f"/api/v1/posts/{post}/like", None, user)
        self.likes.setdefault((user, post), self.server.now())

    def _unlike(self) -> None:
        user, post = self.random.choice(list(self.likes) or [(self._any_user(), self.random.choice(self._live()))])
        self._ask("DELETE", f"/api/v1/posts/{post}/like", None, user)
        self.likes.pop((user, post), None)

    def _like_again(self) -> None:
        if self.likes:
            user, post = self.random.choice(list(self.likes))
            if post not in self.deleted:
                for _ in range(2):
                    self._ask("DELETE", f"/api/v1/posts/{post}/like", None, user)
                    self._ask("PUT", f"/api/v1/posts/{post}/like", None, user)
                self.likes[user, post] = self.server.now()

    def _comment(self) -> None:
        comment, user, post = self._id(), self._any_user(), self.random.choice(self._live())
        self._ask("POST", f"/api/v1/posts/{post}/comments", {"id": comment, "text": "Why?"}, user)
        self.comments[comment] = (user, post, self.server.now())

    def _uncomment(self) -> None:
        if self.comments:
            comment = self.random.choice(list(self.comments))
            self._ask("DELETE", f"/api/v1/comments/{comment}", None, self.comments.pop(comment)[0])

    def _follow(self) -> None:
        follower, followee = self.random.sample(self.users, 2)
        self._ask("PUT", f"/api/v1/users/{followee}/follow", None, follower)
        self.follows.add((follower, followee))

    def _unfollow(self) -> None:
        if self.follows:
            follower, followee = self.random.choice(sorted(self.follows))
            self._ask("DELETE", f"/api/v1/users/{followee}/follow", None, follower)
            self.follows.discard((follower, followee))

    def _send_events(self) -> None:
        user = self._any_user()
        batch = [self._event(user) for _ in range(self.random.randrange(1, 6))]
        sent = [
            {"event_id": event[4], "type": event[1], "post_id": event[2], "at": event[3]}
            for event in batch + batch[:1]  # one of them twice
        ]
        self._ask("POST", "/api/v1/events", {"events": sent}, user)
        self.events.update(batch)

    def _event(self, user: str) -> tuple[str, str, str, int, str]:
        at = self.server.now() - self.random.randrange(20 * HOUR_MS)
        return user, self.random.choice(EVENT_TYPES), self.random.choice(list(self.posts)), at, self._id()

    _ACTIONS = [
        _post, _post, _edit, _delete, _like, _like, _like, _unlike, _like_again, _comment, _comment, _uncomment,
        _follow, _follow, _unfollow, _send_events, _send_events, _send_events,
    ]
