"""The index boots from its snapshot, else from the warehouse, else from the tables; its numbers are the same."""

import json
import re

import pytest

from harness import Server, novafeed, user_id, wait_until
from harness.olap import WRITER, OlapClient, password_of
from program.conftest import ACTIONS, DAY, HOUR, NOON, write_ndjson

# No snapshot is written while a test runs, only when it stops the server.
SETTINGS = {"warehouse.engine": "chdb", "warehouse.refresh_every": "20ms", "index.snapshot_every": "1d"}

EVENTS = [
    {"type": kind, "id": f"{kind}-{n}", "user": "ann", "post": f"post-{n}", "at": NOON - 10 * DAY + n * 3 * HOUR + 2}
    for n in range(0, 80, 3)
    for kind in ("impression", "view", "share")
]


def page(server):
    """Ann's feed with everything that its scores were computed from."""
    with server.client(user_id("ann")) as client:
        return client.get("/api/v1/feed", limit=100, explain=1).expect(200).json()["items"]


def boots(server):
    """(source, reason) of each novafeed_index_boots_total that is not 0."""
    with server.admin() as admin:
        text = admin.get("/metrics").expect(200).body.decode()
    found = re.findall(r'^novafeed_index_boots_total\{reason="([^"]*)",source="([^"]*)"\} [1-9]', text, re.MULTILINE)
    return [(source, reason) for reason, source in found]


def lines_of(server, event):
    return [line for line in map(json.loads, server.log().splitlines()) if line["event"] == event]


def wait_until_filled(server):
    def is_filled():
        with server.admin() as admin:
            status = admin.get("/admin/status").expect(200).json()
        return status["warehouse"]["state"] == "following" and status["warehouse"]["applied"] == status["log_end"]

    wait_until(is_filled, "the warehouse has the whole log", seconds=120)


@pytest.fixture
def filled(directory):
    """A stopped data directory with a full warehouse and a snapshot, and ann's feed."""
    data = directory / "data"
    novafeed("import", write_ndjson(directory / "actions.ndjson", ACTIONS + EVENTS), "--data", data)
    with Server(data, test_clock=NOON, settings=SETTINGS) as server:
        wait_until_filled(server)
        expected = page(server)
        assert server.stop() == 0
    assert len(expected) == 80 and any(item["explain"]["engagement"]["shares"] for item in expected)
    return data, expected


def test_a_snapshot_comes_first(filled):
    data, expected = filled
    with Server(data, test_clock=NOON, settings=SETTINGS) as server:
        assert boots(server) == [("snapshot", "")]
        assert page(server) == expected


def test_without_a_snapshot_it_is_the_warehouse(filled):
    data, expected = filled
    (data / "index.snapshot").unlink()
    with Server(data, test_clock=NOON, settings=SETTINGS) as server:
        assert boots(server) == [("warehouse", "no_snapshot")], server.log()
        assert page(server) == expected
        with server.client(user_id("ann")) as client:
            client.put(f"/api/v1/posts/{expected[0]['post']['id']}/like").expect(204)
        wait_until_filled(server)  # the sink goes on
        changed = page(server)
        server.kill()
    with Server(data, test_clock=NOON, settings=SETTINGS) as server:
        assert boots(server) == [("warehouse", "no_snapshot")], server.log()
        assert page(server) == changed


def test_without_an_engine_it_is_the_tables(filled, directory):
    data, expected = filled
    (data / "index.snapshot").unlink()
    for settings in ({"warehouse.engine": "off"}, {"olap.library": directory / "none.so"}):
        with Server(data, test_clock=NOON, settings=SETTINGS | settings) as server:
            assert boots(server) == [("tables", "no_snapshot")]
            assert page(server) == expected
            server.kill()


def test_a_warehouse_that_contradicts_itself_is_not_used(filled):
    data, expected = filled
    with Server(data, test_clock=NOON, settings=SETTINGS) as server:
        wait_until_filled(server)
        url = json.loads((data / "olap" / "serve.json").read_text(encoding="utf-8"))["url"]
        with OlapClient(url, WRITER, password_of(data, WRITER)) as writer:
            writer.read(
                "INSERT INTO novafeed.post_counters SELECT * REPLACE (likes + 7 AS likes, _version + 1 AS _version) "
                "FROM novafeed.post_counters FINAL"
            )
        server.kill()
    (data / "index.snapshot").unlink()
    with Server(data, test_clock=NOON, settings=SETTINGS) as server:
        assert boots(server) == [("tables", "index_boot_mismatch")]
        assert page(server) == expected
        line = lines_of(server, "index_boot_mismatch")[0]
        assert line["level"] == "error"
        assert "likes of post" in line["reason"] and "seed" in line["reason"]


def test_an_engine_that_does_not_start_in_time_is_not_waited_for(filled, directory):
    data, expected = filled
    (data / "index.snapshot").unlink()
    hanging = directory / "hanging"
    hanging.write_text("#!/bin/sh\nexec sleep 1000\n", encoding="utf-8")
    hanging.chmod(0o700)
    with Server(data, test_clock=NOON, settings=SETTINGS | {"olap.program": hanging}) as server:
        assert boots(server) == [("tables", "warehouse_busy")]
        assert page(server) == expected
        server.kill()
