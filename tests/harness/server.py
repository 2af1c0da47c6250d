"""A real `novafeed serve` under test: started on a free port, stopped or killed, started again, never left behind."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from harness.cli import binary, novafeed, scratch_directory
from harness.client import Client
from harness.document import public_document
from harness.tokens import Keys, sign_token

PR_SET_PDEATHSIG = 1
READY_PREFIX = "ready http://"
START_SECONDS = 60
STOP_SECONDS = 30
SERVICE_USER = "00000000-0000-4000-8000-00000000feed"  # who a service or admin token is for, where it does not matter

_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    """Run in the child: the kernel kills it when the test's process (its starting thread, to be exact) ends."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """
    with Server(test_clock=1_700_000_000_000) as server:
        server.client(user).get("/api/v1/feed")

    Without `data` it has a temporary data directory of its own, which goes with it. `settings` become `--set`; users
    have no rate limit, and there is no warehouse, unless a test sets one. With `keep_port`, each later start listens
    where the first did. Start it from the main thread: it dies with the thread that started it.
    """

    def __init__(
        self,
        data: str | Path | None = None,
        *,
        test_clock: int | None = None,
        flags: tuple[str, ...] = (),
        settings: dict[str, object] | None = None,
        keep_port: bool = False,
        keys: Path | None = None,
    ) -> None:
        self._own_directory: tempfile.TemporaryDirectory[str] | None = None
        if data is None:
            self._own_directory = scratch_directory()
            data = Path(self._own_directory.name, "data")
        self.data = Path(data)
        self._keys = keys or self.data  # the folder of keys.json
        self.url = ""
        self.admin_url = ""
        self.stdout: list[str] = []
        self._clock = test_clock
        self._flags = flags
        self._keep_port = keep_port
        self._port = 0
        self._settings = {"rate.user_per_second": 0, "warehouse.engine": "off", **(settings or {})}
        self._log = tempfile.NamedTemporaryFile(prefix="novafeed-log-", suffix=".jsonl")  # noqa: SIM115 (kept open)
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._ready = threading.Condition()
        self._ended = False

    def __enter__(self) -> Server:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kills what runs and removes what is ours."""
        self.kill()
        self._log.close()
        if self._own_directory:
            self._own_directory.cleanup()
            self._own_directory = None

    # --- Life of the process ---

    def start(self, wait_ready: bool = True) -> Server:
        assert self._process is None, "it runs already"
        self.url = self.admin_url = ""
        self._ended = False
        # It stays our child until it is reaped in stop() or kill().
        self._process = subprocess.Popen(  # noqa: SIM115
            self._command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            preexec_fn=_die_with_parent,  # noqa: PLW1509 (safe: one prctl, before any other thread could matter)
        )
        self._reader = threading.Thread(target=self._read_stdout, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        if wait_ready:
            self.wait_ready()
        return self

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Until the line `ready http://…` is there; an AssertionError with the log if it does not come."""
        with self._ready:
            self._ready.wait_for(lambda: self.url or self._ended, seconds)
        if not self.url:
            command = " ".join(self._command())
            raise AssertionError(f"serve is not ready: {command}\n{self.stdout}\n{self.log()[-4000:]}")
        if self._keep_port:
            self._port = urlsplit(self.url).port
        served = json.loads(self._info_file().read_text(encoding="utf-8"))
        assert served["pid"] == self.pid, served
        self.admin_url = served["admin_url"]

    def stop(self) -> int:
        """SIGTERM: it drains and ends. Returns the exit status."""
        assert self._process is not None, "it does not run"
        self._process.terminate()
        return self._reap()

    def kill(self) -> None:
        """kill -9, at once; nothing if it does not run."""
        if self._process is not None:
            self._process.kill()
            self._reap()

    def restart(self, *, kill: bool = False) -> Server:
        """Ends it (kill: with -9) and starts it again on the same data, at the same held time."""
        if kill:
            self.kill()
        else:
            status = self.stop()
            assert status == 0, f"exit status {status}\n{self.log()[-4000:]}"
        return self.start()

    @property
    def pid(self) -> int:
        assert self._process is not None, "it does not run"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """All of standard error, of every start."""
        return Path(self._log.name).read_text(encoding="utf-8", errors="replace")

    # --- Time, tokens, clients ---

    def now(self) -> int:
        """The time that the server goes by."""
        return time.time_ns() // 1_000_000 if self._clock is None else self._clock

    def set_clock(self, now_ms: int) -> None:
        """Moves the held clock; a later start begins there, too."""
        assert self._clock is not None, "started without test_clock"
        with self.admin() as admin:
            admin.post("/admin/clock", {"now": now_ms}).expect(200)
        self._clock = now_ms

    def token(self, user: str = SERVICE_USER, scope: str = "user", **claims: object) -> str:
        return sign_token(Keys.read(self._keys), user, scope, self.now(), **claims)

    def token_from_command(self, user: str, scope: str = "user") -> str:
        """The same from `novafeed token`, beside the running server."""
        done = novafeed("token", "--data", self.data, "--user", user, "--scope", scope)
        return done.stdout.strip()

    def client(self, user: str = SERVICE_USER, scope: str = "user", *, acting_for: str | None = None) -> Client:
        """A client with a token of this user; a service's client may act for another (`Novafeed-User`)."""
        headers = {} if acting_for is None else {"Novafeed-User": acting_for}
        return Client(self.url, self._token_source(user, scope), headers, document=public_document())

    def anonymous(self) -> Client:
        return Client(self.url, document=public_document())

    def admin(self) -> Client:
        """A client of the admin listener: patient, since a purge goes through everything on a machine full of tests."""
        return Client(self.admin_url, self._token_source(SERVICE_USER, "admin"), seconds=120)

    # --- Inner ---

    def _command(self) -> list[str]:
        command = [binary(), "serve", "--listen", f"127.0.0.1:{self._port}", "--data", str(self.data)]
        if self._clock is not None:
            command += ["--test-clock", str(self._clock)]
        for name, value in self._settings.items():
            command += ["--set", f"{name}={value}"]
        return command + list(self._flags)

    def _info_file(self) -> Path:
        return self.data / "serve.json"

    def _token_source(self, user: str, scope: str):
        """Tokens follow the server's clock: a new one when it has moved by more than half a token's life."""
        made_at, token = 0, ""

        def source() -> str:
            nonlocal made_at, token
            if abs(self.now() - made_at) > 1_000_000:
                made_at, token = self.now(), self.token(user, scope)
            return token

        return source

    def _read_stdout(self, stream) -> None:
        with stream:
            for line in stream:
                with self._ready:
                    self.stdout.append(line.rstrip("\n"))
                    if line.startswith(READY_PREFIX):
                        self.url = line.split()[1].rstrip("/")
                        self._ready.notify_all()
        with self._ready:
            self._ended = True
            self._ready.notify_all()

    def _reap(self) -> int:
        process, self._process = self._process, None
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(f"serve did not end within {STOP_SECONDS} s\n{self.log()[-4000:]}") from None
        finally:
            self._reader.join()  # or it would speak of this process while the next one starts
