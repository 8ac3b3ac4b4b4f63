"""What an operator does with the whole store: verify it, pause the bot, list failures, back up, restore, rotate keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.domain.access import COMMAND_LINE
from storage import backlog, pause
from storage.backlog import Parked
from storage.core import ledger
from storage.core.clock import utc_now
from storage.core.ledger import Broken
from storage.core.screened import ScreenedText
from storage.core.sealing import Keyring
from storage.core.store import Store
from storage.core.unit import Unit
from storage.operations import backup, erasure, heads, integrity, rotation
from storage.operations.backup import BadBackup
from storage.operations.erasure import BadList
from storage.operations.heads import BadLine
from storage.operations.integrity import Checked

__all__ = ["BadBackup", "BadLine", "BadList"]


class NotParked(Exception):
    """No parked update or message has this name."""


# ---- proof ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Proof:
    """The result of a check: what was checked, the ledger's head (number and hash) and the first fault, if any."""

    checked: Checked
    head: tuple[int, str]
    broken: Broken | None


def verify(unit: Unit, kept: Iterable[tuple[int, str]], signed: list[str], keys: frozenset[str]) -> Proof:
    """Check the ledger and every seal, then compare the ledger with heads stored elsewhere; raise BadLine.

    `kept`: numbers and hashes of heads. `signed`: lines of a file of signed heads; `keys`: public keys that may have
    signed them, in hex.
    """
    checked, head = integrity.verify(unit), ledger.head(unit)
    broken = checked.broken
    for seq, hashed in kept:
        broken = broken or ledger.check_head(unit, seq, hashed)
    if signed and broken is None:
        _, broken = heads.check(unit, signed, keys)
    return Proof(checked, head, broken)


def signed_head(unit: Unit) -> str:
    """Return the ledger's head as a signed line."""
    return heads.signed(unit, utc_now())


# ---- the switch -----------------------------------------------------------------------------------
def stop(unit: Unit, reason: ScreenedText) -> None:
    """Pause the bot. Members see the reason."""
    pause.put(unit, reason, utc_now(), COMMAND_LINE)


def go_on(unit: Unit) -> bool:
    """End the pause; return whether there was one."""
    return pause.end(unit, utc_now(), COMMAND_LINE)


def why_stopped(unit: Unit) -> str | None:
    """Return why the bot is paused, or None if it is running."""
    return pause.reason(unit)


# ---- what failed ----------------------------------------------------------------------------------
def parked(unit: Unit) -> list[Parked]:
    """Return the parked updates and messages, which failed too often and wait for the operator."""
    return backlog.parked(unit)


def retry_parked(unit: Unit, what: str, number: int) -> None:
    """Handle a parked update or send a parked message again; raise NotParked."""
    _settle(unit, "retry", what, number, backlog.retry(unit, what, number))


def drop_parked(unit: Unit, what: str, number: int) -> None:
    """Delete a parked update or message; raise NotParked."""
    _settle(unit, "drop", what, number, backlog.drop(unit, what, number))


def _settle(unit: Unit, verb: str, what: str, number: int, found: bool) -> None:
    name = f"{what}:{number}"
    if not found:
        raise NotParked(f"{name} is not parked. Nothing was changed.")
    ledger.append(unit, utc_now(), COMMAND_LINE, f"parked.{verb}", name)


# ---- backups and keys -----------------------------------------------------------------------------
@dataclass(frozen=True)
class Restored:
    """What a restore did: records erased again, messages held back, and the check that followed."""

    erased: int
    held_back: int
    checked: Checked


def read_erasures(file: Path) -> list[str]:
    """Return the ids on a list of erasures; raise BadList."""
    return erasure.read(file)


def back_up(database: Path, target: Path, keys: Keyring) -> int:
    """Write an encrypted backup of a SQLite store, which may be in use; return its size in bytes; raise OSError."""
    return backup.make(database, target, keys)


def unpack(source: Path, database: Path, keys: Keyring) -> None:
    """Decrypt a backup to a database file that must not exist yet; raise BadBackup or OSError."""
    backup.restore(source, database, keys)


def settle_restored(unit: Unit, erasures: list[str], *, send_waiting: bool) -> Restored:
    """Erase again what was erased since the backup, hold back messages from before it, and check the store."""
    erased = erasure.repeat(unit, erasures, utc_now())
    held_back = 0 if send_waiting else backup.hold_messages(unit)
    return Restored(erased, held_back, integrity.verify(unit))


def rotate(store: Store, progress: Callable[[str, int], None]) -> int:
    """Wrap every key with the new master key, while the bot may be serving with both; return how many."""
    return rotation.rotate(store, utc_now(), progress)
