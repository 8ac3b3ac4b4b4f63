"""Name overrides: a person said that a flagged word is not a name. Valid briefly, once, for the next text in a chat."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from storage.core.models import NameOverride, table_of
from storage.core.statements import Prepared
from storage.core.unit import Unit

OVERRIDE = table_of(NameOverride)
_GIVEN = Prepared(select(OVERRIDE.c.given_at).where(OVERRIDE.c.chat_id == bindparam("chat")))
_TAKE = Prepared(delete(OVERRIDE).where(OVERRIDE.c.chat_id == bindparam("chat")))


def give(unit: Unit, chat_id: int, at: str) -> None:
    """Allow the next text in a chat to contain what looks like a name."""
    take(unit, chat_id)
    unit.connection.execute(insert(OVERRIDE).values(chat_id=chat_id, given_at=at))


def is_given(unit: Unit, chat_id: int, since: str) -> bool:
    """Return whether an override was given in this chat at or after a time."""
    given = _GIVEN.scalar(unit, {"chat": chat_id})
    return given is not None and given >= since


def take(unit: Unit, chat_id: int) -> None:
    """Use up the override given in a chat."""
    _TAKE.change(unit, {"chat": chat_id})
