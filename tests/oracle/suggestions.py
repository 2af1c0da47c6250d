"""Suggested users by brute force: the paragraph of the contract's section 1, sentence by sentence, over oracle.State."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from oracle.oracle import Id, State, interactions

LATEST_FOLLOWEES = 500
LATEST_FOLLOWERS = 1000
NEIGHBOURS = 200
FILLED_UNTIL = 20
REASONS = 3


@dataclass
class Suggested:
    user: Id
    score: float
    mutual_followers: int
    affinity_score: float
    mutual: list[Id] = field(default_factory=list)  # those whom the viewer followed last


class Graph:
    """The follows of a state, both ways."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.following: dict[Id, dict[Id, int]] = {user: dict(state.following.get(user, {})) for user in state.users}
        self.followers: dict[Id, dict[Id, int]] = {user: {} for user in state.users}
        for user, followees in self.following.items():
            for followee, at in followees.items():
                self.followers[followee][user] = at


def latest(follows: dict[Id, int], limit: int) -> list[Id]:
    return sorted(follows, key=lambda user: (-follows[user], user))[:limit]


def neighbours_of(graph: Graph, viewer: Id) -> list[tuple[Id, float]]:
    """(user, sim), nearest first."""
    overlap: Counter[Id] = Counter()
    followed = graph.following.get(viewer, {})
    for followee in latest(followed, LATEST_FOLLOWEES):
        overlap.update(latest(graph.followers[followee], LATEST_FOLLOWERS))
    del overlap[viewer]
    near = [(user, count / math.sqrt(len(followed) * len(graph.following[user]))) for user, count in overlap.items()]
    return sorted(near, key=lambda entry: (-entry[1], entry[0]))[:NEIGHBOURS]


def suggested_users(
    graph: Graph, viewer: Id, as_of: int, dismissed: frozenset[Id] = frozenset(), limit: int = 20
) -> list[Suggested]:
    near = neighbours_of(graph, viewer)
    excluded = {viewer, *graph.following.get(viewer, {}), *dismissed}
    candidates = {one for user, _ in near for one in latest(graph.following[user], LATEST_FOLLOWEES)} - excluded
    scores = {}
    for one in candidates:
        scores[one] = 0.0
        for user, similarity in near:
            if one in graph.following[user]:
                scores[one] += similarity / math.log2(2 + len(graph.followers[one]))
    ranked = sorted(scores, key=lambda user: (-scores[user], user))
    if len(ranked) < FILLED_UNTIL:
        others = graph.state.users - excluded - set(ranked)
        popular = sorted(others, key=lambda user: (-len(graph.followers[user]), user))
        ranked += popular[: FILLED_UNTIL - len(ranked)]
    return [describe(graph, viewer, as_of, user, scores.get(user, 0.0), near) for user in ranked[:limit]]


def describe(graph: Graph, viewer: Id, as_of: int, user: Id, score: float, near: list[tuple[Id, float]]) -> Suggested:
    mine = graph.following.get(viewer, {})
    mutual = {one: at for one, at in mine.items() if user in graph.following[one]}
    given = sum(interactions(graph.state, neighbour, as_of)[user] for neighbour, _ in near)
    affinity = round(math.log1p(given), 4)
    return Suggested(user, score, len(mutual), affinity, latest(mutual, REASONS))
