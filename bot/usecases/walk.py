"""Walking a flow: one verb a function, one transaction each, in which all changes and messages are stored or none.

Each function takes the open transaction, the context and the actor, and may return a short text that answers the tap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.domain import access
from bot.domain.access import Resource
from bot.domain.record import LOOKED_UP
from bot.domain.typed_text import Typed
from bot.messages import notices, start_card
from bot.messages.callback_data import START, Button, handle_of
from bot.messages.message import plain
from bot.messages.texts import text_of
from bot.usecases import advice, coming_back, menus, opinions, own_records, typed_text
from bot.usecases.context import Actor, Context, say
from bot.usecases.open_walk import (
    Drawn,
    Loaded,
    cancel_row,
    keep,
    load,
    note_on_earlier,
    open_in,
    show,
    show_ended,
    started,
)
from flows import navigation
from flows.invariants import present
from flows.machine import OUTCOME
from flows.navigation import UnexpectedAnswer
from flows.roles import Start
from storage import conversations, records
from storage.conversations import Status
from storage.core.unit import Unit
from storage.members import MemberRow


def welcome(unit: Unit, context: Context, actor: Actor) -> None:
    """Say what this is and offer what people come for; with a walk open, show where they are. No walk begins by itself."""
    menus.update(unit, actor.member)
    here = open_in(unit, context, actor.chat_id)
    if here:
        show(unit, here, text_of("walk.notes.go_on"), below=True)
    else:
        say(unit, actor.chat_id, start_card.welcome(context.book.edition))


def start(unit: Unit, context: Context, actor: Actor, command: str) -> None:
    """Start the flow that a command begins in this edition, or show the open conversation if there is one."""
    begins = context.book.edition.roles.starts.get(command)
    if begins is None:
        say(unit, actor.chat_id, plain(text_of("walk.not_in_edition")))
    else:
        begin(unit, context, actor, begins)


def came_for(unit: Unit, context: Context, actor: Actor, choice: str) -> None:
    """Start with what the person came for, or ask for their question if that is all they want."""
    if choice == start_card.QUESTION:
        say(unit, actor.chat_id, start_card.ask_away())
    elif begins := context.book.edition.roles.starts.get(choice):
        begin(unit, context, actor, begins, start_card.said_already(context.book.edition, choice))
    else:
        say(unit, actor.chat_id, plain(text_of("walk.not_in_edition")))


def begin_flow(unit: Unit, context: Context, actor: Actor, flow: str) -> None:
    """Start a flow by its id, or the one that /share begins: for a button of ours, or of an edition that is gone."""
    known = flow in context.book.machines
    begin(unit, context, actor, Start(flow) if known else context.book.edition.roles.starts["share"])


def begin(unit: Unit, context: Context, actor: Actor, begins: Start, note: str = "") -> None:
    """Start a flow with what is known already, and a note on that; show the open conversation if there is one."""
    here = open_in(unit, context, actor.chat_id)
    machine = context.book.machine(begins.flow)
    wanted = begins.entry or machine.flow.entries[0]
    at = context.now()
    walk = navigation.give(machine, navigation.start(machine, wanted), begins.answers, at, card=navigation.BEGINNING)
    if begins.bulk:
        walk = navigation.answered_bulk(machine, walk, at)
    answered = here is not None and any(answer.card != navigation.BEGINNING for answer in here.walk.answers.values())
    if here and not answered and (here.row.flow, navigation.said(here.walk)) != (begins.flow, navigation.said(walk)):
        # Nothing was answered yet, so starting with something else loses nothing.
        _cancel(unit, context, here)
        here = None
    if here:
        show(unit, here, text_of("walk.notes.finish_first"), below=True)
        return
    here = started(unit, context, actor, begins.flow, walk=walk)
    show(unit, here, note, below=True)


def go_on(unit: Unit, context: Context, actor: Actor) -> None:
    """Show the open conversation again."""
    here = open_in(unit, context, actor.chat_id)
    context.recent.forget(actor.user_id)
    if here:
        show(unit, here, text_of("walk.notes.go_on"), below=True)
    else:
        say(unit, actor.chat_id, plain(text_of("walk.nothing_open"), (text_of("walk.start"), START)))


def tap(unit: Unit, context: Context, actor: Actor, button: Button) -> str:
    """Carry out a tap on a card. An old, repeated or foreign tap changes nothing and redraws the card."""
    here = open_in(unit, context, actor.chat_id)
    if here is None or button.handle != handle_of(here.row.id) or button.revision != here.row.revision:
        return _redraw(unit, context, actor, here, button)
    return carry_out(unit, context, actor, here, button.act)


def _tells_of_danger(here: Loaded, act: str) -> bool:
    """Return whether a button reports an emergency, which waits for nothing."""
    return act in ("!emergency", f"{here.position.flow.roles.question('emergency')}.yes") or here.is_emergency


def carry_out(unit: Unit, context: Context, actor: Actor, here: Loaded, act: str, took: str = "") -> str:
    """Do what a button of the card does. `took`: the label that typed words matched; the card names it, and Back undoes it."""
    verb, _, rest = act.removeprefix("!").partition(".")
    typed = bool(took)
    if act.startswith("!") and verb in LOOKS:
        look: dict[str, Any] = {LOOKS[verb]: True} if LOOKS[verb] else {}
        show(unit, here, below=typed, **look)
        return ""
    if act == "!cancel":
        _cancel(unit, context, here, below=typed)
        return text_of("walk.cancelled_briefly")
    if here.notice and not _tells_of_danger(here, act):
        # The person has not seen yet that the guidance has changed since this card was drawn.
        show(unit, here, below=True)
        return ""
    if act == "!opinion":
        return opinions.prepare(unit, context, actor, here.row, here.position)
    if verb == "later" and act.startswith("!"):
        coming_back.ask_for(unit, context, here, rest)
        return ""
    if act == LOOKED_UP:
        coming_back.look_up_contacts(unit, context, actor, here)
        return ""
    if act in ("!notaperson", "!areference"):
        typed_text.give_name_override(unit, context, actor.chat_id)
        again = text_of("prompts.type_again" if act == "!notaperson" else "prompts.type_reference_again")
        show(unit, here, again, below=typed)
        return ""
    try:
        changed = _changed(here, act, context.now())
    except UnexpectedAnswer:
        show(unit, here, text_of("walk.notes.old_button"))
        return text_of("walk.notes.old_button")
    notice = _notice_of(here, verb) or (
        text_of("walk.notes.took", label=took) if took and not act.startswith("!") else ""
    )
    if changed != here.walk:
        keep(unit, context, actor, here, changed, {"act": act}, Drawn(notice, below=typed))
    elif typed:
        show(unit, here, text_of("walk.notes.still_open"), below=True)
    return ""


def _notice_of(here: Loaded, verb: str) -> str:
    """Return what to say above the card after a button that takes back an emergency."""
    if verb == "mistake":
        return text_of("emergency.taken_back")
    return note_on_earlier(here) if verb == "happened" else ""


#: The buttons that show the card in another way -> how.
LOOKS = {"why": "why", "changes": "changes", "later_when": "later", "hide": ""}


def _changed(here: Loaded, act: str, at: str) -> navigation.Walk:
    """Return the walk after a button; raise UnexpectedAnswer if it does not apply."""
    machine, walk = here.position.machine, here.walk
    verb, _, rest = act.removeprefix("!").partition(".")
    if not act.startswith("!"):
        together = here.position.together.get(act)
        return navigation.give(machine, walk, together, at) if together else navigation.choose(machine, walk, act, at)
    match verb:
        case "back" | "mistake":
            return navigation.back(machine, walk)
        case "calling":
            return navigation.choose(machine, walk, f"{OUTCOME}{machine.emergency}.next", at)
        case "change":
            return navigation.change(machine, walk, rest)
        case "confirm":
            return navigation.confirm_change(machine, walk)
        case "earlier":
            return navigation.choose_earlier(machine, walk, at)
        case "single":
            return navigation.one_by_one(machine, walk)
        case "details":
            return navigation.add_details(machine, walk)
        case "enough":
            return navigation.enough(machine, walk)
        case "happened":
            return navigation.happened_earlier(machine, walk, at)
        case "bulk":
            return navigation.answered_bulk(machine, walk, at)
        case _:
            return navigation.interrupt(machine, walk, verb, at)


def _redraw(unit: Unit, context: Context, actor: Actor, here: Loaded | None, button: Button) -> str:
    """Show the current card after a tap that no longer applies."""
    if here and button.handle == handle_of(here.row.id):
        show(unit, here)
        return text_of("walk.notes.old_button")
    row = conversations.by_handle(unit, actor.chat_id, button.handle or "")
    ended = row is not None and row.status != Status.OPEN
    if row and ended:
        show_ended(unit, context, row)
    if here:
        show(unit, here, below=True)
    if ended:
        return text_of("walk.ended")
    if here is None:
        say(unit, actor.chat_id, plain(text_of("walk.nothing_open"), (text_of("walk.start"), START)))
    return text_of("walk.notes.old_button")


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
    here = open_in(unit, context, actor.chat_id)
    if here:
        show(unit, here, text_of("walk.notes.still_open"), below=True)


def cancel(unit: Unit, context: Context, actor: Actor) -> None:
    """Cancel the open conversation without a record."""
    here = open_in(unit, context, actor.chat_id)
    if here is None:
        say(unit, actor.chat_id, plain(text_of("walk.nothing_open"), (text_of("walk.start"), START)))
        return
    _cancel(unit, context, here)


def _cancel(unit: Unit, context: Context, here: Loaded, *, below: bool = False) -> None:
    row = cancel_row(unit, context, here.row, navigation.as_dict(here.walk))
    show_ended(unit, context, row, below=below)


def reopen(unit: Unit, context: Context, actor: Actor, handle: str) -> str:
    """Continue a cancelled conversation with the answers it had."""
    here = open_in(unit, context, actor.chat_id)
    row = conversations.by_handle(unit, actor.chat_id, handle)
    if here or row is None or row.status != Status.CANCELLED or row.flow not in context.book.machines:
        if here:
            show(unit, here, below=True)
        return text_of("walk.notes.old_button")
    walk = navigation.from_dict(row.walk)
    show(unit, started(unit, context, actor, walk.flow, walk=walk), text_of("walk.notes.go_on"), below=True)
    return ""


def stop_for(unit: Unit, context: Context, member: MemberRow) -> None:
    """Cancel the open conversation of a member who leaves."""
    here = open_in(unit, context, member.telegram_id)
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
    here = open_in(unit, context, actor.chat_id)
    if here is None:
        start = (text_of("walk.start"), START)
        say(unit, actor.chat_id, plain(text_of("opinions.start_first"), start))
        return ""
    return opinions.prepare(unit, context, actor, here.row, here.position)


def resume(unit: Unit, context: Context, actor: Actor, reference: str) -> str:
    """Continue with the answers of a record that an emergency or a question of scope ended."""
    here = open_in(unit, context, actor.chat_id)
    if here:
        show(unit, here, below=True)
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
    show(unit, started(unit, context, actor, walk.flow, walk=walk), notice, below=True)
    return ""
