"""The inbox: updates received but not yet handled. Payloads are sealed, and erased once handled.

Updates with the same ordering key (a keyed hash of the person, or else of the chat) are handled in order, one at a
time. The ordering key is stored in the column `lane`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, bindparam, delete, func, literal_column, not_, select, update
from sqlalchemy.dialects import postgresql

from storage.core import locks
from storage.core.models import LONGEST_CAUSE, InboxRow, table_of
from storage.core.statements import Prepared, among
from storage.core.unit import Unit

INBOX = table_of(InboxRow)

#: The kind of lock a worker holds on an ordering key.
LOCK = "lane"
#: An update that fails this many times is parked, so that it does not block those behind it.
TRIES = 3

#: A literal, not a parameter: a prepared plan can then use the partial indexes over waiting rows.
WAITING: ColumnElement[str] = literal_column("'waiting'")
_HANDLED = Prepared(
    update(INBOX)
    .where(INBOX.c.bot_id == bindparam("of_bot"), INBOX.c.update_id == bindparam("number"), INBOX.c.state == WAITING)
    .values(state="done", payload=None)
)
# `on conflict` is written the same for both databases. Keep an existing row: another worker may have stored it.
_TAKEN_IN = Prepared(
    postgresql.insert(INBOX).on_conflict_do_nothing().inline(),
    ("bot_id", "update_id", "lane", "state", "tries", "received_at", "payload"),
)

_OLDEST, _MOST = func.min(INBOX.c.id), bindparam("most", type_=Integer)
_HERE = (INBOX.c.bot_id == bindparam("of_bot"), INBOX.c.state == WAITING)
_OLDEST_OF_KEY = (
    select(INBOX.c.lane, _OLDEST.label("oldest"))
    .where(*_HERE, not_(among(INBOX.c.lane, "busy")))
    .group_by(INBOX.c.lane)
)
_KEYS = Prepared(_OLDEST_OF_KEY.order_by(_OLDEST).limit(_MOST).with_only_columns(INBOX.c.lane))
#: Try to lock only the oldest keys, ten times as many as wanted: trying all of them would take too long.
_KEYS_SEEN = _OLDEST_OF_KEY.order_by(_OLDEST).limit(10 * _MOST).cte().prefix_with("materialized", dialect="postgresql")
_KEYS_FREE = Prepared(select(_KEYS_SEEN.c.lane).where(locks.try_acquire(LOCK, _KEYS_SEEN.c.lane)).limit(_MOST))
_POSITION = func.row_number().over(partition_by=INBOX.c.lane, order_by=INBOX.c.id).label("position")
_NUMBERED = (
    select(INBOX.c.id, INBOX.c.update_id, INBOX.c.lane, INBOX.c.payload, _POSITION)
    .where(*_HERE, among(INBOX.c.lane, "ours"))
    .subquery()
)
_WAITING = Prepared(select(_NUMBERED).where(_NUMBERED.c.position <= bindparam("each")).order_by(_NUMBERED.c.id))


@dataclass(frozen=True)
class Claimed:
    """An update that this worker has claimed for handling."""

    id: int
    update_id: int
    ordering_key: int
    payload: Any


def is_number(value: object) -> bool:
    """Return whether a value can be a Telegram id: an integer of at most 63 bits."""
    return type(value) is int and -(2**63) < value < 2**63


def ordering_key_of(unit: Unit, raw: dict[str, Any]) -> int:
    """Return a keyed hash of the person, or else of the chat; 0 if there is neither. It identifies nobody."""
    number = _number_in(raw, "from", "chat")
    return 0 if number is None else int.from_bytes(unit.keys.lookup(f"lane:{number}")[:7])


def person_of(raw: dict[str, Any]) -> int | None:
    """Return the Telegram id of the person who caused an update; None if nobody did."""
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
    """Store raw updates that we do not have yet; return how many were new. Commit before acknowledging them."""
    new = 0
    for raw in updates:
        sealed = unit.keys.mailbox.seal_value(raw, f"inbox:{bot_id}:{raw['update_id']}")
        row = {"bot_id": bot_id, "update_id": raw["update_id"], "lane": ordering_key_of(unit, raw), "payload": sealed}
        new += _TAKEN_IN.change(unit, {**row, "state": "waiting", "tries": 0, "received_at": at})
    return new


def claim(unit: Unit, bot_id: int, busy: Sequence[int] = (), keys: int = 32, each: int = 8) -> list[Claimed]:
    """Return updates to handle, oldest first: up to `each` for each of up to `keys` ordering keys that are not `busy`.

    On PostgreSQL this worker holds the locks of those keys until it calls `release`.
    """
    given = {"of_bot": bot_id, "busy": list(busy), "most": keys}
    ours = [row.lane for row in (_KEYS if unit.is_sqlite else _KEYS_FREE).all(unit, given)]
    if not ours:
        return []
    locks.note_acquired(unit, LOCK, ours)
    rows = _WAITING.all(unit, {"of_bot": bot_id, "ours": ours, "each": each})
    locks.release(unit, LOCK, set(ours) - {row.lane for row in rows})
    return [Claimed(row.id, row.update_id, row.lane, _payload(unit, bot_id, row)) for row in rows]


def _payload(unit: Unit, bot_id: int, row: Any) -> Any:
    return unit.keys.mailbox.open_value(row.payload, f"inbox:{bot_id}:{row.update_id}")


def release(unit: Unit, keys: Sequence[int]) -> None:
    """Release these ordering keys, so that other workers can claim their updates."""
    locks.release(unit, LOCK, keys)


def mark_handled(unit: Unit, bot_id: int, update_id: int) -> bool:
    """Mark an update as handled and erase its payload; return False if it already was.

    Call this in the transaction of the action itself, so that each update takes effect once.
    """
    return _HANDLED.change(unit, {"of_bot": bot_id, "number": update_id}) == 1


def count_failure(unit: Unit, inbox_id: int, cause: str) -> bool:
    """Count a failed try and store its cause; park the update after the last try. Return whether it is parked now."""
    tries = unit.connection.execute(select(INBOX.c.tries).where(INBOX.c.id == inbox_id)).scalar_one() + 1
    state = "parked" if tries >= TRIES else "waiting"
    still_waiting = (INBOX.c.id == inbox_id, INBOX.c.state == "waiting")
    unit.connection.execute(
        update(INBOX).where(*still_waiting).values(tries=tries, state=state, cause=cause[:LONGEST_CAUSE])
    )
    return state == "parked"


def prune(unit: Unit, before: str) -> None:
    """Delete handled updates that were received before this time."""
    unit.connection.execute(delete(INBOX).where(INBOX.c.state == "done", INBOX.c.received_at < before))
