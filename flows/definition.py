"""The guidance as frozen values: what an edition says, and the flows drawn from it.

Nothing here decides anything. Routing is executed in machine.py, checked in validation.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from flows.roles import Roles


class Status(StrEnum):
    """Whether an edition applies today."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    DRAFT = "draft"


class Strength(StrEnum):
    """How strongly the advice says something. Texts for people never mix these up."""

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


#: The kinds that the chart draws: everything else is asked beside it.
ON_THE_CHART = (Kind.SCREEN, Kind.QUESTION)

NOT_SURE = "not_sure"


class InvalidEdition(Exception):
    """The author's files are wrong; `problems` lists all that was found, each with file and id."""

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
    """One way on: the state it leads to, and the named predicate that must hold."""

    to: str
    when: str | None = None


@dataclass(frozen=True)
class Duty:
    """Something that goes with an ending, for example recording the decision."""

    id: str
    text: str
    strength: Strength
    cites: tuple[str, ...]


@dataclass(frozen=True)
class DutyUse:
    """A duty attached to an outcome, and the predicate that must hold for it."""

    duty: str
    when: str | None = None


@dataclass(frozen=True)
class Option:
    """One button at a question."""

    id: str
    label: str
    edges: tuple[Edge, ...]
    offered_when: str | None = None
    duties: tuple[str, ...] = ()
    note: str = ""
    plain: bool = False


@dataclass(frozen=True)
class Question:
    """One thing asked. `text` is "no", "optional" or "required"; `quoted` says the label is the source's own.

    `may_finish`: the rest may be left out from here. `follows_outcome`: asked again when a change may alter the outcome.
    """

    id: str
    kind: Kind
    label: str
    quoted: bool
    why: str
    cites: tuple[str, ...]
    options: tuple[Option, ...]
    text: str = "no"
    edges: tuple[Edge, ...] = ()
    may_finish: bool = False
    follows_outcome: bool = False

    def option(self, option_id: str) -> Option | None:
        """Return the option with this id, if the question has it."""
        return next((option for option in self.options if option.id == option_id), None)


@dataclass(frozen=True)
class Outcome:
    """What the guidance points to. `then` is where recording starts; without it the walk has ended."""

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
    """One flowchart of an edition. `entries` are what one can come for; every walk begins at `start`."""

    id: str
    title: str
    note: str
    start: str
    entries: tuple[str, ...]
    questions: Mapping[str, Question]
    outcomes: Mapping[str, Outcome]
    #: How the drawing words a condition, by predicate.
    conditions: Mapping[str, str]
    roles: Roles


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
    roles: Roles
    sha256: str
    folder: Path
