"""Review rules: how urgent a record is, which actions each state allows, and how a dip sample is drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from enum import IntEnum, StrEnum
from typing import Any, TypeVar

Row = TypeVar("Row")

#: Maximum length of a comment, in characters.
LONGEST_COMMENT = 500
#: Records in a month's dip sample, and days before a sampled record can be drawn again.
SAMPLE, SAMPLED_DAYS = 5, 365
#: The follow-up dates on offer, in days from now.
FOLLOW_UP_DAYS = (7, 28)


class Rank(IntEnum):
    """Why a record needs review, most urgent first; the queue is sorted by it. The numbers are stored."""

    EMERGENCY = 0
    HARM_NOT_SHARED = 1
    NOT_SURE = 2
    NO_REASON = 3
    NONE = 4


class State(StrEnum):
    """The state of a review. The values are stored."""

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

#: Action -> the states that allow it, and the state it leads to (None: no change).
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
#: Actions that need a reason first, and actions that a button carries out at once.
NEEDS_WORDS = ("return", "comment", "reopen")
BY_BUTTON = ("sign_off", "close", "grade", "follow_up")


class NotNow(Exception):
    """The state of the review does not allow this action."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


def may_do(state: str, act: str) -> bool:
    """Return whether a state allows an action."""
    return state in ACTS[act][0]


def state_after(state: str, act: str) -> State:
    """Return the state after an action; raise NotNow if the current state does not allow it."""
    allowed, leads_to = ACTS[act]
    if state not in allowed:
        raise NotNow(state)
    return leads_to or State(state)


def rank_of(clear: Mapping[str, Any], content: Mapping[str, Any]) -> Rank:
    """Return the first rank that applies: emergency; harm, and not shared or decided otherwise; unsure; no reasons."""
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
    """Return the first `count` rows in their order, but one from each person before a second from anybody."""
    turns: dict[Hashable, int] = defaultdict(int)
    drawn: list[tuple[int, Row]] = []
    for row in rows:
        drawn.append((turns[person(row)], row))
        turns[person(row)] += 1
    drawn.sort(key=lambda pair: pair[0])
    return [row for _, row in drawn[:count]]
