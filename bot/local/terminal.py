"""The local Telegram at the terminal: buttons are numbered; answer with a number, a label, text or a /command.

Switch between people and chats with /as colleague-1 and /in team. Piped input works the same way: the bot answers each
line before the next is read, and the end of the input ends the chat.
"""

from __future__ import annotations

import asyncio
import sys
import textwrap
from collections import defaultdict
from pathlib import Path
from typing import Any, TextIO

from bot.domain.access import Role
from bot.local.world import Shown, World
from bot.telegram.service import Service

ME, CHANNEL = 100, -100
#: The people you can be: name -> (Telegram id, role).
PEOPLE = {
    "me": (ME, Role.PRACTITIONER),
    "colleague-1": (101, Role.PRACTITIONER),
    "colleague-2": (102, Role.PRACTITIONER),
    "supervisor": (103, Role.SUPERVISOR),
    "administrator": (104, Role.ADMINISTRATOR),
}
NAMES = {number: name for name, (number, _) in PEOPLE.items()}
#: What is shown as a file: its name for people, its folder, and its name there.
FILES = {"photo": ("Picture", "pictures", "chart-{}.png"), "document": ("Document", "documents", "record-{}.pdf")}
WIDTH = 100
HELP = (
    "Answer with a number, the words of a button, text or a /command. End with Ctrl-D.\n"
    "What is folded: /more. "
    f"Be somebody else: /as NAME ({', '.join(PEOPLE)}). Go to the team's channel: /in team, and back: /in private."
)


def _fold(message: dict[str, Any]) -> tuple[str, str]:
    """Return a message's text with its folded part named only by its first line, and that part. Offsets are UTF-16 units."""
    text = str(message["text"])
    for entity in message.get("entities", ()):
        if entity["type"] == "expandable_blockquote":
            units = text.encode("utf-16-le")
            start, end = 2 * entity["offset"], 2 * (entity["offset"] + entity["length"])
            before, folded, after = (units[a:b].decode("utf-16-le") for a, b in ((0, start), (start, end), (end, None)))
            return f"{before}[{folded.partition(chr(10))[0]}: folded, /more shows it]{after}", folded
    return text, ""


class Terminal:
    """One terminal, which several people use in turn."""

    def __init__(
        self, world: World, service: Service, data: Path, actor: str = "me", out: TextIO | None = None
    ) -> None:
        self.world, self.service, self.data, self.out = world, service, data, out or sys.stdout
        self.person, self.place = PEOPLE[actor][0], PEOPLE[actor][0]
        self.cards: dict[int, dict[str, Any]] = {}
        #: The folded part of the message printed last.
        self._folded = ""
        self._unread: dict[int, list[Shown]] = defaultdict(list)
        world.listeners.append(self.show)
        world.on_open_privately = self._opened

    # ---- showing --------------------------------------------------------------------------------
    def show(self, shown: Shown) -> None:
        """Print what appears in the current chat; keep what appears in another chat until somebody goes there."""
        chat = shown.chat_id
        if shown.kind not in ("delete", *FILES) and self.buttons(shown.message):
            self.cards[chat] = shown.message
        if chat == self.place:
            self._print_shown(shown)
            return
        if shown.kind == "delete":
            gone = shown.message["message_id"]
            self._unread[chat] = [kept for kept in self._unread[chat] if kept.message["message_id"] != gone]
            return
        if not self._unread[chat]:
            name = NAMES.get(chat, str(chat))
            where, how = ("in the team's channel", "/in team") if chat == CHANNEL else (f"for {name}", f"/as {name}")
            self._print(f"(Something new {where}. To see it: {how})")
        self._unread[chat] = [k for k in self._unread[chat] if k.message["message_id"] != shown.message["message_id"]]
        self._unread[chat].append(shown)

    def _print_shown(self, shown: Shown) -> None:
        message = shown.message
        if shown.kind == "delete":
            if not message["from"]["is_bot"]:
                self._print("(The message was taken out of the chat.)")
            return
        if shown.kind in FILES:
            self._print(f"[{FILES[shown.kind][0]}: {self._save_file(shown)}]\n{message.get('caption', '')}")
            return
        where = " in the team's channel" if shown.chat_id == CHANNEL else f" to {NAMES.get(shown.chat_id, '')}"
        where = "" if shown.chat_id == ME else where
        title = f"--- updated card{where} " if shown.kind == "edit" else f"--- Sharewise{where} "
        self._print(title.ljust(40, "-"))
        text, self._folded = _fold(message)
        self._print_wrapped(text)
        buttons = self.buttons(message)
        if buttons:
            self._print("")
            for number, button in enumerate(buttons, 1):
                self._print(f"  {number}. {button['text']}")

    def _print_wrapped(self, text: str) -> None:
        for line in text.split("\n"):
            self._print(
                textwrap.fill(line, WIDTH, subsequent_indent="  " if line.startswith("•") else "") if line else ""
            )

    def _save_file(self, shown: Shown) -> Path:
        _, folder, name = FILES[shown.kind]
        (self.data / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.data / folder / name.format(shown.message["message_id"])
        path.write_bytes(shown.file or b"")
        return path

    def _print(self, text: str) -> None:
        print(text, file=self.out, flush=True)

    @staticmethod
    def buttons(message: dict[str, Any]) -> list[dict[str, Any]]:
        """Return a message's buttons in reading order."""
        rows = (message.get("reply_markup") or {}).get("inline_keyboard") or []
        return [button for row in rows for button in row]

    # ---- changing person and chat ---------------------------------------------------------------
    def _go(self, place: int) -> None:
        """Go to another chat and print what is unread there, or else its latest card."""
        self.place = place
        where = "in the team's channel" if place == CHANNEL else "in the private chat"
        self._print(f"(You are {NAMES[self.person]} now, {where}.)")
        unread = self._unread.pop(place, [])
        for shown in unread:
            self._print_shown(shown)
        card = self.cards.get(place)
        if not unread and card:
            self._print_shown(Shown("message", place, card))

    def _opened(self, person: int, _start: str) -> None:
        """Go to the private chat when a tap in the channel opens it, as Telegram does."""
        if person == self.person and self.place == CHANNEL:
            self._go(person)

    def _goes_about(self, text: str) -> bool:
        verb, _, name = text.partition(" ")
        if verb == "/as" and name in PEOPLE:
            self.person = PEOPLE[name][0]
            self._go(self.person)
        elif verb == "/as":
            self._print(f"There is nobody called {name!r}. Known: {', '.join(PEOPLE)}.")
        elif verb == "/in" and name in ("team", "private"):
            self._go(CHANNEL if name == "team" else self.person)
        elif verb == "/in":
            self._print("Say /in team or /in private.")
        elif verb == "/more":
            self._print_wrapped(self._folded or "Nothing is folded in the last message.")
        else:
            return False
        return True

    # ---- answering ------------------------------------------------------------------------------
    def answer(self, line: str) -> None:
        """Handle one line: /as or /in, a tap if it is the number or label of a button, otherwise text to the bot."""
        text = line.strip()
        if not text or self._goes_about(text):
            return
        card = self.cards.get(self.place)
        buttons = self.buttons(card) if card else []
        chosen = None
        if text.isascii() and text.isdigit() and 1 <= int(text) <= len(buttons):
            chosen = buttons[int(text) - 1]
        else:
            chosen = next((button for button in buttons if button["text"].casefold() == text.casefold()), None)
        if chosen is None and buttons and text.isascii() and text.isdigit():
            self._print(f"There is no {text}. Choose 1 to {len(buttons)}. To type a number as text, put ' before it.")
        elif chosen and "web_app" in chosen:
            self._print(f"In Telegram this opens {chosen['web_app']['url']}.")
        elif chosen and card:
            self.world.press(self.person, card, chosen["callback_data"])
        else:
            self.world.say(self.person, text.removeprefix("'"), self.place)

    async def settle(self) -> None:
        """Wait until the bot has nothing left to do; raise the error if the local Telegram crashed."""
        while self.world.pending and not self.world.crashes:
            await asyncio.sleep(0.002)
        while not await self.service.is_idle() and not self.world.crashes:
            await asyncio.sleep(0.005)
        await self.service.gateway.settle()
        if self.world.crashes:
            raise self.world.crashes[0]

    async def chat(self, lines: TextIO) -> None:
        """Send /start, then handle line by line until the input ends."""
        self.world.say(self.person, "/start")
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
                self._print(f"\n{self._prompt()}> {line.strip()}")
            self.answer(line)
            await self.settle()

    def _prompt(self) -> str:
        return "" if self.person == ME else f"{NAMES[self.person]} "
