"""The way into the web console: a one-time link from the bot."""

from __future__ import annotations

from bot.messages import review_cards
from bot.usecases.context import Actor, Context, say
from storage import members, web_sessions
from storage.core.clock import later
from storage.core.unit import Unit

LINK_MINUTES = 10


def link(unit: Unit, context: Context, actor: Actor) -> None:
    """Send a one-time link into the console, or say that there is none."""
    if not context.console_url:
        say(unit, actor.chat_id, review_cards.no_console())
        return
    code = web_sessions.make_sign_in(unit, actor.member.id, later(context.now(), LINK_MINUTES))
    say(unit, actor.chat_id, review_cards.console_link(context.console_url, code, LINK_MINUTES))


def local(unit: Unit, context: Context, telegram_id: int) -> str | None:
    """Return a link that signs in a member of the local chat, once, within an hour; None if there is no such member."""
    member = members.get(unit, telegram_id)
    if member is None:
        return None
    return f"{context.console_url}/in/{web_sessions.make_sign_in(unit, member.id, later(context.now(), 60))}"
