"""Typed words of a member: pending input, a reply to the open card, or a question to the guidance."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bot.domain.reminders import When
from bot.domain.typed_text import Typed
from bot.messages import advice_cards, refusals, start_card, walk_card
from bot.messages.callback_data import START, BadButton, decode
from bot.messages.message import plain
from bot.messages.texts import text_of
from bot.usecases import advice, local_contacts, menus, opinions, own_records, reviews, typed_text, walk
from bot.usecases.context import Actor, Context, say
from bot.usecases.open_walk import Drawn, Loaded, keep, open_in, show
from flows import navigation, replies
from flows.definition import NOT_SURE, Kind
from flows.machine import CHECK, split
from flows.navigation import Position, changeable
from flows.replies import Choice, Reply
from flows.screening import IdentifierFound, NotScreened
from storage import conversations, outbox, pending_input
from storage.core.clock import later
from storage.core.unit import Unit

#: How people say that something is done.
DONE = re.compile(r"\b(?:all|done|sorted|yes|yep|yeah|yh|aye|they are|finished|ok|every\w*)\b")
#: Minutes that a prompt of a request or an opinion waits for typed words.
WANTED_MINUTES = 60


def type_text(unit: Unit, context: Context, actor: Actor, typed: Typed) -> None:
    """Take typed words as the pending input, as a reply to the card, or else as a question to the guidance."""
    here = open_in(unit, context, actor.chat_id)
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
        show(unit, here, words, below=True)
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
    if (
        wanted.kind == opinions.VIEW
        and wanted.subject.endswith(opinions.OFFERED)
        and _is_for_card(unit, context, actor, here, wanted, typed)
    ):
        return
    reply = replies.understand(typed.text, LEAVE_OR_GO_BACK, takes_text=True)
    if reply.kind == "choice":
        pending_input.drop(unit, actor.chat_id)
        _tell(unit, actor, here, text_of("prompts.left_out"))
        return
    if reply.kind == "emergency":
        say(unit, actor.chat_id, advice_cards.danger_first(context.book.edition))
        return
    if reply.kind in ("help", "why", "again", "corrects"):
        say(unit, actor.chat_id, plain(text_of("prompts.waiting")))
        return
    typed_text.danger_first(unit, context, actor, typed)
    if wanted.kind == own_records.NOTE:
        own_records.type_note(unit, context, actor, wanted, typed)
    elif wanted.kind == own_records.REASONS:
        own_records.type_reasons(unit, context, actor, wanted, typed)
    elif wanted.kind == own_records.CASE:
        own_records.type_case(unit, context, actor, wanted, typed)
    elif wanted.kind == reviews.WORDS:
        reviews.type_words(unit, context, actor, wanted, typed)
    else:
        opinions.type_words(unit, context, actor, wanted, typed)


def _is_for_card(
    unit: Unit, context: Context, actor: Actor, here: Loaded | None, wanted: pending_input.PendingInput, typed: Typed
) -> bool:
    """Take typed words under a team's result as a button of it, or as a reply to the open card; return whether they are one.

    A few words, a button of the card and a question are for the card. A sentence is about the result.
    """
    if named := opinions.view_named(typed):
        pending_input.drop(unit, actor.chat_id)
        opinions.view(unit, context, actor, wanted.subject.partition(".")[0], named)
        return True
    said = replies.plain(typed.text)
    labels = [replies.plain(choice.label) for choice in _choices(here)] if here else []
    if len(said.split()) > FEW and said not in labels and not replies.reads_like_a_question(typed.text):
        return False
    pending_input.drop(unit, actor.chat_id)
    if here:
        _reply(unit, context, actor, here, typed)
    else:
        _type_idle(unit, context, actor, typed)
    return True


#: Words that may be an answer to a card rather than a sentence about a result.
FEW = 4
LEAVE_OR_GO_BACK = (Choice("!cancel", "Cancel"), Choice("!back", "Back"))


# ---- words at no question, and at one ---------------------------------------------------------------
def _type_idle(unit: Unit, context: Context, actor: Actor, typed: Typed) -> None:
    """Answer typed words when no walk is open: a control word, small talk, or a question to the guidance."""
    offered = [Choice(act, label) for label, act in start_card.choices(context.book.edition)]
    offered += [
        Choice(verb, verb, replies.SAID_OF_BUTTONS.get(verb, ())) for verb in (*RECORD_VERBS, "list_records", "resume")
    ]
    offered.append(Choice("local", text_of("local.title"), replies.SAID_OF_BUTTONS["local"]))
    offered.append(Choice("!start", text_of("walk.start"), replies.SAID_OF_BUTTONS["!start"]))
    reply = replies.understand(typed.text, offered)
    if found := replies.asked_for(typed.text):
        reply = Reply("choice", tuple(choice for choice in offered if choice.act == found))
    if reply.kind == "emergency":
        say(unit, actor.chat_id, advice_cards.danger_first(context.book.edition))
    elif typed.is_danger:
        advice.ask(unit, context, actor, typed)
    elif reply.kind == "choice":
        _choose_idle(unit, context, actor, reply.choices[0].act)
    elif _about_records(unit, context, actor, typed):
        pass
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


#: What people type to have a note added, the case reference corrected, or a record found, with what follows.
_ADD_NOTE = re.compile(
    r"(?:can i |please |pls |i |need to |want to |id like to )*add (?:a |this )?note\b[:,. ]*(.{4,})",
    re.IGNORECASE | re.DOTALL,
)
_CORRECT_CASE = re.compile(
    r"(?:please |pls |can you )?(?:correct|change|fix|set) the case ref(?:erence)? to\W+(\S+)", re.IGNORECASE
)
_WRONG_CASE = re.compile(r"case ref(?:erence)?\b.*\b(?:wrong|mistake|incorrect)\b|wrong case ref", re.IGNORECASE)
_RECORD = re.compile(r"\bSW-\w{4}-\w{4}\b", re.IGNORECASE)
_FIND = re.compile(
    r"(?:please |pls |can you )?(?:find|show(?: me)?|open|look up|get|see)(?: the| my)?(?: record| case)?(?: for| of)?\s+(\S+)",
    re.IGNORECASE,
)


def _about_records(unit: Unit, context: Context, actor: Actor, typed: Typed) -> bool:
    """Do what typed words ask for on a record of the person's own; return whether they ask for anything of the kind."""
    text = typed.text.strip()
    if found := _RECORD.search(text):
        text = found[0]
    elif found := _FIND.fullmatch(text):
        text = found[1]
    wanted = typed_text.read_argument(context, typed, text) if text != typed.text else typed
    if own_records.has_case(unit, context, actor, wanted):
        own_records.show_list(unit, context, actor, wanted)
        return True
    newest = own_records.newest(unit, actor)
    if newest and (found := _ADD_NOTE.fullmatch(text)):
        own_records.add_note(unit, context, actor, newest, typed_text.read_argument(context, typed, found[1]))
    elif newest and (found := _CORRECT_CASE.fullmatch(text)):
        own_records.ask_for_case(unit, context, actor, newest)
        wanted_case = pending_input.get(unit, actor.chat_id)
        if wanted_case:
            typed_case = typed_text.read_argument(context, typed, found[1])
            own_records.type_case(unit, context, actor, wanted_case, typed_case)
    elif newest and _WRONG_CASE.search(text):
        own_records.ask_for_case(unit, context, actor, newest)
    else:
        return False
    return True


#: What people ask for once a record is saved -> how it is done with the newest.
RECORD_VERBS: dict[str, Callable[[Unit, Context, Actor, str], None]] = {
    "show_record": own_records.show,
    "pdf_of_record": own_records.send_pdf,
    "note_on_record": own_records.ask_for_note,
    "case_of_record": own_records.ask_for_case,
}


def _choose_idle(unit: Unit, context: Context, actor: Actor, act: str) -> None:
    """Do what typed words name while no walk is open: start, or something with one's own records."""
    if act == "!start":
        walk.start(unit, context, actor, "share")
    elif act in RECORD_VERBS and (reference := own_records.newest(unit, actor)):
        RECORD_VERBS[act](unit, context, actor, reference)
    elif act == "local":
        local_contacts.show(unit, actor)
    elif act == "resume" and (reference := own_records.newest(unit, actor)):
        walk.resume(unit, context, actor, reference)
    elif act in RECORD_VERBS or act == "list_records":
        own_records.show_list(unit, context, actor)
    else:
        walk.came_for(unit, context, actor, act.removeprefix("for."))


def _choices(here: Loaded) -> list[Choice]:
    """Return the buttons of the open card, which typed words may name."""
    position = here.position
    found = []
    for row in walk_card.Card(here.book, here.row, position, can_ask_team=True).draw().buttons:
        for label, data in row:
            try:
                act = decode(data).act
            except BadButton:
                continue
            key, option = split(position.together.get(act, (act,))[-1])
            asked = position.flow.questions.get(key)
            is_option = asked is not None and asked.option(option) is not None and not act.startswith("!")
            said = _ways_to_say(position, act) if is_option else replies.SAID_OF_BUTTONS.get(act.rpartition(".")[2], ())
            found.append(Choice(act, label, said, is_option or act in ("!confirm", f"{CHECK}.confirm")))
    if position.is_paused:
        # Whoever wants to come back may say at once when.
        found += [
            Choice(f"!later.{when}", text_of(f"walk.buttons.{when}"), replies.SAID_OF_BUTTONS.get(when, ()))
            for when in When
        ]
    if position.state == CHECK:
        # The short words for an answer, as the check shows them, name the button that changes it.
        states = (*changeable(position), *position.left_out)
        shorts = {state: position.flow.questions[state].short for state in states}
        found += [Choice(f"!change.{state}", short, (f"change {short}",)) for state, short in shorts.items()]
    if not any(choice.act == "!cancel" for choice in found):
        # The word works even on a card without this button.
        found.append(Choice("!cancel", "Cancel"))
    return found


def _ways_to_say(position: Position, act: str) -> tuple[str, ...]:
    """Return other words for an answer on the card. A button that answers several questions has its own, or those of its last."""
    roles, here = position.flow.roles, position.question
    together = (
        {one.answers if len(one.answers) == 1 else (f"{here.id}.{one.id}",): one for one in position.buttons}
        if here
        else {}
    )
    button = together.get((act,))
    if button and here:
        own = replies.ways_to_say(roles.question_role(here.id)).get(button.id, ())
        if own or len(button.answers) == 1:
            return own
    key, option = split(position.together.get(act, (act,))[-1])
    role = roles.question_role(key)
    return replies.ways_to_say(role).get(roles.option_role(role, option), ())


def _reply(unit: Unit, context: Context, actor: Actor, here: Loaded, typed: Typed) -> None:
    """Take typed words as a reply to the open card: one of its buttons, a control word, an answer in words, or a question."""
    position = here.position
    if opinions.reply_to_draft(unit, context, actor, here.row, typed):
        return
    takes_text = position.takes_text and not here.walk.pending
    if typed.message_id < max(_taken_messages(unit, here), default=0):
        # It is older than words already consumed: a client sent it again, or it arrived late. It does not answer what came after.
        typed_text.danger_first(unit, context, actor, typed)
        show(unit, here, text_of("walk.notes.typed_before"), below=True)
        return
    if replies.plain(typed.text) in map(replies.plain, replies.SAID_OF_BUTTONS["resume"]):
        walk.go_on(unit, context, actor)
        return
    if here.is_emergency and not here.walk.pending:
        _reply_to_emergency(unit, context, actor, here, typed)
        return
    choices = _choices(here)
    reply = replies.understand(typed.text, choices, takes_text=takes_text)
    said = replies.plain(typed.text[: replies.LONGEST])
    exact = any(replies.plain(choice.label) == said for choice in choices)
    if typed.is_danger and not exact and reply.kind == "question" and replies.reads_like_a_question(typed.text):
        advice.ask(unit, context, actor, typed, walk_open=True)
        return
    if typed.is_danger and not exact and reply.kind != "emergency":
        typed_text.danger_first(unit, context, actor, typed)
        is_unsure = reply.kind == "choice" and reply.choices[0].act.endswith(f".{NOT_SURE}")
        if not takes_text and not typed.looked.kinds and not is_unsure:
            show(unit, here, _after_danger(here, choices), below=True)
            return
        if takes_text and reply.kind in ("choice", "which"):
            reply = Reply("text")
    if typed.looked.kinds and not exact and reply.kind in ("choice", "which", "again"):
        # Identifiers are checked before replies: whatever button is meant, it can be named without them.
        typed_text.delete_from_chat(unit, actor.chat_id, typed.message_id)
        show(unit, here, refusals.refusal(IdentifierFound(tuple(dict.fromkeys(typed.looked.kinds)))), below=True)
        return
    if reply.kind == "choice" and not exact and _hides_harm(here, reply.choices[0], said):
        show(unit, here, _after_danger(here, choices), below=True)
    elif reply.kind == "choice" and not exact and _would_say_more(here, reply.choices[0], said):
        show(unit, here, text_of("walk.notes.all_done_first"), below=True)
    elif reply.kind == "choice":
        chosen = reply.choices[0]
        walk.carry_out(unit, context, actor, here, chosen.act, chosen.label)
    elif reply.kind == "which":
        names = text_of("walk.notes.or").join(f"“{choice.label}”" for choice in reply.choices)
        show(unit, here, text_of("walk.notes.which_one", names=names), below=True)
    elif reply.kind == "emergency":
        first = position.flow.roles.question("emergency")
        if position.question and position.question.id == first:
            walk.carry_out(unit, context, actor, here, f"{first}.yes", text_of("emergency.button"))
            return
        say(unit, actor.chat_id, advice_cards.danger_first(context.book.edition))
        show(unit, here, text_of("walk.notes.still_open"), below=True)
    elif reply.kind == "corrects":
        show(unit, here, text_of("walk.notes.corrects"), below=True)
    elif reply.kind == "help":
        menus.help_me(unit, context, actor)
        show(unit, here, text_of("walk.notes.still_open"), below=True)
    elif reply.kind == "why" and context.recent.last(actor.user_id):
        # What they saw last is the answer to a question of theirs.
        advice.ask(unit, context, actor, typed, walk_open=True)
    elif reply.kind == "why":
        show(unit, here, why=position.question is not None, below=True)
    elif reply.kind == "question" or (not takes_text and replies.small_talk(typed.text)):
        advice.ask(unit, context, actor, typed, walk_open=True)
    elif reply.kind == "text":
        _answer_in_words(unit, context, actor, here, typed)
    elif position.live and position.live[-1][1].text == typed.text:
        # A client that lost its connection may send the same words again, as a new update.
        show(unit, here, text_of("walk.typed_twice"), below=True)
    else:
        show(
            unit,
            here,
            text_of("walk.notes.not_an_answer") if takes_text else text_of("walk.notes.not_understood"),
            below=True,
        )


def _reply_to_emergency(unit: Unit, context: Context, actor: Actor, here: Loaded, typed: Typed) -> None:
    """Take typed words at the card of an emergency as one of its buttons; anything else shows the card again."""
    if typed.looked.kinds:
        typed_text.delete_from_chat(unit, actor.chat_id, typed.message_id)
        show(unit, here, refusals.refusal(IdentifierFound(tuple(dict.fromkeys(typed.looked.kinds)))), below=True)
        return
    meant = replies.of_emergency(typed.text, more_danger=typed.is_danger)
    if meant:
        walk.carry_out(unit, context, actor, here, f"!{meant}", text_of(f"emergency.buttons.{meant}"))
    else:
        show(unit, here, text_of("emergency.which"), below=True)


def _after_danger(here: Loaded, choices: list[Choice]) -> str:
    """Return what to say above the card once danger was answered; at the question about danger, which buttons may be meant."""
    position = here.position
    if position.question is None or position.question.id != position.flow.roles.question("emergency"):
        return text_of("walk.notes.still_open")
    names = [choice.label for choice in choices if choice.is_answer]
    return text_of("walk.notes.which_one", names=text_of("walk.notes.or").join(f"“{name}”" for name in names))


#: The words of a plain no.
_PLAIN_NO = frozenset(
    """them nobodys hurt injured no nope nah na none nobody nothing not of these that neither one is in danger harm harmed crime
    abuse at risk safe fine all ok everyone everything here like to thing a any the there its im for as far i know were we they
    good never been emergency an urgent suffering home child kids ta thanks pal mate cheers aye sure""".split()  # noqa: SIM905
)


def _hides_harm(here: Loaded, choice: Choice, said: str) -> bool:
    """Return whether a no to the question about danger says more than no, such as "not now, it is slow": that is asked about."""
    question = here.position.question
    roles = here.position.flow.roles
    at_first = question is not None and question.id == roles.question("emergency")
    is_no = choice.act in here.position.together and choice.act.endswith(".none")
    return at_first and is_no and bool(set(said.split()) - _PLAIN_NO)


def _would_say_more(here: Loaded, choice: Choice, said: str) -> bool:
    """Return whether a button says that the points on how to share are done, and the typed words do not say so."""
    answers = here.position.together.get(choice.act, ())
    asked = here.position.flow.questions.get(split(answers[0])[0]) if answers else None
    return asked is not None and asked.kind == Kind.HOW and not DONE.search(said)


def _answer_in_words(unit: Unit, context: Context, actor: Actor, here: Loaded, typed: Typed) -> None:
    """Save typed words as the answer to the open question, if they may be stored."""
    position = here.position
    takes_more = position.question is not None and position.question.text == "optional"
    if takes_more and position.live and position.live[-1][1].text == typed.text:
        # A client that lost its connection may send the same words again, as a new update.
        show(unit, here, text_of("walk.typed_twice"), below=True)
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
        show(unit, refused, below=True, override=override)
        return
    if screened is None:
        show(unit, here, text_of("walk.notes.no_reference"), below=True)
        return
    trigger = f"{position.state}.text"
    changed = navigation.choose(position.machine, here.walk, trigger, context.now(), screened)
    event = {
        "act": trigger, "text": screened.text, "said_not_a_person": screened.said_not_a_person,
        "message_id": typed.message_id, **({"said_a_reference": 1} if screened.said_a_reference else {}),
    }  # fmt: skip
    drawn = Drawn(below=True)
    keep(unit, context, actor, here, changed, event, drawn)


def unreadable(unit: Unit, context: Context, actor: Actor, typed: Typed, album: str = "") -> None:
    """Delete a photo, voice message or file without reading it, and say so. Answer an album once."""
    outbox.enqueue(unit, actor.chat_id, "delete", {"message_id": typed.message_id})
    words = text_of("walk.unreadable")
    if album:
        # Further parts of the album edit this message, which changes nothing.
        outbox.enqueue(unit, actor.chat_id, "card", plain(words).payload(), f"album:{actor.chat_id}:{album[:40]}")
    else:
        say(unit, actor.chat_id, plain(words))
    here = open_in(unit, context, actor.chat_id)
    if here:
        show(unit, here, below=True)
