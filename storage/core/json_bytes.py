"""Converts plain values to and from JSON bytes, with orjson where possible and the standard library otherwise.

An integer of more than 64 bits comes back as a float; ours and Telegram's are shorter.
"""

from __future__ import annotations

import json
from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    """Return a value as JSON bytes."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # orjson rejects, for example, a lone surrogate, which Telegram's JSON can contain.
        return json.dumps(value).encode()


def loads(said: bytes) -> Any:
    """Parse JSON bytes; raise ValueError, or RecursionError if the value is nested too deeply."""
    try:
        return orjson.loads(said)
    except ValueError:
        return json.loads(said)
