"""Backup and restore of a SQLite store. Backups are made while the bot serves, and encrypted; the key is kept apart.

Restoring repeats the erasures made since, and parks the messages that were waiting, so that none is sent unasked.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import update

from storage import outbox
from storage.core.sealing import Keyring
from storage.core.unit import Unit

MAGIC = b"SHAREWISE-BACKUP-1\n"
CHUNK = 1 << 20


class BadBackup(Exception):
    """The file is not one of our backups, was changed or truncated, or was made with another key."""


def make(database: Path, target: Path, keys: Keyring) -> int:
    """Write an encrypted copy of a database that is in use; return its size.

    Each piece is authenticated with its position and with whether it is the last.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        copy = Path(folder) / "copy.db"
        with sqlite3.connect(database) as source:
            source.execute("vacuum into ?", (str(copy),))
        nonce = secrets.token_bytes(8)
        cipher = AESGCM(keys.backup)
        draft = Path(folder) / "draft"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(MAGIC + nonce)
            for number, (piece, last) in enumerate(_pieces(copy)):
                sealed = cipher.encrypt(nonce + struct.pack(">I", number), piece, b"last" if last else b"more")
                out.write(struct.pack(">I", len(sealed)) + sealed)
            out.flush()
            os.fsync(out.fileno())
        os.replace(draft, target)
    return target.stat().st_size


def _pieces(path: Path) -> Iterator[tuple[bytes, bool]]:
    left = path.stat().st_size
    with path.open("rb") as file:
        while left > 0:
            piece = file.read(CHUNK)
            left -= len(piece)
            yield piece, left <= 0


def restore(source: Path, database: Path, keys: Keyring) -> None:
    """Restore a backup to a database file that does not exist yet, whole or not at all; raise BadBackup."""
    if database.exists():
        raise BadBackup(f"{database} is there already. Restore into an empty folder.")
    cipher, content = AESGCM(keys.backup), source.read_bytes()
    if not content.startswith(MAGIC) or len(content) < len(MAGIC) + 8:
        raise BadBackup(f"{source} is no backup of Sharewise.")
    nonce, at = content[len(MAGIC) : len(MAGIC) + 8], len(MAGIC) + 8
    draft = database.with_name(database.name + ".restoring")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            number, last = 0, False
            while not last:
                if at + 4 > len(content):
                    raise BadBackup(f"{source} was cut.")
                (length,) = struct.unpack(">I", content[at : at + 4])
                sealed, at = content[at + 4 : at + 4 + length], at + 4 + length
                last = at >= len(content)
                where = nonce + struct.pack(">I", number)
                out.write(cipher.decrypt(where, sealed, b"last" if last else b"more"))
                number += 1
            out.flush()
            os.fsync(out.fileno())
        os.replace(draft, database)
    except (InvalidTag, ValueError):
        raise BadBackup(f"{source} was changed or cut, or was made with another key.") from None
    finally:
        draft.unlink(missing_ok=True)


def hold_messages(unit: Unit) -> int:
    """Park every message that was waiting when the backup was made; return how many.

    People may have received these messages already.
    """
    waiting = update(outbox.OUTBOX).where(outbox.OUTBOX.c.state == "waiting").values(state="parked")
    return int(unit.connection.execute(waiting).rowcount)
