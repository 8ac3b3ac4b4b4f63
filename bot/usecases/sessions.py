"""Console sessions: started with a one-time link or from the Mini App, checked at every request."""

from __future__ import annotations

from bot.domain import access
from bot.usecases.context import Context
from storage import members, web_sessions
from storage.core.clock import later
from storage.core.unit import Unit
from storage.members import MemberRow

#: Minutes until a session ends: without use, and in any case.
IDLE_MINUTES, TOTAL_MINUTES = 30, 8 * 60


def member_of(unit: Unit, context: Context, token: str) -> MemberRow | None:
    """Return the member of a session and note its use; None if it has ended or the role no longer allows the console."""
    at = context.now()
    found = web_sessions.seen(unit, token, at, later(at, -IDLE_MINUTES), later(at, -TOTAL_MINUTES)) if token else None
    member = members.by_id(unit, found) if found is not None else None
    return member if member and access.may(member, "use_console") else None


def begin(unit: Unit, code: str, at: str) -> str | None:
    """Consume the code of a one-time link; return the token of a new session, or None if the code is not valid."""
    return web_sessions.use_sign_in(unit, code=code, at=at)


def begin_in_mini_app(unit: Unit, telegram_id: int, seal: str, at: str) -> str | None:
    """Return the token of a new session for the person who opened the Mini App; None if they may not use the console."""
    member = members.get(unit, telegram_id)
    if member is None or not access.may(member, "use_console"):
        return None
    return web_sessions.use_opening(unit, seal, member.id, at)


def end(unit: Unit, token: str) -> None:
    """End a session."""
    web_sessions.end(unit, token)


def form_token(token: str) -> str:
    """Return the token that every form of a session must contain, so that no other site can send one."""
    return web_sessions.form_token(token)
