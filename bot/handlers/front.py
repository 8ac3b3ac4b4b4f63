"""What every handler shares: run one act in the store, answer the tap, remember what failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from telegram import (
    CallbackQuery,
    InlineQuery,
    InlineQueryResultArticle,
    InputTextMessageContent,
    LinkPreviewOptions,
    Message,
    Update,
)
from telegram.constants import ChatType, ParseMode
from telegram.error import TelegramError

from bot import views
from bot.usecases.desk import Came, Desk, OpenPrivately, Written
from bot.usecases.front import Act, StrangersAct, once, service
from storage.database import Store, Unit

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

#: How many taps are answered at once, and after how many seconds an answer comes too late.
ANSWERS, ANSWER_SECONDS = 4, 5.0


class Front:
    """The store and the desk, as handlers reach them."""

    def __init__(self, store: Store, desk: Desk) -> None:
        self.store, self.desk = store, desk
        #: Updates that an act took care of, and those whose handler failed, for the dispatcher to see.
        self.acted: set[int] = set()
        self.failures: dict[int, BaseException] = {}
        #: Called when an act is on its way into the store, which works in order: who looks then finds what it decided to send.
        self.on_acting: Callable[[], None] = lambda: None
        self._tasks: set[asyncio.Task[None]] = set()
        self._answering = asyncio.Semaphore(ANSWERS)

    async def act(self, update: Update, action: str, act: Act, for_strangers: StrangersAct | None = None) -> None:
        """Do one act for this update, then answer the tap if it was one."""
        user, chat, message = update.effective_user, update.effective_chat, update.effective_message
        if user is None or (chat is None and update.inline_query is None):
            return
        private = chat is None or chat.type == ChatType.PRIVATE
        thread = message.message_thread_id if isinstance(message, Message) and message.is_topic_message else None
        # What was typed in a group: it is looked at for identifiers, whoever typed it.
        typed = (message.text or message.caption or "") if message and not update.callback_query else ""
        written = Written(message.message_id, typed) if message and typed else None
        came = Came(update.update_id, user.id, chat.id if chat else None, private, thread, written)
        acting = self.store.run(once, self.desk, action, came, act, for_strangers)
        self.on_acting()
        said = await acting
        self.acted.add(update.update_id)
        if update.callback_query:
            # Only after the commit, and not waited for: losing or doubling it is harmless.
            self.later(_answer(update.callback_query, said, self.desk.username))

    async def service(self, update: Update, act: Callable[[Unit, Desk], None]) -> None:
        """Follow what Telegram says about a chat."""
        acting = self.store.run(service, self.desk, update.update_id, act)
        self.on_acting()
        await acting
        self.acted.add(update.update_id)

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Answer a tap or an inline query beside the updates: a few at once, and not for long. Losing an answer is harmless."""

        async def shortly() -> None:
            try:
                with suppress(TimeoutError, TelegramError):
                    async with asyncio.timeout(ANSWER_SECONDS), self._answering:
                        await work
            finally:
                work.close()

        task = asyncio.create_task(shortly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self, at_most: float | None = None) -> None:
        """Wait for what is done beside the updates, for so many seconds at most."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=at_most)
            for task in late:
                task.cancel()


async def _answer(query: CallbackQuery, said: str | OpenPrivately, username: str) -> None:
    if isinstance(said, OpenPrivately):
        answer = {"url": f"https://t.me/{username}?start={said.start}"}
    else:
        answer = {"text": said[:200]} if said else {}
    # In lower case: with plain values, as the sender calls.
    await query.get_bot().do_api_request("answercallbackquery", api_kwargs={"callback_query_id": query.id, **answer})


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
    await query.answer(results, cache_time=0, is_personal=True)
