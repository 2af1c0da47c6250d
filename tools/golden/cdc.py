#!/usr/bin/python3
"""Takes tests/golden/cdc.txt anew from the real PostgreSQL, Debezium and Kafka: changes rows in a cluster of its own,
as tests/golden/cases.py says, and writes down what stands on the topics."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from golden.cases import take, write_snapshot_rows  # noqa: E402
from golden.messages import FILE, write_golden  # noqa: E402
from harness import Cluster, scratch_directory  # noqa: E402

with scratch_directory("novafeed-golden-") as folder, Cluster(folder) as cluster:
    cluster.up("postgres")
    write_snapshot_rows(cluster)
    cluster.up("connect")
    messages = take(cluster)
    write_golden(messages)
    print(f"{FILE} holds {len(messages)} messages")
