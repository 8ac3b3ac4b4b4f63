"""A text from a person as the gate read it. Only `bot.usecases.typed_text` makes one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from flows import screening
from flows.advice import Answer
from flows.screening import Looked, Screened


@dataclass(frozen=True)
class Typed:
    """What a person typed, as it was read once. `message_id`: the message it stands in; 0 where there is none.

    `marks`: kinds of identifiers that the message carries beside its words, for example a contact card.
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
        """The words as they were typed: to compare with button labels and commands, never to keep or post."""
        return self.looked.text

    def screened(self, *, longest: int = screening.LONGEST, override: Collection[str] = ()) -> Screened:
        """Return the words as they may be kept; raise NotScreened."""
        return self.looked.screened(longest=longest, override=override)
