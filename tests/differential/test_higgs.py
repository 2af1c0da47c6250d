"""The Higgs set: for viewers drawn at random, at quiet, peak and last hours, the binary ranks as the oracle does.

The seed is printed and taken from NOVAFEED_SEED where that is set. Skipped where the data is not installed.
"""

import os
import random
import time

import pytest

from differential import rankings
from harness import test_data
from oracle import oracle

VIEWERS = 200
MIDNIGHT = 1_341_360_000_000  # 2012-07-04T00:00:00Z, the day of the announcement
PEAK = MIDNIGHT + 8 * oracle.HOUR_MS
END = MIDNIGHT + 4 * oracle.DAY_MS - 1

pytestmark = [
    pytest.mark.skipif(test_data("higgs") is None, reason="the Higgs set is not installed (NOVAFEED_TEST_DATA)"),
    pytest.mark.skipif(os.environ.get("NOVAFEED_TEST_LEVEL") == "fast", reason="./test --fast leaves it out"),
]


@pytest.fixture(name="seed", scope="module")
def print_seed():
    seed = int(os.environ.get("NOVAFEED_SEED", time.time_ns() % 1_000_000))
    print(f"NOVAFEED_SEED={seed}")
    return seed


def draw_viewers(rng: random.Random, state: oracle.State, count: int) -> list[str]:
    """Half of them follow somebody, so that all sources have something to say; one is unknown."""
    everybody = sorted(state.users)
    followers = sorted(user for user, targets in state.following.items() if targets)
    drawn = rng.sample(everybody, count // 2) + rng.sample(followers, count - count // 2 - 1)
    return [oracle.show_id(user) for user in drawn] + ["ext:a stranger"]


@pytest.mark.parametrize(
    "instant",
    [
        pytest.param(lambda rng: PEAK + rng.randrange(4 * oracle.HOUR_MS), id="at the peak"),
        pytest.param(lambda rng: MIDNIGHT + rng.choice((-1, 0, 1)), id="at midnight"),
        pytest.param(lambda rng: END - rng.randrange(oracle.DAY_MS), id="on the last day"),
        pytest.param(lambda rng: END, id="at the end"),
    ],
)
def test_higgs_is_ranked_as_the_oracle_does(higgs, seed, instant, request):
    data, state = higgs
    rng = random.Random(f"{seed} {request.node.callspec.id}")
    as_of = instant(rng)
    users = draw_viewers(rng, state, VIEWERS // 4)
    found = rankings.rank_differences(data, state, users, as_of, as_of)
    assert not found, "\n".join([f"as of {as_of}:", *found[:5]])
