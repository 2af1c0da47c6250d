"""What the engine refuses: files, other machines, ways out of read-only, strangers."""

from __future__ import annotations

import http.server
import socket
import threading
from urllib.parse import urlsplit

import pytest

from harness import READER, WRITER, assert_refused

ACCESS_DENIED, READONLY, SYNTAX, UNKNOWN_KIND = 497, 164, 62, 78


@pytest.fixture(name="secret", scope="module")
def make_secret(tmp_path_factory):
    """A file that the process may read, in a format that the engine can."""
    path = tmp_path_factory.mktemp("secret") / "secret.csv"
    path.write_text("hush-hush\n")
    return path


@pytest.fixture(name="visitors")
def listen():
    """An HTTP server, and who came to it."""
    came = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            came.append(self.path)
            self.send_error(404)

        do_POST = do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    came_url = f"http://127.0.0.1:{server.server_port}/x.csv"
    yield came_url, came
    server.shutdown()
    server.server_close()


# --- Files -----------------------------------------------------------------------------------------------------------


def test_file_as_a_function_is_refused(reader, secret):
    assert_refused(reader.ask(f"SELECT file('{secret}')"), 403, ACCESS_DENIED, "file")


def test_file_as_a_table_function_is_refused(reader, secret):
    assert_refused(reader.ask(f"SELECT * FROM file('{secret}', 'CSV', 'a String')"), 403, ACCESS_DENIED, "file")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM '{0}'",
        "SELECT * FROM `{0}`",
        'SELECT * FROM "{0}"',
        "SELECT * FROM default.`{0}`",
        "SELECT 'hush-hush' IN default.`{0}`",
        "SELECT 'hush-hush' IN `{0}`",
        "DESCRIBE file('{0}')",
        "DESCRIBE TABLE default.`{0}`",
        "EXPLAIN SELECT * FROM file('{0}')",
        "EXPLAIN SYNTAX SELECT file('{0}')",
        "SELECT * FROM (SELECT * FROM file('{0}'))",
        "WITH x AS (SELECT * FROM file('{0}')) SELECT * FROM x",
        "WITH file('{0}') AS x SELECT x",
        "SELECT 1 UNION ALL SELECT toUInt8(file('{0}'))",
        "SELECT 1 EXCEPT SELECT length(file('{0}'))",
        "SELECT (SELECT file('{0}'))",
        "SELECT 1 WHERE exists(SELECT * FROM file('{0}'))",
        "SELECT arrayMap(x -> file(x), ['{0}'])",
        "SELECT * APPLY(file) FROM (SELECT '{0}')",
        "SELECT * APPLY(x -> file(x)) FROM (SELECT '{0}')",
        "SELECT * REPLACE(file('{0}') AS a) FROM (SELECT '{0}' AS a)",
        "SELECT 1 ORDER BY file('{0}')",
        "SELECT 1 LIMIT length(file('{0}'))",
        "SELECT sum(1) OVER (PARTITION BY file('{0}'))",
        "SELECT FILE('{0}')",
        "SELECT `file`('{0}')",
        "SELECT * FROM `file`('{0}')",
        "SELECT/**/file/**/('{0}')",
        "SELECT * FROM fileCluster('default', '{0}')",
        "SELECT * FROM merge('default', '.*')",
        "SELECT * FROM loop(file('{0}'))",
        "SELECT * FROM view(SELECT file('{0}'))",
        "SELECT * FROM format(CSV, file('{0}'))",
        "SELECT * FROM filesystem('/etc')",
        "SELECT * FROM sqlite('{0}', 't')",
        "SELECT * FROM executable('cat', 'TSV', 'a String')",
        "SELECT dictGet('x', 'y', 1)",
        "SELECT * FROM eval('SELECT file(\\'{0}\\')')",
        "graph = 1 SELECT 1; SELECT file('{0}')",
        "SELECT 1 AS `x\n Function count`, file('{0}')",
        "SELECT 1 AS `x\\n Function count`, file('{0}')",
        "SELECT file('{0}') AS `count (children 1)`",
        "SELECT * FROM file('{0}') AS `x (children 1)`",
    ],
)
def test_a_file_is_never_read(reader, secret, statement):
    answer = reader.ask(statement.replace("{0}", str(secret)))
    assert answer.status in (400, 403, 404), answer.body
    assert b"hush-hush\n" not in answer.body


def test_a_file_cannot_be_named_by_a_parameter(reader, secret):
    answer = reader.ask("SELECT * FROM {t:Identifier}", param_t=f"default.`{secret}`")
    assert_refused(answer, 403, ACCESS_DENIED)
    for name in (str(secret), "x\\nTableIdentifier novafeed.t"):
        assert reader.ask("SELECT * FROM {t:Identifier}", param_t=name).status in (400, 403, 404)


@pytest.mark.parametrize("user", [READER, WRITER])
def test_into_outfile_is_refused(olap, tmp_path, user):
    target = tmp_path / "out.tsv"
    with olap.of(user) as client:
        assert_refused(client.ask(f"SELECT 1 INTO OUTFILE '{target}'"), 404, UNKNOWN_KIND, "OUTFILE")
        assert_refused(client.ask(f"SELECT 1 into/**/outfile '{target}' FORMAT TSV"), 404, UNKNOWN_KIND)
    assert not target.exists()


@pytest.mark.parametrize("user", [READER, WRITER])
def test_from_infile_is_refused(olap, secret, user):
    with olap.of(user) as client:
        assert_refused(client.ask(f"INSERT INTO t FROM INFILE '{secret}' FORMAT CSV"), 404, UNKNOWN_KIND, "INFILE")


# --- Other machines --------------------------------------------------------------------------------------------------


def test_url_is_refused(reader, visitors):
    url, came = visitors
    assert_refused(reader.ask(f"SELECT * FROM url('{url}', 'CSV', 'a String')"), 403, ACCESS_DENIED, "url")
    assert reader.ask(f"graph = 1 SELECT 1; SELECT * FROM url('{url}')").status == 400
    assert came == []


def test_s3_is_refused(reader, visitors):
    url, came = visitors
    assert_refused(reader.ask(f"SELECT * FROM s3('{url}', NOSIGN, 'CSV', 'a String')"), 403, ACCESS_DENIED, "s3")
    assert came == []


def test_remote_is_refused(reader):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        address = "127.0.0.1:%d" % listening.getsockname()[1]
        assert_refused(reader.ask(f"SELECT * FROM remote('{address}', system.one)"), 403, ACCESS_DENIED, "remote")
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_executable_is_refused(reader):
    assert_refused(reader.ask("SELECT * FROM executable('id', 'TSV', 'a String')"), 403, ACCESS_DENIED, "executable")


HARMLESS = {"numbers", "numbers_mt", "zeros", "zeros_mt", "generateSeries", "generate_series", "values", "null"}


def test_every_table_function_but_the_listed_is_refused(reader, writer):
    names = set(writer.read("SELECT name FROM system.table_functions").split())
    assert HARMLESS <= names | {"values"} and len(names) > 50
    for name in names - HARMLESS:
        argument = "SELECT 1" if name in ("view", "viewExplain", "viewIfPermitted") else "'x'"
        answer = reader.ask(f"SELECT * FROM {name}({argument})")
        assert answer.status in (400, 403), (name, answer.body)  # 400: a syntax of its own


DANGEROUS = (
    "file hostName FQDN getMacro getServerSetting getServerPort serverUUID joinGet dictGet dictHas hasColumnInTable "
    "sleep sleepEachRow addressToLine addressToSymbol demangle catboostEvaluate filesystemAvailable filesystemCapacity "
    "showCertificate logTrace AIGenerate AIClassify evalMLMethod getClientHTTPHeader generateSerialID initializeAggregation "
    "getOSKernelVersion buildId connectionId transactionID zookeeperSessionUptime flameGraph structureToCapnProtoSchema"
).split()


@pytest.mark.parametrize("name", DANGEROUS)
def test_a_function_that_reaches_out_is_refused(reader, name):
    assert_refused(reader.ask(f"SELECT {name}('x')"), 403, ACCESS_DENIED, f"function {name}")
    assert_refused(reader.ask(f"SELECT {name.upper()}('x')"), 403, ACCESS_DENIED)


@pytest.mark.parametrize(
    "table",
    "system.users system.text_log system.query_log system.named_collections information_schema.tables "
    "INFORMATION_SCHEMA.tables default.x other.x".split(),
)
def test_a_table_elsewhere_is_refused(reader, table):
    for statement in (f"SELECT * FROM {table}", f"SELECT 1 IN {table}", f"DESCRIBE {table}", f"SHOW CREATE TABLE {table}"):
        if statement != "SELECT 1 IN other.x":  # a column, where there is no such database
            assert_refused(reader.ask(statement), 403, ACCESS_DENIED, table)


def test_another_database_is_closed_in_every_position(writer, reader):
    writer.read("CREATE DATABASE IF NOT EXISTS other ENGINE = Memory")
    writer.read("CREATE TABLE IF NOT EXISTS other.x (a UInt8) ENGINE = Memory")
    try:
        for statement in ("SELECT * FROM other.x", "SELECT 1 IN other.x", "SELECT 1 WHERE 1 NOT IN `other`.`x`"):
            assert_refused(reader.ask(statement), 403, ACCESS_DENIED, "other.x")
        assert_refused(reader.ask("SELECT * FROM x", database="other"), 403, ACCESS_DENIED, "another database")
    finally:
        writer.read("DROP DATABASE other")


def test_a_database_of_the_owners_own_is_open_to_the_reader(writer, reader):
    writer.read("CREATE DATABASE mine")
    writer.read("CREATE TABLE mine.t (a UInt8) ENGINE = MergeTree ORDER BY a")
    writer.read("CREATE VIEW mine.above AS SELECT a FROM mine.t WHERE a > {least:UInt8}")
    writer.read("INSERT INTO mine.t VALUES (1), (2)")
    try:
        assert reader.read("SELECT sum(a) FROM mine.t AS x WHERE x.a IN mine.t") == "3\n"
        assert reader.read("SELECT a FROM mine.above(least = 1)") == "2\n"
        assert reader.read("SELECT sum(a) FROM t", database="mine") == "3\n"
        assert reader.read("SHOW CREATE TABLE mine.t").startswith("CREATE TABLE mine.t")
        assert_refused(reader.ask("INSERT INTO mine.t VALUES (3)"), 500, READONLY)
        assert_refused(reader.ask("DROP DATABASE mine"), 500, READONLY)
    finally:
        writer.read("DROP DATABASE mine")


def test_what_was_allowed_is_refused_once_the_database_is_another(writer, reader, secret):
    statement = "SELECT count() FROM later.secret"
    writer.read("CREATE DATABASE later")
    writer.read("CREATE TABLE later.secret (a UInt8) ENGINE = Memory")
    try:
        assert [reader.read(statement) for _ in range(3)] == ["0\n"] * 3
        writer.read("DROP DATABASE later")
        writer.read(f"CREATE DATABASE later ENGINE = Filesystem('{secret.parent}')")
        assert_refused(reader.ask(statement), 403, ACCESS_DENIED, "later")
    finally:
        writer.read("DROP DATABASE IF EXISTS later")


def test_a_database_that_makes_tables_of_files_stays_closed(writer, reader, secret):
    writer.read(f"CREATE DATABASE shelf ENGINE = Filesystem('{secret.parent}')")
    try:
        for statement in (f"SELECT * FROM shelf.`{secret.name}`", "SELECT * FROM shelf.secret", "SELECT 1 IN shelf.secret"):
            assert_refused(reader.ask(statement), 403, ACCESS_DENIED, "shelf")
        for database in ("shelf", "default", "information_schema"):
            for table in (f"`{secret.name}`", "secret", f"`{secret}`"):
                assert_refused(reader.ask(f"SELECT * FROM {table}", database=database), 403, ACCESS_DENIED, "another database")
    finally:
        writer.read("DROP DATABASE shelf")


# --- Read-only -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"readonly": 0},
        {"readonly": 2},
        {"allow_ddl": 1},
        {"max_execution_time": 0},
        {"max_execution_time": 100000},
        {"max_memory_usage": 0},
        {"max_memory_usage": 1 << 50},
        {"max_result_bytes": 0},
        {"max_threads": 1000},
        {"max_threads": "2 "},
        {"async_insert": 1},
        {"implicit_select": 1},
        {"dialect": "prql"},
        {"format_schema": "x:y"},
        {"max_query_size": 1 << 30},
        {"x'y": 1},
        {"": 1},
    ],
)
def test_settings_that_lift_read_only_are_refused(reader, settings):
    answer = reader.ask("SELECT 1", **settings)
    assert answer.headers["X-ClickHouse-Exception-Code"] in ("164", "452"), answer.body


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_threads = 1",
        "SELECT * FROM (SELECT 1 SETTINGS readonly = 0)",
        "SET readonly = 0",
        "SET max_threads = 1",
        "USE system",
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t SELECT 1",
        "INSERT INTO FUNCTION file('x') SELECT 1",
        "EXPLAIN INSERT INTO t SELECT 1",
        "CREATE TABLE t (a UInt8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE t (a UInt8)",
        "CREATE FUNCTION f AS x -> x",
        "CREATE USER u",
        "ALTER TABLE t DELETE WHERE 1",
        "DROP TABLE t",
        "TRUNCATE TABLE t",
        "OPTIMIZE TABLE t",
        "DELETE FROM t WHERE 1",
        "SYSTEM FLUSH LOGS",
        "SYSTEM SHUTDOWN",
        "KILL QUERY WHERE 1",
        "BACKUP DATABASE novafeed TO File('x')",
        "ATTACH DATABASE x",
        "BEGIN TRANSACTION",
        "EXECUTE AS default SELECT 1",
        "SHOW GRANTS",
        "SHOW PROCESSLIST",
        "SELECT 1; DROP TABLE t",
        "SELECT 1 PARALLEL WITH SELECT 2",
    ],
)
def test_the_reader_may_not(reader, statement):
    answer = reader.ask(statement)
    assert answer.headers.get("X-ClickHouse-Exception-Code") in ("62", "164", "497"), (answer.status, answer.body)


def test_the_reader_may_read(reader, writer):
    writer.read("CREATE TABLE IF NOT EXISTS readable (a UInt8, b String) ENGINE = MergeTree ORDER BY a")
    writer.read("CREATE VIEW IF NOT EXISTS twice AS SELECT a * {by:UInt8} AS c FROM readable")
    writer.ask("INSERT INTO readable FORMAT TSV", b"1\tx\n2\ty\n").expect(200)
    assert reader.read("SELECT c FROM novafeed.twice(by = 2) ORDER BY c") == "2\n4\n"
    assert reader.read("SELECT count() FROM novafeed.readable AS r JOIN numbers(3) AS n ON n.number = r.a") == "2\n"
    assert reader.read("SELECT uniqExactIf(a, b = 'x'), sumMap(map(a, 1)) FROM readable").startswith("1\t")
    assert reader.read("SELECT a FROM readable WHERE a IN (SELECT number FROM numbers(2))") == "1\n"
    assert reader.read("SELECT (2, 'y') IN novafeed.readable, (2, 'x') IN readable") == "1\t0\n"
    assert reader.read("SELECT CASE WHEN a > 1 THEN 'big' ELSE 'small' END AS s FROM readable ORDER BY s") == "big\nsmall\n"
    assert reader.read("SELECT * EXCEPT (b), row_number() OVER (ORDER BY a DESC) AS n FROM readable ORDER BY a") == "1\t2\n2\t1\n"
    assert reader.read("SELECT name FROM system.tables WHERE database = 'novafeed' AND name = 'readable'") == "readable\n"
    for statement in ("DESCRIBE readable", "SHOW TABLES", "SHOW CREATE TABLE readable", "EXISTS TABLE readable", "EXPLAIN SELECT 1"):
        assert reader.read(statement)


def test_a_get_writes_nothing(writer):
    writer.read("CREATE TABLE IF NOT EXISTS kept (a UInt8) ENGINE = Memory")
    for statement in (
        "CREATE TABLE by_get (a UInt8) ENGINE = Memory",
        "INSERT INTO kept VALUES (1)",
        "INSERT INTO kept SELECT 1",
        "INSERT INTO FUNCTION null('a UInt8') SELECT 1",
        "WITH 1 AS x INSERT INTO kept SELECT x",
        "ALTER TABLE kept DELETE WHERE 1",
        "TRUNCATE TABLE kept",
        "DROP TABLE kept",
        "DROP TABLE IF EXISTS by_get",
        "SYSTEM FLUSH LOGS",
        "SET max_threads = 1",
    ):
        assert_refused(writer.ask(statement, method="GET"), 500, READONLY)
    assert writer.ask("SELECT 1 SETTINGS readonly = 0", method="GET").status == 500
    assert writer.read("SELECT count() FROM kept") == "0\n"
    assert writer.read("EXISTS TABLE by_get") == "0\n"


# --- Strangers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8123", "127.0.0.1.evil.example", "localhost.evil", "[::2]", "10.0.0.1"])
def test_another_host_is_refused(writer, host):
    for path in ("/", "/ping", "/?query=SELECT+1"):
        answer = writer.request("GET", path, headers={"Host": host})
        assert answer.status == 403, answer.body
        assert b"Ok." not in answer.body


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:1", "[::1]", "[::1]:80"])
def test_the_names_of_this_machine_are_taken(writer, host):
    assert writer.request("GET", "/?query=SELECT+1", headers={"Host": host}).expect(200).body == b"1\n"


@pytest.mark.parametrize("user", [WRITER, READER, "default", ""])
@pytest.mark.parametrize("password", ["", "x", "0" * 48])
def test_a_wrong_password_is_refused(olap, user, password):
    with olap.of(user, password) as client:
        assert_refused(client.ask("SELECT 1"), 403, 516)
        assert_refused(client.ask("SELECT 1", method="GET"), 403, 516)


def test_one_users_password_is_not_the_others(olap):
    from harness.olap import password_of

    for user, other in ((WRITER, READER), (READER, WRITER)):
        with olap.of(user, password_of(olap.data, other)) as client:
            assert_refused(client.ask("SELECT 1"), 403, 516)


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Bearer x", "Basic bm92YWZlZWQ"])
def test_malformed_credentials_are_none(olap, header):
    from harness import Client

    with Client(olap.url, headers={"Authorization": header}) as client:
        answer = client.request("POST", "/", raw=b"SELECT 1")
        assert answer.status in (401, 403), answer.body


def test_the_address_is_this_machines_only(olap):
    assert urlsplit(olap.url).hostname == "127.0.0.1"


@pytest.mark.parametrize("name", ["session_id", "compress", "decompress", "role"])
def test_what_is_not_spoken_is_refused(writer, name):
    assert_refused(writer.ask("SELECT 1", **{name: "1"}), 501, 48, name)
