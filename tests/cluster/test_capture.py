"""What PostgreSQL holds arrives on the topics as Debezium's envelope, and its topics are as deploy/kafka/topics.toml says."""

from __future__ import annotations

import importlib

from golden.cases import TABLES, take
from golden.messages import normalised, read_golden


def test_the_golden_envelopes_are_what_debezium_writes(cluster):
    found = [normalised(message) for message in take(cluster)]
    assert found == [normalised(message) for message in read_golden()]


def test_topics_were_made_up_front(cluster):
    admin_library = importlib.import_module("confluent_kafka.admin")
    admin = admin_library.AdminClient({"bootstrap.servers": cluster.addresses()["KAFKA_URL"].removeprefix("kafka://")})
    topics = admin.list_topics(timeout=30).topics
    partitions = {name: len(topics[name].partitions) for name in (*(f"cdc.{table}" for table in TABLES), "events", "events.dlq")}
    assert partitions == {**{f"cdc.{table}": 1 for table in TABLES}, "events": 4, "events.dlq": 1}
    resources = [admin_library.ConfigResource("topic", name) for name in partitions]
    for resource, answer in admin.describe_configs(resources).items():
        days = int(answer.result()["retention.ms"].value) / 86_400_000
        assert days == (30 if resource.name == "events.dlq" else 7), resource


def test_the_heartbeat_beats(cluster):
    end = cluster.end_of("cdc.cdc_heartbeat")
    assert len(cluster.messages("cdc.cdc_heartbeat", 2, start=end)) == 2
