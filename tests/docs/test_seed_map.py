"""docs/seed-map.md tells the truth: nothing of the seed is missing, and what it names exists."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Every name that the seed introduces; the map may hold more.
SEED_NAMES = """
users posts comments likes follows cdc.posts cdc.follows cdc.comments cdc.likes events nova-postgres-cdc
debezium-postgres-connector.json schema.sql events_raw events_kafka posts_cdc follows_cdc comments_cdc likes_cdc
post_metrics_1h user_author_90d hot_posts_1h follow_graph mv_events_ingest mv_post_metrics_1h mv_user_author_90d
feed_recent_follows post_ranking_scores FeedService get_personalized_feed get_follow_candidates
get_trending_candidates get_affinity_candidates merge_candidates RankedPost FeedItem HotPostGenerator
SuggestedUsersGenerator FeedCacheWarmer feed_service.rs redis_job.rs hot:posts:1h suggest:users:{user_id}
feed:v1:{user_id}:{offset}:{limit}
""".split() + ["GET /feed", "GET /api/v1/feed", "POST /events", "GET /api/v1/discover/suggested-users"]


def rows():
    found = []
    for line in (ROOT / "docs/seed-map.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 5 and cells[0] != "seed's name" and not cells[0].startswith("---"):
            found.append(dict(zip(("name", "state", "file", "test", "why"), cells)))
    return found


def unquoted(cell):
    return cell.strip("`")


def test_no_name_of_the_seed_is_missing():
    mapped = {unquoted(row["name"]) for row in rows()}
    assert not set(SEED_NAMES) - mapped


def test_no_name_stands_twice():
    names = [row["name"] for row in rows()]
    assert len(names) == len(set(names))


def test_each_row_is_built_or_not_yet():
    for row in rows():
        assert row["state"] in ("built", "not yet"), row
        if row["state"] == "not yet":
            assert not row["file"] and not row["test"], f"{row['name']} is not yet, and names a file or test"
        else:
            assert row["file"] and row["test"], f"{row['name']} is built, and names no file or no test"


def test_files_exist():
    for row in rows():
        if row["state"] == "built":
            assert (ROOT / unquoted(row["file"])).is_file(), row


def test_tests_exist():
    for row in rows():
        if row["state"] == "built":
            file, name = unquoted(row["test"]).split("::")
            assert re.search(rf"\b{re.escape(name)}", (ROOT / file).read_text()), row
