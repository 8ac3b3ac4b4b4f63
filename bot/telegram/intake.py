"""Take updates in, then acknowledge them; dispatch them one at a time per ordering key, in the order they came.

Updates are stored raw before they are confirmed, so that one the library cannot parse affects no other.
An update that fails three times is parked. A storage error never counts as a failure.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from telegram import Update
from telegram.error import Conflict, RetryAfter, TelegramError

from bot.composition.logs import where_of
from bot.telegram.application import LOOK_AGAIN, App
from bot.telegram.gateway import Gateway
from bot.telegram.retry import LONGEST_PAUSE, REFUSED, Backoff, refused_for_good, seconds_of, wait_to_retry
from bot.usecases import inbox
from bot.usecases.inbox import Claimed
from storage.core.faults import StorageUnavailable

log = logging.getLogger("sharewise.intake")

POLL_SECONDS = 25
ALLOWED = ["message", "edited_message", "callback_query", "inline_query", "my_chat_member"]
#: How many ordering keys are handled at once.
SIDE_BY_SIDE = 32
#: Seconds between two attempts to become the worker that polls.
LEAD_SECONDS = 2.0
#: Seconds before polling again while a webhook, or another process that polls, is in the way.
CONFLICT_SECONDS = 3.0
#: The log line when Telegram posts updates instead.
HOOKED = "A webhook is set, so the bot cannot be polled: serve --webhook, or sharewise webhook delete."


#: What is stored of a message whose button was tapped: where it is. Its words and buttons are our own.
PLACE = ("message_id", "date", "chat", "message_thread_id", "is_topic_message")


def lean(update: dict[str, Any]) -> dict[str, Any]:
    """Return a raw update without the words and buttons of the message that was tapped."""
    query = update.get("callback_query")
    if not isinstance(query, dict) or not isinstance(query.get("message"), dict):
        return update
    place = {name: value for name, value in query["message"].items() if name in PLACE}
    return {**update, "callback_query": {**query, "message": place}}


class Intake:
    """Takes updates in and dispatches them: ordering keys in parallel, each in order."""

    def __init__(self, application: App, gateway: Gateway) -> None:
        self.application, self.gateway = application, gateway
        self.arrived = asyncio.Event()
        self._at: dict[int, asyncio.Task[None]] = {}
        #: Ordering keys that are done and not yet released.
        self._done: list[int] = []
        self._led = -1
        self._broken: Exception | None = None

    async def poll(self) -> None:
        """Poll for updates for ever; each poll confirms only stored updates. Of several workers, one polls."""
        offset, backoff = 0, Backoff()
        while True:
            try:
                if not await self._leads():
                    await asyncio.sleep(LEAD_SECONDS)
                    continue
                # A lower-case method name gives raw updates that the library has not parsed. Telegram accepts both.
                raw = await self.application.bot.do_api_request(
                    "getupdates",
                    api_kwargs={"offset": offset, "timeout": POLL_SECONDS, "allowed_updates": ALLOWED},
                    read_timeout=POLL_SECONDS + 10,
                )
                updates = [update for update in raw or [] if inbox.is_number(update.get("update_id"))]
                if len(updates) < len(raw or []):
                    log.warning("%s updates have no number that can be, and are left out.", len(raw) - len(updates))
                if updates:
                    await self.take_in(updates)
                    offset = max(update["update_id"] for update in updates) + 1
                elif raw:
                    # Updates without a number cannot be confirmed, so Telegram sends them again at once.
                    await asyncio.sleep(LONGEST_PAUSE)
                backoff.reset()
            except REFUSED:
                await refused_for_good(self.application.bot)
                await asyncio.sleep(backoff.next())
            except Conflict as error:
                hooked = "webhook" in error.message.lower()
                await wait_to_retry(HOOKED if hooked else "Another process polls for this bot.", CONFLICT_SECONDS)
            except RetryAfter as error:
                await asyncio.sleep(seconds_of(error))
            except (TelegramError, StorageUnavailable) as error:
                ours = isinstance(error, StorageUnavailable)
                await wait_to_retry(error if ours else f"Polling failed ({type(error).__name__}).", backoff.next())

    async def _leads(self) -> bool:
        """Return whether this worker polls. The lock ends with the connection that took it."""
        store = self.gateway.store
        if self._led != store.connected:
            leads = await store.run(inbox.lead_polling, self.gateway.context.bot_id)
            self._led = store.connected if leads else -1
        return self._led == store.connected

    async def take_in(self, updates: list[dict[str, Any]]) -> None:
        """Store raw updates. Once this returns, they may be acknowledged. Raise StorageUnavailable."""
        raw = [lean(update) for update in updates]
        taking = self.gateway.store.run(inbox.take_in, self.gateway.context.bot_id, raw, self.gateway.context.now())
        # The store works in order, so whoever reads from now on finds them.
        self.arrived.set()
        await taking

    async def dispatch(self, stop: asyncio.Event) -> None:
        """Dispatch stored updates until told to stop: ordering keys in parallel, each in order."""
        store = self.gateway.store
        while not stop.is_set():
            if self._broken is not None:
                raise self._broken
            self.arrived.clear()
            done, self._done = self._done, []
            try:
                found = await store.run(
                    inbox.claim, self.gateway.context.bot_id, done, [*self._at], SIDE_BY_SIDE - len(self._at)
                )
            except StorageUnavailable as error:
                self._done += done
                await wait_to_retry(error)
                continue
            for key, updates in found.items():
                self._at[key] = asyncio.create_task(self._work_off(key, updates, stop))
            # Everything available is being handled: wait until something arrives or a key is done.
            with suppress(TimeoutError):
                await asyncio.wait_for(self.arrived.wait(), LOOK_AGAIN)
        await asyncio.gather(*self._at.values())
        with suppress(StorageUnavailable):
            await store.run(inbox.release, self._done)

    async def _work_off(self, key: int, updates: list[Claimed], stop: asyncio.Event) -> None:
        try:
            for taken in updates:
                if stop.is_set():
                    return
                if not await self.handle(taken):
                    # No later update of this person may overtake it.
                    return
        except StorageUnavailable as error:
            await wait_to_retry(error)
        except Exception as error:
            self._broken = error
        finally:
            del self._at[key]
            self._done.append(key)
            self.arrived.set()

    async def handle(self, taken: Claimed) -> bool:
        """Handle one stored update; count a failure and park it after the third. Return False if it will be tried again.

        Raise StorageUnavailable.
        """
        gateway = self.gateway
        failure: BaseException | None = None
        try:
            update = Update.de_json(taken.payload, self.application.bot)
            await self.application.process_update(update)
            failure = gateway.failures.pop(taken.update_id, None)
        except Exception as error:  # a hostile update may raise anything in the parser
            failure = error
        if isinstance(failure, StorageUnavailable):
            raise failure
        if failure is not None:
            cause = where_of(failure)
            # Counting reads nothing but the person's id, so that any update can be parked.
            parked = await gateway.store.run(inbox.count_failure, gateway.context, taken, cause)
            log.error("Update %s failed (%s)%s.", taken.update_id, cause, "; parked" if parked else "")
            return parked
        if taken.update_id in gateway.acted:
            gateway.acted.discard(taken.update_id)
        else:
            await gateway.store.run(inbox.mark_handled, gateway.context.bot_id, taken.update_id)
        return True
