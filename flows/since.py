"""What is reported of the law since an edition was published: shown beside an ending, never mixed with the edition's words."""

from __future__ import annotations

from functools import cache
from typing import Any

from flows.definition import Edition
from flows.yaml_files import packaged


@cache
def _raw() -> Any:
    return packaged("since.yaml")


def said_of(edition: Edition, outcome: str | None, decision: str | None = None) -> str:
    """Return what has changed that somebody must know before this ending stands; nothing where nothing is known."""
    known = _raw().get(edition.jurisdiction, {})
    found = known.get(outcome) or known.get(decision)
    return str(found["text"]) if found else ""
