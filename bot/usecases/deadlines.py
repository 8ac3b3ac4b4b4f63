"""What is done when a timer is due. Taking the timer and what it does are one transaction: it fires once."""

from __future__ import annotations

from bot.usecases import channels, opinions, reviews
from bot.usecases.context import Context
from storage import timers
from storage.core.clock import later
from storage.core.unit import Unit
from storage.timers import Due

#: Minutes after which a timer whose act failed fires again.
PUT_OFF_MINUTES = 10


def due(unit: Unit, now: str) -> list[Due]:
    """Return the timers whose time has come, longest due first."""
    return timers.due(unit, now)


def put_off(unit: Unit, context: Context, timer: Due) -> None:
    """Let a timer whose act failed fire again later."""
    timers.put_off(unit, timer, later(context.now(), PUT_OFF_MINUTES))


def fire(unit: Unit, context: Context, timer: Due) -> None:
    """Do what is due, unless another worker was first."""
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
