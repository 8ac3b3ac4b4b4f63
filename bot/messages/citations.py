"""How every card shows where something comes from: the passage, its source and how strongly the advice puts it."""

from __future__ import annotations

from bot.messages.message import bold, escape, italic
from bot.messages.texts import text_of
from flows.definition import Edition, Strength


def strength_of(strength: str) -> str:
    """Return how strongly the advice puts something; nothing for a statement."""
    return "" if strength == Strength.STATEMENT else text_of(f"strength.{strength}")


def cite(edition: Edition, passage_id: str) -> str:
    """Return the source of a passage: edition, section, place."""
    passage = edition.passages[passage_id]
    return text_of("cite", year=edition.published[:4], section=passage.section, where=passage.where)


def source_line(edition: Edition, passage_id: str) -> str:
    """Return the strength and the source of a passage, in italics."""
    strength = strength_of(edition.passages[passage_id].strength)
    return italic(f"{strength} {text_of('source', source=cite(edition, passage_id))}".strip())


def passage_line(edition: Edition, passage_id: str) -> str:
    """Return a passage: its title, our wording, the advice's strength, its source."""
    passage = edition.passages[passage_id]
    return f"{bold(passage.title)}\n{escape(passage.text)}\n{source_line(edition, passage_id)}"
