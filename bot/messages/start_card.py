"""The first card: what this is, and what people come for."""

from __future__ import annotations

from bot.messages.callback_data import Button
from bot.messages.message import Message, bold, emergency_row, escape, plain
from bot.messages.texts import labels, text_of
from flows.definition import Edition

#: The choice that begins no walk.
QUESTION = "question"


def welcome(edition: Edition) -> Message:
    """Return what /start says: what this is and is not, and what people come for."""
    limits = text_of("start.limits", banner=edition.banner, not_encrypted=text_of("not_encrypted"))
    lines = [bold(text_of("start.title")), escape(text_of("start.what")), escape(limits)]
    offered = tuple(((label, Button(act).encode()),) for label, act in choices(edition))
    return Message("\n\n".join(lines), (*offered, *emergency_row()))


def choices(edition: Edition) -> list[tuple[str, str]]:
    """Return what people come for, as labels and button acts, as far as the edition has it; a question comes last."""
    known = {*edition.roles.starts, QUESTION}
    return [(label, f"for.{name}") for name, label in labels("start.choices").items() if name in known]


def ask_away() -> Message:
    """Ask for a question in the person's own words."""
    return plain(f"{text_of('start.ask')} {text_of('no_names')}")


def said_already(edition: Edition, choice: str) -> str:
    """Return what the choice of what they came for has answered already, or "" if it answered nothing."""
    answers = edition.roles.starts[choice].answers
    return text_of("start.said", said=text_of(f"start.choices.{choice}")) if answers else ""
