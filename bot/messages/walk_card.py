"""The card of a conversation at one revision: question, outcome, check of the answers, change; and of its saved record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.check import Doubt, doubts
from bot.domain.ending import CARE, Ending, ending_of
from bot.domain.record import answer_label
from bot.messages.callback_data import START, Button, handle_of
from bot.messages.citations import cite, passage_line, strength_of
from bot.messages.message import Message, Rows, bold, bullets, code, cut, escape, italic, rows, time_of
from bot.messages.notices import numbers
from bot.messages.record_cards import case_words
from bot.messages.refusals import override_label
from bot.messages.texts import text_of
from flows import since
from flows.catalogue import Book
from flows.definition import Edition, Kind, Question
from flows.invariants import present
from flows.machine import CHECK, OUTCOME, PAUSED, split
from flows.navigation import Position, changeable, pending_change
from flows.second_opinion import asked_at
from storage.conversations import Open
from storage.records import Stored, case_of

#: How many characters the list of answers may take before it is cut.
LONGEST_LIST = 2600
#: How many answers the check points to at once.
MOST_DOUBTS = 4


class Card:
    """Draws the card of one conversation at one revision."""

    def __init__(self, book: Book, loaded: Open, position: Position, can_ask_team: bool = False) -> None:
        self.edition, self.loaded, self.position = book.edition, loaded, position
        self.can_ask_team = can_ask_team

    def button(self, label: str, act: str) -> tuple[str, str]:
        """Return a button that carries the conversation's handle and revision."""
        return label, Button(act, handle_of(self.loaded.id), self.loaded.revision).encode()

    def _button(self, name: str, act: str) -> tuple[str, str]:
        return self.button(text_of(f"walk.buttons.{name}"), act)

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
        text = f"{bold(text_of('walk.please_note'))} {escape(notice)}\n\n{message.text}" if notice else message.text
        first = ((self.button(override_label(override), override),),) if override else ()
        if undo and not self.position.is_finished:
            first = (*first, (self._button("undo", "!back"),))
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
            ask = text_of("walk.choose_or_type" if question.options else "walk.type")
            lines.append(escape(ask if "names" in question.label else f"{ask} {text_of('no_names')}"))
        earlier = self._earlier(question)
        if earlier:
            lines.append(escape(text_of("walk.earlier", answer=earlier)))
        if why:
            lines.append(f"{bold(text_of('walk.buttons.why'))} {escape(question.why)}")
            lines += [passage_line(self.edition, cite_id) for cite_id in question.cites]
        else:
            lines.append(self._source(question))
        return Message("\n\n".join(lines), (*rows(self._answers(question)), *self._foot(why)))

    def _progress(self, question: Question) -> str:
        number, most = self.position.number_of(question.kind)
        if self.position.is_changing:
            return text_of("walk.progress.changing")
        if question.id == self.position.machine.bulk:
            return text_of("walk.progress.bulk")
        return text_of(f"walk.progress.{question.kind}", number=number, most=most)

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
        return "\n".join(map(escape, (text_of("walk.not_sure"), f"{duty} {record}", text_of("walk.waits"))))

    def _source(self, question: Question) -> str:
        said = text_of("walk.quoted" if question.quoted else "walk.our_words")
        return italic(f"{said} {text_of('source', source=cite(self.edition, question.cites[0]))}")

    def _answers(self, question: Question) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for trigger in self.position.offered:
            state, verb = split(trigger)
            option = question.option(verb)
            if state.endswith(PAUSED):
                found.append(self._button("getting_advice", trigger))
            elif option:
                found.append(self.button(option.label, trigger))
            elif verb in ("skip", "finish"):
                found.append(self._button(verb, trigger))
        offered = self.position.walk.offered.get(question.id)
        if offered and offered.text and self.position.takes_text and not self.position.is_changing:
            found.append(self._button("earlier", "!earlier"))
        return found

    def _foot(self, why: bool) -> Rows:
        question = self.position.question
        middle = [self._button("hide", "!hide") if why else self._button("why", "!why")]
        if question and question.kind == Kind.QUESTION and not self.position.is_changing:
            middle.append(self._button("bulk", "!bulk"))
        decides = self.position.state == self.edition.roles.question("decision")
        if decides or (question and question.kind not in (Kind.RECORDING, Kind.HOW)):
            middle += self._ask_team()
        last = [self._button("back", "!back")] if self._can_go_back() else []
        last.append(self._button("cancel", "!cancel"))
        return tuple(row for row in (tuple(middle), tuple(last), self._emergency_row()) if row)

    def _ask_team(self) -> list[tuple[str, str]]:
        offered = self.can_ask_team and not self.position.is_changing and asked_at(self.position) is not None
        return [self._button("ask_team", "!opinion")] if offered else []

    def _can_go_back(self) -> bool:
        return bool(self.position.live or self.position.walk.interrupt) or self.position.is_changing

    def _emergency_row(self) -> tuple[tuple[str, str], ...]:
        if self.position.state.removesuffix(PAUSED) == self.edition.roles.question("emergency"):
            return ()
        return (self.button(text_of("emergency.button"), "!emergency"),)

    # ---- outcome, check, change, end ------------------------------------------------------------
    def _outcome(self) -> Message:
        outcome = present(self.position.outcome, "the state is an outcome")
        lines = [italic(text_of("outcome.title")), bold(outcome.title), escape(outcome.body)]
        lines += [*_since(self.edition, self.edition.roles.outcome_role(outcome.id)), self._duties()]
        lines.append(self._citations())
        lines.append(f"{escape(text_of('outcome.you_decide'))}\n{italic(self.edition.banner)}")
        buttons = [self._button("next", self.position.offered[0]), self._button("back", "!back"), *self._ask_team()]
        return Message("\n\n".join(lines), (*rows(buttons), self._emergency_row()))

    def _duties(self) -> str:
        texts = [self.edition.duties[key] for key in self.position.duties]
        lines = [
            f"• {escape(duty.text)} {italic(strength) if (strength := strength_of(duty.strength)) else ''}".rstrip()
            for duty in texts
        ]
        return "\n".join([bold(text_of("outcome.next_steps")), *lines])

    def _citations(self) -> str:
        outcome = self.position.outcome
        cites = outcome.cites if outcome else ()
        return italic(text_of("source", source="; ".join(cite(self.edition, key) for key in cites)))

    def _check(self) -> Message:
        outcome = self.position.outcome
        found = doubts(self.position, self.edition.roles)[:MOST_DOUBTS]
        lines = [italic(text_of("check.title")), *self._doubts(found), self._answer_list()]
        if outcome:
            lines.append(f"{escape(text_of('outcome.recommended'))} {bold(outcome.title)}")
        if outcome and outcome.implies and not self.position.taken.asked("decision"):
            option = self.position.flow.questions[self.edition.roles.question("decision")].option(outcome.implies)
            lines.append(escape(text_of("check.implied", decision=option.label if option else outcome.implies)))
        reached = self.edition.roles.outcome_role(outcome.id) if outcome else None
        lines += _since(self.edition, reached, self.position.taken.chosen("decision"))
        lines.append(escape(text_of("check.for_ever")))
        buttons = [
            self._button("save", f"{CHECK}.confirm"),
            self._button("changes", "!changes"),
            *self._ask_team(),
            self._button("back", "!back"),
            self._button("cancel", "!cancel"),
        ]
        again = [
            self.button(
                text_of("check.change", label=cut(self._label(doubt.question), 44)), f"!change.{doubt.question}"
            )
            for doubt in found
        ]
        return Message("\n\n".join(lines), (*((button,) for button in again), *rows(buttons), self._emergency_row()))

    def _label(self, state: str) -> str:
        return self.position.flow.questions[state].label

    def _doubts(self, found: tuple[Doubt, ...]) -> list[str]:
        """Return what deserves a second look: each answer, and those that it does not go with."""
        if not found:
            return []

        def said(state: str) -> str:
            return f"{self._label(state)} {cut(answer_label(self.position, state) or '', 80)}"

        def words(doubt: Doubt) -> str:
            first = said(doubt.question)
            return text_of("check.not_with", first=first, other=said(doubt.beside[0])) if doubt.beside else first

        return [f"{bold(text_of('check.look_again'))}\n{bullets(map(words, found))}"]

    def _answer_list(self) -> str:
        lines: list[str] = []
        budget = LONGEST_LIST
        for state in changeable(self.position):
            said = answer_label(self.position, state) or text_of("check.left_out")
            line = f"• {escape(self._label(state))}\n  {bold(cut(said, 160))}"
            budget -= len(line)
            if budget < 0:
                lines.append(escape(text_of("check.more")))
                break
            lines.append(line)
        return "\n".join(lines)

    def _changes(self) -> Message:
        found: list[tuple[str, str]] = []
        for state in changeable(self.position):
            said = answer_label(self.position, state) or text_of("check.left_out")
            text = f"{cut(self._label(state), 40)}: {cut(said, 18)}"
            found.append(self.button(text, f"!change.{state}"))
        buttons = (*((button,) for button in found), (self._button("back_to_answers", "!hide"),))
        return Message(bold(text_of("check.which")), (*buttons, self._emergency_row()))

    def _confirm_change(self) -> Message:
        walk, flow = self.position.walk, self.position.flow
        change = present(pending_change(self.position.machine, walk), "the walk says that one is waiting")
        lines = [bold(text_of("change.title")), escape(text_of("change.dropped"))]
        lines.append(bullets(flow.questions[state].label for state in change.dropped))
        lines.append(escape(text_of("change.asked_again")))
        buttons = (
            (self._button("confirm", "!confirm"),),
            (self._button("keep", "!back"),),
            self._emergency_row(),
        )
        return Message("\n\n".join(lines), buttons)


def _since(edition: Edition, outcome: str | None, decision: str | None = None) -> list[str]:
    """What is reported of the law since the edition, where an ending must not stand without it."""
    said = since.said_of(edition, outcome, decision)
    return [bold(said)] if said else []


def saved(stored: Stored, edition: Edition, contacts: Mapping[str, str], *, can_ask_team: bool = False) -> Message:
    """Return the card of a conversation that has ended, drawn from its record alone: whoever sees it, it is stored.

    It says what was decided, what to do now, and ends with a summary to copy. `contacts`: the local contacts that are set.
    """
    clear, content = stored.clear, stored.content
    reference, outcome, decision = clear["reference"], content["outcome"], content["decision"]
    left = ending_of(clear, content, edition.roles)
    if decision:
        lines = [bold(text_of("saved.decided", decision=decision))]
        if clear["otherwise"]:
            lines.append(escape(text_of("saved.pointed_to", outcome=outcome["title"])))
    else:
        lines = [bold(outcome["title"]), escape(outcome["text"])]
    lines += _since(edition, clear["outcome"], clear["decision"])
    lines.append(_to_do(left, content["shared"], contacts))
    case = case_of(stored)
    head = (
        text_of("saved.with_case", reference=reference, case=case)
        if case
        else text_of("saved.title", reference=reference)
    )
    lines.append(f"{bold(head)}\n{escape(text_of('saved.file_it'))}")
    lines.append(code(summary(stored, edition)))
    lines.append(italic(edition.banner))

    def button(name: str, act: str) -> tuple[str, str]:
        return text_of(f"saved.buttons.{name}"), Button(act).encode()

    found = [
        button("show", f"record.{reference}"),
        button("note", f"note.{reference}"),
        button("pdf", f"pdf.{reference}"),
    ]
    if can_ask_team and clear["outcome"] != "emergency":
        found.append(button("ask_team", f"opinion.{reference}"))
    found += [button("readers", f"readers.{reference}"), button("records", "mine.0.")]
    if any(reach == CARE for _, reach in left.duties):
        found.append((text_of("local.title"), Button("local").encode()))
    if clear["outcome"] in ("emergency", "out_of_scope") and len(content["questions"]) > 1:
        found.append(button("resume", f"resume.{reference}"))
    if any(duty["id"] == edition.roles.duty("use_sharing_flow") for duty in content["duties"]):
        found.append(button("sharing", START))
    found.append(button("again", f"start.{clear['flow']}"))
    again = ((text_of("emergency.button"), Button(f"emergency.{reference}").encode()),)
    return Message("\n\n".join(lines), (*rows(found), again))


def _to_do(left: Ending, shared: Mapping[str, str | None], contacts: Mapping[str, str]) -> str:
    """Return what is left to do, as a numbered list, with the local numbers of whom to reach."""
    if left.is_done:
        return f"{bold(text_of('saved.to_do.title'))}\n{escape(text_of('saved.to_do.nothing'))}"
    steps = [
        f"{duty} {numbers(contacts, 'day_number', 'night_number')}" if reach == CARE else duty
        for duty, reach in left.duties
        if reach is not None
    ]
    if left.open_points:
        steps.append(text_of("saved.to_do.open", points=" ".join(left.open_points)))
    steps += [duty for duty, reach in left.duties if reach is None]
    if left.share:
        steps.append(_share(shared))
    if left.tell:
        steps.append(text_of("saved.to_do.tell"))
    lines = [bold(text_of("saved.to_do.title")), *(escape(f"{n}. {step}") for n, step in enumerate(steps, 1))]
    return "\n".join(lines)


def _share(shared: Mapping[str, str | None]) -> str:
    """Return the step of sharing: with whom, how and by when, as far as it was said."""
    return text_of(
        "saved.to_do.share",
        who=shared["with"] or text_of("saved.to_do.whom"),
        how=text_of("saved.to_do.how", how=shared["how"]) if shared["how"] else "",
        when=shared["when"] or text_of("saved.to_do.when"),
    )


def _has_consent(content: Mapping[str, Any], edition: Edition) -> bool:
    asked = edition.roles.question("consent")
    return any(shown["id"] == asked and shown["answer"] == "yes" for shown in content["questions"])


def summary(stored: Stored, edition: Edition) -> str:
    """Return a record in six lines of plain text, to be copied into a case system."""
    clear, content = stored.clear, stored.content
    consent, ground = content["consent"], content["ground"]["which"]
    if ground:
        basis = ground
    elif _has_consent(content, edition) and clear["decision"] in ("share", "share_part"):
        basis = text_of("summary.consent", consent=consent["kind"] or consent["have"])
    else:
        basis = text_of("summary.own_judgement" if clear["otherwise"] else "summary.guidance")
    asked_by = content["requester"]["who"]
    whom = content["shared"]["with"] or (
        text_of("summary.asked_by", who=asked_by) if asked_by else text_of("summary.nobody")
    )
    return "\n".join(
        (
            text_of("summary.case", said=case_words(stored)),
            text_of("summary.decision", said=content["decision"] or content["outcome"]["title"]),
            text_of("summary.ground", said=basis),
            text_of("summary.whom", said=whom),
            text_of("summary.when", said=time_of(clear["finished_at"])),
            text_of("summary.reference", said=clear["reference"]),
        )
    )
