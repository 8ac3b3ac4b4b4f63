"""Plain values <-> JSON bytes: orjson where it can, the standard library where it cannot.

An integer of more than 64 bits comes back as a float; ours and Telegram's are shorter.
"""

from __future__ import annotations

import json
from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    """Return a value as JSON."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # For example a lone surrogate, which Telegram's JSON can hold.
        return json.dumps(value).encode()


def loads(said: bytes) -> Any:
    """Return the value of JSON bytes; raise ValueError, or RecursionError if it is nested too deeply."""
    try:
        return orjson.loads(said)
    except ValueError:
        return json.loads(said)
