"""The checks of the cursor walks notice each broken promise; a walk that keeps all is let through."""

import pytest

from differential import walks
from differential.walks import Page, Walk

NOW = 1_700_000_000_000
AN_HOUR_ON = NOW + walks.WALK_LASTS_MS
PROMISES = (
    walks.nothing_twice,
    walks.pages_are_full,
    walks.what_stays_is_served,
    walks.never_behind,
    walks.as_of_lasts_an_hour,
    walks.trending_is_fresh,
    walks.pages_are_the_first_of_what_is_left,
    walks.the_end_is_the_end,
)


def page(served, ranking, *, last=False, now=NOW, **other):
    """A page of single-letter posts; their places are alphabetical."""
    values = {
        "now": now,
        "as_of": NOW,
        "trending_as_of": now,
        "degraded": [],
        "served": list(served),
        "ranking": list(ranking),
        "is_last": last,
        "places": {post: (0, post) for post in ranking},
    }
    return Page(**(values | other))


def walk(*pages, mode="for_you", limit=2):
    return Walk("v", mode, limit, pages=list(pages))


def broken(taken):
    return {promise.__name__ for promise in PROMISES if promise(taken)}


@pytest.mark.parametrize(
    "kept",
    [
        walk(page("", "", last=True)),
        walk(page("ab", "abc"), page("c", "abc", last=True)),
        walk(page("ab", "abcd"), page("xd", "xdab", last=True)),  # c went, x came
        walk(page("ab", "abc"), page("c", "abc", last=True, now=AN_HOUR_ON, as_of=AN_HOUR_ON)),
        walk(page("bc", "bcd"), page("d", "abcd", last=True), mode="following"),  # a is newer than the place
    ],
)
def test_a_walk_that_keeps_its_promises(kept):
    assert not broken(kept)


@pytest.mark.parametrize(
    ("taken", "promise"),
    [
        (walk(page("ab", "abc"), page("ac", "abc", last=True)), "nothing_twice"),
        (walk(page("a", "abc"), page("bc", "abc", last=True)), "pages_are_full"),
        (walk(page("ab", "abcd"), page("d", "abcd", last=True)), "what_stays_is_served"),
        (walk(page("ab", "ab", last=True, degraded=["behind"])), "never_behind"),
        (walk(page("ab", "abc"), page("c", "abc", last=True, as_of=NOW + 1, now=NOW + 1)), "as_of_lasts_an_hour"),
        (walk(page("ab", "abc"), page("c", "abc", last=True, now=AN_HOUR_ON)), "as_of_lasts_an_hour"),
        (walk(page("ab", "ab", last=True, trending_as_of=NOW - 1001)), "trending_is_fresh"),
        (walk(page("ba", "ab", last=True)), "pages_are_the_first_of_what_is_left"),
        (walk(page("ab", "abc", last=True)), "the_end_is_the_end"),
        (walk(page("ab", "ab"), page("", "ab", last=True)), "the_end_is_the_end"),
        (walk(page("bc", "bcd"), page("a", "abcd"), mode="following"), "pages_are_the_first_of_what_is_left"),
    ],
)
def test_a_broken_promise_is_noticed(taken, promise):
    assert promise in broken(taken)


def test_at_most_560_are_served_and_then_it_ends():
    posts = [f"{number:04}" for number in range(700)]
    pages = [page(posts[start : start + 80], posts, last=start == 480) for start in range(0, 560, 80)]
    assert not broken(walk(*pages, limit=80))
    pages[-1].is_last = False
    assert broken(walk(*pages, limit=80)) == {"the_end_is_the_end"}
