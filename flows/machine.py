"""Compile a flow into a transitions machine: the machine is the conversation.

States: a question by its id, `<question>.paused` while advice is sought, `outcome.<id>`, `check`, `ended`.
Triggers: `<state>.<option>`, and `text`, `skip`, `leave`, `next`, `confirm` where a state has them.
Position is never stored: it is replayed from the answers. Nothing outside this file decides where a walk goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from transitions import Machine

from flows.definition import NOT_SURE, Edge, Flow, Outcome, Question
from flows.predicates import PREDICATES, Taken

CHECK = "check"
ENDED = "ended"
PAUSED = ".paused"
OUTCOME = "outcome."
EMERGENCY_NOW = "emergency.now"
BULK_ASK = "bulk.ask"
#: More steps than any walk can have: a replay that reaches this has met a circle in the flow.
MAX_STEPS = 200


@dataclass
class Token:
    """The position of a replay. Each replay creates its own."""

    state: str


@dataclass(frozen=True)
class Drawn:
    """One arrow of the flowchart in the machine."""

    trigger: str
    source: str
    target: str
    when: tuple[str, ...]


def split(trigger: str) -> tuple[str, str]:
    """Split a trigger into the state it answers and the option chosen there."""
    state, _, verb = trigger.rpartition(".")
    return state, verb


class FlowMachine:
    """One compiled flow, shared read-only. The token keeps the walk."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        #: The outcome of an emergency, and the question about bulk exchange.
        self.emergency, self.bulk = flow.roles.outcome("emergency"), flow.roles.question("bulk")
        states = [*self._states()]
        self._machine = Machine(model=None, states=states, initial=flow.start, auto_transitions=False, send_event=False)
        self._drawn: dict[str, list[Drawn]] = {state: [] for state in states}
        for drawn in self._edges():
            self._machine.add_transition(
                drawn.trigger,
                drawn.source,
                drawn.target,
                conditions=[PREDICATES[name] for name in drawn.when],
            )
            self._drawn[drawn.source].append(drawn)
        self._known = {state: {drawn.trigger for drawn in drawns} for state, drawns in self._drawn.items()}
        self._reach: dict[str, frozenset[str]] = {}

    # ---- building -----------------------------------------------------------------------------
    def _states(self) -> Iterator[str]:
        for question in self.flow.questions.values():
            yield question.id
            if question.option(NOT_SURE):
                yield question.id + PAUSED
        for outcome in self.flow.outcomes:
            yield OUTCOME + outcome
        yield CHECK
        yield ENDED

    def _edges(self) -> Iterator[Drawn]:
        open_states = [state for state in self._states() if not self.is_final(state)]
        for question in self.flow.questions.values():
            yield from self._question_edges(question)
        for outcome in self.flow.outcomes.values():
            if outcome.then:
                yield Drawn(f"{OUTCOME}{outcome.id}.next", OUTCOME + outcome.id, outcome.then, ())
        yield Drawn(f"{CHECK}.confirm", CHECK, ENDED, ())
        for state in open_states:
            if state == OUTCOME + self.emergency:
                continue
            if self.emergency in self.flow.outcomes and state != self.flow.roles.question("emergency"):
                yield Drawn(EMERGENCY_NOW, state, OUTCOME + self.emergency, ())
            if self.bulk in self.flow.questions and not self.is_about_bulk(state):
                yield Drawn(BULK_ASK, state, self.bulk, ())

    def _question_edges(self, question: Question) -> Iterator[Drawn]:
        sources = [question.id]
        if question.option(NOT_SURE):
            sources.append(question.id + PAUSED)
        for option in question.options:
            for source in sources:
                if option.id == NOT_SURE and source != question.id:
                    continue
                for edge in option.edges:
                    yield _drawn(f"{question.id}.{option.id}", source, edge, option.offered_when)
        if question.text != "no":
            yield from (_drawn(f"{question.id}.text", question.id, edge) for edge in question.edges)
        if question.text == "optional":
            yield from (_drawn(f"{question.id}.skip", question.id, edge) for edge in question.edges)
        if question.option(NOT_SURE):
            paused, procedures = question.id + PAUSED, self.flow.roles.outcome("follow_procedures")
            if procedures in self.flow.outcomes:
                # Advice must not delay the procedures where a child may be suffering harm.
                yield Drawn(f"{paused}.leave", paused, OUTCOME + procedures, ("harm_concern",))
            yield Drawn(f"{paused}.leave", paused, OUTCOME + self.flow.roles.outcome("seek_advice"), ())

    # ---- asking -------------------------------------------------------------------------------
    @property
    def states(self) -> tuple[str, ...]:
        """Every conversational state of the flow."""
        return tuple(self._drawn)

    @property
    def drawn(self) -> tuple[Drawn, ...]:
        """Every arrow of the flow, in the author's order."""
        return tuple(drawn for drawns in self._drawn.values() for drawn in drawns)

    def is_about_bulk(self, state: str) -> bool:
        """Return whether a state belongs to the question about bulk exchange."""
        return state.removesuffix(PAUSED) == self.bulk or state in (BULK_ASK, split(BULK_ASK)[0])

    def may_be_left_out(self, state: str) -> bool:
        """Return whether a state asks for a detail that the record does not need."""
        question = self.flow.questions.get(state)
        return question is not None and question.may_be_left_out

    def is_final(self, state: str) -> bool:
        """Return whether a walk in this state has ended."""
        if state.startswith(OUTCOME):
            return self.flow.outcomes[state.removeprefix(OUTCOME)].then is None
        return state == ENDED

    def outcome_at(self, state: str) -> Outcome | None:
        """Return the outcome of a state, or None."""
        return self.flow.outcomes[state.removeprefix(OUTCOME)] if state.startswith(OUTCOME) else None

    def question_at(self, state: str) -> Question | None:
        """Return the question of a state, asked or paused, or None."""
        return self.flow.questions.get(state.removesuffix(PAUSED))

    def offered(self, state: str, taken: Taken) -> tuple[str, ...]:
        """Return the triggers that lead on from this state now, in the author's order, without interrupts."""
        found: dict[str, None] = {}
        for drawn in self._drawn[state]:
            if drawn.trigger in (EMERGENCY_NOW, BULK_ASK):
                continue
            key, verb = split(drawn.trigger)
            after = replace(taken, options={**taken.options, key: verb})
            if all(PREDICATES[name](after) for name in drawn.when):
                found[drawn.trigger] = None
        return tuple(found)

    def has(self, state: str, trigger: str) -> bool:
        """Return whether this state has this trigger at all."""
        return trigger in self._known[state]

    def fire(self, token: Token, trigger: str, taken: Taken) -> Taken | None:
        """Move the token and return the answers with this one added, or None if the trigger does not fit here."""
        if not self.has(token.state, trigger):
            return None
        key, verb = split(trigger)
        earlier = taken.options.get(key)
        taken.options[key] = verb
        if not self._machine.events[trigger].trigger(token, taken):
            if earlier is None:
                del taken.options[key]
            else:
                taken.options[key] = earlier
            return None
        outcome = self.outcome_at(token.state)
        return replace(taken, outcome=outcome.id, agrees_with=outcome.agrees_with) if outcome else taken

    def reachable(self, state: str) -> frozenset[str]:
        """Return every state reachable from here, ignoring guards and interrupts."""
        if state not in self._reach:
            seen, todo = {state}, [state]
            while todo:
                for drawn in self._drawn[todo.pop()]:
                    if drawn.trigger not in (EMERGENCY_NOW, BULK_ASK) and drawn.target not in seen:
                        seen.add(drawn.target)
                        todo.append(drawn.target)
            self._reach[state] = frozenset(seen)
        return self._reach[state]


def _drawn(trigger: str, source: str, edge: Edge, offered_when: str | None = None) -> Drawn:
    return Drawn(trigger, source, edge.to, tuple(name for name in (offered_when, edge.when) if name))
