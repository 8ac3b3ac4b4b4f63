"""Teams: their channels and their rules for second opinions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from storage.core import ledger
from storage.core.faults import NotAllowed
from storage.core.models import Member, Team, table_of
from storage.core.statements import Prepared
from storage.core.unit import Unit

TEAM = table_of(Team)
MEMBER = table_of(Member)
_CHANNEL_OF = Prepared(
    select(TEAM.c.channel_chat_id)
    .join(MEMBER, MEMBER.c.team == TEAM.c.name)
    .where(MEMBER.c.id == bindparam("member_id"))
)

QUORUM, DEADLINE_MINUTES = 2, 240
MOST_QUORUM, MOST_MINUTES = 9, 14 * 24 * 60


class CannotSet(NotAllowed):
    """A team's setting cannot have this value."""


@dataclass(frozen=True)
class TeamRow:
    """A team as stored. `deputy_id` is a member's id."""

    name: str
    channel_chat_id: int | None
    channel_thread_id: int | None
    quorum: int
    deadline_minutes: int
    deputy_id: int | None


def ensure(unit: Unit, name: str) -> None:
    """Create a team with the default rules, unless it exists."""
    if unit.connection.execute(select(TEAM.c.name).where(TEAM.c.name == name)).first() is None:
        unit.connection.execute(insert(TEAM).values(name=name, quorum=QUORUM, deadline_minutes=DEADLINE_MINUTES))


def get(unit: Unit, name: str) -> TeamRow:
    """Return a team by its name; it must exist."""
    return TeamRow(**unit.connection.execute(select(TEAM).where(TEAM.c.name == name)).one()._mapping)


def of_channel(unit: Unit, chat_id: int) -> TeamRow | None:
    """Return the team whose channel this chat is, or None."""
    row = unit.connection.execute(select(TEAM).where(TEAM.c.channel_chat_id == chat_id)).first()
    return TeamRow(**row._mapping) if row else None


def has_channel(unit: Unit, member_id: int) -> bool:
    """Return whether a member's team has a channel."""
    return _CHANNEL_OF.scalar(unit, {"member_id": member_id}) is not None


def listed(unit: Unit) -> list[TeamRow]:
    """Return all teams, sorted by name."""
    return [TeamRow(**row._mapping) for row in unit.connection.execute(select(TEAM).order_by(TEAM.c.name))]


def claim(unit: Unit, name: str, chat_id: int, thread_id: int | None, at: str, actor: str) -> None:
    """Make a chat a team's channel; raise CannotSet if it is another team's."""
    holder = of_channel(unit, chat_id)
    if holder and holder.name != name:
        raise CannotSet("channel_of_another_team")
    _set(unit, name, at, actor, "team.channel_claimed", channel_chat_id=chat_id, channel_thread_id=thread_id)


def release(unit: Unit, name: str, at: str, actor: str) -> None:
    """Leave a team without a channel."""
    _set(unit, name, at, actor, "team.channel_released", channel_chat_id=None, channel_thread_id=None)


def moved(unit: Unit, old: int, new: int, at: str) -> bool:
    """Follow a group to its new id; return whether it is a team's channel."""
    team = of_channel(unit, old)
    if team is None:
        return False
    _set(unit, team.name, at, "telegram", "team.channel_moved", channel_chat_id=new, channel_thread_id=None)
    return True


def set_quorum(unit: Unit, name: str, quorum: int, at: str, actor: str) -> None:
    """Set how many opinions close a request; raise CannotSet."""
    if not 1 <= quorum <= MOST_QUORUM:
        raise CannotSet("quorum", most=MOST_QUORUM)
    _set(unit, name, at, actor, "team.quorum_set", quorum=quorum)


def set_deadline(unit: Unit, name: str, minutes: int, at: str, actor: str) -> None:
    """Set how many minutes a request stays open; raise CannotSet."""
    if not 1 <= minutes <= MOST_MINUTES:
        raise CannotSet("deadline", most=MOST_MINUTES)
    _set(unit, name, at, actor, "team.deadline_set", deadline_minutes=minutes)


def set_deputy(unit: Unit, name: str, member_id: int | None, at: str, actor: str) -> None:
    """Set who is asked once the deadline has passed; None for nobody."""
    _set(unit, name, at, actor, "team.deputy_set", deputy_id=member_id)


def _set(unit: Unit, name: str, at: str, actor: str, action: str, **values: Any) -> None:
    unit.connection.execute(update(TEAM).where(TEAM.c.name == name).values(**values))
    ledger.append(unit, at, actor, action, f"team:{name}", ledger.digest_of(values))
