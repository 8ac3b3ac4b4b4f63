"""The console as a Telegram Mini App: check Telegram's signature before believing who opened it.

The check follows https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qsl

from storage.core.clock import as_datetime

#: Seconds: the oldest init data we accept, and how far Telegram's clock may run ahead of ours.
OLDEST, AHEAD = 300, 30
LONGEST = 8192


@dataclass(frozen=True)
class Opened:
    """Who opened the Mini App (a Telegram id), and Telegram's hash of this opening, which may be used only once."""

    telegram_id: int
    seal: str


def opened_by(init_data: str, token: str, at: str) -> Opened | None:
    """Return who opened the Mini App; None unless the init data is intact, recent and signed with our bot's token."""
    if not token or len(init_data) > LONGEST:
        return None
    try:
        pairs = parse_qsl(init_data, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=32)
    except (ValueError, UnicodeError):
        return None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        return None
    seal = fields.pop("hash", "")
    lines = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    key = hmac.digest(b"WebAppData", token.encode(), sha256)
    if not hmac.compare_digest(hmac.digest(key, lines.encode(), sha256).hex().encode(), seal.encode()):
        return None
    try:
        age = as_datetime(at).timestamp() - int(fields["auth_date"])
        person = json.loads(fields["user"])["id"]
    except (KeyError, TypeError, ValueError):
        return None
    if not -AHEAD <= age <= OLDEST or type(person) is not int:
        return None
    return Opened(person, seal)
