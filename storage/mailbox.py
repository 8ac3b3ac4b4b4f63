"""Inbox and outbox: updates taken in but not yet handled, messages decided but not yet sent.

Both are sealed. An inbox payload is erased once handled; an outbox row is deleted once sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal_column,
    not_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from storage.core import locks
from storage.core.clock import utc_now
from storage.core.models import Card, InboxRow, OutboxRow
from storage.core.statements import Prepared, among
from storage.core.unit import Unit
from storage.rate_limits import PACE

INBOX = InboxRow.__table__  # type: ignore[attr-defined]
OUTBOX = OutboxRow.__table__  # type: ignore[attr-defined]
CARD = Card.__table__  # type: ignore[attr-defined]

#: Kinds of locks: whose updates, and which chat's messages.
LANE, CHAT = "lane", "chat"
#: An update that fails this often is parked, so that it holds up nobody else.
TRIES = 3
#: Seconds for which a chat counts as served after something was sent to it.
SERVED = 10.0
#: What Telegram says of a person who cannot be reached now, and may come back.
UNREACHABLE = ("Telegram: bot was blocked", "Telegram: user is deactivated", "Telegram: can't initiate conversation")
#: So many letters of a cause are kept.
CAUSE: int = INBOX.c.cause.type.length


#: Written out in statements, so that a plan made once can use the indexes that hold only what waits.
WAITING: ColumnElement[str] = literal_column("'waiting'")
_HANDLED = Prepared(
    update(INBOX)
    .where(INBOX.c.bot_id == bindparam("of_bot"), INBOX.c.update_id == bindparam("number"), INBOX.c.state == WAITING)
    .values(state="done", payload=None)
)
# Both databases write `on conflict` alike.
#: One that is known already, perhaps since another worker took it in just now, is left as it is.
_TAKEN_IN = Prepared(
    postgresql.insert(INBOX).on_conflict_do_nothing().inline(),
    ("bot_id", "update_id", "lane", "state", "tries", "received_at", "payload"),
)
_SENT = Prepared(delete(OUTBOX).where(OUTBOX.c.id == bindparam("number")))
_NEW_CARD = postgresql.insert(CARD)
#: Another worker may write it just now: where a lost connection had both post it.
_CARD = Prepared(
    _NEW_CARD.on_conflict_do_update(
        index_elements=["subject"], set_={name: _NEW_CARD.excluded[name] for name in ("chat_id", "message_id")}
    ),
    CARD.c.keys(),
)
_CARD_OF = Prepared(
    select(CARD.c.message_id).where(CARD.c.subject == bindparam("of"), CARD.c.chat_id == bindparam("chat"))
)
#: One that another worker is just noting as sent is as good as sent.
_UNSENT = Prepared(
    select(OUTBOX.c.id, OUTBOX.c.payload)
    .where(OUTBOX.c.chat_id == bindparam("chat"), OUTBOX.c.card == bindparam("of"), OUTBOX.c.state == WAITING)
    .with_for_update(skip_locked=True)
)
_PUT = Prepared(insert(OUTBOX).inline(), ("chat_id", "kind", "card", "state", "tries", "created_at", "payload"))

_OLDEST, _MOST = func.min(INBOX.c.id), bindparam("most", type_=Integer)
_HERE = (INBOX.c.bot_id == bindparam("of_bot"), INBOX.c.state == WAITING)
_OLDEST_OF_LANE = (
    select(INBOX.c.lane, _OLDEST.label("oldest"))
    .where(*_HERE, not_(among(INBOX.c.lane, "busy")))
    .group_by(INBOX.c.lane)
)
_LANES = Prepared(_OLDEST_OF_LANE.order_by(_OLDEST).limit(_MOST).with_only_columns(INBOX.c.lane))
#: So many are looked at to find enough that no other worker is at; a lock is tried only on those.
_LANES_SEEN = (
    _OLDEST_OF_LANE.order_by(_OLDEST).limit(10 * _MOST).cte().prefix_with("materialized", dialect="postgresql")
)
_LANES_FREE = Prepared(select(_LANES_SEEN.c.lane).where(locks.try_acquire(LANE, _LANES_SEEN.c.lane)).limit(_MOST))
_PLACE = func.row_number().over(partition_by=INBOX.c.lane, order_by=INBOX.c.id).label("place")
_NUMBERED = (
    select(INBOX.c.id, INBOX.c.update_id, INBOX.c.lane, INBOX.c.payload, _PLACE)
    .where(*_HERE, among(INBOX.c.lane, "ours"))
    .subquery()
)
_WAITING = Prepared(select(_NUMBERED).where(_NUMBERED.c.place <= bindparam("each")).order_by(_NUMBERED.c.id))

_OLDEST_MESSAGE = func.min(OUTBOX.c.id)
#: Pictures go out beside the messages: nothing waits behind one.
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
    select(_CHATS_SEEN.c.id, _CHATS_SEEN.c.chat_id).where(locks.try_acquire(CHAT, _CHATS_SEEN.c.chat_id)).limit(_MOST)
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
        # Its screen first.
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
class Taken:
    """An update waiting to be handled."""

    id: int
    update_id: int
    lane: int
    payload: Any


@dataclass(frozen=True)
class Message:
    """A message waiting to be sent. `kind`: card, message, photo, delete, leave or remove; `card`: what it is the card of."""

    id: int
    chat_id: int
    kind: str
    card: str | None
    payload: dict[str, Any]


@dataclass(frozen=True)
class Parked:
    """Something that was parked. `what`: update or message; `name`: the update's number or the message's kind; `cause`: why."""

    what: str
    id: int
    at: str
    tries: int
    name: str
    cause: str


# ---- inbox -------------------------------------------------------------------------------------
def is_number(value: object) -> bool:
    """Say whether this is a number as Telegram numbers updates, people and chats: whole, and in 63 bits."""
    return type(value) is int and -(2**63) < value < 2**63


def lane_of(unit: Unit, raw: dict[str, Any]) -> int:
    """Return whose update it is: the person's, else the chat's, as a keyed hash that names nobody."""
    number = _number_in(raw, "from", "chat")
    return 0 if number is None else int.from_bytes(unit.keys.lookup(f"lane:{number}")[:7])


def person_of(raw: dict[str, Any]) -> int | None:
    """Return the Telegram id of the person whose update it is; None where there is none."""
    return _number_in(raw, "from")


def _number_in(raw: dict[str, Any], *names: str) -> int | None:
    for part in raw.values():
        if isinstance(part, dict):
            for name in names:
                number = part[name].get("id") if isinstance(part.get(name), dict) else None
                if number is not None and is_number(number):
                    return int(number)
    return None


def take_in(unit: Unit, bot_id: int, updates: Sequence[dict[str, Any]], at: str) -> int:
    """Store raw updates that are not known yet; return how many were new. Commit before acknowledging."""
    new = 0
    for raw in updates:
        sealed = unit.keys.mailbox.seal_value(raw, f"inbox:{bot_id}:{raw['update_id']}")
        row = {"bot_id": bot_id, "update_id": raw["update_id"], "lane": lane_of(unit, raw), "payload": sealed}
        new += _TAKEN_IN.change(unit, {**row, "state": "waiting", "tries": 0, "received_at": at})
    return new


def waiting(unit: Unit, bot_id: int, busy: Sequence[int] = (), lanes: int = 32, each: int = 8) -> list[Taken]:
    """Return updates to handle, oldest first: some of each lane that nobody is at, lanes that wait longest first.

    On PostgreSQL those lanes are ours then, until `let_go`.
    """
    given = {"of_bot": bot_id, "busy": list(busy), "most": lanes}
    ours = [row.lane for row in (_LANES if unit.is_sqlite else _LANES_FREE).all(unit, given)]
    if not ours:
        return []
    locks.note_acquired(unit, LANE, ours)
    rows = _WAITING.all(unit, {"of_bot": bot_id, "ours": ours, "each": each})
    empty = set(ours) - {row.lane for row in rows}
    locks.release(unit, LANE, empty)
    return [
        Taken(
            row.id, row.update_id, row.lane,
            unit.keys.mailbox.open_value(row.payload, f"inbox:{bot_id}:{row.update_id}"),
        )
        for row in rows
    ]  # fmt: skip


def let_go(unit: Unit, lanes: Sequence[int]) -> None:
    """Let other workers have these lanes."""
    locks.release(unit, LANE, lanes)


def handled(unit: Unit, bot_id: int, update_id: int) -> bool:
    """Mark an update as handled and erase it; return False when it already was. Belongs to the act's transaction."""
    return _HANDLED.change(unit, {"of_bot": bot_id, "number": update_id}) == 1


def failed(unit: Unit, inbox_id: int, cause: str) -> bool:
    """Count a failed try and note why; park the update after the last one. Return whether it is parked now."""
    tries = unit.connection.execute(select(INBOX.c.tries).where(INBOX.c.id == inbox_id)).scalar_one() + 1
    state = "parked" if tries >= TRIES else "waiting"
    still_waits = (INBOX.c.id == inbox_id, INBOX.c.state == "waiting")
    unit.connection.execute(update(INBOX).where(*still_waits).values(tries=tries, state=state, cause=cause[:CAUSE]))
    return state == "parked"


def prune(unit: Unit, before: str) -> None:
    """Forget handled updates that were received before this time."""
    unit.connection.execute(delete(INBOX).where(INBOX.c.state == "done", INBOX.c.received_at < before))


# ---- outbox ------------------------------------------------------------------------------------
def put(unit: Unit, chat_id: int, kind: str, payload: dict[str, Any], card: str | None = None) -> None:
    """Decide to send a message. A newer card of the same thing replaces one that was not sent yet."""
    if kind == "card":
        for row in _UNSENT.all(unit, {"chat": chat_id, "of": card}):
            below = unit.keys.mailbox.open_value(row.payload, f"outbox:{chat_id}").get("below")
            payload = {**payload, "below": payload.get("below") or below}
            sent(unit, row.id)
    values = {
        "chat_id": chat_id,
        "kind": kind,
        "card": card,
        "state": "waiting",
        "tries": 0,
        "created_at": utc_now(),
        "payload": unit.keys.mailbox.seal_value(payload, f"outbox:{chat_id}"),
    }
    _PUT.change(unit, values)


def to_send(unit: Unit, not_chats: Sequence[int] = (), limit: int = 50) -> list[Message]:
    """Return the oldest unsent message of each chat, leaving out chats that must wait and those another worker is at.

    On PostgreSQL those chats are ours then, until `chats_done`.
    """
    given = {"chats": list(not_chats), "most": limit}
    if unit.is_sqlite:
        rows = _TO_SEND.all(unit, given)
    else:
        chats = {row.id: row.chat_id for row in _CHATS_FREE.all(unit, given)}
        locks.note_acquired(unit, CHAT, chats.values())
        # One that another worker has just sent, and not yet said so, is passed over.
        rows = _SEND_FREE.all(unit, {"ids": list(chats)}) if chats else []
        locks.release(unit, CHAT, set(chats.values()) - {row.chat_id for row in rows})
    return [
        Message(
            row.id,
            row.chat_id,
            row.kind,
            row.card,
            unit.keys.mailbox.open_value(row.payload, f"outbox:{row.chat_id}"),
        )
        for row in rows
    ]


def pictures_to_send(unit: Unit, done: Sequence[int], busy: Sequence[int], most: int) -> list[Message]:
    """Return the oldest pictures whose screens were sent; those that are done are let go. On PostgreSQL they are ours then."""
    locks.release(unit, PICTURE, done)
    if most <= 0:
        return []
    return [
        Message(
            row.id, row.chat_id, row.kind, row.card, unit.keys.mailbox.open_value(row.payload, f"outbox:{row.chat_id}")
        )
        for row in _PICTURES.all(unit, {"busy": list(busy), "most": most})
        if locks.acquire(unit, PICTURE, row.id)
    ]


def picture_failed(unit: Unit, message_id: int) -> bool:
    """Count that a picture could not be sent; drop it after the last time. Return whether it was dropped."""
    tries = unit.connection.execute(select(OUTBOX.c.tries).where(OUTBOX.c.id == message_id)).scalar()
    if tries is None or tries + 1 >= TRIES:
        sent(unit, message_id)
        return True
    unit.connection.execute(update(OUTBOX).where(OUTBOX.c.id == message_id).values(tries=tries + 1))
    return False


def drop_picture(unit: Unit, subject: str) -> None:
    """Drop a picture that was not sent yet: the person has gone on."""
    unit.connection.execute(delete(OUTBOX).where(OUTBOX.c.kind == PICTURE, OUTBOX.c.card == subject))


def chats_done(unit: Unit, chats: Sequence[int]) -> None:
    """Let other workers send to these chats."""
    locks.release(unit, CHAT, chats)


def sent(unit: Unit, message_id: int) -> None:
    """Forget a message that was sent, or that a newer one takes the place of."""
    _SENT.change(unit, {"number": message_id})


def park(unit: Unit, message_id: int, cause: str) -> None:
    """Put aside a message that can never be sent, so that it holds up nobody else."""
    parked = {"state": "parked", "tries": OUTBOX.c.tries + 1, "cause": cause[:CAUSE]}
    unit.connection.execute(update(OUTBOX).where(OUTBOX.c.id == message_id).values(parked))


def set_card(unit: Unit, subject: str, chat_id: int, message_id: int) -> None:
    """Remember which message of a chat is the card of something."""
    _CARD.change(unit, {"subject": subject, "chat_id": chat_id, "message_id": message_id})


def card_of(unit: Unit, subject: str, chat_id: int) -> int | None:
    """Return the message that is the card of something in a chat, if one was sent there."""
    found = _CARD_OF.scalar(unit, {"of": subject, "chat": chat_id})
    return None if found is None else int(found)


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


def oldest(unit: Unit, now: str) -> dict[str, str | None]:
    """Return when the update and the message that wait longest came in; None if none waits.

    Chats that something was sent to in the last 10 seconds do not count: people who tap faster than Telegram lets a bot
    answer make only themselves wait.
    """
    served = select(PACE.c.key).where(PACE.c.due > datetime.fromisoformat(now).timestamp() - SERVED)
    received = select(func.min(INBOX.c.received_at)).where(INBOX.c.state == "waiting")
    chat = "chat:" + cast(OUTBOX.c.chat_id, String)
    created = select(func.min(OUTBOX.c.created_at)).where(OUTBOX.c.state == "waiting", chat.not_in(served))
    return {name: unit.connection.execute(query).scalar() for name, query in (("inbox", received), ("outbox", created))}


def parked(unit: Unit) -> list[Parked]:
    """Return what was parked, oldest first: when, which, how often it was tried. Never what is in it."""
    inbox, outbox = (
        select(table.c.id, table.c[at].label("at"), table.c.tries, table.c[name].label("name"), table.c.cause).where(
            table.c.state == "parked"
        )
        for table, at, name in ((INBOX, "received_at", "update_id"), (OUTBOX, "created_at", "kind"))
    )
    found = [
        Parked(what, row.id, row.at, row.tries, str(row.name), row.cause or "not known")
        for what, query in (("update", inbox), ("message", outbox))
        for row in unit.connection.execute(query)
    ]
    return sorted(found, key=lambda one: (one.at, one.id))


def try_again(unit: Unit, what: str, number: int) -> bool:
    """Let something that was parked be tried anew; return whether it was there."""
    table = INBOX if what == "update" else OUTBOX
    waits = (
        update(table)
        .where(table.c.id == number, table.c.state == "parked")
        .values(state="waiting", tries=0, cause=None)
    )
    return unit.connection.execute(waits).rowcount == 1


def send_again(unit: Unit, chat_id: int) -> int:
    """Let what was parked because a person could not be reached be sent; return how much. Of a card only the newest state."""
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


def drop(unit: Unit, what: str, number: int) -> bool:
    """Give up something that was parked, and erase it; return whether it was there."""
    if what == "update":
        done = update(INBOX).where(INBOX.c.id == number, INBOX.c.state == "parked").values(state="done", payload=None)
        return unit.connection.execute(done).rowcount == 1
    gone = delete(OUTBOX).where(OUTBOX.c.id == number, OUTBOX.c.state == "parked")
    return unit.connection.execute(gone).rowcount == 1


def counts(unit: Unit) -> dict[str, int]:
    """Return how many rows wait or are parked, by mailbox and state."""
    found: dict[str, int] = {}
    for name, table in (("inbox", INBOX), ("outbox", OUTBOX)):
        for state, count in unit.connection.execute(select(table.c.state, func.count()).group_by(table.c.state)):
            found[f"{name}.{state}"] = count
    return found
