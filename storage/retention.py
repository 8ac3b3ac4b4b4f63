"""How long records are kept: the time for each class, holds, and which records are due."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, delete, exists, func, insert, select

from storage import records
from storage.core import ledger
from storage.core.clock import DAY, later
from storage.core.models import Hold, Retention, table_of
from storage.core.screened import ScreenedText
from storage.core.sealing import DESTROYED
from storage.core.unit import Unit
from storage.records import RECORD

RETENTION = table_of(Retention)
HOLD = table_of(Hold)


@dataclass(frozen=True)
class Rule:
    """How long one class is kept. `days` None: indefinitely, looked at again every `review_days`."""

    record_class: str
    days: int | None
    review_days: int | None


@dataclass(frozen=True)
class Due:
    """A record whose time has come: to be erased, or to be looked at again."""

    record_id: str
    reference: str
    team: str
    record_class: str
    finished_at: str
    what: str
    held: bool


@dataclass(frozen=True)
class HeldRow:
    """A record on hold: since when, by whom (as the ledger names people), and why."""

    record_id: str
    reference: str
    at: str
    actor: str
    reason: str


#: The class of a record, worked out by the database.
CLASS_OF = case(
    (RECORD.c.outcome == "emergency", "emergency"),
    (RECORD.c.decision.in_(("share", "share_part")), "shared"),
    (RECORD.c.decision == "do_not_share", "not_shared"),
    else_="waiting",
)


def put(unit: Unit, record_class: str, days: int | None, review_days: int | None, at: str, actor: str) -> None:
    """Set how long a class is kept, or after how many days it is looked at again."""
    unit.connection.execute(delete(RETENTION).where(RETENTION.c.record_class == record_class))
    values = {"record_class": record_class, "days": days, "review_days": review_days, "set_at": at}
    unit.connection.execute(insert(RETENTION).values(**values))
    ledger.append(unit, at, actor, "retention.set", record_class, ledger.digest_of([days, review_days]))


def rules(unit: Unit) -> dict[str, Rule]:
    """Return what is set, by class."""
    return {
        row.record_class: Rule(row.record_class, row.days, row.review_days)
        for row in unit.connection.execute(select(RETENTION))
    }


def due(unit: Unit, now: str, team: str | None = None, limit: int | None = None) -> list[Due]:
    """Return records whose time has come, of all teams or one, longest kept first; held ones are named as held."""
    set_rules = {name: rule for name, rule in rules(unit).items() if name != "unfinished"}
    if not set_rules:
        return []
    ends = {name: later(now, -DAY * (rule.days or rule.review_days or 0)) for name, rule in set_rules.items()}
    # One comparison, so that the database goes along the time and stops when it has enough.
    ripe = RECORD.c.finished_at <= case(ends, value=CLASS_OF, else_="")
    held = exists().where(HOLD.c.record_id == RECORD.c.id).label("held")
    clear = (RECORD.c.id, RECORD.c.reference, RECORD.c.team, RECORD.c.finished_at, CLASS_OF.label("record_class"))
    where = (records.KEPT, RECORD.c.finished_at <= max(ends.values()), ripe)
    query = select(*clear, held).where(*where).order_by(RECORD.c.finished_at)
    if team is not None:
        query = query.where(RECORD.c.team == team)
    found = []
    for row in unit.connection.execute(query.limit(limit)):
        what = "erase" if set_rules[row.record_class].days is not None else "look again"
        found.append(Due(row.id, row.reference, row.team, row.record_class, row.finished_at, what, bool(row.held)))
    return found


def held(unit: Unit, team: str) -> list[HeldRow]:
    """Return a team's records that are on hold, each with who put it there and why."""
    # From the holds, which are few, to their records.
    of_hold = select(RECORD.c.reference).where(RECORD.c.id == HOLD.c.record_id, RECORD.c.team == team)
    query = select(HOLD, of_hold.scalar_subquery().label("reference")).where(of_hold.exists())
    return [
        HeldRow(
            row.record_id, row.reference, row.at, row.actor, unit.keys.members.open(row.reason, f"hold:{row.record_id}").decode()
        )
        for row in unit.connection.execute(query.order_by(HOLD.c.at))
    ]  # fmt: skip


def hold(unit: Unit, record_id: str, reason: ScreenedText, at: str, actor: str) -> None:
    """Keep a record from being erased until it is released."""
    unit.connection.execute(delete(HOLD).where(HOLD.c.record_id == record_id))
    sealed = unit.keys.members.seal(reason.text.encode(), f"hold:{record_id}")
    unit.connection.execute(insert(HOLD).values(record_id=record_id, at=at, actor=actor, reason=sealed))
    ledger.append(unit, at, actor, "record.held", f"record:{record_id}")


def release(unit: Unit, record_id: str, at: str, actor: str) -> bool:
    """Release a record; return whether it was held."""
    released = unit.connection.execute(delete(HOLD).where(HOLD.c.record_id == record_id)).rowcount == 1
    if released:
        ledger.append(unit, at, actor, "record.released", f"record:{record_id}")
    return released


def counts(unit: Unit) -> dict[str, int]:
    """Return how many records are kept and how many were erased."""
    erased = int(unit.connection.execute(select(func.count()).where(RECORD.c.wrapped_key == DESTROYED)).scalar_one())
    every = int(unit.connection.execute(select(func.count()).select_from(RECORD)).scalar_one())
    return {"kept": every - erased, "erased": erased}
