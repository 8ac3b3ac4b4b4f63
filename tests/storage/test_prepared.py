"""Statements given straight to the driver: correct on both databases, with errors reported like any other."""

from __future__ import annotations

import importlib
import json
import math
import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import select

import storage
from storage import inbox, outbox
from storage.core.faults import StorageUnavailable
from storage.core.json_bytes import dumps, loads
from storage.core.statements import DIALECTS, Prepared, among
from storage.opening import open_store
from tests.support.stores import KEYS, migrated

ALL = {
    f"{module.name.rpartition('.')[2]}.{name}": value
    for module in pkgutil.walk_packages(storage.__path__, "storage.")
    if "migrations" not in module.name
    for name, value in vars(importlib.import_module(module.name)).items()
    if isinstance(value, Prepared)
}
#: Statements for PostgreSQL only.
POSTGRESQL = {"locks._RELEASE", "locks._WAIT", "inbox._KEYS_FREE", "outbox._CHATS_FREE"}


@pytest.mark.parametrize("name", ALL)
def test_every_statement_is_one_that_the_database_takes(store, name):
    with store.unit() as unit:
        if unit.is_sqlite and name in POSTGRESQL:
            return
        kind = unit.connection.dialect.name
        written, fixed = ALL[name].compiled(kind)
        compiled = ALL[name].statement.compile(dialect=DIALECTS[kind], column_keys=ALL[name].columns)
        asked = {key: None for key, bind in compiled.binds.items() if bind.required and not key.startswith("%")}
        assert unit.driver.execute(f"explain {written}", {**asked, **fixed}).fetchall()


def test_the_many_are_found_and_no_others(store):
    numbers = [-5, 0, 3, 2**40, -(2**40)]
    within = Prepared(select(outbox.OUTBOX.c.chat_id).where(among(outbox.OUTBOX.c.chat_id, "these")))
    without = Prepared(select(outbox.OUTBOX.c.chat_id).where(~among(outbox.OUTBOX.c.chat_id, "these")))
    with store.unit() as unit:
        for number in numbers:
            outbox.enqueue(unit, number, "message", {"text": "x"})
        for these in ([], [3], [7], numbers[:3], [*numbers, 9]):
            assert {row.chat_id for row in within.all(unit, {"these": these})} == set(numbers) & set(these)
            assert {row.chat_id for row in without.all(unit, {"these": these})} == set(numbers) - set(these)


def test_trouble_at_any_step_of_an_act_is_the_databases_never_the_acts(tmp_path):
    """SQLite keeps working while rows are fetched: interrupt it at every step of a use case in turn."""
    store = open_store(migrated(tmp_path / "x.db"), KEYS)
    with store.unit() as unit:
        driver = unit.driver
    step, fine = 0, False
    while not fine:
        step += 1
        try:
            with store.unit() as unit:
                left = iter(range(step))
                driver.set_progress_handler(lambda left=left: next(left, None) is None, 1)
                try:
                    outbox.enqueue(unit, 1, "card", {"text": "x"}, "card")
                    inbox.take_in(unit, 1, [{"update_id": step}], "2026-01-01")
                    assert inbox.claim(unit, 1)
                    assert outbox.claim(unit)
                finally:
                    driver.set_progress_handler(None, 0)
            fine = True
        except StorageUnavailable:
            continue
    assert step > 100, "it was interrupted at many steps"
    store.close()


values = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**63), 2**63 - 1) | some.floats(allow_nan=False) | some.text(),
    lambda below: some.lists(below) | some.dictionaries(some.text(), below),
)


@pytest.mark.slow
@given(values)
def test_plain_values_come_back_as_they_went(value):
    if "Infinity" in json.dumps(value):
        return
    assert loads(dumps(value)) == json.loads(json.dumps(value)) == value
    assert loads(json.dumps(value).encode()) == value, "also what was sealed in Python's own way"


def test_half_a_character_and_what_only_python_calls_json_are_read():
    assert loads(b'{"a": "\\ud800"}') == {"a": "\ud800"} == loads(dumps({"a": "\ud800"}))
    assert math.isnan(loads(b"NaN"))
    with pytest.raises(ValueError, match="Expecting"):
        loads(b"{")
