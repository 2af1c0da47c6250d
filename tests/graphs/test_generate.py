"""The generator keeps its promises: equal seeds, edges, all kinds of actions, large graphs beyond every cut."""

import json
import random
from collections import Counter

from graphs import generate
from oracle import oracle

SMALL_SEEDS = [seed for seed in range(1, 60) if not generate.is_large(seed)]


def test_equal_seeds_give_equal_graphs_and_others_do_not():
    assert generate.generate(8) == generate.generate(8)
    assert generate.generate(1) == generate.generate(1)
    assert generate.generate(1).lines != generate.generate(2).lines


def test_graphs_of_several_slots_share_neither_names_nor_time():
    names, end = set(), 0
    for slot, seed in enumerate((1, 2, 8, 3)):
        graph = generate.generate(seed, slot)
        state = graph.state()
        of_graph = {*state.posts, *state.users, *state.comments}
        assert not names & of_graph
        names |= of_graph
        times = [post.created_at for post in state.posts.values()]
        assert min(times) > end
        end = max(*times, graph.as_of + generate.DAY)


def test_small_graphs_use_every_outcome_and_every_type():
    outcomes, types = Counter(), Counter()
    for seed in SMALL_SEEDS:
        graph = generate.generate(seed)
        outcomes += graph.state().outcomes
        types += Counter(json.loads(line)["type"] for line in graph.lines if line.startswith('{"type": '))
    assert set(outcomes) == {"applied", "no-op", "conflict", "duplicate", "bad"}
    assert set(types) >= set(oracle.FOLDS)


def test_small_graphs_sit_on_every_edge():
    unseen = set(range(len(generate.edges(0))))
    for seed in SMALL_SEEDS:
        graph = generate.generate(seed)
        times = {post.created_at for post in graph.state().posts.values()}
        unseen -= {place for place, at in enumerate(generate.edges(graph.as_of)) if at in times}
    assert not unseen


def test_small_rankings_show_every_source_and_ties():
    sources, ties = Counter(), 0
    for seed in SMALL_SEEDS:
        graph = generate.generate(seed)
        state, as_of = graph.state(), graph.as_of
        for viewer in graph.viewers:
            items = oracle.rank(state, oracle.api_id("user", viewer), as_of, oracle.trending_list(state, as_of))
            sources.update(item.source for item in items)
            keys = [oracle.ranking_order(item)[:2] for item in items if item.source != "fallback"]
            ties += len(keys) - len(set(keys))
    assert set(sources) == {"follow", "trending", "affinity", "fallback"}
    assert ties > 100


def test_at_least_a_tenth_is_large_and_passes_every_cut():
    seeds = [seed for seed in range(300) if generate.is_large(seed)]
    assert len(seeds) >= 30
    for seed in seeds[:4]:
        graph = generate.generate(seed)
        assert graph.large
        assert generate.large_shortcoming(graph) is None


def test_a_shortcoming_is_noticed():
    graph = generate.generate(8)
    graph.lines = [line for line in graph.lines if '"follow"' not in line]
    assert generate.large_shortcoming(graph) == "0 follow candidates"


def test_as_of_is_often_at_midnight_and_on_the_hour():
    rng = random.Random(5)
    offsets = Counter(min((generate.choose_as_of(rng) + 1) % generate.DAY, 3) for _ in range(400))
    assert min(offsets[place] for place in range(3)) > 10
