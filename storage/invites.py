"""Invites: each admits one person, once, until it expires. We keep only keyed hashes of codes and count wrong ones."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import RowMapping

from storage.core import ledger
from storage.core.faults import NotAllowed
from storage.core.models import Invite, WrongCode, table_of
from storage.core.screened import ScreenedText
from storage.core.statements import insert_one
from storage.core.unit import Unit


class State(StrEnum):
    """The state of an invite; one that was asked for needs a second person's approval. The values are stored."""

    ASKED = "asked"
    OPEN = "open"
    USED = "used"
    WITHDRAWN = "withdrawn"


INVITE = table_of(Invite)
WRONG = table_of(WrongCode)

#: 128 bits: 22 characters of base64url.
CODE_BYTES = 16
#: This many wrong codes within the window lock a person out until it has passed.
MOST_TRIES = 5


class NotLetIn(NotAllowed):
    """The code admits nobody (unknown, used, expired, withdrawn or not approved), or there were too many tries."""


@dataclass(frozen=True)
class InvitedAs:
    """What an invite calls the person; screened when the invite was made."""

    text: str


@dataclass(frozen=True)
class InviteRow:
    """An invite as stored, with `known_as` decrypted."""

    id: int
    role: str
    team: str
    state: str
    made_by: str
    expires_at: str
    known_as: InvitedAs | None


@dataclass(frozen=True)
class Invited:
    """The role and the team that an invite gives, and what the inviter calls the person."""

    role: str
    team: str
    known_as: ScreenedText | None = None
    #: Whether the invite can be used at once, without a second person's approval.
    is_open: bool = True


def make(unit: Unit, invited: Invited, at: str, expires_at: str, actor: str) -> tuple[str, int]:
    """Make an invite; return its code, which is shown only once, and its id."""
    role, team, known_as = invited.role, invited.team, invited.known_as
    code = secrets.token_urlsafe(CODE_BYTES)
    key = _hash(unit, code)
    sealed = unit.keys.members.seal(known_as.text.encode(), f"invite:{key.hex()}") if known_as else None
    values = {
        "code_hash": key, "role": role, "team": team, "state": State.OPEN if invited.is_open else State.ASKED,
        "made_by": actor, "made_at": at, "expires_at": expires_at, "known_as": sealed,
    }  # fmt: skip
    made = insert_one(unit, INVITE, values)
    ledger.append(unit, at, actor, "invite.made", f"invite:{made}", ledger.digest_of([role, team]))
    return code, made


def get(unit: Unit, invite_id: int) -> InviteRow | None:
    """Return an invite by its id."""
    row = unit.connection.execute(select(INVITE).where(INVITE.c.id == invite_id)).mappings().first()
    return _row(unit, row) if row else None


def approve(unit: Unit, invite_id: int, at: str, actor: str) -> bool:
    """Approve an invite that is waiting for a second person; return False if it is not waiting or `actor` made it."""
    done = unit.connection.execute(
        update(INVITE)
        .where(INVITE.c.id == invite_id, INVITE.c.state == State.ASKED, INVITE.c.made_by != actor)
        .values(state=State.OPEN, approved_by=actor)
    )
    if done.rowcount == 1:
        ledger.append(unit, at, actor, "invite.approved", f"invite:{invite_id}")
    return done.rowcount == 1


def use(unit: Unit, code: str, telegram_id: int, at: str, since: str) -> InviteRow:
    """Redeem an invite and return it; raise NotLetIn. Wrong codes count if their window began at or after `since`."""
    who = unit.keys.lookup(f"telegram:{telegram_id}")
    tried = unit.connection.execute(select(WRONG).where(WRONG.c.who == who)).first()
    counts = tried is not None and tried.since >= since
    tries, begun = (tried.tries, tried.since) if tried and counts else (0, at)
    if tries >= MOST_TRIES:
        raise NotLetIn("too_many_codes")
    known = INVITE.c.code_hash == _hash(unit, code)
    used = unit.connection.execute(
        update(INVITE)
        .where(known, INVITE.c.state == State.OPEN, INVITE.c.expires_at > at)
        .values(state=State.USED, used_by=telegram_id)
    )
    unit.connection.execute(delete(WRONG).where(WRONG.c.who == who))
    if used.rowcount != 1:
        unit.connection.execute(insert(WRONG).values(who=who, tries=tries + 1, since=begun))
        raise NotLetIn("invite_not_valid")
    return _row(unit, unit.connection.execute(select(INVITE).where(known)).mappings().one())


def was_used_by(unit: Unit, code: str, telegram_id: int) -> bool:
    """Return whether this person has already joined with this code: a client may send it twice."""
    where = (INVITE.c.code_hash == _hash(unit, code), INVITE.c.state == State.USED, INVITE.c.used_by == telegram_id)
    return unit.connection.execute(select(INVITE.c.id).where(*where)).first() is not None


def withdraw_by(unit: Unit, actor: str) -> None:
    """Withdraw the unused invites that a person made or approved, because they have left."""
    mine = (INVITE.c.made_by == actor) | (INVITE.c.approved_by == actor)
    unit.connection.execute(
        update(INVITE).where(mine, INVITE.c.state.in_((State.ASKED, State.OPEN))).values(state=State.WITHDRAWN)
    )


def prune(unit: Unit, before: str) -> None:
    """Delete counts of wrong codes that began before this time."""
    unit.connection.execute(delete(WRONG).where(WRONG.c.since < before))


def _hash(unit: Unit, code: str) -> bytes:
    return unit.keys.lookup(f"invite:{code}")


def _row(unit: Unit, row: RowMapping) -> InviteRow:
    values = {name: row[name] for name in ("id", "role", "team", "state", "made_by", "expires_at")}
    sealed, key = row["known_as"], row["code_hash"]
    known_as = InvitedAs(unit.keys.members.open(sealed, f"invite:{key.hex()}").decode()) if sealed else None
    return InviteRow(**values, known_as=known_as)
