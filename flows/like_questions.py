"""Groups questions that ask the same in other words, so that a supervisor sees what is missing, not who asked."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz

from flows.search import Search

#: How alike two questions must be, from 0 to 100, and how many are compared at most.
ALIKE, MOST = 72.0, 500


def groups(search: Search, questions: Iterable[str]) -> list[list[int]]:
    """Return the positions of the questions in groups of like ones, in the order of their first."""
    found: list[tuple[str, list[int]]] = []
    for position, question in enumerate(list(questions)[:MOST]):
        terms = " ".join(sorted(set(search.terms(question)))) or question.casefold()
        like = max(found, key=lambda group: fuzz.token_set_ratio(group[0], terms), default=None)
        if like is not None and fuzz.token_set_ratio(like[0], terms) >= ALIKE:
            like[1].append(position)
        else:
            found.append((terms, [position]))
    return [positions for _, positions in found]
