"""A request from a signed-in member, and the parts that every page shows around its own content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.console.refusals import ABSENT
from bot.domain import access
from bot.domain.access import Resource
from bot.domain.typed_text import Typed
from bot.messages.message import time_of
from bot.messages.texts import text_of
from bot.usecases import sessions
from bot.usecases.context import Actor, Context, MemberRow
from storage.core.unit import Unit

#: Address, label, and the action the member's role must allow.
MENU = (
    ("/", "Records", "review_record"),
    ("/statistics", "Statistics", "read_statistics"),
    ("/lists", "Exports", "agree_to_export"),
    ("/retention", "Retention", "read_retention"),
    ("/team", "Team", "list_members"),
)


@dataclass(frozen=True)
class Visit:
    """A request from a signed-in member, with the transaction it runs in."""

    unit: Unit
    context: Context
    member: MemberRow
    token: str
    request: Request
    form: dict[str, str]
    pages: Environment
    #: The words typed into the form, already examined.
    typed: Typed | None = None

    def page(self, name: str, **values: Any) -> Response:
        """Render a template for this member."""
        return HTMLResponse(self.pages.get_template(name).render(**surroundings(self.context, self), **values))

    def as_actor(self) -> Actor:
        """Return this member as the actor of a use case."""
        return Actor(self.member.telegram_id, self.member.telegram_id, 0, self.member)

    def may(self, action: str, resource: Resource | None = None) -> bool:
        """Return whether this member may carry out an action, on a resource if one is given."""
        return access.may(self.member, action, resource)

    def must(self, action: str, resource: Resource | None = None) -> None:
        """Raise NoPage unless this member may carry out an action, on a resource if one is given."""
        if not self.may(action, resource):
            raise ABSENT


Page = Callable[[Visit], Response]


def surroundings(context: Context, visit: Visit | None) -> dict[str, Any]:
    """Return the values that every page shows around its own content: banner, member, menu, form token."""
    found: dict[str, Any] = {"banner": context.book.edition.banner, "who": visit.member if visit else None}
    if visit:
        found["form_token"] = sessions.form_token(visit.token)
        found["here"] = visit.request.url.path
        found["pages"] = [
            (address, words) for address, words, action in MENU if access.may(visit.member, action)
        ]  # fmt: skip
    return found


def environment() -> Environment:
    """Return the template environment: it escapes everything and treats an undefined name as an error."""
    pages = Environment(
        loader=PackageLoader("bot.console"), autoescape=select_autoescape(default=True), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    pages.filters["when"] = time_of
    pages.filters["days"] = lambda days: text_of("durations.day", count=days)
    pages.filters["plain"] = lambda text: str(text).replace("_", " ")
    return pages
