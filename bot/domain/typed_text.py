"""Text from a person, already examined. Only `bot.usecases.typed_text` creates it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from flows import screening
from flows.advice import Answer
from flows.screening import Looked, Screened


@dataclass(frozen=True)
class Typed:
    """What a person typed, examined once. Only `screened` gives text that may be stored.

    `message_id`: the message it came in, or 0. `marks`: kinds of identifiers found in the message besides the text, for
    example a contact card.
    """

    looked: Looked
    is_danger: bool = False
    answer: Answer | None = None
    message_id: int = 0
    edited: bool = False
    forwarded: bool = False
    marks: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text as typed, for comparison with button labels and commands. Never store or post it."""
        return self.looked.text

    def screened(self, *, longest: int = screening.LONGEST, override: Collection[str] = ()) -> Screened:
        """Return the text in the form that may be stored; raise NotScreened if it may not be stored."""
        return self.looked.screened(longest=longest, override=override)
