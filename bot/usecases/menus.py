"""The menu of commands that Telegram shows a member, and /help: both by role."""

from __future__ import annotations

from bot.domain import commands
from bot.domain.access import Role
from bot.messages import commands as words
from bot.usecases.context import Actor, Context, say
from storage import outbox
from storage.core.unit import Unit
from storage.members import MemberRow

#: The default menu shows this role's commands. Members with another role get their own menu.
COMMON = Role.PRACTITIONER


def help_me(unit: Unit, context: Context, actor: Actor) -> None:
    """Show what the person can do, and update their menu."""
    say(unit, actor.chat_id, words.help_text(actor.member.role))
    update(unit, actor.member)


def update(unit: Unit, member: MemberRow, role_before: str = COMMON) -> None:
    """Set a member's menu to the commands of their role."""
    if {member.role, role_before} != {COMMON}:
        outbox.enqueue(unit, member.telegram_id, "menu", {"commands": words.menu(commands.of_role(member.role))})
