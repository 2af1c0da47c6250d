"""./cluster: what it says, starts, keeps secret, and leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness import Cluster, scratch_directory, wait_until
from harness.cli import CHECKOUT

PARTS = ("postgres", "redis", "kafka", "connect", "olap")


def state_of(cluster, part):
    """The line of `status` for a part."""
    lines = cluster.run("status", check=False).stdout.splitlines()
    return next(line for line in lines if line.startswith(part))


def is_alive(pid):
    try:
        return not re.search(r"^State:\s+Z", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except (FileNotFoundError, ProcessLookupError):
        return False


def processes_of(folder):
    """Every process that works in the folder or names it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            named = str(folder) in process.joinpath("cmdline").read_bytes().decode(errors="replace")
            works = os.readlink(process / "cwd").startswith(str(folder))
        except OSError:
            continue
        if (named or works) and is_alive(process.name):
            found.append(int(process.name))
    return found


def ports_of(cluster):
    remembered = (cluster.data / "cluster.env").read_text()
    return {name: int(port) for name, port in re.findall(r"^(\w+_PORT)=(\d+)$", remembered, re.MULTILINE)}


def secrets_of(cluster):
    return re.findall(r"^\w+_PASSWORD=(\w+)$", (cluster.data / "cluster.env").read_text(), re.MULTILINE)


# --- A whole cluster.


def test_each_part_says_that_it_is_well(cluster):
    status = cluster.run("status").stdout
    for part in PARTS:
        assert re.search(rf"^{part} +ok ", status, re.MULTILINE), status
    assert re.search(r"connector RUNNING, task RUNNING, heartbeat \d\.\d s old", status), status


def test_the_connector_answers_as_the_seed_asks(cluster):
    url = f"{cluster.addresses()['CONNECT_URL']}/connectors/nova-postgres-cdc"
    with urllib.request.urlopen(f"{url}/status", timeout=30) as answer:
        status = json.load(answer)
    assert status["connector"]["state"] == "RUNNING"
    assert [task["state"] for task in status["tasks"]] == ["RUNNING"]
    with urllib.request.urlopen(f"{url}/config", timeout=30) as answer:
        assert json.load(answer)["database.password"] == "${env:POSTGRES_CDC_PASSWORD}"


def test_a_second_up_changes_nothing(cluster):
    def state():
        return cluster.processes(), (cluster.data / "cluster.env").read_text(), cluster.end_of("connect-configs")

    before = state()
    cluster.up()
    assert state() == before


def test_it_listens_on_loopback_alone(cluster):
    ports = set(ports_of(cluster).values())
    listening = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            address, port = line.split()[1].split(":")
            if line.split()[3] == "0A" and int(port, 16) in ports:
                listening.setdefault(int(port, 16), set()).add(address)
    loopback = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
    assert set(listening) == ports
    for port, found in listening.items():
        assert found <= loopback, (port, found)


def test_secrets_are_for_the_owner(cluster):
    secrets = secrets_of(cluster)
    assert len(secrets) == 4
    for file in ("cluster.env", "conf/redis.conf", "olap/olap.json"):
        assert stat.S_IMODE((cluster.data / file).stat().st_mode) == 0o600, file
    for pid in cluster.processes().values():
        command = Path(f"/proc/{pid}/cmdline").read_text()
        assert not any(secret in command for secret in secrets), command
    for log in (cluster.data / "logs").iterdir():
        text = log.read_text(errors="replace")
        assert not any(secret in text for secret in secrets), log


def test_nobody_gets_in_without_a_password(cluster):
    url = urlsplit(cluster.addresses()["REDIS_URL"])
    with socket.create_connection((url.hostname, url.port), timeout=10) as redis:
        redis.sendall(b"PING\r\n")
        assert redis.recv(100).startswith(b"-NOAUTH")
    rules = (cluster.data / "postgres" / "pg_hba.conf").read_text()
    methods = {line.split()[-1] for line in rules.splitlines() if line.startswith("host")}
    assert methods == {"scram-sha-256"}


def test_down_leaves_nothing_behind_and_up_goes_on_from_there(cluster):
    pids, ends = cluster.processes(), {topic: cluster.end_of(topic) for topic in ("cdc.users", "cdc.posts")}
    assert set(pids) == set(PARTS)
    cluster.run("down")
    assert not [part for part, pid in pids.items() if is_alive(pid)]
    assert processes_of(cluster.data) == []
    for port in ports_of(cluster).values():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, port
    cluster.up()
    cluster.sql("INSERT INTO users VALUES (gen_random_uuid(), NULL, 'late', 'Late', now());")
    (message,) = cluster.messages("cdc.users", 1, start=ends["cdc.users"])
    assert json.loads(message.value)["after"]["handle"] == "late", "what was there is not sent again"
    assert cluster.end_of("cdc.posts") == ends["cdc.posts"]


# --- Parts by themselves.


@pytest.fixture(name="small")
def make_small_cluster(engines):
    with scratch_directory("novafeed-cluster-") as folder, Cluster(folder) as cluster:
        yield cluster


def test_parts_start_singly_and_keep_what_they_had(small):
    small.up("redis", "postgres")
    assert set(small.processes()) == {"redis", "postgres"}
    assert state_of(small, "kafka").split() == ["kafka", "off"]
    remembered = (small.data / "cluster.env").read_text()
    small.sql("INSERT INTO dismissals VALUES (gen_random_uuid(), gen_random_uuid(), now());")
    small.run("down")
    small.up("redis", "postgres")
    assert (small.data / "cluster.env").read_text() == remembered
    assert small.sql("SELECT count(*) FROM dismissals;").strip() == "1"


@pytest.mark.parametrize("part", ["redis", "postgres"])
def test_a_part_that_died_is_named_and_comes_back(small, part):
    small.up(part)
    pid = small.processes()[part]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(pid), f"{part} is dead")
    status = small.run("status", check=False)
    assert status.returncode == 1
    assert "DIED" in state_of(small, part)
    small.up(part)
    assert small.processes()[part] != pid
    assert small.run("status").returncode == 0


def test_a_port_that_is_taken_is_named(small):
    said = small.run("up", "--only", "redis").stderr
    assert "Up in" in said and ": redis. " in said and "The cluster" not in said, said
    small.run("down")
    port = ports_of(small)["REDIS_PORT"]
    with socket.create_server(("127.0.0.1", port)):
        refused = small.run("up", "--only", "redis", check=False)
    assert refused.returncode == 1
    assert f"port {port}" in refused.stderr and "taken" in refused.stderr, refused.stderr
    assert not small.processes()


def test_down_without_a_cluster_is_no_mistake(small):
    assert small.run("down").returncode == 0
    status = small.run("status", check=False)
    assert status.returncode == 1 and "./cluster up" in status.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="PostgreSQL runs as another user only for root")
def test_a_folder_that_postgres_cannot_reach_is_named(engines):
    with scratch_directory("novafeed-cluster-") as folder, Cluster(folder) as cluster:
        Path(folder).chmod(0o700)
        refused = cluster.run("up", "--only", "postgres", check=False)
        assert refused.returncode == 1 and "chmod o+x" in refused.stderr, refused.stderr


@pytest.mark.parametrize("arguments", [["bogus"], ["up", "down"], ["up", "--only", "zookeeper"], ["up", "--only"]])
def test_what_it_does_not_know_is_refused(small, arguments):
    refused = small.run(*arguments, check=False)
    assert refused.returncode != 0 and refused.stderr
    assert not small.data.exists()


# --- How the JVMs start fast (deploy/native/jvm.sh)

SET_COMMAND = "set_java_command kafka kafka.tools.StorageTool random-uuid"
RUN_COMMAND = SET_COMMAND + '; "${java_command[@]}"'


@pytest.fixture(name="shell")
def make_shell(engines, tmp_path):
    """Runs lines of bash with what ./cluster knows of JVMs, on jars of this checkout and archives of its own."""
    cache, run = tmp_path / "cache", tmp_path / "run"
    cache.mkdir()
    run.mkdir()
    (cache / "jars").symlink_to(CHECKOUT / "build/cluster/jars")

    def run_lines(lines):
        begin = f"set -euo pipefail; kDeploy={CHECKOUT}/deploy kCache={cache} run={run}"
        sources = f"source {CHECKOUT}/deploy/native/common.sh; source {CHECKOUT}/deploy/native/jvm.sh"
        done = subprocess.run(
            ["bash", "-c", f"{begin}; {sources}; {lines}"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done

    run_lines(RUN_COMMAND)
    return run_lines, run / "kafka.jsa", cache / "classes", tmp_path


def test_an_archive_of_classes_is_kept_for_later_starts(shell):
    run_lines, made, kept, _ = shell
    run_lines("keep_archive kafka")
    (archive,) = kept.iterdir()
    assert not made.exists()
    assert f"-XX:SharedArchiveFile={archive}" in run_lines(SET_COMMAND + '; echo "${java_command[@]}"').stdout
    run_lines('is_whole_archive "$(archive_of kafka)"')


@pytest.mark.parametrize("part", [0.0001, 0.5, 0.99])
def test_half_an_archive_of_classes_is_not_kept(shell, part):
    """A JVM that was given one would crash, at every start."""
    run_lines, made, kept, folder = shell
    made.chmod(0o600)
    os.truncate(made, int(made.stat().st_size * part))
    assert "not whole" in run_lines("keep_archive kafka").stderr
    assert not made.exists()
    assert not list(kept.iterdir())
    assert not list(folder.glob("*.log")), "a crash leaves nothing behind"
    run_lines(RUN_COMMAND + "; keep_archive kafka")
    assert len(list(kept.iterdir())) == 1
