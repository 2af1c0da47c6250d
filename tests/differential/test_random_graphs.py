"""Random graphs on the edges of every window: the binary's rankings equal the oracle's, id for id, score for score.

NOVAFEED_GRAPHS graphs (default 100), with the generator's seeds from NOVAFEED_GRAPH_SEED (default 0) on. Each is
imported into a fresh data directory and ranked for every user at its instant by `novafeed rank`; some are also served,
and asked over HTTP by offset, by cursor, by mode and for other instants.
"""

import os
import random
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from differential import rankings
from graphs import generate
from harness import Server, scratch_directory
from oracle import compare, oracle

GRAPHS = int(os.environ.get("NOVAFEED_GRAPHS", "100"))
FIRST_SEED = int(os.environ.get("NOVAFEED_GRAPH_SEED", "0"))
SEEDS = range(FIRST_SEED, FIRST_SEED + GRAPHS)
SERVED_EVERY = 12  # of the generator's eight kinds of seeds, each is served now and then, large ones among them
SERVED_VIEWERS = 4
PROCESSES = 2


def check_graph(seed: int) -> list[str]:
    """All differences of one graph, for a reader."""
    graph = generate.generate(seed)
    state = graph.state()
    with scratch_directory() as scratch:
        file, data = Path(scratch, "graph.ndjson"), Path(scratch, "data")
        graph.write(file)
        found = rankings.import_files(data, [file], state.outcomes["bad"])
        rng = random.Random(seed)
        listed_at = graph.as_of + rng.choice((0, 0, 1)) * rng.randint(-oracle.HOUR_MS, oracle.HOUR_MS)
        found += rankings.rank_differences(data, state, graph.viewers, graph.as_of, listed_at)
        if seed % SERVED_EVERY == 0:
            found += check_served(graph, state, data, rng)
    return found


def check_served(graph: generate.Graph, state: oracle.State, data: Path, rng: random.Random) -> list[str]:
    found = []
    with Server(data, test_clock=graph.as_of) as server, server.client(scope="service") as client:
        for user in graph.viewers[:SERVED_VIEWERS]:
            viewer = oracle.api_id("user", user)
            user = user if user.isascii() else oracle.show_id(viewer)  # what a header can hold
            found += check_instants(client, state, user, {})
            found += check_instants(client, state, user, earlier_instants(rng, graph.as_of))
            expected = ranking(state, viewer, graph.as_of, graph.as_of)
            walked = rankings.feed_by_cursor(client, user, rng.randint(1, 100), explain=1)
            found += named(user, "walk by cursor", expected, walked)
            expected = oracle.ranking_json(viewer, 0, 0, oracle.following(state, viewer, graph.as_of))["items"]
            walked = rankings.feed_by_cursor(client, user, rng.randint(1, 100), mode="following")
            found += named_following(user, expected, walked)
    return found


def earlier_instants(rng: random.Random, now: int) -> dict:
    """What a service may ask for: both at most an hour old, in either order."""
    return {name: now - rng.randrange(oracle.HOUR_MS) for name in ("as_of", "trending_as_of")}


def check_instants(client, state: oracle.State, user: str, instants: dict) -> list[str]:
    answer = rankings.feed_by_offset(client, user, explain=1, **instants)
    as_of, trending_as_of = answer["as_of"], answer["trending_as_of"]
    wrong = [f"{user}: asked for {instants}, {name} is not" for name, at in instants.items() if answer[name] != at]
    expected = ranking(state, oracle.api_id("user", user), as_of, trending_as_of)
    return wrong + named(user, f"by offset as of {as_of}, trending {trending_as_of}", expected, answer["items"])


def ranking(state: oracle.State, viewer: oracle.Id, as_of: int, trending_as_of: int) -> list[dict]:
    items = oracle.rank(state, viewer, as_of, oracle.trending_list(state, trending_as_of))
    return oracle.ranking_json(viewer, as_of, trending_as_of, items)["items"]


def named(user: str, way: str, expected: list[dict], items: list[dict]) -> list[str]:
    problem = compare.items_difference(expected, [rankings.row_of(item) for item in items])
    return [f"{user}, {way}: {problem}"] if problem else []


def named_following(user: str, expected: list[dict], items: list[dict]) -> list[str]:
    """mode=following shows no parts of a score: only what its rows have is compared."""
    actual = [rankings.row_of(item) for item in items]
    kept = [{name: row.get(name) for name in got} for row, got in zip(expected, actual)] + expected[len(actual) :]
    for place, (wanted, got) in enumerate(zip(kept, actual), 1):
        if wanted != got:
            return [f"{user}, following, place {place}: expected {wanted}, got {got}"]
    if len(kept) != len(actual):
        return [f"{user}, following: expected {len(kept)} items, got {len(actual)}"]
    return []


@pytest.fixture(name="checks", scope="module")
def start_checks():
    """The graphs are checked by processes beside each other; a test only waits for its own."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        yield {seed: pool.submit(check_graph, seed) for seed in SEEDS}


@pytest.mark.parametrize("seed", SEEDS)
def test_graph_is_ranked_as_the_oracle_does(checks, seed):
    found = checks[seed].result()
    assert not found, "\n".join([f"tests/graphs/generate.py --seed {seed} --out graph.ndjson", *found])


def test_a_tenth_of_the_graphs_is_large():
    assert 10 * sum(map(generate.is_large, SEEDS)) >= GRAPHS
