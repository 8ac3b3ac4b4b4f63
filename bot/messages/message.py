"""A message as values: text in Telegram's HTML and rows of buttons. The only place where text is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bot.domain.reminders import LONDON
from bot.messages.callback_data import Button
from bot.messages.texts import text_of
from storage.core.clock import as_datetime

#: The longest label that shares a row with others on a phone.
SHORT = 14
LONGEST = 4096

Rows = tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True)
class Message:
    """A message ready to go: HTML text and rows of (label, data)."""

    text: str
    buttons: Rows = ()

    def payload(self, **more: Any) -> dict[str, Any]:
        """Return the message as the outbox keeps it."""
        return {"text": self.text, "buttons": [[list(button) for button in row] for row in self.buttons], **more}


def without_buttons(message: Message) -> Message:
    """Return a message for a group, where everybody could tap its buttons."""
    return Message(message.text)


def plain(text: str, *buttons: tuple[str, str]) -> Message:
    """Return a short message from the bot, with buttons that do not belong to a conversation."""
    return Message(escape(text), rows((label, Button(act).encode()) for label, act in buttons))


def emergency_row() -> Rows:
    """Return the row with the emergency button, for a message that belongs to no conversation."""
    return (((text_of("emergency.button"), Button("emergency").encode()),),)


def escape(text: str) -> str:
    """Make any text safe inside Telegram's HTML."""
    return html.escape(text, quote=False)


def bold(text: str) -> str:
    """Return text in bold, escaped."""
    return f"<b>{escape(text)}</b>"


def italic(text: str) -> str:
    """Return text in italics, escaped."""
    return f"<i>{escape(text)}</i>"


def code(text: str) -> str:
    """Return text, escaped, in a block that people can copy with one tap."""
    return f"<pre>{escape(text)}</pre>"


def folded(title: str, blocks: Iterable[str]) -> str:
    """Return blocks, already escaped, behind a title that people tap to unfold them."""
    inside = "\n\n".join([bold(title), *blocks])
    return f"<blockquote expandable>{inside}</blockquote>"


def bullets(lines: Iterable[str]) -> str:
    """Return lines as a list, escaped."""
    return "\n".join(f"• {escape(line)}" for line in lines)


def cut(text: str, most: int) -> str:
    """Return a text of at most `most` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def units(text: str) -> int:
    """Return the length of a text as Telegram counts it: UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def pages(blocks: list[str]) -> list[str]:
    """Fit blocks into as few messages as Telegram's length limit allows."""
    pages = [""]
    for block in blocks:
        joined = f"{pages[-1]}\n\n{block}" if pages[-1] else block
        if units(joined) > LONGEST - 200:
            pages.append(block)
        else:
            pages[-1] = joined
    return pages


def rows(buttons: Iterable[tuple[str, str]], most: int = 3, short: int = SHORT) -> Rows:
    """Lay out buttons: those with labels of at most `short` characters side by side, `most` a row; longer ones alone."""
    found: list[list[tuple[str, str]]] = []
    for button in buttons:
        beside = found and len(found[-1]) < most and all(len(label) <= short for label, _ in (*found[-1], button))
        if beside:
            found[-1].append(button)
        else:
            found.append([button])
    return tuple(tuple(row) for row in found)


def time_of(at: str) -> str:
    """Return a stored time as people in England read it. In the hour that comes twice in autumn, it says which of the two."""
    moment = as_datetime(at).astimezone(LONDON)
    twice = moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()
    return moment.strftime("%d %B %Y, %H:%M" + (" (%Z)" if twice else "")).lstrip("0")
