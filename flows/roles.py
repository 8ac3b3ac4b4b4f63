"""Which node of an edition fills which role. All other code asks an edition for roles, never for ids.

A node whose id is the name of a role fills that role; `roles.yaml` names the others. That file changes no word and no route, so
it is not part of the edition's hash. "yes", "no" and "not_sure" belong to the format and mean the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Start:
    """What a command, or a choice of what a person came for, starts: a flow and one of its entries, by default the first.

    `answers`: what the choice says already, as triggers. `bulk`: the question about regular exchanges comes at once.
    """

    flow: str
    entry: str | None = None
    answers: tuple[str, ...] = ()
    bulk: bool = False


@dataclass(frozen=True)
class Step:
    """When nothing is left to do of a duty, and whom it is about to reach.

    `by_saving`: saving the record does it. `if_sharing`: it is for those who share. `done`: question -> the options after
    which it is done; none of them named: any answer. `reach`: "police" or "care", children's social care.
    """

    by_saving: bool = False
    if_sharing: bool = False
    done: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reach: str | None = None


@dataclass(frozen=True)
class Look:
    """Answers to a question that deserve a second look, if they come together with the answers in `beside`."""

    question: str
    options: tuple[str, ...]
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Roles:
    """Role -> id, for each kind of node. Options are listed by the role of their question."""

    starts: Mapping[str, Start] = field(default_factory=dict)
    questions: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)
    duties: Mapping[str, str] = field(default_factory=dict)
    passages: Mapping[str, str] = field(default_factory=dict)
    #: The edition's own list of rules, as /rules shows them.
    rules: tuple[str, ...] = ()
    #: By the id of a duty. A duty without one is always still to do.
    steps: Mapping[str, Step] = field(default_factory=dict)
    #: In the order in which the check of the answers names them.
    look_again: tuple[Look, ...] = ()

    def question(self, role: str) -> str:
        """Return the id of the question that fills a role."""
        return self.questions.get(role, role)

    def option(self, role: str, option: str) -> str:
        """Return the id of an option of the question that fills a role."""
        return self.options.get(role, {}).get(option, option)

    def outcome(self, role: str) -> str:
        """Return the id of the outcome that fills a role."""
        return self.outcomes.get(role, role)

    def duty(self, role: str) -> str:
        """Return the id of the duty that fills a role."""
        return self.duties.get(role, role)

    def passage(self, role: str) -> str:
        """Return the id of the passage that fills a role."""
        return self.passages.get(role, role)

    def question_role(self, question: str) -> str:
        """Return the role that a question fills; its id when it fills none."""
        return self._question_roles.get(question, question)

    def option_role(self, role: str, option: str) -> str:
        """Return the role of an option of the question that fills a role; its id when it has none."""
        return self._option_roles.get(role, {}).get(option, option)

    def outcome_role(self, outcome: str) -> str:
        """Return the role that an outcome fills; its id when it fills none."""
        return self._outcome_roles.get(outcome, outcome)

    @cached_property
    def _question_roles(self) -> Mapping[str, str]:
        return {node: role for role, node in self.questions.items()}

    @cached_property
    def _option_roles(self) -> Mapping[str, Mapping[str, str]]:
        return {role: {node: name for name, node in options.items()} for role, options in self.options.items()}

    @cached_property
    def _outcome_roles(self) -> Mapping[str, str]:
        return {node: role for role, node in self.outcomes.items()}


#: The roles that every edition must fill. An edition without one of them is refused.
STARTS = ("share",)
OUTCOMES = ("emergency", "seek_advice")
DUTIES = ("seek_advice", "record_advice_outcome")
#: Questions, each with the options that our code knows by role.
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "emergency": (), "harm": (), "consent": (), "ground": (), "case_reference": (), "reasons": (), "otherwise_reason": (),
    "decision": ("share", "share_part", "do_not_share", "pending_advice"),
}  # fmt: skip
PASSAGES = ("emergency", "rule-3", "worry")
