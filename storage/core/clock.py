"""Times as stored: UTC, ISO 8601 with microseconds and a Z. As text they sort the same in both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

FORM = "%Y-%m-%dT%H:%M:%S.%fZ"
#: In minutes.
DAY = 24 * 60


def utc_now() -> str:
    """Return the current time in the stored format."""
    return f"{datetime.now(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def stored(moment: datetime) -> str:
    """Return an aware datetime in the stored format."""
    return moment.astimezone(UTC).strftime(FORM)


def later(at: str, minutes: float) -> str:
    """Return the stored time that is some minutes after another, or before it if negative."""
    return (as_datetime(at) + timedelta(minutes=minutes)).strftime(FORM)


def as_datetime(at: str) -> datetime:
    """Return a stored time as an aware datetime."""
    return datetime.fromisoformat(at)


def seconds_between(start: str, end: str) -> float:
    """Return how many seconds lie between two stored times; negative if the end comes first."""
    return (as_datetime(end) - as_datetime(start)).total_seconds()
