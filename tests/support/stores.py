"""SQLite stores for tests, copied from one that has all tables: migrating an empty file takes fifteen times as long."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from storage.core.engine import sqlite_url
from storage.core.sealing import Keyring
from storage.opening import open_store

#: The master key of stores in tests.
KEYS = Keyring(bytes(range(32)))


@cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sharewise.db"
        open_store(sqlite_url(file), KEYS).close()
        return file.read_bytes()


def migrated(file: Path) -> str:
    """Write an empty SQLite store with all tables to a file; return its address."""
    file.write_bytes(_template())
    return sqlite_url(file)
