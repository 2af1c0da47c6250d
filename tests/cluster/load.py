"""Write load on several nodes, each thread a platform of its own that knows what was acknowledged; and readers of feeds."""

from __future__ import annotations

import contextlib
import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

from harness import Client, OlapClient, Server, wait_until
from harness.server import SERVICE_USER
from warehouse.tables import as_counters
from warehouse.world import DONE, World

NOBODY = "00000000-0000-4000-8000-000000000001"
GIVE_UP_SECONDS = 180  # a request that nobody answers for so long is never answered
HEAL_SECONDS = 90
PAUSE = 0.01  # between two actions: the load is there to be interrupted, not to be heavy
BROKEN = (OSError, http.client.HTTPException)  # what a connection says when the other end is gone
SLOWEST_FEED = 5.0  # seconds, on a machine full of tests


class Tried:
    """How often a node was asked, by what it said."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[int, str]] = Counter()

    def add(self, node: int, outcome: str) -> None:
        with self._lock:
            self._counts[node, outcome] += 1

    def __getitem__(self, key: tuple[int, str]) -> int:
        with self._lock:
            return self._counts[key]

    def refused(self, node: int) -> int:
        with self._lock:
            return sum(count for (at, said), count in self._counts.items() if at == node and said not in ("done", "broken"))

    def __repr__(self) -> str:
        with self._lock:
            return repr(dict(self._counts))


class NodeWorld(World):
    """Goes to a random node with each request, and to another one with each that was not answered or was refused for the
    moment, with the same ids: what the API promises to count once."""

    def __init__(self, nodes: tuple[Server, ...], seed: int, tried: Tried) -> None:
        self._nodes = nodes
        self._clients: dict[int, Client] = {}
        self._tried = tried
        self._road = random.Random(seed + 1)
        self.position = ""  # behind everything that was acknowledged
        self._sent: list[tuple[str, list[dict]]] = []  # users and their events, to be sent again
        super().__init__(nodes[0], seed)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def act_once(self) -> None:
        if self._sent and self._road.random() < 0.1:
            user, events = self._road.choice(self._sent)
            self._ask("POST", "/api/v1/events", {"events": events}, user)
        else:
            self.act()

    def touch(self) -> None:
        """A last write, behind which everything is."""
        self._post()

    def _like_by_event(self) -> None:
        user, post = self._any_user(), self.random.choice(self._live())
        self._send_one("like", user, post)
        self.likes.setdefault((user, post), self.server.now())

    def _unlike_by_event(self) -> None:
        if self.likes:
            user, post = self.random.choice(list(self.likes))
            self._send_one("unlike", user, post)
            self.likes.pop((user, post))

    def _send_one(self, kind: str, user: str, post: str) -> None:
        event = {"event_id": self._id(), "type": kind, "post_id": post, "at": self.server.now()}
        self._ask("POST", "/api/v1/events", {"events": [event]}, user)

    _ACTIONS = [*World._ACTIONS, _like_by_event, _like_by_event, _unlike_by_event]

    def _ask(self, method, path, body=None, user=None):
        headers = {} if user is None else {"Novafeed-User": user}
        deadline = time.monotonic() + GIVE_UP_SECONDS
        node = self._road.randrange(len(self._nodes))
        refused = None
        while True:
            answer = self._try(node, method, path, body, headers)
            if answer is not None and answer.status != 503:
                break
            refused = answer or refused
            said = "nothing" if refused is None else refused.body
            assert time.monotonic() < deadline, f"{method} {path} is not answered for {GIVE_UP_SECONDS} s: {said}"
            node = (node + 1) % len(self._nodes)
            time.sleep(PAUSE)
        assert answer.status in DONE, (method, path, answer.status, answer.body)
        if path == "/api/v1/events":
            assert answer.json()["rejected"] == 0, answer.body
            if len(self._sent) < 50:
                self._sent.append((user, body["events"]))
        return answer

    def _try(self, node, method, path, body, headers):
        """One request; None where it breaks off."""
        try:
            if node not in self._clients:
                self._clients[node] = client_of(self._nodes[node], scope="service")
            answer = self._clients[node].request(method, path, body=body, headers=headers)
        except BROKEN:
            self._clients.pop(node, None)
            self._tried.add(node, "broken")
            return None
        if answer.status == 503:
            assert int(answer.headers["Retry-After"]) >= 1, answer.headers
            self._tried.add(node, answer.json()["code"])
        else:
            self._tried.add(node, "done")
            self.position = answer.headers.get("Novafeed-Position", self.position)
        return answer


class Load:
    """
    with Load(nodes, seed) as load:
        load.await_actions(100)
        break_something()
    load.await_healed(cluster)

    Threads that write until the block ends, and one for each node that reads feeds, which must always be answered where
    the node runs.
    """

    def __init__(self, nodes: tuple[Server, ...], seed: int, writers: int = 2) -> None:
        print(f"seed {seed}")
        self.nodes = nodes
        self.tried = Tried()
        self.worlds = [NodeWorld(nodes, seed + 1000 * number, self.tried) for number in range(writers)]
        self.degraded = Tried()
        self.slowest = 0.0
        self._stop = threading.Event()
        self._done = [0] * writers
        self._errors: list[BaseException] = []
        self._away: set[int] = set()
        self._threads = [threading.Thread(target=self._guard, args=(self._write, n)) for n in range(writers)]
        self._threads += [threading.Thread(target=self._guard, args=(self._read, n)) for n in range(len(nodes))]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for world in self.worlds:
            world.close()
        print(f"writes: {self.tried}; feeds: {self.degraded}, the slowest {self.slowest:.2f} s")
        if failed is None:
            self._raise()

    # --- While it runs.

    def actions(self) -> int:
        return sum(self._done)

    def wait(self, condition: Callable[[], object], what: str, seconds: float = HEAL_SECONDS) -> None:
        """Until the condition is true; an error of a thread ends it at once."""
        wait_until(lambda: self._errors or condition(), what, seconds)
        self._raise()

    def await_actions(self, count: int) -> None:
        """That many more."""
        aim = self.actions() + count
        self.wait(lambda: self.actions() >= aim, f"{count} more writes are acknowledged")

    def await_said(self, node: int, outcome: str) -> None:
        """A write to the node has this outcome once more: "done", "broken", or a problem's code."""
        before = self.tried[node, outcome]
        self.wait(lambda: self.tried[node, outcome] > before, f"node {node} answers a write with {outcome}")

    def await_refused(self, node: int) -> None:
        """A write to the node is answered with 503, whatever the reason."""
        before = self.tried.refused(node)
        self.wait(lambda: self.tried.refused(node) > before, f"node {node} refuses a write")

    def await_feed(self, node: int, degraded: str) -> None:
        """A feed of the node says so ("" for a good one)."""
        before = self.degraded[node, degraded]
        self.wait(lambda: self.degraded[node, degraded] > before + 2, f"feeds of node {node} say {degraded!r}")

    @contextlib.contextmanager
    def restarting(self, node: int) -> Iterator[None]:
        """While the block runs, the node's feeds may fail."""
        self._away.add(node)
        yield
        self._away.discard(node)

    # --- Afterwards.

    def await_healed(self, olap: OlapClient) -> None:
        """Everything that was acknowledged is there, once, on every node and in the warehouse."""
        for world in self.worlds:
            world.touch()
        for node in self.nodes:
            self._await_position(node)
            with node.client(scope="service") as client:
                for world in self.worlds:
                    check_posts(client, world)
                    check_users(client, world)
                    check_feeds(node, world)
        for world in self.worlds:
            check_warehouse(olap, world)

    def _await_position(self, node: Server) -> None:
        """The node's index and warehouse are behind everything that was acknowledged."""
        with node.client(scope="service") as client:

            def state():
                answer = client.get("/api/v1/pipeline")
                return answer.json() if answer.status == 200 else None

            end = wait_until(state, "the state of the pipeline", HEAL_SECONDS)["log"]

            def missing() -> list[str]:
                """What is behind, as it stands."""
                now = state() or {}
                applied = {engine: now.get(engine, {}).get("applied") for engine in ("index", "warehouse")}
                return [
                    f"{engine} at {at}" for engine, at in applied.items()
                    if at is None or at["changes"] < end["changes"] or at["events"] < end["events"]
                ] + [
                    f"{engine} says {degraded}" for world in self.worlds
                    for engine, degraded in self._degraded(client, world.position) if degraded
                ]

            last: list[str] = []

            def is_there() -> bool:
                last[:] = missing()
                return not last

            try:
                wait_until(is_there, "", HEAL_SECONDS, pause=0.1)
            except AssertionError:
                raise AssertionError(
                    f"node {self.nodes.index(node)} does not come to {end}: {last}\n{node.log()[-6000:]}"
                ) from None

    @staticmethod
    def _degraded(client: Client, position: str) -> Iterator[tuple[str, list[str]]]:
        for engine in ("index", "warehouse"):
            page = client.request(
                "GET", "/api/v1/feed", query={"min_position": position, "engine": engine, "limit": 1},
                headers={"Novafeed-User": NOBODY},
            )
            yield engine, page.json()["degraded"] if page.status == 200 else [page.json()["code"]]

    # --- Threads.

    def _guard(self, work: Callable[[int], None], number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 (told by the test's thread)
            self._errors.append(error)

    def _raise(self) -> None:
        if self._errors:
            raise self._errors[0]

    def _write(self, number: int) -> None:
        while not self._stop.is_set():
            self.worlds[number].act_once()
            self._done[number] += 1
            self._stop.wait(PAUSE)

    def _read(self, number: int) -> None:
        user = self.worlds[0].users[0]
        client = None
        while not self._stop.is_set():
            was_away = number in self._away
            begin = time.monotonic()
            try:
                client = client or client_of(self.nodes[number], user)
                page = client.get("/api/v1/feed").expect(200).json()
                self.degraded.add(number, ",".join(page["degraded"]))
            except (*BROKEN, AssertionError):
                client = None
                if not (was_away or number in self._away):
                    raise
            if not (was_away or number in self._away):
                self.slowest = max(self.slowest, time.monotonic() - begin)
                assert self.slowest < SLOWEST_FEED, f"a feed took {self.slowest} s"
            self._stop.wait(5 * PAUSE)


def client_of(node: Server, user: str = SERVICE_USER, scope: str = "user") -> Client:
    if not node.url:
        raise ConnectionError("it is starting")
    return node.client(user, scope)


def check_posts(client: Client, world: World) -> None:
    for post, counters in world.counters().items():
        answer = client.get(f"/api/v1/posts/{post}")
        if post in world.deleted:
            assert answer.status == 404, (post, answer.body)
            continue
        shown = answer.expect(200).json()
        found = tuple(shown[name] for name in ("likes", "comments", "shares", "impressions"))
        assert found == counters[2:6], f"post {post}: {found} for {counters[2:6]}"


def check_users(client: Client, world: World) -> None:
    following = Counter(follower for follower, _ in world.follows)
    followers = Counter(followee for _, followee in world.follows)
    for user in world.users:
        shown = client.get(f"/api/v1/users/{user}").expect(200).json()
        assert (shown["followers"], shown["following"]) == (followers[user], following[user]), user


def check_feeds(node: Server, world: World) -> None:
    """Whom they follow and what these have written: each post once."""
    for user in world.users:
        authors = {followee for follower, followee in world.follows if follower == user}
        expected = sorted(post for post, by in world.posts.items() if by in authors and post not in world.deleted)
        with node.client(user) as client:
            assert sorted(walk(client)) == expected, user


def walk(client: Client) -> list[str]:
    found, cursor = [], None
    while True:
        page = client.get("/api/v1/feed", mode="following", limit=100, cursor=cursor).expect(200).json()
        found += [item["post"]["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def check_warehouse(olap: OlapClient, world: World) -> None:
    """It counts what was acknowledged: rows of these posts and users, whatever others there are."""

    def read(sql: str) -> list[list[str]]:
        return [line.split("\t") for line in olap.read(sql, default_format="TabSeparated").splitlines()]

    counters = as_counters(read(
        "SELECT post_id, is_live, is_deleted, likes, comments, shares, impressions, views"
        " FROM novafeed.post_counters FINAL"
    ))
    expected = world.counters()
    assert {post: counters.get(post) for post in expected} == expected
    given = read(
        "SELECT user_id, author_id, uniqExactMerge(given) - uniqExactMerge(taken_back) AS interactions"
        " FROM novafeed.user_author_90d GROUP BY user_id, author_id HAVING interactions != 0"
    )
    ours = set(world.users)
    found = {(row[0], row[1]): int(row[2]) for row in given if row[0] in ours}
    assert found == world.interactions()
    follows = read("SELECT follower_id, following_id FROM novafeed.follow_graph FINAL")
    assert {(row[0], row[1]) for row in follows if row[0] in ours} == world.follows
