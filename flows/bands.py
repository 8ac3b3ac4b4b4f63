"""Joins the rankings of a question, and decides how sure the answer is: firm, "did you mean", or silence.

Both are logistic regressions, learned on questions that nobody wrote as a way to ask (`python -m tests.training bands`). They
stand in asked/bands.json, once for the two rankings that are always there and once with the third.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from flows.yaml_files import packaged_json

#: Topics that are not covered carry this mark before their id.
OUTSIDE = "~"


@dataclass(frozen=True)
class Ranked:
    """A passage or topic, what each ranking gave it (from 0 to 1, in the order of `Index.members`), and the joint score."""

    key: str
    members: tuple[float, ...]
    score: float

    @property
    def is_passage(self) -> bool:
        """Whether it is a passage and not a topic that is not covered."""
        return not self.key.startswith(OUTSIDE)


@dataclass(frozen=True)
class Logistic:
    """A logistic regression: its bias and weights."""

    bias: float
    weights: tuple[float, ...]

    def __call__(self, values: tuple[float, ...]) -> float:
        """Return the probability for these values."""
        total = self.bias + math.fsum(weight * value for weight, value in zip(self.weights, values, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


@dataclass(frozen=True)
class Bands:
    """`fits`: does a passage fit, from its rankings; `right`: is the first card right, and `outside`: is the question not
    covered, from the whole result. `firm` and `silent`: the least probability of each that decides."""

    fits: Logistic
    right: Logistic
    outside: Logistic
    firm: float
    silent: float


@cache
def bands(members: int) -> Bands:
    """Return what was learned for so many rankings."""
    raw: Any = packaged_json("asked", "bands.json")[str(members)]
    regressions = {name: Logistic(raw[name][0], tuple(raw[name][1:])) for name in ("fits", "right", "outside")}
    return Bands(**regressions, firm=raw["firm"], silent=raw["silent"])


def joined(found: Mapping[str, tuple[float, ...]], fits: Logistic) -> list[Ranked]:
    """Return passages and topics, best first."""
    ranked = [Ranked(key, members, fits(members)) for key, members in found.items()]
    return sorted(ranked, key=lambda one: (-one.score, one.key))


def evidence(
    ranked: list[Ranked], cards: Mapping[str, float], leaning: float, words: int, *, named: bool
) -> tuple[float, ...]:
    """Return what the two decisions look at.

    `cards`: the score of each answer card, best first; `leaning`: how far the words lean towards the edition; `named`: the
    best topic is named by its own word, such as Scotland.
    """
    inside = [one for one in ranked if one.is_passage]
    outside = [one for one in ranked if not one.is_passage]
    best, second = (*(one.score for one in inside[:2]), 0.0, 0.0)[:2]
    first_card, second_card = (*cards.values(), 0.0, 0.0)[:2]
    topic = outside[0] if outside else Ranked("", (0.0,) * len(ranked[0].members) if ranked else (), 0.0)
    mass = [sum(one.members[number] ** 2 for one in outside) for number in range(1, len(topic.members))]
    return (
        best, best - second, first_card, first_card - second_card, topic.score, max(topic.members, default=0.0),
        leaning / 6, math.log(1 + words) / 5, float(named), *mass,
    )  # fmt: skip
