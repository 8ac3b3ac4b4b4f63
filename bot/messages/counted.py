"""A number with its noun."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Return "1 record" or "3 records"; `many` is the plural where it is not `one` with an s."""
    return f"{number} {one}" if number == 1 else f"{number} {many or one + 's'}"
