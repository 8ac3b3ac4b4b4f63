"""The gateway to every use case: each update once, members only, and in groups only what belongs in a team's channel."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.domain import access
from bot.messages import notices
from bot.messages.texts import text_of
from bot.usecases import advice, channels, typed_text
from bot.usecases.context import Actor, Context, Incoming, OpenPrivately, say
from flows.invariants import present
from storage import inbox, members, outbox, pause, sent_messages, teams
from storage.core.unit import Unit

#: Seconds until a stranger is answered again.
QUIET = 3600.0
STRANGERS_REMEMBERED = 10_000

Said = str | OpenPrivately | None
Act = Callable[[Unit, Context, Actor], Said]
StrangersAct = Callable[[Unit, Context, Incoming], None]


def once(
    unit: Unit, context: Context, action: str, incoming: Incoming, act: Act, for_strangers: StrangersAct | None = None
) -> str | OpenPrivately:
    """Run a use case for an update exactly once, if the person may use it; return the answer to a tap.

    The update is marked as handled in the transaction of the use case: both happen, or neither does.
    """
    if not inbox.mark_handled(unit, context.bot_id, incoming.update_id):
        return ""
    if (
        context.clear_chats_hours
        and incoming.private
        and incoming.chat_id is not None
        and incoming.typed
        and incoming.typed.message_id
    ):
        sent_messages.note(unit, incoming.chat_id, incoming.typed.message_id, context.now())
    member = members.get(unit, incoming.user_id)
    if member and member.unreachable_since and incoming.private:
        came_back(unit, incoming.user_id)
    stopped = pause.reason(unit) if member or action in access.FOR_STRANGERS else None
    if stopped is not None and action != "raise_emergency":
        if incoming.private and incoming.chat_id is not None:
            say(unit, incoming.chat_id, notices.paused(stopped))
        return ""
    if not incoming.private and incoming.chat_id is not None:
        return _in_group(unit, context, action, incoming, member, act)
    if member is None:
        _let_in_or_answer(unit, context, action, incoming, for_strangers)
        return ""
    if not access.may(member, action) and action not in access.FOR_STRANGERS:
        if incoming.chat_id is not None:
            say(unit, incoming.chat_id, notices.not_your_role())
        return ""
    actor = Actor(incoming.user_id, incoming.user_id, incoming.update_id, member)
    if incoming.typed and not incoming.sees_danger and incoming.chat_id is not None:
        typed_text.danger_first(unit, context, actor, incoming.typed)
    return act(unit, context, actor) or ""


def came_back(unit: Unit, telegram_id: int) -> None:
    """Note that a member who had blocked the bot is back, and send what could not be sent in between."""
    if members.get(unit, telegram_id) is None:
        return
    members.set_unreachable(unit, telegram_id, None)
    outbox.send_what_was_parked(unit, telegram_id)


def service(unit: Unit, context: Context, update_id: int, act: Callable[[Unit, Context], None]) -> None:
    """Handle a service message about a chat exactly once. No person sent it, so no role is checked."""
    if inbox.mark_handled(unit, context.bot_id, update_id):
        act(unit, context)


def _in_group(
    unit: Unit, context: Context, action: str, incoming: Incoming, member: members.MemberRow | None, act: Act
) -> str | OpenPrivately:
    chat_id = present(incoming.chat_id, "the caller says so")
    team = teams.of_channel(unit, chat_id)
    if team is None and action != "claim_channel":
        channels.expect_claim(unit, context, chat_id)
        return ""
    member = member if action in access.IN_CHANNEL and (team is None or (member and team.name == member.team)) else None
    may = member is not None and access.may(member, action)
    if team and incoming.typed:
        # Danger is answered whoever writes of it: by the use case only if that will run.
        seen = may and incoming.sees_danger
        advice.overheard(unit, context, chat_id, incoming.thread_id, incoming.typed, sees_danger=seen)
    if member is None:
        return text_of("channels.not_your_team") if team else ""
    if not may:
        if action == "claim_channel":
            say(unit, chat_id, notices.not_your_role(), incoming.thread_id)
        return ""
    return act(unit, context, Actor(chat_id, incoming.user_id, incoming.update_id, member, incoming.thread_id)) or ""


def _let_in_or_answer(
    unit: Unit, context: Context, action: str, incoming: Incoming, for_strangers: StrangersAct | None
) -> None:
    if for_strangers and action in access.FOR_STRANGERS:
        for_strangers(unit, context, incoming)
    elif incoming.chat_id is not None:
        _answer_stranger(unit, context, incoming.chat_id)


def _answer_stranger(unit: Unit, context: Context, chat_id: int) -> None:
    now = time.monotonic()
    if now - context.strangers.get(chat_id, -QUIET) < QUIET:
        return
    if len(context.strangers) >= STRANGERS_REMEMBERED:
        context.strangers.clear()
    context.strangers[chat_id] = now
    say(unit, chat_id, notices.stranger())
