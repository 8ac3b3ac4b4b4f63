"""The card of a conversation at one revision: question, outcome, check of the answers, change; and of its saved record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.domain.check import Doubt, doubts
from bot.domain.ending import CARE, Ending, ending_of
from bot.domain.record import LOOKED_UP, answer_label
from bot.messages import emergency_card
from bot.messages.callback_data import START, Button, handle_of
from bot.messages.citations import cite, passage_line, strength_of
from bot.messages.message import Message, Rows, bold, bullets, code, cut, escape, folded, italic, rows, time_of
from bot.messages.notices import numbers
from bot.messages.record_cards import case_words
from bot.messages.refusals import override_label
from bot.messages.texts import text_of
from flows import since
from flows.catalogue import Book
from flows.definition import Edition, Kind, Question, Together
from flows.invariants import present
from flows.machine import CHECK, OUTCOME, PAUSED, split
from flows.navigation import Position, changeable, pending_change
from flows.second_opinion import asked_at
from storage.conversations import Open
from storage.records import Stored, case_of

#: The decisions to share.
SHARES = ("share", "share_part")
#: How many answers the check points to at once, and how many details that were left out it names.
MOST_DOUBTS = 4
MOST_LEFT_OUT = 3


class Card:
    """Draws the card of one conversation at one revision."""

    def __init__(
        self,
        book: Book,
        loaded: Open,
        position: Position,
        can_ask_team: bool = False,
        contacts: Mapping[str, str] | None = None,
    ) -> None:
        self.edition, self.loaded, self.position = book.edition, loaded, position
        self.can_ask_team, self.contacts = can_ask_team, contacts or {}

    def button(self, label: str, act: str) -> tuple[str, str]:
        """Return a button that carries the conversation's handle and revision."""
        return label, Button(act, handle_of(self.loaded.id), self.loaded.revision).encode()

    def _button(self, name: str, act: str) -> tuple[str, str]:
        return self.button(text_of(f"walk.buttons.{name}"), act)

    def draw(
        self,
        notice: str = "",
        why: bool = False,
        changes: bool = False,
        later: bool = False,
        override: str = "",
    ) -> Message:
        """Return the card as it stands.

        `why` opens the help, `changes` the list of answers that can be changed, `later` the times of a reminder. `override` lets
        the person say that what was seen is not what it seems: "!notaperson" or "!areference".
        """
        state = self.position.state
        if self.position.walk.pending:
            message = self._confirm_change()
        elif changes and state == CHECK:
            message = self._changes()
        elif state == CHECK:
            message = self._check()
        elif state == OUTCOME + self.position.machine.emergency:
            message = self._emergency()
        elif state.startswith(OUTCOME):
            message = self._outcome()
        elif later and self.position.is_paused:
            message = self._later()
        else:
            message = self._question(why)
        text = f"{bold(text_of('walk.please_note'))} {escape(notice)}\n\n{message.text}" if notice else message.text
        first = ((self.button(override_label(override), override),),) if override else ()
        return Message(text, (*first, *message.buttons))

    # ---- questions ----------------------------------------------------------------------------
    def _question(self, why: bool) -> Message:
        question = present(self.position.question, "every other state has its own card")
        several = bool(self.position.buttons)
        lines = [*map(escape, self._notes()), italic(self._progress(question))]
        lines.append(bold(question.asks if several and question.asks else question.label))
        if question.example:
            lines[-1] += f"\n{escape(question.example)}"
        if self.position.is_paused:
            lines.append(self._paused_text(question))
        if self.position.takes_text:
            ask = text_of("walk.choose_or_type" if question.options else "walk.type")
            lines.append(escape(ask if "names" in question.label else f"{ask} {text_of('walk.no_names')}"))
        earlier = self._earlier(question)
        if earlier:
            lines.append(escape(text_of("walk.earlier", answer=earlier)))
        if why:
            lines.append(f"{bold(text_of('walk.buttons.why'))} {escape(question.why)}")
            lines += [passage_line(self.edition, cite_id) for cite_id in question.cites]
        elif question.quoted and not (several and question.asks):
            lines.append(italic(text_of("walk.quoted")))
        answers = self._several(question) if several else self._answers(question)
        return Message("\n\n".join(lines), (*rows(answers), *self._foot(why)))

    def _progress(self, question: Question) -> str:
        if self.position.is_changing:
            return text_of("walk.progress.changing")
        if question.id == self.position.machine.bulk:
            return text_of("walk.progress.bulk")
        if question.may_be_left_out:
            return text_of("walk.progress.may_be_left_out")
        if question.kind == Kind.QUESTION:
            number, most = self.position.number_on_chart()
            return text_of("walk.progress.question", number=number, most=most)
        if question.kind in (Kind.HOW, Kind.RECORDING):
            number, most = self.position.number_of_card()
            return text_of("walk.progress.step", number=number, most=most)
        return text_of("walk.progress.screen" if question.kind == Kind.SCREEN else "walk.progress.detail")

    def _notes(self) -> list[str]:
        """Return what the answers of the last tap call for at once, for example procedures after a harm concern."""
        live = self.position.live
        last = next((state for state, answer in reversed(live) if answer.card is None), None)
        if last is None or self.position.is_changing:
            return []
        found = []
        for state, answer in live:
            question = self.position.flow.questions.get(state)
            option = question.option(answer.verb) if question and last in (state, answer.card) else None
            found += [option.note] if option and option.note else []
        tapped = {state for state, answer in live if last in (state, answer.card)}
        for doubt in doubts(self.position, self.edition.roles):
            if doubt.beside and tapped & {doubt.question, *doubt.beside}:
                found.append(self._not_with(doubt))
        return found

    def _earlier(self, question: Question) -> str:
        walk = self.position.walk
        answer = walk.answers.get(question.id) if self.position.is_changing else walk.offered.get(question.id)
        if answer is None or answer.verb == "skip":
            return ""
        option = question.option(answer.verb)
        return answer.text or (option.label if option else "")

    def _paused_text(self, question: Question) -> str:
        duty = self.edition.duties[self.edition.roles.duty("seek_advice")].text
        said = [text_of("walk.not_sure"), question.unsure, duty, text_of("walk.waits")]
        if self.position.taken.chose("harm", "yes"):
            said.insert(1, text_of("walk.do_not_wait"))
        return "\n".join(escape(line) for line in said if line)

    def _later(self) -> Message:
        """Ask when to remind the person of the question."""
        question = present(self.position.question, "the person is not sure about one")
        acts = [self._button(when, f"!later.{when}") for when in ("hour", "tomorrow", "working_day")]
        buttons = ((act,) for act in (*acts, self._button("back", "!hide")))
        words = escape(text_of("walk.remind_when"))
        return Message(f"{bold(question.label)}\n\n{words}", (*buttons, self._emergency_row()))

    def _several(self, question: Question) -> list[tuple[str, str]]:
        """Return the buttons of a card that answers several questions at once, and the answers that none of them gives."""
        found, covered = [], set()
        for one in self.position.buttons:
            covered.add(split(one.answers[0])[1])
            found.append(self.button(one.label, one.answers[0] if len(one.answers) == 1 else f"{question.id}.{one.id}"))
        if question.kind == Kind.HOW:
            return [*found, self._button("single", "!single")]
        return found + self._answers(question, [one for one in self.position.offered if split(one)[1] not in covered])

    def _answers(self, question: Question, offered: Iterable[str] | None = None) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for trigger in self.position.offered if offered is None else offered:
            state, verb = split(trigger)
            option = question.option(verb)
            if state.endswith(PAUSED):
                found.append(self._button("getting_advice", trigger))
            elif option:
                found.append(self.button(option.label, trigger))
            elif verb == "skip":
                found.append(self._button(verb, trigger))
        walk = self.position.walk
        before = walk.offered.get(question.id)
        if before and before.text and self.position.takes_text and not self.position.is_changing:
            found.append(self._button("earlier", "!earlier"))
        if self.position.is_paused:
            found.append(self._button("later", "!later_when"))
        if question.may_be_left_out and walk.details:
            found.append(self._button("enough", "!enough"))
        return found

    def _foot(self, why: bool) -> Rows:
        question = present(self.position.question, "only questions have this foot")
        middle = [self._button("hide", "!hide") if why else self._button("why", "!why")]
        decides = self.position.state == self.edition.roles.question("decision")
        if decides or question.kind not in (Kind.RECORDING, Kind.HOW):
            middle += self._ask_team()
        if self.position.is_paused:
            middle.append(self.button(text_of("local.title"), LOOKED_UP))
        last = [self._button("back", "!back")] if self._can_go_back() else []
        last.append(self._button("cancel", "!cancel"))
        bulk = (self._button("bulk", "!bulk"),) if self._may_be_bulk(question) else ()
        return tuple(row for row in (bulk, *rows(middle), tuple(last), self._emergency_row()) if row)

    def _may_be_bulk(self, question: Question) -> bool:
        """Return whether this is the first question of the chart, where the person may see that it is not about one case."""
        flow, machine = self.position.flow, self.position.machine
        on_chart = [q.id for q in flow.questions.values() if q.kind == Kind.QUESTION]
        return machine.bulk in flow.questions and question.id == on_chart[0] and not self.position.is_changing

    def _ask_team(self) -> list[tuple[str, str]]:
        offered = self.can_ask_team and not self.position.is_changing and asked_at(self.position) is not None
        return [self._button("ask_team", "!opinion")] if offered else []

    def _can_go_back(self) -> bool:
        tapped = any(answer.card is None for _, answer in self.position.live)
        walk = self.position.walk
        return bool(tapped or walk.interrupt or walk.alone) or self.position.is_changing

    def _emergency_row(self) -> tuple[tuple[str, str], ...]:
        if self.position.state.removesuffix(PAUSED) == self.edition.roles.question("emergency"):
            return ()
        return (self.button(text_of("emergency.button"), "!emergency"),)

    # ---- outcome, check, change, end ------------------------------------------------------------
    def _emergency(self) -> Message:
        lines = [*emergency_card.words(self.contacts), escape(text_of("emergency.recorded_soon"))]
        acts = ("calling", "happened", "mistake")
        buttons = tuple((self.button(text_of(f"emergency.buttons.{name}"), f"!{name}"),) for name in acts)
        return Message("\n\n".join(lines), buttons)

    def _outcome(self) -> Message:
        outcome = present(self.position.outcome, "the state is an outcome")
        lines = [italic(text_of("outcome.title")), bold(outcome.title), escape(outcome.body)]
        lines += _since(self.edition, self.edition.roles.outcome_role(outcome.id))
        lines += [duties] if (duties := self._duties()) else []
        lines.append(f"{self._citations()}\n{italic(self.edition.banner)}")
        decide = self.position.flow.questions.get(outcome.then or "")
        if decide and decide.options:
            lines.append(bold(f"{text_of('outcome.you_decide')} {decide.label}"))
            found = [self.button(option.label, f"{decide.id}.{option.id}") for option in decide.options]
        else:
            lines.append(escape(text_of("outcome.you_decide")))
            found = [self._button("next", self.position.offered[0])]
        foot = [self._button("back", "!back"), self._button("cancel", "!cancel"), *self._ask_team()]
        return Message("\n\n".join(lines), (*rows(found), *rows(foot), self._emergency_row()))

    def _duties(self) -> str:
        # What the next cards ask for anyway is not told before.
        steps = self.edition.roles.steps
        is_asked = {key for key, step in steps.items() if step.by_saving or step.if_sharing}
        texts = [self.edition.duties[key] for key in self.position.duties if key not in is_asked]
        if not texts:
            return ""
        lines = [
            f"• {escape(duty.text)} {italic(strength) if (strength := strength_of(duty.strength)) else ''}".rstrip()
            for duty in texts
        ]
        return "\n".join([bold(text_of("outcome.next_steps")), *lines])

    def _citations(self) -> str:
        outcome = present(self.position.outcome, "the state is an outcome")
        return italic(text_of("source", source=cite(self.edition, outcome.cites[0])))

    def _check(self) -> Message:
        outcome = self.position.outcome
        found = doubts(self.position, self.edition.roles)[:MOST_DOUBTS]
        lines = [italic(text_of("check.title")), *self._doubts(found), self._answer_list()]
        if self.position.left_out:
            lines.append(escape(self._left_out()))
        if outcome:
            lines.append(f"{escape(text_of('outcome.recommended'))} {bold(outcome.title)}")
        if outcome and outcome.implies and not self.position.taken.asked("decision"):
            option = self.position.flow.questions[self.edition.roles.question("decision")].option(outcome.implies)
            lines.append(escape(text_of("check.implied", decision=option.label if option else outcome.implies)))
        lines.append(escape(text_of("check.for_ever")))
        more = [self._button("details", "!details")] if self.position.left_out else []
        buttons = [
            self._button("save", f"{CHECK}.confirm"),
            *more,
            self._button("changes", "!changes"),
            *self._ask_team(),
            self._button("back", "!back"),
            self._button("cancel", "!cancel"),
        ]
        again = [
            self.button(text_of("check.change", label=self._short(state)), f"!change.{state}")
            for state in dict.fromkeys(state for doubt in found for state in (doubt.question, *doubt.beside))
        ]
        return Message("\n\n".join(lines), (*((button,) for button in again), *rows(buttons), self._emergency_row()))

    def _left_out(self) -> str:
        named = [self._short(state) for state in self.position.left_out]
        more = text_of("check.and_more", count=len(named) - MOST_LEFT_OUT) if len(named) > MOST_LEFT_OUT else ""
        return text_of("check.left_out_details", what=", ".join(named[:MOST_LEFT_OUT]) + more)

    def _short(self, state: str) -> str:
        return self.position.flow.questions[state].short

    def _doubts(self, found: tuple[Doubt, ...]) -> list[str]:
        """Return what deserves a second look: each answer, and those that it does not go with."""
        if not found:
            return []

        words = (self._not_with(doubt) if doubt.beside else self._said(doubt.question) for doubt in found)
        return [f"{bold(text_of('check.look_again'))}\n{bullets(words)}"]

    def _said(self, state: str) -> str:
        return f"{self._short(state)}: {cut(answer_label(self.position, state) or '', 80)}"

    def _not_with(self, doubt: Doubt) -> str:
        return text_of("check.not_with", first=self._said(doubt.question), other=self._said(doubt.beside[0]))

    def _answer_list(self) -> str:
        """Return the answers as short lines: a detail beside what it belongs to, and points with the same answer together."""
        lines: list[tuple[list[str], list[str]]] = []
        details: list[str] = []
        before: Question | None = None
        told: set[str] = set()
        for state in changeable(self.position):
            question = self.position.flow.questions[state]
            if state in told:
                continue
            if tapped := self._tapped(question):
                told |= {split(answer)[0] for answer in tapped.answers}
                lines.append(([question.short], [tapped.label]))
                before = None
                continue
            said = cut(answer_label(self.position, state) or text_of("check.left_out"), 160)
            if question.may_be_left_out:
                details.append(f"{question.short}: {said}")
                continue
            follows = before is not None and before.kind in (Kind.QUESTION, Kind.DETAIL) and " " in said
            if lines and question.kind == Kind.DETAIL and follows:
                lines[-1][1].append(said)
            elif before and question.kind == before.kind == Kind.HOW and lines[-1][1] == [said]:
                lines[-1][0].append(question.short)
            else:
                lines.append(([question.short], [said]))
            before = question
        text = "\n".join(f"• {escape(', '.join(asked))}: {bold('; '.join(said))}" for asked, said in lines)
        return f"{text}\n{folded(text_of('check.details'), [bullets(details)])}" if details else text

    def _tapped(self, question: Question) -> Together | None:
        """Return the button that answered this question and others at once, if their answers are still those."""
        live = {f"{state}.{answer.verb}" for state, answer in self.position.live}
        fits = [one for one in question.together if len(one.answers) > 1 and set(one.answers) <= live]
        return max(fits, key=lambda one: len(one.answers), default=None) if question.kind != Kind.HOW else None

    def _changes(self) -> Message:
        found: list[tuple[str, str]] = []
        for state in (*changeable(self.position), *self.position.left_out):
            said = answer_label(self.position, state) or text_of("check.left_out")
            found.append(self.button(f"{self._short(state)}: {cut(said, 28)}", f"!change.{state}"))
        buttons = (*((button,) for button in found), (self._button("back_to_answers", "!hide"),))
        return Message(bold(text_of("check.which")), (*buttons, self._emergency_row()))

    def _confirm_change(self) -> Message:
        walk = self.position.walk
        change = present(pending_change(self.position.machine, walk), "the walk says that one is waiting")
        lines = [bold(text_of("change.title")), escape(text_of("change.dropped"))]
        lines.append(bullets(self._short(state) for state in change.dropped))
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
    if clear["decision"] not in SHARES:
        lines += _since(edition, clear["outcome"], clear["decision"])
    lines.append(_to_do(left, content["shared"], contacts, bool(clear["harm"])))
    case = case_of(stored)
    lines += [bold(text_of("saved.title")), code(summary(stored, edition))]

    def button(name: str, act: str) -> tuple[str, str]:
        return text_of(f"saved.buttons.{name}"), Button(act).encode()

    found = [
        button("show", f"record.{reference}"),
        button("note", f"note.{reference}"),
        button("pdf", f"pdf.{reference}"),
    ]
    if clear["outcome"] == "emergency":
        found.append((text_of("emergency.was_mistake"), Button(f"mistaken.{reference}").encode()))
    has_reasons = content["reasons"] or any(note.get("kind") == "reasons" for note in stored.amendments)
    if not has_reasons and clear["outcome"] == "emergency":
        found.insert(0, (text_of("records.add_reasons"), Button(f"reasons.{reference}").encode()))
        if not case:
            found.insert(1, (text_of("records.add_case"), Button(f"case.{reference}").encode()))
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


def _to_do(left: Ending, shared: Mapping[str, str | None], contacts: Mapping[str, str], harm: bool) -> str:
    """Return what is left to do, as a numbered list, with the local numbers of whom to reach."""
    if left.is_done:
        return f"{bold(text_of('saved.to_do.title'))}\n{escape(text_of('saved.to_do.nothing'))}"
    steps = [
        text_of("saved.to_do.care", duty=duty, numbers=numbers(contacts, "day_number", "night_number"))
        if reach == CARE
        else duty
        for duty, reach in left.duties
        if reach is not None
    ]
    if left.open_points:
        steps.append(text_of("saved.to_do.open", points=" ".join(left.open_points)))
    steps += [duty for duty, reach in left.duties if reach is None]
    if left.share:
        steps.append(_share(shared, harm))
    if left.tell:
        steps.append(text_of("saved.to_do.tell"))
    lines = [bold(text_of("saved.to_do.title")), *(escape(f"{n}. {step}") for n, step in enumerate(steps, 1))]
    return "\n".join(lines)


def _share(shared: Mapping[str, str | None], harm: bool) -> str:
    """Return the step of sharing: with whom, how and by when, as far as it was said."""
    return text_of(
        "saved.to_do.share",
        who=shared["with"] or text_of("saved.to_do.whom"),
        how=text_of("saved.to_do.how", how=shared["how"]) if shared["how"] else "",
        when=shared["when"] or text_of("saved.to_do.at_once" if harm else "saved.to_do.when"),
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
    elif _has_consent(content, edition) and clear["decision"] in SHARES:
        basis = text_of("summary.consent", consent=consent["kind"] or consent["have"])
    else:
        basis = text_of("summary.own_judgement" if clear["otherwise"] else "summary.guidance")
    asked_by = content["requester"]["who"]
    nobody = text_of("summary.police" if clear["outcome"] == "emergency" else "summary.nobody")
    whom = content["shared"]["with"] or (text_of("summary.asked_by", who=asked_by) if asked_by else nobody)
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
