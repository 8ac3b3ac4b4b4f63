"""The library's handlers: decode an update and run one use case. No handler calls the Bot API."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from rapidfuzz import fuzz, process
from telegram import ChatMember, Update
from telegram.ext import BaseHandler as Handler
from telegram.ext import (
    CallbackQueryHandler,
    ChatMemberHandler,
    InlineQueryHandler,
    MessageHandler,
    filters,
)

from bot.domain import commands
from bot.domain.typed_text import Typed
from bot.messages import advice_cards
from bot.messages.callback_data import BadButton, Button, decode
from bot.messages.texts import text_of
from bot.telegram.gateway import Gateway, answer_inline
from bot.telegram.handlers import administration, opinions, reviews
from bot.telegram.handlers import guidance as guidance_handlers
from bot.telegram.handlers.guidance import HEADS, Argument, Done
from bot.telegram.message_text import words_of
from bot.usecases import advice, channels, membership, typed_replies, walk
from bot.usecases.context import Actor, Context
from bot.usecases.gateway import came_back
from flows.canonical import canonical
from flows.invariants import present
from storage.core.unit import Unit

TYPED = filters.UpdateType.MESSAGE | filters.UpdateType.EDITED_MESSAGE
PRIVATE = filters.ChatType.PRIVATE & TYPED
GROUP = filters.ChatType.GROUPS & TYPED
#: A command: words that begin with a slash, with or without Telegram's mark and a bot's name.
COMMAND = re.compile(r"\s*/\s*(\w{1,64})(?:@(\w{1,64}))?([^\w\s]*)", re.ASCII)
#: How similar an unknown command must be to a known one to be taken for it.
NEAR = 70

COMMANDS = {**guidance_handlers.COMMANDS, **opinions.COMMANDS, **reviews.COMMANDS, **administration.COMMANDS}
BUTTONS = {**guidance_handlers.BUTTONS, **opinions.BUTTONS, **reviews.BUTTONS, **administration.BUTTONS}


def command_in(text: str) -> tuple[str, str, str] | None:
    """Return the command that words begin with (its name, the bot it names, what follows it), or None."""
    # A command is at the beginning; cutting the text keeps this cheap, as it runs beside the handling of taps.
    form = canonical(text[:200])
    if not form.text.lstrip().startswith("/"):
        return None
    match = COMMAND.match(form.text)
    if match is None:
        return "", "", ""
    end = form.place(match.start(), match.end())[1]
    return match[1].lower(), (match[2] or "").lower(), text[end:].lstrip(" \t\n.,;:!?").rstrip()


def nearest(name: str) -> str:
    """Return the known command nearest to a mistyped one; an empty text if none is near."""
    found = (
        process.extractOne(
            name,
            [command.name for command in commands.COMMANDS.values() if command.in_private],
            scorer=fuzz.ratio,
            score_cutoff=NEAR,
        )
        if name
        else None
    )
    return str(found[0]) if found else ""


def of_command(name: str, argument: Argument) -> Done:
    """Return the action and the use case of a command in a private chat."""
    if name == "start" and argument.typed.text.startswith("o_"):
        return opinions.come_in(argument.typed.text[2:].strip())
    if name not in COMMANDS:
        near = nearest(name)
        return "walk", lambda unit, context, actor: walk.unknown_command(unit, context, actor, near)
    return COMMANDS[name](argument)


def of_group_command(name: str, argument: Argument) -> Done:
    """Return the action and the use case of a command in a group. Other commands are referred to the private chat."""
    if name in administration.IN_GROUP:
        return administration.IN_GROUP[name](argument)
    if name == "ask":
        return "ask_in_channel", lambda unit, context, actor: advice.ask_in_channel(
            unit, context, actor, argument.typed
        )
    if name in COMMANDS:
        return "ask_in_channel", advice.private_only
    return "ask_in_channel", lambda unit, context, actor: None


def of_button(button: Button) -> Done:
    """Return the action and the use case of a button."""
    if button.handle is not None:
        of_emergency = dict.fromkeys(("!emergency", "!calling", "!mistake", "!happened"), "raise_emergency")
        actions = {**of_emergency, "!opinion": "ask_opinion"}
        return actions.get(button.act, "walk"), partial(_with_button, button)
    verb, _, rest = button.act.partition(".")
    if verb not in BUTTONS:
        raise BadButton(f"There is no button {verb}.")
    return BUTTONS[verb](rest)


def _with_button(button: Button, unit: Unit, context: Context, actor: Actor) -> str:
    return walk.tap(unit, context, actor, button)


def handlers(gateway: Gateway) -> list[Handler]:  # type: ignore[type-arg]
    """Return the handlers in order."""

    async def argument_of(name: str, typed: Typed, behind: str) -> Argument:
        words = behind.split(maxsplit=HEADS.get(name, 0)) if HEADS.get(name) else [behind]
        heads = tuple(words[: HEADS.get(name, 0)])
        own = words[len(heads)] if len(words) > len(heads) else ""
        return Argument(await gateway.read_part(typed, own), heads)

    async def typed_private(update: Update, _context: object) -> None:
        """Handle words in a private chat: a command, an answer, pending input, or a question."""
        message = present(update.effective_message, "the filter says so")
        found = command_in(words_of(message).text)
        if not (found and found[0] == "emergency") and await gateway.is_too_much(update):
            return
        typed = await gateway.read(message, edited=update.edited_message is not None)
        if found is None:
            await gateway.act_on_words(
                update, lambda typed: ("walk", partial(_type_text, typed)), typed, sees_danger=True
            )
            return
        name, _, behind = found
        if name == "start" and behind.startswith("i_"):
            code = behind[2:].strip()
            await gateway.act(
                update,
                "join",
                lambda unit, context, actor: membership.join(unit, context, actor.user_id, code),
                lambda unit, context, incoming: membership.join(unit, context, incoming.user_id, code),
            )
            return
        argument = await argument_of(name, typed, behind)
        await command(update, of_command, name, argument, typed)

    async def command(
        update: Update, find: Callable[[str, Argument], Done], name: str, argument: Argument, typed: Typed
    ) -> None:
        """Run a command. The whole message is checked for danger; the command takes what follows it."""
        own = argument.typed
        action_of = lambda own: find(name, Argument(own, argument.heads))  # noqa: E731
        # The card of an answer shows the police first by itself.
        await gateway.act_on_words(update, action_of, own, all_typed=typed, sees_danger=name == "ask")

    async def typed_in_group(update: Update, _context: object) -> None:
        """Handle words, files and contact cards in a group: replies to the bot or, if it is an administrator there, everything."""
        message = present(update.effective_message, "the filter says so")
        if await gateway.is_too_much(update):
            return
        typed = await gateway.read(message, edited=update.edited_message is not None)
        found = command_in(words_of(message).text) if update.edited_message is None else None
        if found is None or found[1] not in ("", gateway.context.username.lower()):
            await gateway.act(update, "ask_in_channel", lambda unit, context, actor: None, typed=typed)
            return
        argument = await argument_of(found[0], typed, found[2])
        await command(update, of_group_command, found[0], argument, typed)

    async def tapped(update: Update, _context: object) -> None:
        query = present(update.callback_query, "the handler says so")
        try:
            action, act = of_button(decode(query.data or ""))
            if action != "raise_emergency" and await gateway.is_too_much(update):
                return
        except BadButton:
            action, act = "walk", lambda unit, context, actor: text_of("walk.notes.old_button")
        await gateway.act(update, action, act)

    async def unreadable(update: Update, _context: object) -> None:
        """Handle a photo, voice message or file: only its caption is read, for a command and for danger."""
        message = present(update.effective_message, "the filter says so")
        if await gateway.is_too_much(update):
            return
        typed = await gateway.read(message, edited=update.edited_message is not None)
        found = command_in(words_of(message).text)
        if found and found[0] in COMMANDS:
            argument = await argument_of(found[0], typed, found[2])
            await command(update, of_command, found[0], argument, typed)
            return
        album = message.media_group_id or ""
        await gateway.act(
            update,
            "walk",
            lambda unit, context, actor: typed_replies.unreadable(unit, context, actor, typed, album),
            typed=typed,
        )

    async def asked_inline(update: Update, _context: object) -> None:
        """Offer answers while a member types the bot's name and a question. Nothing is looked up for anybody else."""
        query = present(update.inline_query, "the handler says so")
        if await gateway.is_too_much(update):
            return
        found: list[advice_cards.Article] = []

        def action_of(typed: Typed) -> Done:
            return "read_guidance", lambda unit, context, actor: found.extend(advice.inline(unit, context, typed))

        await gateway.act_on_words(update, action_of, await gateway.read_text(query.query))
        gateway.later(answer_inline(query, found))

    async def moved(update: Update, _context: object) -> None:
        message = present(update.effective_message, "the filter says so")
        old, new = message.migrate_from_chat_id or message.chat_id, message.migrate_to_chat_id or message.chat_id
        await gateway.service(update, lambda unit, context: channels.moved(unit, context, old, new))

    async def membership_changed(update: Update, _context: object) -> None:
        change = present(update.my_chat_member, "the handler says so")
        chat_id, status = change.chat.id, change.new_chat_member.status
        is_in = status not in (ChatMember.LEFT, ChatMember.BANNED)

        def act(unit: Unit, context: Context) -> None:
            if change.chat.type == "private" and is_in:
                came_back(unit, chat_id)
            if change.chat.type in ("group", "supergroup"):
                (channels.expect_claim if is_in else channels.came_out)(unit, context, chat_id)

        await gateway.service(update, act)

    return [
        InlineQueryHandler(asked_inline),
        CallbackQueryHandler(tapped),
        ChatMemberHandler(membership_changed, ChatMemberHandler.MY_CHAT_MEMBER),
        MessageHandler(filters.StatusUpdate.MIGRATE, moved),
        MessageHandler(PRIVATE & filters.TEXT, typed_private),
        MessageHandler(PRIVATE & ~filters.TEXT & ~filters.StatusUpdate.ALL, unreadable),
        MessageHandler(GROUP & ~filters.StatusUpdate.ALL, typed_in_group),
    ]


def _type_text(typed: Typed, unit: Unit, context: Context, actor: Actor) -> None:
    typed_replies.type_text(unit, context, actor, typed)
