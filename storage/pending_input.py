"""What the next typed words in a chat are for, when they are not for the open questions. Sealed: it tells of a choice."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select

from storage.core.models import TextWanted
from storage.core.statements import Prepared
from storage.core.unit import Unit

WANTED = TextWanted.__table__  # type: ignore[attr-defined]
_OF = Prepared(select(WANTED).where(WANTED.c.chat_id == bindparam("chat")))
_DROP = Prepared(delete(WANTED).where(WANTED.c.chat_id == bindparam("chat")))

#: Words of this kind were taken: the same words again are no new ones.
TAKEN = "taken"


@dataclass(frozen=True)
class Wanted:
    """What was asked for, and when."""

    kind: str
    subject: str
    asked_at: str


def put(unit: Unit, chat_id: int, kind: str, subject: str, at: str) -> None:
    """Take the next typed words in a chat for this."""
    drop(unit, chat_id)
    sealed = unit.keys.mailbox.seal_value(subject, f"wanted:{chat_id}:{kind}")
    unit.connection.execute(insert(WANTED).values(chat_id=chat_id, kind=kind, subject=sealed.hex(), asked_at=at))


def get(unit: Unit, chat_id: int) -> Wanted | None:
    """Return what typed words in a chat are for, however long ago that was asked."""
    row = _OF.first(unit, {"chat": chat_id})
    if row is None:
        return None
    subject = unit.keys.mailbox.open_value(bytes.fromhex(row.subject), f"wanted:{chat_id}:{row.kind}")
    return Wanted(row.kind, subject, row.asked_at)


def taken(unit: Unit, chat_id: int, text: str, message_id: int, at: str) -> None:
    """Note that words were taken, by a keyed hash, and in which message they stood."""
    put(unit, chat_id, TAKEN, f"{unit.keys.lookup(f'taken:{text.strip()}').hex()}.{message_id}", at)


def are_same(unit: Unit, wanted: Wanted, text: str) -> bool:
    """Say whether these are the words that were taken just before: a client that lost its connection sends them again."""
    hashed = wanted.subject.partition(".")[0]
    return wanted.kind == TAKEN and hashed == unit.keys.lookup(f"taken:{text.strip()}").hex()


def taken_in(wanted: Wanted, message_id: int) -> bool:
    """Say whether words were taken from this message."""
    return wanted.kind == TAKEN and wanted.subject.partition(".")[2] == str(message_id)


def drop(unit: Unit, chat_id: int) -> None:
    """Take typed words for what they were before."""
    _DROP.change(unit, {"chat": chat_id})
