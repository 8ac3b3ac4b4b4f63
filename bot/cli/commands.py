"""Declaring commands: one module per noun, which uses these classes to add its commands, verbs and options.

A command carries its action in the access table and the function that runs it. Modules import heavy dependencies when a
command runs, not when they declare it, because `sharewise --help` must answer at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

Run = Callable[[argparse.Namespace], int]


class Commands:
    """Adds commands to the parser."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(self, name: str, run: Run, text: str, action: str = "read_guidance") -> argparse.ArgumentParser:
        """Declare a command; `action` is its row in the access table."""
        added: argparse.ArgumentParser = self._commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=run, action=action)
        return added


class Verbs:
    """Adds verbs to a command, such as `add` in `sharewise member add`."""

    def __init__(self, command: argparse.ArgumentParser) -> None:
        self._verbs = command.add_subparsers(required=True, dest="verb", metavar="VERB")

    def add(self, name: str, text: str, action: str = "") -> argparse.ArgumentParser:
        """Declare a verb; `action` is its row in the access table if it differs from the command's."""
        added: argparse.ArgumentParser = self._verbs.add_parser(name, help=text)
        if action:
            added.set_defaults(action=action)
        return added


def with_data(parser: argparse.ArgumentParser) -> None:
    """Add the --data option, which names the data folder of a local chat."""
    parser.add_argument("--data", metavar="DIR", help="data folder of a local chat")


def with_json(parser: argparse.ArgumentParser) -> None:
    """Add the --json option, which prints one JSON value per line."""
    parser.add_argument("--json", action="store_true")


def count_to_100(text: str) -> int:
    """Parse a number from 1 to 100; raise ArgumentTypeError."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError("must be 1 to 100")
    return int(text)


def telegram_id(text: str) -> int:
    """Parse a Telegram id, a positive number of at most 52 bits; raise ValueError."""
    number = int(text)
    if not 0 < number < 2**52:
        raise ValueError
    return number


def as_table(parser: argparse.ArgumentParser, called: str = "sharewise") -> str:
    """Return Markdown table rows with each command and verb and its help text."""
    rows = ""
    for part in parser._actions:
        if isinstance(part, argparse._SubParsersAction):
            for choice in part._choices_actions:
                name = f"{called} {choice.dest}"
                rows += f"| `{name}` | {choice.help} |\n" + as_table(part.choices[choice.dest], name)
    return rows


def actions_of(parser: argparse.ArgumentParser, inherited: str = "") -> list[str]:
    """Return the access-table action of every command and verb."""
    action = str(parser.get_default("action") or inherited)
    parts: list[Any] = [part for part in parser._actions if isinstance(part, argparse._SubParsersAction)]
    found = [one for part in parts for below in part.choices.values() for one in actions_of(below, action)]
    return found or [action]
