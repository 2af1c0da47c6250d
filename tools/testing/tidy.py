#!/usr/bin/env python3
"""Runs clang-tidy on the product's files of a build, several at a time, and remembers what was clean.

Most of its time goes into the headers that files share. So files that are compiled alike are looked at together, as one
that includes them; where that finds something, each half is looked at, down to single files. Tests are left to the
compiler's warnings and the sanitizers: with them it would take twice as long.

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
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src"
CACHE = ROOT / "build" / "tidy-cache"
TOGETHER = 12  # files at most
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
UNNAMED_NAMESPACE = re.compile(rb"^namespace \{$(.*?)^\}  // namespace$", re.MULTILINE | re.DOTALL)
# The first of these on a line that begins a declaration is most likely its name.
DECLARED = re.compile(rb"^(?![ })#/]).*?\b(k?[A-Z]\w*)(?=\(|\{| \{| =| :|;|\[)", re.MULTILINE)


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


@functools.cache
def own_names(path):
    """What its unnamed namespaces declare."""
    return {name for part in UNNAMED_NAMESPACE.findall(contents(path)) for name in DECLARED.findall(part)}


@functools.cache
def words(path):
    return set(re.findall(rb"\w+", contents(path)))


def get_along(one, other):
    """Whether no name that is one file's own means something else in the other."""
    return own_names(one).isdisjoint(words(other)) and own_names(other).isdisjoint(words(one))


def flags_of(command):
    """What stands between the compiler and the file that it makes."""
    parts = shlex.split(command)
    return parts[1 : parts.index("-o")]


def batches_of(paths, flags):
    """Files of the same flags, as many together as get along."""
    batches = []
    for path in paths:
        for batch in batches:
            fits = len(batch) < TOGETHER and flags[batch[0]] == flags[path]
            if fits and all(get_along(path, other) for other in batch):
                batch.append(path)
                break
        else:
            batches.append([path])
    return sorted(batches, key=len, reverse=True)  # the longest first, so that none of them is left to run alone


def run_tidy(*arguments):
    return subprocess.run(["clang-tidy-19", "--quiet", *arguments], cwd=ROOT, capture_output=True, text=True)


def are_clean_together(batch, flags):
    with tempfile.NamedTemporaryFile("w", suffix=".cpp", dir=CACHE) as together:  # below ROOT: .clang-tidy is found
        together.writelines(f'#include "{path}"\n' for path in batch)
        together.flush()
        return run_tidy(r"--header-filter=src/.*\.(h|cpp)$", together.name, "--", *flags).returncode == 0


def findings_of(batch, flags, build):
    """What clang-tidy says of each file that is not clean."""
    if len(batch) == 1:
        answer = run_tidy("-p", str(build), str(batch[0]))
        return {batch[0]: answer.stdout or answer.stderr} if answer.returncode != 0 else {}
    if are_clean_together(batch, flags):
        return {}
    middle = len(batch) // 2
    return findings_of(batch[:middle], flags, build) | findings_of(batch[middle:], flags, build)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--changed", action="store_true")
    options = parser.parse_args()

    entries = json.loads((options.build / "compile_commands.json").read_text())
    commands = {pathlib.Path(entry["file"]): entry["command"] for entry in entries}
    marks = {
        path: mark_of(path, command)
        for path, command in commands.items()
        if path.is_relative_to(SOURCES) and not path.name.endswith("_test.cpp")
    }
    changed = changed_files() if options.changed else None
    if changed is not None:
        marks = {path: mark for path, mark in marks.items() if ({path} | direct_includes(path)) & changed}
    todo = [path for path, mark in sorted(marks.items()) if not mark.exists()]
    flags = {path: flags_of(commands[path]) for path in todo}
    batches = batches_of(todo, flags)
    print(f"{len(marks)} files, {len(todo)} of them to look at, in {len(batches)} batches")

    CACHE.mkdir(parents=True, exist_ok=True)
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        look_at = lambda batch: findings_of(batch, flags[batch[0]], options.build)
        for batch, findings in zip(batches, pool.map(look_at, batches)):
            for path in batch:
                if path in findings:
                    bad += 1
                    print(findings[path])
                else:
                    marks[path].touch()
    print(f"{bad} files with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
