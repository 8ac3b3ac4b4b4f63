"""The front of every act: once per update, members only."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot import access, views
from bot.usecases.desk import Desk, Who
from storage import mailbox, members
from storage.database import Unit

#: A stranger is answered once in this many seconds.
QUIET = 3600.0
STRANGERS_REMEMBERED = 10_000

Act = Callable[[Unit, Desk, Who], str | None]


def once(unit: Unit, desk: Desk, action: str, chat_id: int | None, user_id: int, update_id: int, act: Act) -> str:
    """Do an act for an update exactly once, if the person may; return the words for a tap.

    `chat_id` is None where there is no chat to answer in: inline mode.

    Marking the update as handled belongs to the act's own transaction: both happen, or neither.
    """
    if not mailbox.handled(unit, desk.bot_id, update_id):
        return ""
    member = members.get(unit, user_id)
    if chat_id not in (None, user_id):
        return ""
    if access.may(member, action) and member is not None:
        return act(unit, desk, Who(user_id, user_id, update_id, member)) or ""
    if chat_id is not None and member is None:
        _answer_stranger(unit, desk, chat_id)
    elif chat_id is not None:
        mailbox.put(unit, chat_id, "message", views.not_your_role().payload())
    return ""


def _answer_stranger(unit: Unit, desk: Desk, chat_id: int) -> None:
    now = time.monotonic()
    if now - desk.strangers.get(chat_id, -QUIET) < QUIET:
        return
    if len(desk.strangers) >= STRANGERS_REMEMBERED:
        desk.strangers.clear()
    desk.strangers[chat_id] = now
    mailbox.put(unit, chat_id, "message", views.stranger().payload())
