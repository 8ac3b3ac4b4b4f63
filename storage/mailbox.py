"""Inbox and outbox: updates taken in but not yet handled, messages decided but not yet sent.

Both are sealed. An inbox payload is erased once handled; an outbox row is deleted once sent.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from storage.database import Unit
from storage.models import Card, InboxRow, OutboxRow

INBOX = InboxRow.__table__  # type: ignore[attr-defined]
OUTBOX = OutboxRow.__table__  # type: ignore[attr-defined]
CARD = Card.__table__  # type: ignore[attr-defined]

#: An update that fails this often is parked, so that it holds up nobody else.
TRIES = 3


@dataclass(frozen=True)
class Taken:
    """An update waiting to be handled."""

    id: int
    update_id: int
    payload: Any


@dataclass(frozen=True)
class Message:
    """A message waiting to be sent. `kind`: card, message, photo, delete, leave or remove; `card`: what it is the card of."""

    id: int
    chat_id: int
    kind: str
    card: str | None
    payload: dict[str, Any]


# ---- inbox -------------------------------------------------------------------------------------
def take_in(unit: Unit, bot_id: int, updates: Sequence[dict[str, Any]], at: str) -> int:
    """Store raw updates that are not known yet; return how many were new. Commit before acknowledging."""
    ids = [update["update_id"] for update in updates]
    known = set(
        unit.connection.scalars(select(INBOX.c.update_id).where(INBOX.c.bot_id == bot_id, INBOX.c.update_id.in_(ids)))
    )
    rows = []
    for raw in updates:
        if raw["update_id"] in known:
            continue
        known.add(raw["update_id"])
        sealed = unit.keys.mailbox.seal(json.dumps(raw).encode(), f"inbox:{bot_id}:{raw['update_id']}")
        rows.append(
            {
                "bot_id": bot_id,
                "update_id": raw["update_id"],
                "state": "waiting",
                "tries": 0,
                "received_at": at,
                "payload": sealed,
            }
        )
    if rows:
        unit.connection.execute(insert(INBOX), rows)
    return len(rows)


def waiting(unit: Unit, bot_id: int, limit: int = 100) -> list[Taken]:
    """Return updates that wait to be handled, oldest first."""
    rows = unit.connection.execute(
        select(INBOX.c.id, INBOX.c.update_id, INBOX.c.payload)
        .where(INBOX.c.bot_id == bot_id, INBOX.c.state == "waiting")
        .order_by(INBOX.c.id)
        .limit(limit)
    )
    return [
        Taken(row.id, row.update_id, json.loads(unit.keys.mailbox.open(row.payload, f"inbox:{bot_id}:{row.update_id}")))
        for row in rows
    ]


def handled(unit: Unit, bot_id: int, update_id: int) -> bool:
    """Mark an update as handled and erase it; return False when it already was. Belongs to the act's transaction."""
    done = unit.connection.execute(
        update(INBOX)
        .where(INBOX.c.bot_id == bot_id, INBOX.c.update_id == update_id, INBOX.c.state == "waiting")
        .values(state="done", payload=None)
    )
    return done.rowcount == 1


def failed(unit: Unit, inbox_id: int) -> bool:
    """Count a failed try; park the update after the last one. Return whether it is parked now."""
    tries = unit.connection.execute(select(INBOX.c.tries).where(INBOX.c.id == inbox_id)).scalar_one() + 1
    state = "parked" if tries >= TRIES else "waiting"
    still_waits = (INBOX.c.id == inbox_id, INBOX.c.state == "waiting")
    unit.connection.execute(update(INBOX).where(*still_waits).values(tries=tries, state=state))
    return state == "parked"


def prune(unit: Unit, before: str) -> None:
    """Forget handled updates that were received before this time."""
    unit.connection.execute(delete(INBOX).where(INBOX.c.state == "done", INBOX.c.received_at < before))


# ---- outbox ------------------------------------------------------------------------------------
def put(unit: Unit, chat_id: int, kind: str, payload: dict[str, Any], card: str | None = None) -> None:
    """Decide to send a message. A newer card of the same thing replaces one that was not sent yet."""
    if kind == "card":
        unsent = unit.connection.execute(
            select(OUTBOX.c.id, OUTBOX.c.payload).where(
                OUTBOX.c.chat_id == chat_id, OUTBOX.c.card == card, OUTBOX.c.state == "waiting"
            )
        ).all()
        for row in unsent:
            below = json.loads(unit.keys.mailbox.open(row.payload, f"outbox:{chat_id}")).get("below")
            payload = {**payload, "below": payload.get("below") or below}
            unit.connection.execute(delete(OUTBOX).where(OUTBOX.c.id == row.id))
    unit.connection.execute(
        insert(OUTBOX).values(
            chat_id=chat_id,
            kind=kind,
            card=card,
            state="waiting",
            tries=0,
            created_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            payload=unit.keys.mailbox.seal(json.dumps(payload).encode(), f"outbox:{chat_id}"),
        )
    )


def to_send(unit: Unit, not_chats: Sequence[int] = (), limit: int = 50) -> list[Message]:
    """Return the oldest unsent message of each chat, leaving out chats that must wait."""
    oldest = (
        select(func.min(OUTBOX.c.id).label("id"))
        .where(OUTBOX.c.state == "waiting", OUTBOX.c.chat_id.not_in(not_chats))
        .group_by(OUTBOX.c.chat_id)
        .order_by(func.min(OUTBOX.c.id))
        .limit(limit)
        .subquery()
    )
    rows = unit.connection.execute(select(OUTBOX).join(oldest, OUTBOX.c.id == oldest.c.id).order_by(OUTBOX.c.id))
    return [
        Message(
            row.id,
            row.chat_id,
            row.kind,
            row.card,
            json.loads(unit.keys.mailbox.open(row.payload, f"outbox:{row.chat_id}")),
        )
        for row in rows
    ]


def sent(unit: Unit, message_id: int) -> None:
    """Forget a message that was sent."""
    unit.connection.execute(delete(OUTBOX).where(OUTBOX.c.id == message_id))


def park(unit: Unit, message_id: int) -> None:
    """Put aside a message that can never be sent, so that it holds up nobody else."""
    unit.connection.execute(
        update(OUTBOX).where(OUTBOX.c.id == message_id).values(state="parked", tries=OUTBOX.c.tries + 1)
    )


def set_card(unit: Unit, subject: str, chat_id: int, message_id: int) -> None:
    """Remember which message of a chat is the card of something."""
    unit.connection.execute(delete(CARD).where(CARD.c.subject == subject))
    unit.connection.execute(insert(CARD).values(subject=subject, chat_id=chat_id, message_id=message_id))


def card_of(unit: Unit, subject: str, chat_id: int) -> int | None:
    """Return the message that is the card of something in a chat, if one was sent there."""
    query = select(CARD.c.message_id).where(CARD.c.subject == subject, CARD.c.chat_id == chat_id)
    return unit.connection.execute(query).scalar()


def chat_moved(unit: Unit, old: int, new: int) -> None:
    """Follow a group that got another id: what waits goes there, and cards are sent anew."""
    for row in unit.connection.execute(select(OUTBOX.c.id, OUTBOX.c.payload).where(OUTBOX.c.chat_id == old)).all():
        plain = unit.keys.mailbox.open(row.payload, f"outbox:{old}")
        moved = unit.keys.mailbox.seal(plain, f"outbox:{new}")
        unit.connection.execute(
            update(OUTBOX).where(OUTBOX.c.id == row.id).values(chat_id=new, payload=moved, state="waiting")
        )
    unit.connection.execute(delete(CARD).where(CARD.c.chat_id == old))


def forget_chat(unit: Unit, chat_id: int) -> None:
    """Forget what waits for a chat that the bot is no longer in, and its cards there."""
    unit.connection.execute(delete(OUTBOX).where(OUTBOX.c.chat_id == chat_id))
    unit.connection.execute(delete(CARD).where(CARD.c.chat_id == chat_id))


def counts(unit: Unit) -> dict[str, int]:
    """Return how many rows wait or are parked, by mailbox and state."""
    found: dict[str, int] = {}
    for name, table in (("inbox", INBOX), ("outbox", OUTBOX)):
        for state, count in unit.connection.execute(select(table.c.state, func.count()).group_by(table.c.state)):
            found[f"{name}.{state}"] = count
    return found
