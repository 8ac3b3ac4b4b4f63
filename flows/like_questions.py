"""Groups questions that ask the same in other words, so that a supervisor sees what is missing, not who asked."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process

from flows.search import Search

#: How alike two questions must be, from 0 to 100, and how many are compared at most.
ALIKE, MOST = 72.0, 500


def groups(search: Search, questions: Iterable[str]) -> list[list[int]]:
    """Return the positions of the questions in groups of like ones, in the order of their first."""
    known: list[str] = []
    found: list[list[int]] = []
    for position, question in enumerate(list(questions)[:MOST]):
        terms = " ".join(sorted(set(search.terms(question)))) or question.casefold()
        like = process.extractOne(terms, known, scorer=fuzz.token_set_ratio, score_cutoff=ALIKE)
        if like is None:
            known.append(terms)
            found.append([position])
        else:
            found[like[2]].append(position)
    return found
