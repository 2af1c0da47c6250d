"""Replays change nothing: of the whole log, of parts cut anywhere, of the state as a snapshot, of everything from new."""

import random
import shutil

import pytest

from harness import Server
from warehouse.tables import ON, Warehouse, check_counts
from warehouse.world import HOUR_MS, NOON, World

SEED = random.SystemRandom().randrange(1 << 32)


@pytest.fixture(name="scene", scope="module")
def make_scene():
    """A server with a history of a few days, its warehouse, and the truth. Batches are small, so there are many."""
    print(f"seed {SEED}")
    with Server(test_clock=NOON, settings={**ON, "warehouse.batch_rows": 37}) as server:
        world = World(server, SEED)
        for _ in range(12):
            world.act(50)
            server.set_clock(server.now() + world.random.randrange(5 * HOUR_MS))
        warehouse = Warehouse(server)
        warehouse.wait_applied()
        yield server, warehouse, world
        world.close()


def test_the_warehouse_counts_what_was_acknowledged(scene):
    _, warehouse, world = scene
    check_counts(warehouse, world)
    assert not warehouse.read("SELECT * FROM novafeed.ingest_errors")


def test_a_replay_of_the_whole_log_changes_no_table(scene):
    _, warehouse, _ = scene
    before, landed = warehouse.contents(), warehouse.rows_landed()
    warehouse.rewind(changes=0, events=0)
    end = warehouse.status()["log_end"]
    assert warehouse.rows_landed() == landed + end["changes"] + end["events"]
    assert warehouse.contents() == before


def test_replays_of_parts_cut_anywhere_change_no_table(scene):
    _, warehouse, world = scene
    before = warehouse.contents()
    for _ in range(5):
        end = warehouse.status()["log_end"]
        warehouse.rewind(
            changes=world.random.randrange(end["changes"] + 1), events=world.random.randrange(end["events"] + 1)
        )
    assert warehouse.contents() == before


def test_the_state_sent_again_as_a_snapshot_changes_no_table(scene):
    _, warehouse, world = scene
    before, landed = warehouse.contents(), warehouse.rows_landed()
    warehouse.rewind(state=True)
    assert warehouse.rows_landed() > landed + len(world.posts)
    assert warehouse.contents() == before


def test_merging_all_parts_changes_no_table(scene):
    _, warehouse, world = scene
    before = warehouse.contents()
    for table in before:
        warehouse.client().ask(f"OPTIMIZE TABLE novafeed.{table} FINAL").expect(200)
    assert warehouse.contents() == before
    warehouse.rewind(changes=0, events=[0], state=True)
    assert warehouse.contents() == before
    check_counts(warehouse, world)


def test_a_warehouse_made_anew_has_the_same_content(scene):
    server, warehouse, world = scene
    before = warehouse.contents()
    assert server.stop() == 0
    shutil.rmtree(server.data / "olap")
    server.start()
    warehouse.wait_applied()
    assert warehouse.contents() == before
    check_counts(warehouse, world)


def test_a_part_of_the_log_that_is_not_there_is_refused(scene):
    server, warehouse, _ = scene
    end = warehouse.status()["log_end"]
    with server.admin() as admin:
        for body in ({"changes": end["changes"] + 1}, {"events": -1}, {"events": [0, 1]}):
            assert admin.post("/admin/warehouse/rewind", body).status == 400
        for events in ("1", [0.5], [0] * 17):
            assert admin.post("/admin/warehouse/rewind", {"events": events}).status == 422
        assert admin.post("/admin/warehouse/rewind", {"state": 1}).status == 422
        assert admin.post("/admin/warehouse/rewind", {"posts": 1}).status == 422
