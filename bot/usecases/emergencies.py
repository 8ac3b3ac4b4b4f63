"""An emergency: the card comes at once; the record and the alert come with a second tap, or after two minutes."""

from __future__ import annotations

from bot.domain import access
from bot.domain.access import Resource
from bot.messages import emergency_card
from bot.messages.texts import text_of
from bot.usecases.context import Actor, Context, say
from bot.usecases.open_walk import Drawn, Loaded, keep, load_open, note_on_earlier, open_in, show, show_ended, started
from flows import navigation
from flows.machine import OUTCOME
from flows.navigation import UnexpectedAnswer
from storage import conversations, local_contacts, members, records
from storage.core.unit import Unit


def show_card(unit: Unit, context: Context, actor: Actor) -> None:
    """Show whom to call. Nothing is recorded, and an open walk stays as it is."""
    has_walk = conversations.get_open(unit, actor.chat_id) is not None
    say(unit, actor.chat_id, emergency_card.card(local_contacts.get(unit), has_walk=has_walk))


def raise_it(unit: Unit, context: Context, actor: Actor, reference: str = "") -> None:
    """Show the emergency on the walk's card, with or without a walk before; a second tap or two minutes record it.

    Tapped again on a recorded emergency, it shows that record's card again.
    """
    here = open_in(unit, context, actor.chat_id)
    stored = records.find(unit, reference) if reference and here is None else None
    mine = stored and access.may(actor.member, "read_record", Resource(stored.clear["member_id"]))
    if stored and mine and stored.clear["outcome"] == "emergency":
        row = conversations.get(unit, stored.clear["conversation_id"])
        if row:
            show_ended(unit, context, row, below=True)
            return
    here = here or started(unit, context, actor, context.book.edition.roles.starts["share"].flow)
    if here.is_emergency:
        show(unit, here, below=True)
        return
    walk = navigation.interrupt(here.position.machine, here.walk, "emergency", context.now())
    keep(unit, context, actor, here, walk, {"act": "!emergency"}, Drawn(below=True))


def calling(unit: Unit, context: Context, actor: Actor) -> None:
    """Record an emergency whose card the person has seen: they are calling."""
    here = open_in(unit, context, actor.chat_id)
    if here is None or not here.is_emergency:
        raise_it(unit, context, actor)
        here = open_in(unit, context, actor.chat_id)
    if here:
        _record(unit, context, actor, here, {"act": "!calling"})


def happened_earlier(unit: Unit, context: Context, actor: Actor) -> None:
    """Go on with the questions: it is a crime or abuse of before, and no child is in danger now."""
    here = open_in(unit, context, actor.chat_id)
    here = here or started(unit, context, actor, context.book.edition.roles.starts["share"].flow)
    machine, at = here.position.machine, context.now()
    walk = here.walk
    if not here.is_emergency:
        walk = navigation.interrupt(machine, walk, "emergency", at)
    walk = navigation.happened_earlier(machine, walk, at)
    keep(unit, context, actor, here, walk, {"act": "!happened"}, Drawn(note_on_earlier(here), below=True))


def after_two_minutes(unit: Unit, context: Context, conversation_id: str) -> None:
    """Record an emergency that nobody has confirmed or taken back."""
    here = load_open(unit, context, conversation_id)
    member = members.by_id(unit, here.row.member_id) if here else None
    if here is None or member is None or not here.is_emergency:
        return
    actor = Actor(here.row.chat_id, member.telegram_id, 0, member)
    _record(unit, context, actor, here, {"act": "!calling", "by": "time"})


def _record(unit: Unit, context: Context, actor: Actor, here: Loaded, event: dict[str, str]) -> None:
    machine = here.position.machine
    try:
        walk = navigation.choose(machine, here.walk, f"{OUTCOME}{machine.emergency}.next", context.now())
    except UnexpectedAnswer:
        show(unit, here, text_of("walk.notes.old_button"), below=True)
        return
    keep(unit, context, actor, here, walk, event, Drawn(below=True))
