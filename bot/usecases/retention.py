"""Retention: set the period of a class, hold and release records, list what is due, erase."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.domain import access
from bot.domain.access import Resource
from bot.domain.retention import CannotSet, check
from bot.usecases.context import Actor, Context
from storage import records, retention, reviews
from storage.core.screened import ScreenedText
from storage.core.unit import Unit
from storage.operations import erasure
from storage.operations.erasure import BadList, Held
from storage.retention import Due, HeldRow, Rule
from storage.reviews import ReviewRow

__all__ = ["BadList", "CannotSet", "Held"]


class NoSuchRecord(Exception):
    """No record has this reference."""


def set_rule(unit: Unit, record_class: str, days: int | None, review_days: int | None, at: str, actor: str) -> None:
    """Set how many days a class of records is kept, or how many days pass between its reviews; raise CannotSet."""
    check(record_class, days, review_days)
    retention.put(unit, record_class, days, review_days, at, actor)


def rules(unit: Unit) -> dict[str, Rule]:
    """Return the rules that are set, by class."""
    return retention.rules(unit)


def counts(unit: Unit) -> dict[str, int]:
    """Return how many records are kept and how many were erased."""
    return retention.counts(unit)


def due(unit: Unit, now: str) -> list[Due]:
    """Return the records that are due, in all teams."""
    return retention.due(unit, now)


def hold(unit: Unit, references: Sequence[str], reason: ScreenedText, at: str, actor: str) -> None:
    """Put records on hold so that they are not erased; raise NoSuchRecord, and then change nothing."""
    for record_id in _ids(unit, references):
        retention.hold(unit, record_id, reason, at, actor)


def release(unit: Unit, references: Sequence[str], at: str, actor: str) -> None:
    """Release records from their hold; raise NoSuchRecord."""
    for record_id in _ids(unit, references):
        retention.release(unit, record_id, at, actor)


def erase(unit: Unit, references: Sequence[str], folder: Path, at: str, actor: str) -> None:
    """Erase records for good and note them for restores, in one action; raise NoSuchRecord, Held or BadList.

    `folder` contains the list of erasures. The transaction must commit right after this call.
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


# ---- by a supervisor ------------------------------------------------------------------------------
def due_in_team(unit: Unit, now: str, team: str, limit: int) -> list[Due]:
    """Return a team's records that are due, longest kept first."""
    return retention.due(unit, now, team, limit)


def held_in_team(unit: Unit, team: str) -> list[HeldRow]:
    """Return a team's records that are on hold."""
    return retention.held(unit, team)


def reachable(unit: Unit, actor: Actor, reference: str) -> ReviewRow | None:
    """Return the review of a record that this person may hold or release; None for any other record."""
    review = reviews.find(unit, reference.strip().upper())
    if review and access.may(actor.member, "hold_record", Resource(review.member_id, review.team)):
        return review
    return None


def hold_one(unit: Unit, context: Context, actor: Actor, record_id: str, reason: ScreenedText) -> None:
    """Put a record on hold."""
    retention.hold(unit, record_id, reason, context.now(), actor.ledger_name)


def release_one(unit: Unit, context: Context, actor: Actor, record_id: str) -> bool:
    """Release a record; return whether it was on hold."""
    return retention.release(unit, record_id, context.now(), actor.ledger_name)
