"""Members: who may use the bot, in which role and team."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from storage import ledger
from storage.database import Unit
from storage.models import Member

MEMBER = Member.__table__  # type: ignore[attr-defined]
ROLES = ("practitioner", "supervisor", "administrator")


@dataclass(frozen=True)
class MemberRow:
    """A member as stored."""

    id: int
    telegram_id: int
    role: str
    team: str
    added_at: str
    ended_at: str | None


def get(unit: Unit, telegram_id: int) -> MemberRow | None:
    """Return the member with this Telegram id, unless the membership has ended."""
    query = select(MEMBER).where(MEMBER.c.telegram_id == telegram_id, MEMBER.c.ended_at.is_(None))
    row = unit.connection.execute(query).first()
    return MemberRow(**row._mapping) if row else None


def save(unit: Unit, telegram_id: int, role: str, team: str, at: str, actor: str) -> MemberRow:
    """Add a member, or give one another role or team. An ended membership starts again."""
    if role not in ROLES:
        raise ValueError(f"There is no role {role}.")
    values = {"role": role, "team": team, "ended_at": None}
    known = unit.connection.execute(select(MEMBER.c.id).where(MEMBER.c.telegram_id == telegram_id)).scalar()
    if known is None:
        unit.connection.execute(insert(MEMBER).values(telegram_id=telegram_id, added_at=at, **values))
    else:
        unit.connection.execute(update(MEMBER).where(MEMBER.c.id == known).values(**values))
    member = get(unit, telegram_id)
    assert member is not None  # noqa: S101 (just written)
    ledger.append(unit, at, actor, "member.saved", f"member:{member.id}", ledger.digest_of([role, team]))
    return member


def end(unit: Unit, telegram_id: int, at: str, actor: str) -> bool:
    """End a membership at once; return whether there was one."""
    member = get(unit, telegram_id)
    if member is None:
        return False
    unit.connection.execute(update(MEMBER).where(MEMBER.c.id == member.id).values(ended_at=at))
    ledger.append(unit, at, actor, "member.ended", f"member:{member.id}")
    return True


def listed(unit: Unit) -> list[MemberRow]:
    """Return all members, ended ones too."""
    return [MemberRow(**row._mapping) for row in unit.connection.execute(select(MEMBER).order_by(MEMBER.c.id))]
