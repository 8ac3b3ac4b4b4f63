"""Every record that a walk can produce fits docs/record.schema.json, to the last field."""

from __future__ import annotations

import copy
import json

import jsonschema_rs
import pytest

from bot.domain import record
from flows.navigation import replay
from storage.members import MemberRow
from storage.records import Stored
from tests.support.counts import COUNTS
from tests.support.paths import AT, BOOK, ENTRIES, all_walks
from tests.support.schema import SCHEMA, fits

MEMBER = MemberRow(1, 100, "practitioner", "north", AT, None)


def a_record(flow, walk):
    position = replay(BOOK.machine(flow), walk)
    clear = {
        **record.clear_columns(position, BOOK.edition, MEMBER, "test"), "id": "0" * 32, "reference": "SW-2345-6789",
        "conversation_id": "1" * 32, "started_at": AT, "finished_at": AT,
    }  # fmt: skip
    history = [{"at": AT, "act": f"{state}.{answer.verb}"} for state, answer in position.live]
    return Stored(clear, record.content(position, BOOK.edition, history), ())


@pytest.mark.parametrize(("flow", "entry"), ENTRIES)
def test_the_record_of_every_walk_fits_the_schema(flow, entry):
    for walk, _ in all_walks(flow, entry):
        fits(a_record(flow, walk))
        COUNTS["records of walks that fit the published schema"] += 1


def test_the_schema_refuses_what_is_no_record():
    walk, _ = next(iter(all_walks(*ENTRIES[0])))
    good = json.loads(json.dumps(record.exported(a_record(ENTRIES[0][0], walk))))
    SCHEMA.validate(good)
    for spoil in (
        lambda record: record.pop("reference"), lambda record: record.update(more=1), lambda record: record.update(otherwise=1),
        lambda record: record["content"].pop("reasons"), lambda record: record["content"].update(name="x"),
        lambda record: record["amendments"].append({"seq": 1, "at": AT, "kind": "other"}), lambda record: record.update(format=2),
    ):  # fmt: skip
        broken = copy.deepcopy(good)
        spoil(broken)
        with pytest.raises(jsonschema_rs.ValidationError):
            SCHEMA.validate(broken)
