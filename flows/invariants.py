"""Checks of what other code guarantees. A broken guarantee is our mistake and raises at once, in every mode of Python."""

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
