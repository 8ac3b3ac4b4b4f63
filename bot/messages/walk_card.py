"""Values -> messages: text in Telegram's HTML, rows of buttons. Pure. The only place where text is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.record import answer_label
from bot.messages.callback_data import Button, handle_of
from flows import since
from flows.advice import Answer, Topic
from flows.catalogue import Book
from flows.definition import Edition, Question
from flows.invariants import present
from flows.machine import CHECK, OUTCOME, PAUSED, split
from flows.navigation import Position, changeable, pending_change
from flows.screening import PERSON, IdentifierFound, NotScreened, ScreeningFailed
from flows.second_opinion import asked_at
from storage.conversations import Open
from storage.local_contacts import NAMES as LOCAL_NAMES
from storage.questions import Counted
from storage.records import Stored

LONDON = ZoneInfo("Europe/London")
#: What fits beside others in one row on a phone.
SHORT = 14
LONGEST = 4096

STRENGTH = {
    "must": "The advice says must.",
    "should": "The advice says should.",
    "good_practice": "The advice calls it good practice.",
    "may": "The advice says you may.",
    "instruction": "The advice says to do this.",
    "statement": "",
}
NO_NAMES = "No names, please. Say “the child” or “the parent”."
NOT_ENCRYPTED = "This chat is not end-to-end encrypted."


@dataclass(frozen=True)
class Message:
    """A message ready to go: HTML text and rows of (label, data)."""

    text: str
    buttons: tuple[tuple[tuple[str, str], ...], ...] = ()

    def payload(self, **more: Any) -> dict[str, Any]:
        """Return the message as the outbox keeps it."""
        return {"text": self.text, "buttons": [[list(button) for button in row] for row in self.buttons], **more}


def without_buttons(message: Message) -> Message:
    """Return a message as it is shown where buttons would be for everybody."""
    return Message(message.text)


def escape(text: str) -> str:
    """Make any text safe inside Telegram's HTML."""
    return html.escape(text, quote=False)


def units(text: str) -> int:
    """Return the length of a text as Telegram counts it: UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def bold(text: str) -> str:
    """Return text in bold, escaped."""
    return f"<b>{escape(text)}</b>"


def italic(text: str) -> str:
    """Return text in italics, escaped."""
    return f"<i>{escape(text)}</i>"


def rows(buttons: Iterable[tuple[str, str]]) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Lay out buttons: short ones side by side (three at most), long ones on their own."""
    found: list[list[tuple[str, str]]] = []
    for button in buttons:
        beside = found and len(found[-1]) < 3 and all(len(label) <= SHORT for label, _ in (*found[-1], button))
        if beside:
            found[-1].append(button)
        else:
            found.append([button])
    return tuple(tuple(row) for row in found)


def time_of(at: str) -> str:
    """Return a stored time as people in England read it."""
    moment = datetime.fromisoformat(at).astimezone(LONDON)
    return moment.strftime("%d %B %Y, %H:%M").lstrip("0")


def cite(edition: Edition, passage_id: str) -> str:
    """Return where a passage stands: edition, section, place."""
    passage = edition.passages[passage_id]
    return f"{edition.published[:4]} advice, {passage.section}, {passage.where}"


def passage_line(edition: Edition, passage_id: str) -> str:
    """Return a passage: its title, our wording, the advice's strength, its source."""
    passage = edition.passages[passage_id]
    source = f"{STRENGTH[passage.strength]} Source: {cite(edition, passage_id)}.".strip()
    return f"{bold(passage.title)}\n{escape(passage.text)}\n{italic(source)}"


# ---- one card of a conversation -----------------------------------------------------------------
class Card:
    """Draws the card of one conversation at one revision."""

    def __init__(self, book: Book, loaded: Open, position: Position, can_ask_team: bool = False) -> None:
        self.edition, self.loaded, self.position = book.edition, loaded, position
        self.can_ask_team = can_ask_team

    def button(self, label: str, act: str) -> tuple[str, str]:
        """Return a button that carries the conversation's handle and revision."""
        return label, Button(act, handle_of(self.loaded.id), self.loaded.revision).encode()

    def draw(
        self, notice: str = "", why: bool = False, changes: bool = False, override: str = "", undo: bool = False
    ) -> Message:
        """Return the card as it stands; `why` opens the help, `changes` the list of answers that can be changed.

        `override` lets the person say that what was seen is not what it seems: "!notaperson" or "!areference".
        `undo` offers to take back what typed words were taken for.
        """
        if self.position.walk.pending:
            message = self._confirm_change()
        elif changes and self.position.state == CHECK:
            message = self._changes()
        elif self.position.state == CHECK:
            message = self._check()
        elif self.position.state.startswith(OUTCOME):
            message = self._outcome()
        else:
            message = self._question(why)
        text = f"{bold('Please note.')} {escape(notice)}\n\n{message.text}" if notice else message.text
        first = ((self.button(OVERRIDES[override], override),),) if override else ()
        if undo and not self.position.is_finished:
            first = (*first, (self.button("Undo", "!back"),))
        return Message(text, (*first, *message.buttons))

    # ---- questions ----------------------------------------------------------------------------
    def _question(self, why: bool) -> Message:
        question = present(self.position.question, "every other state has its own card")
        lines = [italic(self._progress(question)), bold(question.label)]
        note = self._note()
        if note:
            lines.insert(0, escape(note))
        if self.position.is_paused:
            lines.append(self._paused_text())
        if self.position.takes_text:
            ask = "Choose one, or type your own words." if question.options else "Type your answer."
            lines.append(escape(ask if "names" in question.label else f"{ask} {NO_NAMES}"))
        earlier = self._earlier(question)
        if earlier:
            lines.append(escape(f"Your earlier answer: {earlier}"))
        if why:
            lines.append(f"{bold('Why this question?')} {escape(question.why)}")
            lines += [passage_line(self.edition, cite_id) for cite_id in question.cites]
        else:
            lines.append(self._source(question))
        return Message("\n\n".join(lines), (*rows(self._answers(question)), *self._foot(why)))

    def _progress(self, question: Question) -> str:
        number, most = self.position.number_of(question.kind)
        if self.position.is_changing:
            return "Change your answer"
        if question.id == self.position.machine.bulk:
            return "A question about scope"
        if question.kind == "screen":
            return f"Safety check {number} of at most {most}"
        if question.kind == "question":
            return f"Question {number} of at most {most}"
        if question.kind == "how":
            return f"How to share, point {number} of 5"
        if question.kind == "recording":
            return f"For the record, {number} of at most {most}"
        return "A little more on this"

    def _note(self) -> str:
        """What the last answer calls for at once, for example procedures after a harm concern."""
        if not self.position.live or self.position.is_changing:
            return ""
        state, answer = self.position.live[-1]
        question = self.position.flow.questions.get(state)
        option = question.option(answer.verb) if question else None
        return option.note if option else ""

    def _earlier(self, question: Question) -> str:
        walk = self.position.walk
        answer = walk.answers.get(question.id) if self.position.is_changing else walk.offered.get(question.id)
        if answer is None or answer.verb in ("skip", "finish"):
            return ""
        option = question.option(answer.verb)
        return answer.text or (option.label if option else "")

    def _paused_text(self) -> str:
        duty = self.edition.duties[self.edition.roles.duty("seek_advice")].text
        record = self.edition.duties[self.edition.roles.duty("record_advice_outcome")].text
        return (
            f"{escape('You are not sure. That is not a no.')}\n{escape(duty)} {escape(record)}\n"
            f"{escape('This waits here for you, for days if need be. Come back and answer, or record it as it is.')}"
        )

    def _source(self, question: Question) -> str:
        where = cite(self.edition, question.cites[0])
        said = "The advice’s own words" if question.quoted else "Our words"
        return italic(f"{said}. Source: {where}.")

    def _answers(self, question: Question) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for trigger in self.position.offered:
            state, verb = split(trigger)
            option = question.option(verb)
            if state.endswith(PAUSED):
                found.append(self.button("Record it: I am getting advice", trigger))
            elif option:
                found.append(self.button(option.label, trigger))
            elif verb == "skip":
                found.append(self.button("Skip", trigger))
            elif verb == "finish":
                found.append(self.button("Leave out the rest", trigger))
        offered = self.position.walk.offered.get(question.id)
        if offered and offered.text and self.position.takes_text and not self.position.is_changing:
            found.append(self.button("Use my earlier answer", "!earlier"))
        return found

    def _foot(self, why: bool) -> tuple[tuple[tuple[str, str], ...], ...]:
        question = self.position.question
        help_button = self.button("Hide help", "!hide") if why else self.button("Why this question?", "!why")
        middle = [help_button]
        if question and question.kind == "question" and not self.position.is_changing:
            middle.append(self.button("Bulk exchange?", "!bulk"))
        decides = self.position.state == self.edition.roles.question("decision")
        if decides or (question and question.kind not in ("recording", "how")):
            middle += self._ask_team()
        last = [self.button("Back", "!back")] if self._can_go_back() else []
        last.append(self.button("Cancel", "!cancel"))
        return tuple(row for row in (tuple(middle), tuple(last), self._emergency_row()) if row)

    def _ask_team(self) -> list[tuple[str, str]]:
        offered = self.can_ask_team and not self.position.is_changing and asked_at(self.position) is not None
        return [self.button("Ask the team", "!opinion")] if offered else []

    def _can_go_back(self) -> bool:
        return bool(self.position.live or self.position.walk.interrupt) or self.position.is_changing

    def _emergency_row(self) -> tuple[tuple[str, str], ...]:
        if self.position.state.removesuffix(PAUSED) == self.edition.roles.question("emergency"):
            return ()
        return (self.button("Emergency: danger now", "!emergency"),)

    # ---- outcome, check, change, end ------------------------------------------------------------
    def _outcome(self) -> Message:
        outcome = present(self.position.outcome, "the state is an outcome")
        lines = [italic("What the guidance points to"), bold(outcome.title), escape(outcome.body)]
        lines += [*_since(self.edition, self.edition.roles.outcome_role(outcome.id)), self._duties()]
        lines.append(self._citations())
        lines.append(f"{escape('You decide. Next: what to record.')}\n{italic(self.edition.banner)}")
        buttons = [self.button("Next", self.position.offered[0]), self.button("Back", "!back"), *self._ask_team()]
        return Message("\n\n".join(lines), (*rows(buttons), self._emergency_row()))

    def _duties(self) -> str:
        texts = [self.edition.duties[key] for key in self.position.duties]
        lines = [f"• {escape(duty.text)} {italic(STRENGTH[duty.strength])}".rstrip() for duty in texts]
        return bold("What goes with it") + "\n" + "\n".join(lines)

    def _citations(self) -> str:
        outcome = self.position.outcome
        cites = outcome.cites if outcome else ()
        return italic("Source: " + "; ".join(cite(self.edition, key) for key in cites) + ".")

    def _check(self) -> Message:
        outcome = self.position.outcome
        lines = [italic("Check your answers"), self._answer_list()]
        if outcome:
            lines.append(f"{escape('The guidance points to:')} {bold(outcome.title)}")
        if outcome and outcome.implies and not self.position.taken.asked("decision"):
            option = self.position.flow.questions[self.edition.roles.question("decision")].option(outcome.implies)
            lines.append(escape(f"It is recorded as: {option.label if option else outcome.implies}."))
        reached = self.edition.roles.outcome_role(outcome.id) if outcome else None
        lines += _since(self.edition, reached, self.position.taken.chosen("decision"))
        lines.append(escape("Saved records never change. You can add a note later."))
        buttons = [
            self.button("Save the record", f"{CHECK}.confirm"),
            self.button("Change an answer", "!changes"),
            *self._ask_team(),
            self.button("Back", "!back"),
            self.button("Cancel", "!cancel"),
        ]
        return Message("\n\n".join(lines), (*rows(buttons), self._emergency_row()))

    def _answer_list(self) -> str:
        lines: list[str] = []
        budget = 2600
        for state in changeable(self.position):
            label = self.position.flow.questions[state].label
            said = answer_label(self.position, state) or "left out"
            short = said if len(said) <= 160 else said[:159] + "…"
            line = f"• {escape(label)}\n  {bold(short)}"
            budget -= len(line)
            if budget < 0:
                lines.append(escape("• … and more. All of it goes into the record."))
                break
            lines.append(line)
        return "\n".join(lines)

    def _changes(self) -> Message:
        found: list[tuple[str, str]] = []
        for state in changeable(self.position):
            said = answer_label(self.position, state) or "left out"
            label = self.position.flow.questions[state].label
            text = f"{_cut(label, 40)}: {_cut(said, 18)}"
            found.append(self.button(text, f"!change.{state}"))
        buttons = (*((button,) for button in found), (self.button("Back to my answers", "!hide"),))
        return Message(bold("Which answer do you want to change?"), (*buttons, self._emergency_row()))

    def _confirm_change(self) -> Message:
        walk, flow = self.position.walk, self.position.flow
        change = present(pending_change(self.position.machine, walk), "the walk says that one is waiting")
        lines = [bold("This change has effects."), escape("These answers would no longer apply:")]
        lines.append("\n".join(f"• {escape(flow.questions[state].label)}" for state in change.dropped))
        lines.append(escape("You will be asked what is still needed. Your earlier answers are offered again."))
        buttons = (
            (self.button("Change it", "!confirm"),),
            (self.button("Keep it as it was", "!back"),),
            self._emergency_row(),
        )
        return Message("\n\n".join(lines), buttons)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _since(edition: Edition, outcome: str | None, decision: str | None = None) -> list[str]:
    """What is reported of the law since the edition, where an ending must not stand without it."""
    said = since.said_of(edition, outcome, decision)
    return [bold(said)] if said else []


def saved(stored: Stored, edition: Edition) -> Message:
    """Return the card of a conversation that has ended, drawn from its record alone: whoever sees it, it is stored."""
    content, reference = stored.content, stored.clear["reference"]
    outcome, duties, banner = content["outcome"], content["duties"], edition.banner
    lines = [bold(outcome["title"]), escape(outcome["text"])]
    lines += _since(edition, stored.clear["outcome"], stored.clear["decision"])
    lines.append(bold("What goes with it") + "\n" + "\n".join(f"• {escape(duty['text'])}" for duty in duties))
    filed = f" for case {content['case_reference']}" if content["case_reference"] else ""
    lines.append(
        bold(f"Saved. Record {reference}{filed}.") + "\n" + escape("Put the reference into your own case system.")
    )
    lines.append(italic(banner))
    found = [
        ("Show the record", Button(f"record.{reference}").encode()),
        ("Add a note", Button(f"note.{reference}").encode()),
    ]
    if stored.clear["outcome"] != "emergency":
        found.append(("Ask the team", Button(f"opinion.{reference}").encode()))
    found.append(("Who has read it", Button(f"readers.{reference}").encode()))
    if stored.clear["outcome"] in ("emergency", "out_of_scope") and len(content["questions"]) > 1:
        found.append(("Go on with my questions", Button(f"resume.{reference}").encode()))
    if any(duty["id"] == edition.roles.duty("use_sharing_flow") for duty in duties):
        found.append(("Go to the sharing questions", Button("start.sharing").encode()))
    found.append(("Start again", Button(f"start.{stored.clear['flow']}").encode()))
    again = (("Emergency: danger now", Button(f"emergency.{reference}").encode()),)
    return Message("\n\n".join(lines), (*rows(found), again))


# ---- messages outside a conversation -------------------------------------------------------------
EMERGENCY_ROW = ((("Emergency: danger now", Button("emergency").encode()),),)


def welcome(edition: Edition) -> Message:
    """Return what /start says: what this is and is not."""
    lines = [
        bold("Sharewise: should I pass this on?"),
        escape(
            "I take you through the HM Government advice on sharing information to keep children safe. You decide. "
            "I show what the advice says, and keep a record of your decision."
        ),
        "\n".join(
            f"• {escape(line)}"
            for line in (
                "A child in danger now? Call 999 first.",
                f"{edition.banner} The advice is not a law.",
                f"{NOT_ENCRYPTED} Never type a name, a date of birth or an address. Use a case reference.",
                "Ask me anything about sharing in your own words. Type /help to see what else I can do.",
            )
        ),
    ]
    return Message("\n\n".join(lines))


def privacy() -> Message:
    """Return the privacy notice."""
    lines = [
        bold("Privacy"),
        "\n".join(
            f"• {escape(line)}"
            for line in (
                f"{NOT_ENCRYPTED} Telegram and the organisation that runs this bot can read it.",
                "Your Telegram number, role and team are kept, so that only members can use the bot.",
                "When you ask your team, the card shows your tapped answers, never what you typed, but for one sentence if you add "
                "it. Opinions are sealed until the request closes. Then they go into the record.",
                "Your answers, their times and your reasons are kept in the decision record, sealed with a key that is "
                "kept apart from the database.",
                "Typed words are checked for names, numbers and addresses. If something is found, nothing of it is kept. "
                "The check does not find every name.",
                "Questions you ask are not kept. Only one that I could not answer is kept, sealed and without who asked, "
                "so that supervisors see what people need.",
                "A deleted message may still be on other devices and on Telegram's servers.",
                "How long records are kept, and requests to see or erase them: ask the organisation that runs this bot. It "
                "keeps a record only as long as law and its policy allow.",
            )
        ),
    ]
    return Message("\n\n".join(lines))


def rules(edition: Edition) -> Message:
    """Return the seven golden rules, each with its source."""
    lines = [bold("The seven golden rules"), italic(edition.banner)]
    for key in edition.roles.rules:
        passage = edition.passages[key]
        lines.append(f"{bold(passage.title)}\n{escape(passage.text)}")
    lines.append(
        italic(f"In our words. Source: {cite(edition, edition.roles.rules[0]).rsplit(',', 1)[0]}. {edition.law_note}")
    )
    return Message("\n\n".join(lines))


def stranger() -> Message:
    """Return the one answer that people who are not members get."""
    return Message(escape("This bot is for members only. If a child is in danger, call 999."))


def paused(reason: str) -> Message:
    """Return what members get while the bot is stopped."""
    lines = [bold("Sharewise is stopped for now."), escape(f"{reason} Nothing you send is kept until it goes on.")]
    lines.append(escape(DANGER))
    return Message("\n\n".join(lines), EMERGENCY_ROW)


def failed() -> Message:
    """Return what a member gets when an update of theirs is parked: they must not believe that it counted."""
    lines = [
        bold("Something went wrong on our side."),
        escape(
            "Your last message or tap could not be handled. It does not count. The people who run this bot can see that."
        ),
        escape("Please look at your open questions and do it again. If it fails again, decide without this bot."),
        escape(DANGER),
    ]
    return Message("\n\n".join(lines), EMERGENCY_ROW)


def not_your_role() -> Message:
    """Return what a member gets who asks for what their role may not do."""
    return Message(escape("Your role does not allow this. Ask your administrator."))


#: How each kind of identifier is called, and how to say it instead.
KINDS = {
    "nhs_number": ("an NHS number", "a case reference"),
    "nino": ("a National Insurance number", "a case reference"),
    "upn": ("a pupil number", "a case reference"),
    "phone": ("a phone number", "“the family’s number is on file”"),
    "email": ("an e-mail address", "“by secure e-mail”"),
    "postcode": ("a postcode", "“the home” or “the area”"),
    "address": ("an address", "“the home”"),
    "date_of_birth": ("a date of birth", "an age, for example “aged 9”"),
    "url": ("a web address", "what it is about"),
    "handle": ("an account name", "“an account on social media”"),
    PERSON: ("a person’s name", "“the child”, “the parent” or “a colleague”"),
}


#: What a person may say of something that was taken for an identifier.
OVERRIDES = {"!notaperson": "It is not a person", "!areference": "It is a case reference"}


def override_for(error: NotScreened, *, is_reference: bool) -> str:
    """Return what the person may say of what was seen; nothing where it cannot be anything else."""
    if is_reference and isinstance(error, IdentifierFound) and set(error.kinds) <= {PERSON, "nhs_number"}:
        return "!areference"
    return "!notaperson" if is_name_only(error) and not is_reference else ""


def is_name_only(error: NotScreened) -> bool:
    """Say whether nothing but names was found, so that the person may know better."""
    return isinstance(error, IdentifierFound) and error.kinds == (PERSON,)


def kinds_seen(error: IdentifierFound) -> str:
    """Name the kinds of identifiers that were seen, never the identifiers."""
    return " and ".join(KINDS[kind][0] for kind in error.kinds)


def refusal(error: NotScreened, kept_out: str = "Nothing was saved.") -> str:
    """Say why typed words were not kept: the kind of identifier, never the identifier itself; and what to say instead."""
    if isinstance(error, ScreeningFailed):
        return f"Your words could not be checked for names and numbers. {kept_out} Please try again later."
    if not isinstance(error, IdentifierFound):
        return f"{error} {kept_out} Please say it in fewer words."
    seen = kinds_seen(error)
    instead = "; ".join(f"for {KINDS[kind][0]} say {KINDS[kind][1]}" for kind in error.kinds)
    return f"That looks like it holds {seen}. {kept_out} Please leave it out: {instead}."


def could_not_delete() -> Message:
    """Return what is said when a message with an identifier could not be taken out of the chat."""
    return Message(escape("I could not take your message out of the chat. Please delete it yourself."))


def unknown_command(text: str) -> Message:
    """Return what is said of a command that is not known: with the emergency button, as it may have been meant."""
    return Message(f"{escape(text)} {escape(DANGER)}", EMERGENCY_ROW)


def limited() -> Message:
    """Return what somebody gets whose messages come faster than they can be handled."""
    words = "That is more than I can take in at once. What you send in the next minute is not handled. Wait a little, then go on."
    return Message(f"{escape(words)} {escape(DANGER)}", EMERGENCY_ROW)


def plain(text: str, *buttons: tuple[str, str]) -> Message:
    """Return a short message of ours, with buttons that belong to no conversation."""
    return Message(escape(text), rows((label, Button(act).encode()) for label, act in buttons))


def record_list(records: list[Stored]) -> Message:
    """Return a person's own records, newest first."""
    if not records:
        return plain("You have no decision records yet.", ("Start the questions", "start.sharing"))
    found = [
        (
            f"{r.clear['reference']} {time_of(r.clear['finished_at'])[:-7]}",
            Button(f"record.{r.clear['reference']}").encode(),
        )
        for r in records
    ]
    return Message(bold("Your decision records, newest first"), tuple((button,) for button in found))


def pages(blocks: list[str]) -> list[str]:
    """Lay out blocks on as few messages as Telegram's limit allows."""
    pages = [""]
    for block in blocks:
        joined = f"{pages[-1]}\n\n{block}" if pages[-1] else block
        if units(joined) > LONGEST - 200:
            pages.append(block)
        else:
            pages[-1] = joined
    return pages


# ---- quick advice --------------------------------------------------------------------------------
DANGER = "If a child is in danger now, or a crime may have been committed: call 999 now, or 101 if it is not urgent."
NOT_A_DECISION = "This is what the advice says. You decide."


@dataclass(frozen=True)
class Article:
    """One thing that inline mode offers to post: its title, what it is about, and the message."""

    id: str
    title: str
    about: str
    message: Message


def danger_first(edition: Edition) -> Message:
    """Return the card that comes before every other answer when a text speaks of danger, abuse told or a crime."""
    lines = [
        bold("A child in danger comes first."),
        escape(DANGER),
        passage_line(edition, edition.roles.passage("emergency")),
    ]
    return Message("\n\n".join(lines), EMERGENCY_ROW)


def danger_article(edition: Edition) -> Article:
    """Return the emergency line as inline mode offers it."""
    return Article("danger", "A child in danger now? Call 999", DANGER, Message(danger_first(edition).text))


def _shortcuts(found: Answer) -> list[str]:
    if not found.shortcuts:
        return []
    return [italic(" ".join(f"{shortcut.written} means {shortcut.means}." for shortcut in found.shortcuts))]


def _law(book: Book, passage_ids: Iterable[str], on_law: frozenset[str]) -> list[str]:
    return [escape(book.edition.law_note)] if on_law & set(passage_ids) else []


def _related(book: Book, passage_ids: Iterable[str]) -> list[tuple[str, str]]:
    """The first question of a flow that rests on one of these passages."""
    for passage_id in passage_ids:
        for flow_id in sorted(book.machines, reverse=True):
            for question in book.machines[flow_id].flow.questions.values():
                if passage_id in question.cites and question.kind in ("screen", "question"):
                    return [("See the question on this", Button(f"about.{flow_id}.{question.id}").encode())]
    return []


def _after_answer(book: Book, passage_ids: list[str]) -> tuple[tuple[tuple[str, str], ...], ...]:
    found = _related(book, passage_ids)
    found.append(("Start the sharing questions", Button("start.sharing").encode()))
    found.append(("This did not help", Button(f"nohelp.{passage_ids[0]}").encode()))
    return (*rows(found), *EMERGENCY_ROW)


def advice(book: Book, found: Answer, on_law: frozenset[str]) -> Message:
    """Return an answer: up to three passages, strongest first, each with its source."""
    ids = [hit.passage for hit in found.passages]
    lines = [italic("What the advice says, in our words"), *_shortcuts(found)]
    lines += [passage_line(book.edition, passage_id) for passage_id in ids]
    lines += [*_law(book, ids, on_law), f"{escape(NOT_A_DECISION)}\n{italic(book.edition.banner)}"]
    return Message("\n\n".join(lines), _after_answer(book, ids))


def closest(book: Book, found: Answer) -> Message:
    """Return the closest passages as buttons, for a question that none answers for certain."""
    lines = [bold("I am not sure what answers this."), *_shortcuts(found)]
    lines.append(escape("These passages of the advice are closest. Tap one, or ask in other words."))
    passages = [
        (_cut(book.edition.passages[hit.passage].title, 60), Button(f"passage.{hit.passage}").encode())
        for hit in found.passages
    ]
    last = [("Start the sharing questions", Button("start.sharing").encode())]
    last.append(("None of these", Button(f"nohelp.{found.passages[0].passage}").encode()))
    return Message("\n\n".join(lines), (*((button,) for button in passages), *rows(last), *EMERGENCY_ROW))


def one_passage(book: Book, passage_id: str, on_law: frozenset[str]) -> Message:
    """Return one passage with its source."""
    lines = [passage_line(book.edition, passage_id), *_law(book, [passage_id], on_law)]
    lines.append(f"{escape(NOT_A_DECISION)}\n{italic(book.edition.banner)}")
    return Message("\n\n".join(lines), _after_answer(book, [passage_id]))


def not_covered(book: Book, found: Answer, local: dict[str, str]) -> Message:
    """Say that the edition does not cover a question, what is near, and who to ask."""
    year = book.edition.published[:4]
    topic = f" It does not cover this: {found.topic.title}." if found.topic and found.topic.title else ""
    lines = [bold(f"The {year} advice does not answer this."), *_shortcuts(found)]
    lines.append(escape(f"I do not guess.{topic} {_ask_whom(local)}"))
    near = [key for key in (found.topic.near if found.topic else ()) if key in book.edition.passages]
    if near:
        lines.append(escape("This is near:"))
    buttons = [(_cut(book.edition.passages[key].title, 60), Button(f"passage.{key}").encode()) for key in near]
    last = [("Who to call here", Button("local").encode())]
    last.append(("Start the sharing questions", Button("start.sharing").encode()))
    return Message("\n\n".join(lines), (*((button,) for button in buttons), *rows(last), *EMERGENCY_ROW))


def _ask_whom(local: dict[str, str]) -> str:
    number = f" The day number here is {local['day_number']}." if "day_number" in local else ""
    return f"Ask your safeguarding lead or your manager.{number}"


def about(book: Book, flow: str, question: Question) -> Message:
    """Return a question of a flow, why it is asked and what it rests on."""
    lines = [italic(f"A question of: {book.machine(flow).flow.title}"), bold(question.label), escape(question.why)]
    lines += [passage_line(book.edition, passage_id) for passage_id in question.cites]
    lines.append(italic(book.edition.banner))
    return Message(
        "\n\n".join(lines), (*rows([("Start these questions", Button(f"start.{flow}").encode())]), *EMERGENCY_ROW)
    )


def who_to_ask(local: dict[str, str]) -> Message:
    """Return what is said when an answer did not help."""
    text = f"Thank you. It was counted, without your name. {_ask_whom(local)} You can also ask in other words."
    return plain(text, ("Who to call here", "local"), ("Start the sharing questions", "start.sharing"))


def article(book: Book, passage_id: str, on_law: frozenset[str]) -> Article:
    """Return a passage as inline mode offers it: what is posted holds the passage and its source, nothing else."""
    passage = book.edition.passages[passage_id]
    lines = [passage_line(book.edition, passage_id), *_law(book, [passage_id], on_law), italic(book.edition.banner)]
    return Article(passage_id, passage.title, _cut(passage.text, 120), Message("\n\n".join(lines)))


def local_route(local: dict[str, str]) -> Message:
    """Return the local route as it was set; what is not set is said to be not set."""
    lines = [bold("Who to call here"), escape("Danger now: 999. Police, not urgent: 101.")]
    said = [
        f"• {escape(words)}: {escape(local[name]) if name in local else 'not set'}"
        for name, words in LOCAL_NAMES.items()
    ]
    lines.append("\n".join(said))
    if len(local) < len(LOCAL_NAMES):
        lines.append(escape("What is not set here, ask your safeguarding lead. I never guess a number."))
    return Message("\n\n".join(lines), EMERGENCY_ROW)


def unanswered(found: list[Counted], topics: Mapping[str, Topic]) -> Message:
    """Return what people asked without getting help, most often first, without who asked."""
    if not found:
        return plain("No question has gone unanswered yet.")
    lines = [bold("Questions that got no answer or no help, most often first")]
    for counted in found:
        topic = topics[counted.subject].title if counted.subject in topics else counted.subject
        words = counted.question or ("Did not help" if counted.kind == "did_not_help" else "Further questions")
        lines.append(f"• {counted.times} × {escape(_cut(words, 120))} {italic(topic)}")
    return Message(pages(["\n".join(lines[:1]), *lines[1:]])[0])
