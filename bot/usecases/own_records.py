"""A person's own decision records: list, show, add a note. Others' records are answered as if absent."""

from __future__ import annotations

from bot.domain import access
from bot.domain.access import Thing
from bot.messages import cards, record_cards
from bot.usecases import typed_text
from bot.usecases.context import Desk, Who, say
from bot.usecases.typed_text import Typed
from flows.screening import NotScreened
from storage import pending_input, records
from storage.core import ledger
from storage.core.unit import Unit
from storage.records import Stored

SHOWN = 10
#: What typed words are wanted for: a note on a record.
NOTE = "note"
ABSENT = "You have no record with that reference."


def show_list(unit: Unit, who: Who) -> None:
    """Show the newest of a person's own records."""
    say(unit, who.chat_id, cards.record_list(list(records.listed(unit, who.member.id, SHOWN))))


def _own(unit: Unit, who: Who, reference: str) -> Stored | None:
    stored = records.find(unit, reference.strip().upper())
    return stored if stored and access.may(who.member, "read_record", Thing(stored.clear["member_id"])) else None


def show(unit: Unit, desk: Desk, who: Who, reference: str) -> None:
    """Show one own record; the reading goes into the ledger."""
    stored = _own(unit, who, reference)
    if stored is None:
        say(unit, who.chat_id, cards.plain(ABSENT))
        return
    ledger.append(unit, desk.now(), who.actor, "record.read", f"record:{stored.clear['id']}")
    for message in record_cards.record(stored):
        say(unit, who.chat_id, message)


def ask_for_note(unit: Unit, desk: Desk, who: Who, reference: str) -> None:
    """Ask for the words of a note; what is typed next is the note."""
    stored = _own(unit, who, reference)
    if stored is None:
        say(unit, who.chat_id, cards.plain(ABSENT))
        return
    pending_input.put(unit, who.chat_id, NOTE, stored.clear["reference"], desk.now())
    words = f"Type your note for record {stored.clear['reference']}. {cards.NO_NAMES} To leave it, type cancel."
    say(unit, who.chat_id, cards.plain(words))


def add_note(unit: Unit, desk: Desk, who: Who, reference: str, typed: Typed) -> None:
    """Add later words to an own record; the record itself stays as it is. Without words, ask for them."""
    if not reference:
        say(unit, who.chat_id, cards.plain("Type /note, then the reference, then your words."))
    elif not typed.text:
        ask_for_note(unit, desk, who, reference)
    else:
        _save_note(unit, desk, who, reference, typed)


def type_note(unit: Unit, desk: Desk, who: Who, wanted: pending_input.Wanted, typed: Typed) -> None:
    """Take typed words as the note that was asked for."""
    if _save_note(unit, desk, who, wanted.subject, typed):
        pending_input.taken(unit, who.chat_id, typed.text, typed.message_id, desk.now())


def _save_note(unit: Unit, desk: Desk, who: Who, reference: str, typed: Typed) -> bool:
    stored = _own(unit, who, reference)
    if stored is None:
        say(unit, who.chat_id, cards.plain(ABSENT))
        return False
    try:
        screened = typed_text.words(unit, desk, who, typed)
    except NotScreened as error:
        # Whatever they type next, it is the note.
        pending_input.put(unit, who.chat_id, NOTE, stored.clear["reference"], desk.now())
        typed_text.refused(unit, who, typed, error)
        return False
    seq = records.amend(unit, stored.clear["id"], who.member.id, screened, desk.now(), who.actor)
    say(unit, who.chat_id, cards.plain(f"Saved. Note {seq} on record {stored.clear['reference']}."))
    return True


def let_name_pass(unit: Unit, desk: Desk, who: Who) -> None:
    """Let the next words hold what looks like a name, because the person said that it is not one."""
    typed_text.give_name_pass(unit, desk, who.chat_id)
    say(unit, who.chat_id, cards.plain(typed_text.TYPE_AGAIN))
