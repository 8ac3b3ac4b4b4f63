"""What stands in private chats, where the organisation wants chats cleared: kept only to be taken out again."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from storage import outbox
from storage.core.models import ShownMessage
from storage.core.unit import Unit

SHOWN = ShownMessage.__table__  # type: ignore[attr-defined]
#: How many messages are taken out in one go.
STEP = 500


def note(unit: Unit, chat_id: int, message_id: int, at: str) -> None:
    """Remember a message of a private chat: groups are a team's own."""
    if chat_id > 0:
        where = (SHOWN.c.chat_id == chat_id, SHOWN.c.message_id == message_id)
        unit.connection.execute(delete(SHOWN).where(*where))
        unit.connection.execute(insert(SHOWN).values(chat_id=chat_id, message_id=message_id, at=at))


def clear(unit: Unit, before: str) -> int:
    """Have messages from before this time taken out, oldest first; return how many."""
    rows = unit.connection.execute(select(SHOWN).where(SHOWN.c.at < before).order_by(SHOWN.c.at).limit(STEP)).all()
    for row in rows:
        this = delete(SHOWN).where(SHOWN.c.chat_id == row.chat_id, SHOWN.c.message_id == row.message_id)
        # Another worker may be at it too.
        if unit.connection.execute(this).rowcount == 1:
            outbox.enqueue(unit, row.chat_id, "delete", {"message_id": row.message_id})
    return len(rows)
