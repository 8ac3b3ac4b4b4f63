"""Second opinions: what each command and button does."""

from __future__ import annotations

from collections.abc import Callable

from bot.telegram.handlers.guidance import Argument, Done
from bot.usecases import opinions, walk

#: Taps on a draft that is one's own.
DRAFT = ("send", "drop", "sentence", "nosentence", "name", "noname")


def _button(rest: str) -> Done:
    """op.<request>.<verb>.<more>: what a request's card, a colleague's card or a result offers."""
    number, verb, first, second = ([*rest.split("."), "", "", "", ""])[:4]
    if verb == "choose":
        return "give_opinion", lambda unit, desk, who: opinions.choose(unit, desk, who, number, first)
    if verb == "why":
        return "give_opinion", lambda unit, desk, who: opinions.give(unit, desk, who, number, first, second)
    if verb == "withdraw":
        return "ask_opinion", lambda unit, desk, who: opinions.withdraw(unit, desk, who, number)
    if verb == "view":
        return "ask_opinion", lambda unit, desk, who: opinions.view(unit, desk, who, number, first)
    if verb in DRAFT:
        return "ask_opinion", lambda unit, desk, who: opinions.change_draft(unit, desk, who, number, verb)
    return "ask_opinion", lambda unit, desk, who: walk.OLD_BUTTON


def come_in(number_and_choice: str) -> Done:
    """/start o_<request>_<choice>: a colleague comes from a card in the channel."""
    return "give_opinion", lambda unit, desk, who: opinions.nudged(unit, desk, who, number_and_choice)


COMMANDS: dict[str, Callable[[Argument], Done]] = {
    "opinion": lambda argument: (
        "ask_opinion",
        lambda unit, desk, who: walk.ask_team(unit, desk, who, argument.typed.text),
    ),
}
BUTTONS: dict[str, Callable[[str], Done]] = {
    "op": _button,
    "opinion": lambda rest: ("ask_opinion", lambda unit, desk, who: walk.ask_team(unit, desk, who, rest)),
}
