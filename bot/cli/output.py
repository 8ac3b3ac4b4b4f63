"""What the command line prints, and the two ways in which a command fails."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence

#: Control characters except line breaks and tabs: a terminal would act on them.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class WrongCall(Exception):
    """The command was called wrongly: exit code 2."""


class Failed(Exception):
    """The command was called rightly but could not be carried out: exit code 1."""


def say(text: str = "") -> None:
    """Print a line. Control characters are shown as their code, never acted on."""
    sys.stdout.write(CONTROLS.sub(lambda found: f"\\x{ord(found.group()):02x}", text) + "\n")


def say_json(value: object) -> None:
    """Print a value as one line of JSON."""
    say(json.dumps(value))


def say_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
