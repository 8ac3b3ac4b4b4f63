"""Things that are due at a time. They live in the database: any worker may fire one, each fires once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, delete, func, select, update

from storage.core.models import Timer
from storage.core.statements import Prepared, upsert
from storage.core.unit import Unit

TIMER = Timer.__table__  # type: ignore[attr-defined]
_SET = Prepared(select(TIMER.c.id).where(TIMER.c.kind == bindparam("of_kind"), TIMER.c.subject == bindparam("on")))


@dataclass(frozen=True)
class Due:
    """A timer whose time has come."""

    kind: str
    subject: str
    due_at: str


def put(unit: Unit, kind: str, subject: str, due_at: str) -> None:
    """Set a timer, in place of an earlier one of this kind on this subject."""
    upsert(unit, TIMER, ("kind", "subject"), [{"kind": kind, "subject": subject, "due_at": due_at}])


def drop(unit: Unit, kind: str, subject: str) -> None:
    """Take a timer away."""
    unit.connection.execute(delete(TIMER).where(TIMER.c.kind == kind, TIMER.c.subject == subject))


def is_set(unit: Unit, kind: str, subject: str) -> bool:
    """Say whether such a timer runs."""
    return _SET.scalar(unit, {"of_kind": kind, "on": subject}) is not None


def due(unit: Unit, now: str, limit: int = 50) -> list[Due]:
    """Return timers whose time has come, longest due first."""
    query = select(TIMER.c.kind, TIMER.c.subject, TIMER.c.due_at).where(TIMER.c.due_at <= now)
    rows = unit.connection.execute(query.order_by(TIMER.c.due_at, TIMER.c.id).limit(limit))
    return [Due(row.kind, row.subject, row.due_at) for row in rows]


def put_off(unit: Unit, timer: Due, due_at: str) -> None:
    """Let a timer whose act failed fire again later."""
    unit.connection.execute(update(TIMER).where(*_just(timer)).values(due_at=due_at))


def taken(unit: Unit, timer: Due) -> bool:
    """Take a due timer; False when another worker, or a newer setting, was first. Belongs to the act's transaction."""
    return unit.connection.execute(delete(TIMER).where(*_just(timer))).rowcount == 1


def _just(timer: Due) -> tuple[ColumnElement[bool], ...]:
    """This timer as it was set, not by its row's number: a number may be given again to a newer one."""
    return TIMER.c.kind == timer.kind, TIMER.c.subject == timer.subject, TIMER.c.due_at == timer.due_at


def oldest(unit: Unit, now: str) -> str | None:
    """Return when the timer that is overdue longest was due; None if none is."""
    return unit.connection.execute(select(func.min(TIMER.c.due_at)).where(TIMER.c.due_at <= now)).scalar()
