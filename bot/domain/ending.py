"""What is left to do once a decision is recorded, read from the record alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.definition import Kind
from flows.roles import Roles

#: Answers that say nothing.
LEFT_OUT = ("skip", "finish")
#: Whom a step is about to reach.
POLICE, CARE = "police", "care"


@dataclass(frozen=True)
class Ending:
    """What the person has to do now.

    `share`: they share and have not said that they have. `open_points`: points on how to share that are not done yet.
    `tell`: they will tell the person. `duties`: the words of each duty that is left, and whom it is about to reach.
    """

    share: bool
    open_points: tuple[str, ...]
    tell: bool
    duties: tuple[tuple[str, str | None], ...]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return not (self.share or self.open_points or self.tell or self.duties)


def ending_of(clear: Mapping[str, Any], content: Mapping[str, Any], roles: Roles) -> Ending:
    """Return what is left to do after a record. `roles`: of its edition, or of one that took its place."""
    answers = {shown["id"]: shown["answer"] for shown in content["questions"] if shown["answer"] not in LEFT_OUT}

    def chosen(role: str) -> str:
        return roles.option_role(role, answers.get(roles.question(role), ""))

    shares = clear["decision"] in ("share", "share_part")
    not_yet = [
        shown["question"]
        for shown in content["questions"]
        if shown["kind"] == Kind.HOW and roles.option_role(shown["id"], shown["answer"]) == "not_yet"
    ]
    return Ending(
        share=shares and chosen("shared_when") != "already",
        open_points=tuple(not_yet) if shares else (),
        tell=shares and chosen("how_inform") == "will_inform",
        duties=_left(content, roles, answers, shares),
    )


def _left(
    content: Mapping[str, Any], roles: Roles, answers: Mapping[str, str], shares: bool
) -> tuple[tuple[str, str | None], ...]:
    """Return the duties of a record that no answer says are done, those that are about to reach somebody first."""
    left = []
    for duty in content["duties"]:
        step = roles.steps.get(duty["id"])
        is_done = step is not None and (
            step.by_saving
            or (step.if_sharing and not shares)
            or any(key in answers and (not options or answers[key] in options) for key, options in step.done.items())
        )
        if not is_done:
            left.append((str(duty["text"]), step.reach if step else None))
    return tuple(sorted(left, key=lambda one: one[1] is None))
