"""Is the bot working, and how much waits: counts and ages only, never who or what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage import backlog, pause, retention, timers
from storage.core.unit import Unit

#: Seconds after which the oldest of something waiting means that nobody is working on it.
OLDEST = {"inbox": 30.0, "outbox": 120.0, "timer": 60.0}


@dataclass(frozen=True)
class Figures:
    """What there is, for monitoring. `mailboxes`: rows by "mailbox.state"; `oldest`: seconds; `records`: by state."""

    mailboxes: dict[str, int]
    oldest: dict[str, float]
    records: dict[str, int]
    is_paused: bool


def ages(unit: Unit, now: str) -> dict[str, float]:
    """Return for how many seconds the oldest update, message and timer have waited; 0 if none waits."""
    since = {**backlog.oldest(unit, now), "timer": timers.oldest(unit, now)}
    return {name: _seconds(at, now) for name, at in since.items()}


def _seconds(since: str | None, now: str) -> float:
    if since is None:
        return 0.0
    return max(0.0, (datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds())


def not_ready(unit: Unit, now: str) -> list[str]:
    """Return why the bot is not ready, in words; nothing if it is."""
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
