"""Exports of lists of records: requested by one person, approved by another, coded columns only, for one day."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import access
from bot.domain.access import Resource, Role
from bot.messages import membership_cards, review_cards
from bot.usecases.context import Actor, Context, say
from storage import exports, members
from storage.core.clock import later
from storage.core.unit import Unit
from storage.exports import ExportRow
from storage.reviews import ReviewRow, Wanted

__all__ = ["ExportRow"]

#: Minutes until an export expires.
OPEN_MINUTES = 24 * 60


def ask(unit: Unit, context: Context, actor: Actor, wanted: Wanted) -> int:
    """Request an export, tell everybody who may approve it, and return its number."""
    team = actor.member.team
    number = exports.ask(unit, team, actor.member.id, wanted, context.now())
    for other in members.of_team(unit, team, Role.SUPERVISOR, Role.ADMINISTRATOR):
        if other.id != actor.member.id:
            say(unit, other.telegram_id, review_cards.list_asked(membership_cards.called(actor.member)))
    return number


def open_in_team(unit: Unit, context: Context, team: str) -> list[ExportRow]:
    """Return a team's exports that have not expired, newest first."""
    return exports.of_team(unit, team, later(context.now(), -OPEN_MINUTES))


def find(unit: Unit, context: Context, number: int) -> ExportRow | None:
    """Return an export, or None if it has expired or does not exist."""
    found = exports.get(unit, number)
    return found if found and found.made_at >= later(context.now(), -OPEN_MINUTES) else None


def agree(unit: Unit, context: Context, actor: Actor, export: ExportRow) -> bool:
    """Approve somebody else's export; return False if it is not waiting for this person."""
    allowed = access.may(actor.member, "agree_to_export", Resource(export.member_id, export.team))
    return allowed and exports.agree(unit, export.id, actor.member.id, context.now())


def take(unit: Unit, context: Context, actor: Actor, export: ExportRow) -> Iterator[ReviewRow] | None:
    """Return the rows of an approved export to the person who requested it; None to anybody else."""
    if export.agreed_by is None or export.member_id != actor.member.id:
        return None
    return exports.rows(unit, export, context.now())
