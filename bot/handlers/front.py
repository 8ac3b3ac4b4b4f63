"""What every handler shares: run one act in the store, answer the tap, remember what failed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from telegram import CallbackQuery, Update
from telegram.error import TelegramError

from bot.usecases.desk import Desk
from bot.usecases.front import Act, once
from storage.database import Store


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
        if user is None or chat is None:
            return
        words = await self.store.run(once, self.desk, action, chat.id, user.id, update.update_id, act)
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
