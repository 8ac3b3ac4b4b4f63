"""Statistics: counts of a team's records, never anything that somebody typed."""

from __future__ import annotations

from statistics import median
from typing import Any

from starlette.responses import Response

from bot.console.refusals import ABSENT
from bot.console.visit import Visit
from bot.domain.review import Rank
from bot.messages import opinion_cards, review_cards
from bot.usecases import statistics as counting
from flows import chart


def statistics(visit: Visit) -> Response:
    """Show counts of a team's records, never anything that somebody typed."""
    visit.must("read_statistics")
    found = counting.of_team(visit.unit, visit.context, visit.member.team)
    took = median(found.minutes) if found.minutes else 0

    def worded(name: str, words: dict[Any, str] | None = None) -> list[tuple[str, int]]:
        return [((words or {}).get(key, key.replace("_", " ")), count) for key, count in found.tallies[name]]

    # The flow that most people use comes first.
    first = visit.context.book.edition.roles.starts["share"].flow
    risks = {str(rank.value): review_cards.risk(rank) for rank in Rank}
    asked = [
        (f"{group.first.subject.replace('_', ' ')} ({group.first.kind.replace('_', ' ')})", group.times)
        for group in found.unanswered
    ]

    def at_questions(counted: counting.AtQuestions) -> list[tuple[str, int]]:
        return [(_label(visit, *at), count) for at, count in counted.most_common()]

    tables = (
        ("Recommended outcome", worded("outcome")), ("Decision", worded("decision")),
        ("Grounds without consent", worded("ground")), ("Consent", worded("consent")),
        ("Review status", worded("state", review_cards.states())), ("Reason for review", worded("rank", risks)),
        ("Where people were not sure", at_questions(found.unsure)),
        ("Where people stopped without a record", at_questions(found.stopped)),
        ("Records a month", worded("month")), ("Questions that got no help, by topic", asked),
    )  # fmt: skip
    return visit.page(
        "statistics.html", tables=tables, total=sum(count for _, count in found.tallies["outcome"]),
        took=opinion_cards.duration(max(1, round(took))),
        asked=found.with_advice,
        flows=sorted(visit.context.book.machines.values(), key=lambda machine: machine.flow.id != first),
    )  # fmt: skip


def _label(visit: Visit, flow: str, state: str) -> str:
    machine = visit.context.book.machines.get(flow)
    question = machine.flow.questions.get(state) if machine else None
    return question.label if question else state.replace("_", " ")


def hard_questions_drawn(visit: Visit) -> Response:
    """Draw a flowchart that shows at each question how often people were not sure and how often they stopped."""
    visit.must("read_statistics")
    machine = visit.context.book.machines.get(visit.request.path_params["flow"])
    if machine is None:
        raise ABSENT
    unsure, stopped = counting.hard_questions(visit.unit, visit.context, visit.member.team)
    flow = machine.flow.id
    notes = {
        question.id: f"Not sure: {unsure[flow, question.id]}. Stopped here: {stopped[flow, question.id]}."
        for question in chart.spine(machine)
        if unsure[flow, question.id] or stopped[flow, question.id]
    }
    return Response(chart.svg(machine, notes=notes), media_type="image/svg+xml")
