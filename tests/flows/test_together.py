"""A button that answers several questions does what answering them one by one does, and is undone with one Back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows.definition import InvalidEdition
from flows.loader import EDITIONS, load
from flows.machine import CHECK, ENDED, OUTCOME, split
from flows.navigation import BEGINNING, add_details, back, choose, give, happened_earlier, interrupt, replay, start
from tests.support.counts import COUNTS
from tests.support.paths import AT, BOOK, ENTRIES, to_outcomes, walks_to

FLOWS = sorted(BOOK.machines)


def every_position(flow):
    """Yield walks to every question and outcome, by every way to an outcome and by a shortest way to each state."""
    machine = BOOK.machine(flow)
    seen = set()
    walks = [walk for entry in machine.flow.entries for walk in to_outcomes(flow, entry)]
    for walk in [*walks, *walks_to(flow).values()]:
        while True:
            position = replay(machine, walk)
            key = (position.state, position.path)
            if key not in seen:
                seen.add(key)
                yield walk
            shorter = back(machine, walk)
            if shorter == walk:
                break
            walk = shorter


@pytest.mark.slow
@pytest.mark.parametrize("flow", FLOWS)
def test_answering_together_equals_answering_one_by_one(flow):
    machine = BOOK.machine(flow)
    for walk in every_position(flow):
        for answers in replay(machine, walk).together.values():
            together = replay(machine, give(machine, walk, answers, AT))
            single, later = walk, dict(split(answer) for answer in answers)
            while later and (state := replay(machine, single).state.removesuffix(".paused")) in later:
                single = choose(machine, single, f"{state}.{later.pop(state)}", AT)
            one_by_one = replay(machine, single)
            kept = {key: together.walk.answers[key].verb for key in later}
            assert kept == later, "what is not reached yet is kept until it is"
            assert together.path[: len(one_by_one.path)] == one_by_one.path
            if not later:
                assert (together.state, together.duties) == (one_by_one.state, one_by_one.duties)
            COUNTS["taps that answer several questions"] += 1


@pytest.mark.slow
@pytest.mark.parametrize("flow", FLOWS)
def test_one_back_takes_back_one_tap(flow):
    machine = BOOK.machine(flow)
    for walk in every_position(flow):
        before = replay(machine, walk)
        if before.is_paused:
            continue  # Back leads to the question, which is then asked anew.
        for answers in before.together.values():
            after = back(machine, give(machine, walk, answers, AT))
            assert replay(machine, after).path == before.path
            assert replay(machine, after).state.removesuffix(".paused") == before.state.removesuffix(".paused")
            COUNTS["taps taken back"] += 1


@pytest.mark.parametrize("flow", FLOWS)
def test_an_emergency_taken_back_leaves_the_walk_as_it_was(flow):
    machine = BOOK.machine(flow)
    for state, walk in walks_to(flow).items():
        first = state in ("emergency", "emergency.paused", OUTCOME + "emergency", ENDED)
        if first or walk.interrupt or replay(machine, walk).state != state:
            continue
        raised = interrupt(machine, walk, "emergency", AT)
        assert replay(machine, raised).state == OUTCOME + "emergency"
        assert back(machine, raised) == walk, state
        earlier = replay(machine, happened_earlier(machine, raised, AT))
        assert earlier.taken.chose("emergency", "earlier")
        assert earlier.taken.chose("harm", "yes")
        COUNTS["states with an emergency taken back"] += 1


@pytest.mark.parametrize(("flow", "entry"), ENTRIES)
def test_what_one_came_for_is_never_asked_and_survives_every_back(flow, entry):
    machine = BOOK.machine(flow)
    for begins in BOOK.edition.roles.starts.values():
        if begins.flow != flow or not begins.answers:
            continue
        walk = give(machine, start(machine, entry), begins.answers, AT, card=BEGINNING)
        for _ in range(40):
            position = replay(machine, walk)
            assert position.state not in [split(answer)[0] for answer in begins.answers]
            if position.state == CHECK:
                break
            calm = [trigger for trigger in position.offered if trigger != "emergency.yes"]
            walk = choose(machine, walk, calm[0], AT)
        while (shorter := back(machine, walk)) != walk:
            walk = shorter
        assert {f"{state}.{answer.verb}" for state, answer in walk.answers.items()} == set(begins.answers)


def test_details_are_asked_on_demand_only_and_none_is_needed():
    machine = BOOK.machine("sharing")
    walk = next(walk for walk in walks_to("sharing").values() if replay(machine, walk).state == "necessary")
    walk = replace(walk, details=False)
    position = replay(machine, walk)
    assert position.state == CHECK
    assert position.left_out
    asked, walk = [], add_details(machine, walk)
    while (state := replay(machine, walk).state) != CHECK:
        asked.append(state)
        walk = choose(machine, walk, replay(machine, walk).offered[0], AT)
    assert set(position.left_out) <= set(asked)
    assert replay(machine, walk).left_out == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("early_help: [purpose.yes, purpose_kind.early_help]", "early_help: [purpose.yes, purpose_kind.late_help]",
         'together.early_help: answers "purpose_kind.late_help", which does not exist'),
        ("early_help: [purpose.yes,", "early_help: [purpose_kind.court,", "together.early_help: does not answer purpose first"),
    ],
)  # fmt: skip
def test_a_button_that_answers_what_does_not_exist_is_told(tmp_path, old, new, told):
    import shutil

    folder = tmp_path / "hmg-2015"
    shutil.copytree(EDITIONS / "hmg-2015", folder)
    file = folder / "flows" / "sharing.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidEdition) as found:
        load(folder)
    assert any(told in problem for problem in found.value.problems), found.value
