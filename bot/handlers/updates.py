"""PTB's handlers: decode an update, find what it means, one use case, done. No handler calls the Bot API."""

from __future__ import annotations

from functools import partial

from telegram import ChatMember, Update
from telegram.ext import BaseHandler as Handler
from telegram.ext import (
    CallbackQueryHandler,
    ChatMemberHandler,
    CommandHandler,
    InlineQueryHandler,
    MessageHandler,
    filters,
)

from bot import views
from bot.callback_data import BadButton, Button, decode
from bot.handlers import administration, opinions, reviews
from bot.handlers import guidance as guidance_handlers
from bot.handlers.front import Front, answer_inline
from bot.handlers.guidance import Done
from bot.usecases import advice, groups, guidance, membership
from bot.usecases.desk import Desk, Who
from storage.database import Unit

PRIVATE = filters.ChatType.PRIVATE & filters.UpdateType.MESSAGE
GROUP = filters.ChatType.GROUPS & filters.UpdateType.MESSAGE

COMMANDS = {**guidance_handlers.COMMANDS, **opinions.COMMANDS, **reviews.COMMANDS, **administration.COMMANDS}
BUTTONS = {**guidance_handlers.BUTTONS, **opinions.BUTTONS, **reviews.BUTTONS, **administration.BUTTONS}

#: Command -> the words the menu shows for it, in the private chat and in groups.
MENU = {
    "start": "What this is, and the first question",
    "ask": "Ask in your own words what the advice says",
    "share": "Start the sharing questions",
    "opinion": "Ask your team for a second opinion",
    "local": "Who to call here",
    "emergency": "A child in danger, or a crime",
    "records": "My decision records",
    "note": "Add a note to a record",
    "readers": "Who has read a record of mine",
    "rules": "The seven golden rules",
    "board": "A Board's request (historical)",
    "board_use": "Use of what a Board request brought (historical)",
    "cancel": "Stop the questions without a record",
    "help": "What I can do",
    "privacy": "What is kept and who sees it",
    "team": "What your team agreed about second opinions",
    "review": "Review your team's records (supervisors)",
    "sample": "This month's dip sample (supervisors)",
    "console": "The web console (supervisors)",
    "members": "Members of your team (supervisors)",
    "invite": "Invite somebody (supervisors)",
    "unanswered": "Questions without an answer (supervisors)",
    "leave": "End my own access",
}
GROUP_MENU = {
    "ask": "Ask what the advice says",
    "claim": "Make this group your team's channel (administrators)",
    "release": "Give this group up as the channel (administrators)",
}


def of_command(name: str, arguments: str, message_id: int) -> Done:
    """Return the action and the act of a command in a private chat."""
    if name == "start" and arguments.startswith("o_"):
        return opinions.come_in(arguments[2:].strip())
    return COMMANDS[name](arguments, message_id)


def of_group_command(name: str, arguments: str, message_id: int) -> Done:
    """Return the action and the act of a command in a group: what is not for groups is pointed to the private chat."""
    if name in administration.IN_GROUP:
        return administration.IN_GROUP[name](arguments, message_id)
    if name == "ask":
        return "ask_in_channel", lambda unit, desk, who: advice.ask_in_channel(unit, desk, who, arguments)
    return "ask_in_channel", advice.private_only


def of_button(button: Button) -> Done:
    """Return the action and the act of a button, or of a card of a conversation."""
    if button.handle is not None:
        actions = {"!emergency": "raise_emergency", "!opinion": "ask_opinion"}
        return actions.get(button.act, "walk"), partial(_with_button, button)
    verb, _, rest = button.act.partition(".")
    if verb not in BUTTONS:
        raise BadButton(f"There is no button {verb}.")
    return BUTTONS[verb](rest)


def _with_button(button: Button, unit: Unit, desk: Desk, who: Who) -> str:
    return guidance.tap(unit, desk, who, button)


def handlers(front: Front) -> list[Handler]:  # type: ignore[type-arg]
    """Return the ordered handler list."""

    async def command(update: Update, _context: object) -> None:
        message = update.effective_message
        assert message is not None and message.text is not None  # noqa: S101 (the filter says so)
        # As Telegram marks it: "/emergency!" is the command "emergency".
        length = message.entities[0].length
        name = message.text[1:length].split("@")[0].lower()
        arguments = message.text[length:].replace("\0", "").lstrip(" \t\n.,;:!?").rstrip()
        if name == "start" and arguments.startswith("i_"):
            code = arguments[2:].strip()
            await front.act(
                update,
                "join",
                lambda unit, desk, who: membership.join(unit, desk, who.user_id, code),
                lambda unit, desk, came: membership.join(unit, desk, came.user_id, code),
            )
            return
        found = of_command if filters.ChatType.PRIVATE.filter(message) else of_group_command
        await front.act(update, *found(name, arguments, message.message_id))

    async def tapped(update: Update, _context: object) -> None:
        query = update.callback_query
        assert query is not None  # noqa: S101 (the handler says so)
        try:
            action, act = of_button(decode(query.data or ""))
        except BadButton:
            action, act = "walk", lambda unit, desk, who: guidance.OLD_BUTTON
        await front.act(update, action, act)

    async def typed(update: Update, _context: object) -> None:
        message = update.effective_message
        assert message is not None and message.text is not None  # noqa: S101 (the filter says so)
        text, message_id = message.text, message.message_id
        await front.act(update, "walk", lambda unit, desk, who: guidance.type_text(unit, desk, who, text, message_id))

    async def unreadable(update: Update, _context: object) -> None:
        message = update.effective_message
        assert message is not None  # noqa: S101 (the filter says so)
        message_id = message.message_id
        await front.act(update, "walk", lambda unit, desk, who: guidance.unreadable(unit, desk, who, message_id))

    async def asked_inline(update: Update, _context: object) -> None:
        query = update.inline_query
        assert query is not None  # noqa: S101 (the handler says so)
        found: list[views.Article] = []
        words = query.query

        def act(unit: Unit, desk: Desk, who: Who) -> None:
            found.extend(advice.inline(unit, desk, words))

        await front.act(update, "read_guidance", act)
        front.later(answer_inline(query, found))

    async def overheard(update: Update, _context: object) -> None:
        """Words in a group that Telegram shows the bot: replies to it, or all where it is an administrator."""
        await front.act(update, "ask_in_channel", lambda unit, desk, who: None)

    async def moved(update: Update, _context: object) -> None:
        message = update.effective_message
        assert message is not None  # noqa: S101 (the filter says so)
        old, new = message.migrate_from_chat_id or message.chat_id, message.migrate_to_chat_id or message.chat_id
        await front.service(update, lambda unit, desk: groups.moved(unit, desk, old, new))

    async def membership_changed(update: Update, _context: object) -> None:
        change = update.my_chat_member
        assert change is not None  # noqa: S101 (the handler says so)
        chat_id, status = change.chat.id, change.new_chat_member.status
        is_in = status not in (ChatMember.LEFT, ChatMember.BANNED)

        def act(unit: Unit, desk: Desk) -> None:
            if change.chat.type in ("group", "supergroup"):
                (groups.expect_claim if is_in else groups.came_out)(unit, desk, chat_id)

        await front.service(update, act)

    return [
        InlineQueryHandler(asked_inline),
        CommandHandler(list(COMMANDS), command, filters=PRIVATE),
        CommandHandler([*COMMANDS, *administration.IN_GROUP], command, filters=GROUP),
        CallbackQueryHandler(tapped),
        ChatMemberHandler(membership_changed, ChatMemberHandler.MY_CHAT_MEMBER),
        MessageHandler(filters.StatusUpdate.MIGRATE, moved),
        MessageHandler(PRIVATE & filters.TEXT, typed),
        MessageHandler(PRIVATE & ~filters.TEXT & ~filters.StatusUpdate.ALL, unreadable),
        MessageHandler(GROUP & ~filters.StatusUpdate.ALL, overheard),
    ]
