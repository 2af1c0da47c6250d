"""kill -9 of the engine and of serve, at random moments under load: nothing that was acknowledged is missing, nothing
counts twice, and a replay of everything changes no number."""

import os
import random
import signal
import threading

from harness import Server, novafeed, wait_until
from warehouse.tables import ON, Warehouse, check_counts
from warehouse.world import HOUR_MS, NOON, World

KILLS = 30 if os.environ.get("NOVAFEED_TEST_LEVEL") == "long" else 5
SEED = random.SystemRandom().randrange(1 << 32)


def kill_engine(warehouse):
    pid = warehouse.pid()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: warehouse.pid() != pid, "another engine")


def kill_serve(warehouse):
    warehouse.server.restart(kill=True)


class Load:
    """A world that acts on a thread of its own, without a pause, until the block ends."""

    def __init__(self, world):
        self._world = world
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._act)
        self.actions = 0
        self.error = None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _act(self):
        try:
            while not self._stop.is_set():
                self._world.act()
                self.actions += 1
        except BaseException as error:  # noqa: BLE001 (told by the test's thread)
            self.error = error


def test_kills_at_random_moments_lose_nothing_and_count_nothing_twice():
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    with Server(test_clock=NOON + HOUR_MS, settings={**ON, "warehouse.batch_rows": 100}) as server:
        world = World(server, SEED)
        warehouse = Warehouse(server)
        warehouse.wait_applied()
        with Load(world) as load:
            for number in range(KILLS):
                aim = load.actions + chance.randrange(20, 300)
                wait_until(lambda: load.actions >= aim or load.error, "some actions", 120)  # noqa: B023 (used at once)
                (kill_engine if number % 2 == 0 else kill_serve)(warehouse)
        assert load.error is None, load.error
        world.close()

        warehouse.wait_applied()
        check_counts(warehouse, world)
        before = warehouse.contents()
        warehouse.rewind(changes=0, events=0, state=True)
        assert warehouse.contents() == before
        checked = novafeed("check", "--data", server.data, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert not warehouse.read("SELECT * FROM novafeed.ingest_errors")
