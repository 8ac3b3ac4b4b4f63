"""`sharewise team` and `sharewise local`: what teams agreed, and the organisation's local contacts."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bot.cli.commands import Commands, Verbs, with_data, with_json
from bot.cli.output import WrongCall, say, say_json
from bot.cli.typed import office_words, team_name

if TYPE_CHECKING:
    from storage.core.unit import Unit


def add_to(commands: Commands) -> None:
    """Add the team commands and their subcommands to the parser."""
    verbs = Verbs(commands.add("team", team, "change or list teams: channel, number of opinions, deadline"))
    setting = verbs.add("set", "change a team's settings", "set_team")
    setting.add_argument("name", metavar="TEAM")
    setting.add_argument("--quorum", type=int, metavar="N", help="number of opinions that close a request")
    setting.add_argument("--deadline", type=int, metavar="MINUTES", help="how long a request stays open")
    setting.add_argument("--channel", metavar="CHAT_ID", help="the group to use as the channel, or none")
    for verb in (setting, verbs.add("list", "list teams", "read_team")):
        with_json(verb)
        with_data(verb)

    verbs = Verbs(commands.add("local", local, "set or list the local contacts: phone numbers, form, procedures"))
    setting = verbs.add("set", "set a local contact; an empty value clears it", "set_local_contacts")
    setting.add_argument("name", metavar="NAME")
    setting.add_argument("value", metavar="VALUE")
    listing = verbs.add("list", "list the local contacts")
    with_json(listing)
    for verb in (setting, listing):
        with_data(verb)


def team(args: argparse.Namespace) -> int:
    """Change a team's settings if asked to, then list all teams."""
    from bot.composition.store import unit_for_command
    from bot.messages.texts import text_of
    from bot.usecases import teams

    with unit_for_command(args.data) as unit:
        if args.verb == "set":
            _set_team(unit, args)
        found = teams.listed(unit)
    for row in found:
        if args.json:
            say_json(vars(row))
        else:
            channel = row.channel_chat_id or "none"
            say(f"{row.name}  channel {channel}  opinions {row.quorum}  minutes {row.deadline_minutes}")
    if not args.json:
        say(text_of("counts.team", count=len(found)))
    return 0


def _set_team(unit: Unit, args: argparse.Namespace) -> None:
    from bot.messages.refusals import not_allowed
    from bot.usecases import teams

    name = team_name("TEAM", args.name)
    try:
        channel = None if args.channel in (None, "none") else int(args.channel)
        released = args.channel == "none"
        teams.change(unit, name, quorum=args.quorum, deadline=args.deadline, channel=channel, release_channel=released)
    except teams.CannotSet as error:
        raise WrongCall(not_allowed(error)) from None
    except ValueError as error:
        raise WrongCall(str(error)) from None


def local(args: argparse.Namespace) -> int:
    """Set or clear a local contact if asked to, then list them all."""
    from bot.composition.store import unit_for_command
    from bot.messages.refusals import not_allowed
    from bot.messages.texts import labels, text_of
    from bot.usecases import local_contacts

    with unit_for_command(args.data) as unit:
        if args.verb == "set":
            try:
                value = office_words("VALUE", args.value, local_contacts.LONGEST)
                local_contacts.change(unit, args.name, value)
            except local_contacts.CannotSet as error:
                raise WrongCall(not_allowed(error)) from None
        found = local_contacts.read(unit)
    if getattr(args, "json", False):
        say_json({name: found.get(name) for name in local_contacts.NAMES})
        return 0
    for name, words in labels("local.contacts").items():
        say(f"{words} ({name}): {found.get(name, text_of('local.not_set'))}")
    return 0
