"""Builds the TypeScript SDK, and makes each test("...") of typescript/*.test.mjs a test of pytest."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from sdk.drivers import PYTHON, PythonDriver, TypeScriptDriver, build_typescript

sys.path.insert(0, str(PYTHON / "src"))

NODE_SECONDS = 300  # a file of tests that takes longer hangs


def pytest_collect_file(parent, file_path):
    if file_path.name.endswith(".test.mjs"):
        return NodeFile.from_parent(parent, path=file_path)
    return None


class NodeFile(pytest.File):
    def collect(self):
        for name in re.findall(r'^test\("([^"]+)"', self.path.read_text(encoding="utf-8"), re.MULTILINE):
            yield NodeTest.from_parent(self, name=name)

    def setup(self):
        """Runs all tests of the file at once."""
        build_typescript()
        command = ["node", "--test-reporter=tap", str(self.path)]
        self.output = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", timeout=NODE_SECONDS, check=False
        ).stdout


class NodeTest(pytest.Item):
    def runtest(self):
        verdict = re.search(rf"^(ok|not ok) \d+ - {re.escape(self.name)}$", self.parent.output, re.MULTILINE)
        if verdict is None or verdict[1] != "ok":
            raise NodeFailure(self.parent.output[verdict.start() :][:4000] if verdict else self.parent.output[-4000:])

    def repr_failure(self, excinfo, style=None):
        return str(excinfo.value) if isinstance(excinfo.value, NodeFailure) else super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, None, self.name


class NodeFailure(Exception):
    pass


@pytest.fixture(params=[PythonDriver, TypeScriptDriver], ids=["python", "typescript"])
def driver_of(request, tmp_path):
    """driver_of(server, user, **options) starts a program that uses the SDK, with a queue that survives it."""
    started = []

    def start(server, user, **options):
        driver = request.param(server, user, tmp_path, options)
        started.append(driver)
        return driver

    yield start
    for driver in started:
        driver.kill()
