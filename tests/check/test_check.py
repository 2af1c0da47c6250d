"""`novafeed check` finds what is planted, names it, mends it, and finds nothing where nothing is wrong."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
import uuid

import pytest

from check.conftest import disagreements
from check.damage import DRIFTS, ROWS, Damage, Drift, Planted, like_too_many_in_snapshot
from harness import binary, novafeed, post_id, wait_until

FAST = os.environ.get("NOVAFEED_TEST_LEVEL") == "fast"
LONG = os.environ.get("NOVAFEED_TEST_LEVEL") == "long"


def examples_of(outcome: dict, table: str) -> list[dict]:
    return next(entry for entry in outcome["tables"] if entry["name"] == table)["examples"]


def assert_named(outcome: dict, planted: Planted) -> None:
    assert any(
        example["kind"] == planted.kind and planted.key in example["key"] and planted.detail in example["detail"]
        for example in examples_of(outcome, planted.table)
    ), (planted, disagreements(outcome))


def mend(platform) -> dict:
    """Repairs: what was found before, where all agrees afterwards."""
    status, outcome = platform.check("--repair")
    assert (status, outcome["agree"]) == (0, True), disagreements(outcome)
    assert outcome["mended"] and outcome["after"]["differences"] == 0
    return outcome


def test_all_agree_after_a_busy_past_and_after_its_replay(platform):
    outcome = platform.assert_agrees()
    compared = {table["name"]: table["compared"] for table in outcome["tables"]}
    assert all(compared.values()), compared
    assert outcome["position"] == outcome["warehouse_position"] == outcome["index_position"]
    platform.replay_the_whole_log()
    platform.assert_agrees()


# Before there are many damages: a purge goes through all parts of all tables, and repairs make many.
def test_it_agrees_after_a_user_was_erased_and_purged_and_the_log_came_again(platform):
    with platform.server.client(scope="service") as client:
        leaving = client.post("/api/v1/users", {"handle": "leaving", "name": "Leaving"}).expect(201).json()["id"]
    post = post_id(platform.people.press_posts()[0])
    at = platform.server.now()
    with platform.server.client(leaving) as client:
        client.put(f"/api/v1/posts/{post}/like").expect(204)
        client.post(f"/api/v1/posts/{post}/comments", {"text": "goodbye"}).expect(201)
        client.post("/api/v1/posts", {"text": "goodbye"}).expect(201)
        for kind in ("impression", "share", "view"):
            event = {"event_id": str(uuid.uuid4()), "type": kind, "post_id": post, "at": at}
            client.post("/api/v1/events", {"events": [event]}).expect(202)
        platform.assert_agrees()
        client.delete(f"/api/v1/users/{leaving}").expect(204)
    platform.assert_agrees()
    with platform.server.admin() as admin:
        assert admin.post("/admin/purge", {}).expect(200).json()["users"] == 1
    platform.assert_agrees()
    platform.replay_the_whole_log()
    platform.assert_agrees()


def test_damages_planted_together_are_each_named_and_mended(platform):
    with platform.olap() as olap:
        planted = [damage.plant(olap) for damage in ROWS]
    status, outcome = platform.check()
    assert (status, outcome["agree"]) == (1, False)
    for damage in planted:
        assert_named(outcome, damage)
    mend(platform)
    platform.assert_agrees()


@pytest.mark.skipif(FAST, reason="each by itself takes a few seconds; together they are planted above")
@pytest.mark.parametrize("damage", ROWS if LONG else ROWS[::4], ids=str)
def test_a_planted_damage_is_found_named_and_mended(platform, damage: Damage):
    with platform.olap() as olap:
        planted = damage.plant(olap)
    assert_named(mend(platform), planted)


def drift_away(platform, drift: Drift) -> None:
    with platform.olap() as olap:
        for statement in drift.sql.split("; "):
            olap.read(statement)


def assert_drift_named(outcome: dict, drift: Drift) -> None:
    assert any(
        (entry["object"], entry["kind"]) == (drift.object, drift.kind) and drift.detail in entry["detail"]
        for entry in outcome["schema"]
    ), (drift, outcome["schema"])


def test_a_schema_that_drifted_everywhere_is_named_and_mended(platform):
    for drift in DRIFTS:
        drift_away(platform, drift)
    status, outcome = platform.check()
    assert status == 1
    for drift in DRIFTS:
        assert_drift_named(outcome, drift)
    mend(platform)
    platform.assert_agrees()


@pytest.mark.skipif(FAST, reason="each by itself takes a few seconds; together they are planted above")
@pytest.mark.parametrize("drift", DRIFTS if LONG else DRIFTS[::4], ids=str)
def test_a_schema_that_drifted_is_named_and_mended(platform, drift: Drift):
    drift_away(platform, drift)
    assert_drift_named(mend(platform), drift)


def test_what_the_schema_does_not_know_is_named_and_left_alone(platform):
    with platform.olap() as olap:
        olap.read("CREATE TABLE novafeed.notes (text String) ENGINE = Memory")
        status, outcome = platform.check("--repair")
        assert status == 1
        assert outcome["mended"] == []
        (notes,) = outcome["after"]["schema"]
        assert (notes["object"], notes["kind"]) == ("notes", "extra") and "not the warehouse's" in notes["detail"]
        olap.read("CREATE DATABASE mine")
        olap.read("RENAME TABLE novafeed.notes TO mine.notes")
        platform.assert_agrees()
        olap.read("DROP DATABASE mine")


def test_after_all_repairs_a_replay_changes_nothing(platform):
    platform.replay_the_whole_log()
    platform.assert_agrees()


def test_it_agrees_while_writes_go_on(platform):
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            platform.act(5)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        ends = [platform.assert_agrees()["position"]["changes"] for _ in range(3)]
    finally:
        done.set()
        writer.join()
    assert ends[0] < ends[1] < ends[2]


def test_it_says_in_words_what_differs(platform):
    with platform.olap() as olap:
        planted = next(damage for damage in ROWS if damage.name == "a lost event").plant(olap)
    done = novafeed("check", "--data", platform.server.data, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("differ at change ")
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert any(line.startswith("events_raw: ") and line.endswith(" compared, 1 missing") for line in lines), lines
    assert any(line.startswith("missing ") and planted.key in line for line in lines), lines
    done = novafeed("check", "--data", platform.server.data, "--repair")
    assert "mended events_raw: 1 key\n" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("agree at change ")


def test_of_a_warehouse_that_is_another_platforms_it_says_so_and_what_to_do(tmp_path):
    for name in ("one", "other"):
        line = json.dumps({"type": "user", "id": name, "at": 1_700_000_000_000})
        novafeed("import", "-", "--data", tmp_path / name, text_in=line)
    novafeed("check", "--data", tmp_path / "one")
    (tmp_path / "one" / "olap").rename(tmp_path / "other" / "olap")
    done = novafeed("check", "--data", tmp_path / "other", check=False)
    assert done.returncode == 1
    assert "another data set" in done.stderr and "remove the folder olap" in done.stderr, done.stderr


def metric(platform, name: str) -> float:
    with platform.server.admin() as admin:
        lines = admin.get("/metrics").expect(200).body.decode().splitlines()
    return float(next(line for line in lines if line.startswith(name + " ")).rsplit(" ", 1)[1])


def test_metrics_tell_of_the_last_check(platform):
    before = metric(platform, "novafeed_check_last_success_seconds")
    with platform.olap() as olap:
        next(damage for damage in ROWS if damage.name == "a wrong counter").plant(olap)
    assert platform.check()[0] == 1
    assert metric(platform, 'novafeed_check_differences{table="post_counters"}') == 1
    assert metric(platform, "novafeed_check_last_success_seconds") == before
    mend(platform)
    assert metric(platform, 'novafeed_check_differences{table="post_counters"}') == 0
    assert metric(platform, "novafeed_check_last_success_seconds") > before


class Watch:
    """`novafeed check --watch` beside a server, and what it has said so far."""

    def __init__(self, data) -> None:
        command = [binary(), "check", "--data", data, "--json", "--watch", "--set", "check.watch_every=1s"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: SIM115 (ended in close)
        self._outcomes: list[dict] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        with self._process.stdout as lines:
            for line in lines:
                self._outcomes.append(json.loads(line))

    def await_outcome(self, agrees: bool, what: str) -> dict:
        """The next outcome of this kind that comes from now on."""
        seen = len(self._outcomes)

        def found() -> dict | None:
            return next((outcome for outcome in self._outcomes[seen:] if outcome["agree"] == agrees), None)

        return wait_until(found, what, seconds=120)

    def close(self) -> None:
        assert self._process.poll() is None, "it watches until it is ended"
        self._process.terminate()
        self._process.wait()
        self._reader.join()


def test_a_watch_and_its_metrics_follow_a_damage_and_its_repair(platform):
    def differences() -> float:
        return metric(platform, 'novafeed_check_differences{table="follow_graph"}')

    with contextlib.closing(Watch(platform.server.data)) as watch:
        watch.await_outcome(True, "a first check")
        with platform.olap() as olap:
            planted = next(damage for damage in ROWS if damage.name == "a lost follower").plant(olap)
        assert_named(watch.await_outcome(False, "a report of the damage"), planted)
        assert differences() == 1
        agreed_at = metric(platform, "novafeed_check_last_success_seconds")
        watch.await_outcome(False, "a second report: nothing is mended by watching")
        assert metric(platform, "novafeed_check_last_success_seconds") == agreed_at
        assert platform.check("--repair")[0] == 0
        watch.await_outcome(True, "a check after the repair")
        assert differences() == 0
        assert metric(platform, "novafeed_check_last_success_seconds") > agreed_at


def test_an_index_counter_that_is_off_by_one_is_found_and_mended(platform):
    server = platform.server
    with platform.olap() as olap:
        post, created_at = olap.read(
            "SELECT id, toUnixTimestamp64Milli(created_at) FROM novafeed.posts_cdc FINAL WHERE isNull(deleted_at) "
            "ORDER BY id LIMIT 1 FORMAT TabSeparated"
        ).split()
    server.stop()
    like_too_many_in_snapshot(server.data / "index.snapshot", post, int(created_at))
    server.start()
    status, outcome = platform.check()
    assert status == 1
    (example,) = examples_of(outcome, "index.posts")
    assert (example["kind"], example["key"]) == ("different", f"id={post}") and "likes" in example["detail"]
    mend(platform)
    with server.client() as client:
        assert client.get(f"/api/v1/posts/{post}").expect(200).json()["likes"] == int(example["detail"].split()[-1])
    server.restart(kill=True)
    platform.assert_agrees()


def test_a_stopped_directory_is_checked_and_mended(platform):
    server = platform.server
    with platform.olap() as olap:
        planted = next(damage for damage in ROWS if damage.name == "a lost hour of a set").plant(olap)
    server.stop()
    status, outcome = platform.check()
    assert status == 1
    assert any(planted.key in example["key"] for example in examples_of(outcome, planted.table))
    mend(platform)
    done = novafeed("check", "--data", server.data, "--watch", check=False)
    assert done.returncode == 2 and "running server" in done.stderr
    server.start()
    platform.assert_agrees()
