"""Local contacts set by an administrator: names, numbers and links of organisations, never of a child or family."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from storage.core import ledger
from storage.core.faults import NotAllowed
from storage.core.models import LocalContact, table_of
from storage.core.screened import ScreenedText
from storage.core.unit import Unit

CONTACT = table_of(LocalContact)
#: What can be set, in display order.
NAMES = ("partnership", "day_number", "night_number", "referral_form", "procedures", "information_governance")
LONGEST = 200


class CannotSet(NotAllowed):
    """There is no local contact of this name, or the value does not fit."""


def get(unit: Unit) -> dict[str, str]:
    """Return the local contacts that are set, by name."""
    return {row.name: row.value for row in unit.connection.execute(select(CONTACT))}


def put(unit: Unit, name: str, value: ScreenedText | None, at: str, actor: str) -> None:
    """Set one local contact, or clear it if there is no value; raise CannotSet."""
    if name not in NAMES:
        raise CannotSet("unknown_contact", known=", ".join(NAMES))
    plain = " ".join(value.text.split()) if value else ""
    unit.connection.execute(delete(CONTACT).where(CONTACT.c.name == name))
    if plain:
        unit.connection.execute(insert(CONTACT).values(name=name, value=plain, set_at=at))
    ledger.append(unit, at, actor, "local_route.set", name, ledger.digest_of([name, plain]))
