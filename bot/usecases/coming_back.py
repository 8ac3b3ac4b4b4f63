"""Asking somebody and coming back: a reminder that survives restarts and is quiet at night."""

from __future__ import annotations

from bot.domain import reminders
from bot.domain.record import LOOKED_UP
from bot.domain.reminders import When
from bot.messages.message import time_of
from bot.messages.texts import text_of
from bot.usecases import local_contacts
from bot.usecases.context import Actor, Context
from bot.usecases.open_walk import COME_BACK, Loaded, load_open, show
from flows import navigation
from flows.machine import PAUSED
from storage import conversations, timers
from storage.core.clock import as_datetime, seconds_between, stored
from storage.core.unit import Unit

#: A reminder asked for in an hour that is due later than this was moved out of the night. In seconds.
MOVED_AFTER = 3601


def ask_for(unit: Unit, context: Context, here: Loaded, when: str) -> None:
    """Remind a person of the question they were not sure about. That they asked for time is part of their record."""
    if not here.position.is_paused or when not in list(When):
        show(unit, here, text_of("walk.notes.old_button"))
        return
    at = context.now()
    due = stored(reminders.due_at(When(when), as_datetime(at)))
    timers.put(unit, COME_BACK, here.row.id, due)
    event = {"act": f"!later.{when}", "question": here.position.state.removesuffix(PAUSED), "due": due}
    row = conversations.save(unit, here.row, navigation.as_dict(here.walk), event, at)
    after = Loaded(row, here.book, here.position, here.notice)
    moved = when == When.HOUR and seconds_between(at, due) > MOVED_AFTER
    show(unit, after, text_of("walk.notes.will_remind_later" if moved else "walk.notes.will_remind", at=time_of(due)))


def look_up_contacts(unit: Unit, context: Context, actor: Actor, here: Loaded) -> None:
    """Show whom to call to a person who is not sure. That they looked is part of their record."""
    event = {"act": LOOKED_UP, "question": here.position.state.removesuffix(PAUSED)}
    conversations.save(unit, here.row, navigation.as_dict(here.walk), event, context.now())
    local_contacts.show(unit, actor)


def remind(unit: Unit, context: Context, conversation_id: str) -> None:
    """Show the question again to a person who wanted to ask somebody first."""
    here = load_open(unit, context, conversation_id)
    if here and here.position.is_paused:
        show(unit, here, text_of("walk.notes.come_back"), below=True)
