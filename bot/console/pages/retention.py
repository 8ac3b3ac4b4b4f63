"""Retention: how long records are kept, which are due to be erased or looked at again, and which are on hold."""

from __future__ import annotations

from starlette.responses import Response

from bot.console.forms import not_accepted, words_of
from bot.console.pages.queue import PAGE
from bot.console.refusals import ABSENT, BadForm
from bot.console.visit import Visit
from bot.messages import review_cards
from bot.usecases import retention, reviews


def retention_page(visit: Visit, said: str = "") -> Response:
    """Show how long records are kept, and which of the team's are due (to be erased or looked at again) or on hold."""
    visit.must("read_retention")
    unit, team = visit.unit, visit.member.team
    held = retention.held_in_team(unit, team)
    return visit.page(
        "retention.html", said=said, classes=review_cards.classes(), rules=retention.rules(unit),
        due=retention.due_in_team(unit, visit.context.now(), team, PAGE), held=held,
        who_held={row.record_id: reviews.reader_of(unit, row.actor, visit.member.id) for row in held},
        opens=visit.may("review_record"),
    )  # fmt: skip


def hold_or_release(visit: Visit) -> Response:
    """Put a record on hold, with a reason, so that it is not erased; or release it."""
    actor, what = visit.as_actor(), visit.request.path_params["what"]
    review = retention.reachable(visit.unit, actor, visit.form.get("reference", ""))
    if review is None:
        return retention_page(visit, "There is no such record for you. Nothing was changed.")
    if what == "release":
        was = retention.release_one(visit.unit, visit.context, actor, review.record_id)
        return retention_page(visit, f"{review.reference} is released." if was else "It was not on hold.")
    if what != "hold":
        raise ABSENT
    try:
        words = words_of(visit)
    except BadForm as error:
        return not_accepted(visit, error, retention_page)
    retention.hold_one(visit.unit, visit.context, actor, review.record_id, words)
    return retention_page(visit, f"{review.reference} is on hold. It will not be erased.")
