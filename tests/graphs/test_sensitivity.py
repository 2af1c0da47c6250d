"""The graphs notice a rule that is off by the least: each change of the oracle below changes some ranking.

Two rules cannot be seen in a ranking and are not here: the cut of the follow source (what is beyond it has 500 better
posts before it in the ranking, too), and that one's own posts are no interactions (they are in no source).
"""

import pytest

from graphs import generate
from oracle import oracle

SEEDS = range(1, 81)


def rankings_of(graph, state):
    trending = oracle.trending_list(state, graph.as_of)
    viewers = graph.viewers[: 1 if graph.large else None]
    ranked = [oracle.rank(state, oracle.api_id("user", viewer), graph.as_of, trending) for viewer in viewers]
    return [[(item.post.id, item.source, item.score) for item in items] for items in ranked]


@pytest.fixture(name="graphs", scope="module")
def rank_graphs():
    graphs = []
    for seed in SEEDS:
        graph = generate.generate(seed)
        state = graph.state()
        graphs.append((graph, state, rankings_of(graph, state)))
    return graphs


def next_hour_too(at, as_of):
    return 0 <= oracle.hour_of(as_of) - oracle.hour_of(at) + 1 <= oracle.TRENDING_HOURS


def up_to_now(at, as_of):
    return at <= as_of and oracle.hour_of(as_of) - oracle.hour_of(at) < oracle.TRENDING_HOURS


CHANGES = {
    "the follow window reaches 1 ms further": ("FOLLOW_WINDOW_MS", oracle.FOLLOW_WINDOW_MS + 1),
    "the follow window is 1 ms shorter": ("FOLLOW_WINDOW_MS", oracle.FOLLOW_WINDOW_MS - 1),
    "the post window reaches 1 ms further": ("POST_WINDOW_MS", oracle.POST_WINDOW_MS + 1),
    "the post window is 1 ms shorter": ("POST_WINDOW_MS", oracle.POST_WINDOW_MS - 1),
    "25 hours trend": ("TRENDING_HOURS", 25),
    "23 hours trend": ("TRENDING_HOURS", 23),
    "the next hour trends": ("in_trending_hours", next_hour_too),
    "the current hour trends up to now": ("in_trending_hours", up_to_now),
    "91 days of interactions": ("INTERACTION_DAYS", 91),
    "89 days of interactions": ("INTERACTION_DAYS", 89),
    "201 trending posts": ("TRENDING_CUT", 201),
    "201 affinity posts": ("AFFINITY_CUT", 201),
    "a ranking of 501": ("RANKING_CUT", 501),
    "fallback until 21": ("FALLBACK_UNTIL", 21),
    "fallback until 19": ("FALLBACK_UNTIL", 19),
    "ties by id, descending": (
        "ranking_order",
        lambda item: (-item.score, -item.post.created_at, bytes(255 - byte for byte in item.post.id)),
    ),
    "ties by id alone": ("ranking_order", lambda item: (-item.score, item.post.id)),
    "posts of the next millisecond": (
        "is_visible",
        lambda post, as_of: not post.deleted and post.created_at <= as_of + 1,
    ),
    "posts of this very millisecond are hidden": (
        "is_visible",
        lambda post, as_of: not post.deleted and post.created_at < as_of,
    ),
    "deleted posts are shown": ("is_visible", lambda post, as_of: post.created_at <= as_of),
}


@pytest.mark.parametrize(("name", "value"), CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_rule_is_noticed(graphs, monkeypatch, name, value):
    monkeypatch.setattr(oracle, name, value)
    assert any(rankings_of(graph, state) != before for graph, state, before in graphs)
