"""Rules of retention: the classes of records, and how long a class may be kept."""

from __future__ import annotations

from enum import StrEnum

LONGEST_DAYS = 110 * 366


class RecordClass(StrEnum):
    """What an organisation sets a time for. There is no built-in time: a class without one is kept. The values are stored."""

    EMERGENCY = "emergency"
    SHARED = "shared"
    NOT_SHARED = "not_shared"
    WAITING = "waiting"
    UNFINISHED = "unfinished"


class CannotSet(Exception):
    """This class cannot be kept like that."""


def check(record_class: str, days: int | None, review_days: int | None) -> None:
    """Raise CannotSet if a rule is not allowed: a class kept for ever needs a number of days after which it is looked at again."""
    if record_class not in set(RecordClass):
        raise CannotSet(f"There is no class {record_class!r}. Known: {', '.join(RecordClass)}.")
    if days is None and review_days is None:
        raise CannotSet("Kept for ever needs --review-days: after how many days it is looked at again.")
    if days is not None and review_days is not None:
        raise CannotSet("Give --days or --review-days, not both.")
    if not 1 <= (days or review_days or 0) <= LONGEST_DAYS:
        raise CannotSet(f"The days must be 1 to {LONGEST_DAYS}.")
    if record_class == RecordClass.UNFINISHED and days is None:
        raise CannotSet("Unfinished questions need --days: nobody could look at them again.")
