"""Guidance, quick advice and one's own records: what each command and button does. No handler calls the Bot API."""

from __future__ import annotations

from collections.abc import Callable

from bot import views
from bot.usecases import advice, guidance, own_records
from bot.usecases.desk import Desk, Who, say
from bot.usecases.front import Act
from storage.database import Unit

#: An action of the access table, and what is done.
Done = tuple[str, Act]


def _begin(flow: str, entry: str | None = None, *, greet: bool = False) -> Done:
    return "walk", lambda unit, desk, who: guidance.begin(unit, desk, who, flow, entry, greet=greet)


def _say(message: views.Message) -> Done:
    return "read_guidance", lambda unit, desk, who: say(unit, who.chat_id, message)


def _local(arguments: str) -> Done:
    """/local shows the route; /local set NAME VALUE changes it."""
    verb, _, rest = arguments.strip().partition(" ")
    if verb == "set":
        return "set_local_route", lambda unit, desk, who: advice.set_local_route(unit, desk, who, rest)
    return "read_guidance", lambda unit, desk, who: advice.show_local_route(unit, who)


def _start(unit: Unit, desk: Desk, who: Who, flow: str) -> None:
    guidance.begin(unit, desk, who, flow if flow in desk.book.machines else "sharing")


#: Command -> (what stands behind it, the message's id) -> action and act.
COMMANDS: dict[str, Callable[[str, int], Done]] = {
    "start": lambda _text, _id: _begin("sharing", greet=True),
    "share": lambda _text, _id: _begin("sharing"),
    "board": lambda _text, _id: _begin("board_request"),
    "board_use": lambda _text, _id: _begin("board_request", "use_for_board_functions"),
    "emergency": lambda _text, _id: ("raise_emergency", guidance.emergency),
    "cancel": lambda _text, _id: ("walk", guidance.cancel),
    "help": lambda _text, _id: _say(views.help_text()),
    "privacy": lambda _text, _id: _say(views.privacy()),
    "rules": lambda _text, _id: (
        "read_guidance",
        lambda unit, desk, who: say(unit, who.chat_id, views.rules(desk.book.edition)),
    ),
    "ask": lambda text, message_id: (
        "read_guidance",
        lambda unit, desk, who: guidance.ask(unit, desk, who, text, message_id),
    ),
    "local": lambda text, _id: _local(text),
    "unanswered": lambda _text, _id: ("read_unanswered", advice.show_unanswered),
    "records": lambda _text, _id: ("read_record", lambda unit, desk, who: own_records.show_list(unit, who)),
    "note": lambda text, message_id: (
        "amend_record",
        lambda unit, desk, who: own_records.add_note(unit, desk, who, text, message_id),
    ),
}

#: Button -> (what stands behind its name) -> action and act.
BUTTONS: dict[str, Callable[[str], Done]] = {
    "emergency": lambda rest: (
        "raise_emergency",
        lambda unit, desk, who: guidance.emergency(unit, desk, who, rest),
    ),
    "start": lambda rest: ("walk", lambda unit, desk, who: _start(unit, desk, who, rest)),
    "go_on": lambda _rest: ("walk", guidance.go_on),
    "resume": lambda rest: ("walk", lambda unit, desk, who: guidance.resume(unit, desk, who, rest)),
    "passage": lambda rest: ("read_guidance", lambda unit, desk, who: advice.passage(unit, desk, who, rest)),
    "about": lambda rest: ("read_guidance", lambda unit, desk, who: advice.about(unit, desk, who, rest)),
    "nohelp": lambda rest: ("read_guidance", lambda unit, desk, who: advice.did_not_help(unit, desk, who, rest)),
    "local": lambda _rest: _local(""),
    "notaperson": lambda _rest: ("walk", own_records.let_name_pass),
    "record": lambda rest: ("read_record", lambda unit, desk, who: own_records.show(unit, desk, who, rest)),
    "note": lambda rest: ("amend_record", lambda unit, desk, who: own_records.explain_note(unit, who, rest)),
}
