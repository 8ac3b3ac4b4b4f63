"""What deserves a second look before a record is saved."""

from __future__ import annotations

from dataclasses import dataclass

from flows.navigation import Position
from flows.roles import Roles

#: A reason of fewer words says nothing to somebody who reads it in some years.
FEWEST_WORDS = 4


@dataclass(frozen=True)
class Doubt:
    """An answer that deserves a second look, by its question, and the answers that it does not go with."""

    question: str
    beside: tuple[str, ...] = ()


def doubts(position: Position, roles: Roles) -> tuple[Doubt, ...]:
    """Return what deserves a second look on the way taken: contradictions, what is not done yet, a reason that says nothing."""
    answers = {state: answer.verb for state, answer in position.live}
    found = [
        Doubt(look.question, tuple(look.beside))
        for look in roles.look_again
        if answers.get(look.question) in look.options
        and all(answers.get(key) in options for key, options in look.beside.items())
    ]
    reasons = roles.question("reasons")
    said = next((answer.text for state, answer in position.live if state == reasons), None)
    if said is not None and len(said.split()) < FEWEST_WORDS:
        found.append(Doubt(reasons))
    return tuple(found)
