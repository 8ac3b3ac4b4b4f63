"""The unit of work: one open transaction and its state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from storage.core.sealing import Keyring


@dataclass(frozen=True)
class Unit:
    """One open transaction, with the keys for what it reads and writes."""

    connection: Connection
    keys: Keyring
    #: Ledger entries to be written just before the commit: writing them blocks every other writer of the ledger.
    entries: list[dict[str, Any]] = field(default_factory=list)
    #: Session locks acquired in this transaction, to be released if it fails.
    locked: list[tuple[str, int]] = field(default_factory=list)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is SQLite rather than PostgreSQL."""
        return self.connection.dialect.name == "sqlite"

    @property
    def driver(self) -> Any:
        """The driver's own connection, inside this transaction."""
        return self.connection.connection.driver_connection

    def is_read_only(self) -> bool:
        """Return whether the server accepts no changes, as a standby does. SQLite reveals that only on a write."""
        return not self.is_sqlite and self.connection.scalar(text("show transaction_read_only")) == "on"
