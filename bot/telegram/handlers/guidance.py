"""Commands and buttons of the guidance, quick advice and one's own records. No handler calls the Bot API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.typed_text import Typed
from bot.messages import notices
from bot.messages.message import Message
from bot.usecases import advice, emergencies, local_contacts, menus, own_records, unanswered, walk
from bot.usecases.context import say
from bot.usecases.gateway import Act

#: An action of the access table, and the use case to run.
Done = tuple[str, Act]


def _start(command: str) -> Done:
    return "walk", lambda unit, context, actor: walk.start(unit, context, actor, command)


def _say(message: Message) -> Done:
    return "read_guidance", lambda unit, context, actor: say(unit, actor.chat_id, message)


@dataclass(frozen=True)
class Argument:
    """What follows a command: all of it, its first words, and the words after those.

    `heads`: how many of the first words are ids or names of settings and not a person's own words.
    """

    typed: Typed
    heads: tuple[str, ...] = ()


def _local(argument: Argument) -> Done:
    """Run /local, which shows the contacts, or /local set NAME VALUE, which changes one."""
    if argument.heads[:1] == ("set",):
        name = argument.heads[1] if len(argument.heads) > 1 else ""
        return "set_local_contacts", lambda unit, context, actor: local_contacts.set_in_chat(
            unit, context, actor, name, argument.typed
        )
    return "read_guidance", lambda unit, context, actor: local_contacts.show(unit, actor)


#: How many words after a command are an id, a role or the name of a setting, and not the person's own text.
HEADS = {"note": 1, "local": 2, "invite": 1}
#: Command -> what follows it -> action and use case.
COMMANDS: dict[str, Callable[[Argument], Done]] = {
    "start": lambda _argument: ("walk", walk.welcome),
    "share": lambda _argument: _start("share"),
    "board": lambda _argument: _start("board"),
    "board_use": lambda _argument: _start("board_use"),
    "emergency": lambda _argument: ("raise_emergency", emergencies.show_card),
    "cancel": lambda _argument: ("walk", walk.cancel),
    "help": lambda _argument: ("read_guidance", menus.help_me),
    "privacy": lambda _argument: _say(notices.privacy()),
    "rules": lambda _argument: (
        "read_guidance",
        lambda unit, context, actor: say(unit, actor.chat_id, notices.rules(context.book.edition)),
    ),
    "ask": lambda argument: (
        "read_guidance",
        lambda unit, context, actor: walk.ask(unit, context, actor, argument.typed),
    ),
    "local": _local,
    "unanswered": lambda _argument: ("read_unanswered", unanswered.show),
    "records": lambda argument: (
        "read_record",
        lambda unit, context, actor: own_records.show_list(unit, context, actor, argument.typed),
    ),
    "note": lambda argument: (
        "amend_record",
        lambda unit, context, actor: own_records.add_note(
            unit, context, actor, "".join(argument.heads), argument.typed
        ),
    ),
}

#: Button -> what follows its name -> action and use case.
BUTTONS: dict[str, Callable[[str], Done]] = {
    "emergency": lambda rest: (
        "raise_emergency",
        lambda unit, context, actor: emergencies.raise_it(unit, context, actor, rest),
    ),
    "calling": lambda _rest: ("raise_emergency", emergencies.calling),
    "happened": lambda _rest: ("raise_emergency", emergencies.happened_earlier),
    "for": lambda rest: ("walk", lambda unit, context, actor: walk.came_for(unit, context, actor, rest)),
    "start": lambda rest: ("walk", lambda unit, context, actor: walk.begin_flow(unit, context, actor, rest)),
    "go_on": lambda _rest: ("walk", walk.go_on),
    "resume": lambda rest: ("walk", lambda unit, context, actor: walk.resume(unit, context, actor, rest)),
    "passage": lambda rest: (
        "read_guidance",
        lambda unit, context, actor: walk.show_advice(unit, context, actor, advice.passage, rest),
    ),
    "card": lambda rest: (
        "read_guidance",
        lambda unit, context, actor: walk.show_advice(unit, context, actor, advice.card, rest),
    ),
    "mean": lambda rest: (
        "read_guidance",
        lambda unit, context, actor: walk.show_advice(unit, context, actor, advice.meant, rest),
    ),
    "asked": lambda rest: (
        "sort_unanswered",
        lambda unit, context, actor: unanswered.sort_out(unit, context, actor, rest),
    ),
    "none_of_these": lambda _rest: ("read_guidance", advice.none_of_these),
    "about": lambda rest: ("read_guidance", lambda unit, context, actor: advice.about(unit, context, actor, rest)),
    "nohelp": lambda rest: (
        "read_guidance",
        lambda unit, context, actor: advice.did_not_help(unit, context, actor, rest),
    ),
    "local": lambda _rest: ("read_guidance", lambda unit, context, actor: local_contacts.show(unit, actor)),
    "reopen": lambda rest: ("walk", lambda unit, context, actor: walk.reopen(unit, context, actor, rest)),
    "notaperson": lambda _rest: ("walk", own_records.override_name),
    "record": lambda rest: ("read_record", lambda unit, context, actor: own_records.show(unit, context, actor, rest)),
    "case": lambda rest: (
        "amend_record",
        lambda unit, context, actor: own_records.ask_for_case(unit, context, actor, rest),
    ),
    "mistaken": lambda rest: (
        "amend_record",
        lambda unit, context, actor: own_records.note_mistake(unit, context, actor, rest),
    ),
    "reasons": lambda rest: (
        "amend_record",
        lambda unit, context, actor: own_records.ask_for_reasons(unit, context, actor, rest),
    ),
    "mine": lambda rest: ("read_record", lambda unit, context, actor: own_records.show_page(unit, actor, rest)),
    "pdf": lambda rest: ("read_record", lambda unit, context, actor: own_records.send_pdf(unit, context, actor, rest)),
    "note": lambda rest: (
        "amend_record",
        lambda unit, context, actor: own_records.ask_for_note(unit, context, actor, rest),
    ),
}
