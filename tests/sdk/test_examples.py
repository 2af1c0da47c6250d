"""The examples of the READMEs run as they stand there, on a demo server, in a project that has installed the package."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness import Server, binary

from .drivers import PYTHON, TYPESCRIPT, build_typescript, python_environment


@pytest.fixture(name="demo", scope="module")
def serve_the_demo():
    with Server(flags=("--demo",)) as server:
        yield server


def blocks(sdk, language):
    """The fenced blocks of that language in the README."""
    return re.findall(rf"^```{language}\n(.*?)^```", (sdk / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def environment_of(sdk, demo):
    """What the README puts into the environment, by its own commands."""
    (commands,) = [block for block in blocks(sdk, "sh") if "NOVAFEED_TOKEN=" in block]
    commands = commands.replace("http://127.0.0.1:8080", demo.url).replace("DIR", shlex.quote(str(demo.data)))
    path = f"{Path(binary()).parent}:{os.environ['PATH']}"
    told = subprocess.run(["bash", "-euc", f"{commands}\nenv -0"], env={**os.environ, "PATH": path}, capture_output=True,
                          text=True, timeout=60, check=True).stdout
    exported = re.findall(r"^export (\w+)=", commands, re.MULTILINE)
    return {name: value for name, _, value in (line.partition("=") for line in told.split("\0")) if name in exported}


def run(command, directory, environment):
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def counts(demo, environment):
    with demo.client(scope="service") as service:
        read = service.get(f"/api/v1/posts/{environment['POST_ID']}").expect(200).json()
    return read["impressions"], read["shares"]


def said(block):
    """What the block says that its last line prints."""
    return re.search(r"(?://|#) (.*)\n\Z", block)[1]


def test_the_python_examples(demo, tmp_path):
    environment = {**python_environment(), **environment_of(PYTHON, demo)}
    before = counts(demo, environment)
    use, lost = blocks(PYTHON, "python")
    assert run([sys.executable, "-c", use], tmp_path, environment) == said(use)
    assert counts(demo, environment) == (before[0] + 1, before[1] + 1)
    assert run([sys.executable, "-c", lost], tmp_path, environment) == said(lost)
    assert "on_dropped=" in use and "on_dropped=" in lost


@pytest.fixture(name="project")
def install_in_a_project(tmp_path):
    build_typescript()
    (tmp_path / "node_modules/@novafeed").mkdir(parents=True)
    (tmp_path / "node_modules/@novafeed/events").symlink_to(TYPESCRIPT)
    return tmp_path


@pytest.mark.parametrize(("file", "package"), [("example.mjs", None), ("example.js", '{"type": "module"}')],
                         ids=["mjs", "type-module"])
def test_the_typescript_examples_as_es_modules(demo, project, file, package):
    environment = {**os.environ, **environment_of(TYPESCRIPT, demo)}
    if package:
        (project / "package.json").write_text(package, encoding="utf-8")
    before = counts(demo, environment)
    use, lost = blocks(TYPESCRIPT, "js")
    for block in use, lost:
        (project / file).write_text(block, encoding="utf-8")
        out = run(["node", file], project, environment)
        assert out.split("\n")[-1] in said(block)
    assert counts(demo, environment) == (before[0] + 1, before[1] + 1)
    assert "onDropped:" in use and "onDropped:" in lost


def test_commonjs_imports_the_package_as_the_readme_says(project):
    (way,) = re.findall(r"`(await import\(.*?\))`", (TYPESCRIPT / "README.md").read_text(encoding="utf-8"))
    program = f"(async () => {{ const sdk = {way}; console.log(typeof sdk.EventsClient); }})();"
    (project / "example.cjs").write_text(program, encoding="utf-8")
    assert run(["node", "example.cjs"], project, os.environ) == "function"


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
