"""Review: what each command and button does."""

from __future__ import annotations

from collections.abc import Callable

from bot.telegram.handlers.guidance import Argument, Done
from bot.usecases import console_link, reviews, walk


def _button(rest: str) -> Done:
    """rv.<verb>.<record>.<more>"""
    verb, reference, value = ([*rest.split("."), "", "", ""])[:3]
    if verb == "queue":
        return "review_record", lambda unit, desk, who: reviews.show_queue(unit, desk, who)
    if verb == "next":
        return "review_record", lambda unit, desk, who: reviews.show_queue(unit, desk, who, reference)
    if verb == "sampled":
        return "review_record", lambda unit, desk, who: reviews.open_sampled(unit, desk, who, reference)
    if verb == "show":
        return "review_record", lambda unit, desk, who: reviews.show(unit, desk, who, reference)
    if verb in ("sign_off", "return", "comment", "close", "reopen", "grade", "follow_up"):
        return "review_record", lambda unit, desk, who: reviews.act(unit, desk, who, verb, reference, value)
    return "review_record", lambda unit, desk, who: walk.OLD_BUTTON


COMMANDS: dict[str, Callable[[Argument], Done]] = {
    "review": lambda _argument: ("review_record", lambda unit, desk, who: reviews.show_queue(unit, desk, who)),
    "sample": lambda _argument: ("review_record", reviews.show_sample),
    "console": lambda _argument: ("use_console", console_link.link),
    "readers": lambda argument: (
        "request_sign_off",
        lambda unit, desk, who: reviews.readers(unit, who, argument.typed.text),
    ),
}
BUTTONS: dict[str, Callable[[str], Done]] = {
    "rv": _button,
    "readers": lambda rest: ("request_sign_off", lambda unit, desk, who: reviews.readers(unit, who, rest)),
    "signoff": lambda rest: (
        "request_sign_off",
        lambda unit, desk, who: reviews.request_sign_off(unit, desk, who, rest),
    ),
}
