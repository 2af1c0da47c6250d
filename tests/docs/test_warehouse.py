"""docs/warehouse.md names every table and view of the schema but the materialized views, with its sort key and TTL."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE = re.compile(r"CREATE (?:TABLE|VIEW) IF NOT EXISTS novafeed\.(\w+)(.*?);\n", re.DOTALL)
SORT_KEY = re.compile(r"ORDER BY (\([^)]*\)|\w+)")
NEW_KEY = re.compile(r"ALTER TABLE novafeed\.(\w+)[^;]* MODIFY ORDER BY (\([^)]*\)|\w+)")
TTL = re.compile(r"TTL (.+? INTERVAL \d+ DAY)")
ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \| (?:`([^`]+)`|-) \| (?:`([^`]+)`|-) \|", re.MULTILINE)


def first(pattern, text):
    found = pattern.search(text)
    return found.group(1) if found else ""


def made():
    scripts = "".join(path.read_text() for path in sorted((ROOT / "schema/clickhouse").glob("*.sql")))
    keys = {}
    for name, definition in MADE.findall(scripts):
        engine = definition[definition.find("\nENGINE"):] if "ENGINE = " in definition else ""
        keys[name] = (first(SORT_KEY, engine), first(TTL, engine))
    for name, key in NEW_KEY.findall(scripts):
        keys[name] = (key, keys[name][1])
    return keys


def test_the_table_of_the_schema_is_complete_and_true():
    rows = ROW.findall((ROOT / "docs/warehouse.md").read_text())
    assert len(rows) == len({name for name, _, _ in rows}), "an object stands twice"
    assert {name: (key, ttl) for name, key, ttl in rows} == made()
