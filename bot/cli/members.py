"""`sharewise member`: add, invite, end and list members."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bot.cli.commands import Commands, Verbs, telegram_id, with_data, with_json
from bot.cli.output import Failed, say, say_json
from bot.cli.typed import staff_name, team_name
from bot.domain.access import ROLES
from bot.messages.texts import text_of

if TYPE_CHECKING:
    from storage.core.unit import Unit


def add_to(commands: Commands) -> None:
    """Declare the command and its verbs."""
    verbs = Verbs(commands.add("member", member, "add, invite, end or list members"))
    adding = verbs.add("add", "add members, or change their role or team", "make_member")
    adding.add_argument("--telegram-id", type=telegram_id, required=True, nargs="+", metavar="N")
    inviting = verbs.add("invite", "create an invite code: for one person, once, within 48 hours", "make_member")
    for verb in (adding, inviting):
        verb.add_argument("--role", choices=ROLES, required=True)
        verb.add_argument("--team", required=True)
        verb.add_argument("--known-as", metavar="NAME", help="the name colleagues know them by")
    ending = verbs.add("end", "end a membership immediately", "end_member")
    ending.add_argument("--telegram-id", type=int, required=True)
    listing = verbs.add("list", "list members", "list_members")
    with_json(listing)
    for verb in (adding, inviting, ending, listing):
        with_data(verb)


def member(args: argparse.Namespace) -> int:
    """Add, invite or list members, or end a membership."""
    from bot.composition.store import unit_for_command

    act = {"add": _add, "invite": _invite, "end": _end, "list": _list}[args.verb]
    with unit_for_command(args.data) as unit:
        act(unit, args)
    return 0


def _add(unit: Unit, args: argparse.Namespace) -> None:
    from bot.composition.context import context_of
    from bot.usecases import membership

    name, team = staff_name(args.known_as), team_name("--team", args.team)
    for number in args.telegram_id:
        saved = membership.add(unit, context_of(), number, args.role, team, name)
        say(f"Member {saved.telegram_id}: {saved.role}, team {saved.team}.")


def _invite(unit: Unit, args: argparse.Namespace) -> None:
    from bot.usecases import membership

    name, team = staff_name(args.known_as), team_name("--team", args.team)
    code = membership.open_invite(unit, args.role, team, name)
    say(f"An invite for one {args.role} of team {team}. It works once, for 48 hours. In the chat with the bot, send:")
    say(f"/start i_{code}")


def _end(unit: Unit, args: argparse.Namespace) -> None:
    from bot.composition.context import context_of
    from bot.usecases import membership

    if not membership.end_by_operator(unit, context_of(), args.telegram_id):
        raise Failed(f"{args.telegram_id} is not a member.")
    say(f"Member {args.telegram_id} has ended.")


def _list(unit: Unit, args: argparse.Namespace) -> None:
    from bot.usecases import membership

    shown = ("telegram_id", "role", "team", "known_as", "ended_at", "unreachable_since")
    found = membership.everybody(unit)
    for row in found:
        if args.json:
            say_json({name: getattr(row, name) for name in shown})
        else:
            ended = f"  ended {row.ended_at}" if row.ended_at else ""
            say(f"{row.telegram_id}  {row.role}  {row.team}  {row.known_as}{ended}".rstrip())
    if not args.json:
        say(text_of("counts.member", count=len(found)))
