"""When a reminder comes: in an hour, tomorrow, on the next working day, and never at night."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reminders import EVENING, LONDON, MORNING, When, due_at


@pytest.mark.parametrize(
    ("when", "now", "due"),
    [
        (When.HOUR, "2026-11-30T10:15", "2026-11-30 11:15"),
        (When.HOUR, "2026-11-30T20:30", "2026-12-01 07:00"),
        (When.HOUR, "2026-11-30T23:30", "2026-12-01 07:00"),
        (When.HOUR, "2026-12-01T03:00", "2026-12-01 07:00"),
        # The clocks go back in between: an hour is an hour.
        (When.HOUR, "2026-10-25T06:30", "2026-10-25 07:30"),
        (When.TOMORROW, "2026-11-28T10:00", "2026-11-29 09:00"),
        (When.WORKING_DAY, "2026-11-27T10:00", "2026-11-30 09:00"),
        (When.WORKING_DAY, "2026-11-30T10:00", "2026-12-01 09:00"),
        # In summer London is an hour ahead of UTC.
        (When.TOMORROW, "2026-07-01T22:30", "2026-07-02 09:00"),
        (When.TOMORROW, "2026-07-01T23:30", "2026-07-03 09:00"),
    ],
)
def test_when_it_comes(when, now, due):
    found = due_at(when, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert f"{found.astimezone(LONDON):%Y-%m-%d %H:%M}" == due


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)), st.sampled_from(When))
def test_it_is_always_ahead_and_never_at_night(now, when):
    due = due_at(when, now).astimezone(LONDON)
    assert due > now
    assert MORNING <= due.time() < EVENING
