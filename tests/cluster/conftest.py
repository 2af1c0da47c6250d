"""One cluster for all tests of this folder, with the golden snapshot's rows in PostgreSQL before Debezium looks."""

from __future__ import annotations

import subprocess

import pytest

from golden.cases import write_snapshot_rows
from harness import Cluster, scratch_directory
from harness.cli import CHECKOUT


@pytest.fixture(name="engines", scope="package")
def install_engines():
    """What ./cluster needs from Debian and Maven Central; skips where it cannot be had."""
    command = [CHECKOUT / "cluster", "install", "--only", "connect"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"the engines of the cluster cannot be installed: {done.stderr.strip()[-300:]}")


@pytest.fixture(name="cluster", scope="package")
def start_cluster(engines):
    with scratch_directory("novafeed-cluster-") as folder, Cluster(folder) as cluster:
        cluster.up("postgres")
        write_snapshot_rows(cluster)
        cluster.up()
        yield cluster
