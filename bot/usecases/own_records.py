"""A person's own decision records: list, show, add a note. Others' records are answered as if absent."""

from __future__ import annotations

from bot import access, record_views, views
from bot.access import Thing
from bot.usecases import screen
from bot.usecases.desk import Desk, Who, say
from flows.screening import IdentifierFound, NotScreened
from storage import ledger, records
from storage.database import Unit
from storage.records import Stored

SHOWN = 10
ABSENT = "You have no record with that reference."


def show_list(unit: Unit, who: Who) -> None:
    """Show the newest of a person's own records."""
    say(unit, who.chat_id, views.record_list(list(records.listed(unit, who.member.id, SHOWN))))


def _own(unit: Unit, who: Who, reference: str) -> Stored | None:
    stored = records.find(unit, reference.strip().upper())
    return stored if stored and access.may(who.member, "read_record", Thing(stored.clear["member_id"])) else None


def show(unit: Unit, desk: Desk, who: Who, reference: str) -> None:
    """Show one own record; the reading goes into the ledger."""
    stored = _own(unit, who, reference)
    if stored is None:
        say(unit, who.chat_id, views.plain(ABSENT))
        return
    ledger.append(unit, desk.now(), who.actor, "record.read", f"record:{stored.clear['id']}")
    for message in record_views.record(stored):
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
        screened = screen.words(unit, desk, who, words)
    except NotScreened as error:
        if isinstance(error, IdentifierFound):
            screen.take_out(unit, who.chat_id, message_id)
        again = (("It is not a person", "notaperson"),) if views.is_name_only(error) else ()
        say(unit, who.chat_id, views.plain(views.refusal(error), *again))
        return
    seq = records.amend(unit, stored.clear["id"], who.member.id, screened, desk.now(), who.actor)
    say(unit, who.chat_id, views.plain(f"Saved. Note {seq} on record {stored.clear['reference']}."))


def let_name_pass(unit: Unit, desk: Desk, who: Who) -> None:
    """Let the next words hold what looks like a name, because the person said that it is none."""
    screen.give_name_pass(unit, desk, who.chat_id)
    say(unit, who.chat_id, views.plain(screen.TYPE_AGAIN))
