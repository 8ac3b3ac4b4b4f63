"""A record: read it, review it, export it for the case file.

The ledger records every time somebody reads it, and the author can see who did.
"""

from __future__ import annotations

from functools import partial

from starlette.responses import JSONResponse, Response

from bot.console.forms import given, not_accepted, words_of
from bot.console.refusals import ABSENT, BadForm
from bot.console.visit import Visit
from bot.documents.pdf import chart_of, pdf
from bot.domain.record import exported
from bot.messages import opinion_cards, record_cards, review_cards
from bot.usecases import reviews
from bot.usecases.reviews import NotNow, ReviewRow, Stored
from flows.catalogue import Book

#: Action, button label, and what the action needs.
ACTS = (
    ("sign_off", "Sign off", ""),
    ("return", "Send back", "words"),
    ("comment", "Comment", "words"),
    ("grade", "Grade", "grade"),
    ("follow_up", "Set follow-up", "day"),
    ("close", "Close", ""),
    ("reopen", "Open again", "words"),
)
#: The formats of an export, with their names.
EXPORTS = {"pdf": "PDF", "json": "JSON"}


def _reach(visit: Visit) -> ReviewRow:
    review = reviews.find_for(visit.unit, visit.as_actor(), visit.request.path_params["reference"])
    if review is None:
        raise ABSENT
    return review


def _book(visit: Visit, stored: Stored) -> Book | None:
    """Return the edition the record was made with, or None if that edition has changed since or is not installed."""
    return visit.context.pinned(stored.clear["edition_id"], stored.clear["edition_sha256"])


def record(visit: Visit, said: str = "") -> Response:
    """Show a whole record, and note in the ledger that this member read it."""
    review = _reach(visit)
    stored = reviews.read(visit.unit, visit.context, visit.as_actor(), review)
    look = reviews.look_at(visit.unit, visit.as_actor(), review)
    notes = [note for note in stored.amendments if note.get("kind") != "advice"]
    advices = [
        *stored.content.get("advice_sought", ()),
        *(note["advice"] for note in stored.amendments if note.get("kind") == "advice"),
    ]
    open_acts = [(what, words, needs) for what, words, needs in ACTS if reviews.is_open(review, what)]
    return visit.page(
        "record.html", clear=stored.clear, content=stored.content, review=review, notes=notes, advices=advices,
        case=reviews.case_of(stored), remarks=record_cards.remarks(stored.content),
        readers=look.readers, done=look.done, acts=open_acts, said=said,
        author=look.author, has_chart=_book(visit, stored) is not None,
        risk=review_cards.risk, state_words=review_cards.states(), done_words=review_cards.said,
        grades=review_cards.grades().items(), ended=opinion_cards.ended_words, view=opinion_cards.view_words,
        reason=partial(opinion_cards.reason_words, private=True),
    )  # fmt: skip


def picture(visit: Visit) -> Response:
    """Return the record's flowchart as SVG, with the path taken highlighted."""
    stored = reviews.opened(visit.unit, _reach(visit))
    drawn = chart_of(stored, _book(visit, stored))
    if not drawn:
        raise ABSENT
    return Response(drawn, media_type="image/svg+xml")


def export(visit: Visit) -> Response:
    """Return a record as PDF or JSON, and add the date, format and destination of the export to the record."""
    review = _reach(visit)
    stored = reviews.opened(visit.unit, review)
    kind = visit.form.get("value", "")
    if kind not in EXPORTS:
        return record(visit, "Choose PDF or JSON. Nothing was exported.")
    try:
        words = words_of(visit)
        reviews.carry_out(visit.unit, visit.context, visit.as_actor(), review, "exported", words, EXPORTS[kind])
    except BadForm as error:
        return not_accepted(visit, error, record)
    name = {"content-disposition": f'attachment; filename="{review.reference}.{kind}"'}
    if kind == "json":
        return JSONResponse(exported(stored), headers=name)
    return Response(pdf(stored, _book(visit, stored)), media_type="application/pdf", headers=name)


def do(visit: Visit) -> Response:
    """Carry out one review action, then show the record again."""
    review = _reach(visit)
    what = visit.request.path_params["what"]
    needs = {name: kind for name, _, kind in ACTS}
    if what not in needs:
        raise ABSENT
    try:
        words, value = given(visit, needs[what])
        reviews.carry_out(visit.unit, visit.context, visit.as_actor(), review, what, words, value)
    except BadForm as error:
        return not_accepted(visit, error, record)
    except NotNow as error:
        return record(visit, review_cards.not_now(error))
    return record(visit, review_cards.said(what))
