"""Teams: what they agreed about second opinions, and their channel."""

from __future__ import annotations

from bot.domain import access
from bot.domain.access import COMMAND_LINE, Resource
from bot.messages import membership_cards, refusals
from bot.messages.message import plain
from bot.usecases.context import Actor, Context, say, whole
from storage import members, teams
from storage.core.clock import utc_now
from storage.core.unit import Unit
from storage.invites import InvitedAs
from storage.members import MemberRow
from storage.teams import CannotSet, TeamRow

__all__ = ["CannotSet"]

#: The actor in the ledger when the local chat creates its members.
LOCAL_CHAT = "local chat"


def show(unit: Unit, context: Context, actor: Actor) -> None:
    """Show what the team agreed about second opinions, to an administrator with buttons to change it."""
    team = teams.get(unit, actor.member.team)
    deputy = members.by_id(unit, team.deputy_id) if team.deputy_id else None
    may_set = access.may(actor.member, "set_team", Resource(team=team.name))
    say(unit, actor.chat_id, membership_cards.team(team, deputy, members.of_team(unit, team.name), may_set))


def set_in_chat(unit: Unit, context: Context, actor: Actor, arguments: str) -> None:
    """Change the team: quorum N, deadline MINUTES, deputy MEMBER or none."""
    what, _, value = arguments.strip().replace(".", " ").partition(" ")
    name, at, number = actor.member.team, context.now(), whole(value)
    try:
        if what == "deputy" and value == "none":
            teams.set_deputy(unit, name, None, at, actor.ledger_name)
        elif what not in ("quorum", "deadline", "deputy") or number is None:
            raise CannotSet("how_to_set_team")
        elif what == "quorum":
            teams.set_quorum(unit, name, number, at, actor.ledger_name)
        elif what == "deadline":
            teams.set_deadline(unit, name, number, at, actor.ledger_name)
        else:
            deputy = members.by_id(unit, number)
            if deputy is None or deputy.team != name:
                raise CannotSet("unknown_member")
            teams.set_deputy(unit, name, deputy.id, at, actor.ledger_name)
    except CannotSet as error:
        say(unit, actor.chat_id, plain(refusals.not_allowed(error)))
        return
    show(unit, context, actor)


# ---- in the console -----------------------------------------------------------------------------
def people(unit: Unit, team: str) -> list[MemberRow]:
    """Return the members of a team."""
    return members.of_team(unit, team)


def look_at(unit: Unit, name: str) -> tuple[TeamRow, MemberRow | None, list[MemberRow]]:
    """Return a team, its deputy if it has one, and its members."""
    team = teams.get(unit, name)
    return team, members.by_id(unit, team.deputy_id) if team.deputy_id else None, members.of_team(unit, name)


# ---- in the local chat --------------------------------------------------------------------------
def settle_in(unit: Unit, team: str, channel: int, people: dict[str, tuple[int, str]]) -> None:
    """Make people members of a team and give it a channel, unless that is done. `people`: id and role by name."""
    for name, (number, role) in people.items():
        if members.get(unit, number) is None:
            members.save(unit, number, role, team, utc_now(), LOCAL_CHAT, InvitedAs(name))
    if teams.get(unit, team).channel_chat_id is None:
        teams.claim(unit, team, channel, None, utc_now(), LOCAL_CHAT)


# ---- by the operator ----------------------------------------------------------------------------
def listed(unit: Unit) -> list[TeamRow]:
    """Return all teams."""
    return teams.listed(unit)


def change(
    unit: Unit,
    name: str,
    *,
    quorum: int | None = None,
    deadline: int | None = None,
    channel: int | None = None,
    release_channel: bool = False,
) -> None:
    """Create a team if there is none with this name, and set the given values; `deadline` in minutes; raise CannotSet."""
    at = utc_now()
    teams.ensure(unit, name)
    if quorum is not None:
        teams.set_quorum(unit, name, quorum, at, COMMAND_LINE)
    if deadline is not None:
        teams.set_deadline(unit, name, deadline, at, COMMAND_LINE)
    if release_channel:
        teams.release(unit, name, at, COMMAND_LINE)
    elif channel is not None:
        teams.claim(unit, name, channel, None, at, COMMAND_LINE)
