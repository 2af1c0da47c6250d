"""Programs that use an SDK, driven by a test: the same for both languages, so that both pass the same tests."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

from harness import wait_until

CHECKOUT = Path(__file__).resolve().parents[2]
TYPESCRIPT = CHECKOUT / "sdk" / "typescript"
PYTHON = CHECKOUT / "sdk" / "python"
HERE = Path(__file__).parent


@functools.cache
def build_typescript() -> None:
    """Installs the compiler where it lacks (the hidden lock file is the last thing that npm writes), and compiles."""
    installed, wanted = TYPESCRIPT / "node_modules" / ".package-lock.json", TYPESCRIPT / "package-lock.json"
    npm = ["npm", "--prefix", str(TYPESCRIPT), "--loglevel=error"]
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        subprocess.run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], check=True)
    subprocess.run([*npm, "run", "--silent", "build"], check=True)


def python_environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PYTHON / "src"), "PYTHONDONTWRITEBYTECODE": "1"}


class Driver:
    """One process with one client. Speaks JSON, a line each: see driver.py. `tracked` are the events that it has
    acknowledged, of all drivers that had this directory."""

    def __init__(self, server, user: str, directory: Path, options: dict) -> None:
        self._token_file = directory / "token"
        self.give_token(server.token(user))
        config = {
            "url": options.pop("url", server.url),
            "token_file": str(self._token_file),
            "queue": str(directory / "queue"),
            "flush_seconds": 0.01,
            "backoff_base": 0.02,
            "backoff_max": 0.2,
            "request_timeout": 5,
            "batch": 5,
            **options,
        }
        self.tracked: list[str] = []
        self.dropped: dict[str, str] = {}
        self.sent: Counter[str] = Counter()
        self.duplicates = 0
        self.problems: list[dict] = []
        self._answers: list[dict] = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            self.command(json.dumps(config)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=python_environment(),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def command(self, config: str) -> list[str]:
        raise NotImplementedError

    def give_token(self, token: str) -> None:
        self._token_file.write_text(token, encoding="utf-8")

    def track(self, kind: str, post: str, **more: object) -> str:
        event = self._ask({"do": "track", "type": kind, "post_id": post, **more})["event_id"]
        self.tracked.append(event)
        return event

    def flush(self) -> dict:
        return self._ask({"do": "flush"})

    def close(self, deadline: float = 20) -> dict:
        return self._ask({"do": "close", "deadline": deadline})

    def wait_sent(self, count: int) -> None:
        wait_until(lambda: len(self.sent) >= count, f"{count} events are sent", 60)

    def wait_problem(self, **wanted: object) -> None:
        """Until the client has told of such a problem."""
        wait_until(lambda: any(wanted.items() <= seen.items() for seen in list(self.problems)), f"{wanted}", 60)

    def kill(self) -> None:
        """kill -9; then all that it has said is known."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdin.close()

    def _ask(self, command: dict) -> dict:
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        with self._changed:
            assert self._changed.wait_for(lambda: self._answers or not self._reader.is_alive(), 60), command
            return self._answers.pop(0)

    def _read(self) -> None:
        with self._process.stdout as lines:
            for line in lines:
                with self._changed:
                    self._take(**json.loads(line))
                    self._changed.notify_all()

    def _take(self, what: str, value: dict) -> None:
        if what == "answer":
            self._answers.append(value)
        elif what == "dropped":
            self.dropped[value["event_id"]] = value["code"]
        elif what == "problem":
            self.problems.append(value)
        else:
            self.sent.update(value["events"])
            self.duplicates += value["duplicates"]


class PythonDriver(Driver):
    def command(self, config: str) -> list[str]:
        return [sys.executable, str(HERE / "driver.py"), config]


class TypeScriptDriver(Driver):
    def command(self, config: str) -> list[str]:
        build_typescript()
        return ["node", str(HERE / "typescript" / "driver.mjs"), config]
