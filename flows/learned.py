"""Small linear models, learned from texts beforehand: a feature's weight, summed. No library is needed to use one.

`python -m tests.training` makes the files in flows/words/*.json from the texts it names; their digest is in each file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Linear:
    """Weights by feature, a bias, and the score from which on the answer is yes. `made_from`: digest of the texts."""

    weights: dict[str, float]
    bias: float
    limit: float
    made_from: str

    def score(self, features: Iterable[str]) -> float:
        """Return the log odds of yes."""
        weights = self.weights
        return self.bias + math.fsum(weights[name] for name in features if name in weights)

    def holds(self, features: Iterable[str]) -> bool:
        """Say whether the answer is yes."""
        return self.score(features) >= self.limit


@cache
def model(name: str) -> Linear:
    """Return a model that comes with the package."""
    raw = json.loads(files("flows").joinpath("words", f"{name}.json").read_bytes())
    return Linear(raw["weights"], raw["bias"], raw["limit"], raw["made_from"])
