"""Housekeeping, every few minutes: delete what has expired, clear chats, write the ledger's head."""

from __future__ import annotations

import time
from pathlib import Path

from bot.messages.callback_data import START
from bot.messages.message import plain
from bot.messages.texts import text_of
from bot.usecases import unanswered
from bot.usecases.context import Context, say
from storage import exports, inbox, invites, rate_limits, sent_messages, web_sessions
from storage.core.clock import later, utc_now
from storage.core.unit import Unit
from storage.operations import erasure, heads

#: Minutes until update ids, invites and exports are deleted. Telegram repeats an update for at most 24 hours.
REMEMBER = 48 * 60


def tidy(unit: Unit, context: Context, before: str | None = None) -> None:
    """Delete what has expired, destroy the keys of walks left unfinished for too long, and clear the chats that are due."""
    before = before or later(utc_now(), -REMEMBER)
    inbox.prune(unit, before)
    invites.prune(unit, before)
    web_sessions.prune(unit, before)
    exports.prune(unit, before)
    rate_limits.prune(unit, time.time())
    unanswered.prune(unit, context)
    for chat_id in erasure.expire_unfinished(unit, context.now()):
        say(unit, chat_id, plain(text_of("walk.expired"), (text_of("walk.start"), START)))
    if context.clear_chats_hours:
        sent_messages.clear(unit, later(context.now(), -60 * context.clear_chats_hours))


def write_head(unit: Unit, file: Path, at: str) -> None:
    """Append today's signed head of the ledger to a file; raise OSError or ValueError."""
    heads.write_daily(unit, file, at)
