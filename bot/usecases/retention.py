"""How long records are kept: set the time of a class, hold and release records, list what is due, erase."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from storage import records, retention
from storage.core.screened import ScreenedText
from storage.core.unit import Unit
from storage.operations import erasure
from storage.operations.erasure import BadList, Held
from storage.retention import CannotSet, Due, Rule

__all__ = ["BadList", "CannotSet", "Held"]

#: The classes of records, with the words that people are shown.
CLASSES = retention.CLASSES


class NoSuchRecord(Exception):
    """There is no record with this reference."""


def set_rule(unit: Unit, record_class: str, days: int | None, review_days: int | None, at: str, actor: str) -> None:
    """Set how long a class is kept, in days, or after how many days to look at it again; raise CannotSet."""
    retention.put(unit, record_class, days, review_days, at, actor)


def rules(unit: Unit) -> dict[str, Rule]:
    """Return the rules that are set, by class."""
    return retention.rules(unit)


def counts(unit: Unit) -> dict[str, int]:
    """Return how many records are kept and how many were erased."""
    return retention.counts(unit)


def due(unit: Unit, now: str) -> list[Due]:
    """Return the records whose time has come, in all teams."""
    return retention.due(unit, now)


def hold(unit: Unit, references: Sequence[str], reason: ScreenedText, at: str, actor: str) -> None:
    """Keep records from being erased; raise NoSuchRecord, and then nothing is changed."""
    for record_id in _ids(unit, references):
        retention.hold(unit, record_id, reason, at, actor)


def release(unit: Unit, references: Sequence[str], at: str, actor: str) -> None:
    """Release records that are on hold; raise NoSuchRecord."""
    for record_id in _ids(unit, references):
        retention.release(unit, record_id, at, actor)


def erase(unit: Unit, references: Sequence[str], folder: Path, at: str, actor: str) -> None:
    """Erase records for good and note them for restores, as one act; raise NoSuchRecord, Held or BadList.

    `folder` holds the list of erasures. The transaction must commit right after this call.
    """
    erasure.reconcile(unit, folder)
    found = _ids(unit, references)
    for record_id in found:
        erasure.erase(unit, record_id, at, actor)
    erasure.note(folder, found)


def _ids(unit: Unit, references: Sequence[str]) -> list[str]:
    found = []
    for reference in references:
        stored = records.find(unit, reference.strip().upper())
        if stored is None:
            raise NoSuchRecord(f"There is no record {reference}. Nothing was changed.")
        found.append(str(stored.clear["id"]))
    return found
