"""A person's own decision records: list, show, add a note. Others' records are answered as if absent."""

from __future__ import annotations

from bot import views
from bot.usecases.desk import Desk, Who
from bot.usecases.guidance import say
from flows import screening
from storage import ledger, mailbox, records
from storage.database import Unit
from storage.records import Stored

SHOWN = 10
ABSENT = "You have no record with that reference."


def show_list(unit: Unit, who: Who) -> None:
    """Show the newest of a person's own records."""
    say(unit, who.chat_id, views.record_list(list(records.listed(unit, who.member.id, SHOWN))))


def _own(unit: Unit, who: Who, reference: str) -> Stored | None:
    stored = records.find(unit, reference.strip().upper())
    return stored if stored and stored.clear["member_id"] == who.member.id else None


def show(unit: Unit, desk: Desk, who: Who, reference: str) -> None:
    """Show one own record; the reading goes into the ledger."""
    stored = _own(unit, who, reference)
    if stored is None:
        say(unit, who.chat_id, views.plain(ABSENT))
        return
    ledger.append(unit, desk.now(), who.actor, "record.read", f"record:{stored.clear['id']}")
    for message in views.record(stored):
        say(unit, who.chat_id, message)


def explain_note(unit: Unit, who: Who, reference: str) -> None:
    """Say how to add a note to a record."""
    say(unit, who.chat_id, views.plain(f"To add a note, type: /note {reference} and then your words. {views.NO_NAMES}"))


def add_note(unit: Unit, desk: Desk, who: Who, text: str, message_id: int) -> None:
    """Add later words to an own record; the record itself stays as it is."""
    reference, _, words = text.strip().partition(" ")
    stored = _own(unit, who, reference) if reference else None
    if stored is None or not words.strip():
        say(
            unit,
            who.chat_id,
            views.plain("Type /note, then the reference, then your words." if not words.strip() else ABSENT),
        )
        return
    try:
        screened = screening.screened(words)
    except (screening.IdentifierFound, screening.TextTooLong) as error:
        if isinstance(error, screening.IdentifierFound):
            mailbox.put(unit, who.chat_id, "delete", {"message_id": message_id})
        say(unit, who.chat_id, views.plain(views.refusal(error)))
        return
    seq = records.amend(unit, stored.clear["id"], who.member.id, {"text": screened.text}, desk.now(), who.actor)
    say(unit, who.chat_id, views.plain(f"Saved. Note {seq} on record {stored.clear['reference']}."))
