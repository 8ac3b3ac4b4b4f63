"""What storage takes as free text: only what carries the mark of screening. A plain string does not fit this type."""

from __future__ import annotations

from typing import Protocol


class ScreenedText(Protocol):
    """Text that went through `flows.screening`, which alone can make one."""

    @property
    def text(self) -> str:
        """The words."""

    @property
    def said_not_a_person(self) -> int:
        """How many things in it looked like a name and were said to be none."""

    @property
    def made_by(self) -> object:
        """The mark that only screening can set."""
