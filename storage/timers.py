"""Timers: actions due at a time. They are stored in the database; any worker may fire one, and each fires once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, delete, func, select, update

from storage.core.models import Timer, table_of
from storage.core.statements import Prepared, upsert
from storage.core.unit import Unit

TIMER = table_of(Timer)
_SET = Prepared(select(TIMER.c.id).where(TIMER.c.kind == bindparam("of_kind"), TIMER.c.subject == bindparam("on")))


@dataclass(frozen=True)
class Due:
    """A timer that is due."""

    kind: str
    subject: str
    due_at: str


def put(unit: Unit, kind: str, subject: str, due_at: str) -> None:
    """Set a timer, replacing an earlier one of the same kind and subject."""
    upsert(unit, TIMER, ("kind", "subject"), [{"kind": kind, "subject": subject, "due_at": due_at}])


def drop(unit: Unit, kind: str, subject: str) -> None:
    """Cancel a timer, if it is set."""
    unit.connection.execute(delete(TIMER).where(TIMER.c.kind == kind, TIMER.c.subject == subject))


def is_set(unit: Unit, kind: str, subject: str) -> bool:
    """Return whether a timer of this kind is set for this subject."""
    return _SET.scalar(unit, {"of_kind": kind, "on": subject}) is not None


def due(unit: Unit, now: str, limit: int = 50) -> list[Due]:
    """Return due timers, the most overdue first."""
    query = select(TIMER.c.kind, TIMER.c.subject, TIMER.c.due_at).where(TIMER.c.due_at <= now)
    rows = unit.connection.execute(query.order_by(TIMER.c.due_at, TIMER.c.id).limit(limit))
    return [Due(row.kind, row.subject, row.due_at) for row in rows]


def put_off(unit: Unit, timer: Due, due_at: str) -> None:
    """Reschedule a timer whose action failed."""
    unit.connection.execute(update(TIMER).where(*_just(timer)).values(due_at=due_at))


def taken(unit: Unit, timer: Due) -> bool:
    """Claim a due timer; return False if another worker claimed it or it was set anew.

    Call this in the transaction of the action itself.
    """
    return unit.connection.execute(delete(TIMER).where(*_just(timer))).rowcount == 1


def _just(timer: Due) -> tuple[ColumnElement[bool], ...]:
    """Match this timer by what was set, not by row id: a newer timer may reuse the id."""
    return TIMER.c.kind == timer.kind, TIMER.c.subject == timer.subject, TIMER.c.due_at == timer.due_at


def oldest(unit: Unit, now: str) -> str | None:
    """Return when the most overdue timer was due; None if none is overdue."""
    return unit.connection.execute(select(func.min(TIMER.c.due_at)).where(TIMER.c.due_at <= now)).scalar()
