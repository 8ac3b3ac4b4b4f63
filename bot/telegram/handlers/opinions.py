"""Commands and buttons of second opinions."""

from __future__ import annotations

from collections.abc import Callable

from bot.messages.texts import text_of
from bot.telegram.handlers.guidance import Argument, Done
from bot.usecases import opinions, walk

#: Taps on a draft.
DRAFT = ("send", "drop", "sentence", "nosentence", "name", "noname")


def _button(rest: str) -> Done:
    """Decode op.<request>.<verb>.<more>, a button of a request, of a colleague's card or of a result."""
    number, verb, first, second = ([*rest.split("."), "", "", "", ""])[:4]
    if verb == "choose":
        return "give_opinion", lambda unit, context, actor: opinions.choose(unit, context, actor, number, first)
    if verb == "why":
        return "give_opinion", lambda unit, context, actor: opinions.give(unit, context, actor, number, first, second)
    if verb == "withdraw":
        return "ask_opinion", lambda unit, context, actor: opinions.withdraw(unit, context, actor, number)
    if verb == "view":
        return "ask_opinion", lambda unit, context, actor: opinions.view(unit, context, actor, number, first)
    if verb in DRAFT:
        return "ask_opinion", lambda unit, context, actor: opinions.change_draft(unit, context, actor, number, verb)
    return "ask_opinion", lambda unit, context, actor: text_of("walk.notes.old_button")


def come_in(number_and_choice: str) -> Done:
    """Decode /start o_<request>_<choice>, which a colleague sends by tapping a request in the channel."""
    return "give_opinion", lambda unit, context, actor: opinions.nudged(unit, context, actor, number_and_choice)


COMMANDS: dict[str, Callable[[Argument], Done]] = {
    "opinion": lambda argument: (
        "ask_opinion",
        lambda unit, context, actor: walk.ask_team(unit, context, actor, argument.typed.text),
    ),
}
BUTTONS: dict[str, Callable[[str], Done]] = {
    "op": _button,
    "opinion": lambda rest: ("ask_opinion", lambda unit, context, actor: walk.ask_team(unit, context, actor, rest)),
}
