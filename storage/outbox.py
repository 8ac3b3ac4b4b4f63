"""The outbox: messages yet to be sent, sealed, and deleted once sent; and which message is the card about a subject.

A card is a message that is edited in place: a newer one about the same subject replaces it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, bindparam, delete, func, insert, literal_column, not_, select, update
from sqlalchemy.dialects import postgresql

from storage.core import locks
from storage.core.clock import utc_now
from storage.core.models import LONGEST_CAUSE, Card, OutboxRow, table_of
from storage.core.statements import Prepared, among
from storage.core.unit import Unit

OUTBOX = table_of(OutboxRow)
CARD = table_of(Card)

#: The kind of lock a worker holds on a chat it is sending to.
LOCK = "chat"
#: A picture that fails this many times is dropped.
TRIES = 3
#: Telegram's reasons why a person cannot be reached, perhaps only for now.
UNREACHABLE = ("Telegram: bot was blocked", "Telegram: user is deactivated", "Telegram: can't initiate conversation")

#: A literal, not a parameter: a prepared plan can then use the partial indexes over waiting rows.
WAITING: ColumnElement[str] = literal_column("'waiting'")
_MOST = bindparam("most", type_=Integer)
_SENT = Prepared(delete(OUTBOX).where(OUTBOX.c.id == bindparam("number")))
_NEW_CARD = postgresql.insert(CARD)
#: Two workers may write the same card at the same time, if both posted it after a lost connection.
_CARD = Prepared(
    _NEW_CARD.on_conflict_do_update(
        index_elements=["subject"], set_={name: _NEW_CARD.excluded[name] for name in ("chat_id", "message_id")}
    ),
    CARD.c.keys(),
)
_CARD_OF = Prepared(
    select(CARD.c.message_id).where(CARD.c.subject == bindparam("of"), CARD.c.chat_id == bindparam("chat"))
)
#: Skips messages that another worker is just marking as sent.
_UNSENT = Prepared(
    select(OUTBOX.c.id, OUTBOX.c.payload)
    .where(OUTBOX.c.chat_id == bindparam("chat"), OUTBOX.c.card == bindparam("of"), OUTBOX.c.state == WAITING)
    .with_for_update(skip_locked=True)
)
_NEW = Prepared(insert(OUTBOX).inline(), ("chat_id", "kind", "card", "state", "tries", "created_at", "payload"))

_OLDEST_MESSAGE = func.min(OUTBOX.c.id)
#: Pictures are sent in parallel with messages, so they hold nothing up.
PICTURE = "photo"
_NO_PICTURE = OUTBOX.c.kind != literal_column("'photo'")
_OLDEST_OF_CHAT = (
    select(_OLDEST_MESSAGE.label("id"), OUTBOX.c.chat_id)
    .where(OUTBOX.c.state == WAITING, _NO_PICTURE, not_(among(OUTBOX.c.chat_id, "chats")))
    .group_by(OUTBOX.c.chat_id)
    .order_by(_OLDEST_MESSAGE)
)
_OURS = _OLDEST_OF_CHAT.limit(_MOST).subquery()
_TO_SEND = Prepared(select(OUTBOX).join(_OURS, OUTBOX.c.id == _OURS.c.id).order_by(OUTBOX.c.id))
_CHATS_SEEN = _OLDEST_OF_CHAT.limit(10 * _MOST).cte().prefix_with("materialized", dialect="postgresql")
_CHATS_FREE = Prepared(
    select(_CHATS_SEEN.c.id, _CHATS_SEEN.c.chat_id).where(locks.try_acquire(LOCK, _CHATS_SEEN.c.chat_id)).limit(_MOST)
)
_SEND_FREE = Prepared(
    select(OUTBOX)
    .where(among(OUTBOX.c.id, "ids"), OUTBOX.c.state == WAITING)
    .order_by(OUTBOX.c.id)
    .with_for_update(skip_locked=True)
)


_EARLIER = OUTBOX.alias("earlier")
_PICTURES = Prepared(
    select(OUTBOX)
    .where(
        OUTBOX.c.state == WAITING,
        not_(_NO_PICTURE),
        not_(among(OUTBOX.c.id, "busy")),
        # The message that the picture belongs to is sent first.
        not_(
            select(_EARLIER.c.id)
            .where(
                _EARLIER.c.state == WAITING,
                _EARLIER.c.chat_id == OUTBOX.c.chat_id,
                _EARLIER.c.id < OUTBOX.c.id,
                _EARLIER.c.kind != literal_column("'photo'"),
            )
            .exists()
        ),
    )
    .order_by(OUTBOX.c.id)
    .limit(_MOST)
)


@dataclass(frozen=True)
class Message:
    """A message to be sent. `kind`: card, message, photo, delete, leave or remove; `card`: the card's subject."""

    id: int
    chat_id: int
    kind: str
    card: str | None
    payload: dict[str, Any]


def enqueue(unit: Unit, chat_id: int, kind: str, payload: dict[str, Any], card: str | None = None) -> None:
    """Queue a message. A newer card about the same subject replaces one that is still unsent."""
    if kind == "card":
        for row in _UNSENT.all(unit, {"chat": chat_id, "of": card}):
            below = unit.keys.mailbox.open_value(row.payload, f"outbox:{chat_id}").get("below")
            payload = {**payload, "below": payload.get("below") or below}
            mark_sent(unit, row.id)
    values = {
        "chat_id": chat_id,
        "kind": kind,
        "card": card,
        "state": "waiting",
        "tries": 0,
        "created_at": utc_now(),
        "payload": unit.keys.mailbox.seal_value(payload, f"outbox:{chat_id}"),
    }
    _NEW.change(unit, values)


def claim(unit: Unit, not_chats: Sequence[int] = (), limit: int = 50) -> list[Message]:
    """Return the oldest unsent message of each chat, except `not_chats` and chats that another worker is sending to.

    On PostgreSQL this worker holds the locks of those chats until it calls `release`.
    """
    given = {"chats": list(not_chats), "most": limit}
    if unit.is_sqlite:
        rows = _TO_SEND.all(unit, given)
    else:
        chats = {row.id: row.chat_id for row in _CHATS_FREE.all(unit, given)}
        locks.note_acquired(unit, LOCK, chats.values())
        # This skips a message that another worker has sent but not yet marked as sent.
        rows = _SEND_FREE.all(unit, {"ids": list(chats)}) if chats else []
        locks.release(unit, LOCK, set(chats.values()) - {row.chat_id for row in rows})
    return [_message(unit, row) for row in rows]


def claim_pictures(unit: Unit, done: Sequence[int], busy: Sequence[int], most: int) -> list[Message]:
    """Release the pictures in `done`; return the oldest waiting ones whose messages were sent, at most `most`.

    On PostgreSQL this worker holds the locks of those it returns.
    """
    locks.release(unit, PICTURE, done)
    if most <= 0:
        return []
    rows = _PICTURES.all(unit, {"busy": list(busy), "most": most})
    return [_message(unit, row) for row in rows if locks.acquire(unit, PICTURE, row.id)]


def _message(unit: Unit, row: Any) -> Message:
    payload = unit.keys.mailbox.open_value(row.payload, f"outbox:{row.chat_id}")
    return Message(row.id, row.chat_id, row.kind, row.card, payload)


def count_picture_failure(unit: Unit, message_id: int) -> bool:
    """Count a failed try to send a picture; drop it after the last try. Return whether it was dropped."""
    tries = unit.connection.execute(select(OUTBOX.c.tries).where(OUTBOX.c.id == message_id)).scalar()
    if tries is None or tries + 1 >= TRIES:
        mark_sent(unit, message_id)
        return True
    unit.connection.execute(update(OUTBOX).where(OUTBOX.c.id == message_id).values(tries=tries + 1))
    return False


def drop_picture(unit: Unit, subject: str) -> None:
    """Drop an unsent picture, because the person has moved on."""
    unit.connection.execute(delete(OUTBOX).where(OUTBOX.c.kind == PICTURE, OUTBOX.c.card == subject))


def release(unit: Unit, chats: Sequence[int]) -> None:
    """Release these chats, so that other workers can send to them."""
    locks.release(unit, LOCK, chats)


def mark_sent(unit: Unit, message_id: int) -> None:
    """Delete a message that was sent, or that a newer one has replaced."""
    _SENT.change(unit, {"number": message_id})


def park(unit: Unit, message_id: int, cause: str) -> None:
    """Park a message that can never be sent, so that it does not block those behind it."""
    parked = {"state": "parked", "tries": OUTBOX.c.tries + 1, "cause": cause[:LONGEST_CAUSE]}
    unit.connection.execute(update(OUTBOX).where(OUTBOX.c.id == message_id).values(parked))


def set_card(unit: Unit, subject: str, chat_id: int, message_id: int) -> None:
    """Record which message in a chat is the card about a subject."""
    _CARD.change(unit, {"subject": subject, "chat_id": chat_id, "message_id": message_id})


def card_of(unit: Unit, subject: str, chat_id: int) -> int | None:
    """Return the id of the message that is the card about a subject in a chat; None if there is none."""
    found = _CARD_OF.scalar(unit, {"of": subject, "chat": chat_id})
    return None if found is None else int(found)


def chat_moved(unit: Unit, old: int, new: int) -> None:
    """Follow a group to its new id: redirect its unsent messages, and forget its cards so that they are sent again."""
    for row in unit.connection.execute(select(OUTBOX.c.id, OUTBOX.c.payload).where(OUTBOX.c.chat_id == old)).all():
        plain = unit.keys.mailbox.open(row.payload, f"outbox:{old}")
        moved = unit.keys.mailbox.seal(plain, f"outbox:{new}")
        unit.connection.execute(
            update(OUTBOX)
            .where(OUTBOX.c.id == row.id)
            .values(chat_id=new, payload=moved, state="waiting", tries=0, cause=None)
        )
    unit.connection.execute(delete(CARD).where(CARD.c.chat_id == old))


def forget_chat(unit: Unit, chat_id: int) -> None:
    """Delete the unsent messages and cards of a chat that the bot has left."""
    unit.connection.execute(delete(OUTBOX).where(OUTBOX.c.chat_id == chat_id))
    unit.connection.execute(delete(CARD).where(CARD.c.chat_id == chat_id))


def send_what_was_parked(unit: Unit, chat_id: int) -> int:
    """Requeue the messages parked while a person could not be reached; return how many.

    Only the newest version of each card is kept.
    """
    blocked = (OUTBOX.c.chat_id == chat_id, OUTBOX.c.state == "parked", OUTBOX.c.cause.in_(UNREACHABLE))
    rows = unit.connection.execute(
        select(OUTBOX.c.id, OUTBOX.c.card).where(OUTBOX.c.chat_id == chat_id).order_by(OUTBOX.c.id)
    ).all()
    newest = {row.card: row.id for row in rows if row.card}
    stale = [row.id for row in rows if row.card and newest[row.card] != row.id]
    if stale:
        unit.connection.execute(delete(OUTBOX).where(*blocked, OUTBOX.c.id.in_(stale)))
    waits = update(OUTBOX).where(*blocked).values(state="waiting", tries=0, cause=None)
    return int(unit.connection.execute(waits).rowcount)
