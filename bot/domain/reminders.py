"""When to remind a person who wanted to ask somebody: in an hour, tomorrow, or on the next working day, and never at night."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
#: No reminder comes from the evening until the morning.
EVENING, MORNING = time(21), time(7)
#: When a reminder of another day comes.
AT_WORK = time(9)
SATURDAY = 5


class When(StrEnum):
    """The choices. The values are stored in the events of a conversation."""

    HOUR = "hour"
    TOMORROW = "tomorrow"
    WORKING_DAY = "working_day"


def due_at(when: When, now: datetime) -> datetime:
    """Return when a reminder comes that is asked for now; both are aware. Monday to Friday are working days."""
    here = now.astimezone(LONDON)
    if when is When.HOUR:
        # Counted in UTC, so that an hour is an hour when the clocks change.
        return _after_the_night((now.astimezone(UTC) + timedelta(hours=1)).astimezone(LONDON))
    day = here.date() + timedelta(days=1)
    while when is When.WORKING_DAY and day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return datetime.combine(day, AT_WORK, LONDON)


def _after_the_night(moment: datetime) -> datetime:
    if moment.time() >= EVENING:
        return datetime.combine(moment.date() + timedelta(days=1), MORNING, LONDON)
    return datetime.combine(moment.date(), MORNING, LONDON) if moment.time() < MORNING else moment
