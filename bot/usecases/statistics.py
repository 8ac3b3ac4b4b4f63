"""Counts of a team's records and of unfinished walks. They contain nothing that anyone typed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from bot.usecases import unanswered
from bot.usecases.context import Context
from flows import navigation
from storage import conversations, opinions, records, reviews
from storage.core.clock import seconds_between
from storage.core.unit import Unit

#: How many records and unfinished walks are decrypted for the counts.
NEWEST = 500

#: (flow, question) -> how often.
AtQuestions = Counter[tuple[str, str]]


@dataclass(frozen=True)
class Statistics:
    """A team's counts. `tallies`: by column; `minutes`: from start to record; `with_advice`: records that had any."""

    tallies: dict[str, list[tuple[str, int]]]
    minutes: list[float]
    unanswered: list[unanswered.Group]
    unsure: AtQuestions
    stopped: AtQuestions
    with_advice: int


def of_team(unit: Unit, context: Context, team: str) -> Statistics:
    """Return a team's counts."""
    unsure, stopped = hard_questions(unit, context, team)
    return Statistics(
        reviews.tallies(unit, team), [_minutes(*pair) for pair in reviews.durations(unit, team)],
        unanswered.groups(unit, context, team), unsure, stopped, opinions.records_with_advice(unit, team),
    )  # fmt: skip


def hard_questions(unit: Unit, context: Context, team: str) -> tuple[AtQuestions, AtQuestions]:
    """Count where a team was not sure and where it stopped without a record, in the newest 500 of each."""
    unsure: AtQuestions = Counter()
    for stored in records.newest_of_team(unit, team, NEWEST):
        unsure.update((stored.clear["flow"], state) for state in stored.content["unsure_at"])
    stopped: AtQuestions = Counter()
    for row in conversations.left_by_team(unit, team, NEWEST):
        book = context.pinned(row.edition_id, row.edition_sha256)
        if book and row.flow in book.machines:
            position = navigation.replay(book.machine(row.flow), navigation.from_dict(row.walk))
            stopped[row.flow, position.state.split(".")[0]] += 1
    return unsure, stopped


def _minutes(start: str, end: str) -> float:
    return seconds_between(start, end) / 60
