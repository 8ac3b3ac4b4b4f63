"""The review console: server-rendered pages that work without JavaScript.

Members sign in with a one-time link from the bot or by opening the Mini App; both start the same kind of session. Each
request is one transaction, which reads the role from the store and checks it against the access table. No page loads
anything from another site.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.resources import files

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.composition.logs import where_of
from bot.console import health
from bot.console.forms import again
from bot.console.mini_app import opened_by
from bot.console.pages import exports, queue, record, retention, statistics, team
from bot.console.refusals import (
    ABSENT,
    NOT_NOW,
    OUR_FAULT,
    OUT_OF_DATE,
    OUT_OF_DATE_WORDS,
    SIGNED_OUT,
    SIGNED_OUT_WORDS,
    NoPage,
)
from bot.console.security import WITH_SCRIPT, Guard, comes_from_another_site
from bot.console.visit import Page, Visit, environment, surroundings
from bot.domain.typed_text import Typed
from bot.usecases import sessions, typed_text
from bot.usecases.context import Context
from storage.core.faults import StorageUnavailable
from storage.core.store import Store
from storage.core.unit import Unit

log = logging.getLogger("sharewise.console")

COOKIE = "sharewise_session"


def sign_out(visit: Visit) -> Response:
    """End the session and delete its cookie."""
    sessions.end(visit.unit, visit.token)
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE)
    return answer


#: Address, method, page, action. The access table decides who may open a page; the page also checks whose record it is.
PAGES: tuple[tuple[str, str, Page, str], ...] = (
    ("/", "GET", queue.queue, "use_console"),
    ("/records/{reference}", "GET", record.record, "review_record"),
    ("/records/{reference}/chart.svg", "GET", record.picture, "review_record"),
    ("/records/{reference}/record", "POST", record.export, "review_record"),
    ("/records/{reference}/{what}", "POST", record.do, "review_record"),
    ("/lists", "GET", exports.lists, "agree_to_export"),
    ("/lists", "POST", exports.ask_for_list, "export_list"),
    ("/lists/{number}/agree", "POST", exports.agree_to_list, "agree_to_export"),
    ("/lists/{number}/list.{kind}", "GET", exports.take_list, "export_list"),
    ("/statistics", "GET", statistics.statistics, "read_statistics"),
    ("/statistics/{flow}.svg", "GET", statistics.hard_questions_drawn, "read_statistics"),
    ("/retention", "GET", retention.retention_page, "read_retention"),
    ("/retention/{what}", "POST", retention.hold_or_release, "hold_record"),
    ("/team", "GET", team.team_page, "list_members"),
    ("/out", "POST", sign_out, "use_console"),
)


class Console:
    """Handles a request: checks the session, the role and the form token, then calls the page."""

    def __init__(self, store: Store, context: Context, *, secure: bool, token: str) -> None:
        self.store, self.context, self.secure, self.token = store, context, secure, token
        self.pages = environment()

    def refused(self, error: NoPage, visit: Visit | None = None) -> Response:
        """Return the message page that is shown instead of the page asked for."""
        template = self.pages.get_template("message.html")
        around = surroundings(self.context, visit)
        return HTMLResponse(template.render(**around, heading=error.heading, words=error.words), error.status)

    def endpoint(self, page: Page, action: str) -> Callable[[Request], Awaitable[Response]]:
        """Return a page's endpoint, which screens typed words before it opens the transaction."""

        async def answer(request: Request) -> Response:
            form: dict[str, str] = {}
            if request.method == "POST":
                form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
            words = form.get("words", "")
            typed = await asyncio.to_thread(typed_text.read, self.context, words) if words else None
            try:
                return await self.store.run(partial(self._visit, page, action, request, form, typed))
            except StorageUnavailable:
                return self.refused(NOT_NOW)
            except Exception as error:
                # Log only where it failed: the error's text may quote what somebody wrote.
                log.error("A page failed (%s).", where_of(error))
                return self.refused(OUR_FAULT)

        return answer

    def _visit(
        self, page: Page, action: str, request: Request, form: dict[str, str], typed: Typed | None, unit: Unit
    ) -> Response:
        token = request.cookies.get(COOKIE, "")
        member = sessions.member_of(unit, self.context, token)
        if member is None:
            if form.get("words"):
                return again(self.pages, surroundings(self.context, None), request, form, SIGNED_OUT_WORDS)
            return self.refused(SIGNED_OUT)
        visit = Visit(unit, self.context, member, token, request, form, self.pages, typed)
        try:
            visit.must(action)
            if request.method == "POST" and not _has_form_token(form, token):
                if form.get("words"):
                    return again(self.pages, surroundings(self.context, visit), request, form, OUT_OF_DATE_WORDS)
                raise OUT_OF_DATE
            return page(visit)
        except NoPage as error:
            return self.refused(error, visit)

    async def sign_in(self, request: Request) -> Response:
        """Show the sign-in button of a one-time link; on POST, use the link and start a session."""
        code = request.path_params["code"]
        if request.method == "GET":
            # Chat apps fetch links to preview them, so a GET must not use the link up.
            template = self.pages.get_template("sign_in.html")
            return HTMLResponse(template.render(**surroundings(self.context, None), code=code))
        return await self._begin(request, partial(sessions.begin, code=code, at=self.context.now()))

    async def as_mini_app(self, request: Request) -> Response:
        """Show the page whose script posts Telegram's init data; on POST, check that data and start a session."""
        if request.method == "GET":
            page = HTMLResponse(self.pages.get_template("app.html").render(**surroundings(self.context, None)))
            page.headers["content-security-policy"] = WITH_SCRIPT
            return page
        said, at = (await request.form()).get("init_data"), self.context.now()
        found = opened_by(said, self.token, at) if isinstance(said, str) else None
        if found is None:
            return self.refused(NOT_LET_IN)
        opening = partial(sessions.begin_in_mini_app, telegram_id=found.telegram_id, seal=found.seal, at=at)
        return await self._begin(request, opening)

    async def _begin(self, request: Request, opening: Callable[[Unit], str | None]) -> Response:
        try:
            session = None if comes_from_another_site(request) else await self.store.run(opening)
        except StorageUnavailable:
            return self.refused(NOT_NOW)
        if session is None:
            return self.refused(NOT_LET_IN)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, session, httponly=True, samesite="strict", secure=self.secure, path="/")
        return answer


#: One message for every failed sign-in, so that it does not reveal the reason.
NOT_LET_IN = NoPage(403, "This does not let you in", SIGNED_OUT.words)


def build(store: Store, context: Context, *, secure: bool, token: str = "") -> Starlette:
    """Return the console as an ASGI app.

    `secure`: browsers reach it over https. `token`: the bot's token, which the Mini App check needs.
    """
    console = Console(store, context, secure=secure, token=token)

    async def not_found(_request: Request, _error: Exception) -> Response:
        return console.refused(ABSENT)

    routes = [Route(path, console.endpoint(page, action), methods=[method]) for path, method, page, action in PAGES]
    routes += [
        Route("/in/{code}", console.sign_in, methods=["GET", "POST"]),
        Route("/app", console.as_mini_app, methods=["GET", "POST"]),
        Route("/static/console.css", _file("console.css", "text/css")),
        Route("/static/app.js", _file("app.js", "text/javascript")),
        *health.routes(store, context.now),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard)], exception_handlers={404: not_found, 405: not_found})


def _has_form_token(form: dict[str, str], token: str) -> bool:
    return hmac.compare_digest(form.get("form_token", "").encode(), sessions.form_token(token).encode())


def _file(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    content = files("bot.console").joinpath(name).read_bytes()

    async def answer(_request: Request) -> Response:
        return Response(content, media_type=kind)

    return answer
