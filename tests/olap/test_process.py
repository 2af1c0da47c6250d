"""The life of `novafeed olap`: one owner, its end, what survives, and `serve` that watches it; `novafeed sql`."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import READER, WRITER, Client, Olap, Server, binary, novafeed, scratch_directory, wait_until
from harness.olap import OlapClient, password_of

FAILED, USAGE = 1, 2
ENGINE = {"warehouse.engine": "chdb"}


@pytest.fixture(name="data")
def directory():
    with scratch_directory() as path:
        yield Path(path) / "data"


def served(data: Path) -> dict | None:
    """What DIR/olap/serve.json says, while the process that wrote it runs."""
    try:
        info = json.loads((data / "olap" / "serve.json").read_text())
        os.kill(info["pid"], 0)
    except (OSError, ValueError):
        return None
    return info


def metric(server: Server, name: str) -> float:
    with server.admin() as admin:
        lines = admin.get("/metrics").expect(200).body.decode().splitlines()
    return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + " "))


def wait_up(server: Server, *, beside: int = 0) -> dict:
    """Until the engine of a serve answers; with `beside`, until it is another process than that."""
    info = wait_until(lambda: (i := served(server.data)) and i["pid"] != beside and i, "the engine")
    wait_until(lambda: metric(server, "novafeed_olap_up") == 1, "novafeed_olap_up")
    return info


# --- The process by itself -------------------------------------------------------------------------------------------


def test_files_are_for_their_owner_only(data):
    with Olap(data):
        for name in ("olap.json", "olap/serve.json", "olap/lock", "olap/config.xml"):
            assert stat.S_IMODE((data / name).stat().st_mode) == 0o600, name
        assert stat.S_IMODE((data / "olap").stat().st_mode) == 0o700


def test_passwords_stay_and_are_long(data):
    with Olap(data) as olap:
        before = {user: password_of(data, user) for user in (WRITER, READER)}
        assert all(len(password) >= 32 for password in before.values()) and len(set(before.values())) == 2
        olap.restart()
        assert before == {user: password_of(data, user) for user in (WRITER, READER)}


def test_a_file_of_passwords_that_others_may_read_is_refused(data):
    with Olap(data) as olap:
        olap.stop()
        (data / "olap.json").chmod(0o644)
        done = novafeed("olap", "--data", data, check=False)
        assert done.returncode == FAILED and "chmod 600" in done.stderr


def test_a_second_owner_is_refused_and_told_who_has_it(data):
    with Olap(data) as olap:
        done = novafeed("olap", "--data", data, check=False)
        assert done.returncode == FAILED
        assert f"process {olap.pid}" in done.stderr and olap.url in done.stderr
        with olap.of(WRITER) as client:
            assert client.read("SELECT 1") == "1\n"


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "10.0.0.1:0", "[::]:0", "example.org:80"])
def test_a_public_address_is_refused(data, listen):
    done = novafeed("olap", "--data", data, "--listen", listen, check=False)
    assert done.returncode == USAGE and "this machine only" in done.stderr
    assert not data.exists()


def test_a_missing_library_is_named(data):
    done = novafeed("olap", "--data", data, "--set", "olap.library=/nowhere/libchdb.so", check=False)
    assert done.returncode == FAILED
    assert "/nowhere/libchdb.so" in done.stderr and "./run" in done.stderr


def test_a_library_of_another_kind_is_refused(data):
    library = next(Path("/lib").glob("x86_64-linux-gnu/libz.so.1*"))
    done = novafeed("olap", "--data", data, "--set", f"olap.library={library}", check=False)
    assert done.returncode == FAILED and "chdb_version" in done.stderr


def test_a_stray_configuration_is_not_read(data, tmp_path, monkeypatch):
    (tmp_path / "config.xml").write_text("<clickhouse><max_server_memory_usage>1</max_server_memory_usage></clickhouse>")
    monkeypatch.chdir(tmp_path)
    with Olap(data) as olap, olap.of(WRITER) as client:
        assert client.read("SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'") == f"{1 << 30}\n"


def test_the_end_of_the_process_is_clean_and_keeps_the_data(data):
    with Olap(data) as olap:
        with olap.of(WRITER) as client:
            client.read("CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a")
            client.read("INSERT INTO t SELECT number FROM numbers(1000)")
        assert olap.stop() == 0
        assert not (data / "olap" / "serve.json").exists()
        assert olap.log() == ""
        olap.start()
        with olap.of(READER) as client:
            assert client.read("SELECT count(), sum(a) FROM t") == "1000\t499500\n"


def test_sigint_ends_it_as_well(data):
    with Olap(data) as olap:
        os.kill(olap.pid, signal.SIGINT)
        wait_until(lambda: not olap.running, "the end of olap")
        assert olap.stop() == 0


def test_a_query_that_outlasts_the_grace_is_ended(data):
    with Olap(data, settings={"serve.drain_grace": "100ms"}) as olap, ThreadPoolExecutor(1) as pool:

        def ask():
            with olap.of(WRITER) as client:
                return client.ask("SELECT count() FROM numbers(10000000000000)", max_execution_time=600)

        asked = pool.submit(ask)
        with olap.of(READER) as client:
            running = "SELECT count() FROM system.processes WHERE query LIKE '%numbers(1000%' AND query NOT LIKE '%processes%'"
            wait_until(lambda: client.read(running) == "1\n", "the long query")
        before = time.monotonic()
        assert olap.stop() == 0
        assert time.monotonic() - before < 20
        assert asked.exception(30) is not None  # cut


def test_kill_9_keeps_what_was_acknowledged(data):
    acknowledged = 0
    with Olap(data) as olap:
        with olap.of(WRITER) as client:
            client.read("CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a")
        for _ in range(3):
            with olap.of(WRITER) as client:
                for _ in range(30):
                    client.ask("INSERT INTO t FORMAT TSV", b"%d\n" % acknowledged).expect(200)
                    acknowledged += 1
            olap.restart(kill=True)
            with olap.of(READER) as client:
                assert client.read("SELECT count(), uniqExact(a), max(a) FROM t") == f"{acknowledged}\t{acknowledged}\t{acknowledged - 1}\n"


def test_kill_9_in_the_middle_of_inserts_loses_nothing_acknowledged(data):
    with Olap(data) as olap:
        with olap.of(WRITER) as client:
            client.read("CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a")
        acknowledged = []

        def write(first: int) -> None:
            with olap.of(WRITER) as client:
                for n in range(first, first + 100_000):
                    try:
                        client.ask("INSERT INTO t FORMAT TSV", b"%d\n" % n).expect(200)
                    except Exception:  # noqa: BLE001 (however the connection ends)
                        return
                    acknowledged.append(n)

        with ThreadPoolExecutor(4) as pool:
            for n in range(4):
                pool.submit(write, n * 1_000_000)
            wait_until(lambda: len(acknowledged) > 200, "some inserts")
            olap.kill()
        olap.start()
        with olap.of(READER) as client:
            there = {int(line) for line in client.read("SELECT a FROM t").split()}
        assert set(acknowledged) <= there


# --- Watched by serve ------------------------------------------------------------------------------------------------


def test_serve_starts_the_engine_and_ends_it(data):
    with Server(data, settings=ENGINE) as server:
        info = wait_up(server)
        with OlapClient(info["url"], READER, password_of(data, READER)) as client:
            assert client.read("SELECT 1") == "1\n"
        assert server.stop() == 0
        assert served(data) is None
        with pytest.raises(ProcessLookupError):
            os.kill(info["pid"], 0)


def test_without_the_setting_serve_starts_none(data):
    with Server(data) as server:
        with server.admin() as admin:
            assert b"novafeed_olap_up" not in admin.get("/metrics").body
        assert not (data / "olap").exists()


def test_an_unknown_engine_is_refused(data):
    done = novafeed("serve", "--data", data, "--set", "warehouse.engine=duckdb", check=False)
    assert done.returncode == USAGE and "warehouse.engine" in done.stderr


def test_an_engine_that_is_killed_comes_back_with_its_data(data):
    with Server(data, settings=ENGINE) as server:
        info = wait_up(server)
        with OlapClient(info["url"], WRITER, password_of(data, WRITER)) as client:
            client.read("CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a")
            client.read("INSERT INTO t SELECT 7")
        for restarts in (1, 2):
            os.kill(info["pid"], signal.SIGKILL)
            info = wait_up(server, beside=info["pid"])
            assert metric(server, "novafeed_olap_restarts_total") == restarts
            with OlapClient(info["url"], READER, password_of(data, READER)) as client:
                assert client.read("SELECT a FROM t") == "7\n"
        assert '"event":"olap_ended"' in server.log() and "signal 9" in server.log()
        with server.anonymous() as client:
            client.get("/healthz").expect(200)


def test_the_engine_does_not_outlive_serve(data):
    with Server(data, settings=ENGINE) as server:
        info = wait_up(server)
        server.kill()
        wait_until(lambda: served(data) is None, "the end of the engine")
        server.start()
        assert wait_up(server, beside=info["pid"])["pid"] != info["pid"]


def test_an_engine_that_cannot_start_costs_serve_nothing(data):
    broken = data.parent / "libchdb.so"
    broken.write_text("no library", encoding="utf-8")
    settings = {**ENGINE, "olap.library": broken}
    with Server(data, settings=settings) as server:
        wait_until(lambda: metric(server, "novafeed_olap_restarts_total") >= 3, "three restarts")
        assert metric(server, "novafeed_olap_up") == 0
        ends = [line for line in server.log().splitlines() if '"event":"olap_ended"' in line]
        assert len(ends) == 1 and str(broken) in ends[0]  # not one for each attempt
        with server.anonymous() as client:
            client.get("/readyz").expect(200)
        before = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - before < 10  # it does not wait for the next attempt


def test_a_program_that_is_missing_costs_serve_nothing(data):
    with Server(data, settings={**ENGINE, "olap.program": "/nowhere/novafeed"}) as server:
        wait_until(lambda: "exit status 127" in server.log(), "the reason in the log")
        with server.anonymous() as client:
            client.get("/readyz").expect(200)


def test_another_program_can_be_the_engine(data, tmp_path):
    """As a build with sanitizers needs it."""
    other = tmp_path / "other"
    other.write_text(f'#!/bin/sh\ntouch {tmp_path}/used\nexec {binary()} "$@"\n')
    other.chmod(0o755)
    with Server(data, settings={**ENGINE, "olap.program": other}) as server:
        wait_up(server)
        assert (tmp_path / "used").exists()


def test_an_engine_that_never_answers_is_not_up(data, tmp_path):
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\necho ready http://127.0.0.1:9\nexec sleep 600\n")
    silent.chmod(0o755)
    with Server(data, settings={**ENGINE, "olap.program": silent, "serve.drain_grace": "1s"}) as server:
        assert metric(server, "novafeed_olap_up") == 0
        assert server.stop() == 0


# --- novafeed sql ----------------------------------------------------------------------------------------------------


def sql(data: Path, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    return novafeed("sql", *arguments, "--data", data, check=check)


def test_sql_on_a_stopped_directory(data):
    data.mkdir()
    assert sql(data, "SELECT 1 AS a, 'x' AS b").stdout == "a\tb\n1\tx\n"
    assert served(data) is None


def test_sql_beside_a_running_engine(data):
    with Olap(data) as olap:
        assert sql(data, "SELECT currentDatabase() AS d").stdout == "d\nnovafeed\n"
        assert olap.running


def test_sql_beside_serve(data):
    with Server(data, settings=ENGINE) as server:
        pid = wait_up(server)["pid"]
        assert sql(data, "SELECT 1 AS a").stdout == "a\n1\n"
        assert served(data)["pid"] == pid


def test_sql_takes_parameters_and_files(data, tmp_path):
    file = tmp_path / "query.sql"
    file.write_text("-- how many\nSELECT {n:UInt32} + 1 AS a, {s:String} AS b\n")
    with Olap(data):
        assert sql(data, "--file", file, "--param", "n=41", "--param", "s=a&b=c d'").stdout == "a\tb\n42\ta&b=c d\\'\n"


def test_sql_only_reads(data):
    with Olap(data):
        for statement in ("CREATE TABLE t (a UInt8) ENGINE = Memory", "SELECT * FROM url('http://127.0.0.1:9')"):
            done = sql(data, statement, check=False)
            assert done.returncode == FAILED and "read" in done.stderr and done.stdout == ""


def test_sql_says_what_is_wrong_in_one_line(data, tmp_path):
    missing = sql(data, "SELECT 1", check=False)
    assert missing.returncode == FAILED and str(data) in missing.stderr
    data.mkdir()
    assert sql(data, check=False).returncode == USAGE
    assert sql(data, "SELECT 1", "--file", tmp_path / "x", check=False).returncode == USAGE
    assert sql(data, "--file", tmp_path / "x", check=False).returncode == FAILED
    assert sql(data, "SELECT 1", "--param", "x", check=False).returncode == USAGE
    no_library = sql(data, "SELECT 1", "--set", "olap.library=/nowhere/x.so", check=False)
    assert no_library.returncode == FAILED and "/nowhere/x.so" in no_library.stderr
    with Olap(data):
        wrong = sql(data, "SELECT nothing", check=False)
        assert wrong.returncode == FAILED and "UNKNOWN_IDENTIFIER" in wrong.stderr
        assert wrong.stderr.count("\n") == 1 and wrong.stdout == ""


def test_ping_needs_no_password(data):
    with Olap(data) as olap, Client(olap.url) as stranger:
        assert stranger.get("/ping").expect(200).body == b"Ok.\n"
        assert stranger.get("/").expect(200).body == b"Ok.\n"
