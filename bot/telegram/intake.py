"""Taking in, then acknowledging. And dispatching: one update of an ordering key at a time, in the order they came.

Updates come raw and are stored before they are confirmed, so that one which the library cannot parse harms nothing else.
What fails three times is parked. Storage errors never count as a try.
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
#: How many ordering keys are worked on side by side.
SIDE_BY_SIDE = 32
#: Seconds between two tries to be the worker that polls.
LEAD_SECONDS = 2.0
#: Seconds before polling again while a webhook, or another process that polls, is in the way.
CONFLICT_SECONDS = 3.0
#: What is said when Telegram posts updates instead.
HOOKED = "A webhook is set, so the bot cannot be polled: serve --webhook, or sharewise webhook delete."


#: What is kept of a message whose button was pressed: where it stands. Its words and buttons are ours.
PLACE = ("message_id", "date", "chat", "message_thread_id", "is_topic_message")


def lean(update: dict[str, Any]) -> dict[str, Any]:
    """Return a raw update without the words and buttons of the message that was pressed."""
    query = update.get("callback_query")
    if not isinstance(query, dict) or not isinstance(query.get("message"), dict):
        return update
    place = {name: value for name, value in query["message"].items() if name in PLACE}
    return {**update, "callback_query": {**query, "message": place}}


class Intake:
    """Takes updates in and has them handled: ordering keys side by side, each in order."""

    def __init__(self, application: App, gateway: Gateway) -> None:
        self.application, self.gateway = application, gateway
        self.arrived = asyncio.Event()
        self._at: dict[int, asyncio.Task[None]] = {}
        #: Ordering keys that were worked off and are still ours.
        self._done: list[int] = []
        self._led = -1
        self._broken: Exception | None = None

    async def poll(self) -> None:
        """Fetch updates for ever; each poll confirms only what is stored. Of several workers one does."""
        offset, backoff = 0, Backoff()
        while True:
            try:
                if not await self._leads():
                    await asyncio.sleep(LEAD_SECONDS)
                    continue
                # In lower case: raw updates, without the library parsing them first. Telegram takes either.
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
                    # Without a number nothing of it can be confirmed: it comes again at once.
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
        """Say whether this worker polls. The lock ends with the connection it was taken on."""
        store = self.gateway.store
        if self._led != store.connected:
            leads = await store.run(inbox.lead_polling, self.gateway.context.bot_id)
            self._led = store.connected if leads else -1
        return self._led == store.connected

    async def take_in(self, updates: list[dict[str, Any]]) -> None:
        """Store raw updates; once this returns they may be acknowledged. Raises StorageUnavailable."""
        raw = [lean(update) for update in updates]
        taking = self.gateway.store.run(inbox.take_in, self.gateway.context.bot_id, raw, self.gateway.context.now())
        # The store works in order: who looks from now on finds them.
        self.arrived.set()
        await taking

    async def dispatch(self, stop: asyncio.Event) -> None:
        """Have stored updates handled until told to stop: ordering keys side by side, each in the order it came."""
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
            # What was asked for was found, or there is no more: until something arrives, or a key is worked off.
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
                    # Nothing of this person's goes before it.
                    return
        except StorageUnavailable as error:
            await wait_to_retry(error)
        except Exception as error:
            self._broken = error
        finally:
            del self._at[key]
            self._done.append(key)
            self.arrived.set()

    async def _tell_of_failure(self, taken: Claimed) -> None:
        try:
            await self.gateway.store.run(inbox.tell_of_failure, self.gateway.context, taken)
        except StorageUnavailable:
            raise
        except Exception as error:
            log.error("Nobody could be told of update %s (%s).", taken.update_id, where_of(error))

    async def handle(self, taken: Claimed) -> bool:
        """Have one stored update handled; count a failure, park it after the third. Return False when it waits to be tried again.

        Raises StorageUnavailable.
        """
        gateway = self.gateway
        failure: BaseException | None = None
        try:
            update = Update.de_json(taken.payload, self.application.bot)
            await self.application.process_update(update)
            failure = gateway.failures.pop(taken.update_id, None)
        except Exception as error:  # whatever a hostile update does to the parser
            failure = error
        if isinstance(failure, StorageUnavailable):
            raise failure
        if failure is not None:
            cause = where_of(failure)
            # Nothing that is in the update is touched to count it: whatever it holds, it can be parked.
            parked = await gateway.store.run(inbox.count_failure, taken, cause)
            log.error("Update %s failed (%s)%s.", taken.update_id, cause, "; parked" if parked else "")
            if parked:
                await self._tell_of_failure(taken)
            return parked
        if taken.update_id in gateway.acted:
            gateway.acted.discard(taken.update_id)
        else:
            await gateway.store.run(inbox.mark_handled, gateway.context.bot_id, taken.update_id)
        return True
