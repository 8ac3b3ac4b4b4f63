"""Whether the bot works and how much is waiting: counts and ages only, never people or content."""

from __future__ import annotations

from dataclasses import dataclass

from storage import backlog, pause, retention, timers
from storage.core.clock import seconds_between
from storage.core.unit import Unit

#: How many seconds the oldest item may wait before the bot counts as not ready.
OLDEST = {"inbox": 30.0, "outbox": 120.0, "timer": 60.0}


@dataclass(frozen=True)
class Figures:
    """Figures for monitoring. `mailboxes`: rows by "mailbox.state"; `oldest`: age of the oldest waiting row, in seconds."""

    mailboxes: dict[str, int]
    oldest: dict[str, float]
    records: dict[str, int]
    is_paused: bool


def ages(unit: Unit, now: str) -> dict[str, float]:
    """Return how many seconds the oldest update, message and timer have waited; 0 if none is waiting."""
    since = {**backlog.oldest(unit, now), "timer": timers.oldest(unit, now)}
    return {name: _seconds(at, now) for name, at in since.items()}


def _seconds(since: str | None, now: str) -> float:
    if since is None:
        return 0.0
    return max(0.0, seconds_between(since, now))


def not_ready(unit: Unit, now: str) -> list[str]:
    """Return why the bot is not ready, one sentence a reason; an empty list if it is ready."""
    late = ((name, age) for name, age in ages(unit, now).items() if age > OLDEST[name])
    found = [f"{name}: something has waited {int(age)} s" for name, age in late]
    if unit.is_read_only():
        found.append("database: it may only be read")
    if pause.reason(unit) is not None:
        found.append("paused")
    return found


def figures(unit: Unit, now: str) -> Figures:
    """Return the figures for monitoring."""
    return Figures(backlog.counts(unit), ages(unit, now), retention.counts(unit), pause.reason(unit) is not None)
