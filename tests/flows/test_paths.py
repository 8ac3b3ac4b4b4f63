"""Walk every simple path of both flows; every ending keeps the promises of the guidance."""

from __future__ import annotations

import pytest

from flows.machine import CHECK, EMERGENCY_NOW, ENDED, OUTCOME, PAUSED
from flows.navigation import UnexpectedAnswer, choose, interrupt, replay, start
from tests.support.counts import COUNTS
from tests.support.paths import AT, BOOK, ENTRIES, all_walks, to_outcomes

FLOWS = sorted(BOOK.machines)


@pytest.mark.parametrize(("flow", "entry"), ENTRIES)
def test_every_option_on_the_way_to_an_outcome_is_walked_and_every_outcome_is_cited_and_recorded(flow, entry):
    machine = BOOK.machine(flow)
    for walk in to_outcomes(flow, entry, every_option=True):
        COUNTS[f"ways to an outcome, every option, {flow} from {entry}"] += 1
        position = replay(machine, walk)
        assert position.outcome
        assert "record_decision" in position.duties
        assert set(position.cites(BOOK.edition.duties)) <= set(BOOK.edition.passages)
        assert position.outcome.cites


@pytest.mark.parametrize(("flow", "entry"), ENTRIES)
def test_every_simple_path_ends_and_gives_a_record_its_must_haves(flow, entry):
    machine = BOOK.machine(flow)
    seen: set[str] = set()
    for walk, stands_for in all_walks(flow, entry):
        COUNTS[f"simple paths, {flow} from {entry}"] += stands_for
        COUNTS[f"simple paths walked to their end, {flow} from {entry}"] += 1
        position = replay(machine, walk)
        seen |= {state for state, _ in position.live} | {position.state}
        assert position.is_finished
        options = position.taken.options
        if position.state == ENDED:
            if position.taken.outcome in ("emergency", "out_of_scope"):
                continue
            assert options["check"] == "confirm"
            if position.taken.outcome != "seek_advice":
                assert "text" in (options.get("reasons"), options.get("otherwise_reason"))
                assert "decision" in options
        if options.get("decision") in ("share", "share_part"):
            assert {"purpose_kind", "shared_what", "shared_with", "how_amount"} <= set(options)
            assert options.get("identifiable") == "no" or "how_inform" in options
        if options.get("harm") == "yes" and position.taken.outcome != "emergency":
            assert position.taken.outcome != "do_not_share"
            assert "follow_procedures" in position.duties
    reachable = machine.reachable(machine.flow.start)
    assert seen <= reachable | {OUTCOME + "out_of_scope"}


@pytest.mark.parametrize("flow", FLOWS)
def test_the_six_plain_paths_and_the_board_test_point_where_the_advice_says(flow):
    # Read straight from the advice: P purpose, I identifiable, C confidential, K consent, R other reason.
    def by_advice(options):
        for question, end_on, outcome in (
            ("purpose", "no", "do_not_share"), ("identifiable", "no", "share"), ("confidential", "no", "share"),
        ):  # fmt: skip
            if options[question] == end_on:
                return outcome
        counted = options["consent"] == "yes"
        if counted and options["sensitive"] != "no" and options["consent_kind"] == "implied":
            counted = False
        if counted or options["other_reason"] == "yes":
            return "share"
        return "do_not_share"

    def by_section_14b(options):
        def yes(question):
            return options.get(question) == "yes"

        if "use_for_board_functions" in options:
            return "share" if yes("use_for_board_functions") else "use_not_allowed"
        conditions = yes("requester_lscb") and yes("c1") and yes("c2")
        third = yes("c3a") or yes("c3b") or yes("c3c")
        fourth = yes("c4a") and yes("c4b")
        return "must_comply" if conditions and (third or fourth) else "not_required"

    machine = BOOK.machine(flow)
    for entry in machine.flow.entries:
        for walk in to_outcomes(flow, entry):
            position = replay(machine, walk)
            options = position.taken.options
            if options["emergency"] == "yes":
                expected = "emergency"
            else:
                expected = (by_advice if flow == "sharing" else by_section_14b)(options)
            if expected == "do_not_share" and options["harm"] == "yes":
                expected = "follow_procedures"
            assert position.taken.outcome == expected, position.path
            COUNTS[f"outcomes compared with a second reading of the advice, {flow}"] += 1


@pytest.mark.slow
@pytest.mark.parametrize("flow", FLOWS)
def test_not_sure_pauses_never_counts_as_no_and_can_be_answered_or_left(flow):
    machine = BOOK.machine(flow)
    from tests.support.paths import walk_to

    for question in machine.flow.questions.values():
        if not question.option("not_sure"):
            continue
        walk = walk_to(flow, question.id)
        paused = choose(machine, walk, f"{question.id}.not_sure", AT)
        position = replay(machine, paused)
        assert position.state == question.id + PAUSED
        assert position.taken.outcome is None
        left = replay(machine, choose(machine, paused, f"{question.id}.paused.leave", AT))
        harm = position.taken.options.get("harm") == "yes" and flow == "sharing"
        assert left.taken.outcome == ("follow_procedures" if harm else "seek_advice")
        assert "record_advice_outcome" in left.duties
        assert "seek_advice" in left.duties
        for option in question.options:
            trigger = f"{question.id}.{option.id}"
            if trigger in position.offered:
                direct = replay(machine, choose(machine, walk, trigger, AT))
                later = replay(machine, choose(machine, paused, trigger, AT))
                assert (later.state, later.taken.options) == (direct.state, direct.taken.options)
                COUNTS[f"answers given after a pause, {flow}"] += 1


@pytest.mark.parametrize("flow", FLOWS)
def test_emergency_is_one_step_away_from_every_open_state(flow):
    machine = BOOK.machine(flow)
    for state in machine.states:
        if not machine.is_final(state) and state not in ("emergency", OUTCOME + "emergency"):
            assert machine.has(state, EMERGENCY_NOW), state
            COUNTS[f"states with emergency one step away, {flow}"] += 1
    assert machine.has("emergency", "emergency.yes")


def test_an_interrupt_after_the_end_is_refused_and_changes_nothing():
    machine = BOOK.machine("sharing")
    ended = choose(machine, start(machine), "emergency.yes", AT)
    with pytest.raises(UnexpectedAnswer):
        interrupt(machine, ended, "bulk", AT)


@pytest.mark.slow
@pytest.mark.parametrize("flow", FLOWS)
def test_a_trigger_that_is_not_offered_raises_and_changes_nothing(flow):
    machine = BOOK.machine(flow)
    from tests.support.paths import walk_to

    every = {drawn.trigger for drawn in machine.drawn}
    for state in machine.states:
        if machine.is_final(state):
            continue
        walk = walk_to(flow, state)
        position = replay(machine, walk)
        for trigger in every - set(position.offered):
            with pytest.raises(UnexpectedAnswer):
                choose(machine, walk, trigger, AT)
            COUNTS[f"state x trigger refused, {flow}"] += 1
        COUNTS[f"states x triggers taken, {flow}"] += len(position.offered)
    assert CHECK in machine.states
