"""The warehouse of a running `serve`: settings for a test, waiting until it holds the log, clients of its engine."""

from __future__ import annotations

import json
from pathlib import Path

from harness.olap import OlapClient, password_of
from harness.server import Server
from harness.waiting import wait_until

# Deadlines that a machine full of tests keeps.
WITH_WAREHOUSE = {
    "warehouse.engine": "chdb",
    "warehouse.source_deadline": "50s",
    "warehouse.trending_deadline": "50s",
    "warehouse.suggestion_deadline": "50s",
}
FILL_SECONDS = 900


def await_filled(server: Server) -> None:
    """Until the warehouse holds everything that the log holds now."""
    with server.admin() as admin:

        def filled() -> bool:
            status = admin.get("/admin/status").expect(200).json()
            return status["warehouse"]["applied"] == status["log_end"]

        wait_until(filled, "the warehouse holds the whole log", FILL_SECONDS, pause=0.1)


def olap_of(server: Server, user: str) -> OlapClient:
    """A client of the engine that `server` has started."""
    served = json.loads(Path(server.data, "olap", "serve.json").read_text(encoding="utf-8"))
    return OlapClient(served["url"], user, password_of(server.data, user))
