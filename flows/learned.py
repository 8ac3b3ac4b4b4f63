"""Small linear models learned beforehand: a score is the sum of the weights of the features. Using one needs no library.

`python -m tests.training` creates flows/words/*.json from its training texts; each file contains their digest.
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
    """Weights by feature, a bias, and the lowest score that means yes. `made_from`: digest of the training texts."""

    weights: dict[str, float]
    bias: float
    limit: float
    made_from: str

    def score(self, features: Iterable[str]) -> float:
        """Return the log odds of yes."""
        weights = self.weights
        return self.bias + math.fsum(weights[name] for name in features if name in weights)


@cache
def model(name: str) -> Linear:
    """Return a model from the package."""
    raw = json.loads(files("flows").joinpath("words", f"{name}.json").read_bytes())
    return Linear(raw["weights"], raw["bias"], raw["limit"], raw["made_from"])
