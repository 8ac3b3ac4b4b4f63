"""A person's own decision records: list, show, add a note. Other people's records seem not to exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bot.domain import access
from bot.domain.access import COMMAND_LINE, Resource
from bot.domain.review import State
from bot.domain.typed_text import Typed
from bot.messages import record_cards
from bot.messages.message import escape, plain
from bot.messages.texts import text_of
from bot.usecases import typed_text
from bot.usecases.context import Actor, Context, say
from flows.screening import NotScreened
from storage import members, outbox, pending_input, records, reviews
from storage.core import ledger
from storage.core.clock import utc_now
from storage.core.unit import Unit
from storage.records import Stored

SHOWN = 10
#: The pending input for a note on a record.
NOTE = "note"
#: The pending input for the reasons of a record that has none.
REASONS = "reasons"
#: The pending input for the right case reference of a record.
CASE = "case"

Let = TypeVar("Let")


def show_list(unit: Unit, context: Context, actor: Actor, wanted: Typed | None = None) -> None:
    """Show the person's newest records; with words, those of the case or the one record that they name."""
    if wanted is None or not wanted.text.strip():
        _show_page(unit, actor)
        return
    if stored := _own(unit, actor, wanted.text):
        _show(unit, context, actor, stored)
        return
    try:
        case = typed_text.reference(unit, context, actor, wanted)
    except NotScreened as error:
        typed_text.refused(unit, actor, wanted, error)
        return
    found = records.own(unit, actor.member.id, SHOWN, case=case.text) if case else []
    if found:
        say(unit, actor.chat_id, record_cards.record_list(_listed(unit, found), with_cases=True))
    else:
        say(unit, actor.chat_id, plain(text_of("records.none_of_case")))


def show_page(unit: Unit, actor: Actor, which: str) -> None:
    """Show the records before one of them, with or without their case references: `1.SW-2345-6789`."""
    with_cases, _, reference = which.partition(".")
    _show_page(unit, actor, _own(unit, actor, reference) if reference else None, with_cases=with_cases == "1")


def _show_page(unit: Unit, actor: Actor, before: Stored | None = None, *, with_cases: bool = False) -> None:
    found = records.own(unit, actor.member.id, SHOWN + 1, before=before)
    after = before.clear["reference"] if before else ""
    listed = _listed(unit, found[:SHOWN])
    say(unit, actor.chat_id, record_cards.record_list(listed, after, with_cases=with_cases, more=len(found) > SHOWN))


def _listed(unit: Unit, found: list[Stored]) -> list[record_cards.Listed]:
    return [record_cards.Listed(stored, *_review_of(unit, stored)) for stored in found]


def _review_of(unit: Unit, stored: Stored) -> tuple[str, str]:
    """Return the state of a record's review, and what was asked for if it was sent back."""
    review = reviews.get(unit, stored.clear["id"])
    if review is None or review.state != State.RETURNED:
        return (review.state if review else ""), ""
    sent_back = [one for one in reviews.done(unit, stored.clear["id"]) if one.act == "return"]
    return review.state, (sent_back[-1].comment or "") if sent_back else ""


def _own(unit: Unit, actor: Actor, reference: str, action: str = "read_record") -> Stored | None:
    stored = records.find(unit, reference.strip().upper())
    return stored if stored and access.may(actor.member, action, Resource(stored.clear["member_id"])) else None


def own_or_say(unit: Unit, actor: Actor, reference: str, action: str = "read_record") -> Stored | None:
    """Return the record that a person names if they may do this with it; else say that they have none, and return None."""
    stored = _own(unit, actor, reference, action)
    if stored is None:
        say(unit, actor.chat_id, plain(text_of("records.not_yours")))
    return stored


def show(unit: Unit, context: Context, actor: Actor, reference: str) -> None:
    """Show one of the person's records; add the reading to the ledger."""
    if stored := own_or_say(unit, actor, reference):
        _show(unit, context, actor, stored)


def _show(unit: Unit, context: Context, actor: Actor, stored: Stored) -> None:
    ledger.append(unit, context.now(), actor.ledger_name, "record.read", f"record:{stored.clear['id']}")
    for message in record_cards.record(stored):
        say(unit, actor.chat_id, message)
    state, asked_for = _review_of(unit, stored)
    say(unit, actor.chat_id, record_cards.what_next(stored.clear["reference"], state, asked_for))


def send_pdf(unit: Unit, context: Context, actor: Actor, reference: str) -> None:
    """Send one of the person's records to their chat as a PDF; add to the ledger that it left."""
    stored = own_or_say(unit, actor, reference)
    if stored is None:
        return
    record_id = stored.clear["id"]
    ledger.append(unit, context.now(), actor.ledger_name, "record.exported", f"record:{record_id}")
    caption = escape(text_of("records.pdf", reference=stored.clear["reference"]))
    payload = {"record": record_id, "name": f"{stored.clear['reference']}.pdf", "caption": caption}
    outbox.enqueue(unit, actor.chat_id, outbox.PICTURE, payload, f"pdf:{record_id}")


def to_send(unit: Unit, record_id: str) -> Stored | None:
    """Return a record that is to be sent as a PDF; None if it was erased since."""
    return records.get(unit, record_id)


def newest(unit: Unit, actor: Actor) -> str:
    """Return the reference of the person's newest record; "" if they have none."""
    found = records.own(unit, actor.member.id, 1)
    return str(found[0].clear["reference"]) if found else ""


def has_case(unit: Unit, context: Context, actor: Actor, wanted: Typed) -> bool:
    """Return whether typed words are the reference of one of the person's records, or the case reference of some."""
    if _own(unit, actor, wanted.text):
        return True
    if not context.case_pattern.fullmatch(wanted.text.strip()):
        return False
    try:
        case = typed_text.reference(unit, context, actor, wanted)
    except NotScreened:
        return False
    return case is not None and bool(records.own(unit, actor.member.id, 1, case=case.text))


def ask_for_reasons(unit: Unit, context: Context, actor: Actor, reference: str) -> None:
    """Ask for the reasons of a record that was saved without any, and take the next thing the person types as those."""
    stored = own_or_say(unit, actor, reference)
    if stored is None:
        return
    pending_input.put(unit, actor.chat_id, REASONS, stored.clear["reference"], context.now())
    words = text_of("records.type_reasons", reference=stored.clear["reference"], no_names=text_of("no_names"))
    say(unit, actor.chat_id, plain(words))


def type_reasons(unit: Unit, context: Context, actor: Actor, wanted: pending_input.PendingInput, typed: Typed) -> None:
    """Add typed words to a record as its reasons."""
    read = _read(unit, context, actor, wanted, typed, typed_text.words)
    if read is None:
        return
    stored, words = read
    pending_input.taken(unit, actor.chat_id, typed.text, typed.message_id, context.now())
    told = text_of("records.reasons", said=words.text)
    records.add_reasons(unit, stored, words, told, context.now(), actor.ledger_name)
    say(unit, actor.chat_id, record_cards.reasons_saved(stored))


def ask_for_note(unit: Unit, context: Context, actor: Actor, reference: str) -> None:
    """Ask the person to type a note, and take the next thing they type as that note."""
    stored = own_or_say(unit, actor, reference)
    if stored is None:
        return
    pending_input.put(unit, actor.chat_id, NOTE, stored.clear["reference"], context.now())
    words = text_of("records.type_note", reference=stored.clear["reference"], no_names=text_of("no_names"))
    say(unit, actor.chat_id, plain(words))


def add_note(unit: Unit, context: Context, actor: Actor, reference: str, typed: Typed) -> None:
    """Add a note to one of the person's records, which itself stays unchanged. Without words, ask for them."""
    if not reference:
        say(unit, actor.chat_id, plain(text_of("records.how_to_note")))
    elif not typed.text:
        ask_for_note(unit, context, actor, reference)
    else:
        _save_note(unit, context, actor, reference, typed)


def type_note(unit: Unit, context: Context, actor: Actor, wanted: pending_input.PendingInput, typed: Typed) -> None:
    """Save typed words as the note that was asked for."""
    if _save_note(unit, context, actor, wanted.subject, typed):
        pending_input.taken(unit, actor.chat_id, typed.text, typed.message_id, context.now())


def _save_note(unit: Unit, context: Context, actor: Actor, reference: str, typed: Typed) -> bool:
    stored = own_or_say(unit, actor, reference)
    if stored is None:
        return False
    try:
        screened = typed_text.words(unit, context, actor, typed)
    except NotScreened as error:
        # What the person types next is the note.
        pending_input.put(unit, actor.chat_id, NOTE, stored.clear["reference"], context.now())
        typed_text.refused(unit, actor, typed, error)
        return False
    seq = records.amend(unit, stored.clear["id"], actor.member.id, screened, context.now(), actor.ledger_name)
    say(unit, actor.chat_id, plain(text_of("records.note_saved", number=seq, reference=stored.clear["reference"])))
    return True


def note_mistake(unit: Unit, context: Context, actor: Actor, reference: str) -> None:
    """Note on a record of the person's own that it was made by mistake, once."""
    stored = own_or_say(unit, actor, reference)
    if stored is None:
        return
    note = typed_text.own_words(text_of("emergency.mistake_note"))
    if note.text not in [one.get("text") for one in stored.amendments]:
        records.amend(unit, stored.clear["id"], actor.member.id, note, context.now(), actor.ledger_name)
    say(unit, actor.chat_id, plain(text_of("emergency.mistake_noted")))


def ask_for_case(unit: Unit, context: Context, actor: Actor, reference: str) -> None:
    """Ask the person for the right case reference of a record, and take the next thing they type as that."""
    stored = own_or_say(unit, actor, reference)
    if stored is None:
        return
    pending_input.put(unit, actor.chat_id, CASE, stored.clear["reference"], context.now())
    say(unit, actor.chat_id, record_cards.type_case(stored))


def type_case(unit: Unit, context: Context, actor: Actor, wanted: pending_input.PendingInput, typed: Typed) -> None:
    """File a record under the case reference that was typed; the old one stays visible."""
    read = _read(unit, context, actor, wanted, typed, typed_text.reference)
    if read is None:
        return
    stored, case = read
    if case is None:
        say(unit, actor.chat_id, plain(text_of("walk.notes.no_reference")))
        return
    pending_input.taken(unit, actor.chat_id, typed.text, typed.message_id, context.now())
    told = record_cards.case_told(stored, case.text)
    records.recase(unit, stored, case, told, context.now(), actor.ledger_name)
    say(unit, actor.chat_id, plain(told))


def _read(
    unit: Unit,
    context: Context,
    actor: Actor,
    wanted: pending_input.PendingInput,
    typed: Typed,
    screen: Callable[[Unit, Context, Actor, Typed], Let],
) -> tuple[Stored, Let] | None:
    """Return the record that typed words are for, and what `screen` lets in; None after saying why there is neither."""
    stored = own_or_say(unit, actor, wanted.subject)
    if stored is None:
        return None
    # Until the words are taken, what the person types next is for this record.
    pending_input.put(unit, actor.chat_id, wanted.kind, wanted.subject, context.now())
    try:
        return stored, screen(unit, context, actor, typed)
    except NotScreened as error:
        typed_text.refused(unit, actor, typed, error)
        return None


def override_name(unit: Unit, context: Context, actor: Actor) -> None:
    """Let the next words contain what looks like a name, because the person said that it is not one."""
    typed_text.give_name_override(unit, context, actor.chat_id)
    say(unit, actor.chat_id, plain(text_of("prompts.type_again")))


# ---- by the operator ----------------------------------------------------------------------------
class NotAMember(Exception):
    """No member has this Telegram id."""


def all_for_operator(unit: Unit, telegram_id: int | None) -> list[Stored]:
    """Return all records, or those of one member, and add the reading to the ledger; raise NotAMember or SealBroken."""
    member = members.get(unit, telegram_id) if telegram_id is not None else None
    if telegram_id is not None and member is None:
        raise NotAMember
    found = list(records.listed(unit, member.id if member else None))
    ledger.append(unit, utc_now(), COMMAND_LINE, "records.listed", f"{len(found)} records")
    return found
