"""The open walk of a chat: load it, show its card, save a change. The verbs in walk.py and emergencies.py build on this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.domain import record
from bot.messages import walk_card
from bot.messages.callback_data import START, handle_of
from bot.messages.message import escape, plain
from bot.messages.texts import text_of
from bot.usecases import opinions, reviews
from bot.usecases.context import Actor, Context, say
from flows import navigation
from flows.catalogue import Book
from flows.invariants import present
from flows.machine import OUTCOME
from flows.navigation import Position, Walk
from storage import conversations, local_contacts, outbox, pending_input, records, timers
from storage import opinions as asked_opinions
from storage.conversations import Open, Status
from storage.core.clock import later
from storage.core.unit import Unit
from storage.opinions import EndedBy

#: The timer of an emergency that nobody has confirmed or taken back, and its minutes.
UNCONFIRMED, UNCONFIRMED_MINUTES = "emergency_unconfirmed", 2
#: The timer of a person who wanted to ask somebody and come back.
COME_BACK = "come_back"


@dataclass
class Loaded:
    """An open conversation with its edition and position."""

    row: Open
    book: Book
    position: Position
    notice: str = ""

    @property
    def walk(self) -> Walk:
        """The walk as it stands."""
        return self.position.walk

    @property
    def is_emergency(self) -> bool:
        """Whether the person has said that there is an emergency."""
        return self.position.taken.outcome == self.position.machine.emergency


def load(unit: Unit, context: Context, row: Open) -> Loaded | None:
    """Open a stored conversation with its pinned edition; replay its answers to find its position.

    If that edition is gone or has changed, the edition for new conversations takes its place, with a notice; an open conversation
    is pinned to it. None if that one has no such flow.
    """
    book, notice = context.pinned(row.edition_id, row.edition_sha256), ""
    if book is None:
        book, notice = context.book, text_of("walk.notes.renewed")
        if row.flow not in book.machines:
            return None
        if row.status == Status.OPEN:
            row = conversations.repin(unit, row, book.edition.id, book.edition.sha256)
    position = navigation.replay(book.machine(row.flow), navigation.from_dict(row.walk))
    return Loaded(row, book, position, notice)


def load_open(unit: Unit, context: Context, conversation_id: str) -> Loaded | None:
    """Load a conversation by its id, as a timer knows it; None if it is no longer open."""
    row = conversations.get(unit, conversation_id)
    return load(unit, context, row) if row and row.status == Status.OPEN else None


def open_in(unit: Unit, context: Context, chat_id: int) -> Loaded | None:
    row = conversations.get_open(unit, chat_id)
    here = load(unit, context, row) if row else None
    if row and here is None:
        # The guidance for new conversations has no such questions, so nobody can go on with these.
        say(unit, chat_id, plain(text_of("walk.flow_gone"), (text_of("walk.start"), START)))
        cancel_row(unit, context, row, row.walk)
    return here


@dataclass(frozen=True)
class Drawn:
    """How to show a card: whether it has a notice above it, and is sent as a new message at the bottom."""

    notice: str = ""
    below: bool = False


# ---- showing -------------------------------------------------------------------------------------
def show(unit: Unit, here: Loaded, notice: str = "", *, below: bool = False, **how: Any) -> None:
    can_ask = opinions.can_ask(unit, here.row.member_id)
    card = walk_card.Card(here.book, here.row, here.position, can_ask, local_contacts.get(unit))
    message = card.draw(notice or here.notice, **how)
    outbox.enqueue(unit, here.row.chat_id, "card", message.payload(below=below), here.row.id)


def show_ended(unit: Unit, context: Context, row: Open, *, below: bool = False) -> None:
    stored = records.of_conversation(unit, row.id)
    if stored is None:
        card = plain(
            text_of("walk.cancelled"),
            (text_of("walk.reopen"), f"reopen.{handle_of(row.id)}"),
            (text_of("saved.buttons.again"), f"start.{row.flow}"),
        )
    else:
        can_ask = opinions.can_ask(unit, row.member_id)
        card = walk_card.saved(stored, context.book.edition, local_contacts.get(unit), can_ask_team=can_ask)
    outbox.enqueue(unit, row.chat_id, "card", card.payload(below=below), row.id)


# ---- changing ------------------------------------------------------------------------------------
def keep(
    unit: Unit,
    context: Context,
    actor: Actor,
    here: Loaded,
    walk: Walk,
    event: dict[str, Any],
    drawn: Drawn,
) -> None:
    """Save a changed walk and show it. If it has ended, write its record first."""
    at = context.now()
    context.recent.forget(actor.user_id)
    position = navigation.replay(here.position.machine, walk)
    status = Status.FINISHED if position.is_finished else Status.OPEN
    row = conversations.save(unit, here.row, navigation.as_dict(walk), event, at, status)
    after = Loaded(row, here.book, position, here.notice)
    _set_timers(unit, here, after, at)
    if position.is_finished:
        if after.is_emergency:
            opinions.stop_for(unit, context, row.id, EndedBy.EMERGENCY)
            pending_input.drop(unit, row.chat_id)
        _write_record(unit, context, actor, after, at)
        show_ended(unit, context, row, below=drawn.below)
        return
    reached = position.state.startswith(OUTCOME) and position.state != here.position.state and not after.is_emergency
    # The picture follows the outcome's card, so the next card goes below the picture.
    left = here.position.state.startswith(OUTCOME) and not reached and not here.is_emergency
    if left:
        outbox.drop_picture(unit, f"picture:{row.id}")
    below = drawn.below or reached or left
    notice = f"{here.notice} {drawn.notice}".strip()
    show(unit, after, notice, below=below)
    if reached:
        _send_chart(unit, after)


def note_on_earlier(here: Loaded) -> str:
    """Return what a crime or abuse of before calls for, in the edition's words."""
    roles = here.position.flow.roles
    first = here.position.flow.questions[roles.question("emergency")]
    option = first.option(roles.option("emergency", "earlier"))
    return option.note if option else ""


def _set_timers(unit: Unit, before: Loaded, after: Loaded, at: str) -> None:
    """Record an emergency after two minutes, unless it was a mistake; end a reminder once the person is back."""
    waits = after.is_emergency and not after.position.is_finished
    if waits and not before.is_emergency:
        timers.put(unit, UNCONFIRMED, after.row.id, later(at, UNCONFIRMED_MINUTES))
    elif before.is_emergency and not waits:
        timers.drop(unit, UNCONFIRMED, after.row.id)
    if before.position.is_paused and not after.position.is_paused:
        timers.drop(unit, COME_BACK, after.row.id)


def _write_record(unit: Unit, context: Context, actor: Actor, here: Loaded, at: str) -> None:
    edition, position = here.book.edition, here.position
    clear = {
        **record.clear_columns(position, edition, actor.member, context.version),
        "conversation_id": here.row.id,
        "started_at": here.row.started_at,
        "finished_at": at,
    }
    history, advice_sought = conversations.events(unit, here.row), opinions.advice_of(unit, here.row.id)
    content = record.content(position, edition, history, advice_sought)
    record_id, reference = records.save(unit, clear, content, content["case_reference"], actor.ledger_name)
    asked_opinions.attach(unit, here.row.id, record_id)
    reviews.enter(unit, record_id, {**clear, "reference": reference}, content)


def _send_chart(unit: Unit, here: Loaded) -> None:
    outcome = present(here.position.outcome, "the state is an outcome")
    payload = {
        "edition": here.book.edition.id,
        "flow": here.position.flow.id,
        "path": [f"{state}.{answer.verb}" for state, answer in here.position.live],
        "at": here.position.state,
        "caption": escape(text_of("walk.picture", outcome=outcome.title)),
    }
    outbox.enqueue(unit, here.row.chat_id, outbox.PICTURE, payload, f"picture:{here.row.id}")


def cancel_row(unit: Unit, context: Context, row: Open, walk: Any) -> Open:
    row = conversations.save(unit, row, walk, {"act": "!cancel"}, context.now(), Status.CANCELLED)
    opinions.stop_for(unit, context, row.id, EndedBy.CANCELLED)
    pending_input.drop(unit, row.chat_id)
    return row


def started(
    unit: Unit, context: Context, actor: Actor, flow: str, entry: str | None = None, walk: Walk | None = None
) -> Loaded:
    book = context.book
    walk = walk or navigation.start(book.machine(flow), entry)
    begun = conversations.Begun(actor.chat_id, actor.member.id, book.edition.id, book.edition.sha256, flow)
    row = conversations.start(unit, begun, navigation.as_dict(walk), context.now())
    return Loaded(row, book, navigation.replay(book.machine(flow), walk))
