"""Plain values <-> bytes, as JSON: quickly where that can be done, in Python's own way where it cannot.

A whole number of more than 64 bits comes back as a fraction: no number of ours or of Telegram's is that long.
"""

from __future__ import annotations

import json
from typing import Any

import orjson


def packed(value: Any) -> bytes:
    """Return a value as JSON."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # As half a character, which Telegram's own JSON can hold.
        return json.dumps(value).encode()


def unpacked(said: bytes) -> Any:
    """Return the value that JSON says; raise ValueError, or RecursionError where it goes too deep."""
    try:
        return orjson.loads(said)
    except ValueError:
        return json.loads(said)
