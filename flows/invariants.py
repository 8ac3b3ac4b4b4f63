"""What must be so because other code makes it so. If it is not, that is our mistake: say so at once, in every mode of Python."""

from __future__ import annotations

from typing import TypeVar

Value = TypeVar("Value")


class BrokenInvariant(Exception):
    """The program contradicts itself."""


def present(value: Value | None, why: str) -> Value:
    """Return a value that cannot be missing here; raise BrokenInvariant if it is. `why`: what guarantees it."""
    if value is None:
        raise BrokenInvariant(f"A value is missing, although {why}.")
    return value
