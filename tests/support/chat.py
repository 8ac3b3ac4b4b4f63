"""A chat driver over the real PTB dispatch, the real store and the local Telegram: tap by what a person sees."""

from __future__ import annotations

import re
from typing import Any

from bot.composition.settings import CASE_REFERENCE
from bot.local.request import LocalRequest
from bot.local.world import BOT, Shown, World
from bot.telegram import application
from bot.telegram.gateway import Gateway
from bot.telegram.service import Service
from bot.usecases.context import Context
from bot.usecases.outbox import fetch
from storage import inbox, members, outbox
from storage.core.clock import later, utc_now
from storage.core.sealing import Keyring
from storage.core.store import Store
from storage.opening import open_store

TOKEN = "1:LOCAL"


class Chat:
    """One bot and several people. Each call returns once everything has been handled and sent."""

    def __init__(self, url: str, keys: Keyring, people: tuple[int, ...] = (100,)) -> None:
        self.url, self.keys, self.people = url, keys, people
        self.world = World()
        self.seen: list[Shown] = []
        self.world.listeners.append(self.seen.append)
        #: Whether to reopen the store and rebuild the bot before every message.
        self.restart_always = False
        #: How far the bot's clock is ahead of the real time.
        self.minutes = 0.0

    async def __aenter__(self) -> Chat:
        await self._start()
        for person in self.people:
            await self.store.run(members.save, person, "practitioner", "north", utc_now(), "test")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def _start(self) -> None:
        self.store: Store = open_store(self.url, self.keys)
        self.context = Context("hmg-2015", int(str(BOT["id"])), "test", re.compile(CASE_REFERENCE), now=self.now)
        self.gateway = Gateway(self.store, self.context)
        request = LocalRequest(self.world)
        self.app = application.build(self.gateway, TOKEN, request)
        await self.app.initialize()
        self.context.username = self.app.bot.username
        self.service = Service(self.app, self.gateway)
        self.sender = self.service.sender
        self.intake = self.service.intake

    async def _stop(self) -> None:
        await self.gateway.settle()
        self.gateway.close()
        await self.app.shutdown()
        self.store.close()

    async def restart(self) -> None:
        """Stop the bot and start it again on the same data."""
        await self._stop()
        await self._start()

    # ---- settling -------------------------------------------------------------------------------
    async def settle(self) -> None:
        """Take in, handle and send everything that is waiting."""
        if self.restart_always:
            await self.restart()
        await self.take_in()
        while waiting := await self.store.run(inbox.claim, self.context.bot_id):
            for taken in waiting:
                await self.intake.handle(taken)
        if self.restart_always:
            await self.restart()
        while found := (await self.store.run(fetch, self.context, [], [], 50, 0.0)).messages:
            for message, card in found:
                await self.sender.send(message, card)
        while pictures := await self.store.run(outbox.claim_pictures, [], [], 50):
            for message in pictures:
                await self.service.pictures.send(message)
        await self.gateway.settle()
        if self.world.crashes:
            raise self.world.crashes[0]

    async def take_in(self) -> None:
        """Store the updates that wait at Telegram, and acknowledge them."""
        while updates := await self.app.bot.do_api_request("getupdates", api_kwargs={"offset": 0, "timeout": 0}):
            await self.intake.take_in(updates)
            last = max(update["update_id"] for update in updates)
            await self.app.bot.do_api_request("getupdates", api_kwargs={"offset": last + 1, "timeout": 0})

    async def tick(self, minutes: float = 0) -> None:
        """Let time pass, fire due timers, and settle."""
        self.minutes += minutes
        await self.service.fire_due()
        await self.settle()

    def now(self) -> str:
        """Return the time by the bot's clock."""
        return later(utc_now(), self.minutes)

    # ---- a person -------------------------------------------------------------------------------
    async def say(self, text: str, person: int = 100, chat: int | None = None, **more: Any) -> None:
        """Write to the bot, or in a group."""
        self.world.say(person, text, chat, **more)
        await self.settle()

    async def tap(self, label: str, person: int = 100, chat: int | None = None) -> None:
        """Tap the button with this label on the newest message that has it."""
        message, data = self.find(label, chat or person)
        self.world.press(person, message, data)
        await self.settle()

    async def press(self, data: str, person: int = 100, message: dict[str, Any] | None = None) -> None:
        """Send raw button data, as an old, doubled or forged button would."""
        shown = message or self.card(person)
        self.world.press(person, shown, data)
        await self.settle()

    def find(self, label: str, person: int = 100) -> tuple[dict[str, Any], str]:
        """Return the newest message that shows a button, and the button's data."""
        for message in self.visible(person):
            for row in (message.get("reply_markup") or {}).get("inline_keyboard", []):
                for button in row:
                    if button["text"] == label:
                        return message, button["callback_data"]
        raise AssertionError(f"no button {label!r}; shown: {self.labels(person)} on {self.text(person)[:200]!r}")

    # ---- what is seen ---------------------------------------------------------------------------
    def visible(self, person: int = 100) -> list[dict[str, Any]]:
        """Return the bot's messages in a chat, newest first."""
        found = [m for (chat, _), m in self.world.messages.items() if chat == person and m["from"]["is_bot"]]
        return sorted(found, key=lambda message: -message["message_id"])

    def card(self, person: int = 100) -> dict[str, Any]:
        """Return the newest message with buttons, or the newest message."""
        found = self.visible(person)
        return next((message for message in found if message.get("reply_markup")), found[0])

    def text(self, person: int = 100) -> str:
        """Return the text of the newest message."""
        found = self.visible(person)
        return str(found[0].get("text") or found[0].get("caption")) if found else ""

    def labels(self, person: int = 100) -> list[str]:
        """Return the labels of the buttons on the card."""
        rows = (self.card(person).get("reply_markup") or {}).get("inline_keyboard", [])
        return [button["text"] for row in rows for button in row]
