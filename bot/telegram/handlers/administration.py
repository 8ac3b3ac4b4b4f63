"""Commands and buttons of members, teams and channels."""

from __future__ import annotations

from collections.abc import Callable

from bot.domain.access import Role
from bot.telegram.handlers.guidance import Argument, Done
from bot.usecases import channels, membership, teams
from bot.usecases.context import Actor, Context
from storage.core.unit import Unit


def _team(arguments: str) -> Done:
    if arguments.strip():
        return "set_team", lambda unit, context, actor: teams.set_in_chat(unit, context, actor, arguments)
    return "read_team", teams.show


def _invite(argument: Argument) -> Done:
    role = "".join(argument.heads)

    def act(unit: Unit, context: Context, actor: Actor) -> None:
        membership.invite(unit, context, actor, role, argument.typed)

    return "invite_supervisor" if role.lower() == Role.SUPERVISOR else "invite_practitioner", act


COMMANDS: dict[str, Callable[[Argument], Done]] = {
    "invite": _invite,
    "members": lambda _argument: ("list_members", membership.show_members),
    "team": lambda argument: _team(argument.typed.text),
    "leave": lambda _argument: ("leave", membership.ask_leave),
}
#: Commands in a group.
IN_GROUP: dict[str, Callable[[Argument], Done]] = {
    "claim": lambda _argument: ("claim_channel", channels.claim),
    "release": lambda _argument: ("claim_channel", channels.release),
}
BUTTONS: dict[str, Callable[[str], Done]] = {
    "approve": lambda rest: (
        "approve_supervisor",
        lambda unit, context, actor: membership.approve(unit, context, actor, rest),
    ),
    "members": lambda _rest: ("list_members", membership.show_members),
    "end": lambda rest: ("end_member", lambda unit, context, actor: membership.ask_end(unit, context, actor, rest)),
    "end_now": lambda rest: ("end_member", lambda unit, context, actor: membership.end(unit, context, actor, rest)),
    "leave_now": lambda _rest: ("leave", membership.leave),
    "team": _team,
}
