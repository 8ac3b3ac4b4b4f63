"""Reported changes in the law since an edition was published, shown beside an outcome and never mixed with the edition's words."""

from __future__ import annotations

from functools import cache
from typing import Any

from flows.definition import Edition
from flows.yaml_files import packaged


@cache
def _raw() -> Any:
    return packaged("since.yaml")


def said_of(edition: Edition, outcome: str | None, decision: str | None = None) -> str:
    """Return the change that a person must know before they settle on this outcome; an empty text if none is known."""
    known = _raw().get(edition.jurisdiction, {})
    found = known.get(outcome) or known.get(decision)
    return str(found["text"]) if found else ""
