"""Members: who may use the bot, in which role and team."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, insert, select, update

from storage import teams
from storage.core import ledger
from storage.core.models import Member, table_of
from storage.core.screened import ScreenedText
from storage.core.statements import Prepared
from storage.core.unit import Unit
from storage.invites import InvitedAs

MEMBER = table_of(Member)
#: What colleagues call a person: screened text, or the name stored with an invite.
Named = ScreenedText | InvitedAs
_BY_TELEGRAM_ID = Prepared(
    select(MEMBER).where(MEMBER.c.telegram_id == bindparam("telegram_id"), MEMBER.c.ended_at.is_(None))
)
ROLES = ("practitioner", "supervisor", "administrator")


@dataclass(frozen=True)
class MemberRow:
    """A member as stored. `known_as`: what colleagues call the person, decrypted; empty if nobody said."""

    id: int
    telegram_id: int
    role: str
    team: str
    added_at: str
    ended_at: str | None
    known_as: str = ""
    unreachable_since: str | None = None


def get(unit: Unit, telegram_id: int) -> MemberRow | None:
    """Return the member with this Telegram id, unless the membership has ended."""
    row = _BY_TELEGRAM_ID.first(unit, {"telegram_id": telegram_id})
    return _row(unit, row._asdict()) if row else None


def by_id(unit: Unit, member_id: int) -> MemberRow | None:
    """Return the member with this id (ours, not Telegram's), unless the membership has ended."""
    return _one(unit, MEMBER.c.id == member_id)


def save(
    unit: Unit, telegram_id: int, role: str, team: str, at: str, actor: str, known_as: Named | None = None
) -> MemberRow:
    """Add a member, or change their role or team. An ended membership resumes. None leaves `known_as` unchanged."""
    if role not in ROLES:
        raise ValueError(f"There is no role {role}.")
    teams.ensure(unit, team)
    values: dict[str, object] = {"role": role, "team": team, "ended_at": None}
    if known_as is not None:
        values["known_as"] = unit.keys.members.seal(known_as.text.encode(), f"member:{telegram_id}")
    known = unit.connection.execute(select(MEMBER.c.id).where(MEMBER.c.telegram_id == telegram_id)).scalar()
    if known is None:
        unit.connection.execute(insert(MEMBER).values(telegram_id=telegram_id, added_at=at, **values))
    else:
        unit.connection.execute(update(MEMBER).where(MEMBER.c.id == known).values(**values))
    member = get(unit, telegram_id)
    if member is None:
        raise LookupError("a member that was just written is missing")
    ledger.append(unit, at, actor, "member.saved", f"member:{member.id}", ledger.digest_of([role, team]))
    return member


def end(unit: Unit, telegram_id: int, at: str, actor: str) -> bool:
    """End a membership immediately; return whether there was one."""
    member = get(unit, telegram_id)
    if member is None:
        return False
    unit.connection.execute(update(MEMBER).where(MEMBER.c.id == member.id).values(ended_at=at))
    ledger.append(unit, at, actor, "member.ended", f"member:{member.id}")
    return True


def set_unreachable(unit: Unit, telegram_id: int, since: str | None) -> None:
    """Record when the bot became unable to message a member; None if it can message them again."""
    unit.connection.execute(update(MEMBER).where(MEMBER.c.telegram_id == telegram_id).values(unreachable_since=since))


def listed(unit: Unit) -> list[MemberRow]:
    """Return all members, including former ones."""
    return _many(unit)


def of_team(unit: Unit, team: str, *roles: str) -> list[MemberRow]:
    """Return the current members of a team; if roles are given, only those who have one of them."""
    only = (MEMBER.c.role.in_(roles),) if roles else ()
    return _many(unit, MEMBER.c.team == team, MEMBER.c.ended_at.is_(None), *only)


def _one(unit: Unit, where: ColumnElement[bool]) -> MemberRow | None:
    row = unit.connection.execute(select(MEMBER).where(where, MEMBER.c.ended_at.is_(None))).mappings().first()
    return _row(unit, row) if row else None


def _many(unit: Unit, *where: ColumnElement[bool]) -> list[MemberRow]:
    query = select(MEMBER).where(*where).order_by(MEMBER.c.id)
    return [_row(unit, row) for row in unit.connection.execute(query).mappings()]


def _row(unit: Unit, row: Mapping[Any, Any]) -> MemberRow:
    values = dict(row)
    sealed = values.pop("known_as")
    known_as = unit.keys.members.open(sealed, f"member:{row['telegram_id']}").decode() if sealed else ""
    return MemberRow(**values, known_as=known_as)
