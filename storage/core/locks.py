"""Session-level advisory locks: they divide the work between several workers on one PostgreSQL.

They end with the session. They keep the updates of each ordering key in order and stop workers from competing.
Handling an update exactly once does not depend on them, because the rows ensure it. Sending a message only once does: a
connection lost in the middle of a call can post it twice.
A SQLite store has a single process, so these functions do nothing there.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, String, cast, func, literal, select, text

from storage.core.statements import Prepared
from storage.core.unit import Unit

_RELEASE = Prepared(
    text(
        "select pg_advisory_unlock(hashtextextended(cast(:kind as text) || number, 0)) "
        "from unnest(cast(:numbers as bigint[])) as number"
    )
)
_WAIT = Prepared(text("select pg_advisory_xact_lock(hashtextextended(cast(:kind as text), 0))"))


def lock_number(kind: str, number: ColumnElement[int] | int) -> ColumnElement[int]:
    """Return the key of the advisory lock: a hash of its kind and number."""
    return func.hashtextextended(literal(f"{kind}:") + cast(number, String), 0)


def try_acquire(kind: str, number: ColumnElement[int]) -> ColumnElement[bool]:
    """Return a query condition that tries to acquire the lock of each row and is true where that succeeded."""
    return func.pg_try_advisory_lock(lock_number(kind, number))


def note_acquired(unit: Unit, kind: str, numbers: Collection[int]) -> None:
    """Remember locks that a query acquired, so that they are released if its transaction fails."""
    unit.locked.extend((kind, number) for number in numbers)


def acquire(unit: Unit, kind: str, number: int) -> bool:
    """Try once to acquire a lock that lasts until the session ends; return whether we hold it."""
    if unit.is_sqlite:
        return True
    ours = bool(unit.connection.execute(select(func.pg_try_advisory_lock(lock_number(kind, number)))).scalar())
    note_acquired(unit, kind, [number] if ours else [])
    return ours


def acquire_until_commit(unit: Unit, kind: str) -> None:
    """Wait for the only lock of this kind and hold it until the transaction ends."""
    if not unit.is_sqlite:
        _WAIT.change(unit, {"kind": kind})


def release(unit: Unit, kind: str, numbers: Collection[int]) -> None:
    """Release locks of one kind."""
    if numbers and not unit.is_sqlite:
        _RELEASE.change(unit, {"kind": f"{kind}:", "numbers": list(numbers)})
        unit.locked[:] = [(held, number) for held, number in unit.locked if held != kind or number not in numbers]


def release_all(unit: Unit, locked: Collection[tuple[str, int]]) -> None:
    """Release locks of several kinds."""
    for kind in {kind for kind, _ in locked}:
        release(unit, kind, [number for held, number in locked if held == kind])
