"""Answering correctly equals answering wrongly and then correcting, for every path and every single change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.definition import NOT_SURE
from flows.machine import CHECK, split
from flows.navigation import (
    Answer,
    UnexpectedAnswer,
    back,
    change,
    changeable,
    choose,
    confirm_change,
    replay,
    simulate,
    start,
)
from tests.support.counts import COUNTS
from tests.support.paths import AT, BOOK, ENTRIES, all_walks, plain_text, representatives, text_for, to_outcomes, words

LATER = "2026-02-03T04:05:06.000000Z"


def checked(machine, walk):
    """Return the walk at its check-your-answers page, or None if it never reaches one."""
    answers = {state: answer for state, answer in walk.answers.items() if state != CHECK}
    at_check = replace(walk, answers=answers)
    return at_check if replay(machine, at_check).state == CHECK else None


def follow(machine, walk, answers):
    """Give these answers wherever they are asked for, until the check page."""
    for _ in range(100):
        position = replay(machine, walk)
        if position.state == CHECK or position.state not in answers:
            return walk
        answer = answers[position.state]
        walk = choose(machine, walk, f"{position.state}.{answer.verb}", AT, words(answer.text))
    raise AssertionError("does not end")


def to_check(machine, walk):
    """Take the first way offered, until the check page or an end."""
    for _ in range(100):
        position = replay(machine, walk)
        if position.state == CHECK or position.is_finished:
            return walk
        trigger = position.offered[0]
        walk = choose(machine, walk, trigger, LATER, text_for(trigger))
    raise AssertionError("does not end")


def paths(flow, entry):
    """Return every way to an outcome, to change what led there, and every way after an outcome once, to change that part.

    Ways that differ only in how much of the optional rest was skipped count as one.
    """
    machine = BOOK.machine(flow)
    seen: set[tuple[object, ...]] = set()
    guided = ("screen", "question", "detail")
    walks = [(to_check(machine, walk), guided) for walk in to_outcomes(flow, entry)]
    walks += [(walk, ("how", "recording")) for walk, _ in all_walks(flow, entry)]
    for walk, kinds in walks:
        direct = checked(machine, walk)
        if direct is None:
            continue
        questions = machine.flow.questions
        steps = replay(machine, direct).path
        key = (
            kinds,
            *(
                step
                for step in steps
                if split(step)[0] not in questions or not questions[split(step)[0]].may_be_left_out
            ),
        )
        if key not in seen:
            seen.add(key)
            yield direct, [q for q in changeable(replay(machine, direct)) if questions[q].kind in kinds]


def answered(machine, walk, question, answer):
    """Change one answer from the check page, and confirm what it drops."""
    walk = choose(machine, change(machine, walk, question), f"{question}.{answer.verb}", answer.at, words(answer.text))
    return confirm_change(machine, walk) if walk.pending else walk


@pytest.mark.slow
@pytest.mark.parametrize(("flow", "entry"), ENTRIES)
def test_wrong_then_corrected_equals_direct(flow, entry):
    machine = BOOK.machine(flow)
    for direct, questions in paths(flow, entry):
        COUNTS[f"paths with every single change, {flow} from {entry}"] += 1
        wanted = replay(machine, direct)
        for question in questions:
            right = direct.answers[question]
            for trigger in replay(machine, change(machine, direct, question)).offered:
                verb = split(trigger)[1]
                if verb in (right.verb, NOT_SURE):
                    continue
                wrong = to_check(machine, answered(machine, direct, question, Answer(verb, LATER, plain_text(trigger))))
                if replay(machine, wrong).is_finished:
                    continue  # an emergency is recorded at once, so nothing can be corrected
                corrected = follow(machine, answered(machine, wrong, question, right), direct.answers)
                corrected = bring_in_line(machine, corrected, wanted, direct)
                got = replay(machine, corrected)
                assert got.state == CHECK
                assert got.path == wanted.path
                assert got.duties == wanted.duties
                COUNTS[f"single changes corrected, {flow} from {entry}"] += 1


def bring_in_line(machine, corrected, wanted, direct):
    """Answers first given on the wrong way were kept as the person's last word: give them anew where they differ."""
    for state, answer in wanted.live:
        given = corrected.answers.get(state)
        if given is None or given.verb != answer.verb:
            got = replay(machine, corrected)
            if got.state == CHECK and state in changeable(got):
                corrected = follow(machine, answered(machine, corrected, state, answer), direct.answers)
    return corrected


def test_a_change_says_what_it_drops_before_it_happens_and_keeps_the_rest():
    machine = BOOK.machine("sharing")
    walk = start(machine)
    for trigger in ("emergency.no", "harm.no", "initiative.asked", "purpose.yes", "identifiable.yes", "confidential.yes",
                    "sensitive.no", "consent.yes", "consent_kind.explicit", "outcome.share.next", "decision.share",
                    "how_amount.done", "how_fact_opinion.done", "how_right_person.done", "how_secure.done",
                    "how_inform.aware", "purpose_kind.court", "shared_what.worry", "shared_with.police"):  # fmt: skip
        walk = choose(machine, walk, trigger, AT)
    walk = choose(machine, walk, "reasons.text", AT, words("because"))
    walk = choose(machine, walk, "case_reference.skip", AT)
    at_consent = change(machine, walk, "consent")
    waiting = choose(machine, at_consent, "consent.no", AT)
    assert waiting.answers == walk.answers, "nothing happens before the yes"
    told = simulate(machine, at_consent, "consent", waiting.pending).dropped
    assert "consent_kind" in told
    assert "decision" in told
    assert "shared_with" not in told
    assert back(machine, waiting) == walk, "keeping it leaves everything as it was"
    changed = confirm_change(machine, waiting)
    assert replay(machine, changed).state == "consent_kind"
    assert changed.offered["consent_kind"].verb == "explicit"
    assert changed.answers["shared_with"].verb == "police"
    assert replay(machine, changed).offered == tuple(
        f"consent_kind.{kind}" for kind in ("refused", "withdrawn", "cannot_be_given", "not_sought", "not_sure")
    )


def test_only_answers_on_the_way_can_be_changed():
    machine = BOOK.machine("sharing")
    with pytest.raises(UnexpectedAnswer):
        change(machine, start(machine), "purpose")


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_mix_of_answers_backs_and_changes_leaves_a_walk_that_replays(data):
    flow, entry = data.draw(st.sampled_from(ENTRIES))
    machine = BOOK.machine(flow)
    walk = start(machine, entry)
    for _ in range(data.draw(st.integers(1, 40))):
        position = replay(machine, walk)
        if position.is_finished:
            break
        acts = ["choose", "choose", "choose", "back"]
        if walk.pending:
            acts = ["confirm", "back"]
        elif position.state == CHECK:
            acts.append("change")
        act = data.draw(st.sampled_from(acts))
        before = replay(machine, walk)
        if act == "choose":
            trigger = data.draw(st.sampled_from(representatives(machine, walk)))
            walk = choose(machine, walk, trigger, AT, text_for(trigger))
        elif act == "back":
            walk = back(machine, walk)
        elif act == "confirm":
            walk = confirm_change(machine, walk)
        else:
            walk = change(machine, walk, data.draw(st.sampled_from(changeable(position))))
        after = replay(machine, walk)
        assert {state for state, _ in after.live} <= set(walk.answers)
        assert not set(walk.answers) & set(walk.offered)
        if act == "back" and not before.is_changing and before.live and not before.walk.interrupt:
            assert len(after.live) < len(before.live)


def test_back_returns_to_the_previous_question_and_offers_its_answer_again():
    machine = BOOK.machine("sharing")
    walk = choose(machine, start(machine), "emergency.no", AT)
    walk = choose(machine, walk, "harm.yes", AT)
    returned = back(machine, walk)
    assert replay(machine, returned).state == "harm"
    assert returned.offered["harm"].verb == "yes"
    assert back(machine, start(machine)) == start(machine)
