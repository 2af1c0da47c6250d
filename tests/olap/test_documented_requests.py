"""The requests of docs/olap.md do what the page says, run by a shell with the real curl."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "olap.md"


def documented():
    """(command, expected output) for each `$` of the page's console blocks, in order; `>` continues a command."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line.startswith("> "):
                found[-1] = (found[-1][0] + "\n" + line[2:], found[-1][1])
            else:
                found[-1][1].append(line)
    return [(command, "".join(line + "\n" for line in lines)) for command, lines in found]


REQUESTS = documented()
SETTING_UP = re.search(r"^```sh\n(OLAP=.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE).group(1)


@pytest.fixture(scope="module", name="shell")
def make_shell(olap):
    """Runs a command of the page; the first time, all that come before it as well, since the page tells one story."""
    environment = {**os.environ, "DATA": str(olap.data)}
    outputs: list[str] = []

    def run(index: int) -> str:
        while len(outputs) <= index:
            command = ["bash", "-o", "pipefail", "-c", SETTING_UP + REQUESTS[len(outputs)][0]]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
            outputs.append(done.stdout + done.stderr)
        return outputs[index]

    return run


def test_the_page_has_requests():
    assert len(REQUESTS) > 20


@pytest.mark.parametrize("index", range(len(REQUESTS)))
def test_a_documented_request_answers_as_documented(shell, index):
    command, expected = REQUESTS[index]
    pattern = ".*".join(re.escape(part) for part in expected.split("…"))
    assert re.fullmatch(pattern, shell(index)), f"{command}\n--- got\n{shell(index)}\n--- documented\n{expected}"
