"""The shape of each file of an edition, as pydantic models: unknown keys are errors, and values are never converted.

Only structure is checked here. What the ids refer to is checked in validation.py, once all files are read.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, RootModel

from flows.definition import Kind, Status, Strength
from flows.roles import Look, Start, Step


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _one_line(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return " ".join(text.split())


def _as_list(raw: Any) -> Any:
    """Accept one value where a list is expected, and a list where a tuple is."""
    return tuple(raw) if isinstance(raw, list) else () if raw is None else (raw,)


def _as_tuple(raw: Any) -> Any:
    return tuple(raw) if isinstance(raw, list) else () if raw is None else raw


def _as_mapping(raw: Any) -> Any:
    return {} if raw is None else raw


def _edge(raw: Any) -> Any:
    return {"go": raw} if isinstance(raw, str) else raw


def _duty_use(raw: Any) -> Any:
    return {"duty": raw} if isinstance(raw, str) else raw


#: Text on one line, however the file wraps it.
Words = Annotated[str, AfterValidator(_one_line)]
Ids = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
Named = Annotated[dict[str, str], BeforeValidator(_as_mapping)]


# ---- edition.yaml, passages.yaml, roles.yaml ------------------------------------------------------
class EditionFile(_Shape):
    """edition.yaml: what the edition is."""

    id: Words
    title: Words
    published: Words
    publisher: Words
    licence: Words
    jurisdiction: Words
    status: Annotated[Status, Field(strict=False)]
    replaced_by: Words
    banner: Words
    law_note: Words
    not_verified: Ids = ()


class PassageShape(_Shape):
    """Where a passage is in the source, and how strongly the source puts it."""

    section: Words
    where: Words
    strength: Annotated[Strength, Field(strict=False)]


class PassagesFile(RootModel[dict[str, PassageShape]]):
    """passages.yaml: passage id -> its place."""


class StartShape(_Shape):
    """The flow and the entry that a command begins."""

    flow: Words
    entry: Words | None = None
    answers: Ids = ()
    bulk: bool = False

    def start(self) -> Start:
        """Return it as a value of flows."""
        return Start(self.flow, self.entry, self.answers, self.bulk)


class StepShape(_Shape):
    """When nothing is left to do of a duty."""

    by_saving: bool = False
    if_sharing: bool = False
    done: Annotated[dict[str, Ids], BeforeValidator(_as_mapping)] = {}
    reach: Literal["police", "care"] | None = None

    def step(self) -> Step:
        """Return it as a value of flows."""
        return Step(self.by_saving, self.if_sharing, self.done, self.reach)


class LookShape(_Shape):
    """Answers that deserve a second look."""

    question: Words
    options: Ids
    beside: Annotated[dict[str, Ids], BeforeValidator(_as_mapping), Field(alias="with")] = {}

    def look(self) -> Look:
        """Return it as a value of flows."""
        return Look(self.question, self.options, self.beside)


class RolesFile(_Shape):
    """roles.yaml: role -> id of the node that fills it."""

    starts: Annotated[dict[str, StartShape], BeforeValidator(_as_mapping)] = {}
    questions: Named = {}
    options: Annotated[dict[str, Named], BeforeValidator(_as_mapping)] = {}
    outcomes: Named = {}
    duties: Named = {}
    passages: Named = {}
    rules: Ids = ()
    steps: Annotated[dict[str, StepShape], BeforeValidator(_as_mapping)] = {}
    look_again: Annotated[tuple[LookShape, ...], BeforeValidator(_as_tuple)] = ()


# ---- answers.yaml ---------------------------------------------------------------------------------
class AnswerShape(_Shape):
    """One answer card, words included."""

    asked: Words
    label: Words
    answer: Words
    conditions: Ids = ()
    cites: Ids
    more: Ids = ()
    question: Words | None = None
    then: Ids = ()


class AnswersFile(RootModel[dict[str, AnswerShape]]):
    """answers.yaml: card id -> the card."""


# ---- flows/*.yaml, parts.yaml ---------------------------------------------------------------------
class EdgeShape(_Shape):
    """A transition. A bare id is one without a condition."""

    go: str
    when: str | None = None


Edges = Annotated[tuple[Annotated[EdgeShape, BeforeValidator(_edge)], ...], BeforeValidator(_as_list)]


class OptionShape(_Shape):
    """One button at a question: where it leads and what follows from it."""

    to: Edges = ()
    offered_when: str | None = None
    duties: Ids = ()
    plain: bool = False


class TogetherShape(_Shape):
    """A button that answers several questions. A bare list is one that is always offered."""

    answers: Ids
    offered_when: str | None = None


def _together(raw: Any) -> Any:
    return {"answers": raw} if isinstance(raw, list) else raw


class QuestionShape(_Shape):
    """A question without its words."""

    kind: Annotated[Kind, Field(strict=False)]
    cites: Ids = ()
    options: Annotated[dict[str, OptionShape], BeforeValidator(_as_mapping)] = {}
    text: Literal["no", "optional", "required"] = "no"
    next: Edges = ()
    may_be_left_out: bool = False
    follows_outcome: bool = False
    together: Annotated[
        dict[str, Annotated[TogetherShape, BeforeValidator(_together)]], BeforeValidator(_as_mapping)
    ] = {}


class DutyUseShape(_Shape):
    """A duty of an outcome. A bare id is a duty without a condition."""

    duty: str
    when: str | None = None


class OutcomeShape(_Shape):
    """An outcome without its words."""

    cites: Ids = ()
    duties: Annotated[tuple[Annotated[DutyUseShape, BeforeValidator(_duty_use)], ...], BeforeValidator(_as_tuple)] = ()
    then: str | None = None
    agrees_with: Ids = ()
    implies: str | None = None


Questions = Annotated[dict[str, QuestionShape], BeforeValidator(_as_mapping)]


class PartsFile(RootModel[dict[str, Questions]]):
    """parts.yaml: part -> questions that several flows share."""


class FlowFile(_Shape):
    """flows/<id>.yaml: one flowchart."""

    id: Words
    start: Words
    entries: Ids = ()
    parts: Ids = ()
    questions: Questions = {}
    outcomes: Annotated[dict[str, OutcomeShape], BeforeValidator(_as_mapping)] = {}


# ---- texts.<language>.yaml ------------------------------------------------------------------------
class PassageWords(_Shape):
    """A passage in our words."""

    title: Words
    text: Words


class DutyWords(_Shape):
    """A duty: its words, their strength and where they come from."""

    text: Words
    strength: Annotated[Strength, Field(strict=False)]
    cites: Ids = ()


class FlowWords(_Shape):
    """The title of a flow, and a note under it."""

    title: Words
    note: str = ""


class QuestionWords(_Shape):
    """The words of a question; `options` and `notes` by option, `together` by button."""

    label: Words
    short: Words
    why: Words
    asks: Words | None = None
    example: Words | None = None
    unsure: Words | None = None
    quoted: bool = False
    options: Annotated[dict[str, Words], BeforeValidator(_as_mapping)] = {}
    notes: Annotated[dict[str, Words], BeforeValidator(_as_mapping)] = {}
    together: Annotated[dict[str, Words], BeforeValidator(_as_mapping)] = {}


class OutcomeWords(_Shape):
    """The words of an outcome."""

    title: Words
    body: Words


class TextsFile(_Shape):
    """texts.<language>.yaml: all words of an edition. `outcomes_in` overrides `outcomes` for one flow."""

    passages: dict[str, PassageWords] = {}
    duties: dict[str, DutyWords] = {}
    flows: dict[str, FlowWords] = {}
    options: dict[str, Words] = {}
    questions: dict[str, QuestionWords] = {}
    outcomes: dict[str, OutcomeWords] = {}
    outcomes_in: dict[str, dict[str, OutcomeWords]] = {}
    conditions: dict[str, Words] = {}
