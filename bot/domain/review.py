"""Rules of review: how early a record is looked at, what may be done in which state, whom a dip sample draws."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from enum import IntEnum, StrEnum
from typing import Any, TypeVar

Row = TypeVar("Row")

#: The most characters of a comment.
LONGEST_COMMENT = 500
#: How many records a month's dip sample has, and for how many days a sampled record is not drawn again.
SAMPLE, SAMPLED_DAYS = 5, 365
#: In how many days a follow-up is offered.
FOLLOW_UP_DAYS = (7, 28)


class Rank(IntEnum):
    """Why a record comes early in the queue, most urgent first. The numbers are stored."""

    EMERGENCY = 0
    HARM_NOT_SHARED = 1
    NOT_SURE = 2
    NO_REASON = 3
    NONE = 4


class State(StrEnum):
    """Where a review stands. The values are stored."""

    NEW = "new"
    REQUESTED = "requested"
    RETURNED = "returned"
    SIGNED_OFF = "signed_off"
    CLOSED = "closed"


#: States in which a record waits for a supervisor.
WAITING = (State.NEW, State.REQUESTED)
EVERY_STATE = tuple(State)
#: States in which a follow-up is still due.
OPEN = tuple(state for state in State if state is not State.CLOSED)

#: Act -> the states in which it may be done, and the state it leads to (None: the state stays).
ACTS: Mapping[str, tuple[tuple[State, ...], State | None]] = {
    "request": ((State.NEW, State.RETURNED), State.REQUESTED),
    "sign_off": ((State.NEW, State.REQUESTED, State.RETURNED), State.SIGNED_OFF),
    "return": ((State.NEW, State.REQUESTED), State.RETURNED),
    "close": ((State.SIGNED_OFF,), State.CLOSED),
    "reopen": ((State.SIGNED_OFF, State.CLOSED), State.NEW),
    "comment": (EVERY_STATE, None),
    "grade": (EVERY_STATE, None),
    "follow_up": (OPEN, None),
    "sampled": (EVERY_STATE, None),
    "exported": (EVERY_STATE, None),
}
#: Acts that need a reason first, and acts that a button does at once.
NEEDS_WORDS = ("return", "comment", "reopen")
BY_BUTTON = ("sign_off", "close", "grade", "follow_up")


class NotNow(Exception):
    """The state of the review does not allow this act."""


def may_do(state: str, act: str) -> bool:
    """Say whether an act is possible in a state."""
    return state in ACTS[act][0]


def state_after(state: str, act: str) -> State:
    """Return the state that an act leads to; raise NotNow if the state does not allow it."""
    allowed, leads_to = ACTS[act]
    if state not in allowed:
        raise NotNow(f"This record is {state.replace('_', ' ')}.")
    return leads_to or State(state)


def rank_of(clear: Mapping[str, Any], content: Mapping[str, Any]) -> Rank:
    """Return how early to look at a record: emergency; harm and not shared; not sure; no reason where one is due."""
    if clear["outcome"] == "emergency":
        return Rank.EMERGENCY
    if clear["harm"] and (clear["otherwise"] or clear["decision"] not in ("share", "share_part")):
        return Rank.HARM_NOT_SHARED
    if clear["decision"] == "pending_advice" or clear["outcome"] == "seek_advice":
        return Rank.NOT_SURE
    if not content.get("reasons"):
        return Rank.NO_REASON
    return Rank.NONE


def spread(rows: Iterable[Row], person: Callable[[Row], Hashable], count: int) -> list[Row]:
    """Draw rows in their order, one of each person before a second of anybody."""
    turns: dict[Hashable, int] = defaultdict(int)
    drawn: list[tuple[int, Row]] = []
    for row in rows:
        drawn.append((turns[person(row)], row))
        turns[person(row)] += 1
    drawn.sort(key=lambda pair: pair[0])
    return [row for _, row in drawn[:count]]
