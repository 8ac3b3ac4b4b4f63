"""The terminal face of the local Telegram: numbered buttons; a number, a label, text or /command answers.

Works the same with piped lines: each is answered before the next is read, and the end of input ends the chat.
"""

from __future__ import annotations

import asyncio
import sys
import textwrap
from pathlib import Path
from typing import Any, TextIO

from bot.local.world import Shown, World
from bot.service import Service

ME = 100
WIDTH = 100
HELP = "Answer with a number, the words of a button, text or a /command. End with Ctrl-D."


class Terminal:
    """One person at a terminal."""

    def __init__(self, world: World, service: Service, data: Path, out: TextIO = sys.stdout) -> None:
        self.world, self.service, self.data, self.out = world, service, data, out
        self.card: dict[str, Any] | None = None
        world.listeners.append(self.show)

    # ---- showing --------------------------------------------------------------------------------
    def show(self, shown: Shown) -> None:
        """Print what the chat sees."""
        message = shown.message
        if shown.kind == "delete":
            if message["from"]["id"] == ME:
                self._print("(Your message was taken out of the chat.)")
            return
        if shown.kind == "photo":
            path = self._save_picture(message["message_id"], shown.file or b"")
            self._print(f"[Picture: {path}]\n{message.get('caption', '')}")
            return
        title = "--- updated card " if shown.kind == "edit" else "--- Sharewise "
        self._print(title.ljust(40, "-"))
        for line in message["text"].split("\n"):
            self._print(
                textwrap.fill(line, WIDTH, subsequent_indent="  " if line.startswith("•") else "") if line else ""
            )
        buttons = self.buttons(message)
        if buttons:
            self.card = message
            self._print("")
            for number, button in enumerate(buttons, 1):
                self._print(f"  {number}. {button['text']}")

    def _save_picture(self, message_id: int, content: bytes) -> Path:
        folder = self.data / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"chart-{message_id}.png"
        path.write_bytes(content)
        return path

    def _print(self, text: str) -> None:
        print(text, file=self.out, flush=True)

    @staticmethod
    def buttons(message: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the buttons of a message in reading order."""
        rows = (message.get("reply_markup") or {}).get("inline_keyboard") or []
        return [button for row in rows for button in row]

    # ---- answering ------------------------------------------------------------------------------
    def answer(self, line: str) -> None:
        """Give one line to the bot: as a tap where it names a button, as text otherwise."""
        text = line.strip()
        if not text:
            return
        buttons = self.buttons(self.card) if self.card else []
        chosen = None
        if text.isascii() and text.isdigit() and 1 <= int(text) <= len(buttons):
            chosen = buttons[int(text) - 1]
        else:
            chosen = next((button for button in buttons if button["text"].casefold() == text.casefold()), None)
        if chosen is None and buttons and text.isascii() and text.isdigit():
            self._print(f"There is no {text}. Choose 1 to {len(buttons)}. To type a number as text, put ' before it.")
        elif chosen and self.card:
            self.world.press(ME, self.card, chosen["callback_data"])
        else:
            self.world.say(ME, text.removeprefix("'"))

    async def settle(self) -> None:
        """Wait until the bot has nothing left to do."""
        while self.world.pending and not self.world.crashes:
            await asyncio.sleep(0.002)
        while not await self.service.is_idle() and not self.world.crashes:
            await asyncio.sleep(0.005)
        if self.world.crashes:
            raise self.world.crashes[0]

    async def chat(self, lines: TextIO) -> None:
        """Greet, then answer line by line until the input ends."""
        self.world.say(ME, "/start")
        await self.settle()
        tty = lines.isatty()
        if tty:
            self._print(f"\n{HELP}")
        loop = asyncio.get_running_loop()
        while True:
            if tty:
                print("\n> ", end="", file=self.out, flush=True)
            line = await loop.run_in_executor(None, lines.readline)
            if not line:
                return
            if not tty:
                self._print(f"\n> {line.strip()}")
            self.answer(line)
            await self.settle()
