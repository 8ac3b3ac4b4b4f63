"""What the next typed words in a chat are for, when they are not for the open questions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from storage.database import Unit
from storage.models import TextWanted

WANTED = TextWanted.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Wanted:
    """What was asked for, and when."""

    kind: str
    subject: str
    asked_at: str


def put(unit: Unit, chat_id: int, kind: str, subject: str, at: str) -> None:
    """Take the next typed words in a chat for this."""
    drop(unit, chat_id)
    unit.connection.execute(insert(WANTED).values(chat_id=chat_id, kind=kind, subject=subject, asked_at=at))


def get(unit: Unit, chat_id: int, since: str) -> Wanted | None:
    """Return what typed words in a chat are for, if that was asked at or after a time."""
    row = unit.connection.execute(select(WANTED).where(WANTED.c.chat_id == chat_id)).first()
    return Wanted(row.kind, row.subject, row.asked_at) if row and row.asked_at >= since else None


def drop(unit: Unit, chat_id: int) -> None:
    """Take typed words for what they were before."""
    unit.connection.execute(delete(WANTED).where(WANTED.c.chat_id == chat_id))
