"""The examples of the READMEs run as they stand there, in a project that has installed the package."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid

import pytest

from harness import Server

from .drivers import PYTHON, TYPESCRIPT, build_typescript, python_environment


@pytest.fixture(name="served", scope="module")
def serve_a_post():
    """What the examples expect in the environment, and a function that counts the post's shares and impressions."""
    with Server() as server, server.client(scope="service") as service:
        users = [service.post("/api/v1/users", {"handle": f"u{n}-{uuid.uuid4().hex[:6]}", "name": "U"}).expect(201).json()
                 for n in range(2)]
        with server.client(users[0]["id"]) as author:
            post = author.post("/api/v1/posts", {"text": "A post."}).expect(201).json()["id"]
        token = server.token(users[1]["id"])

        def counts():
            read = service.get(f"/api/v1/posts/{post}").expect(200).json()
            return read["impressions"], read["shares"]

        yield {"NOVAFEED_URL": server.url, "NOVAFEED_TOKEN": token, "POST_ID": post}, counts


def example(sdk, language):
    """The first example."""
    return re.search(rf"```{language}\n(.*?)```", (sdk / "README.md").read_text(encoding="utf-8"), re.DOTALL)[1]


def run(command, directory, environment):
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_example(served, tmp_path):
    environment, counts = served
    before = counts()
    out = run([sys.executable, "-c", example(PYTHON, "python")], tmp_path, {**python_environment(), **environment})
    assert out == "FlushResult(pending=0, problem=None)\n"
    assert counts() == (before[0] + 1, before[1] + 1)


def test_the_typescript_example(served, tmp_path):
    environment, counts = served
    before = counts()
    build_typescript()
    (tmp_path / "node_modules/@novafeed").mkdir(parents=True)
    (tmp_path / "node_modules/@novafeed/events").symlink_to(TYPESCRIPT)
    (tmp_path / "example.mjs").write_text(example(TYPESCRIPT, "js"), encoding="utf-8")
    out = run(["node", "example.mjs"], tmp_path, {**os.environ, **environment})
    assert out == "{ pending: 0, problem: null }\n"
    assert counts() == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize(("sdk", "source"), [(PYTHON, "src/novafeed_events/client.py"), (TYPESCRIPT, "src/client.ts")],
                         ids=["python", "typescript"])
def test_the_table_names_every_option(sdk, source):
    text = (sdk / source).read_text(encoding="utf-8")
    if source.endswith(".ts"):
        options = re.search(r"export interface EventsOptions \{(.*?)\n\}", text, re.DOTALL)[1]
        made = set(re.findall(r"^  (\w+)\??:", options, re.MULTILINE))
    else:
        options = re.search(r"def __init__\(\n(.*?)\n    \) -> None", text, re.DOTALL)[1]
        made = set(re.findall(r"^        (\w+):", options, re.MULTILINE))
    readme = (sdk / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("| option |") :]
    named = {name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)", row)}
    assert named == made
