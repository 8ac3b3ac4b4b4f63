"""Rate limits for sending, shared by all workers: what Telegram lets a bot send (generic cell rate algorithm).

Each key has a row that says when its next message would be exactly on time. A short burst may run ahead of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, delete, select
from sqlalchemy.dialects import postgresql

from storage.core.models import RateLimit, table_of
from storage.core.statements import upsert
from storage.core.unit import Unit

LIMIT = table_of(RateLimit)
# Built once: these queries run whenever something is sent.
_THESE = LIMIT.c.key.in_(bindparam("keys", expanding=True))
_DUE = select(LIMIT).where(_THESE).order_by(LIMIT.c.key)
_DUE_LOCKED = _DUE.with_for_update()
_BEGUN = postgresql.insert(LIMIT).on_conflict_do_nothing()
#: How far two workers' clocks may differ, in seconds.
SKEW = 1.0
#: A row that is this many seconds in the past no longer limits anything.
OVER = 120.0


@dataclass(frozen=True)
class Rate:
    """At most `burst` at once, and on average one every `seconds`."""

    seconds: float
    burst: int

    @property
    def furthest(self) -> float:
        """How far in the future a row can be, in seconds.

        A row further ahead was written by a clock that was wrong or has since been put back.
        """
        return self.seconds * self.burst + SKEW


class Budget:
    """The rate limits of some keys in one transaction: `wait` checks them, `spend` counts a message, `save` writes."""

    def __init__(self, unit: Unit, rates: dict[str, Rate], now: float) -> None:
        self.unit, self.rates, self.now = unit, rates, now
        rows = self._locked(sorted(rates))
        self.due: dict[str, float] = {row.key: row.due for row in rows if row.due <= now + rates[row.key].furthest}
        self._changed: set[str] = set()

    def _locked(self, keys: list[str]) -> Sequence[Row[Any]]:
        """Return the rows of these keys, locked until this transaction ends."""
        found = [*self.unit.connection.execute(_DUE if self.unit.is_sqlite else _DUE_LOCKED, {"keys": keys})]
        if self.unit.is_sqlite or len(found) == len(keys):
            return found
        # A row that does not exist cannot be locked: two workers looking for it at once would both start from zero.
        missing = sorted(set(keys) - {row.key for row in found})
        self.unit.connection.execute(_BEGUN, [{"key": key, "due": 0.0} for key in missing])
        return [*self.unit.connection.execute(_DUE_LOCKED, {"keys": keys})]

    def wait(self, *keys: str) -> float:
        """Return how many seconds a message with these keys must wait; 0 if it may be sent now."""
        waits = [self._ahead(key) - (rate.burst - 1) * rate.seconds for key, rate in self._of(keys)]
        return max([0.0, *waits])

    def spend(self, *keys: str) -> None:
        """Count one message against these keys."""
        for key, rate in self._of(keys):
            self.due[key] = max(self.now, self.due.get(key, 0.0)) + rate.seconds
            self._changed.add(key)

    def save(self) -> None:
        """Write the counts to the database."""
        if self._changed:
            rows = [{"key": key, "due": self.due[key]} for key in sorted(self._changed)]
            upsert(self.unit, LIMIT, ("key",), rows)

    def _of(self, keys: tuple[str, ...]) -> list[tuple[str, Rate]]:
        return [(key, self.rates[key]) for key in keys]

    def _ahead(self, key: str) -> float:
        return max(0.0, self.due.get(key, 0.0) - self.now)


def prune(unit: Unit, now: float) -> None:
    """Delete the rows of chats that have been sent nothing lately."""
    unit.connection.execute(delete(LIMIT).where(LIMIT.c.due < now - OVER))
