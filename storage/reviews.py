"""Reviews: a supervisor's look at a record. State, grade, follow-up; what was done is appended and in the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import RowMapping

from storage.core import ledger
from storage.core.models import DecisionRecord, Review, ReviewEvent, table_of
from storage.core.screened import ScreenedText
from storage.core.sealing import DESTROYED
from storage.core.statements import Prepared
from storage.core.unit import Unit

REVIEW = table_of(Review)
EVENT = table_of(ReviewEvent)
RECORD = table_of(DecisionRecord)

_NEW = Prepared(insert(REVIEW), ("record_id", "state", "rank", "changed_at", "team", "member_id", "finished_at"))


@dataclass(frozen=True)
class ReviewRow:
    """A stored review, with the details of its record that a queue shows. It holds no text that anyone typed."""

    record_id: str
    reference: str
    team: str
    member_id: int
    state: str
    rank: int
    finished_at: str
    changed_at: str
    grade: int | None
    follow_up_on: str | None
    flow: str
    outcome: str
    decision: str | None
    otherwise: bool
    harm: bool


@dataclass(frozen=True)
class Author:
    """Who did something in a review, in which role, and when."""

    member_id: int
    role: str
    at: str


@dataclass(frozen=True)
class Done:
    """One thing that was done in a review, opened."""

    seq: int
    at: str
    member_id: int
    role: str
    act: str
    comment: str | None
    value: str | None


def begin(unit: Unit, record_id: str, clear: dict[str, Any], rank: int) -> None:
    """Put a new record into the queue, with its rank."""
    values = {"record_id": record_id, "state": "new", "rank": rank, "changed_at": clear["finished_at"]}
    values |= {name: clear[name] for name in ("team", "member_id", "finished_at")}
    _NEW.change(unit, values)


_SHOWN = select(
    REVIEW, RECORD.c.reference, RECORD.c.flow, RECORD.c.outcome, RECORD.c.decision, RECORD.c.otherwise, RECORD.c.harm
).join(RECORD, (RECORD.c.id == REVIEW.c.record_id) & (RECORD.c.wrapped_key != DESTROYED))


def get(unit: Unit, record_id: str) -> ReviewRow | None:
    """Return the review of a record, locked until the transaction ends."""
    return _one(unit, REVIEW.c.record_id == record_id)


def find(unit: Unit, reference: str) -> ReviewRow | None:
    """Return the review of a record by its reference, locked until the transaction ends; the record stays closed."""
    return _one(unit, RECORD.c.reference == reference)


def _one(unit: Unit, where: Any) -> ReviewRow | None:
    query = _SHOWN.where(where)
    row = unit.connection.execute(query.with_for_update()).mappings().first()
    return ReviewRow(**row) if row else None


@dataclass(frozen=True)
class Wanted:
    """What a list is limited to. `states` empty: all. Days are `2026-11-23`; a case reference matches as a whole, by its hash."""

    states: Sequence[str] = ()
    outcome: str = ""
    rank: int | None = None
    ground: str = ""
    person: int | None = None
    since: str = ""
    until: str = ""
    case: str = ""


def queue(
    unit: Unit, team: str, not_of: int, wanted: Wanted | None = None, limit: int = 20, after: ReviewRow | None = None
) -> list[ReviewRow]:
    """Return a team's reviews, riskiest first, then longest waiting; never one's own. `after` gives the next page."""
    only = wanted or Wanted()
    where = [REVIEW.c.team == team, REVIEW.c.member_id != not_of]
    if only.states:
        where.append(REVIEW.c.state.in_(only.states))
    if only.rank is not None:
        where.append(REVIEW.c.rank == only.rank)
    if only.person is not None:
        where.append(REVIEW.c.member_id == only.person)
    if only.since:
        where.append(REVIEW.c.finished_at >= only.since)
    if only.until:
        where.append(REVIEW.c.finished_at < f"{only.until}T99")
    if only.case:
        same = select(RECORD.c.id).where(RECORD.c.case_hash.in_(unit.keys.lookups(only.case.casefold())))
        where.append(REVIEW.c.record_id.in_(same))
    if after is not None:
        later = (REVIEW.c.finished_at > after.finished_at) | (
            (REVIEW.c.finished_at == after.finished_at) & (REVIEW.c.record_id > after.record_id)
        )
        where.append((REVIEW.c.rank > after.rank) | ((REVIEW.c.rank == after.rank) & later))
    # All of one case: as it happened.
    order = ([] if only.case else [REVIEW.c.rank]) + [REVIEW.c.finished_at, REVIEW.c.record_id]
    if only.outcome or only.ground:
        query = _SHOWN.where(*where)
        if only.outcome:
            query = query.where(RECORD.c.outcome == only.outcome)
        if only.ground:
            query = query.where(RECORD.c.ground == only.ground)
    else:
        # Which ones first, from the reviews alone; then what is shown of those few records.
        few = select(REVIEW.c.record_id).where(*where).order_by(*order).limit(limit)
        query = _SHOWN.where(REVIEW.c.record_id.in_(few))
    return [ReviewRow(**row) for row in unit.connection.execute(query.order_by(*order).limit(limit)).mappings()]


def count(unit: Unit, team: str, states: Sequence[str], not_of: int) -> int:
    """Return how many of a team's records are in these states, without those of one member."""
    where = (REVIEW.c.team == team, REVIEW.c.state.in_(states), REVIEW.c.member_id != not_of)
    return int(unit.connection.execute(select(func.count()).select_from(REVIEW).where(*where)).scalar_one())


def tallies(unit: Unit, team: str) -> dict[str, list[tuple[str, int]]]:
    """Return how often each outcome, decision, ground, consent, state, rank and month stands in a team's records."""
    joined = REVIEW.join(RECORD, RECORD.c.id == REVIEW.c.record_id)
    columns = {
        "outcome": RECORD.c.outcome, "decision": RECORD.c.decision, "ground": RECORD.c.ground, "consent": RECORD.c.consent,
        "state": REVIEW.c.state, "rank": REVIEW.c.rank, "month": func.substr(REVIEW.c.finished_at, 1, 7),
    }  # fmt: skip
    keys = [column.label(f"key_{name}") for name, column in columns.items()]
    query = select(func.count(), *keys).select_from(joined).where(REVIEW.c.team == team).group_by(*keys)
    found: dict[str, Counter[str]] = {name: Counter() for name in columns}
    for count, *values in unit.connection.execute(query):
        for name, value in zip(columns, values, strict=True):
            if value is not None:
                found[name][str(value)] += int(count)
    return {name: counter.most_common() for name, counter in found.items()}


def durations(unit: Unit, team: str, limit: int = 1000) -> list[tuple[str, str]]:
    """Return when each of a team's newest records was started and saved."""
    newest = select(RECORD.c.started_at, RECORD.c.finished_at).where(RECORD.c.team == team)
    newest = newest.order_by(RECORD.c.finished_at.desc()).limit(limit)
    return [(row[0], row[1]) for row in unit.connection.execute(newest)]


def due(unit: Unit, team: str, states: Sequence[str], today: str) -> int:
    """Return how many follow-ups are due by a day on a team's records in these states."""
    where = (REVIEW.c.team == team, REVIEW.c.follow_up_on <= today, REVIEW.c.state.in_(states))
    return int(unit.connection.execute(select(func.count()).where(*where)).scalar_one())


def act(
    unit: Unit,
    review: ReviewRow,
    what: str,
    state: str,
    by: Author,
    *,
    comment: ScreenedText | None = None,
    value: str | None = None,
) -> None:
    """Note what was done in a review, and its state from now on. `value`: a grade, a day, or the kind of a file."""
    last = unit.connection.execute(select(func.max(EVENT.c.seq)).where(EVENT.c.record_id == review.record_id)).scalar()
    seq = (last or 0) + 1
    content = {"comment": comment.text if comment else None, "value": value}
    wrapped = unit.connection.execute(select(RECORD.c.wrapped_key).where(RECORD.c.id == review.record_id)).scalar_one()
    associated_data = f"record:{review.record_id}"
    sealed = unit.keys.unwrap(wrapped, associated_data).seal_value(content, f"{associated_data}:review:{seq}")
    clear = {
        "record_id": review.record_id,
        "seq": seq,
        "at": by.at,
        "member_id": by.member_id,
        "role": by.role,
        "act": what,
    }
    unit.connection.execute(insert(EVENT).values(**clear, content=sealed))
    changed: dict[str, Any] = {"changed_at": by.at, "state": state}
    if what == "grade":
        changed["grade"] = int(value or 0)
    if what == "follow_up":
        changed["follow_up_on"] = value
    unit.connection.execute(update(REVIEW).where(REVIEW.c.record_id == review.record_id).values(**changed))
    actor = f"member:{by.member_id}"
    ledger.append(unit, by.at, actor, f"review.{what}", f"review:{review.record_id}:{seq}", digest(clear, sealed))


def done(unit: Unit, record_id: str) -> list[Done]:
    """Return what was done in the review of a record, in order, opened."""
    wrapped = unit.connection.execute(select(RECORD.c.wrapped_key).where(RECORD.c.id == record_id)).scalar_one()
    sealer = unit.keys.unwrap(wrapped, f"record:{record_id}")
    rows = unit.connection.execute(select(EVENT).where(EVENT.c.record_id == record_id).order_by(EVENT.c.seq))
    return [
        Done(
            row.seq, row.at, row.member_id, row.role, row.act,
            **sealer.open_value(row.content, f"record:{record_id}:review:{row.seq}"),
        )
        for row in rows
    ]  # fmt: skip


def not_sampled(unit: Unit, team: str, not_of: int, month: str, since: str) -> list[ReviewRow]:
    """Return a month's reviews (`2026-11`) that were not sampled since a day, in the order in which a dip sample draws them.

    The order is a keyed hash of month and record: the same whenever asked, and nobody can foresee or steer what is drawn.
    """
    sampled = select(EVENT.c.record_id).where(EVENT.c.act == "sampled", EVENT.c.at >= since)
    theirs = (REVIEW.c.team == team, REVIEW.c.member_id != not_of)
    where = (*theirs, REVIEW.c.finished_at.startswith(month), REVIEW.c.record_id.not_in(sampled))
    found = [ReviewRow(**row) for row in unit.connection.execute(_SHOWN.where(*where)).mappings()]
    return sorted(found, key=lambda row: unit.keys.lookup(f"sample:{month}:{row.record_id}"))


def digest(clear: RowMapping | dict[str, Any], sealed: bytes) -> str:
    """Return what the ledger keeps of a thing done in a review."""
    names = ("record_id", "seq", "at", "member_id", "role", "act")
    return ledger.digest_of({**{name: clear[name] for name in names}, "sealed": sha256(sealed).hexdigest()})
