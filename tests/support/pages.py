"""Generate the tables in docs/ from the product's own tables: python -m tests.support.pages"""

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


#: Page -> its content from the first table on.
TABLES: dict[str, Callable[[], str]] = {"access.md": access.as_table, "commands.md": _commands}


def filled(page: str, name: str) -> str:
    """Return a page with up-to-date tables."""
    return page[: page.index("| ")] + TABLES[name]()


if __name__ == "__main__":
    for name in TABLES:
        path = DOCS / name
        path.write_text(filled(path.read_text(encoding="utf-8"), name), encoding="utf-8")
