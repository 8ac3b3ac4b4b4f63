"""Walking a flow: one verb a function, one transaction each. Changes, events, record, ledger, messages: all or none.

Each function gets the open transaction, the desk and who is asking, and returns the short words for the tap, if any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot import access, record_content, views
from bot.access import Thing
from bot.callback_data import Button, handle_of
from bot.usecases import advice, opinions, reviews, screen
from bot.usecases.desk import Desk, Who, say
from flows import navigation
from flows.catalogue import Book
from flows.machine import OUTCOME
from flows.navigation import Position, UnexpectedAnswer, Walk
from flows.screening import IdentifierFound, NotScreened
from storage import conversations, mailbox, records, text_wanted
from storage import opinions as asked_opinions
from storage.clock import later
from storage.conversations import Open
from storage.database import Unit
from storage.members import MemberRow

GO_ON = "You were here. Go on when you like."
NOTHING_OPEN = "There are no questions open."
OLD_BUTTON = "That button is no longer in use. This is where you are."
TYPED_TWICE = "You sent that already. It was saved once."
TYPED_BEFORE = "You typed that before this question was shown. It was not taken as the answer. Type it again if it is."
ANSWERED_BESIDE = "Your questions are still open. Go on when you like."
#: How long typed words belong to a request or an opinion that asked for them.
WANTED_MINUTES = 60
NO_REFERENCE = "That is not a case reference: it needs a digit in it and no spaces. Nothing was saved."
RENEWED = "The guidance text was updated since you began. Please check your answers."


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


def load(unit: Unit, desk: Desk, row: Open) -> Loaded:
    """Open a stored conversation: its pinned edition, its position by replay."""
    book, notice = desk.pinned(row.edition_id, row.edition_sha256), ""
    if book is None:
        book, notice = desk.book, RENEWED
        row = conversations.repin(unit, row, book.edition.id, book.edition.sha256)
    position = navigation.replay(book.machine(row.flow), navigation.from_dict(row.walk))
    return Loaded(row, book, position, notice)


def _open_in(unit: Unit, desk: Desk, chat_id: int) -> Loaded | None:
    row = conversations.get_open(unit, chat_id)
    return load(unit, desk, row) if row else None


# ---- showing -------------------------------------------------------------------------------------
def _show(unit: Unit, here: Loaded, notice: str = "", *, below: bool = False, **how: bool) -> None:
    can_ask = opinions.can_ask(unit, here.row.member_id)
    card = views.Card(here.book, here.row, here.position, can_ask).draw(notice or here.notice, **how)
    mailbox.put(unit, here.row.chat_id, "card", card.payload(below=below), here.row.id)


def _show_ended(unit: Unit, desk: Desk, row: Open, *, below: bool = False) -> None:
    stored = records.of_conversation(unit, row.id)
    if stored is None:
        card = views.plain("These questions were cancelled. No record was made.", ("Start again", f"start.{row.flow}"))
    else:
        card = views.saved(stored, desk.book.edition.banner)
    mailbox.put(unit, row.chat_id, "card", card.payload(below=below), row.id)


# ---- changing ------------------------------------------------------------------------------------
def _keep(
    unit: Unit, desk: Desk, who: Who, here: Loaded, walk: Walk, event: dict[str, Any], *, below: bool = False
) -> None:
    """Save a changed walk and show it; when it has ended, write its record first."""
    at = desk.now()
    position = navigation.replay(here.position.machine, walk)
    status = "finished" if position.is_finished else "open"
    row = conversations.save(unit, here.row, navigation.as_dict(walk), event, at, status)
    after = Loaded(row, here.book, position)
    if position.is_finished:
        if position.outcome and position.outcome.id == "emergency":
            opinions.stop_for(unit, desk, row.id, "emergency")
            text_wanted.drop(unit, row.chat_id)
        _write_record(unit, desk, who, after, at)
        _show_ended(unit, desk, row, below=below)
        return
    reached = position.state.startswith(OUTCOME) and position.state != here.position.state
    if reached:
        _send_chart(unit, after)
    _show(unit, after, below=below or reached)


def _write_record(unit: Unit, desk: Desk, who: Who, here: Loaded, at: str) -> None:
    edition, position = here.book.edition, here.position
    clear = {
        **record_content.clear_columns(position, edition, who.member, desk.version),
        "conversation_id": here.row.id,
        "started_at": here.row.started_at,
        "finished_at": at,
    }
    history, advice_sought = conversations.events(unit, here.row), opinions.advice_of(unit, here.row.id)
    content = record_content.content(position, edition, history, advice_sought)
    record_id, reference = records.save(unit, clear, content, content["case_reference"], who.actor)
    asked_opinions.attach(unit, here.row.id, record_id)
    reviews.enter(unit, record_id, {**clear, "reference": reference}, content)


def _send_chart(unit: Unit, here: Loaded) -> None:
    outcome = here.position.outcome
    assert outcome is not None  # noqa: S101 (the state is an outcome)
    payload = {
        "edition": here.book.edition.id,
        "flow": here.position.flow.id,
        "path": [f"{state}.{answer.verb}" for state, answer in here.position.live],
        "at": here.position.state,
        "caption": views.escape(f"Your way through the chart. It points to: {outcome.title}."),
    }
    mailbox.put(unit, here.row.chat_id, "photo", payload)


# ---- verbs ---------------------------------------------------------------------------------------
def begin(unit: Unit, desk: Desk, who: Who, flow: str, entry: str | None = None, *, greet: bool = False) -> None:
    """Start a flow, or show the open conversation when there is one."""
    here = _open_in(unit, desk, who.chat_id)
    wanted = entry or desk.book.machine(flow).flow.entries[0]
    if here and not greet and not here.position.live and (here.row.flow, here.walk.entry) != (flow, wanted):
        # Nothing was answered there yet: nothing is lost by starting what was asked for.
        _cancel(unit, desk, here)
        here = None
    if here:
        _show(unit, here, GO_ON if greet else "You have questions open. Finish or cancel them first.", below=True)
        return
    if greet:
        say(unit, who.chat_id, views.welcome(desk.book.edition))
    _show(unit, _started(unit, desk, who, flow, entry), below=True)


def go_on(unit: Unit, desk: Desk, who: Who) -> None:
    """Show the open questions again, where they were left."""
    here = _open_in(unit, desk, who.chat_id)
    if here:
        _show(unit, here, GO_ON, below=True)
    else:
        say(unit, who.chat_id, views.plain(NOTHING_OPEN, ("Start the questions", "start.sharing")))


def _started(unit: Unit, desk: Desk, who: Who, flow: str, entry: str | None = None, walk: Walk | None = None) -> Loaded:
    book = desk.book
    walk = walk or navigation.start(book.machine(flow), entry)
    row = conversations.start(
        unit,
        who.chat_id,
        who.member.id,
        book.edition.id,
        book.edition.sha256,
        flow,
        navigation.as_dict(walk),
        desk.now(),
    )
    return Loaded(row, book, navigation.replay(book.machine(flow), walk))


def tap(unit: Unit, desk: Desk, who: Who, button: Button) -> str:
    """Carry out a tap on a card; an old, doubled or foreign one changes nothing and redraws."""
    here = _open_in(unit, desk, who.chat_id)
    if here is None or button.handle != handle_of(here.row.id) or button.revision != here.row.revision:
        return _redraw(unit, desk, who, here, button)
    verb, _, rest = button.act.removeprefix("!").partition(".")
    if button.act.startswith("!") and verb in ("why", "hide", "changes"):
        _show(unit, here, why=verb == "why", changes=verb == "changes")
        return ""
    if button.act == "!cancel":
        _cancel(unit, desk, here)
        return "Cancelled."
    if button.act == "!opinion":
        return opinions.prepare(unit, desk, who, here.row, here.position)
    if button.act == "!notaperson":
        screen.give_name_pass(unit, desk, who.chat_id)
        _show(unit, here, screen.TYPE_AGAIN)
        return ""
    machine, walk, at = here.position.machine, here.walk, desk.now()
    try:
        if not button.act.startswith("!"):
            changed = navigation.choose(machine, walk, button.act, at)
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
        _show(unit, here, OLD_BUTTON)
        return OLD_BUTTON
    if changed != walk:
        _keep(unit, desk, who, here, changed, {"act": button.act})
    return ""


def _redraw(unit: Unit, desk: Desk, who: Who, here: Loaded | None, button: Button) -> str:
    """Show where the person is, after a press that no longer means anything."""
    if here and button.handle == handle_of(here.row.id):
        _show(unit, here)
        return OLD_BUTTON
    row = conversations.by_handle(unit, who.chat_id, button.handle or "")
    ended = row is not None and row.status != "open"
    if row and ended:
        _show_ended(unit, desk, row)
    if here:
        _show(unit, here, below=True)
    if ended:
        return "These questions have ended."
    if here is None:
        say(unit, who.chat_id, views.plain(NOTHING_OPEN, ("Start the questions", "start.sharing")))
    return OLD_BUTTON


def type_text(unit: Unit, desk: Desk, who: Who, text: str, message_id: int) -> None:
    """Take typed words for what they were asked for, as the answer to the open question, else as one to the guidance."""
    here = _open_in(unit, desk, who.chat_id)
    wanted = text_wanted.get(unit, who.chat_id)
    if wanted and text_wanted.are_same(unit, wanted, text):
        say(unit, who.chat_id, views.plain(TYPED_TWICE))
        return
    if wanted and wanted.kind != text_wanted.TAKEN and (here is None or here.row.updated_at <= wanted.asked_at):
        _take_wanted(unit, desk, who, wanted, text, message_id)
        return
    if here is None:
        ask(unit, desk, who, text, message_id)
        return
    position = here.position
    may_be_left_out = position.question is not None and position.question.text == "optional"
    if may_be_left_out and position.live and position.live[-1][1].text == text.strip():
        # A client that lost its connection sends the same words again, as a new update.
        _show(unit, here, TYPED_TWICE, below=True)
        return
    if not position.takes_text or here.walk.pending:
        _type_unasked(unit, desk, who, here, text, message_id)
        return
    earlier = [event.get("message_id", 0) for event in conversations.events(unit, here.row)]
    if message_id < max(earlier, default=0):
        # Typed before words that were taken already: sent again by a client, or late. It is no answer to what came after.
        _show(unit, here, TYPED_BEFORE, below=True)
        return
    is_reference = position.state == "case_reference"
    try:
        screened = screen.reference(desk, text) if is_reference else screen.words(unit, desk, who, text)
    except NotScreened as error:
        row = here.row
        if isinstance(error, IdentifierFound):
            screen.take_out(unit, who.chat_id, message_id)
            event: dict[str, Any] = {"act": "!screened", "kinds": list(error.kinds)}
            row = conversations.save(unit, row, navigation.as_dict(here.walk), event, desk.now())
        refused = Loaded(row, here.book, position, views.refusal(error))
        _show(unit, refused, below=True, may_be_no_name=views.is_name_only(error) and not is_reference)
        return
    if screened is None:
        _show(unit, here, NO_REFERENCE, below=True)
        return
    trigger = f"{position.state}.text"
    changed = navigation.choose(position.machine, here.walk, trigger, desk.now(), screened)
    event = {
        "act": trigger, "text": screened.text, "said_not_a_person": screened.said_not_a_person, "message_id": message_id,
    }  # fmt: skip
    _keep(unit, desk, who, here, changed, event, below=True)


def _take_wanted(unit: Unit, desk: Desk, who: Who, wanted: text_wanted.Wanted, text: str, message_id: int) -> None:
    """Take typed words for the request, the opinion or the review that asked for them; danger is answered first."""
    if wanted.asked_at < later(desk.now(), -WANTED_MINUTES):
        text_wanted.drop(unit, who.chat_id)
        say(unit, who.chat_id, views.plain("I asked for those words too long ago. Nothing was kept. Please tap again."))
        return
    if desk.index.ask(text).emergency:
        say(unit, who.chat_id, views.danger_first(desk.book.edition))
    take = reviews.type_words if wanted.kind == reviews.WORDS else opinions.type_words
    take(unit, desk, who, wanted, text, message_id)


def _type_unasked(unit: Unit, desk: Desk, who: Who, here: Loaded, text: str, message_id: int) -> None:
    """Typed words that are the label of a button count as a tap on it; others are a question to the guidance."""
    question = here.position.question
    for trigger in here.position.offered:
        option = question.option(trigger.rpartition(".")[2]) if question else None
        if option and option.label.casefold() == text.strip().casefold() and not here.walk.pending:
            changed = navigation.choose(here.position.machine, here.walk, trigger, desk.now())
            _keep(unit, desk, who, here, changed, {"act": trigger}, below=True)
            return
    ask(unit, desk, who, text, message_id)


def ask(unit: Unit, desk: Desk, who: Who, text: str, message_id: int) -> None:
    """Answer a question from the guidance, and show the open questions below the answer if there are any."""
    advice.ask(unit, desk, who, text, message_id)
    here = _open_in(unit, desk, who.chat_id)
    if here:
        _show(unit, here, ANSWERED_BESIDE, below=True)


def unreadable(unit: Unit, desk: Desk, who: Who, message_id: int) -> None:
    """Answer a photo, voice message or file: it is not read, and taken out of the chat where possible."""
    mailbox.put(unit, who.chat_id, "delete", {"message_id": message_id})
    say(
        unit,
        who.chat_id,
        views.plain("I can read text only. What you sent was not kept. Please do not send pictures or files here."),
    )
    here = _open_in(unit, desk, who.chat_id)
    if here:
        _show(unit, here, below=True)


def cancel(unit: Unit, desk: Desk, who: Who) -> None:
    """Stop the open conversation without a record."""
    here = _open_in(unit, desk, who.chat_id)
    if here is None:
        say(unit, who.chat_id, views.plain(NOTHING_OPEN, ("Start the questions", "start.sharing")))
        return
    _cancel(unit, desk, here)


def _cancel(unit: Unit, desk: Desk, here: Loaded) -> None:
    row = conversations.save(unit, here.row, navigation.as_dict(here.walk), {"act": "!cancel"}, desk.now(), "cancelled")
    opinions.stop_for(unit, desk, row.id, "cancelled")
    text_wanted.drop(unit, row.chat_id)
    _show_ended(unit, desk, row)


def stop_for(unit: Unit, desk: Desk, member: MemberRow) -> None:
    """Stop the open conversation of a member who leaves."""
    here = _open_in(unit, desk, member.telegram_id)
    if here:
        _cancel(unit, desk, here)


def ask_team(unit: Unit, desk: Desk, who: Who, reference: str = "") -> str:
    """Begin a request for second opinions: about one's record if one is named, else about where one stands."""
    if reference:
        stored = records.find(unit, reference.strip().upper())
        if stored is None or not access.may(who.member, "ask_opinion", Thing(stored.clear["member_id"])):
            say(unit, who.chat_id, views.plain("You have no record with that reference."))
            return ""
        row = conversations.get(unit, stored.clear["conversation_id"])
        assert row is not None  # noqa: S101 (a record has a conversation)
        return opinions.prepare(unit, desk, who, row, load(unit, desk, row).position, stored.clear["id"])
    here = _open_in(unit, desk, who.chat_id)
    if here is None:
        start = ("Start the questions", "start.sharing")
        say(unit, who.chat_id, views.plain("Start the questions first. Then I can ask your team about them.", start))
        return ""
    return opinions.prepare(unit, desk, who, here.row, here.position)


def emergency(unit: Unit, desk: Desk, who: Who, reference: str = "") -> None:
    """Show the police card and record it at once, from an open conversation or without one.

    Pressed again on the card of an emergency that is recorded, it shows that card again.
    """
    here = _open_in(unit, desk, who.chat_id)
    stored = records.find(unit, reference) if reference and here is None else None
    mine = stored and access.may(who.member, "read_record", Thing(stored.clear["member_id"]))
    if stored and mine and stored.clear["outcome"] == "emergency":
        row = conversations.get(unit, stored.clear["conversation_id"])
        if row:
            _show_ended(unit, desk, row, below=True)
            return
    here = here or _started(unit, desk, who, "sharing")
    walk = navigation.interrupt(here.position.machine, here.walk, "emergency", desk.now())
    _keep(unit, desk, who, here, walk, {"act": "!emergency"}, below=True)


def resume(unit: Unit, desk: Desk, who: Who, reference: str) -> str:
    """Go on with the answers of a record that an emergency or a question of scope ended."""
    here = _open_in(unit, desk, who.chat_id)
    if here:
        _show(unit, here, below=True)
        return ""
    stored = records.find(unit, reference)
    if stored is None or not access.may(who.member, "walk", Thing(stored.clear["member_id"])):
        return "There is no such record."
    row = conversations.get(unit, stored.clear["conversation_id"])
    assert row is not None  # noqa: S101 (a record has a conversation)
    walk = navigation.resumed_without_interrupt(navigation.from_dict(row.walk))
    _show(unit, _started(unit, desk, who, walk.flow, walk=walk), f"You go on after record {reference}.", below=True)
    return ""
