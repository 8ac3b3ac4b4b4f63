"""Walking a flow: one verb a function, one transaction each, in which all changes and messages are stored or none.

Each function takes the open transaction, the context and the actor, and may return a short text that answers the tap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.domain import access, record
from bot.domain.access import Resource
from bot.domain.typed_text import Typed
from bot.messages import advice_cards, notices, refusals, walk_card
from bot.messages.callback_data import START, BadButton, Button, decode, handle_of
from bot.messages.message import escape, plain
from bot.messages.texts import text_of
from bot.usecases import advice, menus, opinions, own_records, reviews, typed_text
from bot.usecases.context import Actor, Context, say
from flows import navigation, replies
from flows.catalogue import Book
from flows.invariants import present
from flows.machine import CHECK, OUTCOME
from flows.navigation import Position, UnexpectedAnswer, Walk
from flows.replies import Choice, Reply
from flows.screening import IdentifierFound, NotScreened
from storage import conversations, local_contacts, outbox, pending_input, records
from storage import opinions as asked_opinions
from storage.conversations import Open, Status
from storage.core.clock import later
from storage.core.unit import Unit
from storage.members import MemberRow
from storage.opinions import EndedBy

#: Minutes that a prompt of a request or an opinion waits for typed words.
WANTED_MINUTES = 60


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


def _open_in(unit: Unit, context: Context, chat_id: int) -> Loaded | None:
    row = conversations.get_open(unit, chat_id)
    here = load(unit, context, row) if row else None
    if row and here is None:
        # The guidance for new conversations has no such questions, so nobody can go on with these.
        say(unit, chat_id, plain(text_of("walk.flow_gone"), (text_of("walk.start"), START)))
        _cancel_row(unit, context, row, row.walk)
    return here


@dataclass(frozen=True)
class Drawn:
    """How to show a card: whether it has a notice above it, is sent as a new message at the bottom, and has an undo button."""

    notice: str = ""
    below: bool = False
    undo: bool = False


# ---- showing -------------------------------------------------------------------------------------
def _show(unit: Unit, here: Loaded, notice: str = "", *, below: bool = False, **how: Any) -> None:
    can_ask = opinions.can_ask(unit, here.row.member_id)
    card = walk_card.Card(here.book, here.row, here.position, can_ask).draw(notice or here.notice, **how)
    outbox.enqueue(unit, here.row.chat_id, "card", card.payload(below=below), here.row.id)


def _show_ended(unit: Unit, context: Context, row: Open, *, below: bool = False) -> None:
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
def _keep(
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
    if position.is_finished:
        if position.outcome and position.outcome.id == position.machine.emergency:
            opinions.stop_for(unit, context, row.id, EndedBy.EMERGENCY)
            pending_input.drop(unit, row.chat_id)
        _write_record(unit, context, actor, after, at)
        _show_ended(unit, context, row, below=drawn.below)
        return
    reached = position.state.startswith(OUTCOME) and position.state != here.position.state
    # The picture follows the outcome's card, so the next card goes below the picture.
    left = here.position.state.startswith(OUTCOME) and not reached
    if left:
        outbox.drop_picture(unit, f"picture:{row.id}")
    below = drawn.below or reached or left
    notice = f"{here.notice} {drawn.notice}".strip()
    _show(unit, after, notice, below=below, undo=bool(drawn.notice) and drawn.undo)
    if reached:
        _send_chart(unit, after)


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


# ---- verbs ---------------------------------------------------------------------------------------
def start(unit: Unit, context: Context, actor: Actor, command: str, *, greet: bool = False) -> None:
    """Start the flow that a command begins in this edition, or show the open conversation if there is one."""
    begins = context.book.edition.roles.starts.get(command)
    if begins is None:
        say(unit, actor.chat_id, plain(text_of("walk.not_in_edition")))
    else:
        begin(unit, context, actor, begins.flow, begins.entry, greet=greet)


def begin_flow(unit: Unit, context: Context, actor: Actor, flow: str) -> None:
    """Start a flow by its id, or the one that /share begins: for a button of ours, or of an edition that is gone."""
    known = flow in context.book.machines
    begin(unit, context, actor, flow if known else context.book.edition.roles.starts["share"].flow)


def begin(
    unit: Unit, context: Context, actor: Actor, flow: str, entry: str | None = None, *, greet: bool = False
) -> None:
    """Start a flow, or show the open conversation if there is one."""
    here = _open_in(unit, context, actor.chat_id)
    wanted = entry or context.book.machine(flow).flow.entries[0]
    if here and not greet and not here.position.live and (here.row.flow, here.walk.entry) != (flow, wanted):
        # It has no answers yet, so starting the requested flow loses nothing.
        _cancel(unit, context, here)
        here = None
    if here:
        _show(unit, here, text_of("walk.notes.go_on") if greet else text_of("walk.notes.finish_first"), below=True)
        return
    if greet:
        say(unit, actor.chat_id, notices.welcome(context.book.edition))
        menus.update(unit, actor.member)
    _show(unit, _started(unit, context, actor, flow, entry), below=True)


def go_on(unit: Unit, context: Context, actor: Actor) -> None:
    """Show the open conversation again."""
    here = _open_in(unit, context, actor.chat_id)
    context.recent.forget(actor.user_id)
    if here:
        _show(unit, here, text_of("walk.notes.go_on"), below=True)
    else:
        say(unit, actor.chat_id, plain(text_of("walk.nothing_open"), (text_of("walk.start"), START)))


def _started(
    unit: Unit, context: Context, actor: Actor, flow: str, entry: str | None = None, walk: Walk | None = None
) -> Loaded:
    book = context.book
    walk = walk or navigation.start(book.machine(flow), entry)
    begun = conversations.Begun(actor.chat_id, actor.member.id, book.edition.id, book.edition.sha256, flow)
    row = conversations.start(unit, begun, navigation.as_dict(walk), context.now())
    return Loaded(row, book, navigation.replay(book.machine(flow), walk))


def tap(unit: Unit, context: Context, actor: Actor, button: Button) -> str:
    """Carry out a tap on a card. An old, repeated or foreign tap changes nothing and redraws the card."""
    here = _open_in(unit, context, actor.chat_id)
    if here is None or button.handle != handle_of(here.row.id) or button.revision != here.row.revision:
        return _redraw(unit, context, actor, here, button)
    return _carry_out(unit, context, actor, here, button.act)


def _tells_of_danger(here: Loaded, act: str) -> bool:
    """Return whether a button reports an emergency, which waits for nothing."""
    return act in ("!emergency", f"{here.position.flow.roles.question('emergency')}.yes")


def _carry_out(unit: Unit, context: Context, actor: Actor, here: Loaded, act: str, took: str = "") -> str:
    """Do what a button of the card does. `took`: the label that typed words matched; the card names it and offers undo."""
    verb, _, rest = act.removeprefix("!").partition(".")
    typed = bool(took)
    if act.startswith("!") and verb in ("why", "hide", "changes"):
        _show(unit, here, why=verb == "why", changes=verb == "changes", below=typed)
        return ""
    if act == "!cancel":
        _cancel(unit, context, here, below=typed)
        return "Cancelled."
    if here.notice and not _tells_of_danger(here, act):
        # The person has not seen yet that the guidance has changed since this card was drawn.
        _show(unit, here, below=True)
        return ""
    if act == "!opinion":
        return opinions.prepare(unit, context, actor, here.row, here.position)
    if act in ("!notaperson", "!areference"):
        typed_text.give_name_override(unit, context, actor.chat_id)
        again = text_of("prompts.type_again" if act == "!notaperson" else "prompts.type_reference_again")
        _show(unit, here, again, below=typed)
        return ""
    machine, walk, at = here.position.machine, here.walk, context.now()
    try:
        if not act.startswith("!"):
            changed = navigation.choose(machine, walk, act, at)
        elif verb == "back":
            changed = navigation.back(machine, walk)
        elif verb == "change":
            changed = navigation.change(machine, walk, rest)
        elif verb == "confirm":
            changed = navigation.confirm_change(machine, walk)
        elif verb == "earlier":
            changed = navigation.choose_earlier(machine, walk, at)
        else:
            changed = navigation.interrupt(machine, walk, verb, at)
    except UnexpectedAnswer:
        _show(unit, here, text_of("walk.notes.old_button"))
        return text_of("walk.notes.old_button")
    notice = text_of("walk.notes.took", label=took) if took else ""
    if changed != walk:
        undo = not act.startswith("!")
        _keep(unit, context, actor, here, changed, {"act": act}, Drawn(notice, below=typed, undo=undo))
    elif typed:
        _show(unit, here, text_of("walk.notes.still_open"), below=True)
    return ""


def _redraw(unit: Unit, context: Context, actor: Actor, here: Loaded | None, button: Button) -> str:
    """Show the current card after a tap that no longer applies."""
    if here and button.handle == handle_of(here.row.id):
        _show(unit, here)
        return text_of("walk.notes.old_button")
    row = conversations.by_handle(unit, actor.chat_id, button.handle or "")
    ended = row is not None and row.status != Status.OPEN
    if row and ended:
        _show_ended(unit, context, row)
    if here:
        _show(unit, here, below=True)
    if ended:
        return text_of("walk.ended")
    if here is None:
        say(unit, actor.chat_id, plain(text_of("walk.nothing_open"), (text_of("walk.start"), START)))
    return text_of("walk.notes.old_button")


def type_text(unit: Unit, context: Context, actor: Actor, typed: Typed) -> None:
    """Take typed words as the pending input, as a reply to the card, or else as a question to the guidance."""
    here = _open_in(unit, context, actor.chat_id)
    wanted = pending_input.get(unit, actor.chat_id)
    if typed.edited and _was_taken(unit, here, wanted, typed):
        typed_text.danger_first(unit, context, actor, typed)
        _tell(unit, actor, here, text_of("walk.notes.saved_as_typed"))
    elif typed.forwarded:
        _forwarded(unit, context, actor, here, typed)
    elif wanted and pending_input.are_same(unit, wanted, typed.text):
        say(unit, actor.chat_id, plain(text_of("walk.typed_twice")))
    elif wanted and wanted.kind != pending_input.TAKEN:
        _type_wanted(unit, context, actor, here, wanted, typed)
    elif here is None:
        _type_idle(unit, context, actor, typed)
    else:
        _reply(unit, context, actor, here, typed)


def _tell(unit: Unit, actor: Actor, here: Loaded | None, words: str) -> None:
    """Show a notice, on the open card if there is one."""
    if here:
        _show(unit, here, words, below=True)
    else:
        say(unit, actor.chat_id, plain(words))


def _was_taken(unit: Unit, here: Loaded | None, wanted: pending_input.PendingInput | None, typed: Typed) -> bool:
    """Return whether an edited message had been consumed, as an answer or as pending input."""
    if wanted and pending_input.taken_in(wanted, typed.message_id):
        return True
    return here is not None and typed.message_id in _taken_messages(unit, here)


def _taken_messages(unit: Unit, here: Loaded) -> list[int]:
    return [event["message_id"] for event in conversations.events(unit, here.row) if event.get("message_id")]


def _forwarded(unit: Unit, context: Context, actor: Actor, here: Loaded | None, typed: Typed) -> None:
    """Reply to a forwarded message, which never counts as an answer. Delete it if it contains an identifier."""
    typed_text.danger_first(unit, context, actor, typed)
    if typed.looked.kinds or typed.marks:
        typed_text.delete_from_chat(unit, actor.chat_id, typed.message_id)
    _tell(unit, actor, here, text_of("walk.notes.forwarded"))


# ---- words that were asked for ------------------------------------------------------------------
def _type_wanted(
    unit: Unit, context: Context, actor: Actor, here: Loaded | None, wanted: pending_input.PendingInput, typed: Typed
) -> None:
    """Take typed words for the note, request, opinion or review that asked for them. Danger is answered first."""
    moved_on = here is not None and here.row.updated_at > wanted.asked_at
    if moved_on or wanted.asked_at < later(context.now(), -WANTED_MINUTES):
        pending_input.drop(unit, actor.chat_id)
        if here is not None and moved_on and here.position.takes_text:
            # The question shown last asks for words too, so these belong to it.
            _reply(unit, context, actor, here, typed)
            return
        typed_text.danger_first(unit, context, actor, typed)
        say(unit, actor.chat_id, plain(text_of("prompts.moved_on") if moved_on else text_of("prompts.stale")))
        return
    reply = replies.understand(typed.text, LEAVE_OR_GO_BACK, takes_text=True)
    if reply.kind == "choice":
        pending_input.drop(unit, actor.chat_id)
        _tell(unit, actor, here, text_of("prompts.left_out"))
        return
    if reply.kind == "emergency":
        say(unit, actor.chat_id, advice_cards.danger_first(context.book.edition))
        return
    if reply.kind in ("help", "why", "again"):
        say(unit, actor.chat_id, plain(text_of("prompts.waiting")))
        return
    typed_text.danger_first(unit, context, actor, typed)
    if wanted.kind == own_records.NOTE:
        own_records.type_note(unit, context, actor, wanted, typed)
    elif wanted.kind == own_records.CASE:
        own_records.type_case(unit, context, actor, wanted, typed)
    elif wanted.kind == reviews.WORDS:
        reviews.type_words(unit, context, actor, wanted, typed)
    else:
        opinions.type_words(unit, context, actor, wanted, typed)


LEAVE_OR_GO_BACK = (Choice("!cancel", "Cancel"), Choice("!back", "Back"))


# ---- words at no question, and at one ---------------------------------------------------------------
def _type_idle(unit: Unit, context: Context, actor: Actor, typed: Typed) -> None:
    """Answer typed words when no walk is open: a control word, small talk, or a question to the guidance."""
    reply = replies.understand(typed.text, (Choice("!start", text_of("walk.start")),))
    if reply.kind == "emergency":
        say(unit, actor.chat_id, advice_cards.danger_first(context.book.edition))
    elif typed.is_danger:
        advice.ask(unit, context, actor, typed)
    elif reply.kind == "choice":
        start(unit, context, actor, "share")
    elif reply.kind == "why" and context.recent.last(actor.user_id):
        advice.ask(unit, context, actor, typed)
    elif reply.kind in ("help", "why"):
        menus.help_me(unit, context, actor)
    elif replies.small_talk(typed.text):
        advice.ask(unit, context, actor, typed)
    elif reply.kind in ("again", "which") and replies.says_little(typed.text):
        say(unit, actor.chat_id, plain(text_of("walk.nothing_open_type"), (text_of("walk.start"), START)))
    else:
        advice.ask(unit, context, actor, typed)


def _choices(here: Loaded) -> list[Choice]:
    """Return the buttons of the open card, which typed words may name."""
    found = []
    question = here.position.question
    roles = here.position.flow.roles
    role = roles.question_role(question.id) if question else ""
    ways = replies.ways_to_say(role)
    for row in walk_card.Card(here.book, here.row, here.position, can_ask_team=True).draw().buttons:
        for label, data in row:
            try:
                act = decode(data).act
            except BadButton:
                continue
            option = question.option(act.rpartition(".")[2]) if question and not act.startswith("!") else None
            if option:
                said = ways.get(roles.option_role(role, option.id), ())
            else:
                said = replies.SAID_OF_BUTTONS.get(act.rpartition(".")[2], ())
            found.append(Choice(act, label, said, option is not None or act in ("!confirm", f"{CHECK}.confirm")))
    if not any(choice.act == "!cancel" for choice in found):
        # The word works even on a card without this button.
        found.append(Choice("!cancel", "Cancel"))
    return found


def _reply(unit: Unit, context: Context, actor: Actor, here: Loaded, typed: Typed) -> None:
    """Take typed words as a reply to the open card: one of its buttons, a control word, an answer in words, or a question."""
    position = here.position
    takes_text = position.takes_text and not here.walk.pending
    if typed.message_id < max(_taken_messages(unit, here), default=0):
        # It is older than words already consumed: a client sent it again, or it arrived late. It does not answer what came after.
        typed_text.danger_first(unit, context, actor, typed)
        _show(unit, here, text_of("walk.notes.typed_before"), below=True)
        return
    choices = _choices(here)
    reply = replies.understand(typed.text, choices, takes_text=takes_text)
    said = replies.plain(typed.text[: replies.LONGEST])
    exact = any(replies.plain(choice.label) == said for choice in choices)
    if typed.is_danger and not exact and reply.kind == "question":
        advice.ask(unit, context, actor, typed, walk_open=True)
        return
    if typed.is_danger and not exact and reply.kind != "emergency":
        typed_text.danger_first(unit, context, actor, typed)
        if not takes_text and not typed.looked.kinds:
            _show(unit, here, text_of("walk.notes.still_open"), below=True)
            return
        if takes_text and reply.kind in ("choice", "which"):
            reply = Reply("text")
    if typed.looked.kinds and not exact and reply.kind in ("choice", "which", "again"):
        # Identifiers are checked before replies: whatever button is meant, it can be named without them.
        typed_text.delete_from_chat(unit, actor.chat_id, typed.message_id)
        _show(unit, here, refusals.refusal(IdentifierFound(tuple(dict.fromkeys(typed.looked.kinds)))), below=True)
        return
    if reply.kind == "choice":
        chosen = reply.choices[0]
        _carry_out(unit, context, actor, here, chosen.act, chosen.label)
    elif reply.kind == "which":
        names = text_of("walk.notes.or").join(f"“{choice.label}”" for choice in reply.choices)
        _show(unit, here, text_of("walk.notes.which_one", names=names), below=True)
    elif reply.kind == "emergency":
        say(unit, actor.chat_id, advice_cards.danger_first(context.book.edition))
        _show(unit, here, text_of("walk.notes.still_open"), below=True)
    elif reply.kind == "help":
        menus.help_me(unit, context, actor)
        _show(unit, here, text_of("walk.notes.still_open"), below=True)
    elif reply.kind == "why" and context.recent.last(actor.user_id):
        # What they saw last is the answer to a question of theirs.
        advice.ask(unit, context, actor, typed, walk_open=True)
    elif reply.kind == "why":
        _show(unit, here, why=position.question is not None, below=True)
    elif reply.kind == "question" or (not takes_text and replies.small_talk(typed.text)):
        advice.ask(unit, context, actor, typed, walk_open=True)
    elif reply.kind == "text":
        _answer_in_words(unit, context, actor, here, typed)
    else:
        _show(
            unit,
            here,
            text_of("walk.notes.not_an_answer") if takes_text else text_of("walk.notes.not_understood"),
            below=True,
        )


def _answer_in_words(unit: Unit, context: Context, actor: Actor, here: Loaded, typed: Typed) -> None:
    """Save typed words as the answer to the open question, if they may be stored."""
    position = here.position
    may_be_left_out = position.question is not None and position.question.text == "optional"
    if may_be_left_out and position.live and position.live[-1][1].text == typed.text:
        # A client that lost its connection may send the same words again, as a new update.
        _show(unit, here, text_of("walk.typed_twice"), below=True)
        return
    is_reference = position.state == position.flow.roles.question("case_reference")
    try:
        take = typed_text.reference if is_reference else typed_text.words
        screened = take(unit, context, actor, typed)
    except NotScreened as error:
        row = here.row
        if isinstance(error, IdentifierFound):
            typed_text.delete_from_chat(unit, actor.chat_id, typed.message_id)
            event: dict[str, Any] = {"act": "!screened", "kinds": list(error.kinds)}
            row = conversations.save(unit, row, navigation.as_dict(here.walk), event, context.now())
        refused = Loaded(row, here.book, position, refusals.refusal(error))
        override = refusals.override_for(error, is_reference=is_reference)
        _show(unit, refused, below=True, override=override)
        return
    if screened is None:
        _show(unit, here, text_of("walk.notes.no_reference"), below=True)
        return
    trigger = f"{position.state}.text"
    changed = navigation.choose(position.machine, here.walk, trigger, context.now(), screened)
    event = {
        "act": trigger, "text": screened.text, "said_not_a_person": screened.said_not_a_person,
        "message_id": typed.message_id, **({"said_a_reference": 1} if screened.said_a_reference else {}),
    }  # fmt: skip
    drawn = Drawn(text_of("walk.notes.took_words"), below=True, undo=True)
    _keep(unit, context, actor, here, changed, event, drawn)


def ask(unit: Unit, context: Context, actor: Actor, typed: Typed) -> None:
    """Answer a question from the guidance. An open walk stays where it is: a button goes on with it."""
    advice.ask(unit, context, actor, typed, walk_open=_has_open(unit, actor))


def show_advice(unit: Unit, context: Context, actor: Actor, show: Callable[..., None], what: str) -> None:
    """Show a card or passage of the advice. An open walk stays where it is: a button goes on with it."""
    show(unit, context, actor, what, walk_open=_has_open(unit, actor))


def _has_open(unit: Unit, actor: Actor) -> bool:
    return conversations.get_open(unit, actor.chat_id) is not None


def unknown_command(unit: Unit, context: Context, actor: Actor, nearest: str) -> None:
    """Say that a command does not exist, and name the nearest. Words that begin with a slash are never an answer."""
    said = text_of("walk.unknown_command.nearest", nearest=nearest) if nearest else text_of("walk.unknown_command.help")
    say(unit, actor.chat_id, notices.unknown_command(said))
    here = _open_in(unit, context, actor.chat_id)
    if here:
        _show(unit, here, text_of("walk.notes.still_open"), below=True)


def unreadable(unit: Unit, context: Context, actor: Actor, typed: Typed, album: str = "") -> None:
    """Delete a photo, voice message or file without reading it, and say so. Answer an album once."""
    outbox.enqueue(unit, actor.chat_id, "delete", {"message_id": typed.message_id})
    words = text_of("walk.unreadable")
    if album:
        # Further parts of the album edit this message, which changes nothing.
        outbox.enqueue(unit, actor.chat_id, "card", plain(words).payload(), f"album:{actor.chat_id}:{album[:40]}")
    else:
        say(unit, actor.chat_id, plain(words))
    here = _open_in(unit, context, actor.chat_id)
    if here:
        _show(unit, here, below=True)


def cancel(unit: Unit, context: Context, actor: Actor) -> None:
    """Cancel the open conversation without a record."""
    here = _open_in(unit, context, actor.chat_id)
    if here is None:
        say(unit, actor.chat_id, plain(text_of("walk.nothing_open"), (text_of("walk.start"), START)))
        return
    _cancel(unit, context, here)


def _cancel(unit: Unit, context: Context, here: Loaded, *, below: bool = False) -> None:
    row = _cancel_row(unit, context, here.row, navigation.as_dict(here.walk))
    _show_ended(unit, context, row, below=below)


def _cancel_row(unit: Unit, context: Context, row: Open, walk: Any) -> Open:
    row = conversations.save(unit, row, walk, {"act": "!cancel"}, context.now(), Status.CANCELLED)
    opinions.stop_for(unit, context, row.id, EndedBy.CANCELLED)
    pending_input.drop(unit, row.chat_id)
    return row


def reopen(unit: Unit, context: Context, actor: Actor, handle: str) -> str:
    """Continue a cancelled conversation with the answers it had."""
    here = _open_in(unit, context, actor.chat_id)
    row = conversations.by_handle(unit, actor.chat_id, handle)
    if here or row is None or row.status != Status.CANCELLED or row.flow not in context.book.machines:
        if here:
            _show(unit, here, below=True)
        return text_of("walk.notes.old_button")
    walk = navigation.from_dict(row.walk)
    _show(unit, _started(unit, context, actor, walk.flow, walk=walk), text_of("walk.notes.go_on"), below=True)
    return ""


def stop_for(unit: Unit, context: Context, member: MemberRow) -> None:
    """Cancel the open conversation of a member who leaves."""
    here = _open_in(unit, context, member.telegram_id)
    if here:
        _cancel(unit, context, here)


def ask_team(unit: Unit, context: Context, actor: Actor, reference: str = "") -> str:
    """Draft a request for second opinions: about the person's record if one is named, else about the current question."""
    if reference:
        stored = own_records.own_or_say(unit, actor, reference, "ask_opinion")
        if stored is None:
            return ""
        row = present(conversations.get(unit, stored.clear["conversation_id"]), "a record has a conversation")
        about = load(unit, context, row)
        if about is None:
            say(unit, actor.chat_id, plain(text_of("walk.not_in_edition")))
            return ""
        return opinions.prepare(unit, context, actor, row, about.position, stored.clear["id"])
    here = _open_in(unit, context, actor.chat_id)
    if here is None:
        start = (text_of("walk.start"), START)
        say(unit, actor.chat_id, plain(text_of("opinions.start_first"), start))
        return ""
    return opinions.prepare(unit, context, actor, here.row, here.position)


def emergency(unit: Unit, context: Context, actor: Actor, reference: str = "") -> None:
    """Show the police card and write its record at once, with or without an open conversation.

    Tapped again on a recorded emergency, it shows that card again.
    """
    here = _open_in(unit, context, actor.chat_id)
    stored = records.find(unit, reference) if reference and here is None else None
    mine = stored and access.may(actor.member, "read_record", Resource(stored.clear["member_id"]))
    if stored and mine and stored.clear["outcome"] == "emergency":
        row = conversations.get(unit, stored.clear["conversation_id"])
        if row:
            _show_ended(unit, context, row, below=True)
            return
    here = here or _started(unit, context, actor, context.book.edition.roles.starts["share"].flow)
    walk = navigation.interrupt(here.position.machine, here.walk, "emergency", context.now())
    _keep(unit, context, actor, here, walk, {"act": "!emergency"}, Drawn(below=True))


def resume(unit: Unit, context: Context, actor: Actor, reference: str) -> str:
    """Continue with the answers of a record that an emergency or a question of scope ended."""
    here = _open_in(unit, context, actor.chat_id)
    if here:
        _show(unit, here, below=True)
        return ""
    stored = records.find(unit, reference)
    if stored is None or not access.may(actor.member, "walk", Resource(stored.clear["member_id"])):
        return text_of("records.gone")
    row = present(conversations.get(unit, stored.clear["conversation_id"]), "a record has a conversation")
    walk = navigation.from_dict(row.walk)
    if walk.flow not in context.book.machines:
        return text_of("walk.not_in_edition")
    machine = context.book.machine(walk.flow)
    walk = navigation.resumed_without_interrupt(machine, walk)
    notice = text_of("walk.notes.after_record", reference=reference)
    _show(unit, _started(unit, context, actor, walk.flow, walk=walk), notice, below=True)
    return ""
