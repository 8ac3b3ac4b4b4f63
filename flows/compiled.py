"""An edition's ways to ask in the form that the search index needs, made beforehand: reading them anew takes a second.

`python -m tests.training compiled` writes compiled.json beside asked.yaml; where that has changed since, it is read itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows import derived
from flows.search import Row

NAME = "compiled.json"


def packed(made_from: str, about: Mapping[str, Any], rows: list[Row], vocabulary: list[str]) -> bytes:
    """Return the file. `about`: what asked.yaml says besides ways to ask."""
    terms = sorted({term for _, row in rows for term in row})
    keys = sorted({key for key, _ in rows})
    place, at = {term: number for number, term in enumerate(terms)}, {key: number for number, key in enumerate(keys)}
    return derived.pack({
        "made_from": made_from, "about": about, "vocabulary": vocabulary, "terms": terms, "keys": keys,
        "rows": [[at[key], *(place[term] for term in row)] for key, row in rows],
    })  # fmt: skip


def compiled_of(folder: Path) -> tuple[Mapping[str, Any], list[Row], list[str]] | None:
    """Return what was packed, or None if there is no such file or the ways to ask have changed since."""
    fresh = derived.fresh(folder, NAME)
    if fresh is None:
        return None
    found, _ = fresh
    terms, keys = found["terms"], found["keys"]
    rows = [(keys[row[0]], tuple(terms[number] for number in row[1:])) for row in found["rows"]]
    return found["about"], rows, found["vocabulary"]
