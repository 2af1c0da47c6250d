"""What serve does with a warehouse that is not there, is not its own, or does not fit its log."""

import json
import shutil

import pytest

from harness import Server, assert_problem, scratch_directory, wait_until
from warehouse.tables import ON, Warehouse, check_counts, statement
from warehouse.world import NOON, World


def fill(server, seed=1, actions=60):
    world = World(server, seed, users=4)
    world.act(actions)
    world.close()
    return world


def refused(server):
    """The warehouse's status once it is refused; the rest of the server works."""

    def look():
        with server.admin() as admin:
            status = admin.get("/admin/status").expect(200).json()["warehouse"]
        return status if status["state"] == "refused" else None

    status = wait_until(look, "the warehouse is refused")
    assert Warehouse(server).metric("novafeed_warehouse_refused") == [1]

    def lines():
        return [json.loads(line) for line in server.log().splitlines() if '"warehouse_refused"' in line]

    line = wait_until(lines, "a line in the log")[-1]
    assert line["level"] == "error" and "remove the folder olap" in line["reason"], line
    with server.client(scope="service") as client:
        client.post("/api/v1/users", {"handle": "later", "name": "Later"}).expect(201)
    return status


def test_without_the_library_everything_else_works():
    settings = {**ON, "olap.library": "/nowhere/libchdb.so"}
    with Server(settings=settings) as server, server.admin() as admin:
        fill(server)
        assert admin.get("/admin/status").json()["warehouse"] == {"state": "off"}
        assert Warehouse(server).metric("novafeed_warehouse_missing") == [1]
        warning = wait_until(
            lambda: [line for line in server.log().splitlines() if '"warehouse_missing"' in line], "a warning"
        )
        assert len(warning) == 1 and "/nowhere/libchdb.so" in warning[0], warning
        assert_problem(admin.post("/admin/warehouse/rewind", {}), 409, "no_warehouse")


def test_an_engine_that_does_not_start_holds_up_nothing():
    settings = {**ON, "olap.program": "/bin/false"}
    with Server(test_clock=NOON, settings=settings) as server:
        fill(server)
        status = Warehouse(server).status()["warehouse"]
        assert status["state"] == "waiting" and "not up" in status["reason"], status
        assert server.stop() == 0


def test_a_warehouse_of_another_data_set_is_refused():
    with scratch_directory() as directory:
        for name in ("one", "two"):
            with Server(f"{directory}/{name}", test_clock=NOON, settings=ON) as server:
                fill(server)
                Warehouse(server).wait_applied()
                assert server.stop() == 0
        shutil.rmtree(f"{directory}/one/olap")
        shutil.copytree(f"{directory}/two/olap", f"{directory}/one/olap", symlinks=True)
        with Server(f"{directory}/one", test_clock=NOON, settings=ON) as server:
            assert "another data set" in refused(server)["reason"]
            assert not Warehouse(server).read("SELECT * FROM novafeed.users_cdc WHERE handle = 'later'")


def test_a_warehouse_ahead_of_a_restored_log_is_refused_and_made_anew_when_removed():
    with scratch_directory() as directory, Server(f"{directory}/data", test_clock=NOON, settings=ON) as server:
        world = fill(server)
        Warehouse(server).wait_applied()
        assert server.stop() == 0
        files = [path for path in server.data.iterdir() if path.is_file()]
        for path in files:
            shutil.copy(path, directory)

        server.start()
        fill(server, seed=2)
        Warehouse(server).wait_applied()
        assert server.stop() == 0
        for path in files:
            shutil.copy(f"{directory}/{path.name}", path)
        server.start()
        assert "restored" in refused(server)["reason"]
        assert server.stop() == 0

        shutil.rmtree(server.data / "olap")
        server.start()
        warehouse = Warehouse(server)
        warehouse.wait_applied()
        check_counts(warehouse, world)


def test_a_warehouse_with_a_schema_of_the_future_is_refused():
    with Server(test_clock=NOON, settings=ON) as server:
        warehouse = Warehouse(server)
        warehouse.wait_applied()
        warehouse.client().ask("INSERT INTO novafeed.schema_migrations SELECT 99, '0099_future.sql', 'x'").expect(200)
        assert server.restart().running
        with server.admin() as admin:
            status = wait_until(
                lambda: (s := admin.get("/admin/status").json()["warehouse"])["state"] == "refused" and s, "refused"
            )
        assert "0099_future.sql" in status["reason"]


def test_it_goes_on_from_where_it_was():
    with Server(test_clock=NOON, settings=ON) as server:
        world = World(server, 3, users=4)
        world.act(40)
        warehouse = Warehouse(server)
        warehouse.wait_applied()
        server.restart()
        world.act(40)
        warehouse.wait_applied()
        end = warehouse.status()["log_end"]
        assert warehouse.rows_landed() < end["changes"] + end["events"]
        check_counts(warehouse, world)
        world.close()


def test_the_engine_keeps_what_is_old_while_the_clock_is_held():
    with Server(test_clock=1_500_000_000_000, settings=ON) as server:
        world = fill(server)
        warehouse = Warehouse(server)
        warehouse.wait_applied()
        for restarted in (False, True):
            if restarted:
                server.restart()
                warehouse.wait_applied()
            for table in ("events_raw", "post_metrics_1h", "user_author_90d", "post_hour_counters"):
                warehouse.client().ask(f"OPTIMIZE TABLE novafeed.{table} FINAL").expect(200)
            check_counts(warehouse, world)
            assert int(warehouse.read("SELECT count() FROM novafeed.events_raw FINAL")[0][0]) == len(world.events)


@pytest.fixture(name="bare", scope="module")
def make_bare():
    with Server(test_clock=NOON, settings=ON) as server:
        warehouse = Warehouse(server)
        warehouse.wait_applied()
        yield warehouse


def test_totals_of_forgotten_events_count_once_however_often_they_are_landed(bare):
    post, author = "018f0000-0000-7000-9000-000000000001", "018f0000-0000-7000-8000-000000000001"
    rows = f"[('{post}','{author}',{NOON},3,1000,0)]"
    for _ in range(2):
        bare.client().ask(statement("land_forgotten_totals"), param_rows=rows).expect(200)
    sums = "SELECT uniqExactMerge(shares_seen), uniqExactMerge(impressions_seen), uniqExactMerge(views_seen)"
    assert bare.read(f"{sums} FROM novafeed.post_totals WHERE post_id = '{post}'") == [["3", "1000", "0"]]
    created = bare.read(f"SELECT toUnixTimestamp64Milli(created_at) FROM novafeed.post_totals WHERE post_id = '{post}'")
    assert {row[0] for row in created} == {str(NOON)}
