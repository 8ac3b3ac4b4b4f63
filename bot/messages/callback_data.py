"""Buttons <-> values, 64 bytes. A button of a conversation carries its handle and revision, so an old one is known.

<handle>:<revision>:<act>     a button of a conversation; act is a trigger (purpose.yes) or one of our own (!back)
-:<act>                       a button that belongs to no conversation (-:start.share)
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 64
#: Starts the flow that the command /share begins in the edition in use.
START = "start.share"
HANDLE = 8


class BadButton(Exception):
    """The bot did not make this data: it was forged, cut or comes from another bot."""


@dataclass(frozen=True)
class Button:
    """What a button means: an act, and the conversation and revision it was drawn for."""

    act: str
    handle: str | None = None
    revision: int | None = None

    def encode(self) -> str:
        """Return the button's data; raise BadButton when it would be longer than Telegram allows."""
        data = f"-:{self.act}" if self.handle is None else f"{self.handle}:{self.revision}:{self.act}"
        if len(data.encode()) > LONGEST:
            raise BadButton(f"The button {self.act} is longer than {LONGEST} bytes.")
        return data


def handle_of(conversation_id: str) -> str:
    """Return the short name of a conversation that its buttons carry."""
    return conversation_id[:HANDLE]


def decode(data: str) -> Button:
    """Read a button; raise BadButton."""
    if not data.isprintable():
        raise BadButton("This button is not ours.")
    if data.startswith("-:"):
        return Button(data[2:])
    parts = data.split(":", 2)
    if len(parts) != 3 or len(parts[0]) != HANDLE or not parts[1].isascii() or not parts[1].isdigit():
        raise BadButton("This button is not ours.")
    return Button(parts[2], parts[0], int(parts[1]))
