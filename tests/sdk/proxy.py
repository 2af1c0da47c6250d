"""A network that fails: passes requests on to a server, and cuts connections before or after the server has them."""

from __future__ import annotations

import random
import socket
import threading

HEAD_END = b"\r\n\r\n"


def _read_message(peer: socket.socket) -> bytes:
    """One HTTP message with Content-Length; what there is of it where the peer goes."""
    data = b""
    while True:
        head, found, body = data.partition(HEAD_END)
        if found:
            lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
            if len(body) >= int(lengths[0] if lengths else 0):
                return data
        more = peer.recv(65536)
        if not more:
            return data
        data += more


class CuttingProxy:
    """Of `before` of the requests the server learns nothing, of `after` of them the client gets no answer."""

    def __init__(self, port: int, seed: int, before: float = 0.2, after: float = 0.4) -> None:
        self._port = port
        self._random = random.Random(seed)
        self._before, self._after = before, after
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> CuttingProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._pass_on, args=(client, self._random.random()), daemon=True).start()

    def _pass_on(self, client: socket.socket, fate: float) -> None:
        """One request for each connection: then it is closed, answered or not."""
        with client:
            request = _read_message(client)
            if fate < self._before:
                return
            with socket.create_connection(("127.0.0.1", self._port)) as server:
                server.sendall(request)
                answer = _read_message(server)
            cut = fate < self._before + self._after
            client.sendall(answer[: len(answer) // 2] if cut else answer)
