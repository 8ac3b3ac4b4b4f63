"""The checks of an edition, one per function. Each yields sentences with file and id."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from flows.definition import ON_THE_CHART, AnswerCard, Edge, Edition, Flow, Question, Together
from flows.machine import BULK_ASK, CHECK, EMERGENCY_NOW, ENDED, OUTCOME, PAUSED, FlowMachine, split
from flows.predicates import PREDICATES, READS
from flows.roles import DUTIES, OUTCOMES, PASSAGES, QUESTIONS, STARTS

# Telegram allows 4096 characters a message, 64 bytes of button data and shows about 40 characters of a button.
# A card holds the question, its help and up to two notes: these limits leave room for the rest.
LONGEST_LABEL = 300
LONGEST_HELP = 900
LONGEST_OPTION = 40
LONGEST_PASSAGE = 1200
LONGEST_ID = 26
# An answer card is read on a phone at one glance; its `asked` and `label` are buttons.
LONGEST_ANSWER = 260
LONGEST_ASKED = 60
LONGEST_CARD_LABEL = 26
MOST_CITED = 2
MOST_NEXT = 4
#: Words of strength in an answer -> what a cited passage must be or say, so that no answer is stronger than its source.
STRENGTHS = {
    "must": ("must", "required", "requires"),
    "should": ("should",),
    "good practice": ("good_practice",),
    "may": ("may", "possible"),
}


def problems(edition: Edition) -> list[str]:
    """Return every problem of an edition as a sentence; an empty list means it can be used."""
    found = [*_passages(edition), *_duties(edition), *_cards(edition), *_roles(edition)]
    for flow in edition.flows.values():
        before = len(found)
        found += [f"{edition.id}/flows/{flow.id}.yaml: {text}" for text in _flow(edition, flow)]
        if len(found) == before:
            machine = FlowMachine(flow)
            found += [f"{edition.id}/flows/{flow.id}.yaml: {text}" for text in _ways(machine)]
    return found


def _passages(edition: Edition) -> Iterator[str]:
    for passage in edition.passages.values():
        if len(passage.text) > LONGEST_PASSAGE:
            yield f"{edition.id}/texts.en.yaml: passages.{passage.id}: longer than {LONGEST_PASSAGE} characters"


def _duties(edition: Edition) -> Iterator[str]:
    for duty in edition.duties.values():
        where = f"{edition.id}/texts.en.yaml: duties.{duty.id}"
        yield from (f"{where}: {text}" for text in _citations(edition, duty.cites))


def _cards(edition: Edition) -> Iterator[str]:
    """Check that every passage stands on a card, and that no answer is longer or stronger than it may be."""
    where, questions = f"{edition.id}/answers.yaml", {key for flow in edition.flows.values() for key in flow.questions}
    on_cards = {key for card in edition.cards.values() for key in (*card.cites, *card.more)}
    for key in edition.passages.keys() - on_cards:
        yield f"{where}: {key}: this passage stands on no card"
    for card in edition.cards.values():
        yield from (f"{where}: {card.id}: {text}" for text in _citations(edition, (*card.cites, *card.more)))
        for name, text, longest in (
            ("asked", card.asked, LONGEST_ASKED),
            ("label", card.label, LONGEST_CARD_LABEL),
            ("answer", " ".join((card.answer, *card.conditions)), LONGEST_ANSWER + 200 * bool(card.conditions)),
            ("id", card.id, LONGEST_ID),
        ):
            if len(text) > longest:
                yield f"{where}: {card.id}: {name} is longer than {longest} characters"
        if len(card.cites) > MOST_CITED:
            yield f"{where}: {card.id}: cites more than {MOST_CITED} passages; the others belong to more"
        if len(card.then) > MOST_NEXT:
            yield f"{where}: {card.id}: then: offers more than {MOST_NEXT} cards"
        yield from (f'{where}: {card.id}: then: "{key}" is no card' for key in card.then if key not in edition.cards)
        if card.question is not None and card.question not in questions:
            yield f'{where}: {card.id}: question: "{card.question}" is no question of a flow'
        yield from (f"{where}: {card.id}: {text}" for text in _too_strong(edition, card))


def _too_strong(edition: Edition, card: AnswerCard) -> Iterator[str]:
    cited = [edition.passages[key] for key in card.cites if key in edition.passages]
    said = " ".join(f"{passage.strength} {passage.text}" for passage in cited).lower()
    for word, sources in STRENGTHS.items():
        if _has(" ".join((card.answer, *card.conditions)).lower(), word) and not any(
            _has(said, one) for one in sources
        ):
            yield f'says "{word}", which no passage that it cites says'


def _has(text: str, word: str) -> bool:
    return re.search(rf"\b{word}\b", text) is not None


def _roles(edition: Edition) -> Iterator[str]:
    """Check that every required role is filled, and that every named role and node exists."""
    roles, where = edition.roles, f"{edition.id}/roles.yaml"
    questions = {key: question for flow in edition.flows.values() for key, question in flow.questions.items()}
    outcomes = {key for flow in edition.flows.values() for key in flow.outcomes}
    for part, named, known, needed in (
        ("questions", roles.questions, questions.keys(), QUESTIONS),
        ("outcomes", roles.outcomes, outcomes, OUTCOMES),
        ("duties", roles.duties, edition.duties.keys(), DUTIES),
        ("passages", roles.passages, edition.passages.keys(), PASSAGES),
    ):
        for role in {**dict.fromkeys(needed), **named}:
            if named.get(role, role) not in known:
                yield f'{where}: {part}.{role}: "{named.get(role, role)}" fills this role and does not exist'
        yield from (
            f'{where}: {part}.{role}: the id "{role}" is taken by another node'
            for role, node in named.items()
            if role != node and role in known and role not in named.values()
        )
    for role, options in {**roles.options, **{r: dict.fromkeys(o, "") for r, o in QUESTIONS.items()}}.items():
        question = questions.get(roles.question(role))
        for name in options:
            if question and not question.option(roles.option(role, name)):
                yield f'{where}: options.{role}.{name}: "{roles.option(role, name)}" fills this role and does not exist'
    for command in {**dict.fromkeys(STARTS), **roles.starts}:
        start = roles.starts.get(command)
        flow = edition.flows.get(start.flow) if start else None
        if start is None or flow is None:
            yield f"{where}: starts.{command}: names no flow of this edition"
        elif start.entry and start.entry not in flow.entries:
            yield f'{where}: starts.{command}: "{start.entry}" is no entry of {flow.id}'
        else:
            answered = {split(answer)[0]: (split(answer)[1],) for answer in start.answers}
            yield from _options(f"{where}: starts.{command}", flow.questions, answered)
    yield from (f'{where}: rules: "{key}" is no passage' for key in roles.rules if key not in edition.passages)
    for duty, step in roles.steps.items():
        if duty not in edition.duties:
            yield f"{where}: steps.{duty}: is no duty"
        yield from _options(f"{where}: steps.{duty}", questions, step.done)
    for look in roles.look_again:
        yield from _options(f"{where}: look_again", questions, {look.question: look.options, **look.beside})


def _options(where: str, questions: Mapping[str, Question], named: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Check that questions and their options exist."""
    for key, options in named.items():
        if key not in questions:
            yield f"{where}: {key} is no question"
        elif missing := [option for option in options if not questions[key].option(option)]:
            yield f"{where}: {key} has no option {missing[0]}"


def _citations(edition: Edition, cites: tuple[str, ...]) -> Iterator[str]:
    if not cites:
        yield "cites no passage"
    for cite in cites:
        if cite not in edition.passages:
            yield f'cites "{cite}", which is no passage'


def _flow(edition: Edition, flow: Flow) -> Iterator[str]:
    states = {*flow.questions, *(OUTCOME + key for key in flow.outcomes), CHECK}
    states |= {question.id + PAUSED for question in flow.questions.values()}
    for entry in (flow.start, *flow.entries):
        if entry not in flow.questions:
            yield f'entry "{entry}" is no question'
    if not flow.entries:
        yield "has no entry"
    for question in flow.questions.values():
        yield from (f"{question.id}: {text}" for text in _question(edition, flow, question, states))
    for outcome in flow.outcomes.values():
        yield from (f"outcome {outcome.id}: {text}" for text in _citations(edition, outcome.cites))
        if outcome.then not in (None, CHECK, ENDED, *flow.questions):
            yield f'outcome {outcome.id}: then "{outcome.then}" is no question'
        if not outcome.duties:
            yield f"outcome {outcome.id}: has no duty; every ending is recorded"
        for use in outcome.duties:
            yield from (f"outcome {outcome.id}: {text}" for text in _duty_known(edition, use.duty, use.when))
    for role in OUTCOMES:
        if flow.roles.outcome(role) not in flow.outcomes:
            yield f'outcome "{flow.roles.outcome(role)}" is missing: it must be reachable from everywhere'


def _question(edition: Edition, flow: Flow, question: Question, states: set[str]) -> Iterator[str]:
    yield from _citations(edition, question.cites)
    if len(question.id) > LONGEST_ID:
        yield f"id is longer than {LONGEST_ID} characters, too long for a button"
    for name, text, longest in (
        ("label", question.label, LONGEST_LABEL),
        ("why", question.why, LONGEST_HELP),
    ):
        if len(text) > longest:
            yield f"{name} is longer than {longest} characters"
    ids = [option.id for option in question.options]
    if question.kind in ON_THE_CHART:
        yield from (f'option "{need}" is missing' for need in ("yes", "no", "not_sure") if need not in ids)
    if not ids and question.text == "no":
        yield "has no option and takes no text: a dead end"
    if question.text != "no" and not question.edges:
        yield "takes text but says no next"
    for option in question.options:
        if len(option.label) > LONGEST_OPTION:
            yield f"option {option.id}: label is longer than {LONGEST_OPTION} characters"
        if not option.edges:
            yield f"option {option.id}: leads nowhere"
        if option.offered_when is not None and option.offered_when not in PREDICATES:
            yield f'option {option.id}: no predicate is called "{option.offered_when}"'
        yield from (f"option {option.id}: {text}" for text in _edges(option.edges, states))
        for duty in option.duties:
            yield from (f"option {option.id}: {text}" for text in _duty_known(edition, duty, None))
    if question.may_be_left_out and question.text != "optional":
        yield "may be left out, so it must take optional text"
    for one in question.together:
        yield from (f"together.{one.id}: {text}" for text in _together(flow, question, one))
    yield from _edges(question.edges, states)


def _together(flow: Flow, question: Question, one: Together) -> Iterator[str]:
    """Check a button that answers several questions: it answers its own first, and every answer exists."""
    if len(one.label) > LONGEST_OPTION:
        yield f"label is longer than {LONGEST_OPTION} characters"
    if len(one.answers) > 1 and question.option(one.id):
        yield "has the id of an option"
    if one.offered_when is not None and one.offered_when not in PREDICATES:
        yield f'no predicate is called "{one.offered_when}"'
    if not one.answers or split(one.answers[0])[0] != question.id:
        yield f"does not answer {question.id} first"
    for answer in one.answers:
        key, option = split(answer)
        if key not in flow.questions or not flow.questions[key].option(option):
            yield f'answers "{answer}", which does not exist'


def _edges(edges: tuple[Edge, ...], states: set[str]) -> Iterator[str]:
    for edge in edges:
        if edge.to not in states:
            yield f'leads to "{edge.to}", which does not exist'
        if edge.when is not None and edge.when not in PREDICATES:
            yield f'no predicate is called "{edge.when}"'
    if edges and edges[-1].when is not None:
        yield "its last way on has a condition, so a walk may be stuck there"


def _duty_known(edition: Edition, duty: str, when: str | None) -> Iterator[str]:
    if duty not in edition.duties:
        yield f'duty "{duty}" is not written'
    if when is not None and when not in PREDICATES:
        yield f'no predicate is called "{when}"'


def _ways(machine: FlowMachine) -> Iterator[str]:
    flow = machine.flow
    reached = machine.reachable(flow.start)
    if machine.bulk in flow.questions:
        reached |= machine.reachable(machine.bulk)
    for name in sorted({name for drawn in machine.drawn for name in drawn.when}):
        read = [flow.roles.question(role) for role in READS[name]]
        if read and not set(read) & set(flow.questions):
            yield f"condition {name}: looks at {', '.join(read)}, which this flow never asks"
    for state in machine.states:
        interrupt_end = state == OUTCOME + machine.emergency
        if state not in reached and not interrupt_end:
            yield f"{state}: cannot be reached from {flow.start}"
        ends = [other for other in machine.reachable(state) if machine.is_final(other)]
        if not ends:
            yield f"{state}: no way from here to an end"
    yield from (f"{state}: goes round in a circle" for state in _circles(machine))
    reached_entries = [entry for entry in flow.entries if entry not in reached]
    yield from (f"entry {entry}: cannot be reached from {flow.start}" for entry in reached_entries)
    if ENDED not in reached:
        yield f"{ENDED}: cannot be reached"


def _circles(machine: FlowMachine) -> Iterator[str]:
    """Yield the states that lead back to themselves without any condition on the way."""
    onward: dict[str, set[str]] = {state: set() for state in machine.states}
    for drawn in machine.drawn:
        if (
            not drawn.when
            and drawn.trigger not in (EMERGENCY_NOW, BULK_ASK)
            and not machine.is_about_bulk(drawn.source)
        ):
            onward[drawn.source].add(drawn.target)
    for state in machine.states:
        seen, todo = set[str](), list(onward[state])
        while todo:
            following = todo.pop()
            if following not in seen:
                seen.add(following)
                todo += onward[following]
        if state in seen:
            yield state
