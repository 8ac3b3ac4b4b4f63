"""Whoever reads at the age of 12 can read what the bot says: Flesch-Kincaid grade 7 at most, for texts of more than 8 words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.messages.texts import Plural, texts
from tests.support.counts import COUNTS
from tests.support.paths import BOOK
from tests.support.reading import grade

MOST, SHORT = 7.0, 8


def own_words() -> Iterator[tuple[str, str]]:
    """Return every text that is ours, by where it stands. Labels in the source's own words are not."""
    for key, text in texts().items():
        ways = (text.one, text.other) if isinstance(text, Plural) else (text,) if isinstance(text, str) else text
        yield from ((key, way) for way in ways)
    for flow in BOOK.edition.flows.values():
        for question in flow.questions.values():
            named = {"why": question.why, "asks": question.asks, "example": question.example, "unsure": question.unsure}
            named |= {} if question.quoted else {"label": question.label}
            named |= {f"notes.{option.id}": option.note for option in question.options}
            yield from ((f"{question.id}.{name}", text) for name, text in named.items())
        yield from ((f"{flow.id}.{outcome.id}", outcome.body) for outcome in flow.outcomes.values())
    yield from ((f"duties.{duty.id}", duty.text) for duty in BOOK.edition.duties.values())


def test_no_text_of_ours_is_harder_than_grade_7():
    hard = {}
    for where, text in own_words():
        said = re.sub(r"\{[^}]*\}", "it", text)
        if len(said.split()) > SHORT:
            COUNTS["texts of ours with their reading grade"] += 1
            if grade(said) > MOST:
                hard[where] = round(grade(said), 1), text
    assert hard == {}
