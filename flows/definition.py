"""The guidance as frozen values: what an edition says, and its flows.

Nothing here decides anything. machine.py executes the routing, validation.py checks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from flows.roles import Roles


class Status(StrEnum):
    """Whether an edition applies today."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    DRAFT = "draft"


class Strength(StrEnum):
    """How strongly the advice says something. Text for people must never present one strength as another."""

    MUST = "must"
    SHOULD = "should"
    GOOD_PRACTICE = "good_practice"
    MAY = "may"
    INSTRUCTION = "instruction"
    STATEMENT = "statement"


class Kind(StrEnum):
    """What a question is for. Progress is counted within a kind."""

    SCREEN = "screen"
    QUESTION = "question"
    DETAIL = "detail"
    HOW = "how"
    RECORDING = "recording"


#: The kinds of questions that the chart draws.
ON_THE_CHART = (Kind.SCREEN, Kind.QUESTION)

NOT_SURE = "not_sure"


class InvalidEdition(Exception):
    """The author's files are wrong; `problems` lists every problem with its file and id."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Passage:
    """A citable piece of an edition, in our own words, with the source's section."""

    id: str
    section: str
    where: str
    strength: Strength
    title: str
    text: str


@dataclass(frozen=True)
class Edge:
    """A transition: the state it leads to, and the name of the predicate that must hold."""

    to: str
    when: str | None = None


@dataclass(frozen=True)
class Duty:
    """Something that must or should be done after an outcome, such as recording the decision."""

    id: str
    text: str
    strength: Strength
    cites: tuple[str, ...]


@dataclass(frozen=True)
class DutyUse:
    """A duty of an outcome, and the predicate that must hold for it."""

    duty: str
    when: str | None = None


@dataclass(frozen=True)
class Option:
    """One button of a question."""

    id: str
    label: str
    edges: tuple[Edge, ...]
    offered_when: str | None = None
    duties: tuple[str, ...] = ()
    note: str = ""
    plain: bool = False


@dataclass(frozen=True)
class Together:
    """A button that answers several questions at once, as triggers: this one first, others now or once they are reached."""

    id: str
    label: str
    answers: tuple[str, ...]
    offered_when: str | None = None


@dataclass(frozen=True)
class Question:
    """A question of a flow. `text`: whether a typed answer is allowed: "no", "optional" or "required".

    `quoted`: the label is in the source's own words; `short`: the question in a few words, for lists. `may_be_left_out`: a
    detail, asked only of people who want to add some. `follows_outcome`: ask it again when a change may alter the outcome.
    `together`: the buttons of its card, where they answer more than this question; `asks`: what the card then says.
    `example`: one line of help under the question. `unsure`: what to ask, and whom, if the person is not sure.
    """

    id: str
    kind: Kind
    label: str
    short: str
    quoted: bool
    why: str
    cites: tuple[str, ...]
    options: tuple[Option, ...]
    text: str = "no"
    edges: tuple[Edge, ...] = ()
    may_be_left_out: bool = False
    follows_outcome: bool = False
    together: tuple[Together, ...] = ()
    asks: str = ""
    example: str = ""
    unsure: str = ""

    def option(self, option_id: str) -> Option | None:
        """Return the option with this id, if the question has it."""
        return next((option for option in self.options if option.id == option_id), None)


@dataclass(frozen=True)
class Outcome:
    """A recommended outcome. `then` is the first question about the record, "check" or "ended"; without it, the walk ends."""

    id: str
    title: str
    body: str
    cites: tuple[str, ...]
    duties: tuple[DutyUse, ...]
    then: str | None
    agrees_with: tuple[str, ...] = ()
    implies: str | None = None


@dataclass(frozen=True)
class Flow:
    """One flowchart of an edition. `entries` are the reasons for coming; every walk begins at `start`."""

    id: str
    title: str
    note: str
    start: str
    entries: tuple[str, ...]
    questions: Mapping[str, Question]
    outcomes: Mapping[str, Outcome]
    #: The words for each predicate in the drawing.
    conditions: Mapping[str, str]
    roles: Roles


@dataclass(frozen=True)
class AnswerCard:
    """What people ask, answered in one or two reviewed sentences of ours that rest on the cited passages.

    `asked`: the question in an asker's words; `label`: the same on a small button. `more`: further passages on it.
    `question`: the question of a flow that it is about. `then`: the cards to offer next.
    """

    id: str
    asked: str
    label: str
    answer: str
    conditions: tuple[str, ...]
    cites: tuple[str, ...]
    more: tuple[str, ...]
    question: str | None
    then: tuple[str, ...]


@dataclass(frozen=True)
class Edition:
    """One dated body of guidance: metadata, passages, duties, flows."""

    id: str
    title: str
    published: str
    publisher: str
    licence: str
    jurisdiction: str
    status: Status
    replaced_by: str
    banner: str
    law_note: str
    not_verified: tuple[str, ...]
    passages: Mapping[str, Passage]
    duties: Mapping[str, Duty]
    flows: Mapping[str, Flow]
    cards: Mapping[str, AnswerCard]
    roles: Roles
    sha256: str
    folder: Path

    @cached_property
    def _card_of(self) -> Mapping[str, AnswerCard]:
        # In reverse, so that the first card that names a passage wins.
        cards = reversed(list(self.cards.values()))
        return {passage: card for card in cards for passage in (*card.cites, *card.more)}

    def card_of(self, passage_id: str) -> AnswerCard:
        """Return the answer card for a passage: the first one that names it."""
        return self._card_of[passage_id]
