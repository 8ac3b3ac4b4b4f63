"""The computed branches, by name. An edition may use only these names, never an expression.

A predicate reads only the answers on the way so far.
`reads` names the roles of the questions it reads, so that tests know which answers can change a route.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flows.roles import Roles


@dataclass(frozen=True)
class Taken:
    """The walk so far: option by question, the entry, the outcome reached, and the questions that were once "not sure".

    Ask it for roles: `chose("harm", "yes")` means the question and the option that fill these roles.
    """

    options: dict[str, str] = field(default_factory=dict)
    entry: str = ""
    outcome: str | None = None
    agrees_with: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    roles: Roles = field(default_factory=Roles)

    def asked(self, question: str) -> bool:
        """Return whether this question was answered."""
        return self.roles.question(question) in self.options

    def chosen(self, question: str) -> str | None:
        """Return the option chosen at this question, by its role or else its id; None if it was not answered."""
        option = self.options.get(self.roles.question(question))
        return None if option is None else self.roles.option_role(question, option)

    def chose(self, question: str, *options: str) -> bool:
        """Return whether one of these options was chosen at this question."""
        return self.chosen(question) in options


Predicate = Callable[[Taken], bool]
PREDICATES: dict[str, Predicate] = {}
READS: dict[str, tuple[str, ...]] = {}


def reads(*questions: str) -> Callable[[Predicate], Predicate]:
    """Register a predicate under its own name, with the questions it reads."""

    def register(predicate: Predicate) -> Predicate:
        PREDICATES[predicate.__name__] = predicate
        READS[predicate.__name__] = questions
        return predicate

    return register


@reads("harm")
def harm_concern(taken: Taken) -> bool:
    """A child may be suffering, or be likely to suffer, harm (the word is harm, not significant harm)."""
    return taken.chose("harm", "yes")


@reads("initiative", "requester_lscb")
def was_asked(taken: Taken) -> bool:
    """Somebody asked for the information, so there is a requester."""
    return taken.chose("initiative", "asked") or taken.asked("requester_lscb")


@reads("identifiable")
def nobody_identifiable(taken: Taken) -> bool:
    """No individual can be identified, so nobody can be told that it was shared."""
    return taken.chose("identifiable", "no")


@reads("identifiable")
def somebody_identifiable(taken: Taken) -> bool:
    """Somebody can be identified, or it was not asked, so somebody may have to be told that it was shared."""
    return not nobody_identifiable(taken)


@reads("consent")
def has_consent(taken: Taken) -> bool:
    """The person answered that there is consent."""
    return taken.chose("consent", "yes")


@reads("consent")
def no_consent(taken: Taken) -> bool:
    """The person answered that there is no consent."""
    return taken.chose("consent", "no")


@reads("sensitive", "consent_kind")
def sensitive_and_only_implied(taken: Taken) -> bool:
    """Sensitive information needs explicit consent, if consent is needed (myth 2): implied counts as no."""
    return taken.chose("sensitive", "yes", "health") and taken.chose("consent_kind", "implied")


@reads("decision")
def decided_otherwise(taken: Taken) -> bool:
    """The person decided otherwise than the recommended outcome."""
    return taken.asked("decision") and taken.options[taken.roles.question("decision")] not in taken.agrees_with


@reads("decision")
def will_share(taken: Taken) -> bool:
    """The person decided to share all or part of it."""
    return taken.chose("decision", "share", "share_part")


@reads("initiative", "requester_lscb", "decision")
def refused_asker(taken: Taken) -> bool:
    """Somebody asked, and the person decided not to share, so it is good practice to discuss that with them."""
    return was_asked(taken) and not will_share(taken)


@reads()
def holds_board_information(taken: Taken) -> bool:
    """The person asks about using information from a Board request."""
    return taken.entry == taken.roles.question("use_for_board_functions")


@reads()
def advice_was_sought(taken: Taken) -> bool:
    """The person was not sure at some question, so the outcome of the advice must be recorded."""
    return bool(taken.unsure)
