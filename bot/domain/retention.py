"""Retention rules: the classes of records, and which retention periods are allowed."""

from __future__ import annotations

from enum import StrEnum

LONGEST_DAYS = 110 * 366


class RecordClass(StrEnum):
    """The classes of records that an organisation sets a retention period for.

    There is no default: a class without a period is kept. The values are stored.
    """

    EMERGENCY = "emergency"
    SHARED = "shared"
    NOT_SHARED = "not_shared"
    WAITING = "waiting"
    UNFINISHED = "unfinished"


class CannotSet(Exception):
    """The retention rule is not allowed; the text says why."""


def check(record_class: str, days: int | None, review_days: int | None) -> None:
    """Raise CannotSet unless a retention rule is allowed.

    A rule has either `days`, or `review_days`: keep for ever, but look again after so many days.
    """
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
