"""Replaying a walk from a later position gives the same walk as replaying it from its start."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from flows.navigation import (
    UnexpectedAnswer,
    as_dict,
    back,
    change,
    changeable,
    choose,
    choose_earlier,
    confirm_change,
    from_dict,
    interrupt,
    replay,
    start,
)
from tests.support.counts import COUNTS
from tests.support.paths import AT, BOOK, ENTRIES, text_for


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(some.data(), some.sampled_from(ENTRIES))
def test_whatever_people_do_a_walk_stands_where_a_replay_from_the_start_says(data, entered):
    flow, entry = entered
    machine = BOOK.machine(flow)
    walk = start(machine, entry)
    for _ in range(30):
        here = replay(machine, walk)
        acts = [(choose, trigger, AT, text_for(trigger)) for trigger in here.offered] * 3
        acts += [
            (back,),
            (confirm_change,),
            (choose_earlier, AT),
            (interrupt, "bulk", AT),
            (interrupt, "emergency", AT),
        ]
        acts += [(change, question) for question in changeable(here)]
        act, *more = data.draw(some.sampled_from(acts))
        with suppress(UnexpectedAnswer):
            walk = act(machine, walk, *more)
        stands, anew = replay(machine, walk), replay(machine, from_dict(as_dict(walk)))
        assert (stands.state, stands.live, stands.taken) == (anew.state, anew.live, anew.taken)
        assert [*stands.taken.options] == [*anew.taken.options]
        assert stands.offered == anew.offered
        COUNTS["positions held against a replay from the start"] += 1
        if stands.is_finished:
            return
