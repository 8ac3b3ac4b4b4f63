"""Pending input: what the next typed text in a chat is for, if not for the walk. Sealed, as it reveals a choice."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select

from storage.core.models import PendingInputRow, table_of
from storage.core.statements import Prepared
from storage.core.unit import Unit

PENDING = table_of(PendingInputRow)
_OF = Prepared(select(PENDING).where(PENDING.c.chat_id == bindparam("chat")))
_DROP = Prepared(delete(PENDING).where(PENDING.c.chat_id == bindparam("chat")))

#: Marks text that was used already, so that the same text sent again is not treated as new.
TAKEN = "taken"


@dataclass(frozen=True)
class PendingInput:
    """What the bot asked for, and when."""

    kind: str
    subject: str
    asked_at: str


def put(unit: Unit, chat_id: int, kind: str, subject: str, at: str) -> None:
    """Use the next typed text in a chat for this, instead of for any earlier purpose."""
    drop(unit, chat_id)
    sealed = unit.keys.mailbox.seal_value(subject, f"wanted:{chat_id}:{kind}")
    unit.connection.execute(insert(PENDING).values(chat_id=chat_id, kind=kind, subject=sealed.hex(), asked_at=at))


def get(unit: Unit, chat_id: int) -> PendingInput | None:
    """Return what typed text in a chat is for, however long ago the bot asked for it."""
    row = _OF.first(unit, {"chat": chat_id})
    if row is None:
        return None
    subject = unit.keys.mailbox.open_value(bytes.fromhex(row.subject), f"wanted:{chat_id}:{row.kind}")
    return PendingInput(row.kind, subject, row.asked_at)


def taken(unit: Unit, chat_id: int, text: str, message_id: int, at: str) -> None:
    """Record which text was used, as a keyed hash, and the message it came in."""
    put(unit, chat_id, TAKEN, f"{unit.keys.lookup(f'taken:{text.strip()}').hex()}.{message_id}", at)


def are_same(unit: Unit, wanted: PendingInput, text: str) -> bool:
    """Return whether this is the text used just before: a client that lost its connection sends it again."""
    hashed = wanted.subject.partition(".")[0]
    return wanted.kind == TAKEN and hashed == unit.keys.lookup(f"taken:{text.strip()}").hex()


def taken_in(wanted: PendingInput, message_id: int) -> bool:
    """Return whether the text used last came from this message."""
    return wanted.kind == TAKEN and wanted.subject.partition(".")[2] == str(message_id)


def drop(unit: Unit, chat_id: int) -> None:
    """Forget the pending input of a chat."""
    _DROP.change(unit, {"chat": chat_id})
