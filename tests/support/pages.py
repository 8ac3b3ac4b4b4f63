"""Writes the tables of docs/ that are drawn from the product's own: python -m tests.support.pages"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.cli import main
from bot.cli.commands import as_table
from bot.domain import access
from bot.messages import commands

DOCS = Path(__file__).parents[2] / "docs"


def _commands() -> str:
    head = "\n## On the command line\n\n| command | what it does |\n|---|---|\n"
    return commands.as_table() + head + as_table(main.parser())


#: Page -> what stands from its first table on.
TABLES: dict[str, Callable[[], str]] = {"access.md": access.as_table, "commands.md": _commands}


def filled(page: str, name: str) -> str:
    """Return a page with its tables as they are now."""
    return page[: page.index("| ")] + TABLES[name]()


if __name__ == "__main__":
    for name in TABLES:
        path = DOCS / name
        path.write_text(filled(path.read_text(encoding="utf-8"), name), encoding="utf-8")
