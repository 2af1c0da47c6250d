"""Everybody else's rankings after erasures are those of the oracle, before and after the purge, live and built anew."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from differential import rankings
from graphs import generate
from harness import Server, scratch_directory
from oracle import oracle

SEEDS = range({"fast": 4, "full": 12, "long": 60}[os.environ.get("NOVAFEED_TEST_LEVEL", "full")])
ERASED = 3


@pytest.mark.parametrize("seed", SEEDS)
def test_rankings_after_erasures_are_those_of_the_oracle(seed):
    graph = generate.generate(seed)
    state = graph.state()
    rng = random.Random(seed)
    with scratch_directory() as scratch:
        file, data = Path(scratch, "graph.ndjson"), Path(scratch, "data")
        graph.write(file)
        assert rankings.import_files(data, [file], state.outcomes["bad"]) == []
        authors = sorted(user for user in state.users if state.posts_by_author[user] or state.following[user])
        gone = rng.sample(authors, min(ERASED, len(authors)))
        viewers = [user for user in graph.viewers if oracle.api_id("user", user) not in gone]
        with Server(data, test_clock=graph.as_of) as server, server.admin() as admin:
            erasing = server.client(scope="admin")
            for user in gone:
                erasing.delete(f"/api/v1/users/{oracle.show_id(user)}").expect(204)
                state.erase(user)
            assert rankings.rank_differences(data, state, viewers, graph.as_of, graph.as_of) == [], "erased"
            assert admin.post("/admin/purge", {}).expect(200).json()["users"] == len(gone)
            assert rankings.rank_differences(data, state, viewers, graph.as_of, graph.as_of) == [], "purged"
            server.restart()
            assert rankings.rank_differences(data, state, viewers, graph.as_of, graph.as_of) == [], "started again"
            server.stop()
            (data / "index.snapshot").unlink()
            assert rankings.rank_differences(data, state, viewers, graph.as_of, graph.as_of) == [], "built anew"
