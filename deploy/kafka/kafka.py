#!/usr/bin/python3
"""What ./cluster asks of Kafka without starting a JVM for it.

kafka.py topics BROKERS FILE   makes the topics of FILE (topics.toml) that are missing, and sets their retention
kafka.py check BROKERS FILE    prints how many topics the broker has; fails where one of FILE is missing
kafka.py age BROKERS TOPIC     prints how many seconds ago the last row of a captured table was committed
"""

from __future__ import annotations

import json
import sys
import time
import tomllib

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ConfigSource, NewTopic

SECONDS = 20  # a broker that takes longer to make a topic does not answer
LOOK_SECONDS = 5  # for one that is only looked at: people wait for a status
AWAY = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT)
QUIET = {"log_level": 0}  # what fails comes back as an exception; the library's own lines say it again, at length
MILLISECONDS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000}


def milliseconds(text: str) -> str:
    return str(int(text[:-1]) * MILLISECONDS[text[-1]])


def read_topics(path: str) -> list[NewTopic]:
    with open(path, "rb") as file:
        groups = tomllib.load(file)["topic"]
    topics = []
    for group in groups:
        config = {"cleanup.policy": "delete", "retention.ms": milliseconds(group["retention"])}
        if "segment" in group:
            config["segment.ms"] = milliseconds(group["segment"])
        topics += [
            NewTopic(name, group["partitions"], replication_factor=group.get("replicas", 1), config=config)
            for name in group["names"]
        ]
    return topics


def make_topics(brokers: str, path: str) -> None:
    admin = AdminClient({"bootstrap.servers": brokers, "log_level": 3})
    wanted = read_topics(path)
    known = admin.list_topics(timeout=SECONDS).topics
    missing = [topic for topic in wanted if topic.topic not in known]
    if missing:
        for made in admin.create_topics(missing, request_timeout=SECONDS).values():
            made.result()
    for topic in wanted:
        if topic in missing:
            continue
        partitions = len(known[topic.topic].partitions)
        if partitions != topic.num_partitions:
            sys.exit(f"The topic {topic.topic} has {partitions} partitions, and {path} wants {topic.num_partitions}: "
                     "that changes where keys lie, so it is not done behind your back.")
    set_configs(admin, {topic.topic: topic.config for topic in wanted if topic not in missing})


def set_configs(admin: AdminClient, wanted: dict[str, dict[str, str]]) -> None:
    """Alters what differs. Kafka replaces a topic's settings as a whole, so what else was set there is passed on."""
    if not wanted:
        return
    topics = [ConfigResource("topic", name) for name in wanted]
    changes = []
    for topic, described in admin.describe_configs(topics, request_timeout=SECONDS).items():
        held = {entry.name: entry.value for entry in described.result().values()
                if entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value}
        config = {**held, **wanted[topic.name]}
        if config != held:
            changes.append(ConfigResource("topic", topic.name, set_config=config))
    if changes:
        for changed in admin.alter_configs(changes, request_timeout=SECONDS).values():
            changed.result()


def check(brokers: str, path: str) -> None:
    known = AdminClient({"bootstrap.servers": brokers, **QUIET}).list_topics(timeout=LOOK_SECONDS).topics
    if missing := [topic.topic for topic in read_topics(path) if topic.topic not in known]:
        sys.exit(f"topics are missing: {', '.join(missing)}")
    print(f"{len(known)} topics")


def print_age(brokers: str, topic: str) -> None:
    settings = {"bootstrap.servers": brokers, **QUIET, "group.id": "novafeed-status"}
    consumer = Consumer({**settings, "enable.auto.commit": False})
    deadline = time.monotonic() + LOOK_SECONDS
    try:
        partition = TopicPartition(topic, 0)
        first, end = consumer.get_watermark_offsets(partition, timeout=LOOK_SECONDS)
        if first == end:
            sys.exit(f"{topic} holds nothing")
        consumer.assign([TopicPartition(topic, 0, end - 1)])
        message = consumer.poll(max(0.1, deadline - time.monotonic()))
        if message is None or message.error():
            sys.exit(f"{topic} does not answer")
    finally:
        consumer.close()
    committed = json.loads(message.value())["source"]["ts_ms"]
    print(f"{max(0.0, time.time() - committed / 1000):.1f}")


COMMANDS = {"topics": make_topics, "check": check, "age": print_age}

if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    try:
        COMMANDS[sys.argv[1]](sys.argv[2], sys.argv[3])
    except KafkaException as error:
        failure = error.args[0]
        says = "does not answer" if failure.code() in AWAY else f"says: {failure.str()}"
        sys.exit(f"Kafka at {sys.argv[2]} {says}")
