"""What PostgreSQL holds arrives on the topics as Debezium's envelope; the topics are as topics.toml says."""

from __future__ import annotations

import importlib
import json
import urllib.request

from golden.cases import TABLES, take
from golden.messages import normalised, read_golden
from harness import wait_until


def test_the_golden_envelopes_are_what_debezium_writes(cluster):
    found = [normalised(message) for message in take(cluster)]
    assert found == [normalised(message) for message in read_golden()]


def test_topics_were_made_up_front(cluster):
    admin_library = importlib.import_module("confluent_kafka.admin")
    admin = admin_library.AdminClient({"bootstrap.servers": cluster.addresses()["KAFKA_URL"].removeprefix("kafka://")})
    topics = admin.list_topics(timeout=30).topics
    captured = (*TABLES, "transaction", "cdc_heartbeat")
    wanted = {**{f"cdc.{name}": 1 for name in captured}, "events": 4, "events.dlq": 1}
    assert {name: len(topics[name].partitions) for name in wanted} == wanted
    resources = [admin_library.ConfigResource("topic", name) for name in wanted]
    for resource, answer in admin.describe_configs(resources).items():
        days = int(answer.result()["retention.ms"].value) / 86_400_000
        assert days == (30 if resource.name == "events.dlq" else 7), resource


def test_what_is_published_is_what_is_captured(cluster):
    """Not the outbox, not leases: what consumers need not hear of moves no position."""
    published = cluster.sql("SELECT tablename FROM pg_publication_tables WHERE pubname = 'novafeed';").split()
    assert sorted(published) == sorted([*TABLES, "cdc_heartbeat"])


def test_the_heartbeat_beats(cluster):
    end = cluster.end_of("cdc.cdc_heartbeat")
    assert len(cluster.messages("cdc.cdc_heartbeat", 2, start=end)) == 2


def ask_connector(cluster, what):
    url = f"{cluster.addresses()['CONNECT_URL']}/connectors/nova-postgres-cdc/{what}"
    urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=30).close()


def test_up_mends_what_made_a_task_fail_and_starts_it_again(cluster):
    ask_connector(cluster, "stop")
    wait_until(lambda: "STOPPED" in cluster.run("status", check=False).stdout, "the connector has stopped")
    cluster.sql("DROP PUBLICATION novafeed;", superuser=True)
    ask_connector(cluster, "resume")
    status = wait_until(
        lambda: "task FAILED" in (out := cluster.run("status", check=False).stdout) and out, "the task fails", seconds=90
    )
    assert "Publication autocreation is disabled" in status
    cluster.up("connect")
    assert cluster.run("status").returncode == 0


def test_a_lost_slot_is_named_and_taken_anew(cluster):
    """While the connector is away, more WAL is written than its slot may keep."""
    cluster.run("down", "--only", "connect")
    cluster.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '16MB'; SELECT pg_reload_conf();", superuser=True)
    for _ in range(5):
        cluster.sql("UPDATE novafeed.posts SET text = text; SELECT pg_switch_wal(); CHECKPOINT;", superuser=True)
    assert "slot novafeed is lost" in cluster.run("status", check=False).stdout
    refused = cluster.run("up", "--only", "connect", check=False)
    assert refused.returncode == 1 and "./cluster resnapshot" in refused.stderr, refused.stderr

    cluster.sql("ALTER SYSTEM RESET max_slot_wal_keep_size; SELECT pg_reload_conf();", superuser=True)
    end, rows = cluster.end_of("cdc.users"), int(cluster.sql("SELECT count(*) FROM users;"))
    cluster.run("resnapshot")
    assert rows > 0
    assert {json.loads(message.value)["op"] for message in cluster.messages("cdc.users", rows, start=end)} == {"r"}
    cluster.sql("INSERT INTO users VALUES (gen_random_uuid(), NULL, 'after', 'After', now());")
    (message,) = cluster.messages("cdc.users", 1, start=end + rows)
    assert json.loads(message.value)["op"] == "c"
    assert cluster.run("status").returncode == 0
