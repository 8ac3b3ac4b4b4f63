"""Send the messages in the outbox: oldest first per chat, chats in parallel, edits rather than new messages.

Repeating an edit is harmless. A new message is repeated only if the process died, or an answer was lost,
during that one call.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from telegram import BotCommandScopeChat
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError, TimedOut

from bot.composition.logs import where_of
from bot.telegram.application import LOOK_AGAIN, SENDS, App
from bot.telegram.retry import PAUSE, REFUSED, refused_for_good, seconds_of, until_stored, wait_to_retry
from bot.usecases import channels, outbox
from bot.usecases.context import Context
from bot.usecases.outbox import Message
from storage.core.faults import StorageUnavailable
from storage.core.store import Store

log = logging.getLogger("sharewise.sender")

#: Seconds a chat rests after Telegram has not answered in time once, twice, three times. Then the message is parked,
#: because each attempt may have shown it.
LATE = (PAUSE, 10.0, 60.0)
NO_PREVIEW = {"is_disabled": True}

#: Telegram's reasons for refusing a message that do not quote the message.
REASONS = (
    "chat not found", "bot was blocked", "user is deactivated", "can't initiate conversation", "bot was kicked",
    "bot is not a member", "not enough rights", "have no rights", "need administrator rights", "message is too long",
    "caption is too long", "can't parse entities", "button_data_invalid", "button_url_invalid", "photo_invalid",
)  # fmt: skip

#: The error descriptions that Telegram returns when a topic has been deleted or closed. The message then goes to the general topic.
TOPIC_GONE = ("thread not found", "topic_closed", "topic_deleted", "topic closed", "topic deleted", "topic_id_invalid")


@dataclass(frozen=True)
class Rest:
    """Until when a chat rests, by the event loop's clock, and whether this worker holds it until then."""

    until: float
    ours: bool


class Sender:
    """Sends the messages in the outbox. Create it inside the running event loop."""

    def __init__(self, application: App, store: Store, context: Context) -> None:
        self.application, self.store, self.context = application, store, context
        self.wake = asyncio.Event()
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._resting: dict[int, Rest] = {}
        #: Chats that were sent to and are not yet released.
        self._sent_to: list[int] = []
        #: How often Telegram has not answered in time, by message.
        self._late: dict[int, int] = {}
        #: Gets an error if a send fails in a way that trying again cannot fix.
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop, then finish the sends under way."""
        loop = asyncio.get_running_loop()
        while not stop.is_set() and not self.failed.done():
            self.wake.clear()
            self._let_rested_go(loop.time())
            done, self._sent_to = self._sent_to, []
            not_chats, asked = [*self._busy, *self._resting], SENDS - len(self._busy)
            try:
                found = await self.store.run(outbox.fetch, self.context, done, not_chats, asked, time.time())
            except StorageUnavailable as error:
                self._sent_to += done
                await wait_to_retry(error)
                continue
            for chat, wait in found.rests.items():
                self._resting[chat] = Rest(loop.time() + wait, ours=False)
            for message, card in found.messages:
                task = asyncio.create_task(self.send(message, card))
                self._busy[message.chat_id] = task
                task.add_done_callback(partial(self._done, message.chat_id))
            if found.pause:
                await asyncio.sleep(found.pause)
            # If chats that must wait before their next message filled the list, other chats may be queued behind them.
            elif not found.rests or len(found.messages) + len(found.rests) < asked:
                wait = (
                    min((rest.until for rest in self._resting.values()), default=loop.time() + LOOK_AGAIN) - loop.time()
                )
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.wake.wait(), min(max(wait, 0.01), LOOK_AGAIN))
        await asyncio.gather(*self._busy.values(), return_exceptions=True)

    def _let_rested_go(self, now: float) -> None:
        over = [chat for chat, rest in self._resting.items() if rest.until <= now]
        for chat in over:
            if self._resting.pop(chat).ours:
                self._sent_to.append(chat)

    def _done(self, chat: int, task: asyncio.Task[None]) -> None:
        self._busy.pop(chat, None)
        if chat not in self._resting:
            self._sent_to.append(chat)
        self.wake.set()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fatal(error)

    def _fatal(self, error: BaseException) -> None:
        log.critical("The sender failed (%s).", where_of(error))
        if not self.failed.done():
            self.failed.set_exception(error)

    @property
    def busy(self) -> bool:
        """Whether a message is being sent."""
        return bool(self._busy)

    async def send(self, message: Message, card: int | None) -> None:
        """Send one message and note that it was sent. On a passing failure, keep the message and let its chat rest."""
        rest = PAUSE
        try:
            new_card = await self.post(message, card)
        except RetryAfter as error:
            rest = seconds_of(error)
        except REFUSED:
            await refused_for_good(self.application.bot)
        except ChatMigrated as error:
            await until_stored(self.store, channels.moved, self.context, message.chat_id, error.new_chat_id)
            return
        except (BadRequest, Forbidden) as error:
            await self._park(message, reason_of(error), isinstance(error, Forbidden))
            return
        except TimedOut:
            late = self._late[message.id] = self._late.get(message.id, 0) + 1
            if late > len(LATE):
                await self._park(message, f"no answer {late} times; it may have been shown")
                del self._late[message.id]
                return
            log.warning("Telegram did not answer in time. Trying again.")
            rest = LATE[late - 1]
        except TelegramError as error:
            log.warning("Sending failed (%s). Trying again.", type(error).__name__)
        except Exception as error:
            # Trying again would fail in the same way for ever.
            await self._park(message, f"it cannot be made: {where_of(error)}")
            return
        else:
            self._late.pop(message.id, None)
            await until_stored(self.store, outbox.note_sent, self.context, message, new_card, card)
            return
        # Keep the chat while it rests, so that no other worker sends there too early.
        self._resting[message.chat_id] = Rest(asyncio.get_running_loop().time() + rest, ours=True)

    async def _park(self, message: Message, cause: str, stopped_by_person: bool = False) -> None:
        level = logging.WARNING if stopped_by_person else logging.ERROR
        log.log(level, "message:%s cannot be sent and is parked (%s).", message.id, cause)
        await until_stored(self.store, outbox.park, self.context, message, cause, stopped_by_person)

    # ---- one message ----------------------------------------------------------------------------
    async def post(self, message: Message, card: int | None) -> int | None:
        """Send one message to Telegram, or edit the card it replaces; return the id of the card that now shows it."""
        bot, chat, payload = self.application.bot, message.chat_id, message.payload
        if message.kind == "delete":
            try:
                await self._call("deletemessage", {"chat_id": chat, "message_id": payload["message_id"]})
            except BadRequest as error:
                log.info("A message could not be deleted.")
                if payload.get("tell") and "not found" not in str(error).lower():
                    await until_stored(self.store, outbox.say_could_not_delete, chat)
            return None
        if message.kind == "menu":
            try:
                await bot.set_my_commands(payload["commands"], BotCommandScopeChat(chat))
            except (BadRequest, Forbidden) as error:
                log.info("A member's menu could not be set (%s).", reason_of(error))
            return None
        if message.kind == "leave":
            await bot.leave_chat(chat)
            return None
        if message.kind == "remove":
            await self._remove(chat, payload["user_id"])
            return None
        shown = {
            "chat_id": chat,
            "text": payload["text"],
            "parse_mode": ParseMode.HTML,
            "link_preview_options": NO_PREVIEW,
        }
        if payload.get("buttons"):
            shown["reply_markup"] = keyboard(payload["buttons"])
        if message.kind == "card" and card is not None and not payload.get("below"):
            try:
                await self._call("editmessagetext", {**shown, "message_id": card})
                return card
            except BadRequest as error:
                if "not modified" in str(error).lower():
                    return card
                log.info("The card is gone; a new one is sent.")
        thread = payload.get("thread")
        try:
            sent = await self._call("sendmessage", {**shown, **({"message_thread_id": thread} if thread else {})})
        except BadRequest as error:
            if not thread or not any(sign in str(error).lower() for sign in TOPIC_GONE):
                raise
            sent = await self._call("sendmessage", shown)
        return int(sent["message_id"])

    async def _call(self, method: str, parameters: dict[str, Any]) -> Any:
        """Make a call with plain values; a lower-case method name keeps the library from building objects."""
        return await self.application.bot.do_api_request(method, api_kwargs=parameters)

    async def _remove(self, chat: int, user_id: int) -> None:
        """Remove a former member from a channel without banning them; ask the channel to do it if the bot may not."""
        try:
            await self.application.bot.ban_chat_member(chat, user_id)
            await self.application.bot.unban_chat_member(chat, user_id, only_if_banned=True)
        except (BadRequest, Forbidden):
            await until_stored(self.store, outbox.ask_to_remove, chat)


def reason_of(error: TelegramError) -> str:
    """Return why Telegram refuses a message, in its own words only if they are known not to quote the message."""
    said = error.message.lower()
    return next((f"Telegram: {reason}" for reason in REASONS if reason in said), type(error).__name__)


def keyboard(rows: list[list[list[str]]]) -> dict[str, Any]:
    """Return the keyboard of a message. A button with an address opens it inside Telegram."""

    def button(label: str, data: str) -> dict[str, Any]:
        kind = {"web_app": {"url": data}} if data.startswith("https://") else {"callback_data": data}
        return {"text": label, **kind}

    return {"inline_keyboard": [[button(label, data) for label, data in row] for row in rows]}
