"""Printing for the command line, and the two errors a command can fail with."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence

#: Control characters that a terminal would act on; line breaks and tabs are allowed.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class WrongCall(Exception):
    """The command was used wrongly: exit code 2."""


class Failed(Exception):
    """The command was used correctly but failed: exit code 1."""


def say(text: str = "") -> None:
    """Print a line, with control characters shown as escape codes so that the terminal does not act on them."""
    sys.stdout.write(CONTROLS.sub(lambda found: f"\\x{ord(found.group()):02x}", text) + "\n")


def say_json(value: object) -> None:
    """Print a value as one line of JSON."""
    say(json.dumps(value))


def say_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
