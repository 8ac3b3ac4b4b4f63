"""Sign-in to the web console, by one-time code or Mini App launch, and its sessions. Only keyed hashes are kept."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

from sqlalchemy import delete, insert, select, update

from storage.core import ledger
from storage.core.models import SignIn, UsedOpening, WebSession, table_of
from storage.core.unit import Unit

SIGN_IN = table_of(SignIn)
SESSION = table_of(WebSession)
OPENING = table_of(UsedOpening)

#: 256 bits for each code and token.
BYTES = 32


def make_sign_in(unit: Unit, member_id: int, expires_at: str) -> str:
    """Return a one-time code that starts a session for a member; it voids their earlier unused code."""
    code = secrets.token_urlsafe(BYTES)
    unit.connection.execute(delete(SIGN_IN).where(SIGN_IN.c.member_id == member_id))
    unit.connection.execute(
        insert(SIGN_IN).values(
            code_hash=unit.keys.lookup(f"sign-in:{code}"), member_id=member_id, expires_at=expires_at
        )
    )
    return code


def use_sign_in(unit: Unit, code: str, at: str) -> str | None:
    """Redeem a code and return the token of a new session; None if the code is unknown, used or expired."""
    key = unit.keys.lookup(f"sign-in:{code}")
    row = unit.connection.execute(select(SIGN_IN).where(SIGN_IN.c.code_hash == key)).first()
    used = unit.connection.execute(delete(SIGN_IN).where(SIGN_IN.c.code_hash == key)).rowcount
    if row is None or used != 1 or row.expires_at <= at:
        return None
    return _begin(unit, row.member_id, at)


def use_opening(unit: Unit, seal: str, member_id: int, at: str) -> str | None:
    """Return the token of a new session for a Mini App launch already verified; None if the launch was used before."""
    keys = unit.keys.lookups(f"opening:{seal}")
    if unit.connection.execute(select(OPENING.c.used_at).where(OPENING.c.seal_hash.in_(keys))).first():
        return None
    unit.connection.execute(insert(OPENING).values(seal_hash=keys[0], used_at=at))
    return _begin(unit, member_id, at)


def _begin(unit: Unit, member_id: int, at: str) -> str:
    token = secrets.token_urlsafe(BYTES)
    hashed = unit.keys.lookup(f"session:{token}")
    unit.connection.execute(insert(SESSION).values(token_hash=hashed, member_id=member_id, made_at=at, seen_at=at))
    ledger.append(unit, at, f"member:{member_id}", "console.signed_in", f"member:{member_id}")
    return token


def prune(unit: Unit, before: str) -> None:
    """Delete launches used before this time: they are now too old to be accepted anyway."""
    unit.connection.execute(delete(OPENING).where(OPENING.c.used_at < before))


def seen(unit: Unit, token: str, at: str, idle_since: str, made_since: str) -> int | None:
    """Return whose session this is, marking it as just used; None if it is unknown, idle too long or too old."""
    key = SESSION.c.token_hash == unit.keys.lookup(f"session:{token}")
    live = (key, SESSION.c.seen_at >= idle_since, SESSION.c.made_at >= made_since)
    member_id = unit.connection.execute(select(SESSION.c.member_id).where(*live)).scalar()
    if member_id is None:
        unit.connection.execute(delete(SESSION).where(key))
        return None
    unit.connection.execute(update(SESSION).where(key).values(seen_at=at))
    return int(member_id)


def end(unit: Unit, token: str) -> None:
    """End the session that has this token."""
    unit.connection.execute(delete(SESSION).where(SESSION.c.token_hash == unit.keys.lookup(f"session:{token}")))


def end_all(unit: Unit, member_id: int) -> None:
    """End all sessions of a member and void all their sign-in codes."""
    unit.connection.execute(delete(SESSION).where(SESSION.c.member_id == member_id))
    unit.connection.execute(delete(SIGN_IN).where(SIGN_IN.c.member_id == member_id))


def form_token(token: str) -> str:
    """Return the token that this session's forms must carry, so that no other site can submit one (CSRF)."""
    return hmac.digest(token.encode(), b"form", sha256).hex()
