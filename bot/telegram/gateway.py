"""What every handler shares: run one use case in the store, answer the tap, note what failed."""

from __future__ import annotations

import asyncio
import time
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

from bot.domain.typed_text import Typed
from bot.messages import advice_cards, notices
from bot.telegram.message_text import words_of
from bot.telegram.reader import Reader
from bot.usecases import typed_text
from bot.usecases.context import Actor, Context, Incoming, OpenPrivately, say
from bot.usecases.gateway import Act, StrangersAct, once, service
from bot.usecases.limits import Limits
from storage.core.store import Store
from storage.core.unit import Unit

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

#: The maximum number of taps answered at once, and the seconds after which an answer is too late.
ANSWERS, ANSWER_SECONDS = 4, 5.0


class Gateway:
    """Gives handlers access to the store and the context."""

    def __init__(self, store: Store, context: Context) -> None:
        self.store, self.context = store, context
        #: Updates handled by a use case, and updates whose handler failed; the dispatcher reads both.
        self.acted: set[int] = set()
        self.failures: dict[int, BaseException] = {}
        #: Called when work has been queued for the store. The store works in order, so whoever reads next sees its messages.
        self.on_acting: Callable[[], None] = lambda: None
        self._tasks: set[asyncio.Task[None]] = set()
        self._answering = asyncio.Semaphore(ANSWERS)
        self._reader = Reader()
        self.limits = Limits(context.updates_per_minute)

    async def read(self, message: Message, *, edited: bool = False) -> Typed:
        """Examine everything in a message outside the store, one message at a time, so that taps are not held up."""
        said = words_of(message)
        return await self._read(
            said.text, message.message_id, beside=said.beside, marks=said.marks, edited=edited,
            forwarded=said.forwarded,
        )  # fmt: skip

    async def read_part(self, typed: Typed, text: str) -> Typed:
        """Examine a part of what was typed, such as the words after a command."""
        return await self._reader.read(len(text), lambda: typed_text.read_argument(self.context, typed, text))

    async def look_up(self, typed: Typed, person: int | None = None) -> Typed:
        """Look up in the guidance words that turned out to be a question."""
        return await self._reader.read(len(typed.text), lambda: typed_text.look_up(self.context, typed, person))

    async def act_on_words(
        self,
        update: Update,
        action_of: Callable[[Typed], tuple[str, Act]],
        words: Typed,
        *,
        all_typed: Typed | None = None,
        sees_danger: bool = False,
    ) -> None:
        """Run the use case for typed words. If they are a question, look it up outside the store, then run it again.

        `all_typed`: the whole message, if the words are only what follows a command.
        """
        typed = all_typed or words
        try:
            await self.act(update, *action_of(words), typed=typed, sees_danger=sees_danger)
        except typed_text.NotLookedUp:
            user, chat = update.effective_user, update.effective_chat
            # What somebody asked in private is never brought into a channel or an inline answer.
            private = user is not None and chat is not None and chat.type == ChatType.PRIVATE
            found = await self.look_up(words, user.id if user and private else None)
            await self.act(update, *action_of(found), typed=typed, sees_danger=sees_danger)

    async def read_text(self, text: str) -> Typed:
        """Examine words that are not in a message."""
        return await self._read(text)

    async def _read(self, text: str, message_id: int = 0, **more: Any) -> Typed:
        return await self._reader.read(len(text), lambda: typed_text.read(self.context, text, message_id, **more))

    def close(self) -> None:
        """Stop the thread that reads texts."""
        self._reader.close()

    async def is_too_much(self, update: Update) -> bool:
        """Return whether a person exceeds the rate limit, and tell them once. An emergency is never refused."""
        user, chat = update.effective_user, update.effective_chat
        if user is None or not self.limits.per_minute:
            return False
        verdict = self.limits.spend(user.id, time.monotonic())
        if not verdict:
            return False
        private = chat is None or chat.type == ChatType.PRIVATE

        def tell(unit: Unit, context: Context, actor: Actor) -> None:
            say(unit, actor.chat_id, notices.limited())

        def nothing(unit: Unit, context: Context, actor: Actor) -> None:
            return

        await self.act(update, "read_guidance", tell if verdict == "tell" and private else nothing)
        return True

    async def act(
        self,
        update: Update,
        action: str,
        act: Act,
        for_strangers: StrangersAct | None = None,
        *,
        typed: Typed | None = None,
        sees_danger: bool = False,
    ) -> None:
        """Run one use case for an update, then answer the tap if it was one. `typed`: the examined words."""
        user, chat, message = update.effective_user, update.effective_chat, update.effective_message
        if user is None or (chat is None and update.inline_query is None):
            return
        private = chat is None or chat.type == ChatType.PRIVATE
        thread = message.message_thread_id if isinstance(message, Message) and message.is_topic_message else None
        incoming = Incoming(update.update_id, user.id, chat.id if chat else None, private, thread, typed, sees_danger)
        acting = self.store.run(once, self.context, action, incoming, act, for_strangers)
        self.on_acting()
        said = await acting
        self.acted.add(update.update_id)
        if update.callback_query:
            # After the commit, and without waiting: losing or repeating this answer is harmless.
            self.later(_answer(update.callback_query, said, self.context.username))

    async def service(self, update: Update, act: Callable[[Unit, Context], None]) -> None:
        """Handle a service message about a chat."""
        acting = self.store.run(service, self.context, update.update_id, act)
        self.on_acting()
        await acting
        self.acted.add(update.update_id)

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Answer a tap or an inline query in the background, a few at once and with a time limit. Losing an answer is harmless."""

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
        """Wait for the answers in the background, for this many seconds at most."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=at_most)
            for task in late:
                task.cancel()


async def _answer(query: CallbackQuery, said: str | OpenPrivately, username: str) -> None:
    if isinstance(said, OpenPrivately):
        answer = {"url": f"https://t.me/{username}?start={said.start}"}
    else:
        answer = {"text": said[:200]} if said else {}
    # A lower-case method name: the library then sends plain values, as in the sender.
    await query.get_bot().do_api_request("answercallbackquery", api_kwargs={"callback_query_id": query.id, **answer})


async def answer_inline(query: InlineQuery, found: list[advice_cards.Article]) -> None:
    """Offer passages in inline mode, to members only. The answer is never cached for other people."""
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
