"""Checks that the given master key sealed this store. With another key, old and new values could not both be read."""

from __future__ import annotations

from sqlalchemy import select

from storage.conversations import CONVERSATION
from storage.core.faults import StorageRefused
from storage.core.sealing import DESTROYED, KEY_ID, SealBroken
from storage.core.unit import Unit
from storage.members import MEMBER
from storage.opinions import REQUEST
from storage.records import RECORD

ANOTHER = (
    "This store was sealed with another master key. Nothing was changed. Look at SHAREWISE_MASTER_KEY or SHAREWISE_MASTER_KEY_FILE "
    "and, after a change of key that did not end, at SHAREWISE_OLD_MASTER_KEY_FILE."
)


def check(unit: Unit) -> None:
    """Check one sealed row of each kind; raise StorageRefused if none of the given keys sealed it."""
    for table in (RECORD, CONVERSATION, REQUEST):
        wrapped = unit.connection.scalar(select(table.c.wrapped_key).where(table.c.wrapped_key != DESTROYED).limit(1))
        if wrapped is not None and not unit.keys.knows(wrapped[:KEY_ID]):
            raise StorageRefused(ANOTHER)
    named = select(MEMBER.c.telegram_id, MEMBER.c.known_as).where(MEMBER.c.known_as.is_not(None)).limit(1)
    member = unit.connection.execute(named).first()
    if member and member.known_as:
        try:
            unit.keys.members.open(member.known_as, f"member:{member.telegram_id}")
        except SealBroken:
            raise StorageRefused(ANOTHER) from None
