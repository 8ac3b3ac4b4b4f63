"""The chat commands, in one table from which handlers, menus, /help and docs/commands.md are generated.

Their texts are in bot/messages/texts.en.yaml, under `commands`.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.access import ROLES, RULES

__all__ = ["ROLES"]


@dataclass(frozen=True)
class Command:
    """A chat command.

    `actions`: rows of the access table. Whoever may do the first sees the command; the others are for its arguments.
    """

    name: str
    actions: tuple[str, ...]
    in_private: bool = True
    in_group: bool = False

    def is_for(self, role: str) -> bool:
        """Return whether a role may use the command."""
        return role in RULES[self.actions[0]]


def _command(name: str, *actions: str, in_private: bool = True, in_group: bool = False) -> Command:
    return Command(name, actions, in_private, in_group)


#: Command by name, in menu order.
COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        _command("start", "walk"),
        _command("ask", "read_guidance", "ask_in_channel", in_group=True),
        _command("share", "walk"),
        _command("opinion", "ask_opinion"),
        _command("local", "read_guidance", "set_local_contacts"),
        _command("emergency", "raise_emergency"),
        _command("records", "read_record"),
        _command("note", "amend_record"),
        _command("readers", "request_sign_off"),
        _command("rules", "read_guidance"),
        _command("board", "walk"),
        _command("board_use", "walk"),
        _command("cancel", "walk"),
        _command("help", "read_guidance"),
        _command("privacy", "read_guidance"),
        _command("team", "read_team", "set_team"),
        _command("review", "review_record"),
        _command("sample", "review_record"),
        _command("console", "use_console"),
        _command("members", "list_members"),
        _command("invite", "invite_practitioner", "invite_supervisor"),
        _command("unanswered", "read_unanswered"),
        _command("leave", "leave"),
        _command("claim", "claim_channel", in_private=False, in_group=True),
        _command("release", "claim_channel", in_private=False, in_group=True),
    )
}


def of_role(role: str) -> list[Command]:
    """Return the commands that a role may use in the private chat, in menu order."""
    return [command for command in COMMANDS.values() if command.in_private and command.is_for(role)]


def of_groups() -> list[Command]:
    """Return the commands that work in groups, in menu order."""
    return [command for command in COMMANDS.values() if command.in_group]
