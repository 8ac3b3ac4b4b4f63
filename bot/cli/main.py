"""The Sharewise command line. Exit codes: 0 success, 1 something is wrong or failed, 2 wrong usage or settings."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from importlib.metadata import version as version_of

from bot.cli import advice, backup, chat, console, members, operations, records, retention, serve, teams, walk, webhook
from bot.cli.commands import Commands, actions_of
from bot.cli.faults import WRONG_CALL, exit_code_of
from bot.domain.access import operator_may

#: In the order that --help lists them.
MODULES = (chat, serve, webhook, operations, console, walk, advice, records, retention, backup, teams, members)


def parser() -> argparse.ArgumentParser:
    """Return the argument parser with all commands."""
    made = argparse.ArgumentParser(prog="sharewise", description=__doc__.split("\n")[0] if __doc__ else None)
    made.add_argument("--version", action="version", version=f"sharewise {version_of('sharewise')}")
    commands = Commands(made)
    for module in MODULES:
        module.add_to(commands)
    return made


def actions() -> list[str]:
    """Return the access-table action of every command and verb."""
    return actions_of(parser())


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    args = parser().parse_args(argv)
    if not operator_may(args.action):
        sys.stderr.write("sharewise: the command line may not do this.\n")
        return WRONG_CALL
    return exit_code_of(partial(args.run, args))
