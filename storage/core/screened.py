"""The type of the free text that storage accepts: only text marked as screened. A plain string does not fit it."""

from __future__ import annotations

from typing import Protocol


class ScreenedText(Protocol):
    """Text that has passed `flows.screening`, the only module that can make it."""

    @property
    def text(self) -> str:
        """The text itself."""

    @property
    def said_not_a_person(self) -> int:
        """How many words or phrases in it looked like a name, but the person said that they are not."""

    @property
    def made_by(self) -> object:
        """The mark that only screening can set."""
