"""The local contacts that an organisation sets: numbers, a form, procedures. Shown wherever a person may need to call somebody."""

from __future__ import annotations

from bot.domain.access import COMMAND_LINE
from bot.domain.typed_text import Typed
from bot.messages import notices, refusals
from bot.messages.message import plain
from bot.usecases import typed_text
from bot.usecases.context import Actor, Context, say
from flows.screening import NotScreened, Screened
from storage import conversations, local_contacts
from storage.core.clock import utc_now
from storage.core.unit import Unit
from storage.local_contacts import LONGEST, NAMES, CannotSet

__all__ = ["LONGEST", "NAMES", "CannotSet"]


def show(unit: Unit, actor: Actor) -> None:
    """Show all contacts, those not set included."""
    walk_open = conversations.get_open(unit, actor.chat_id) is not None
    say(unit, actor.chat_id, notices.local_contacts(local_contacts.get(unit), walk_open=walk_open))


def set_in_chat(unit: Unit, context: Context, actor: Actor, name: str, value: Typed) -> None:
    """Set one contact; an empty value removes it."""
    try:
        words = typed_text.office_words(value, LONGEST) if value.text else None
        local_contacts.put(unit, name, words, context.now(), actor.ledger_name)
    except CannotSet as error:
        say(unit, actor.chat_id, plain(refusals.not_allowed(error)))
        return
    except NotScreened as error:
        typed_text.refused(unit, actor, value, error, "")
        return
    show(unit, actor)


def read(unit: Unit) -> dict[str, str]:
    """Return the contacts that are set, by name."""
    return local_contacts.get(unit)


def change(unit: Unit, name: str, value: Screened | None) -> None:
    """Set one contact from the command line; no value removes it; raise CannotSet."""
    local_contacts.put(unit, name, value, utc_now(), COMMAND_LINE)
