#!/usr/bin/env python3
"""Runs clang-tidy on the product's files of a build, several at a time, and remembers what was clean.

Tests are left to the compiler's warnings and the sanitizers: with them it would take twice as long.

Usage: tidy.py --build DIR [--changed]
A file is looked at again only when it, a project header that it includes, its command or .clang-tidy has changed; the
marks lie in build/tidy-cache. --changed: only files that the last commit or the working tree touches, or that include
such a header directly.
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src"
CACHE = ROOT / "build" / "tidy-cache"
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


@functools.cache
def contents(path):
    return path.read_bytes()


@functools.cache
def direct_includes(path):
    found = (SOURCES / name.decode() for name in INCLUDE.findall(contents(path)))
    return frozenset(header for header in found if header.is_file())


def all_includes(path):
    seen, waiting = {path}, [path]
    while waiting:
        for header in direct_includes(waiting.pop()) - seen:
            seen.add(header)
            waiting.append(header)
    return seen


def mark_of(path, command):
    """The cache file that exists where this very input was found clean."""
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes() + command.encode())
    for part in sorted(all_includes(path)):
        digest.update(str(part.relative_to(ROOT)).encode() + b"\0" + contents(part) + b"\0")
    return CACHE / digest.hexdigest()


def changed_files():
    """None where git cannot tell: no repository, or no commit before the last."""
    names = set()
    for arguments in (["diff", "--name-only", "HEAD~1"], ["ls-files", "--others", "--exclude-standard"]):
        answer = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
        if answer.returncode != 0:
            reason = answer.stderr.partition("\n")[0]  # its usage may follow
            print(f"git cannot tell what has changed, so all files count: {reason}")
            return None
        names.update(answer.stdout.splitlines())
    return {ROOT / name for name in names}


def inspect(path, build):
    # What a test costs does not matter.
    command = ["clang-tidy-19", "--quiet", "-p", str(build), str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--changed", action="store_true")
    options = parser.parse_args()

    commands = json.loads((options.build / "compile_commands.json").read_text())
    marks = {
        pathlib.Path(entry["file"]): mark_of(pathlib.Path(entry["file"]), entry["command"])
        for entry in commands
        if pathlib.Path(entry["file"]).is_relative_to(SOURCES) and not entry["file"].endswith("_test.cpp")
    }
    changed = changed_files() if options.changed else None
    if changed is not None:
        marks = {path: mark for path, mark in marks.items() if ({path} | direct_includes(path)) & changed}
    todo = [path for path, mark in sorted(marks.items()) if not mark.exists()]
    print(f"{len(marks)} files, {len(todo)} of them to look at")

    CACHE.mkdir(parents=True, exist_ok=True)
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, answer in zip(todo, pool.map(lambda path: inspect(path, options.build), todo)):
            if answer.returncode == 0:
                marks[path].touch()
            else:
                bad += 1
                print(answer.stdout or answer.stderr)
    print(f"{bad} files with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
