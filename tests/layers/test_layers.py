"""The law of the house, checked on the sources themselves: who may include whom, and what every room has."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
MAX_README_LINES = 60

# Libraries that one room keeps to itself: a header of theirs elsewhere costs every build, or ties the house to them.
# The key starts an include; the value lists the files that may have it.
PRIVATE_HEADERS = {
    "boost/beast": {"http"},
    "sqlite3.h": {"adapters/sqlite"},
    "libpq-fe.h": {"adapters/postgres"},
    "spdlog/": {"base"},
    "prometheus/": {"base"},
    "toml++/": {"base"},
    "CLI/": {"app"},
    "openssl/": {"base", "adapters/redis"},
    "hiredis/": {"adapters/redis"},
    "dlfcn.h": {"adapters/chdb"},
}


def read_layers(text):
    """{room: rooms it may include} from cmake/Layers.cmake, in its order."""
    block = re.search(r"set\(NOVAFEED_LAYERS(.*?)\n\)", text, re.DOTALL).group(1)
    return {room: set(allowed.split()) for room, allowed in re.findall(r'"([^":]+):([^"]*)"', block)}


LAYERS = read_layers((ROOT / "cmake" / "Layers.cmake").read_text())


def room_of(path):
    """The room of a path below src/ ("adapters/sqlite/open.h"); None where it lies in none."""
    fitting = [room for room in LAYERS if str(path).startswith(room + "/")]
    return max(fitting, key=len, default=None)


def source_files():
    suffixes = {".h", ".cpp", ".cc", ".hpp", ".c", ".inc"}
    return sorted(p.relative_to(SOURCES) for p in SOURCES.rglob("*") if p.suffix in suffixes)


TEST_FILE = re.compile(r"_test(_support)?\.(cpp|h)$")


def allowed_in(path, room):
    """What a file may include: what its room may, and in a room's tests what its CMakeLists.txt names in TEST_DEPENDS."""
    if not TEST_FILE.search(path.name):
        return LAYERS[room]
    named = re.search(r"TEST_DEPENDS([^)]*)", (SOURCES / room / "CMakeLists.txt").read_text())
    return LAYERS[room] | (set(named[1].split()) & set(LAYERS) if named else set())


def find_violations(room, includes, allowed):
    """Sentences for the includes [(quote, target)] that a file of `room` must not have."""
    found = []
    for quote, target in includes:
        owner = room_of(target)
        if quote == '"' and owner is None:
            found.append(f'"{target}" names no room: write the path from src/, and libraries in <>')
        elif quote == '"' and owner != room and owner not in allowed:
            found.append(f'"{target}": {room} may not include {owner} (cmake/Layers.cmake)')
        for prefix, owners in PRIVATE_HEADERS.items():
            if target.startswith(prefix) and room not in owners:
                found.append(f"<{target}> belongs to {', '.join(sorted(owners))} alone")
    return found


def test_every_room_of_the_list_exists_and_lists_only_earlier_rooms():
    seen = set()
    for room, allowed in LAYERS.items():
        assert (SOURCES / room).is_dir(), f"cmake/Layers.cmake names {room}, but src/{room} does not exist"
        assert allowed <= seen, f"{room} may include {allowed - seen}, which come after it"
        seen.add(room)


def test_no_source_lies_outside_a_room():
    homeless = [str(path) for path in source_files() if room_of(path) is None]
    assert homeless == []


@pytest.mark.parametrize("room", LAYERS)
def test_includes_obey_the_layers(room):
    found = []
    for path in source_files():
        if room_of(path) != room:
            continue
        includes = INCLUDE.findall((SOURCES / path).read_text())
        found += [f"src/{path}: {violation}" for violation in find_violations(room, includes, allowed_in(path, room))]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("room", LAYERS)
def test_room_is_complete(room):
    for name in ("CMakeLists.txt", "README.md"):
        assert (SOURCES / room / name).is_file(), f"src/{room}/{name} is missing"
    lines = len((SOURCES / room / "README.md").read_text().splitlines())
    assert lines <= MAX_README_LINES, f"src/{room}/README.md has {lines} lines; a page is {MAX_README_LINES}"


@pytest.mark.parametrize("room", LAYERS)
def test_every_source_is_built(room):
    """A .cpp that no CMakeLists.txt names compiles nowhere, and a test in it never runs."""
    listed = (SOURCES / room / "CMakeLists.txt").read_text()
    orphans = [
        str(path)
        for path in source_files()
        if room_of(path) == room and path.suffix == ".cpp" and str(path.relative_to(room)) not in listed
    ]
    assert orphans == []


def test_headers_are_included_once():
    bare = [str(path) for path in source_files() if path.suffix == ".h" and "#pragma once" not in (SOURCES / path).read_text()]
    assert bare == []


def test_a_forbidden_include_is_found():
    """The scan itself can fail: an include against the order, of no room, and of a private library."""
    assert find_violations("social", [('"', "base/time.h"), ('"', "social/ids.h")], LAYERS["social"]) == []
    for bad in [('"', "graph/store.h"), ('"', "time.h"), ("<", "boost/beast/core.hpp"), ('"', "../base/time.h")]:
        assert len(find_violations("social", [bad], LAYERS["social"])) == 1, bad
