"""Every way through a flow, walked on the machine: one option for each difference that a route or a predicate can see."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import cache

from flows.catalogue import open_book
from flows.machine import FlowMachine, split
from flows.navigation import Walk, add_details, choose, interrupt, replay, start
from flows.predicates import READS
from flows.screening import Screened, screened

BOOK = open_book("hmg-2015")
READ = {question for questions in READS.values() for question in questions}
#: The questions that predicates after an outcome read.
READ_AFTER = {
    question
    for name in (
        "harm_concern",
        "was_asked",
        "nobody_identifiable",
        "decided_otherwise",
        "will_share",
        "refused_asker",
        "advice_was_sought",
    )
    for question in READS[name]
}
AT = "2026-01-02T03:04:05.000000Z"


@cache
def words(text: str | None) -> Screened | None:
    """Return words as screened, as a walk takes them."""
    return None if text is None else screened(text)


def plain_text(trigger: str) -> str | None:
    """Return plain words for a trigger that takes typed words."""
    state, verb = split(trigger)
    if verb != "text":
        return None
    return "CASE-1" if state == "case_reference" else f"words on {state}"


def text_for(trigger: str) -> Screened | None:
    """Return words for a trigger that takes typed words, as a walk takes them."""
    return words(plain_text(trigger))


def representatives(machine: FlowMachine, walk: Walk) -> list[str]:
    """Return one trigger for each different way on; all of a question that a predicate reads."""
    position = replay(machine, walk)
    found: dict[tuple[str, str], str] = {}
    for trigger in position.offered:
        state, verb = split(trigger)
        after = replay(machine, choose(machine, walk, trigger, AT, text_for(trigger)))
        key = (after.state, verb if state in READ else "")
        found.setdefault(key, trigger)
    return list(found.values())


def all_walks(flow: str, entry: str) -> Iterator[tuple[Walk, int]]:
    """Yield every finished walk from an entry, without pauses, each with the number of simple paths it represents.

    Every way to an outcome is walked. What follows an outcome depends only on what predicates read, so its ways are
    walked once for each such set of facts and counted for every way that leads there with the same facts.
    """
    machine = BOOK.machine(flow)
    ways: dict[tuple[str, str], list[Walk]] = {}
    for walk in to_outcomes(flow, entry):
        position = replay(machine, walk)
        facts = {key: verb for key, verb in position.taken.options.items() if key in READ_AFTER}
        ways.setdefault((position.state, repr(sorted(facts.items()))), []).append(walk)
    for same in ways.values():
        todo = [same[0]]
        while todo:
            walk = todo.pop()
            if replay(machine, walk).is_finished:
                yield walk, len(same)
                continue
            if replay(machine, walk).left_out:
                todo.append(add_details(machine, walk))
            for trigger in representatives(machine, walk):
                todo.append(choose(machine, walk, trigger, AT, text_for(trigger)))


def to_outcomes(flow: str, entry: str, *, every_option: bool = False) -> Iterator[Walk]:
    """Yield every walk from an entry to an outcome."""
    machine = BOOK.machine(flow)
    todo = [start(machine, entry)]
    while todo:
        walk = todo.pop()
        position = replay(machine, walk)
        if position.outcome:
            yield walk
            continue
        triggers = position.offered if every_option else representatives(machine, walk)
        for trigger in triggers:
            if split(trigger)[1] == "not_sure":
                continue
            todo.append(choose(machine, walk, trigger, AT, text_for(trigger)))


ENTRIES = [(flow, entry) for flow, machine in BOOK.machines.items() for entry in machine.flow.entries]


def walk_to(flow: str, state: str) -> Walk:
    """Return a shortest walk to this state."""
    return walks_to(flow)[state]


@cache
def walks_to(flow: str) -> dict[str, Walk]:
    """Return a shortest walk to every open state of a flow."""
    machine = BOOK.machine(flow)
    found: dict[str, Walk] = {}
    seen: set[str] = set()
    todo = deque(start(machine, entry) for entry in machine.flow.entries)
    todo.extend(interrupt(machine, start(machine, entry), "bulk", AT) for entry in machine.flow.entries)
    wanted = {state for state in machine.states if not machine.is_final(state)}
    while todo and wanted - found.keys():
        walk = todo.popleft()
        position = replay(machine, walk)
        found.setdefault(position.state, walk)
        facts = sorted((key, verb) for key, verb in position.taken.options.items() if key in READ)
        mark = f"{position.state} {walk.entry} {bool(walk.unsure)} {walk.interrupt} {walk.details} {facts}"
        if mark in seen or position.is_finished:
            continue
        seen.add(mark)
        todo.extend(choose(machine, walk, trigger, AT, text_for(trigger)) for trigger in position.offered)
        if position.left_out:
            todo.append(add_details(machine, walk))
    return found
