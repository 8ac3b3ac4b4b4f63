"""The third ranking of a question, by what it means: a sentence vector, weighed by a logistic regression learned beforehand.

Only where the extra `sharewise[meaning]` is installed, which brings numpy and the encoder. `python -m tests.training meaning`
learns the weights from an edition's ways to ask and writes `meaning.bin` beside them.

The file: JSON (`keys`, `bias`, `width`), then the weights as little-endian float16, a row for each key.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from flows.derived import fresh

NAME = "meaning.bin"


class Meaning:
    """The learned weights of one edition over sentence vectors. `keys`: passages, and topics not covered as `~id`."""

    def __init__(self, about: dict[str, Any], body: bytes) -> None:
        # The encoder first: it tells numpy to use one thread, which only counts before numpy is imported.
        import sharewise_meaning  # isort: skip # noqa: F401
        import numpy

        self.keys: tuple[str, ...] = tuple(about["keys"])
        self._bias: Any = numpy.array(about["bias"], dtype=numpy.float32)
        weights = numpy.frombuffer(body, dtype="<f2").astype(numpy.float32)
        self._weights: Any = weights.reshape(len(self.keys), about["width"])

    def probabilities(self, question: str) -> dict[str, float]:
        """Return how likely each passage and topic is; together 1. Takes about 15 ms."""
        import numpy
        from sharewise_meaning import vectors

        logits = self._weights @ vectors([question])[0] + self._bias
        shares = numpy.exp(logits - logits.max())
        shares /= shares.sum()
        return dict(zip(self.keys, shares.tolist(), strict=True))


def is_installed() -> bool:
    """Return whether the extra is installed."""
    return importlib.util.find_spec("sharewise_meaning") is not None


def meaning_of(folder: Path) -> Meaning | None:
    """Return an edition's ranking by meaning, or None without the extra, the file, or if the ways to ask have changed since."""
    found = fresh(folder, NAME) if is_installed() else None
    if found is None:
        return None
    from sharewise_meaning import load

    load()
    return Meaning(*found)
