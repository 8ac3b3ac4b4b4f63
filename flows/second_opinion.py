"""From a walk to what colleagues are asked: coded answers only, so that no typed word and no case reference gets out.

Golden rule 3 of the advice: in doubt, ask other practitioners, without disclosing the identity where possible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flows.invariants import present
from flows.machine import OUTCOME, PAUSED
from flows.navigation import Position

#: The choices about an outcome. Records store the ids.
VERDICTS = {"agree": "I agree", "disagree": "I disagree", "more": "It needs more information first"}

#: The reasons for an opinion: our list, each with the passage it is based on.
REASONS = {
    "harm": ("A child may be suffering harm, or is likely to", "harm-procedures"),
    "purpose": ("The purpose is clear", "flow-purpose"),
    "no_purpose": ("The purpose is not clear", "flow-purpose"),
    "consent": ("There is consent, or it can be asked for", "flow-consent"),
    "no_consent_needed": ("Asking for consent would be unsafe, or would delay", "consent-not-sought"),
    "public_interest": ("The public interest weighs more than keeping it confidential", "myth-confidence"),
    "law": ("A law or a court requires it", "flow-other-reason"),
    "too_much": ("It is more than is needed", "principle-necessary"),
    "facts": ("The facts are not clear, or not up to date", "principle-accurate"),
    "confidential": ("It was told in confidence and nothing outweighs that", "myth-confidence"),
}
#: A reason in the colleague's own words.
OWN = "own"

#: Roles of questions that are never shown to colleagues: their answers could reveal the case.
NOT_SHOWN = ("case_reference",)
#: Roles of questions at which a child's safety cannot wait for an opinion.
NEVER_WAITS = ("emergency",)


@dataclass(frozen=True)
class Asked:
    """What colleagues are asked. `kind`: question or outcome; `choices`: id -> label; `answers`: (question, answer)."""

    kind: str
    about: str
    title: str
    choices: Mapping[str, str]
    answers: tuple[tuple[str, str], ...]
    flags: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Return plain values for storage."""
        return {
            "kind": self.kind, "about": self.about, "title": self.title, "choices": dict(self.choices),
            "answers": [list(pair) for pair in self.answers], "flags": list(self.flags),
        }  # fmt: skip


def cannot_wait(position: Position) -> bool:
    """Return whether a child's safety is at stake here, so that the person must not wait for opinions."""
    outcome = position.outcome
    here = position.flow.roles.question_role(position.state.removesuffix(PAUSED))
    return here in NEVER_WAITS or (outcome is not None and outcome.id == position.machine.emergency)


def asked_at(position: Position) -> Asked | None:
    """Return what colleagues can be asked here, or None if there is nothing to choose or a child's safety cannot wait.

    Before the outcome it is the current question; from then on it is the outcome.
    """
    state = position.state.removesuffix(PAUSED)
    outcome = position.outcome
    if cannot_wait(position):
        return None
    question = position.question
    if outcome is None and (question is None or not question.options):
        return None
    if outcome is None:
        question = present(question, "the lines above say so")
        choices = {o.id: o.label for o in question.options if o.offered_when is None or _offers(position, state, o.id)}
        return Asked("question", state, question.label, choices, _answers(position), _flags(position))
    return Asked("outcome", outcome.id, outcome.title, VERDICTS, _answers(position), _flags(position))


def _offers(position: Position, state: str, option: str) -> bool:
    return f"{state}.{option}" in position.offered or position.is_paused


def _answers(position: Position) -> tuple[tuple[str, str], ...]:
    """Return the answers tapped so far. Typed words are never included, only that there were some."""
    found = []
    for state, answer in position.live:
        question = position.flow.questions.get(state.removesuffix(PAUSED))
        if question is None or position.flow.roles.question_role(question.id) in NOT_SHOWN or state.startswith(OUTCOME):
            continue
        option = question.option(answer.verb)
        if option:
            found.append((question.short, option.label))
        elif answer.text is not None:
            found.append((question.short, "in own words, not shown here"))
    return tuple(found)


def _flags(position: Position) -> tuple[str, ...]:
    flags = []
    if position.taken.chose("harm", "yes"):
        flags.append("There is concern about harm to a child. Local procedures come first, without delay.")
    if position.taken.chose("sensitive", "yes", "health"):
        flags.append("The information is sensitive.")
    if position.taken.chose("emergency", "not_sure") or position.taken.chose("harm", "not_sure"):
        flags.append("It was not sure whether a child is in danger.")
    unsure = [
        position.flow.questions[state].short for state in position.walk.unsure if state in position.flow.questions
    ]
    if unsure:
        flags.append(f"Whoever asks was not sure here: {', '.join(unsure)}.")
    return tuple(flags)
