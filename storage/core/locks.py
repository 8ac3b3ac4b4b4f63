"""Who works on what, among several workers on one PostgreSQL: locks of the session, which end with it.

They keep workers out of each other's way and each lane in order. That no act is done twice does not rest on them: the rows
say so. That a message is sent once does: a connection that is lost in the middle of a call can post it twice.
A SQLite store has one process, so there is nothing to lock.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, String, cast, func, literal, select, text

from storage.core.statements import Prepared
from storage.core.store import Unit

#: `key` of many at once.
_RELEASE = Prepared(
    text(
        "select pg_advisory_unlock(hashtextextended(cast(:kind as text) || number, 0)) "
        "from unnest(cast(:numbers as bigint[])) as number"
    )
)
#: Until the transaction ends.
_WAIT = Prepared(text("select pg_advisory_xact_lock(hashtextextended(cast(:kind as text), 0))"))


def key(kind: str, number: ColumnElement[int] | int) -> ColumnElement[int]:
    """Return the lock's number for one thing of a kind."""
    return func.hashtextextended(literal(f"{kind}:") + cast(number, String), 0)


def try_take(kind: str, number: ColumnElement[int]) -> ColumnElement[bool]:
    """Return a condition that takes the lock of a row's thing; it holds where the lock is ours now."""
    return func.pg_try_advisory_lock(key(kind, number))


def taken(unit: Unit, kind: str, numbers: Collection[int]) -> None:
    """Note which locks a query has taken, so that they end when its transaction fails."""
    unit.locked.extend((kind, number) for number in numbers)


def take(unit: Unit, kind: str, number: int) -> bool:
    """Take a lock for as long as the session lasts; return whether it is ours."""
    if unit.is_sqlite:
        return True
    ours = bool(unit.connection.execute(select(func.pg_try_advisory_lock(key(kind, number)))).scalar())
    taken(unit, kind, [number] if ours else [])
    return ours


def wait(unit: Unit, kind: str) -> None:
    """Wait until nobody else holds the one lock of this kind, and hold it until the transaction ends."""
    if not unit.is_sqlite:
        _WAIT.change(unit, {"kind": kind})


def release(unit: Unit, kind: str, numbers: Collection[int]) -> None:
    """Let go of locks."""
    if numbers and not unit.is_sqlite:
        _RELEASE.change(unit, {"kind": f"{kind}:", "numbers": list(numbers)})
        unit.locked[:] = [(held, number) for held, number in unit.locked if held != kind or number not in numbers]


def release_all(unit: Unit, locked: Collection[tuple[str, int]]) -> None:
    """Let go of locks of several kinds."""
    for kind in {kind for kind, _ in locked}:
        release(unit, kind, [number for held, number in locked if held == kind])
