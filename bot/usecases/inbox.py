"""Updates in the store: taken in, claimed by a worker, handled, failed, parked."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from bot.messages import notices
from bot.usecases.context import Context, say
from storage import backlog, inbox, members
from storage.core import locks
from storage.core.unit import Unit
from storage.inbox import Claimed, is_number

__all__ = ["Claimed", "is_number"]

#: The lock held by the worker that polls.
POLL = "poll"


def lead_polling(unit: Unit, bot_id: int) -> bool:
    """Try to become the worker that polls. The lock ends with the connection."""
    return locks.acquire(unit, POLL, bot_id)


def take_in(unit: Unit, bot_id: int, updates: list[dict[str, Any]], at: str) -> int:
    """Store new raw updates and return how many were new. After the commit they may be acknowledged."""
    return inbox.take_in(unit, bot_id, updates, at)


def claim(unit: Unit, bot_id: int, done: list[int], busy: list[int], most: int) -> dict[int, list[Claimed]]:
    """Release the ordering keys that are done, then claim up to `most` others with their waiting updates."""
    inbox.release(unit, done)
    found: dict[int, list[Claimed]] = defaultdict(list)
    for claimed in inbox.claim(unit, bot_id, busy, most) if most > 0 else ():
        found[claimed.ordering_key].append(claimed)
    return dict(found)


def release(unit: Unit, done: list[int]) -> None:
    """Release these ordering keys for other workers."""
    inbox.release(unit, done)


def mark_handled(unit: Unit, bot_id: int, update_id: int) -> bool:
    """Mark an update that no use case marked as handled; return False if it was handled before."""
    return inbox.mark_handled(unit, bot_id, update_id)


def count_failure(unit: Unit, context: Context, claimed: Claimed, cause: str) -> bool:
    """Count a failed try; park the update after the third. Return whether it is parked now.

    A member whose update is parked is told in the same transaction: they must not believe that it counted.
    """
    parked = inbox.count_failure(unit, claimed.id, cause)
    person = inbox.person_of(claimed.payload) if parked else None
    if person is not None and members.get(unit, person):
        say(unit, person, notices.failed())
    return parked


def is_empty(unit: Unit) -> bool:
    """Return whether every update was handled and every message sent."""
    counts = backlog.counts(unit)
    return not counts.get("inbox.waiting") and not counts.get("outbox.waiting")
