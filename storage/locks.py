"""Who works on what, among several workers on one PostgreSQL: locks of the session, which end with it.

They keep workers out of each other's way and each lane in order. That nothing is done twice does not rest on them: the rows
say so. A SQLite store has one process, so there is nothing to lock.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, String, cast, func, literal, select, text

from storage.database import Unit

#: `key` of many at once.
_RELEASE = text(
    "select pg_advisory_unlock(hashtextextended(cast(:kind as text) || number, 0)) "
    "from unnest(cast(:numbers as bigint[])) as number"
)


def key(kind: str, number: ColumnElement[int] | int) -> ColumnElement[int]:
    """Return the lock's number for one thing of a kind."""
    return func.hashtextextended(literal(f"{kind}:") + cast(number, String), 0)


def is_free(kind: str, number: ColumnElement[int]) -> ColumnElement[bool]:
    """A condition that takes the lock of a row's thing, and holds for rows that got it."""
    return func.pg_try_advisory_lock(key(kind, number))


def take(unit: Unit, kind: str, number: int) -> bool:
    """Take a lock for as long as the session lasts; return whether it is ours."""
    return unit.is_sqlite or bool(
        unit.connection.execute(select(func.pg_try_advisory_lock(key(kind, number)))).scalar()
    )


def release(unit: Unit, kind: str, numbers: Collection[int]) -> None:
    """Let go of locks."""
    if numbers and not unit.is_sqlite:
        unit.connection.execute(_RELEASE, {"kind": f"{kind}:", "numbers": list(numbers)})
