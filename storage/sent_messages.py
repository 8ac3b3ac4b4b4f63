"""The messages in private chats, recorded only to delete them later where the organisation wants chats cleared."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from storage import outbox
from storage.core.models import SentMessage, table_of
from storage.core.unit import Unit

SENT = table_of(SentMessage)
#: How many messages are deleted at a time.
STEP = 500


def note(unit: Unit, chat_id: int, message_id: int, at: str) -> None:
    """Record a message in a private chat. Messages in groups belong to the team and are not recorded."""
    if chat_id > 0:
        where = (SENT.c.chat_id == chat_id, SENT.c.message_id == message_id)
        unit.connection.execute(delete(SENT).where(*where))
        unit.connection.execute(insert(SENT).values(chat_id=chat_id, message_id=message_id, at=at))


def clear(unit: Unit, before: str) -> int:
    """Queue the deletion of messages older than this time, oldest first; return how many."""
    rows = unit.connection.execute(select(SENT).where(SENT.c.at < before).order_by(SENT.c.at).limit(STEP)).all()
    for row in rows:
        this = delete(SENT).where(SENT.c.chat_id == row.chat_id, SENT.c.message_id == row.message_id)
        # Another worker may be clearing the same messages.
        if unit.connection.execute(this).rowcount == 1:
            outbox.enqueue(unit, row.chat_id, "delete", {"message_id": row.message_id})
    return len(rows)
