"""The content of a decision record, which must make sense on its own years later. docs/record.md lists the fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bot.domain.access import HasRole
from flows.definition import Edition
from flows.invariants import present
from flows.machine import EMERGENCY_NOW, PAUSED
from flows.navigation import Answer, Position

#: Increment when a field of `exported` changes meaning or is removed. The schema is docs/record.schema.json.
FORMAT = 1
#: The event of looking up whom to call.
LOOKED_UP = "!local"


class Record(Protocol):
    """A stored record: its unencrypted columns, its decrypted content and its amendments."""

    @property
    def clear(self) -> dict[str, Any]:
        """The unencrypted columns, which lists filter by."""

    @property
    def content(self) -> dict[str, Any]:
        """The sealed part, decrypted."""

    @property
    def amendments(self) -> Sequence[Mapping[str, Any]]:
        """Notes and advice added later, oldest first."""


def exported(stored: Record) -> dict[str, Any]:
    """Return a record in its export format, which docs/record.schema.json describes."""
    return {"format": FORMAT, **stored.clear, "content": stored.content, "amendments": list(stored.amendments)}


def clear_columns(position: Position, edition: Edition, member: HasRole, version: str) -> dict[str, Any]:
    """Return the coded columns that lists filter by.

    A column holds the role that the edition gives to a node or option, or its id if it has no role.
    """
    taken, roles = position.taken, edition.roles
    outcome = present(position.outcome, "a finished walk has one")
    return {
        "member_id": member.id,
        "role": member.role,
        "team": member.team,
        "edition_id": edition.id,
        "edition_sha256": edition.sha256,
        "bot_version": version,
        "flow": position.flow.id,
        "outcome": roles.outcome_role(outcome.id),
        "decision": taken.chosen("decision") or (outcome.implies and roles.option_role("decision", outcome.implies)),
        "otherwise": taken.asked("otherwise_reason"),
        "harm": taken.chose("harm", "yes"),
        "ground": OTHER_GROUND.get(taken.chosen("vital_whose") or "", taken.chosen("ground")),
        "consent": taken.chosen("consent_kind") or taken.chosen("consent"),
    }


def content(
    position: Position, edition: Edition, history: list[dict[str, Any]], advice_sought: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Return the part of a record to seal: questions as shown, answers, recommended outcome, decision and advice."""
    outcome = present(position.outcome, "a finished walk has one")

    def said(role: str) -> str | None:
        return answer_label(position, edition.roles.question(role))

    return {
        "edition": {
            "title": edition.title,
            "published": edition.published,
            "jurisdiction": edition.jurisdiction,
            "status": edition.status,
        },
        "flow": position.flow.title,
        "questions": [_shown(position, state, answer) for state, answer in position.live if _is_asked(position, state)],
        "history": history,
        "path": list(position.path),
        "unsure_at": list(position.walk.unsure),
        "outcome": {"id": outcome.id, "title": outcome.title, "text": outcome.body, "cites": list(outcome.cites)},
        "duties": [
            {"id": key, "text": edition.duties[key].text, "strength": edition.duties[key].strength}
            for key in position.duties
        ],
        "passages": list(position.cites(edition.duties)),
        "decision": said("decision"),
        "decided_otherwise_because": said("otherwise_reason"),
        # Whoever decides otherwise gives the reasons there.
        "reasons": said("reasons") or said("otherwise_reason"),
        "case_reference": said("case_reference"),
        "trigger": {
            "initiative": said("initiative"),
            "channel": said("request_channel"),
            "received": said("request_when"),
        },
        "requester": {
            "who": said("requester"),
            "checked": said("requester_checked"),
            "asked_for": said("requested_what"),
        },
        "purpose": said("purpose_kind"),
        "procedures_contacted": said("procedures_contacted"),
        "consent": {
            "have": said("consent"),
            "kind": said("consent_kind"),
            "not_sought_because": said("not_sought_why"),
        },
        "ground": {
            "which": _ground(position, edition) or said("ground"),
            "whose_vital_interests": said("vital_whose"),
            "other": said("ground_other"),
        },
        "sensitive": said("sensitive"),
        "necessary": said("necessary"),
        "third_parties": said("third_parties"),
        "shared": {
            "what": said("shared_what"),
            "with": said("shared_with"),
            "when": said("shared_when"),
            "how": said("shared_how"),
            "secure": said("how_secure"),
        },
        "fact_and_opinion_apart": said("how_fact_opinion"),
        "information_dated": said("information_dated"),
        "informed": {"person": said("how_inform"), "views": said("views")},
        "advice_outcome": said("advice_outcome"),
        "advice_sought": list(advice_sought),
        "refusal_discussed": said("requester_told"),
        "decided_by": said("decided_by"),
        "left_out": [position.flow.questions[state].label for state in position.left_out],
        "asked_for_time": [
            {"at": event["at"], "question": position.flow.questions[event["question"]].label, "until": event["due"]}
            for event in history
            if event.get("due") and event["question"] in position.flow.questions
        ],
        "screening": _screening(history),
    }


#: Whoever else is at risk: the ground that fits then.
OTHER_GROUND = {"someone_else_function": "public_function", "someone_else_public_interest": "public_interest"}


def _ground(position: Position, edition: Edition) -> str | None:
    """Return the label of the ground that fits because somebody else is at risk, or None."""
    roles = edition.roles
    role = OTHER_GROUND.get(position.taken.chosen("vital_whose") or "")
    question = position.flow.questions.get(roles.question("ground"))
    option = question.option(roles.option("ground", role)) if role and question else None
    return option.label if option else None


def _screening(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Count refusals by kind, and findings that the person said were not a person's name. Never keep the words."""
    refused: dict[str, int] = {}
    for event in events:
        for kind in event.get("kinds", ()):
            refused[kind] = refused.get(kind, 0) + 1
    return {"refused": refused, "said_not_a_person": sum(event.get("said_not_a_person", 0) for event in events)}


def answer_label(position: Position, state: str) -> str | None:
    """Return the text of the answer to a question on the path taken; None if it was not answered, or skipped."""
    answer = dict(position.live).get(state)
    return None if answer is None else _words(position, state, answer)


def _words(position: Position, state: str, answer: Answer) -> str | None:
    if answer.verb == "skip":
        return None
    if answer.text is not None:
        return answer.text
    question = position.flow.questions.get(state)
    option = question.option(answer.verb) if question else None
    return option.label if option else answer.verb


def _is_asked(position: Position, state: str) -> bool:
    return state.removesuffix(PAUSED) in position.flow.questions or state == EMERGENCY_NOW


def _shown(position: Position, state: str, answer: Answer) -> dict[str, Any]:
    question = position.flow.questions[state.removesuffix(PAUSED)]
    if state.endswith(PAUSED):
        label: str | None = "Left not sure: waiting for advice"
    else:
        label = _words(position, state, answer) or "Skipped"
    return {
        "id": question.id,
        "kind": question.kind,
        "question": question.label,
        "quoted": question.quoted,
        "answer": answer.verb,
        "words": label,
        "at": answer.at,
        "cites": list(question.cites),
    }
