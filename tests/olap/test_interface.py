"""What ClickHouse's clients rely on: parameters, settings and answers that are right with many at once, and limits."""

from __future__ import annotations

import gzip
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness import READER, WRITER, Olap, assert_refused, wait_until

MIB = 1 << 20


@pytest.fixture(name="table")
def make_table(writer):
    writer.read("CREATE OR REPLACE TABLE t (a UInt32, b String) ENGINE = MergeTree ORDER BY a")
    yield "t"
    writer.read("DROP TABLE t")


# --- Many at once ----------------------------------------------------------------------------------------------------

ASKERS, QUERIES = 16, 250


def test_parameters_of_many_connections_are_never_mixed_up(olap):
    """Each query gets values of its own in three types, and gives them back. 4000 in all, none may be wrong."""

    def ask(asker: int) -> list[str]:
        wrong = []
        with olap.of(READER if asker % 2 else WRITER) as client:
            for n in range(QUERIES):
                number, text = asker * 1_000_000 + n, f"{asker}:{n}:{'x' * (n % 50)}'\\\\\"`"
                sql = "SELECT {n:UInt64} + 1, {s:String}, arraySum({l:Array(UInt32)}), {only_" + str(asker) + ":UInt8}"
                values = {"param_n": number, "param_s": text, "param_l": f"[{asker},{n}]", f"param_only_{asker}": asker}
                answer = client.read(sql, **values)
                if answer != f"{number + 1}\t{asker}:{n}:{'x' * (n % 50)}\\'\\\\\"`\t{asker + n}\t{asker}\n":
                    wrong.append(answer)
        return wrong

    with ThreadPoolExecutor(ASKERS) as pool:
        assert sum(pool.map(ask, range(ASKERS)), []) == []


def test_a_parameter_is_gone_after_its_request(olap):
    with olap.of(WRITER) as client:
        assert client.read("SELECT {x:UInt8}", param_x=7) == "7\n"
        for _ in range(10):
            assert_refused(client.ask("SELECT {x:UInt8}"), 500, 456, "x")


def test_200_connections_work_at_once(olap):
    open_at_once = threading.Barrier(200)

    def ask(n: int) -> str:
        with olap.of(WRITER if n % 2 else READER) as client:
            client.read("SELECT 1")
            open_at_once.wait(60)  # all have a connection open
            return client.read("SELECT sum(number) + {n:UInt32} FROM numbers(1000)", param_n=n)

    with ThreadPoolExecutor(200) as pool:
        assert list(pool.map(ask, range(200))) == [f"{499500 + n}\n" for n in range(200)]


def test_writers_and_readers_at_once_lose_nothing(olap, table):
    def write(n: int) -> None:
        with olap.of(WRITER) as client:
            for batch in range(20):
                client.ask(f"INSERT INTO {table} FORMAT RowBinary", struct.pack("<IB", n * 20 + batch, 1) + b"x").expect(200)
                client.read(f"SELECT count() FROM {table}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    with olap.of(READER) as client:
        assert client.read(f"SELECT count(), uniqExact(a), sum(a) FROM {table}") == f"160\t160\t{159 * 80}\n"


# --- Nothing leaks from one request to the next ----------------------------------------------------------------------


def test_settings_do_not_leak(olap):
    with olap.of(WRITER) as client:
        default = client.read("SELECT getSetting('max_threads'), getSetting('join_use_nulls'), getSetting('async_insert')")
        assert default == "2\tfalse\tfalse\n"
        for n in range(20):
            sql = "SELECT getSetting('max_threads'), getSetting('join_use_nulls')"
            assert client.read(sql, max_threads=3 + n, join_use_nulls=1) == f"{3 + n}\ttrue\n"
            assert client.read(sql) == "2\tfalse\n"
        client.ask("SET max_threads = 17").expect(200)
        client.ask("SET async_insert = 1").expect(200)
        for _ in range(20):
            assert client.read("SELECT getSetting('max_threads'), getSetting('async_insert')") == "2\tfalse\n"


def test_settings_of_requests_at_once_are_their_own(olap):
    def ask(n: int) -> list[str]:
        with olap.of(WRITER) as client:
            return [client.read("SELECT getSetting('max_block_size')", max_block_size=1000 + n) for _ in range(40)]

    with ThreadPoolExecutor(8) as pool:
        for n, answers in enumerate(pool.map(ask, range(8))):
            assert set(answers) == {f"{1000 + n}\n"}


def test_the_database_does_not_leak(olap):
    with olap.of(WRITER) as client:
        for _ in range(10):
            assert client.read("SELECT currentDatabase()", database="system") == "system\n"
            assert client.read("SELECT currentDatabase()") == "novafeed\n"
        client.ask("USE system").expect(200)
        for _ in range(10):
            assert client.read("SELECT currentDatabase()") == "novafeed\n"


def test_temporary_tables_do_not_leak(olap):
    with olap.of(WRITER) as client:
        client.ask("CREATE TEMPORARY TABLE fleeting (a UInt8)").expect(200)
        for _ in range(10):
            assert_refused(client.ask("SELECT * FROM fleeting"), 404, 60)


@pytest.mark.parametrize(
    ("failing", "code"),
    [
        ("SELECT number FROM numbers(50000000) SETTINGS max_block_size = 1000, max_result_bytes = 10000000", "396"),
        ("SELECT number, throwIf(number = 2000000) FROM numbers(5000000) SETTINGS max_block_size = 1000", "395"),
        ("SELECT number, throwIf(number = 2000000) FROM numbers(5000000) FORMAT JSON", "395"),
        ("SELECT number, throwIf(number = 2000000) FROM numbers(5000000) FORMAT CSVWithNames", "395"),
        ("SELECT number FROM numbers(5000000) FORMAT Nope", "73"),
        ("SELECT nothing", "47"),
    ],
)
def test_an_answer_that_failed_is_not_the_beginning_of_the_next(olap, failing, code):
    with olap.of(WRITER) as client:
        for _ in range(3):
            failed = client.ask(failing)
            assert failed.headers["X-ClickHouse-Exception-Code"] == code, failed.body[:300]
            assert failed.body.startswith(b"Code: ")
            assert [client.read("SELECT 1") for _ in range(10)] == ["1\n"] * 10


def test_an_insert_that_failed_leaves_nothing(olap, table):
    with olap.of(WRITER) as client:
        for _ in range(3):
            assert_refused(client.ask(f"INSERT INTO {table} FORMAT JSONEachRow", b'{"a":1,"b":"x"}\n{"a":"no"}'), 400, 27)
            client.ask(f"INSERT INTO {table} FORMAT JSONEachRow", b'{"a":7,"b":"y"}').expect(200)
        assert client.read(f"SELECT DISTINCT a FROM {table}") == "7\n"


# --- Limits ----------------------------------------------------------------------------------------------------------


def test_an_answer_that_is_too_large_is_refused_and_the_engine_lives_on(olap, writer, reader):
    for client in (writer, reader):
        assert_refused(client.ask("SELECT number, repeat('x', 100) FROM numbers(100000000)"), 500, 396)
        assert client.read("SELECT 1") == "1\n"
    assert olap.running


def test_a_query_that_takes_too_much_memory_is_refused_and_the_engine_lives_on(olap, writer, reader):
    for client in (writer, reader):
        assert_refused(client.ask("SELECT length(groupArray(number)) FROM numbers(1000000000)"), 500, 241)
        assert client.read("SELECT 1") == "1\n"
    assert olap.running


def test_queries_that_take_too_much_memory_together_are_refused_and_the_engine_lives_on(olap):
    def ask(_: int) -> str | None:
        with olap.of(WRITER) as client:
            answer = client.ask("SELECT length(groupArray(number)) FROM numbers(1000000000)")
            return answer.headers.get("X-ClickHouse-Exception-Code")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"241"}
    with olap.of(READER) as client:
        assert client.read("SELECT 1") == "1\n"
    assert olap.running


def test_a_query_that_takes_too_long_is_ended(writer, reader):
    for client in (writer, reader):
        assert_refused(client.ask("SELECT count() FROM numbers(1000000000000)", max_execution_time=1), 408, 159)
        assert client.read("SELECT 1") == "1\n"


def test_a_text_that_is_too_long_is_refused_and_the_engine_lives_on(writer):
    assert_refused(writer.ask("SELECT '" + "x" * 300_000 + "'"), 400, 62)
    assert_refused(writer.ask("SELECT " + "(" * 5000 + "1" + ")" * 5000), 500, 306)
    assert writer.read("SELECT 1") == "1\n"


def test_a_body_that_is_too_long_is_refused_and_the_engine_lives_on(olap, writer, table):
    with olap.of(WRITER) as client:
        answer = client.ask(f"INSERT INTO {table} FORMAT TSV", b"1\tx\n" * (17 * MIB))
        assert answer.status == 413, answer.body
    packed = gzip.compress(b"1\tx\n" * (17 * MIB), compresslevel=1)
    answer = writer.request(
        "POST", "/", query={"query": f"INSERT INTO {table} FORMAT TSV"}, raw=packed, headers={"Content-Encoding": "gzip"}
    )
    assert answer.status == 413, answer.body
    writer.close()
    assert writer.read(f"SELECT count() FROM {table}") == "0\n"


def processor_ticks(pid: int) -> int:
    """Processor time that the process has used, in hundredths of a second."""
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11])


@pytest.mark.parametrize(("longest_wait", "code"), [("30s", None), ("500ms", "202")])
def test_queries_beyond_the_connections_wait_for_their_turn(longest_wait, code):
    with Olap(settings={"olap.connections": 1, "olap.longest_wait": longest_wait}) as olap:

        def ask(n: int) -> str | None:
            with olap.of(WRITER) as client:
                sql = "SELECT count() FROM numbers(1000000000000)" if n == 0 else "SELECT 1"
                return client.ask(sql, max_execution_time=2).headers.get("X-ClickHouse-Exception-Code")

        with ThreadPoolExecutor(20) as pool:
            first = pool.submit(ask, 0)
            before = processor_ticks(olap.pid)
            wait_until(lambda: processor_ticks(olap.pid) > before + 20, "the long query at work")
            others = list(pool.map(ask, range(1, 20)))
        assert (first.result(), set(others)) == ("159", {code})


def test_a_long_constant_is_counted_for_each_row(writer):
    """The engine itself counts a constant column once, and would answer with gigabytes."""
    answer = writer.ask("SELECT repeat('x', 1000) FROM numbers(10000000)", max_result_bytes=10 * MIB)
    assert_refused(answer, 500, 396, "10485760")
    assert len(writer.read("SELECT repeat('x', 1000) FROM numbers(10000)", max_result_bytes=10 * MIB)) == 10_010_000


# --- Statements and data ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "data"),
    [
        ("INSERT INTO t FORMAT JSONEachRow", b'{"a":1,"b":"x;y"}\n{"a":2,"b":"z"}\n'),
        ("INSERT INTO t (b, a) FORMAT TSV", b"x;y\t1\nz\t2\n"),
        ("INSERT INTO novafeed.t (a, b) SETTINGS max_insert_block_size = 1 FORMAT CSV", b'1,"x;y"\n2,z\n'),
        ("insert into t /* FORMAT */ format Values", b"(1, 'x;y'), (2, 'z');"),
        ("INSERT INTO t VALUES", b"(1, 'x;y'),\n(2, 'z')"),
        ("INSERT INTO t VALUES (1, 'x;y'), (2, 'z');", b""),
        ("INSERT INTO t VALUES (1, 'x;y'),\n", b"(2, 'z')"),
        ("INSERT INTO t SELECT number + 1, ['x;y', 'z'][number + 1] FROM numbers(2)", b""),
        ("INSERT INTO t FORMAT TSV\n1\tx;y\n2\tz", b""),
        ("INSERT INTO t FORMAT TSV\r\n1\tx;y\n2\tz\n", b""),
        ("-- INSERT INTO other VALUES\nINSERT INTO `t` FORMAT TSV", b"1\tx;y\n2\tz\n"),
        ("INSERT INTO t FORMAT RowBinary", struct.pack("<IB", 1, 3) + b"x;y" + struct.pack("<IB", 2, 1) + b"z"),
        ("INSERT INTO t (b) FORMAT TSV", None),
    ],
)
def test_ways_to_insert(writer, table, sql, data):
    if data is None:
        assert_refused(writer.ask(sql, b"x\ty\tz\n"), 400, 27)
        return
    answer = writer.ask(sql, data).expect(200)
    assert '"written_rows":"2"' in answer.headers["X-ClickHouse-Summary"]
    assert writer.read(f"SELECT * FROM {table} ORDER BY a") == "1\tx;y\n2\tz\n"


ROWS = 300_000  # more than one block of the engine's


@pytest.mark.parametrize(
    ("format", "head", "row"),
    [
        ("TabSeparated", b"", lambda n: b"%d\tr%d\n" % (n, n)),
        ("TSVWithNames", b"n\ts\\n\n", lambda n: b"%d\tr%d\n" % (n, n)),
        ("TabSeparatedWithNamesAndTypes", b"n\ts\\n\nUInt32\tString\n", lambda n: b"%d\tr%d\n" % (n, n)),
        ("CSVWithNames", b'"n","s\n"\n', lambda n: b'%d,"r%d"\n' % (n, n)),
        ("JSONEachRow", b"", lambda n: b'{"n":%d,"s\\n":"r%d"}\n' % (n, n)),
        ("RowBinary", b"", lambda n: struct.pack("<IB", n, len(f"r{n}")) + b"r%d" % n),
        ("RowBinaryWithNamesAndTypes", b"\2\1n\2s\n\6UInt32\6String", lambda n: struct.pack("<IB", n, len(f"r{n}")) + b"r%d" % n),
    ],
)
def test_an_answer_of_many_blocks_is_one(writer, format, head, row):
    sql = f"SELECT toUInt32(number) AS n, concat('r', toString(n)) AS `s\n` FROM numbers({ROWS}) ORDER BY n"
    answer = writer.ask(sql, default_format=format).expect(200)
    assert answer.body == head + b"".join(map(row, range(ROWS)))
    assert f'"read_rows":"{ROWS}"' in answer.headers["X-ClickHouse-Summary"]
    assert f'"result_rows":"{ROWS}"' in answer.headers["X-ClickHouse-Summary"]
    empty = writer.ask(sql.replace("ORDER", "WHERE n > 1000000000 ORDER"), default_format=format).expect(200)
    assert empty.body == head


def test_bytes_of_any_kind_come_back(writer, table):
    text = bytes(range(256)) * 4
    row = struct.pack("<I", 1) + bytes([0x80 | (len(text) & 0x7F), len(text) >> 7]) + text
    writer.ask(f"INSERT INTO {table} FORMAT RowBinary", row).expect(200)
    assert writer.ask(f"SELECT a, b FROM {table} FORMAT RowBinary").expect(200).body == row


def test_a_large_insert(writer, table):
    rows = b"".join(b"%d\tline %d\n" % (n, n) for n in range(1_000_000))
    answer = writer.ask(f"INSERT INTO {table} FORMAT TSV", rows).expect(200)
    assert '"written_rows":"1000000"' in answer.headers["X-ClickHouse-Summary"]
    assert writer.read(f"SELECT count(), sum(a), uniqExact(b) FROM {table}") == "1000000\t499999500000\t1000000\n"


def test_an_empty_insert_writes_nothing(writer, table):
    writer.ask(f"INSERT INTO {table} FORMAT JSONEachRow").expect(200)
    assert writer.read(f"SELECT count() FROM {table}") == "0\n"


def test_several_statements_are_not_half_run(writer, table):
    assert_refused(writer.ask(f"DROP TABLE {table}; SELECT 1"), 400, 62, "Multi-statements")
    assert_refused(writer.ask(f"TRUNCATE TABLE {table}; garbage"), 400, 62)
    assert writer.read(f"SELECT 1 FROM {table} LIMIT 0; -- comment") == ""


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("selec 1", 400, 62),
        ("", 400, 62),
        ("-- nothing", 400, 62),
        ("SELECT 1 FROM nosuch", 404, 60),
        ("SELECT nosuch()", 404, 46),
        ("SELECT nosuch", 404, 47),
        ("SELECT 1 FORMAT Nosuch", 404, 73),
        ("SELECT toUInt8('x')", 400, 6),
        ("SELECT throwIf(1)", 500, 395),
        ("SELECT {x:UInt8}", 500, 456),
    ],
)
def test_statuses_are_those_of_clickhouse(writer, sql, status, code):
    assert_refused(writer.ask(sql), status, code)


def test_an_unknown_setting_or_database_is_named(writer):
    assert_refused(writer.ask("SELECT 1", nosuch=1), 404, 115, "nosuch")
    assert_refused(writer.ask("SELECT 1", database="nosuch"), 404, 81, "nosuch")
    assert_refused(writer.ask("SELECT 1", max_threads="many"), 400, 27)
    assert writer.ask("SELECT 1", **{"max_threads = 1, readonly": 1}).status == 404


@pytest.mark.parametrize(("method", "path", "status"), [("PUT", "/", 405), ("DELETE", "/", 405), ("GET", "/play", 404)])
def test_other_requests_are_refused(writer, method, path, status):
    assert writer.request(method, path).status == status


def test_background_work_goes_on(writer):
    """Merges and refreshed views run in the engine's own threads."""
    writer.read("CREATE OR REPLACE TABLE parts_of (a UInt32) ENGINE = MergeTree ORDER BY a")
    for n in range(8):
        writer.read(f"INSERT INTO parts_of SELECT {n}")
    writer.read("CREATE OR REPLACE TABLE refreshed (n UInt64) ENGINE = MergeTree ORDER BY n")
    writer.read("CREATE MATERIALIZED VIEW IF NOT EXISTS refresher REFRESH EVERY 1 SECOND TO refreshed AS SELECT count() AS n FROM parts_of")
    wait_until(lambda: writer.read("SELECT n FROM refreshed") == "8\n", "the refreshed view")
    writer.read("OPTIMIZE TABLE parts_of FINAL")
    assert writer.read("SELECT count() FROM system.parts WHERE table = 'parts_of' AND active") == "1\n"
    writer.read("DROP VIEW refresher")
