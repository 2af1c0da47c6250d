"""docs/operations.md names every metric that the sources make, with its kind, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE = re.compile(r'\b(?:Add(Counter|Gauge|Histogram)|Count)\(\s*"(novafeed_\w+)"')
ROW = re.compile(r"^\| `(novafeed_\w+)` \| (\w+)", re.MULTILINE)


def made():
    """Kind by name; `Count` is the store's way to a counter whose labels come with the error."""
    sources = (path for path in (ROOT / "src").rglob("*.cpp") if not path.name.endswith("_test.cpp"))
    return {name: (kind or "Counter").lower() for path in sources for kind, name in MADE.findall(path.read_text())}


def test_the_table_of_metrics_is_complete_and_true():
    rows = ROW.findall((ROOT / "docs/operations.md").read_text())
    assert len(rows) == len({name for name, _ in rows}), "a metric stands twice"
    assert dict(rows) == made()
