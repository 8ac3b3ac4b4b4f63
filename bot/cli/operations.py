"""`sharewise pause` and `sharewise parked`: pause the bot, and deal with dead letters."""

from __future__ import annotations

import argparse

from bot.cli.commands import Commands, Verbs, with_data, with_json
from bot.cli.output import Failed, WrongCall, say, say_json
from bot.cli.typed import office_words


def add_to(commands: Commands) -> None:
    """Add the operations commands and their subcommands to the parser."""
    text = "pause the bot and show people the reason; emergencies still work"
    pausing = commands.add("pause", pause, text, "pause")
    pausing.add_argument("--reason", metavar="TEXT")
    pausing.add_argument("--end", dest="run_on", action="store_true", help="end the pause")
    with_data(pausing)

    verbs = Verbs(
        commands.add("parked", parked, "list, retry or drop what was parked after failing too often", "serve")
    )
    for name, text in (("list", "list what is parked"), ("retry", "retry one"), ("drop", "give one up for good")):
        verb = verbs.add(name, text, "serve")
        if name != "list":
            verb.add_argument("name", metavar="update:N|message:N")
        with_json(verb)
        with_data(verb)


def pause(args: argparse.Namespace) -> int:
    """Pause the bot (--reason), end the pause (--end), or print whether the bot is paused."""
    from bot.composition.store import unit_for_command
    from bot.usecases import operations
    from bot.usecases.typed_text import LONGEST_REASON

    with unit_for_command(args.data) as unit:
        if args.run_on:
            say("It goes on." if operations.go_on(unit) else "It was not stopped.")
        elif words := office_words("--reason", args.reason or "", LONGEST_REASON):
            operations.stop(unit, words)
            say(f"Stopped. People are told: {words.text}")
        else:
            why = operations.why_stopped(unit)
            say("It is not stopped." if why is None else f"It is stopped: {why}")
    return 0


def parked(args: argparse.Namespace) -> int:
    """Retry or drop a parked update or message, then list those that remain."""
    from bot.composition.store import unit_for_command
    from bot.usecases import operations

    with unit_for_command(args.data) as unit:
        if args.verb != "list":
            what, _, number = args.name.partition(":")
            if what not in ("update", "message") or not (number.isascii() and number.isdigit() and len(number) < 19):
                raise WrongCall(f"{args.name}: write update:NUMBER or message:NUMBER, as the list says it.")
            settle = operations.retry_parked if args.verb == "retry" else operations.drop_parked
            try:
                settle(unit, what, int(number))
            except operations.NotParked as error:
                raise Failed(str(error)) from None
        found = operations.parked(unit)
    for one in found:
        name = f"{one.what}:{one.id}"
        if args.json:
            say_json({"name": name, "at": one.at, "tries": one.tries, "is": one.name, "cause": one.cause})
        else:
            kind = f"Telegram's {one.name}" if one.what == "update" else f"a {one.name}"
            say(f"{name:16}  {kind:24}  since {one.at[:19]}  tries {one.tries}  {one.cause}")
    if not args.json:
        say(f"{len(found)} parked")
    return 0
