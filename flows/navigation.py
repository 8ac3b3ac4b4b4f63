"""Move through a flow. Every action takes a Walk and returns a new one; nothing is stored or sent here.

A Walk holds a person's answers, keyed by the state that each one answers. The machine derives its Position by replaying
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from flows.definition import NOT_SURE, Duty, Flow, Kind, Outcome, Question, Together
from flows.machine import (
    BULK_ASK,
    CHECK,
    EMERGENCY_NOW,
    MAX_STEPS,
    OUTCOME,
    PAUSED,
    FlowMachine,
    Token,
    split,
)
from flows.predicates import PREDICATES, Taken
from flows.screening import Screened


class UnexpectedAnswer(Exception):
    """The answer is not possible in the walk's current state; nothing has changed."""


#: The card of answers that follow from what a person came for.
BEGINNING = "start"


@dataclass(frozen=True)
class Answer:
    """What a person chose or typed at a state, and when (ISO 8601, UTC).

    `card`: the state whose card gave this answer, if it was another one: a tap can answer several questions.
    """

    verb: str
    at: str
    text: str | None = None
    card: str | None = None


@dataclass(frozen=True)
class Walk:
    """The answers of an unfinished conversation. Immutable; every action returns a new one.

    `answers`: by state. `offered`: earlier answers that no longer apply but can be offered again.
    `focus`: the question being answered again. `pending`: its new answer, until the person agrees to the answers it drops.
    `interrupt`: "emergency" or "bulk". `unsure`: the questions at which the person has ever chosen "not sure".
    `details`: whether the person is adding details, so that questions that may be left out are asked. `alone`: whether the
    current question is asked alone, though its card could ask several.
    """

    flow: str
    entry: str
    answers: Mapping[str, Answer] = field(default_factory=dict)
    offered: Mapping[str, Answer] = field(default_factory=dict)
    focus: str | None = None
    pending: Answer | None = None
    interrupt: str | None = None
    unsure: tuple[str, ...] = ()
    details: bool = False
    alone: bool = False


@dataclass(frozen=True)
class Position:
    """The current position of a walk: its state, the answers on the route to it (`live`), and what may be chosen next.

    `left_out`: the questions on the route that were passed without an answer.
    """

    machine: FlowMachine
    walk: Walk
    state: str
    live: tuple[tuple[str, Answer], ...]
    taken: Taken
    left_out: tuple[str, ...] = ()

    @property
    def flow(self) -> Flow:
        """The flow that this walk follows."""
        return self.machine.flow

    @cached_property
    def offered(self) -> tuple[str, ...]:
        """The triggers that can be chosen from here."""
        return self.machine.offered(self.state, self.taken)

    @cached_property
    def buttons(self) -> tuple[Together, ...]:
        """The buttons that the current question's card has in place of its options, as far as they fit."""
        question = self.question
        if question is None or self.is_changing or self.walk.alone:
            return ()
        fits = (
            one for one in question.together if one.offered_when is None or PREDICATES[one.offered_when](self.taken)
        )
        return tuple(fits)

    @cached_property
    def together(self) -> Mapping[str, tuple[str, ...]]:
        """The taps that answer several questions at once: the tap, by the name of a trigger, and the triggers it stands for.

        A question names its own. An outcome takes the options of the question after it, so that both are one card.
        """
        if self.is_changing or self.walk.alone:
            return {}
        question, outcome = self.question, self.machine.outcome_at(self.state)
        if question:
            return {f"{question.id}.{one.id}": one.answers for one in self.buttons if len(one.answers) > 1}
        following = self.flow.questions.get(outcome.then or "") if outcome else None
        ids = [option.id for option in following.options] if following else []
        return {f"{following.id}.{key}": (f"{self.state}.next", f"{following.id}.{key}") for key in ids if following}

    @property
    def is_finished(self) -> bool:
        """Whether the walk has ended, so that its record can be written."""
        return self.machine.is_final(self.state)

    @property
    def is_paused(self) -> bool:
        """Whether the person chose "not sure" here and is seeking advice."""
        return self.state.endswith(PAUSED)

    @property
    def is_changing(self) -> bool:
        """Whether the person is answering an earlier question again."""
        return self.walk.focus is not None

    @property
    def question(self) -> Question | None:
        """The current question, asked or paused, or None."""
        return self.machine.question_at(self.state)

    @property
    def outcome(self) -> Outcome | None:
        """The recommended outcome, or None if the walk has not reached one."""
        return self.flow.outcomes[self.taken.outcome] if self.taken.outcome else None

    @property
    def takes_text(self) -> bool:
        """Whether the current question accepts typed text as an answer."""
        return f"{self.state}.text" in self.offered

    @cached_property
    def duties(self) -> tuple[str, ...]:
        """The ids of all duties, without repeats: those of the options chosen, then those of the outcome.

        If the person was ever not sure, the duty to record the outcome of advice comes last.
        """
        found: dict[str, None] = {}
        for state, answer in self.live:
            question = self.machine.question_at(state)
            option = question.option(answer.verb) if question else None
            found.update(dict.fromkeys(option.duties if option else ()))
        if self.outcome:
            for use in self.outcome.duties:
                if use.when is None or PREDICATES[use.when](self.taken):
                    found[use.duty] = None
        if self.walk.unsure:
            found[self.flow.roles.duty("record_advice_outcome")] = None
        return tuple(found)

    def cites(self, duties: Mapping[str, Duty]) -> tuple[str, ...]:
        """Return the passages cited by the questions, outcome and duties of this walk, without repeats."""
        found: dict[str, None] = {}
        for state, _ in self.live:
            question = self.machine.question_at(state)
            found.update(dict.fromkeys(question.cites if question else ()))
        if self.outcome:
            found.update(dict.fromkeys(self.outcome.cites))
        for duty in self.duties:
            found.update(dict.fromkeys(duties[duty].cites))
        return tuple(found)

    @property
    def path(self) -> tuple[str, ...]:
        """The answers that count, in order, as `<state>.<option>`."""
        return tuple(f"{state}.{answer.verb}" for state, answer in self.live)

    def number_on_chart(self) -> tuple[int, int]:
        """Return the number of the current question on the chart, and how many questions the chart has."""
        on_chart = [q.id for q in self.flow.questions.values() if q.kind == Kind.QUESTION]
        return on_chart.index(self.state.removesuffix(PAUSED)) + 1, len(on_chart)

    def number_of_card(self) -> tuple[int, int]:
        """Return the number of the current card after the outcome, and how many there will be if each takes its first answer."""
        states = [state for state, answer in self.live if answer.card is None]
        done = next((at for at, state in enumerate(reversed(states)) if state.startswith(OUTCOME)), len(states))
        here, ahead = self, 0
        while here.question is not None and ahead < MAX_STEPS:
            ahead += 1
            first = next(iter(here.together), here.offered[0])
            given = {key: Answer(verb, "") for key, verb in map(split, here.together.get(first, (first,)))}
            # An interrupt has been raised on the way here, and must not be raised once more.
            on = replace(here.walk, answers={**here.walk.answers, **given}, interrupt=None, alone=False)
            here = _replayed(self.machine, on, here)
        return done + 1, done + ahead


@dataclass(frozen=True)
class Change:
    """The effect of a change: the walk afterwards, and the questions whose answers it drops."""

    walk: Walk
    dropped: tuple[str, ...]


# ---- reading -----------------------------------------------------------------------------------
def start(machine: FlowMachine, entry: str | None = None) -> Walk:
    """Begin a walk at an entry, by default the flow's first; raise UnexpectedAnswer if the flow has no such entry."""
    entry = entry or machine.flow.entries[0]
    if entry not in machine.flow.entries:
        raise UnexpectedAnswer(f"{machine.flow.id} cannot be entered at {entry}.")
    return Walk(flow=machine.flow.id, entry=entry)


def replay(machine: FlowMachine, walk: Walk) -> Position:
    """Return the position of a walk by replaying its answers from the start. Cached on the walk, which never changes."""
    known: Position | None = vars(walk).get("_position")
    if known is None or known.machine is not machine:
        known = _replayed(machine, walk)
        vars(walk)["_position"] = known
    return known


def _replay_on(before: Position, walk: Walk, key: str) -> None:
    """Replay a walk from an earlier position if the two differ only in the answer at `key`; otherwise do nothing.

    This saves a full replay for the usual case, an answer to the current question.
    """
    as_before = before.walk.interrupt is None and walk.interrupt is None and walk.unsure == before.walk.unsure
    if as_before and before.state == key and key not in dict(before.live):
        vars(walk)["_position"] = _replayed(before.machine, walk, before)


def _replayed(machine: FlowMachine, walk: Walk, before: Position | None = None) -> Position:
    if before is None:
        token, taken = Token(machine.flow.start), Taken(entry=walk.entry, unsure=walk.unsure, roles=machine.flow.roles)
    else:
        token, taken = Token(before.state), replace(before.taken, options=dict(before.taken.options))
    live = [*before.live] if before else []
    left_out = [*before.left_out] if before else []
    interrupt = walk.interrupt
    for _ in range(MAX_STEPS):
        if token.state == walk.focus:
            break
        answer = walk.answers.get(token.state)
        state = token.state
        moved = machine.fire(token, f"{state}.{answer.verb}", taken) if answer else None
        if answer and moved:
            live.append((state, answer))
            taken = moved
        elif interrupt and not machine.is_final(token.state):
            trigger = EMERGENCY_NOW if interrupt == "emergency" else BULK_ASK
            taken = machine.fire(token, trigger, taken) or taken
            if interrupt == "emergency":
                live.append((machine.flow.roles.question("emergency"), walk.answers[EMERGENCY_NOW]))
            interrupt = None
        elif machine.may_be_left_out(state) and not walk.details:
            left_out.append(state)
            machine.fire(token, f"{state}.skip", taken)
            taken.options.pop(state)
        else:
            break
    return Position(machine, walk, token.state, tuple(live), taken, tuple(left_out))


def said(walk: Walk) -> tuple[object, ...]:
    """Return what a walk says, without times: to tell whether two say the same."""
    return walk.entry, walk.interrupt, tuple(sorted((state, answer.verb) for state, answer in walk.answers.items()))


# ---- acting ------------------------------------------------------------------------------------
def choose(machine: FlowMachine, walk: Walk, trigger: str, at: str, text: Screened | None = None) -> Walk:
    """Answer the current question; raise UnexpectedAnswer if this trigger is not offered there.

    While the person is changing an earlier question, an answer that would drop others is stored in `pending` first.
    """
    return _answered(machine, walk, trigger, at, text.text if text else None)


def give(machine: FlowMachine, walk: Walk, triggers: Iterable[str], at: str, *, card: str | None = None) -> Walk:
    """Answer several questions at once; raise UnexpectedAnswer if the first of them is not asked here.

    An answer to a question that is not reached yet is kept until it is. `card`: where they were given; by default, here.
    """
    card = card or replay(machine, walk).state.removesuffix(PAUSED)
    for index, trigger in enumerate(triggers):
        key, verb = split(trigger)
        if trigger in replay(machine, walk).offered:
            walk = choose(machine, walk, trigger, at)
        elif index == 0 and card != BEGINNING:
            raise UnexpectedAnswer(f"{trigger} is not offered here.")
        else:
            walk = simulate(machine, walk, key, Answer(verb, at)).walk
        if key != card and key in walk.answers:
            walk = _marked(walk, key, card)
    return walk


def _marked(walk: Walk, key: str, card: str) -> Walk:
    return replace(walk, answers={**walk.answers, key: replace(walk.answers[key], card=card)})


def choose_earlier(machine: FlowMachine, walk: Walk, at: str) -> Walk:
    """Answer with the text that the person typed at this question before; raise UnexpectedAnswer if there is none."""
    state = replay(machine, walk).state
    answer = walk.offered.get(state)
    if answer is None or answer.text is None:
        raise UnexpectedAnswer("There is no earlier answer here.")
    return _answered(machine, walk, f"{state}.text", at, answer.text)


def _answered(machine: FlowMachine, walk: Walk, trigger: str, at: str, text: str | None) -> Walk:
    here = replay(machine, walk)
    if walk.pending or trigger not in here.offered:
        raise UnexpectedAnswer(f"{trigger} is not offered at {here.state}.")
    key, verb = split(trigger)
    change = simulate(machine, walk, key, Answer(verb, at, text), None if walk.focus else here)
    if walk.focus and change.dropped:
        return replace(walk, pending=Answer(verb, at, text))
    return change.walk


def simulate(machine: FlowMachine, walk: Walk, key: str, answer: Answer, before: Position | None = None) -> Change:
    """Return what this answer at this state would change, without changing it. Pass `before`, if known, to save a replay."""
    before = before or replay(machine, replace(walk, focus=None, pending=None))
    answers = {state: kept for state, kept in walk.answers.items() if state != key + PAUSED}
    answers[key] = answer
    unsure = walk.unsure
    if answer.verb == NOT_SURE and key not in unsure:
        unsure = (*unsure, key)
    interrupt = None if (key, answer.verb) == (machine.bulk, "no") else walk.interrupt
    moved = replace(walk, answers=answers, focus=None, pending=None, interrupt=interrupt, unsure=unsure, alone=False)
    _replay_on(before, moved, key)
    after = replay(machine, moved)
    live = {state for state, _ in after.live} | {key}
    ahead = machine.reachable(after.state)
    another = before.taken.outcome != after.taken.outcome

    def stays(state: str) -> bool:
        if state in live or machine.is_about_bulk(state) or (state == EMERGENCY_NOW and moved.interrupt == "emergency"):
            return True
        question = machine.flow.questions.get(state)
        if question and question.follows_outcome and another:
            return False
        return state in ahead and state != CHECK and _still_fits(machine, after, state, answers)

    kept = {state: value for state, value in answers.items() if stays(state)}
    gone = {state: value for state, value in answers.items() if state not in kept}
    offered = {state: value for state, value in {**walk.offered, **gone}.items() if state not in kept}
    dropped = tuple(state for state in gone if state in machine.flow.questions)
    stays_whole = not gone and offered == moved.offered
    return Change(moved if stays_whole else replace(moved, answers=kept, offered=offered), dropped)


def _still_fits(machine: FlowMachine, after: Position, state: str, answers: Mapping[str, Answer]) -> bool:
    """Say whether a later answer is still one that its question would offer; if not, it must be dropped."""
    question = machine.flow.questions.get(state)
    option = question.option(answers[state].verb) if question else None
    if option is None or option.offered_when is None:
        return True
    # Answers ahead count too: two that were given together are not asked yet, and belong together.
    known = {**{key: answer.verb for key, answer in answers.items()}, **after.taken.options}
    return PREDICATES[option.offered_when](replace(after.taken, options=known))


def back(machine: FlowMachine, walk: Walk) -> Walk:
    """Undo the last tap, and offer its answers again later; at the start, return the walk unchanged.

    A change in progress or an interrupt is undone first. What the person came for stays as they said it.
    """
    if walk.pending or walk.focus or walk.alone:
        return replace(walk, pending=None, focus=None, alone=False)
    here = replay(machine, walk)
    if walk.interrupt == "emergency":
        return replace(walk, answers=_without(walk, EMERGENCY_NOW, OUTCOME + machine.emergency), interrupt=None)
    if walk.interrupt:
        kept = {state: answer for state, answer in walk.answers.items() if not machine.is_about_bulk(state)}
        return replace(walk, answers=kept, interrupt=None)
    card = next((state for state, answer in reversed(here.live) if answer.card is None), None)
    if card is None:
        return walk
    if walk.details and not machine.may_be_left_out(card):
        return replace(walk, details=False)
    gone = {state: answer for state, answer in walk.answers.items() if card in (state, answer.card)}
    # An emergency that was pressed by mistake is not offered again as an earlier answer.
    offered = walk.offered if here.state == OUTCOME + machine.emergency else {**walk.offered, **gone}
    return replace(walk, answers=_without(walk, *gone), offered=offered)


def _without(walk: Walk, *states: str) -> dict[str, Answer]:
    return {state: answer for state, answer in walk.answers.items() if state not in states}


def one_by_one(machine: FlowMachine, walk: Walk) -> Walk:
    """Ask the questions of a card one by one; raise UnexpectedAnswer if it asks only one."""
    if not replay(machine, walk).together:
        raise UnexpectedAnswer("This card asks one question.")
    return replace(walk, alone=True)


def add_details(machine: FlowMachine, walk: Walk) -> Walk:
    """Ask the questions that were left out; raise UnexpectedAnswer if there are none, or the answers are not complete."""
    here = replay(machine, walk)
    if here.state != CHECK or not here.left_out:
        raise UnexpectedAnswer("Nothing was left out.")
    return replace(walk, details=True)


def enough(machine: FlowMachine, walk: Walk) -> Walk:
    """Leave out the rest of the details; raise UnexpectedAnswer if none is being asked."""
    if not walk.details:
        raise UnexpectedAnswer("No details are being asked.")
    return replace(walk, details=False)


def change(machine: FlowMachine, walk: Walk, question: str) -> Walk:
    """Ask an earlier question again from the check page, or one that was left out; raise UnexpectedAnswer if it is neither."""
    here = replay(machine, replace(walk, focus=None, pending=None))
    if here.state != CHECK or question not in (*changeable(here), *here.left_out):
        raise UnexpectedAnswer(f"{question} is not among the answers given.")
    return replace(walk, focus=question, pending=None)


def changeable(position: Position) -> tuple[str, ...]:
    """Return the questions whose answers can be changed from here, in the order that they were answered."""
    return tuple(state for state, _ in position.live if state in position.flow.questions)


def pending_change(machine: FlowMachine, walk: Walk) -> Change | None:
    """Return the effect of the pending change, or None if there is none."""
    if walk.focus is None or walk.pending is None:
        return None
    return simulate(machine, walk, walk.focus, walk.pending)


def confirm_change(machine: FlowMachine, walk: Walk) -> Walk:
    """Apply the pending change; raise UnexpectedAnswer if there is none."""
    waiting = pending_change(machine, walk)
    if waiting is None:
        raise UnexpectedAnswer("No change is waiting.")
    return waiting.walk


def interrupt(machine: FlowMachine, walk: Walk, which: str, at: str) -> Walk:
    """Stop for an emergency, or ask about a bulk exchange.

    Raise UnexpectedAnswer if the walk has ended, the flow has no such interrupt, or it has already been raised.
    """
    here = replay(machine, replace(walk, focus=None, pending=None))
    known = which == "emergency" and machine.emergency in machine.flow.outcomes
    known = known or (which == "bulk" and machine.bulk in machine.flow.questions)
    ends = here.outcome is not None and here.outcome.id == machine.emergency
    if not known or here.is_finished or walk.interrupt == which or ends:
        raise UnexpectedAnswer(f"{which} cannot be raised here.")
    calm = replace(walk, focus=None, pending=None)
    if which == "bulk":
        answers = {state: kept for state, kept in walk.answers.items() if not machine.is_about_bulk(state)}
        return replace(calm, answers=answers, interrupt=which)
    asked = replace(calm, interrupt=None)
    first = machine.flow.roles.question("emergency")
    if replay(machine, asked).state.removesuffix(PAUSED) == first:
        return choose(machine, asked, f"{first}.yes", at)
    now = {EMERGENCY_NOW: Answer("yes", at)}
    return replace(calm, answers={**walk.answers, **now}, interrupt=which)


def answered_bulk(machine: FlowMachine, walk: Walk, at: str) -> Walk:
    """Say that it is about a regular or bulk exchange, from anywhere; raise UnexpectedAnswer as `interrupt` does."""
    return choose(machine, interrupt(machine, walk, "bulk", at), f"{machine.bulk}.yes", at)


def resumed_without_interrupt(machine: FlowMachine, walk: Walk) -> Walk:
    """Return a new walk with the same answers but no interrupt, for a person who raised an emergency and wants to go on."""
    first = machine.flow.roles.question("emergency")
    gone = (first, machine.bulk, *(split(raised)[0] for raised in (EMERGENCY_NOW, BULK_ASK)), OUTCOME[:-1], CHECK)
    answers = {state: kept for state, kept in walk.answers.items() if state.split(".")[0] not in gone}
    return Walk(flow=walk.flow, entry=walk.entry, answers=answers, unsure=walk.unsure)


def happened_earlier(machine: FlowMachine, walk: Walk, at: str) -> Walk:
    """Turn an emergency into a crime or abuse of before, and go on with the questions; raise UnexpectedAnswer if there is none."""
    here = replay(machine, walk)
    if here.state != OUTCOME + machine.emergency:
        raise UnexpectedAnswer("There is no emergency here.")
    walk = back(machine, walk)
    roles = machine.flow.roles
    first = roles.question("emergency")
    for key, verb in ((first, roles.option("emergency", "earlier")), (roles.question("harm"), "yes")):
        walk = simulate(machine, walk, key, Answer(verb, at, card=None if key == first else first)).walk
    return walk


# ---- storage -----------------------------------------------------------------------------------
def as_dict(walk: Walk) -> dict[str, object]:
    """Return a walk as plain values for storage."""

    def plain(answers: Mapping[str, Answer]) -> dict[str, dict[str, Any]]:
        return {state: dict(vars(answer)) for state, answer in answers.items()}

    kept = {one.name: getattr(walk, one.name) for one in fields(walk)}
    pending = dict(vars(walk.pending)) if walk.pending else None
    return {**kept, "answers": plain(walk.answers), "offered": plain(walk.offered), "pending": pending}


def from_dict(kept: dict[str, Any]) -> Walk:
    """Return the walk that `as_dict` stored."""

    def answers(raw: dict[str, Any]) -> dict[str, Answer]:
        return {state: Answer(**value) for state, value in raw.items()}

    return Walk(
        **{
            **kept,
            "answers": answers(kept["answers"]),
            "offered": answers(kept["offered"]),
            "pending": Answer(**kept["pending"]) if kept["pending"] else None,
            "unsure": tuple(kept["unsure"]),
        }
    )
