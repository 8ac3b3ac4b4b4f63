"""The review console: server-rendered pages that work without JavaScript. Every page and act goes through the access table.

Two ways in (a one-time link from the bot, or as a Mini App), a session of its own, the role read from the store on every
request. One transaction a request. Nothing comes from elsewhere, and no other site can send a form here.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from statistics import median
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.composition.logs import where_of
from bot.console import health
from bot.console.mini_app import Opened, opened_by
from bot.documents import spreadsheets
from bot.documents.pdf import pdf
from bot.domain import access
from bot.domain.access import Resource
from bot.domain.record import exported
from bot.messages import cards, opinion_cards, review_cards
from bot.usecases import reviews as review_acts
from bot.usecases import typed_text
from bot.usecases.context import Actor, Context, say, whole
from bot.usecases.typed_text import Typed
from flows import chart
from flows.screening import PERSON, NotScreened, Screened
from storage import exports, members, opinions, questions, records, retention, reviews, teams, web_sessions
from storage.core import ledger
from storage.core.clock import later
from storage.core.faults import StorageUnavailable
from storage.core.store import Store
from storage.core.unit import Unit
from storage.members import MemberRow
from storage.reviews import NotNow, ReviewRow, Wanted

log = logging.getLogger("sharewise.console")

IDLE_MINUTES, TOTAL_MINUTES = 30, 8 * 60
PAGE = 40
MOST_BODY = 64 * 1024
HEADERS = {
    b"content-security-policy": b"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    b"frame-ancestors 'none'; base-uri 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
    b"x-frame-options": b"DENY",
}
#: The one page with a script, our own: it sends on who opened the Mini App.
WITH_SCRIPT = HEADERS[b"content-security-policy"].decode() + "; script-src 'self'"
#: (act, words, what it needs)
ACTS = (
    ("sign_off", "Sign off", ""),
    ("return", "Send back", "words"),
    ("comment", "Comment", "words"),
    ("grade", "Grade", "grade"),
    ("follow_up", "Set follow-up", "day"),
    ("close", "Close", ""),
    ("reopen", "Open again", "words"),
)


class Refused(Exception):
    """A page that is not given, with the words that are shown instead."""

    def __init__(self, status: int, heading: str, words: str) -> None:
        super().__init__(heading)
        self.status, self.heading, self.words = status, heading, words


ABSENT = Refused(404, "Not found", "There is no such page for you.")
SIGNED_OUT = Refused(
    401, "You are not signed in", "Send /console to the bot. It gives you a link that works once. A session ends after "
    f"{IDLE_MINUTES} minutes without use, and when your role changes.",
)  # fmt: skip


SIGNED_OUT_WORDS = Refused(
    401, "You are not signed in", "Nothing was saved yet. Your words are below. Send /console to the bot, sign in with its link in "
    "another tab, then press Send here.",
)  # fmt: skip
OUT_OF_DATE = Refused(403, "That form is out of date", "Go back, load the page again and try once more.")
OUT_OF_DATE_WORDS = Refused(403, "That form is out of date", "Nothing was saved yet. Your words are below. Press Send.")

NOT_NOW = Refused(503, "Not now", "The database cannot be used just now. Nothing was lost. Try again.")
OUR_FAULT = Refused(
    500, "Something went wrong", "It is our fault. Nothing was changed. Please tell your administrator."
)


@dataclass(frozen=True)
class Visit:
    """One request of a signed-in member, in its transaction."""

    unit: Unit
    context: Context
    member: MemberRow
    token: str
    request: Request
    form: dict[str, str]
    pages: Environment
    #: What was typed into the form, as the gate read it.
    typed: Typed | None = None

    def page(self, name: str, **values: Any) -> Response:
        """Return a page for this member."""
        return HTMLResponse(self.pages.get_template(name).render(**surroundings(self.context, self), **values))

    def as_actor(self) -> Actor:
        """Return this member as the use cases know people."""
        return Actor(self.member.telegram_id, self.member.telegram_id, 0, self.member)

    def must(self, action: str, resource: Resource | None = None) -> None:
        """Raise Refused unless this member may do this."""
        if not access.may(self.member, action, resource):
            raise ABSENT


Page = Callable[[Visit], Response]


def surroundings(context: Context, visit: Visit | None) -> dict[str, Any]:
    """Return what every page shows around its own content."""
    found: dict[str, Any] = {"banner": context.book.edition.banner, "who": visit.member if visit else None}
    if visit:
        found["form_token"] = web_sessions.form_token(visit.token)
        found["here"] = visit.request.url.path
        found["pages"] = [
            (address, words) for address, words, action in MENU if access.may(visit.member, action)
        ]  # fmt: skip
    return found


# ---- pages ----------------------------------------------------------------------------------------
def queue(visit: Visit) -> Response:
    """List records, riskiest first; filters are in the address, so that a list can be kept."""
    visit.must("review_record")
    asked = visit.request.query_params
    chosen = {name: asked.get(name, "")[:80] for name in (*FILTERS, "after")}
    after = _reach(visit, chosen["after"]) if chosen["after"] else None
    rows = reviews.queue(visit.unit, visit.member.team, visit.member.id, _wanted(chosen), PAGE + 1, after)
    more = rows[PAGE - 1].reference if len(rows) > PAGE and not chosen["case"] else ""
    kept = {name: chosen[name] for name in FILTERS if chosen[name]}
    flow = visit.context.book.machine("sharing").flow
    count = reviews.waiting(visit.unit, visit.member.team, not_of=visit.member.id)
    waits = "1 record of other people waits" if count == 1 else f"{count} records of other people wait"
    return visit.page(
        "queue.html", rows=rows[:PAGE], chosen=chosen, next="/?" + urlencode({**kept, "after": more}) if more else "",
        waiting=waits, states=review_cards.STATES.items(),
        state_words=review_cards.STATES, risks=review_cards.RISKS.items(), risk_words=review_cards.RISKS,
        outcomes=sorted({o for machine in visit.context.book.machines.values() for o in machine.flow.outcomes}),
        grounds=[option.id for option in flow.questions["ground"].options],
        people=[m for m in members.of_team(visit.unit, visit.member.team) if m.id != visit.member.id],
    )  # fmt: skip


FILTERS = ("state", "outcome", "risk", "ground", "person", "since", "until", "case")


def _wanted(chosen: dict[str, str]) -> Wanted:
    state = chosen["state"]
    states = reviews.STATES if state == "all" else (state,) if state in reviews.STATES else reviews.WAITING

    def number(text: str) -> int | None:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

    return Wanted(
        states, chosen["outcome"], number(chosen["risk"]), chosen["ground"], number(chosen["person"]),
        chosen["since"], chosen["until"], chosen["case"],
    )  # fmt: skip


def _reach(visit: Visit, reference: str) -> ReviewRow:
    review = reviews.find(visit.unit, reference.strip().upper())
    if review is None:
        raise ABSENT
    visit.must("review_record", Resource(review.member_id, review.team))
    return review


def record(visit: Visit, said: str = "") -> Response:
    """Show a whole record. The reading goes into the ledger; the author can see it."""
    review = _reach(visit, visit.request.path_params["reference"])
    unit, record_id = visit.unit, review.record_id
    stored = records.get(unit, record_id)
    assert stored is not None  # noqa: S101 (a review has a record)
    ledger.append(unit, visit.context.now(), f"member:{visit.member.id}", "record.read", f"record:{record_id}")
    author = members.by_id(unit, review.member_id)
    notes = [note for note in stored.amendments if note.get("kind") != "advice"]
    advices = [
        *stored.content.get("advice_sought", ()),
        *(n["advice"] for n in stored.amendments if n.get("kind") == "advice"),
    ]
    readers = [
        (entry["at"], review_acts.reader_of(unit, entry["actor"], visit.member.id))
        for entry in ledger.about(unit, f"record:{record_id}", "record.read")
    ]
    open_acts = [(what, words, needs) for what, words, needs in ACTS if review.state in reviews.ACTS[what][0]]
    return visit.page(
        "record.html", clear=stored.clear, content=stored.content, review=review, notes=notes, advices=advices,
        readers=readers, done=reviews.done(unit, record_id), acts=open_acts, said=said,
        author=opinion_cards.called(author) if author else "a former member",
        risk_words=review_cards.RISKS, state_words=review_cards.STATES, said_words=review_cards.SAID,
        grades=review_cards.GRADES.items(), ended=opinion_cards.ended_words, view=opinion_cards.view_words,
        reason=partial(opinion_cards.reason_words, private=True),
    )  # fmt: skip


def picture(visit: Visit) -> Response:
    """Return the chart of a record with its way lit."""
    review = _reach(visit, visit.request.path_params["reference"])
    stored = records.get(visit.unit, review.record_id)
    assert stored is not None  # noqa: S101 (a review has a record)
    book = visit.context.pinned(review_edition(stored), stored.clear["edition_sha256"]) or visit.context.book
    path = tuple(stored.content["path"])
    drawn = chart.svg(book.machine(stored.clear["flow"]), path, f"outcome.{stored.clear['outcome']}")
    return Response(drawn, media_type="image/svg+xml")


def review_edition(stored: records.Stored) -> str:
    """Return the edition a record was made with."""
    return str(stored.clear["edition_id"])


def export(visit: Visit) -> Response:
    """Return a record as PDF or JSON, for the case file; when, as what and where to stays on the record."""
    review = _reach(visit, visit.request.path_params["reference"])
    stored = records.get(visit.unit, review.record_id)
    assert stored is not None  # noqa: S101 (a review has a record)
    kind = visit.form.get("value", "")
    if kind not in EXPORTS:
        return record(visit, "Choose PDF or JSON. Nothing was taken out.")
    try:
        words = _words(visit)
        review_acts.carry_out(visit.unit, visit.context, visit.as_actor(), review, "exported", words, EXPORTS[kind])
    except BadForm as error:
        return _not_taken(visit, error, record)
    name = {"content-disposition": f'attachment; filename="{review.reference}.{kind}"'}
    if kind == "json":
        return JSONResponse(exported(stored), headers=name)
    book = visit.context.pinned(review_edition(stored), stored.clear["edition_sha256"]) or visit.context.book
    return Response(pdf(stored, book), media_type="application/pdf", headers=name)


def do(visit: Visit) -> Response:
    """Do one thing in a review, then show the record again."""
    review = _reach(visit, visit.request.path_params["reference"])
    what = visit.request.path_params["what"]
    needs = {name: kind for name, _, kind in ACTS}
    if what not in needs:
        raise ABSENT
    try:
        words, value = _given(visit, needs[what])
        review_acts.carry_out(visit.unit, visit.context, visit.as_actor(), review, what, words, value)
    except BadForm as error:
        return _not_taken(visit, error, record)
    except NotNow as error:
        return record(visit, str(error))
    return record(visit, review_cards.SAID[what])


def _not_taken(visit: Visit, error: BadForm, page: Callable[[Visit, str], Response]) -> Response:
    """Say why a form was not taken: words that were refused are shown again, to be mended and sent."""
    if error.words:
        return again(visit.pages, surroundings(visit.context, visit), visit.request, visit.form, error)
    return page(visit, str(error))


class BadForm(Exception):
    """What was typed into a form does not fit; its words are for the person. `words`: it is the words, so they are shown again."""

    def __init__(self, said: str, *, words: bool = False, may_be_no_name: bool = False) -> None:
        super().__init__(said)
        self.words, self.may_be_no_name = words, may_be_no_name


def again(
    pages: Environment, around: dict[str, Any], request: Request, form: dict[str, str], error: Refused | BadForm
) -> Response:
    """Show words that were not taken in their form again, so that nothing that was typed is lost."""
    others = [(name, value) for name, value in form.items() if name not in ("words", "form_token", "not_a_person")]
    body = pages.get_template("again.html").render(
        **{"form_token": "", **around}, action=request.url.path, others=others, words=form.get("words", ""),
        heading=error.heading if isinstance(error, Refused) else "Not sent yet",
        said=error.words if isinstance(error, Refused) else str(error),
        may_be_no_name=isinstance(error, BadForm) and error.may_be_no_name,
        back=request.url.path.rpartition("/")[0] if isinstance(error, BadForm) else "",
    )  # fmt: skip
    return HTMLResponse(body, error.status if isinstance(error, Refused) else 200)


def _words(visit: Visit, longest: int = review_acts.LONGEST) -> Screened:
    """Return what was typed into a form as it may be kept; raise BadForm."""
    if visit.typed is None or not visit.typed.text:
        raise BadForm("Write something first. Nothing was saved.")
    override = (PERSON,) if visit.form.get("not_a_person") == "yes" else ()
    try:
        return visit.typed.screened(longest=longest, override=override)
    except NotScreened as error:
        raise BadForm(cards.refusal(error), words=True, may_be_no_name=cards.is_name_only(error)) from None


def _given(visit: Visit, needs: str) -> tuple[Any, str | None]:
    value = visit.form.get("value", "")
    if needs == "words":
        return _words(visit), None
    if needs == "grade" and value not in review_cards.GRADES:
        raise BadForm("Choose a grade from the list. Nothing was saved.")
    if needs == "day" and not _is_day(value):
        raise BadForm("Give a day, for example 2026-11-30. Nothing was saved.")
    return None, value or None


def _is_day(text: str) -> bool:
    from datetime import date

    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def statistics(visit: Visit) -> Response:
    """Show counts of a team's records: nothing that anybody typed."""
    visit.must("read_statistics")
    unit, team = visit.unit, visit.member.team
    found, times = reviews.tallies(unit, team), reviews.durations(unit, team)
    took = median(review_acts.minutes_between(*pair) for pair in times) if times else 0

    def worded(name: str, words: dict[Any, str] | None = None) -> list[tuple[str, int]]:
        return [((words or {}).get(key, key.replace("_", " ")), count) for key, count in found[name]]

    risks = {str(key): words for key, words in review_cards.RISKS.items()}
    asked = [
        (f"{c.subject.replace('_', ' ')} ({c.kind.replace('_', ' ')})", c.times) for c in questions.listed(unit, 15)
    ]
    unsure, stopped = review_acts.hard_questions(unit, visit.context, team)

    def at_questions(counted: review_acts.AtQuestions) -> list[tuple[str, int]]:
        return [(_label(visit, *at), count) for at, count in counted.most_common()]

    tables = (
        ("What the guidance pointed to", worded("outcome")), ("What was decided", worded("decision")),
        ("Grounds without consent", worded("ground")), ("Consent", worded("consent")),
        ("Where reviews stand", worded("state", review_cards.STATES)), ("What to look at first", worded("rank", risks)),
        ("Where people were not sure", at_questions(unsure)), ("Where people stopped without a record", at_questions(stopped)),
        ("Records a month", worded("month")), ("What people asked without getting help, by topic", asked),
    )  # fmt: skip
    return visit.page(
        "statistics.html", tables=tables, total=sum(count for _, count in found["outcome"]),
        took=opinion_cards.duration(max(1, round(took))),
        asked=opinions.records_with_advice(unit, team),
        flows=sorted(visit.context.book.machines.values(), key=lambda machine: machine.flow.id != FIRST_FLOW),
    )  # fmt: skip


def _label(visit: Visit, flow: str, state: str) -> str:
    machine = visit.context.book.machines.get(flow)
    question = machine.flow.questions.get(state) if machine else None
    return question.label if question else state.replace("_", " ")


def hard_questions_drawn(visit: Visit) -> Response:
    """Draw a flowchart with how often people were not sure, and stopped, at each question."""
    visit.must("read_statistics")
    machine = visit.context.book.machines.get(visit.request.path_params["flow"])
    if machine is None:
        raise ABSENT
    unsure, stopped = review_acts.hard_questions(visit.unit, visit.context, visit.member.team)
    flow = machine.flow.id
    notes = {
        question.id: f"Not sure: {unsure[flow, question.id]}. Stopped here: {stopped[flow, question.id]}."
        for question in chart.spine(machine)
        if unsure[flow, question.id] or stopped[flow, question.id]
    }
    return Response(chart.svg(machine, notes=notes), media_type="image/svg+xml")


def team_page(visit: Visit) -> Response:
    """Show a team and its members."""
    visit.must("list_members")
    found = teams.get(visit.unit, visit.member.team)
    deputy = members.by_id(visit.unit, found.deputy_id) if found.deputy_id else None
    return visit.page(
        "team.html", team=found, people=members.of_team(visit.unit, found.name),
        time=opinion_cards.duration(found.deadline_minutes), deputy=opinion_cards.called(deputy) if deputy else "nobody",
        reach=opinion_cards.reach,
    )  # fmt: skip


def retention_page(visit: Visit, said: str = "") -> Response:
    """Show how long records are kept, which of the team are due, and which must not be erased."""
    visit.must("read_retention")
    unit, team = visit.unit, visit.member.team
    held = retention.held(unit, team)
    return visit.page(
        "retention.html", said=said, classes=retention.CLASSES, rules=retention.rules(unit),
        due=retention.due(unit, visit.context.now(), team, PAGE), held=held,
        who_held={row.record_id: review_acts.reader_of(unit, row.actor, visit.member.id) for row in held},
        opens=access.may(visit.member, "review_record"),
    )  # fmt: skip


def hold_or_release(visit: Visit) -> Response:
    """Keep a record from being erased, with a reason, or release it."""
    review = reviews.find(visit.unit, visit.form.get("reference", "").strip().upper())
    if review is None or not access.may(visit.member, "hold_record", Resource(review.member_id, review.team)):
        return retention_page(visit, "There is no such record for you. Nothing was changed.")
    what, at, actor = visit.request.path_params["what"], visit.context.now(), visit.as_actor().ledger_name
    if what == "release":
        was = retention.release(visit.unit, review.record_id, at, actor)
        return retention_page(visit, f"{review.reference} is released." if was else "It was not on hold.")
    if what != "hold":
        raise ABSENT
    try:
        words = _words(visit)
    except BadForm as error:
        return _not_taken(visit, error, retention_page)
    retention.hold(visit.unit, review.record_id, words, at, actor)
    return retention_page(visit, f"{review.reference} is on hold. It will not be erased.")


def ask_for_list(visit: Visit) -> Response:
    """Ask to take a list out: somebody else of the team must agree."""
    visit.must("export_list")
    chosen = {name: visit.form.get(name, "")[:80] for name in FILTERS}
    case = typed_text.read(visit.context, visit.form.get("case", ""))
    try:
        chosen["case"] = case.screened(longest=40, override=("nhs_number",)).text if case.text else ""
    except NotScreened as error:
        return lists(visit, cards.refusal(error))
    number = exports.ask(visit.unit, visit.member.team, visit.member.id, _wanted(chosen), visit.context.now())
    for other in members.of_team(visit.unit, visit.member.team, "supervisor", "administrator"):
        if other.id != visit.member.id:
            say(visit.unit, other.telegram_id, review_cards.list_asked(opinion_cards.called(visit.member)))
    return lists(visit, f"List {number} was asked for. Somebody else must agree to it.")


def lists(visit: Visit, said: str = "") -> Response:
    """Show which lists were asked for, which wait for somebody to agree, and which can be taken out."""
    visit.must("agree_to_export")
    found = exports.of_team(visit.unit, visit.member.team, later(visit.context.now(), -LIST_MINUTES))
    names = {m.id: opinion_cards.called(m) for m in members.of_team(visit.unit, visit.member.team)}
    return visit.page("lists.html", lists=found, names=names, said=said)


def _list(visit: Visit) -> exports.ExportRow:
    number = whole(visit.request.path_params["number"])
    found = exports.get(visit.unit, number) if number is not None else None
    if found is None or found.made_at < later(visit.context.now(), -LIST_MINUTES):
        raise ABSENT
    return found


def agree_to_list(visit: Visit) -> Response:
    """Agree to a list that somebody else asked for."""
    found = _list(visit)
    visit.must("agree_to_export", Resource(found.member_id, found.team))
    agreed = exports.agree(visit.unit, found.id, visit.member.id, visit.context.now())
    return lists(visit, "Agreed." if agreed else "This list does not wait for you.")


def take_list(visit: Visit) -> Response:
    """Return a list that was agreed to, as CSV or XLSX, to whoever asked for it."""
    found, kind = _list(visit), visit.request.path_params["kind"]
    visit.must("export_list", Resource(found.member_id, found.team))
    if found.agreed_by is None or found.member_id != visit.member.id or kind not in ("csv", "xlsx"):
        raise ABSENT
    rows = exports.rows(visit.unit, found, visit.context.now())
    name = {"content-disposition": f'attachment; filename="records-{found.id}.{kind}"'}
    if kind == "csv":
        return Response(spreadsheets.as_csv(rows), media_type="text/csv", headers=name)
    return Response(spreadsheets.as_xlsx(rows), media_type=XLSX, headers=name)


def sign_out(visit: Visit) -> Response:
    """End the session."""
    web_sessions.end(visit.unit, visit.token)
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE)
    return answer


#: The kinds of file a record is taken out as, and how they are called.
EXPORTS = {"pdf": "PDF", "json": "JSON"}
#: The flowchart that most people walk is drawn first.
FIRST_FLOW = "sharing"
COOKIE = "sharewise_session"
#: A list can be agreed to and taken out for a day.
LIST_MINUTES = 24 * 60
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Address, words, action: what the menu shows to whom.
MENU = (
    ("/", "Records", "review_record"),
    ("/statistics", "Statistics", "read_statistics"),
    ("/lists", "Lists to take out", "agree_to_export"),
    ("/retention", "Retention", "read_retention"),
    ("/team", "Team", "list_members"),
)
#: Address, method, page, action. The access table decides; each page also checks on whose things.
PAGES: tuple[tuple[str, str, Page, str], ...] = (
    ("/", "GET", queue, "use_console"),
    ("/records/{reference}", "GET", record, "review_record"),
    ("/records/{reference}/chart.svg", "GET", picture, "review_record"),
    ("/records/{reference}/record", "POST", export, "review_record"),
    ("/records/{reference}/{what}", "POST", do, "review_record"),
    ("/lists", "GET", lists, "agree_to_export"),
    ("/lists", "POST", ask_for_list, "export_list"),
    ("/lists/{number}/agree", "POST", agree_to_list, "agree_to_export"),
    ("/lists/{number}/list.{kind}", "GET", take_list, "export_list"),
    ("/statistics", "GET", statistics, "read_statistics"),
    ("/statistics/{flow}.svg", "GET", hard_questions_drawn, "read_statistics"),
    ("/retention", "GET", retention_page, "read_retention"),
    ("/retention/{what}", "POST", hold_or_release, "hold_record"),
    ("/team", "GET", team_page, "list_members"),
    ("/out", "POST", sign_out, "use_console"),
)


# ---- the way of a request -------------------------------------------------------------------------
def environment() -> Environment:
    """Return the pages: everything is escaped, and a name that is missing is an error."""
    pages = Environment(
        loader=PackageLoader("bot.console"), autoescape=select_autoescape(default=True), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    pages.filters["when"] = cards.time_of
    pages.filters["days"] = lambda days: "1 day" if days == 1 else f"{days} days"
    pages.filters["plain"] = lambda text: str(text).replace("_", " ")
    return pages


def build(store: Store, context: Context, *, secure: bool, token: str = "") -> Starlette:
    """Return the console as an ASGI app. `secure`: it is reached over https; `token`: the bot's, to sign in as a Mini App."""
    pages = environment()

    def refused(error: Refused, visit: Visit | None = None) -> Response:
        body = pages.get_template("message.html").render(
            **surroundings(context, visit), heading=error.heading, words=error.words
        )
        return HTMLResponse(body, error.status)

    def visited(
        page: Page, action: str, unit: Unit, request: Request, form: dict[str, str], typed: Typed | None
    ) -> Response:
        """One request in one transaction: session, role, form token, page."""
        token, at = request.cookies.get(COOKIE, ""), context.now()
        member_id = (
            web_sessions.seen(unit, token, at, later(at, -IDLE_MINUTES), later(at, -TOTAL_MINUTES)) if token else None
        )
        member = members.by_id(unit, member_id) if member_id is not None else None
        if member is None or not access.may(member, "use_console"):
            if form.get("words"):
                return again(pages, surroundings(context, None), request, form, SIGNED_OUT_WORDS)
            return refused(SIGNED_OUT)
        visit = Visit(unit, context, member, token, request, form, pages, typed)
        try:
            visit.must(action)
            if request.method == "POST" and not hmac.compare_digest(
                form.get("form_token", "").encode(), web_sessions.form_token(token).encode()
            ):
                if form.get("words"):
                    return again(pages, surroundings(context, visit), request, form, OUT_OF_DATE_WORDS)
                raise OUT_OF_DATE
            if page is queue and not access.may(member, "review_record"):
                return RedirectResponse("/statistics", 303)
            return page(visit)
        except Refused as error:
            return refused(error, visit)

    def endpoint(page: Page, action: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            form: dict[str, str] = {}
            if request.method == "POST":
                form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
            words = form.get("words", "")
            typed = await asyncio.to_thread(typed_text.read, context, words) if words else None
            try:
                return await store.run(partial(_call, visited, page, action, request, form, typed))
            except StorageUnavailable:
                return refused(NOT_NOW)
            except Exception as error:
                # Its own words may hold what somebody wrote: only where it happened is logged.
                log.error("A page failed (%s).", where_of(error))
                return refused(OUR_FAULT)

        return answer

    async def sign_in(request: Request) -> Response:
        code = request.path_params["code"]
        if request.method == "GET":
            # A look ahead at the link, as chats do for previews, must not use it up.
            return HTMLResponse(pages.get_template("sign_in.html").render(**surroundings(context, None), code=code))
        return await signed_in(request, partial(web_sessions.use_sign_in, code=code, at=context.now()))

    async def signed_in(request: Request, opening: Callable[[Unit], str | None]) -> Response:
        """Begin a session when this opens one, and when no other site sent it."""
        try:
            session = None if _from_elsewhere(request) else await store.run(opening)
        except StorageUnavailable:
            return refused(NOT_NOW)
        if session is None:
            return refused(Refused(403, "This does not let you in", SIGNED_OUT.words))
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, session, httponly=True, samesite="strict", secure=secure, path="/")
        return answer

    async def as_mini_app(request: Request) -> Response:
        if request.method == "GET":
            page = HTMLResponse(pages.get_template("app.html").render(**surroundings(context, None)))
            page.headers["content-security-policy"] = WITH_SCRIPT
            return page
        said = (await request.form()).get("init_data")
        found = opened_by(said, token, context.now()) if isinstance(said, str) else None
        return await signed_in(request, partial(_open_for, found, context.now()))

    def file(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
        content = files("bot.console").joinpath(name).read_bytes()

        async def answer(_request: Request) -> Response:
            return Response(content, media_type=kind)

        return answer

    async def not_found(_request: Request, _error: Exception) -> Response:
        return refused(ABSENT)

    routes = [Route(path, endpoint(page, action), methods=[method]) for path, method, page, action in PAGES]
    routes += [
        Route("/in/{code}", sign_in, methods=["GET", "POST"]),
        Route("/app", as_mini_app, methods=["GET", "POST"]),
        Route("/static/console.css", file("console.css", "text/css")),
        Route("/static/app.js", file("app.js", "text/javascript")),
        *health.routes(store, context.now),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard)], exception_handlers={404: not_found, 405: not_found})


def _from_elsewhere(request: Request) -> bool:
    """Say whether another site sent this: nobody is to be signed in by somebody else's page."""
    return request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def _open_for(found: Opened | None, at: str, unit: Unit) -> str | None:
    """Begin a session for whoever opened the Mini App, if the console is for them."""
    member = members.get(unit, found.telegram_id) if found else None
    if found is None or member is None or not access.may(member, "use_console"):
        return None
    return web_sessions.use_opening(unit, found.seal, member.id, at)


def _call(
    visited: Any, page: Page, action: str, request: Request, form: dict[str, str], typed: Typed | None, unit: Unit
) -> Response:
    answer: Response = visited(page, action, unit, request, form, typed)
    return answer


class Guard:
    """Puts the strict headers on every answer, and refuses bodies that are too long."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # A body whose length is not told beforehand is not read at all.
        length = dict(scope["headers"]).get(b"content-length", b"0" if scope["method"] in ("GET", "HEAD") else b"")
        if not length.isdigit() or int(length) > MOST_BODY:
            await Response("Too long.", 413, headers={k.decode(): v.decode() for k, v in HEADERS.items()})(
                scope, receive, send
            )
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                more = [(name, value) for name, value in HEADERS.items() if name not in given]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self.app(scope, receive, guarded)
