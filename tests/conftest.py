"""Labels of tests: `pytest -m social tests/api` runs those of the social graph and of what is made from it."""

from __future__ import annotations

from pathlib import Path

import pytest

SOCIAL = {"test_graph.py", "test_feed.py", "test_suggestions.py", "test_trending.py", "test_end_to_end.py"}


def pytest_configure(config):
    config.addinivalue_line("markers", "social: users, posts, comments, likes, follows, and the feeds made from them")


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(item.path).name in SOCIAL:
            item.add_marker(pytest.mark.social)
