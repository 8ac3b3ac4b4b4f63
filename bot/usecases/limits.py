"""The rate limit on one person's updates: a short burst, then so many per minute. In memory only; the person is told once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

#: How many people are remembered. The one seen longest ago is forgotten first.
REMEMBERED = 10_000
#: The share of a minute's updates that a person may send at once.
BURST = 0.5


@dataclass
class _Budget:
    left: float
    at: float
    told: bool = False


class Limits:
    """Budgets of updates by person. `per_minute` 0: no limit."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._budgets: OrderedDict[int, _Budget] = OrderedDict()

    def spend(self, person: int, now: float) -> str:
        """Count an update. Return "" if it may be handled, "tell" if it may not and the person must be told, else "drop"."""
        if not self.per_minute:
            return ""
        most = max(1.0, self.per_minute * BURST)
        budget = self._budgets.get(person)
        if budget is None:
            budget = self._budgets[person] = _Budget(most, now)
            if len(self._budgets) > REMEMBERED:
                self._budgets.popitem(last=False)
        self._budgets.move_to_end(person)
        budget.left = min(most, budget.left + (now - budget.at) * self.per_minute / 60)
        budget.at = now
        if budget.left >= 1:
            budget.left -= 1
            budget.told = False
            return ""
        if budget.told:
            return "drop"
        budget.told = True
        return "tell"
