"""The second ranking of a question: parts of words and pairs of words, weighed by a logistic regression learned beforehand.

`python -m tests.training ranker` learns it from the ways to ask of an edition and writes `ranker.bin` beside them. Using it
needs no library. It gives each passage and each topic that is not covered a probability.

The file: JSON (`keys`, `features`, `squares`, `bias`, `scale`), then one signed byte for each feature
and key, the rows of the features one after the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from operator import add
from pathlib import Path
from typing import Any

from flows.breaks import pause
from flows.derived import fresh

NAME = "ranker.bin"


def features(words: Iterable[str], terms: Iterable[str]) -> set[str]:
    """Return the features of a question: its words, pairs of words, parts of words of 3 to 5 letters, and its search terms."""
    row = ["^", *words, "$"]
    found = {f"={term}" for term in terms}
    found.update(row[1:-1])
    found.update(f"{one} {other}" for one, other in pairwise(row))
    found.update(f"{one} _ {other}" for one, other in zip(row, row[2:], strict=False))
    for word in set(row[1:-1]):
        marked = f"<{word}>"
        for size in (3, 4, 5):
            found.update("~" + marked[at : at + size] for at in range(len(marked) - size + 1))
    return found


class Ranker:
    """The learned weights of one edition. `keys`: passages, and topics that are not covered as `~id`."""

    def __init__(self, about: dict[str, Any], body: bytes) -> None:
        self.keys: tuple[str, ...] = tuple(about["keys"])
        self._bias: list[float] = about["bias"]
        self._scale: float = about["scale"]
        self._squares: list[float] = about["squares"]
        self._row = {name: number for number, name in enumerate(about["features"])}
        self._weights = memoryview(body).cast("b")

    def probabilities(self, found: set[str]) -> dict[str, float]:
        """Return how likely each passage and topic is, from the features of a question; together 1."""
        width = len(self.keys)
        sums, square = [0] * width, 0.0
        for name in found:
            row = self._row.get(name)
            if row is not None:
                sums = list(map(add, sums, self._weights[row * width : (row + 1) * width]))
                square += self._squares[row]
        pause()
        length = math.sqrt(square) or 1.0
        logits = [total * self._scale / length + bias for total, bias in zip(sums, self._bias, strict=True)]
        highest = max(logits)
        shares = [math.exp(logit - highest) for logit in logits]
        whole = math.fsum(shares)
        return {key: share / whole for key, share in zip(self.keys, shares, strict=True)}


def ranker_of(folder: Path) -> Ranker | None:
    """Return an edition's ranker, or None if it has none or its ways to ask have changed since."""
    found = fresh(folder, NAME)
    return Ranker(*found) if found else None
