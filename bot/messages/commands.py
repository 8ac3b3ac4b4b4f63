"""The commands of the chat in words: the menu Telegram shows, and /help."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain import commands
from bot.domain.commands import Command
from bot.messages.message import Message, bold, emergency_row, escape
from bot.messages.texts import text_of, texts

#: /help leaves these out: people have found them.
FOUND_ALREADY = ("start", "help")


def menu(shown: Iterable[Command]) -> list[tuple[str, str]]:
    """Return the name and the words of each command, as Telegram's menu takes them."""
    return [(command.name, _does(command.name)) for command in shown]


def help_text(role: str) -> Message:
    """Return what /help says: the commands that a role may use."""
    own = [command for command in commands.of_role(role) if command.name not in FOUND_ALREADY]
    parts = [bold(text_of("help.title")), escape(text_of("help.ask")), _lines(own)]
    in_group = [command for command in commands.of_groups() if not command.in_private and command.is_for(role)]
    if in_group:
        parts += [bold(text_of("help.in_group")), _lines(in_group)]
    parts.append(escape(f"{text_of('help.hint')} {text_of('no_names')}"))
    return Message("\n\n".join(parts), emergency_row())


def _lines(shown: Iterable[Command]) -> str:
    return "\n".join(escape(f"/{_usage(c.name)} – {_does(c.name)}") for c in shown)


def _usage(name: str) -> str:
    takes_words = f"commands.{name}.takes" in texts()
    return f"{name} {text_of(f'commands.{name}.takes')}" if takes_words else name


def _does(name: str) -> str:
    return text_of(f"commands.{name}.does")


def as_table() -> str:
    """Return all commands as a Markdown table: what is typed, what it does, where, who may, and the rows of docs/access.md."""
    lines = ["| command | what it does | where | roles | actions |", "|---|---|---|---|---|"]
    for command in commands.COMMANDS.values():
        places = [name for name, is_there in (("private", command.in_private), ("group", command.in_group)) if is_there]
        roles = [role for role in commands.ROLES if command.is_for(role)]
        who = "all" if len(roles) == len(commands.ROLES) else ", ".join(roles)
        actions = ", ".join(action.replace("_", " ") for action in command.actions)
        lines.append(f"| `/{_usage(command.name)}` | {_does(command.name)} | {', '.join(places)} | {who} | {actions} |")
    return "\n".join(lines) + "\n"
