"""Commands and buttons of review."""

from __future__ import annotations

from collections.abc import Callable

from bot.messages.texts import text_of
from bot.telegram.handlers.guidance import Argument, Done
from bot.usecases import console_link, reviews


def _button(rest: str) -> Done:
    """Decode rv.<verb>.<record>.<more>."""
    verb, reference, value = ([*rest.split("."), "", "", ""])[:3]
    if verb == "queue":
        return "review_record", lambda unit, context, actor: reviews.show_queue(unit, context, actor)
    if verb == "next":
        return "review_record", lambda unit, context, actor: reviews.show_queue(unit, context, actor, reference)
    if verb == "sampled":
        return "review_record", lambda unit, context, actor: reviews.open_sampled(unit, context, actor, reference)
    if verb == "show":
        return "review_record", lambda unit, context, actor: reviews.show(unit, context, actor, reference)
    if verb in ("sign_off", "return", "comment", "close", "reopen", "grade", "follow_up"):
        return "review_record", lambda unit, context, actor: reviews.act(unit, context, actor, verb, reference, value)
    return "review_record", lambda unit, context, actor: text_of("walk.notes.old_button")


COMMANDS: dict[str, Callable[[Argument], Done]] = {
    "review": lambda _argument: (
        "review_record",
        lambda unit, context, actor: reviews.show_queue(unit, context, actor),
    ),
    "sample": lambda _argument: ("review_record", reviews.show_sample),
    "console": lambda _argument: ("use_console", console_link.link),
    "readers": lambda argument: (
        "request_sign_off",
        lambda unit, context, actor: reviews.readers(unit, actor, argument.typed.text),
    ),
}
BUTTONS: dict[str, Callable[[str], Done]] = {
    "rv": _button,
    "readers": lambda rest: ("request_sign_off", lambda unit, context, actor: reviews.readers(unit, actor, rest)),
    "signoff": lambda rest: (
        "request_sign_off",
        lambda unit, context, actor: reviews.request_sign_off(unit, context, actor, rest),
    ),
}
