"""What happens when a timer is due. Consuming the timer and acting on it are one transaction, so a timer fires once."""

from __future__ import annotations

from bot.usecases import channels, coming_back, emergencies, open_walk, opinions, reviews
from bot.usecases.context import Context
from storage import timers
from storage.core.clock import later
from storage.core.unit import Unit
from storage.timers import Due

#: Minutes until a timer that failed fires again.
PUT_OFF_MINUTES = 10


def due(unit: Unit, now: str) -> list[Due]:
    """Return the timers that are due, longest overdue first."""
    return timers.due(unit, now)


def put_off(unit: Unit, context: Context, timer: Due) -> None:
    """Postpone a timer that failed."""
    timers.put_off(unit, timer, later(context.now(), PUT_OFF_MINUTES))


def fire(unit: Unit, context: Context, timer: Due) -> None:
    """Fire a timer, unless another worker already has."""
    if not timers.taken(unit, timer):
        return
    if timer.kind == opinions.REMIND:
        opinions.remind(unit, context, timer.subject)
    elif timer.kind == opinions.DEADLINE:
        opinions.deadline(unit, context, timer.subject)
    elif timer.kind == reviews.DIGEST:
        reviews.digest(unit, context, timer.subject)
    elif timer.kind == channels.LEAVE:
        channels.leave(unit, context, int(timer.subject))
    elif timer.kind == open_walk.UNCONFIRMED:
        emergencies.after_two_minutes(unit, context, timer.subject)
    elif timer.kind == open_walk.COME_BACK:
        coming_back.remind(unit, context, timer.subject)
