"""Polling: take in, then acknowledge. And dispatching: one update at a time, in the order they came.

Updates are fetched raw and stored before the next poll confirms them, so that one which the library cannot parse
harms nothing else. What fails three times is parked. Storage errors never count as a try.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable
from datetime import timedelta

from telegram import Update
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.application import App
from bot.handlers.front import Front
from storage import mailbox
from storage.database import StorageUnavailable

log = logging.getLogger("sharewise.intake")

POLL_SECONDS = 25
ALLOWED = ["message", "callback_query", "inline_query", "my_chat_member"]
PAUSE = 0.2


def where_of(error: BaseException) -> str:
    """Say what failed and where, without the error's own words: they may hold what a person wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    return (
        f"{type(error).__name__} at {last.filename.rsplit('/', 1)[-1]}:{last.lineno}" if last else type(error).__name__
    )


class Intake:
    """Takes updates in and has them handled."""

    def __init__(self, application: App, front: Front, on_handled: Callable[[], None]) -> None:
        self.application, self.front, self.on_handled = application, front, on_handled
        self.arrived = asyncio.Event()

    async def poll(self) -> None:
        """Fetch updates for ever; each poll confirms only what is stored."""
        offset = 0
        while True:
            try:
                # In lower case: raw updates, without the library parsing them first. Telegram takes either.
                raw = await self.application.bot.do_api_request(
                    "getupdates",
                    api_kwargs={"offset": offset, "timeout": POLL_SECONDS, "allowed_updates": ALLOWED},
                    read_timeout=POLL_SECONDS + 10,
                )
                updates = [update for update in raw or [] if type(update.get("update_id")) is int]
                if updates:
                    now = self.front.desk.now()
                    await self.front.store.run(mailbox.take_in, self.front.desk.bot_id, updates, now)
                    offset = max(update["update_id"] for update in updates) + 1
                    self.arrived.set()
            except InvalidToken:
                raise
            except Conflict:
                log.warning("Another process polls for this bot, or a webhook is set. Trying again.")
                await asyncio.sleep(3)
            except RetryAfter as error:
                await asyncio.sleep(seconds_of(error))
            except (NetworkError, TelegramError, StorageUnavailable) as error:
                log.warning("Polling failed (%s). Trying again.", type(error).__name__)
                await asyncio.sleep(PAUSE)

    async def dispatch(self, stop: asyncio.Event) -> None:
        """Have stored updates handled, oldest first, until told to stop."""
        front = self.front
        while not stop.is_set():
            self.arrived.clear()
            try:
                waiting = await front.store.run(mailbox.waiting, front.desk.bot_id)
                for taken in waiting:
                    if stop.is_set():
                        return
                    await self.handle(taken)
                    self.on_handled()
            except StorageUnavailable as error:
                log.warning("%s Trying again.", error)
                await asyncio.sleep(PAUSE)
                continue
            if not waiting:
                await self.arrived.wait()

    async def handle(self, taken: mailbox.Taken) -> None:
        """Have one stored update handled; count a failure, park it after the third. Raises StorageUnavailable."""
        front = self.front
        failure: BaseException | None = None
        try:
            update = Update.de_json(taken.payload, self.application.bot)
            await self.application.process_update(update)
            failure = front.failures.pop(taken.update_id, None)
        except Exception as error:  # whatever a hostile update does to the parser
            failure = error
        if isinstance(failure, StorageUnavailable):
            raise failure
        if failure is not None:
            parked = await front.store.run(mailbox.failed, taken.id)
            log.error("Update %s failed (%s)%s.", taken.update_id, where_of(failure), "; parked" if parked else "")
        elif taken.update_id in front.acted:
            front.acted.discard(taken.update_id)
        else:
            await front.store.run(mailbox.handled, front.desk.bot_id, taken.update_id)


def seconds_of(error: RetryAfter) -> float:
    """Return how long Telegram asks to wait."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
