"""A network that fails between two parts: TCP connections that stand still, break off, or crawl, and heal again."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

CHUNK = 65536


class Network:
    """
    with Network(port_of_the_server) as network:
        connect_to(network.port)
        network.cut()
        network.heal()

    All connections through it share its state. Thread-safe.
    """

    def __init__(self, port: int, own_port: int = 0) -> None:
        """`port`: of the server, on this machine, which need not be there yet."""
        self._server_port = port
        self._state = threading.Condition()
        self._is_silent = False
        self._is_refused = False
        self._delay = 0.0
        self._bytes_per_second = float("inf")
        self._sockets: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", own_port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._is_closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_: object) -> None:
        with self._state:
            self._is_closed = True
            self._state.notify_all()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self._listener.close()
        self._break_all()

    def cut(self, *, silent: bool = True) -> None:
        """Silent: nothing comes through and nobody is told, as where a cable is out. Else connections break off, and
        new ones are closed at once."""
        with self._state:
            self._is_silent, self._is_refused = silent, not silent
        if not silent:
            self._break_all()

    def slow(self, *, delay: float, bytes_per_second: float = float("inf")) -> None:
        """Everything comes `delay` seconds later, and no faster than that, in each direction of each connection."""
        with self._state:
            self._delay, self._bytes_per_second = delay, bytes_per_second
            self._state.notify_all()

    def heal(self) -> None:
        """What stood still goes on."""
        with self._state:
            self._is_silent = self._is_refused = False
            self._delay, self._bytes_per_second = 0.0, float("inf")
            self._state.notify_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        with self._state:
            refused = self._is_refused or self._is_closed
        try:
            self._await_open()
            server = None if refused else socket.create_connection(("127.0.0.1", self._server_port))
        except OSError:  # the server is not there
            server = None
        if server is None:
            client.close()
            return
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._state:
            self._sockets |= {client, server}
        back = threading.Thread(target=self._pass_on, args=(server, client), daemon=True)
        back.start()
        self._pass_on(client, server)
        back.join()
        with self._state:
            self._sockets -= {client, server}
        client.close()
        server.close()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                self._await_open()
                self._crawl(len(data))
                self._await_open()
                target.sendall(data)
        self._await_open()  # an end is not seen through a cut, either
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _await_open(self) -> None:
        with self._state:
            self._state.wait_for(lambda: not self._is_silent or self._is_closed)

    def _crawl(self, size: int) -> None:
        """Until what has come may go on; no longer where the network heals meanwhile."""
        begin = time.monotonic()
        with self._state:
            while not self._is_closed:
                left = begin + self._delay + size / self._bytes_per_second - time.monotonic()
                if left <= 0:
                    return
                self._state.wait(left)

    def _break_all(self) -> None:
        with self._state:
            sockets = list(self._sockets)
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
