"""The front of every act: once per update, members only, nothing in a group but what is for a team's channel."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.domain import access
from bot.messages import cards
from bot.usecases import advice, channels, typed_text
from bot.usecases.context import Came, Desk, OpenPrivately, Who, say
from storage import mailbox, members, pause, sent_messages, teams
from storage.core.unit import Unit

#: A stranger is answered once in this many seconds.
QUIET = 3600.0
STRANGERS_REMEMBERED = 10_000

Said = str | OpenPrivately | None
Act = Callable[[Unit, Desk, Who], Said]
StrangersAct = Callable[[Unit, Desk, Came], None]

NOT_YOUR_TEAM = "Only members of this team can answer here."


def once(
    unit: Unit, desk: Desk, action: str, came: Came, act: Act, for_strangers: StrangersAct | None = None
) -> str | OpenPrivately:
    """Do an act for an update exactly once, if the person may; return what a tap is answered with.

    Marking the update as handled belongs to the act's own transaction: both happen, or neither.
    """
    if not mailbox.handled(unit, desk.bot_id, came.update_id):
        return ""
    if desk.clear_chats_hours and came.private and came.chat_id is not None and came.typed and came.typed.message_id:
        sent_messages.note(unit, came.chat_id, came.typed.message_id, desk.now())
    member = members.get(unit, came.user_id)
    if member and member.unreachable_since and came.private:
        came_back(unit, came.user_id)
    stopped = pause.reason(unit) if member or action in access.FOR_STRANGERS else None
    if stopped is not None and action != "raise_emergency":
        if came.private and came.chat_id is not None:
            say(unit, came.chat_id, cards.paused(stopped))
        return ""
    if not came.private and came.chat_id is not None:
        return _in_group(unit, desk, action, came, member, act)
    if member is None:
        _let_in_or_answer(unit, desk, action, came, for_strangers)
        return ""
    if not access.may(member, action) and action not in access.FOR_STRANGERS:
        if came.chat_id is not None:
            say(unit, came.chat_id, cards.not_your_role())
        return ""
    who = Who(came.user_id, came.user_id, came.update_id, member)
    if came.typed and not came.sees_danger and came.chat_id is not None:
        typed_text.danger_first(unit, desk, who, came.typed)
    return act(unit, desk, who) or ""


def came_back(unit: Unit, telegram_id: int) -> None:
    """Somebody who had blocked the bot is there again: what could not be sent meanwhile goes out now."""
    members.set_unreachable(unit, telegram_id, None)
    mailbox.send_again(unit, telegram_id)


def service(unit: Unit, desk: Desk, update_id: int, act: Callable[[Unit, Desk], None]) -> None:
    """Follow what Telegram itself says about a chat, exactly once: there is no person whose role counts."""
    if mailbox.handled(unit, desk.bot_id, update_id):
        act(unit, desk)


def _in_group(
    unit: Unit, desk: Desk, action: str, came: Came, member: members.MemberRow | None, act: Act
) -> str | OpenPrivately:
    assert came.chat_id is not None  # noqa: S101 (the caller says so)
    team = teams.of_channel(unit, came.chat_id)
    if team is None and action != "claim_channel":
        channels.expect_claim(unit, desk, came.chat_id)
        return ""
    if team and came.typed:
        advice.overheard(unit, desk, came.chat_id, came.thread_id, came.typed)
    if member is None or action not in access.IN_CHANNEL or (team and team.name != member.team):
        return NOT_YOUR_TEAM if team else ""
    if not access.may(member, action):
        if action == "claim_channel":
            say(unit, came.chat_id, cards.not_your_role(), came.thread_id)
        return ""
    return act(unit, desk, Who(came.chat_id, came.user_id, came.update_id, member, came.thread_id)) or ""


def _let_in_or_answer(unit: Unit, desk: Desk, action: str, came: Came, for_strangers: StrangersAct | None) -> None:
    if for_strangers and action in access.FOR_STRANGERS:
        for_strangers(unit, desk, came)
    elif came.chat_id is not None:
        _answer_stranger(unit, desk, came.chat_id)


def _answer_stranger(unit: Unit, desk: Desk, chat_id: int) -> None:
    now = time.monotonic()
    if now - desk.strangers.get(chat_id, -QUIET) < QUIET:
        return
    if len(desk.strangers) >= STRANGERS_REMEMBERED:
        desk.strangers.clear()
    desk.strangers[chat_id] = now
    say(unit, chat_id, cards.stranger())
