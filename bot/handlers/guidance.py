"""Commands, taps and typed words: decode, one use case, done. No handler calls the Bot API."""

from __future__ import annotations

from functools import partial

from telegram import Update
from telegram.ext import BaseHandler as Handler
from telegram.ext import CallbackQueryHandler, CommandHandler, InlineQueryHandler, MessageHandler, filters

from bot import views
from bot.callback_data import BadButton, Button, decode
from bot.handlers.front import Front, answer_inline
from bot.usecases import advice, guidance, own_records
from bot.usecases.desk import Desk, Who, say
from bot.usecases.front import Act
from storage.database import Unit

PRIVATE = filters.ChatType.PRIVATE & filters.UpdateType.MESSAGE

#: Command -> the words the menu shows for it.
COMMANDS = {
    "start": "What this is, and the first question",
    "ask": "Ask in your own words what the advice says",
    "share": "Start the sharing questions",
    "local": "Who to call here",
    "emergency": "A child in danger, or a crime",
    "records": "My decision records",
    "note": "Add a note to a record",
    "rules": "The seven golden rules",
    "board": "A Board's request (historical)",
    "board_use": "Use of what a Board request brought (historical)",
    "cancel": "Stop the questions without a record",
    "help": "What I can do",
    "privacy": "What is kept and who sees it",
    "unanswered": "Questions without an answer (supervisors)",
}


def _say(message: views.Message) -> Act:
    return lambda unit, desk, who: say(unit, who.chat_id, message)


def _command(name: str, arguments: str, message_id: int) -> tuple[str, Act]:
    """Return the action (for the access table) and the act of a command."""

    def begin(unit: Unit, desk: Desk, who: Who) -> None:
        flow, entry = {"board": ("board_request", None), "board_use": ("board_request", "use_for_board_functions")}.get(
            name, ("sharing", None)
        )
        guidance.begin(unit, desk, who, flow, entry, greet=name == "start")

    acts: dict[str, tuple[str, Act]] = {
        "start": ("walk", begin),
        "share": ("walk", begin),
        "board": ("walk", begin),
        "board_use": ("walk", begin),
        "emergency": ("raise_emergency", guidance.emergency),
        "cancel": ("walk", guidance.cancel),
        "help": ("read_guidance", _say(views.help_text())),
        "privacy": ("read_guidance", _say(views.privacy())),
        "rules": (
            "read_guidance",
            lambda unit, desk, who: say(unit, who.chat_id, views.rules(desk.book.edition)),
        ),
        "ask": ("read_guidance", lambda unit, desk, who: guidance.ask(unit, desk, who, arguments, message_id)),
        "local": _local(arguments),
        "unanswered": ("read_unanswered", advice.show_unanswered),
        "records": ("read_own_records", lambda unit, desk, who: own_records.show_list(unit, who)),
        "note": (
            "amend_own_record",
            lambda unit, desk, who: own_records.add_note(unit, desk, who, arguments, message_id),
        ),
    }
    return acts[name]


def _local(arguments: str) -> tuple[str, Act]:
    """/local shows the route; /local set NAME VALUE changes it."""
    verb, _, rest = arguments.strip().partition(" ")
    if verb == "set":
        return "set_local_route", lambda unit, desk, who: advice.set_local_route(unit, desk, who, rest)
    return "read_guidance", lambda unit, desk, who: advice.show_local_route(unit, who)


def _tap(button: Button) -> tuple[str, Act]:
    """Return the action and the act of a button that belongs to no conversation, or of a card."""
    if button.handle is not None:
        act: Act = partial(_with_button, button)
        return ("raise_emergency" if button.act == "!emergency" else "walk"), act
    verb, _, rest = button.act.partition(".")
    acts: dict[str, tuple[str, Act]] = {
        "emergency": ("raise_emergency", lambda unit, desk, who: guidance.emergency(unit, desk, who, rest)),
        "start": ("walk", lambda unit, desk, who: _start(unit, desk, who, rest)),
        "resume": ("walk", lambda unit, desk, who: guidance.resume(unit, desk, who, rest)),
        "passage": ("read_guidance", lambda unit, desk, who: advice.passage(unit, desk, who, rest)),
        "about": ("read_guidance", lambda unit, desk, who: advice.about(unit, desk, who, rest)),
        "nohelp": ("read_guidance", lambda unit, desk, who: advice.did_not_help(unit, desk, who, rest)),
        "local": ("read_guidance", lambda unit, desk, who: advice.show_local_route(unit, who)),
        "notaperson": ("amend_own_record", own_records.let_name_pass),
        "record": ("read_own_records", lambda unit, desk, who: own_records.show(unit, desk, who, rest)),
        "note": ("amend_own_record", lambda unit, desk, who: own_records.explain_note(unit, who, rest)),
    }
    if verb not in acts:
        raise BadButton(f"There is no button {verb}.")
    return acts[verb]


def _with_button(button: Button, unit: Unit, desk: Desk, who: Who) -> str:
    return guidance.tap(unit, desk, who, button)


def _start(unit: Unit, desk: Desk, who: Who, flow: str) -> None:
    guidance.begin(unit, desk, who, flow if flow in desk.book.machines else "sharing")


def handlers(front: Front) -> list[Handler]:  # type: ignore[type-arg]
    """Return the ordered handler list."""

    async def command(update: Update, _context: object) -> None:
        message = update.effective_message
        assert message is not None and message.text is not None  # noqa: S101 (the filter says so)
        name = message.text[1:].split(maxsplit=1)[0].split("@")[0].lower()
        arguments = message.text.partition(" ")[2]
        await front.act(update, *_command(name, arguments, message.message_id))

    async def tapped(update: Update, _context: object) -> None:
        query = update.callback_query
        assert query is not None  # noqa: S101 (the handler says so)
        try:
            action, act = _tap(decode(query.data or ""))
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

    return [
        InlineQueryHandler(asked_inline),
        CommandHandler(list(COMMANDS), command, filters=PRIVATE),
        CallbackQueryHandler(tapped),
        MessageHandler(PRIVATE & filters.TEXT, typed),
        MessageHandler(PRIVATE & ~filters.TEXT & ~filters.StatusUpdate.ALL, unreadable),
    ]
