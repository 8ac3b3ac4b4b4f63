"""The queue: records waiting for review, riskiest first. The URL holds the filters, so a list can be bookmarked."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from bot.console.refusals import ABSENT
from bot.console.visit import Visit
from bot.domain.review import EVERY_STATE, WAITING, Rank
from bot.messages import review_cards
from bot.messages.texts import text_of
from bot.usecases import reviews, teams
from bot.usecases.reviews import Wanted

PAGE = 40
FILTERS = ("state", "outcome", "risk", "ground", "person", "since", "until", "case")


def queue(visit: Visit) -> Response:
    """List the records waiting for review. Redirect administrators, who review nothing, to the statistics."""
    if not visit.may("review_record"):
        return RedirectResponse("/statistics", 303)
    asked = visit.request.query_params
    chosen = {name: asked.get(name, "")[:80] for name in (*FILTERS, "after")}
    after = reviews.find_for(visit.unit, visit.as_actor(), chosen["after"]) if chosen["after"] else None
    if chosen["after"] and after is None:
        raise ABSENT
    rows = reviews.queue(visit.unit, visit.as_actor(), wanted_of(chosen), PAGE + 1, after)
    more = rows[PAGE - 1].reference if len(rows) > PAGE and not chosen["case"] else ""
    kept = {name: chosen[name] for name in FILTERS if chosen[name]}
    book = visit.context.book
    roles = book.edition.roles
    flow = book.machine(roles.starts["share"].flow).flow
    count = reviews.waiting(visit.unit, visit.as_actor())
    waits = text_of("console.waits", count=count)
    return visit.page(
        "queue.html", rows=rows[:PAGE], chosen=chosen, next="/?" + urlencode({**kept, "after": more}) if more else "",
        waiting=waits, states=review_cards.states().items(),
        state_words=review_cards.states(), risks=[(rank, review_cards.risk(rank)) for rank in Rank], risk=review_cards.risk,
        outcomes=sorted({roles.outcome_role(o) for machine in book.machines.values() for o in machine.flow.outcomes}),
        grounds=[roles.option_role("ground", option.id) for option in flow.questions[roles.question("ground")].options],
        people=[m for m in teams.people(visit.unit, visit.member.team) if m.id != visit.member.id],
    )  # fmt: skip


def wanted_of(chosen: dict[str, str]) -> Wanted:
    """Return the search that the filters in a URL describe; ignore values that are not valid."""
    state = chosen["state"]
    states = EVERY_STATE if state == "all" else (state,) if state in EVERY_STATE else WAITING

    def number(text: str) -> int | None:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

    return Wanted(
        states, chosen["outcome"], number(chosen["risk"]), chosen["ground"], number(chosen["person"]),
        chosen["since"], chosen["until"], chosen["case"],
    )  # fmt: skip
