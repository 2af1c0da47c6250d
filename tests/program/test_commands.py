"""Commands that need no running server: flags, settings, exit statuses, sentences."""

import json
import os
import re
import stat

import pytest

from harness import Keys, novafeed, user_id
from program.conftest import ACTIONS, DAY, NOON, rank, write_ndjson

OK, FAILED, USAGE, BAD_LINES = 0, 1, 2, 3


def refused(*arguments: object) -> tuple[int, str]:
    """Exit status and the one sentence on standard error."""
    done = novafeed(*arguments, check=False)
    lines = done.stderr.splitlines()
    assert done.stdout == "" and len(lines) == 1 and lines[0].startswith("novafeed: "), done
    return done.returncode, lines[0].removeprefix("novafeed: ")


def test_the_version_is_printed():
    assert novafeed("--version").stdout.strip().count(".") == 2


@pytest.mark.parametrize("command", ["serve", "import", "token", "rank", "demo"])
def test_every_command_explains_itself(command):
    text = novafeed(command, "--help").stdout
    assert "--data" in text and "--set" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "subcommand"),
        (["dance"], "dance"),
        (["serve", "--dance"], "--dance"),
        (["serve", "--lisen", "1"], "--lisen 1 (see novafeed serve --help)"),
        (["dlq"], "list or replay (see novafeed dlq --help)"),
        (["serve", "--set", "serve.listen"], "NAME=VALUE"),
        (["serve", "--set", "serve.dance=1"], "serve.dance"),
        (["serve", "--set", "serve.io_threads=many"], "serve.io_threads"),
        (["serve", "--set", "log.level=loud"], "log.level"),
        (["serve", "--set", "serve.engine=magic"], "serve.engine"),
        (["serve", "--set", "serve.engine=warehouse", "--set", "warehouse.engine=off"], "warehouse.engine"),
        (["serve", "--demo", "--listen", "0.0.0.0:0"], "--demo"),
        (["serve", "--test-clock", "1", "--listen", "0.0.0.0:0"], "--test-clock"),
        (["token", "--user", "nobody"], "UUID"),
        (["token", "--user", "ext:ann", "--scope", "god"], "god"),
        (["token", "--user", "ext:ann", "--ttl", "31d"], "30d"),
        (["rank"], "--user"),
        (["rank", "--user", "nobody"], "nobody"),
        (["rank", "--user", "ext:ann", "--engine", "magic"], "magic"),
        (["rank", "--user", "ext:ann", "--as-of", "2026-01-01T00:00:00Z"], "milliseconds since 1970"),
        (["rank", "--user", "ext:ann", "--trending-as-of", "-1"], "milliseconds since 1970"),
        (["import", "-", "--bad", "-"], "--bad"),
        (["import", "-", "--url", "http://127.0.0.1:1"], "NOVAFEED_TOKEN"),
        (["import", "-", "--url", "http://127.0.0.1:1", "--data", "x"], "--url"),
    ],
)
def test_wrong_use_says_what_is_wrong(arguments, words):
    status, sentence = refused(*arguments)
    assert status == USAGE and words in sentence, (status, sentence)


@pytest.mark.parametrize("listen", ["127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x", "no.such.host.invalid:80"])
def test_a_bad_listen_address_is_named(directory, listen):
    status, sentence = refused(
        "serve", "--listen", listen, "--data", directory / "data", "--set", "warehouse.engine=off"
    )
    assert status == FAILED and listen in sentence


def test_rank_needs_an_existing_directory(directory):
    status, sentence = refused("rank", "--user", "ext:ann", "--data", directory / "none")
    assert status == FAILED and "none" in sentence
    assert not (directory / "none").exists()


def test_print_config_shows_values_with_their_sources(directory):
    file = directory / "novafeed.toml"
    file.write_text('[serve]\nlisten = "127.0.0.1:9"\n', encoding="utf-8")
    text = novafeed("serve", "--config", file, "--set", "rate.user_burst=7", "--print-config").stdout
    assert f'serve.listen = "127.0.0.1:9"  # {file}, line 2' in text
    assert "rate.user_burst = 7  # command line" in text
    assert 'log.level = "info"  # default' in text


def test_the_environment_counts_less_than_the_command_line(monkeypatch):
    monkeypatch.setenv("NOVAFEED_LOG_LEVEL", "warn")
    assert 'log.level = "warn"' in novafeed("serve", "--print-config").stdout
    assert 'log.level = "error"' in novafeed("serve", "--print-config", "--set", "log.level=error").stdout


def test_token_prints_a_token_and_nothing_else(directory):
    done = novafeed("token", "--data", directory, "--user", "ext:ann", "--scope", "service")
    assert done.stdout.count("\n") == 1 and done.stdout.count(".") == 2
    assert done.stderr == ""
    keys = directory / "keys.json"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert Keys.read(directory)


def test_token_and_rank_say_the_same_of_a_directory_that_is_not_there(directory):
    told = refused("token", "--data", directory / "none", "--user", "ext:ann")
    assert told[0] == FAILED and "There is no data directory" in told[1]
    assert told == refused("rank", "--data", directory / "none", "--user", "ext:ann")


def test_keys_that_others_may_read_are_refused(directory):
    novafeed("token", "--data", directory, "--user", "ext:ann")
    os.chmod(directory / "keys.json", 0o644)
    status, sentence = refused("token", "--data", directory, "--user", "ext:ann")
    assert status == FAILED and "keys.json" in sentence


def test_import_makes_a_private_directory_and_a_second_one_changes_nothing(directory):
    file = write_ndjson(directory / "actions.ndjson", ACTIONS)
    data = directory / "deep" / "data"
    first = novafeed("import", file, "--data", data)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert "80" in first.stdout
    before = rank(data, "--as-of", NOON)
    novafeed("import", file, "--data", data)
    assert rank(data, "--as-of", NOON) == before


def test_a_directory_named_with_a_slash_is_as_private(directory):
    data = directory / "data"
    novafeed("import", write_ndjson(directory / "actions.ndjson", ACTIONS), "--data", f"{data}/")
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    open_to_others = [file.name for file in data.iterdir() if stat.S_IMODE(file.stat().st_mode) & 0o077]
    assert not open_to_others


@pytest.mark.parametrize("left", ["events.db", "index.snapshot", "olap/store/metadata/novafeed/log_positions.sql"])
def test_no_empty_graph_is_made_beside_what_was_made_from_another(directory, left):
    (directory / left).parent.mkdir(parents=True, exist_ok=True)
    (directory / left).touch()
    for command in (["serve", "--listen", "127.0.0.1:0"], ["import", "-"], ["rank", "--user", "ext:ann"], ["check"]):
        status, sentence = refused(*command, "--data", directory)
        assert status == FAILED and sentence.startswith("graph.db is missing"), (command, sentence)
        assert left.split("/")[0] in sentence and "backup" in sentence, sentence
        assert not (directory / "graph.db").exists()


def test_the_engine_alone_leaves_room_for_a_graph(directory):
    (directory / "olap").mkdir()
    novafeed("import", "-", "--data", directory, text_in="")


def test_a_dry_run_makes_no_directory(directory):
    file = write_ndjson(directory / "actions.ndjson", ACTIONS)
    done = novafeed("import", file, "--dry-run", "--data", directory / "deep" / "data")
    assert "80" in done.stdout and "dry run" in done.stdout
    assert not (directory / "deep").exists()


def test_bad_lines_end_in_their_own_exit_status(directory):
    file = write_ndjson(directory / "bad.ndjson", [*ACTIONS, {"type": "like", "user": "ann", "post": "none", "at": NOON}])
    bad = directory / "bad.out"
    done = novafeed("import", file, "--data", directory / "data", "--bad", bad, check=False)
    assert done.returncode == BAD_LINES
    assert len(bad.read_text(encoding="utf-8").splitlines()) == 1
    assert len(rank(directory / "data", "--as-of", NOON)["items"]) > 0


NOWHERE = {"type": "like", "user": "ann", "post": "none", "at": NOON}


def told_bad(done) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("bad: ")]


def test_bad_lines_are_told_without_a_file_and_the_way_to_all_of_them_holds(directory):
    file = write_ndjson(directory / "actions.ndjson", [*ACTIONS, *[NOWHERE] * 13])
    before = len(ACTIONS)
    done = novafeed("import", file, "--data", directory / "data", check=False)
    *first, last = told_bad(done)
    assert [line.split(":")[2:4] for line in first] == [
        [f" line {before + n}", " unknown_post"] for n in range(1, 11)
    ], first
    assert all(line.endswith("put its line first.") for line in first), first
    assert last.startswith("bad: 3 more lines") and "--dry-run, --bad FILE and a --data that is not there" in last
    assert done.stderr.endswith(last + "\n") and done.returncode == BAD_LINES

    bad = directory / "bad.out"
    search = ("import", file, "--dry-run", "--bad", bad, "--data", directory / "not-there")
    again = novafeed(*search, check=False)
    assert again.returncode == BAD_LINES and told_bad(again) == []
    numbers = [json.loads(line)["line"] for line in bad.read_text(encoding="utf-8").splitlines()]
    assert numbers == list(range(before + 1, before + 14))
    assert not (directory / "not-there").exists()


def test_a_few_bad_lines_are_all_told(directory):
    file = write_ndjson(directory / "actions.ndjson", [*ACTIONS, NOWHERE])
    assert len(told_bad(novafeed("import", file, "--data", directory / "data", check=False))) == 1
    dry = novafeed("import", file, "--dry-run", "--data", directory / "other", check=False)
    assert len(told_bad(dry)) == 1 and dry.returncode == BAD_LINES


def counted(report: str) -> tuple[int, dict[str, int]]:
    """Of a report about one file: lines that it says it took, and how many of them ended how."""
    first, *others = report.splitlines()
    outcomes: dict[str, int] = {}
    for line in others:
        for number, outcome in re.findall(r"([\d,]+) (applied|unchanged|conflict|duplicate|bad)\b(?!:)", line):
            outcomes[outcome] = outcomes.get(outcome, 0) + int(number.replace(",", ""))
    return int(re.search(r": ([\d,]+) lines", first)[1].replace(",", "")), outcomes


def test_a_report_tells_of_every_line_once_and_says_where_nothing_changed(directory):
    share = {"type": "share", "id": "s", "user": "ann", "post": "post-0", "at": NOON}
    other = {**ACTIONS[3], "text": "another text"}
    actions = [*ACTIONS, share, share, ACTIONS[4], other, NOWHERE]
    lines = [json.dumps(action) for action in actions] + ["", "nonsense", " "]
    file = directory / "actions.ndjson"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    data = directory / "data"

    first = novafeed("import", file, "--data", data, check=False).stdout
    taken, outcomes = counted(first)
    assert taken == len(actions) + 1 and " and 2 blank" in first
    assert outcomes == {"applied": len(ACTIONS) + 1, "duplicate": 1, "unchanged": 1, "conflict": 1, "bad": 2}
    assert "nothing changed" not in first

    again = novafeed("import", file, "--data", data, check=False).stdout
    assert f"nothing new, its {taken} lines were imported before, 2 of them rejected then" in again
    assert again.endswith("nothing changed\n")

    behind = directory / "behind.ndjson"  # another file that brings the same
    behind.write_text("\n".join(lines[1:]) + "\n", encoding="utf-8")
    same = novafeed("import", behind, "--data", data, check=False).stdout
    taken, outcomes = counted(same)
    assert taken == len(actions) and "applied" not in outcomes and sum(outcomes.values()) == taken
    assert same.endswith("nothing changed\n")


def test_import_reads_standard_input(directory):
    text = "".join(json.dumps(action) + "\n" for action in ACTIONS)
    novafeed("import", "-", "--data", directory / "data", text_in=text)
    assert len(rank(directory / "data", "--as-of", NOON)["items"]) > 0


def test_an_unreadable_file_is_named(directory):
    done = novafeed("import", directory / "none.ndjson", "--data", directory / "data", check=False)
    assert done.returncode in (FAILED, USAGE) and "none.ndjson" in done.stderr


def test_rank_prints_what_it_ranked_by(imported):
    ranking = rank(imported, "--as-of", NOON)
    assert ranking["user_id"] == user_id("ann")
    assert (ranking["as_of"], ranking["trending_as_of"]) == (NOON, NOON)
    assert (ranking["engine"], ranking["profile"]) == ("index", "v1")
    items = ranking["items"]
    assert [item["rank"] for item in items] == list(range(1, len(items) + 1))
    assert len(items) == 80
    by_source = {item["source"] for item in items}
    assert by_source == {"follow", "trending", "affinity"} or by_source == {"follow", "affinity"}, by_source
    newest = next(item for item in items if item["external_id"] == "post-78")
    assert (newest["likes"], newest["interactions"], newest["author_id"]) == (1, 40, user_id("bob"))


def test_rank_goes_back_in_its_windows_to_any_instant(imported):
    early = rank(imported, "--as-of", NOON - 9 * DAY)
    assert 0 < len(early["items"]) < 20
    assert all(item["created_at"] <= NOON - 9 * DAY for item in early["items"])
    assert rank(imported, "--as-of", NOON - 11 * DAY)["items"] == []


def test_several_viewers_give_a_line_each(imported, directory):
    file = directory / "viewers"
    file.write_text(f"ext:ann\n{user_id('bob')}\n", encoding="utf-8")
    done = novafeed("rank", "--data", imported, "--users", file, "--user", "ext:nobody", "--as-of", NOON)
    viewers = [json.loads(line)["user_id"] for line in done.stdout.splitlines()]
    assert sorted(viewers) == sorted(map(user_id, ("ann", "bob", "nobody")))


@pytest.mark.parametrize("command", [("import", "lines.ndjson"), ("demo",)])
def test_nothing_writes_around_the_servers_of_a_shared_graph(directory, command):
    settings = directory / "serve.toml"
    settings.write_text('graph.url = "postgresql://127.0.0.1:1/novafeed"\nlog.url = "kafka://127.0.0.1:1"\n')
    status, sentence = refused(*command, "--config", settings, "--data", directory / "data")
    assert status == FAILED and "--url" in sentence and "admin" in sentence, sentence
    assert not (directory / "data").exists()


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", [("check",), ("rank", "--user", "ext:ann"), ("serve",)])
def test_a_platforms_folder_is_no_node_of_a_cluster(imported, directory, command, monkeypatch):
    settings = directory / "serve.toml"
    settings.write_text('graph.url = "postgresql://127.0.0.1:1/novafeed"\nlog.url = "kafka://127.0.0.1:1"\n')
    before = contents(imported)
    status, sentence = refused(*command, "--config", settings, "--data", imported)
    assert status == FAILED and "graph.db" in sentence and "--data" in sentence, sentence
    monkeypatch.chdir(imported.parent)
    status, sentence = refused(*command, "--config", settings)
    assert status == USAGE and "--data" in sentence, sentence
    assert contents(imported) == before


@pytest.mark.parametrize("command", [("check",), ("rank", "--user", "ext:ann"), ("serve",), ("demo",), ("import", "-"),
                                     ("sql", "SELECT 1")])
def test_the_folder_of_a_node_of_a_cluster_is_no_platform(directory, command):
    (directory / "journal.db").write_bytes(b"")
    (directory / "index.snapshot").write_bytes(b"")
    status, sentence = refused(*command, "--data", directory)
    assert status == FAILED and "--config" in sentence and "cluster" in sentence, sentence
    assert sorted(contents(directory)) == ["index.snapshot", "journal.db"]
