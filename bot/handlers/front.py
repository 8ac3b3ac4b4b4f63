"""What every handler shares: run one act in the store, answer the tap, remember what failed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from telegram import (
    CallbackQuery,
    InlineQuery,
    InlineQueryResultArticle,
    InputTextMessageContent,
    LinkPreviewOptions,
    Update,
)
from telegram.constants import ParseMode
from telegram.error import TelegramError

from bot import views
from bot.usecases.desk import Desk
from bot.usecases.front import Act, once
from storage.database import Store

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Front:
    """The store and the desk, as handlers reach them."""

    def __init__(self, store: Store, desk: Desk) -> None:
        self.store, self.desk = store, desk
        #: Updates that an act took care of, and those whose handler failed, for the dispatcher to see.
        self.acted: set[int] = set()
        self.failures: dict[int, BaseException] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def act(self, update: Update, action: str, act: Act) -> None:
        """Do one act for this update, then answer the tap if it was one."""
        user, chat = update.effective_user, update.effective_chat
        if user is None or (chat is None and update.inline_query is None):
            return
        chat_id = chat.id if chat else None
        words = await self.store.run(once, self.desk, action, chat_id, user.id, update.update_id, act)
        self.acted.add(update.update_id)
        if update.callback_query:
            # Only after the commit, and not waited for: losing or doubling it is harmless.
            self.later(_answer(update.callback_query, words))

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something small beside the updates."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait for what is done beside the updates."""
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _answer(query: CallbackQuery, words: str) -> None:
    with suppress(TelegramError):
        await query.answer(words[:200] or None)


async def answer_inline(query: InlineQuery, found: list[views.Article]) -> None:
    """Offer passages in inline mode; to one who is not a member, nothing. Never cached for others."""
    results = [
        InlineQueryResultArticle(
            article.id,
            article.title,
            InputTextMessageContent(article.message.text, ParseMode.HTML, link_preview_options=NO_PREVIEW),
            description=article.about,
        )
        for article in found
    ]
    with suppress(TelegramError):
        await query.answer(results, cache_time=0, is_personal=True)
