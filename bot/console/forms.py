"""Words typed into forms: pass them on once screened, or show them again so that nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.console.refusals import BadForm, NoPage
from bot.console.visit import Visit, surroundings
from bot.domain.review import LONGEST_COMMENT
from bot.messages import refusals, review_cards
from flows.screening import PERSON, NotScreened, Screened


def not_accepted(visit: Visit, error: BadForm, page: Callable[[Visit, str], Response]) -> Response:
    """Say why a form was not accepted. If its words were refused, show them again to be edited and resent."""
    if error.words:
        return again(visit.pages, surroundings(visit.context, visit), visit.request, visit.form, error)
    return page(visit, str(error))


def again(
    pages: Environment, around: dict[str, Any], request: Request, form: dict[str, str], error: NoPage | BadForm
) -> Response:
    """Show refused words again, in a form that still carries the other fields."""
    others = [(name, value) for name, value in form.items() if name not in ("words", "form_token", "not_a_person")]
    body = pages.get_template("again.html").render(
        **{"form_token": "", **around}, action=request.url.path, others=others, words=form.get("words", ""),
        heading=error.heading if isinstance(error, NoPage) else "Not sent yet",
        said=error.words if isinstance(error, NoPage) else str(error),
        may_be_no_name=isinstance(error, BadForm) and error.may_be_no_name,
        back=request.url.path.rpartition("/")[0] if isinstance(error, BadForm) else "",
    )  # fmt: skip
    return HTMLResponse(body, error.status if isinstance(error, NoPage) else 200)


def words_of(visit: Visit, longest: int = LONGEST_COMMENT) -> Screened:
    """Return the screened words of a form; raise BadForm if there are none or they were refused."""
    if visit.typed is None or not visit.typed.text:
        raise BadForm("Write something first. Nothing was saved.")
    override = (PERSON,) if visit.form.get("not_a_person") == "yes" else ()
    try:
        return visit.typed.screened(longest=longest, override=override)
    except NotScreened as error:
        raise BadForm(refusals.refusal(error), words=True, may_be_no_name=refusals.is_name_only(error)) from None


def given(visit: Visit, needs: str) -> tuple[Screened | None, str | None]:
    """Return the words or the value that an action needs; raise BadForm if they are missing or invalid."""
    value = visit.form.get("value", "")
    if needs == "words":
        return words_of(visit), None
    if needs == "grade" and value not in review_cards.grades():
        raise BadForm("Choose a grade from the list. Nothing was saved.")
    if needs == "day" and not _is_day(value):
        raise BadForm("Give a day, for example 2026-11-30. Nothing was saved.")
    return None, value or None


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
