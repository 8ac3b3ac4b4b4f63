"""A small pooler in front of PostgreSQL: like PgBouncer, it lends a client a server session for one transaction, or for good."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

ENCRYPTION = (80877103, 80877104)  # what a client asks first: TLS, GSSAPI
QUERY, SYNC, READY, KEY = b"Q", b"S", b"Z", b"K"


class _Server:
    """One session of the real server."""

    def __init__(self, address: str, startup: bytes) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(address)
        self.reading = self.socket.makefile("rb")
        self.socket.sendall(startup)
        self.greeting = b""
        self.ready(self._greeted)

    def _greeted(self, kind: bytes, message: bytes) -> None:
        # A pooler reports its own session number.
        self.greeting += kind + struct.pack("!iii", 12, 4711, 0) if kind == KEY else message

    def ready(self, each: Callable[[bytes, bytes], None]) -> bytes:
        """Forward each message until the server is ready; return its transaction status: I, T or E."""
        while True:
            kind, message = _message(self.reading)
            each(kind, message)
            if kind == READY:
                return message[-1:]


def _message(reading: BinaryIO) -> tuple[bytes, bytes]:
    head = reading.read(5)
    if len(head) < 5:
        raise EOFError
    return head[:1], head + reading.read(struct.unpack("!i", head[1:])[0] - 4)


def _startup(client: socket.socket, reading: BinaryIO) -> bytes:
    while True:
        head = reading.read(8)
        if len(head) < 8:
            raise EOFError
        length, code = struct.unpack("!ii", head)
        if code not in ENCRYPTION:
            return head + reading.read(length - 8)
        client.sendall(b"N")


def _serve(client: socket.socket, address: str, idle: list[_Server], by_transaction: bool) -> None:
    with client, suppress(EOFError, OSError):
        reading = client.makefile("rb")
        startup = _startup(client, reading)
        server = _Server(address, startup)
        client.sendall(server.greeting)
        held: _Server | None = None if by_transaction else server
        idle += [server] if by_transaction else []
        while True:
            kind, message = _message(reading)
            held = held or (idle.pop() if idle else _Server(address, startup))
            held.socket.sendall(message)
            if kind in (QUERY, SYNC):
                state = held.ready(lambda _kind, answer: client.sendall(answer))
                if by_transaction and state == b"I":
                    idle.append(held)
                    held = None


def _refuse(client: socket.socket) -> None:
    with client, client.makefile("rb") as reading:
        _startup(client, reading)
        said = b"SFATAL\0C08P01\0Mno more connections allowed (max_client_conn)\0\0"
        client.sendall(b"E" + struct.pack("!i", len(said) + 4) + said)


@contextmanager
def pooler(folder: Path, *, by_transaction: bool, most: int = 100) -> Iterator[int]:
    """Run a pooler in front of the server whose socket is in a folder, for up to a number of clients; yield its loopback port."""
    idle: list[_Server] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def listen() -> None:
            with suppress(OSError):
                for number in count(1):
                    client, _ = listening.accept()
                    if number > most:
                        _refuse(client)
                        continue
                    given = (client, str(folder / ".s.PGSQL.5432"), idle, by_transaction)
                    threading.Thread(target=_serve, args=given, daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
    for server in idle:
        server.socket.close()
