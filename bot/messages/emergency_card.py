"""The card of an emergency: whom to call now, and whom if it happened earlier."""

from __future__ import annotations

from collections.abc import Mapping

from bot.messages.callback_data import Button
from bot.messages.message import Message, bold, escape
from bot.messages.notices import numbers
from bot.messages.texts import text_of


def words(contacts: Mapping[str, str]) -> list[str]:
    """Return whom to call, as paragraphs: now, and if it happened earlier, with the local numbers that are set."""
    local = numbers(contacts, "day_number", "night_number")
    return [
        bold(text_of("emergency.now")),
        escape(text_of("emergency.earlier", numbers=local)),
        escape(text_of("emergency.keep_words")),
    ]


def card(contacts: Mapping[str, str], *, has_walk: bool) -> Message:
    """Return the card that /emergency shows. It records nothing."""
    lines = [*words(contacts), escape(text_of("emergency.not_recorded"))]
    acts = [("calling", "calling"), ("happened", "happened")]
    buttons = [(text_of(f"emergency.buttons.{name}"), Button(act).encode()) for name, act in acts]
    if has_walk:
        buttons.append((text_of("advice.go_on"), Button("go_on").encode()))
    return Message("\n\n".join(lines), tuple((button,) for button in buttons))
