"""Rotates the master key while the bot serves: rewraps every record key in small steps, and reseals all other values.

The process needs both the old and the new key. Each step is one transaction and each row is changed once, so the rotation
can be stopped or killed and started again. The steps after the record keys each reseal one whole table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import delete, select, update

from storage import records
from storage.conversations import CONVERSATION
from storage.core import ledger
from storage.core.sealing import DESTROYED, KEY_ID, Sealer
from storage.core.store import Store
from storage.core.unit import Unit
from storage.exports import EXPORT
from storage.inbox import INBOX
from storage.invites import INVITE, State
from storage.members import MEMBER
from storage.opinions import REQUEST
from storage.outbox import OUTBOX
from storage.pending_input import PENDING
from storage.questions import QUESTION
from storage.records import RECORD
from storage.retention import HOLD
from storage.web_sessions import SESSION, SIGN_IN

STEP = 200


@dataclass(frozen=True)
class Wrapped:
    """A table in which each row has its own key."""

    table: Any
    name: str


TABLES = (Wrapped(RECORD, "record"), Wrapped(CONVERSATION, "conversation"), Wrapped(REQUEST, "request"))


def rotate(store: Store, at: str, tell: Callable[[str, int], None]) -> int:
    """Move everything to the current master key; return how many rows were changed.

    `tell` is called after each step that changed rows.
    """
    total = 0
    for step in (
        *_wrapped_steps(),
        ("names and reasons", _seals),
        ("questions", _questions),
        ("what waits", _waiting),
        ("ways in", _ways_in),
    ):
        name, work = step
        while True:
            with store.unit() as unit:
                changed = work(unit)
            total += changed
            if changed:
                tell(name, total)
            if changed < STEP:
                break
    with store.unit() as unit:
        ledger.append(unit, at, "command line", "key.rotated", unit.keys.key_id.hex())
    return total


def _wrapped_steps() -> Iterator[tuple[str, Callable[[Unit], int]]]:
    for wrapped in TABLES:
        yield f"keys of {wrapped.name}s", partial(rewrap_keys, wrapped=wrapped)


def rewrap_keys(unit: Unit, wrapped: Wrapped) -> int:
    """Wrap some keys of one table with the current master key; return how many it changed."""
    table, mine = wrapped.table, unit.keys.key_id
    old = select(table.c.id, table.c.wrapped_key).where(table.c.wrapped_key != DESTROYED)
    # Keys wrapped with the current master key start with its id.
    old = old.where((table.c.wrapped_key < mine) | (table.c.wrapped_key >= _next(mine))).limit(STEP)
    rows = unit.connection.execute(old).all()
    for row in rows:
        values: dict[str, Any] = {"wrapped_key": unit.keys.rewrap(row.wrapped_key, f"{wrapped.name}:{row.id}")}
        if table is RECORD:
            stored = records.get(unit, row.id)
            case = records.case_of(stored) if stored else None
            values["case_hash"] = unit.keys.lookup(case.casefold()) if case else None
        unit.connection.execute(update(table).where(table.c.id == row.id).values(**values))
    return len(rows)


def _next(key_id: bytes) -> bytes:
    """Return the first value that sorts after everything starting with a key id."""
    number = int.from_bytes(key_id, "big") + 1
    return number.to_bytes(KEY_ID, "big") if number < 256**KEY_ID else b"\xff" * (KEY_ID + 64)


def _seals(unit: Unit) -> int:
    """Reseal members' names, the reasons for holds and requested exports: few enough for one step."""
    for row in unit.connection.execute(select(MEMBER.c.id, MEMBER.c.telegram_id, MEMBER.c.known_as)).all():
        if row.known_as:
            sealed = _again(unit.keys.members, row.known_as, f"member:{row.telegram_id}")
            unit.connection.execute(update(MEMBER).where(MEMBER.c.id == row.id).values(known_as=sealed))
    for held in unit.connection.execute(select(HOLD.c.record_id, HOLD.c.reason)).all():
        sealed = _again(unit.keys.members, held.reason, f"hold:{held.record_id}")
        unit.connection.execute(update(HOLD).where(HOLD.c.record_id == held.record_id).values(reason=sealed))
    for export in unit.connection.execute(select(EXPORT)).all():
        sealed = _again(unit.keys.members, export.wanted, f"list_export:{export.team}:{export.made_at}")
        unit.connection.execute(update(EXPORT).where(EXPORT.c.id == export.id).values(wanted=sealed))
    return 0


def _again(sealer: Sealer, sealed: bytes, associated_data: str) -> bytes:
    return sealer.seal(sealer.open(sealed, associated_data), associated_data)


def _waiting(unit: Unit) -> int:
    """Reseal waiting and parked updates and messages, and pending input."""
    sealer = unit.keys.mailbox
    for row in unit.connection.execute(select(INBOX).where(INBOX.c.payload.is_not(None))).all():
        sealed = _again(sealer, row.payload, f"inbox:{row.bot_id}:{row.update_id}")
        unit.connection.execute(update(INBOX).where(INBOX.c.id == row.id).values(payload=sealed))
    for row in unit.connection.execute(select(OUTBOX)).all():
        sealed = _again(sealer, row.payload, f"outbox:{row.chat_id}")
        unit.connection.execute(update(OUTBOX).where(OUTBOX.c.id == row.id).values(payload=sealed))
    for row in unit.connection.execute(select(PENDING)).all():
        sealed = _again(sealer, bytes.fromhex(row.subject), f"wanted:{row.chat_id}:{row.kind}")
        unit.connection.execute(update(PENDING).where(PENDING.c.chat_id == row.chat_id).values(subject=sealed.hex()))
    return 0


def _questions(unit: Unit) -> int:
    """Reseal questions and index them by a new keyed hash; merge a question that was counted under both keys."""
    for row in unit.connection.execute(select(QUESTION).where(QUESTION.c.question.is_not(None))).all():
        words = unit.keys.questions.open(row.question, f"question:{row.question_hash.hex()}").decode()
        same = " ".join(words.casefold().split())
        mark = unit.keys.lookup(f"question:{row.edition_id}:{same}")
        same_as = ("edition_id", "team", "kind", "subject")
        here = tuple(QUESTION.c[name] == getattr(row, name) for name in same_as)
        twin = (*here, QUESTION.c.question_hash == mark, QUESTION.c.id != row.id)
        times = unit.connection.execute(select(QUESTION.c.times).where(*twin)).scalar()
        unit.connection.execute(delete(QUESTION).where(*twin))
        sealed = unit.keys.questions.seal(words.encode(), f"question:{mark.hex()}")
        values = {"question_hash": mark, "question": sealed, "times": row.times + (times or 0)}
        unit.connection.execute(update(QUESTION).where(QUESTION.c.id == row.id).values(**values))
    return 0


def _ways_in(unit: Unit) -> int:
    """End open invites, sessions and sign-ins: they are indexed by keyed hashes that we cannot recompute."""
    unit.connection.execute(
        update(INVITE).where(INVITE.c.state.in_((State.ASKED, State.OPEN))).values(state=State.WITHDRAWN)
    )
    # A used invite's name is the member's by now; with the old key gone, nobody could open it here.
    unit.connection.execute(update(INVITE).values(known_as=None))
    unit.connection.execute(delete(SESSION))
    unit.connection.execute(delete(SIGN_IN))
    return 0
