"""The menu of commands that Telegram shows a member, and /help: both by role."""

from __future__ import annotations

from bot.domain import commands
from bot.domain.access import Role
from bot.messages import commands as words
from bot.usecases.context import Actor, Context, say
from storage import outbox
from storage.core.unit import Unit
from storage.members import MemberRow

#: Everybody's menu holds this role's commands. A member with another role has a menu of their own.
COMMON = Role.PRACTITIONER


def help_me(unit: Unit, context: Context, actor: Actor) -> None:
    """Say what the person can do, and bring their menu up to date."""
    say(unit, actor.chat_id, words.help_text(actor.member.role))
    update(unit, actor.member)


def update(unit: Unit, member: MemberRow, role_before: str = COMMON) -> None:
    """Have Telegram show a member the commands of their role."""
    if {member.role, role_before} != {COMMON}:
        outbox.enqueue(unit, member.telegram_id, "menu", {"commands": words.menu(commands.of_role(member.role))})
