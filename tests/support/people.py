"""People who walk to a saved record again and again, reading the chat and tapping by label."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

from bot.local.world import Shown, World

#: What a person waits for, and what they then tap or, after "=", type.
WALK = [
    ("in danger or being harmed", "No, none of these"),
    ("own wish to share", "My own wish to share"),
    ("legitimate purpose", "No"),
    ("it must be recorded with your reasons", "Do not share"),
    ("What are your reasons", "=Reason {tag}"),
    ("case reference in your own", "={tag}"),
    ("Check your answers", "Save the record"),
]
PATIENCE = 60.0


class Person:
    """One person at the local Telegram."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.number = world, number
        self.random = random.Random(number)
        self.stop = False
        self.tags: list[str] = []
        self.saved: list[str] = []
        #: Seconds from each tap or text to the awaited answer.
        self.waits: list[float] = []
        self._shown: dict[int, dict[str, Any]] = {}
        self._news = asyncio.Event()
        world.listeners.append(self.see)

    def see(self, shown: Shown) -> None:
        if shown.chat_id == self.number and shown.message["from"]["is_bot"]:
            if shown.kind == "delete":
                self._shown.pop(shown.message["message_id"], None)
            else:
                self._shown[shown.message["message_id"]] = shown.message
            self._news.set()

    async def until(self, words: str, label: str | None = None) -> dict[str, Any]:
        """Wait for a message with these words, and this button, and return it."""
        started = time.perf_counter()
        while True:
            self._news.clear()
            for _, message in sorted(self._shown.items(), reverse=True):
                if words in message.get("text", "") and (label is None or button(message, label)):
                    self.waits.append(time.perf_counter() - started)
                    return message
            try:
                await asyncio.wait_for(self._news.wait(), PATIENCE)
            except TimeoutError:
                seen = [message.get("text", "")[:80] for message in self._shown.values()]
                raise AssertionError(f"{self.number} never saw {words!r}; sees {seen}") from None

    async def use(self, think: float = 0) -> None:
        """Walk to a saved record, again and again, until told to stop. `think`: seconds before each answer."""
        while not self.stop:
            tag = f"T-{self.number}-{len(self.tags)}-{self.random.randrange(10**6)}"
            self.tags.append(tag)
            # A message sent twice around a kill may still show the words of an earlier walk.
            self._shown.clear()
            self.world.say(self.number, "/share")
            for words, act in WALK:
                message = await self.until(words, None if act.startswith("=") else act)
                await asyncio.sleep(think)
                if act.startswith("="):
                    self.world.say(self.number, act[1:].format(tag=tag))
                else:
                    self.world.press(self.number, message, button(message, act) or "")
            await self.until(f"Saved. To copy:\n\nCase reference: {tag}\n")
            self.saved.append(tag)


async def saved_more(people: list[Person], walking: list[asyncio.Task[None]], count: int) -> None:
    """Wait until this many more records are saved; raise the error that ended a walk, if any."""
    goal = sum(len(person.saved) for person in people) + count
    while sum(len(person.saved) for person in people) < goal:
        for task in walking:
            if task.done():
                task.result()
        await asyncio.sleep(0.05)


async def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is true; raise TimeoutError if it does not become true in time."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.05)


def button(message: dict[str, Any], label: str) -> str | None:
    """Return the data of the button with this label, if the message has it."""
    rows = (message.get("reply_markup") or {}).get("inline_keyboard", [])
    return next((item["callback_data"] for row in rows for item in row if item["text"] == label), None)
