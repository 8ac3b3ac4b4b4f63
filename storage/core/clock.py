"""Times as they are stored: UTC, ISO 8601, microseconds, Z. As text they sort alike in both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

FORM = "%Y-%m-%dT%H:%M:%S.%fZ"
#: Minutes.
DAY = 24 * 60


def utc_now() -> str:
    """Return the time now."""
    return f"{datetime.now(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def later(at: str, minutes: float) -> str:
    """Return a stored time some minutes after (or before) another."""
    return (datetime.fromisoformat(at) + timedelta(minutes=minutes)).strftime(FORM)
