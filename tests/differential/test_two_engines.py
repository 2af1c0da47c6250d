"""Index and warehouse are two ways to one answer: identical ids, sources, order and scores, on random graphs and Higgs.

Many graphs lie in one data set, each in a stretch of time and with names of its own (generate's slots), so that what the
platform shares is still each graph's own at its instant. One `serve` with a warehouse takes the graphs in the order of
time: for each, the held clock moves to its instant, and its viewers are ranked by both engines through `novafeed rank`;
of some graphs the pages are walked over HTTP as well.

NOVAFEED_SEED (printed) draws the viewers; NOVAFEED_GRAPH_SEED (default 0) is the first graph's.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from differential import rankings
from differential.test_higgs import END, MIDNIGHT, PEAK, draw_viewers
from graphs import generate
from harness import (
    WITH_WAREHOUSE,
    Client,
    Server,
    assert_problem,
    await_filled,
    public_document,
    scratch_directory,
    test_data,
    wait_until,
)
from oracle import oracle

LEVEL = os.environ.get("NOVAFEED_TEST_LEVEL", "full")
GRAPHS = {"fast": 8, "long": 1000}.get(LEVEL, 100)
FIRST_SEED = int(os.environ.get("NOVAFEED_GRAPH_SEED", "0"))
PACK = 50  # graphs in one data set
PROCESSES = 2
VIEWERS = 3  # of each graph
WALKED_EVERY = 9  # of the generator's eight kinds of seeds, each now and then
HIGGS_VIEWERS = 500 if LEVEL == "long" else 60  # each takes the engine a quarter of a second


@pytest.fixture(name="seed", scope="module")
def print_seed():
    seed = int(os.environ.get("NOVAFEED_SEED", time.time_ns() % 1_000_000))
    print(f"NOVAFEED_SEED={seed}")
    return seed


def rank_by_both(server: Server, users: list[str], as_of: int, listed_at: int) -> tuple[list[str], Counter]:
    """The differences, and how many items came from which source."""
    by_index, by_warehouse = (
        rankings.rank_by_binary(server.data, users, as_of, listed_at, engine) for engine in ("index", "warehouse")
    )
    assert {ranking["engine"] for ranking in by_warehouse} == {"warehouse"}
    positions = {ranking["position"] for ranking in by_index + by_warehouse}
    found = rankings.differences(by_index, by_warehouse)
    if len(positions) != 1:
        found.append(f"the engines are at different positions: {positions}")
    return found, Counter(item["source"] for ranking in by_index for item in ranking["items"])


class Pack:
    """Some graphs in one data set, and what was found wrong with them."""

    def __init__(self, seeds: range, drawn_by: int) -> None:
        self.rng = random.Random(f"{seeds} {drawn_by}")
        self.graphs = [generate.generate(seed, slot) for slot, seed in enumerate(seeds)]
        self.found: list[str] = []
        self.sources: Counter = Counter()

    def check(self) -> None:
        with scratch_directory() as scratch:
            data = Path(scratch, "data")
            self._import(Path(scratch, "graphs.ndjson"), data)
            with Server(data, test_clock=self.graphs[0].as_of, settings=WITH_WAREHOUSE) as server:
                await_filled(server)
                for graph in self.graphs:
                    self._check_graph(server, graph)

    def _import(self, file: Path, data: Path) -> None:
        state = oracle.State()
        state.begin_file()
        with file.open("w", encoding="utf-8") as out:
            for graph in self.graphs:
                for line in graph.lines:
                    out.write(line + "\n")
                    state.apply_line(line)
        assert not rankings.import_files(data, [file], state.outcomes["bad"])

    def _check_graph(self, server: Server, graph: generate.Graph) -> None:
        users = [graph.viewers[0], *self.rng.sample(graph.viewers[1:], min(VIEWERS - 1, len(graph.viewers) - 1))]
        listed_at = graph.as_of + self.rng.choice((0, 0, 1)) * self.rng.randint(-oracle.HOUR_MS, oracle.HOUR_MS)
        found, sources = rank_by_both(server, users, graph.as_of, listed_at)
        self.sources += sources
        if graph.seed % WALKED_EVERY == 0:
            found += self._walk(server, graph, users)
        self.found += [f"graph {graph.seed}: {problem}" for problem in found]

    def _walk(self, server: Server, graph: generate.Graph, users: list[str]) -> list[str]:
        found = []
        server.set_clock(graph.as_of)
        with server.client(scope="service") as client:
            for user in users:
                user = user if user.isascii() else oracle.show_id(oracle.api_id("user", user))  # what a header can hold
                limit = self.rng.randint(5, 100)  # one for both modes: what is kept of one is no answer to the other
                for mode in ("for_you", "following"):
                    by_index, by_warehouse = (
                        rankings.feed_by_cursor(client, user, limit, mode=mode, engine=engine)
                        for engine in ("index", "warehouse")
                    )
                    if by_index != by_warehouse:
                        found.append(f"{user}, mode={mode}, limit={limit}: walks differ")
        return found


def check_pack(seeds: range, drawn_by: int) -> tuple[list[str], Counter]:
    pack = Pack(seeds, drawn_by)
    pack.check()
    return pack.found, pack.sources


def test_random_graphs(seed):
    last = FIRST_SEED + GRAPHS
    packs = [range(first, min(first + PACK, last)) for first in range(FIRST_SEED, last, PACK)]
    found: list[str] = []
    sources: Counter = Counter()
    with ProcessPoolExecutor(PROCESSES) as pool:
        for problems, of_pack in pool.map(check_pack, packs, [seed] * len(packs)):
            found += problems
            sources += of_pack
    assert not found, "\n".join([f"{len(found)} differences", *found[:5]])
    assert set(sources) == {"follow", "trending", "affinity", "fallback"}, sources


needs_higgs = [
    pytest.mark.skipif(test_data("higgs") is None, reason="the Higgs set is not installed (NOVAFEED_TEST_DATA)"),
    pytest.mark.skipif(LEVEL == "fast", reason="./test --fast leaves it out"),
]


@pytest.fixture(name="served", scope="module")
def serve_higgs(higgs):
    data, _ = higgs
    with Server(data, test_clock=END, settings=WITH_WAREHOUSE) as server:
        await_filled(server)
        yield server


class TestHiggs:
    pytestmark = needs_higgs

    def test_rankings(self, higgs, served, seed):
        _, state = higgs
        rng = random.Random(f"{seed} two engines")
        instants = [PEAK + rng.randrange(4 * oracle.HOUR_MS), MIDNIGHT + rng.choice((-1, 0, 1)), END]
        for as_of in instants:
            users = draw_viewers(rng, state, HIGGS_VIEWERS // len(instants) + 1)
            found, _ = rank_by_both(served, users, as_of, as_of)
            assert not found, "\n".join([f"as of {as_of}:", *found[:5]])

    def test_the_warehouse_answers_while_the_index_boots(self, higgs, served, seed):
        """After kill -9 and without its snapshot, the index takes seconds; the warehouse holds everything already."""
        _, state = higgs
        user = draw_viewers(random.Random(seed), state, 10)[-2]  # one who follows somebody
        with served.client(scope="service") as client:
            before = rankings.feed_page(client, user, limit=50, explain=1)
        served.kill()
        (served.data / "index.snapshot").unlink(missing_ok=True)
        served.start(wait_ready=False)
        headers = {"Novafeed-User": user}
        client = Client(
            announced_url(served), lambda: served.token(scope="service"), headers, document=public_document()
        )

        def answer():
            got = client.get("/api/v1/feed?limit=50&explain=1")
            if got.status != 200:
                assert_problem(got, 503, "booting")
            return got.status == 200 and got.json()

        stood_in = wait_until(answer, "a feed while the index boots", 60)
        assert (stood_in["engine"], stood_in["degraded"]) == ("warehouse", ["booting"])
        assert stood_in["items"] == before["items"]
        assert client.get("/readyz").status == 503
        assert_problem(client.get("/api/v1/feed?engine=index"), 503, "booting")
        served.wait_ready()
        after = client.get("/api/v1/feed?limit=50&explain=1").expect(200).json()
        assert (after["engine"], after["degraded"], after["items"]) == ("index", [], before["items"])
        client.close()


def announced_url(server: Server) -> str:
    """Where it listens, also before it is ready."""

    def url() -> str:
        served = json.loads((server.data / "serve.json").read_text(encoding="utf-8"))
        return served["url"] if served["pid"] == server.pid else ""

    return wait_until(url, "serve says where it listens")
