"""One random graph beyond all cuts and some small ones in a served warehouse, and the oracle's state of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from differential import rankings
from graphs import generate
from harness import WITH_WAREHOUSE, Server, await_filled, scratch_directory
from oracle import oracle
from warehouse.tables import ON, Warehouse
from warehouse.world import NOON

SEEDS = (1, 8, 2, 3)  # one of them large


@dataclass
class World:
    server: Server
    state: oracle.State
    graphs: list[generate.Graph]

    @property
    def large(self) -> generate.Graph:
        return next(graph for graph in self.graphs if graph.large)


@pytest.fixture(name="world", scope="package")
def serve_world():
    graphs = [generate.generate(seed, slot) for slot, seed in enumerate(SEEDS)]
    state = oracle.State()
    state.begin_file()
    with scratch_directory() as scratch:
        file, data = Path(scratch, "graphs.ndjson"), Path(scratch, "data")
        with file.open("w", encoding="utf-8") as out:
            for graph in graphs:
                for line in graph.lines:
                    out.write(line + "\n")
                    state.apply_line(line)
        assert not rankings.import_files(data, [file], state.outcomes["bad"])
        with Server(data, test_clock=graphs[-1].as_of, settings=WITH_WAREHOUSE) as server:
            await_filled(server)
            yield World(server, state, graphs)


@pytest.fixture(name="warehouse", scope="module")
def serve_empty_warehouse(request):
    """A served warehouse with nothing in it, for a module that lands by chance, from its SEED."""
    print(f"seed {request.module.SEED}")
    with Server(test_clock=NOON, settings=ON) as server:
        warehouse = Warehouse(server)
        warehouse.wait_applied()
        yield warehouse
