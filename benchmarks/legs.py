"""A like on its way from the request to a follower's feed in both engines, and when it was where."""

import base64
import contextlib
import json
import statistics
import threading
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from system import Client, Refused, paced, percentile

GIVE_UP_SECONDS = 30
LOOK_SECONDS = 0.1  # how often the warehouse is asked
AT_ONCE = 16  # likes that are on their way
# From one instant to the next. The log is Kafka; in the embedded profile what is answered is in it, and nothing tells
# when within the write that was.
LEGS = (
    ("commit", "sent", "committed"),
    ("commit -> Kafka", "committed", "log"),
    ("log -> index, follower's feed", "log", "index"),
    ("log -> ClickHouse", "log", "landed"),
    ("ClickHouse -> counted", "landed", "counted"),
    ("counted -> follower's feed", "counted", "warehouse"),
    ("like -> feed, index", "sent", "index"),
    ("like -> feed, warehouse", "sent", "warehouse"),
    ("like -> feed, warehouse with its cache", "sent", "cached"),
)


class System(NamedTuple):
    """What likes travel through. `write` and `read` are servers, of the cluster two nodes; they have a `url`."""

    write: object
    read: object
    token: str  # of service scope
    olap_url: str  # with user and password
    brokers: str = ""  # of Kafka; empty: there is none


@dataclass
class Like:
    """Somebody's like of a post that a follower's feed shows, and when (time.time()) it was seen where."""

    fan: str
    viewer: str
    post: dict
    at: dict = field(default_factory=dict)

    @property
    def key(self):
        return self.fan, self.post["id"]


def tsv(url, sql):
    """The rows that ClickHouse answers with."""
    where = urllib.parse.urlparse(url)
    secret = base64.b64encode(f"{where.username}:{where.password}".encode()).decode()
    request = urllib.request.Request(f"http://{where.hostname}:{where.port}/?default_format=TSV", sql.encode(),
                                     {"Authorization": f"Basic {secret}"})
    with urllib.request.urlopen(request, timeout=GIVE_UP_SECONDS) as answer:
        return [line.split("\t") for line in answer.read().decode().splitlines()]


class Watch:
    """Sees the likes that are on their way, on the topic and in the warehouse, while the block runs."""

    def __init__(self, system):
        self.system = system
        self.waiting = {}
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.failed = None
        self.ready = threading.Semaphore(0)
        self.threads = [threading.Thread(target=self.run, args=(work,))
                        for work in (self.watch_warehouse, *([self.watch_topic] if system.brokers else []))]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        for _ in self.threads:
            self.ready.acquire(timeout=GIVE_UP_SECONDS)
        return self

    def __exit__(self, *unused):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def add(self, like):
        with self.lock:
            self.waiting[like.key] = like

    def drop(self, like):
        with self.lock:
            del self.waiting[like.key]

    def run(self, work):
        try:
            work()
        except Exception as error:  # noqa: BLE001 (told where it is waited for)
            self.failed = error
            self.ready.release()

    def watch_topic(self):
        """A consumer of its own, which has what comes at the moment at which any could."""
        import confluent_kafka  # noqa: PLC0415 (Debian's: only who runs a cluster has it)

        consumer = confluent_kafka.Consumer({"bootstrap.servers": self.system.brokers, "group.id": "novafeed-bench",
                                             "enable.auto.commit": False, "fetch.wait.max.ms": 10})
        with contextlib.closing(consumer):
            likes = confluent_kafka.TopicPartition("cdc.likes", 0)
            _, end = consumer.get_watermark_offsets(likes, timeout=GIVE_UP_SECONDS)
            consumer.assign([confluent_kafka.TopicPartition("cdc.likes", 0, end)])
            consumer.poll(0.5)
            self.ready.release()
            while not self.ended.is_set():
                message = consumer.poll(0.2)
                if message is not None and message.error() is None:
                    self.note(json.loads(message.value()), time.time())

    def note(self, envelope, arrived):
        row = envelope["after"]
        if not row:
            return
        with self.lock:
            like = self.waiting.get((row["user_id"], row["post_id"]))
        if like:
            like.at["committed"] = envelope["source"]["ts_us"] / 1e6
            like.at.setdefault("log", arrived)

    def watch_warehouse(self):
        self.ready.release()
        while not self.ended.wait(LOOK_SECONDS):
            with self.lock:
                likes = [like for like in self.waiting.values() if "sent" in like.at and "counted" not in like.at]
            if likes:
                self.look(likes)

    def look(self, likes):
        rows = ", ".join(f"('{like.fan}', '{like.post['id']}')" for like in likes)
        landed = tsv(self.system.olap_url,
                     f"SELECT user_id, post_id FROM novafeed.likes_cdc WHERE (user_id, post_id) IN ({rows})")
        posts = ", ".join(f"('{like.post['author_id']}', fromUnixTimestamp64Milli({like.post['created_at']}, 'UTC'), "
                          f"'{like.post['id']}')" for like in likes)
        counted = dict(tsv(self.system.olap_url,
                           "SELECT post_id, argMax(likes, _version) FROM novafeed.post_counters "
                           f"WHERE (author_id, created_at, post_id) IN ({posts}) GROUP BY post_id"))
        now = time.time()
        for like in likes:
            if list(like.key) in landed:
                like.at.setdefault("landed", now)
            if int(counted.get(like.post["id"], 0)) > like.post["likes"]:
                like.at["counted"] = now


def send_and_follow(like, system, watch):
    """Until the follower's answer counts the like in both engines. What they are never shown stays unseen."""
    watch.add(like)
    like.at["sent"] = time.time()
    works = (put, await_index, await_warehouse, await_cached)
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work, like, system, watch) for work in works]:
            done.result()
    watch.drop(like)


def put(like, system, _watch):
    """Answered when the index of the node that it is sent to has it; others may be earlier."""
    Client(system.write, system.token).send("PUT", f"/api/v1/posts/{like.post['id']}/like", like.fan)
    if not system.brokers:
        like.at["log"] = time.time()


def await_index(like, system, watch):
    await_counted(like, system, watch, "index", lambda: "", 0.005)


def await_cached(like, system, watch):
    await_counted(like, system, watch, "cached", lambda: "&engine=warehouse", 0.1)


def await_warehouse(like, system, watch):
    """As of an instant: an answer for which the cache is not asked. Not before the warehouse counts the like, since
    each of these answers costs it some milliseconds."""
    await_true(lambda: "counted" in like.at, watch)
    await_counted(like, system, watch, "warehouse", lambda: f"&engine=warehouse&as_of={int(time.time() * 1000)}", 0.05)


def await_counted(like, system, watch, name, query, pause):
    client = Client(system.read, system.token)

    def is_counted():
        try:
            items = client.send("GET", f"/api/v1/feed?limit=100{query()}", like.viewer)["items"]
        except Refused as refused:
            if refused.status != 503:  # the warehouse is late: ask again
                raise
            return False
        posts = (item["post"] for item in items)
        return any(post["id"] == like.post["id"] and post["likes"] > like.post["likes"] for post in posts)

    if await_true(is_counted, watch, pause):
        like.at[name] = time.time()


def await_true(condition, watch, pause=0.01):
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while not condition():
        if watch.failed:
            raise watch.failed
        if time.monotonic() > give_up:
            return False
        time.sleep(pause)
    return True


def make_likes(system, viewers, count):
    """Of new users, each of another post: the last one that one of the viewers is shown on their first page."""
    client = Client(system.read, system.token)
    likes, taken = [], set()
    for viewer in viewers:
        items = [item["post"] for item in client.send("GET", "/api/v1/feed?limit=20", viewer)["items"]]
        post = next((post for post in reversed(items) if post["id"] not in taken), None)
        if post is None:
            continue
        taken.add(post["id"])
        fan = client.send("POST", "/api/v1/users", None, {"handle": f"fan-{time.monotonic_ns()}", "name": ""})
        likes.append(Like(fan["id"], viewer, post))
        if len(likes) == count:
            break
    return likes


def follow_likes(system, viewers, count, every):
    """Likes that were sent one in `every` seconds, with the instants at which they were seen."""
    likes = make_likes(system, viewers, count)
    with Watch(system) as watch, ThreadPoolExecutor(AT_ONCE) as pool:
        sent = [pool.submit(send_and_follow, like, system, watch) for like in paced(every, likes)]
        for one in sent:
            one.result()
    return likes


def durations(likes, start, end):
    """Milliseconds of one leg, of the likes that were seen at both ends."""
    return [(like.at[end] - like.at[start]) * 1000 for like in likes if start in like.at and end in like.at]


def rows(likes):
    """(leg, P50, P95, how many of the likes) for each leg that there is."""
    for name, start, end in LEGS:
        times = durations(likes, start, end)
        if times:
            yield name, statistics.median(times), percentile(times, 0.95), len(times)
