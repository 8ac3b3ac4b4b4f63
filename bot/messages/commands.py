"""The commands of the chat in words: the menu Telegram shows, and /help."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain import commands
from bot.domain.commands import Command
from bot.messages.texts import texts
from bot.messages.walk_card import EMERGENCY_ROW, NO_NAMES, Message, bold, escape

#: /help leaves these out: people have found them.
FOUND_ALREADY = ("start", "help")


def menu(shown: Iterable[Command]) -> list[tuple[str, str]]:
    """Return the name and the words of each command, as Telegram's menu takes them."""
    words = texts().commands
    return [(command.name, words[command.name].does) for command in shown]


def help_text(role: str) -> Message:
    """Return what /help says: the commands that a role may use."""
    words = texts().help
    own = [command for command in commands.of_role(role) if command.name not in FOUND_ALREADY]
    parts = [bold(words.title), escape(words.ask), _lines(own)]
    in_group = [command for command in commands.of_groups() if not command.in_private and command.is_for(role)]
    if in_group:
        parts += [bold(words.in_group), _lines(in_group)]
    parts.append(escape(f"{words.hint} {NO_NAMES}"))
    return Message("\n\n".join(parts), EMERGENCY_ROW)


def _lines(shown: Iterable[Command]) -> str:
    words = texts().commands
    return "\n".join(escape(f"/{_usage(c.name)} – {words[c.name].does}") for c in shown)


def _usage(name: str) -> str:
    return f"{name} {texts().commands[name].takes}".rstrip()


def as_table() -> str:
    """Return all commands as a Markdown table: what is typed, what it does, where, who may, and the rows of docs/access.md."""
    lines = ["| command | what it does | where | roles | actions |", "|---|---|---|---|---|"]
    for command in commands.COMMANDS.values():
        places = [name for name, is_there in (("private", command.in_private), ("group", command.in_group)) if is_there]
        roles = [role for role in commands.ROLES if command.is_for(role)]
        who = "all" if len(roles) == len(commands.ROLES) else ", ".join(roles)
        actions = ", ".join(action.replace("_", " ") for action in command.actions)
        does = texts().commands[command.name].does
        lines.append(f"| `/{_usage(command.name)}` | {does} | {', '.join(places)} | {who} | {actions} |")
    return "\n".join(lines) + "\n"
