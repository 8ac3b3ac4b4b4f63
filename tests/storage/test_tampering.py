"""Somebody with the database but not the key changes rows: verification finds it, given a head stored elsewhere."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect, text

from flows.screening import screened
from storage import members, records, reviews
from storage.core import ledger
from storage.core.ledger import FIELDS, START, digest_of
from storage.operations import integrity
from tests.storage.test_records import AT, a_conversation, a_record, run
from tests.support.counts import COUNTS

TABLES = ("decision_record", "amendment", "ledger", "review_event")


def written(unit):
    """Write three records with a note and a review each, then remove the triggers that protect them."""
    for number in range(3):
        reference, _ = a_record(unit, 100 + number, f"CASE-{number}")
        stored = records.find(unit, reference)
        records.amend(unit, stored.clear["id"], 1, screened("later"), AT, "member:1")
        reviews.begin(unit, stored.clear["id"], stored.clear, rank=4)
        supervisor = members.save(unit, 200, "supervisor", "north", AT, "test")
        found = reviews.get(unit, stored.clear["id"])
        reviews.act(
            unit, found, "comment", "new", reviews.Author(supervisor.id, "supervisor", AT), comment=screened("seen")
        )
    head = ledger.head(unit)
    for table in TABLES:
        if unit.is_sqlite:
            triggers = text("select name from sqlite_master where type = 'trigger' and tbl_name = :t")
            for name in list(unit.connection.scalars(triggers, {"t": table})):
                unit.connection.execute(text(f"drop trigger {name}"))
        else:
            unit.connection.execute(text(f"alter table {table} disable trigger user"))
    return head


def change(unit, statement):
    unit.connection.execute(text(statement))


def swap(unit, table, key, columns):
    """Swap two rows, except their keys."""
    rows = (
        unit.connection.execute(text(f"select {key}, {columns} from {table} order by {key} limit 2")).mappings().all()
    )
    for row, other in zip(rows, reversed(rows), strict=True):
        names = ", ".join(f"{name.strip()} = :{name.strip()}" for name in columns.split(","))
        unit.connection.execute(text(f"update {table} set {names} where {key} = :k"), {**other, "k": row[key]})


def chained_anew(unit):
    """Recompute the whole chain, as somebody who knows how would."""
    previous = START
    for number, row in enumerate(
        unit.connection.execute(text("select * from ledger order by seq")).mappings().all(), 1
    ):
        entry = {**{name: row[name] for name in FIELDS}, "seq": number, "previous": previous}
        previous = digest_of(entry)
        unit.connection.execute(
            text("update ledger set seq = :seq, previous = :previous, hash = :hash where seq = :old"),
            {"seq": number, "previous": entry["previous"], "hash": previous, "old": row["seq"]},
        )


def drop_a_record_and_rewrite(unit):
    record = unit.connection.execute(text("select id from decision_record order by id limit 1")).scalar_one()
    for table, column in (
        ("review", "record_id"),
        ("review_event", "record_id"),
        ("amendment", "record_id"),
        ("decision_record", "id"),
    ):
        unit.connection.execute(text(f"delete from {table} where {column} = :r"), {"r": record})
    unit.connection.execute(text("delete from ledger where subject like :s"), {"s": f"%{record}%"})
    chained_anew(unit)


def an_entry_in_the_middle(unit):
    unit.connection.execute(text("update ledger set seq = -seq - 1 where seq > 2"))
    unit.connection.execute(text("update ledger set seq = -seq where seq < 0"))
    change(
        unit,
        "insert into ledger select 3, at, actor, 'record.read', subject, '', previous, hash from ledger where seq = 2",
    )


def a_record_of_nobody(unit):
    columns = [c["name"] for c in inspect(unit.connection).get_columns("decision_record")]
    made = {"id": "'f0'", "reference": "'SW-2222-2222'", "conversation_id": f"'{a_conversation(unit, 500).id}'"}
    values = ", ".join(made.get(name, name) for name in columns)
    change(unit, f"insert into decision_record ({', '.join(columns)}) select {values} from decision_record limit 1")


KINDS = {
    "edit a clear column": lambda unit: change(unit, "update decision_record set outcome = 'emergency'"),
    "edit sealed content": lambda unit: change(unit, "update amendment set content = (select content from review_event limit 1)"),
    "edit a review": lambda unit: change(unit, "update review_event set act = 'sign_off'"),
    "edit the ledger": lambda unit: change(unit, "update ledger set actor = 'member:9' where seq = 2"),
    "edit the ledger and its hash": lambda unit: (change(unit, "update ledger set actor = 'member:9' where seq = 2"), chained_anew(unit)),
    "delete a note": lambda unit: change(unit, "delete from amendment"),
    "delete a review": lambda unit: change(unit, "delete from review_event"),
    "delete an entry": lambda unit: change(unit, "delete from ledger where seq = 3"),
    "delete an entry and chain anew": lambda unit: (change(unit, "delete from ledger where seq = 3"), chained_anew(unit)),
    "insert an entry": an_entry_in_the_middle,
    "insert an entry and chain anew": lambda unit: (an_entry_in_the_middle(unit), chained_anew(unit)),
    "insert a record": a_record_of_nobody,
    "swap two entries": lambda unit: swap(unit, "ledger", "seq", "at, actor, action, subject, digest, previous, hash"),
    "swap two records' content": lambda unit: swap(unit, "decision_record", "id", "content"),
    "swap two records' keys and content": lambda unit: swap(unit, "decision_record", "id", "content, wrapped_key"),
    "swap two notes": lambda unit: swap(unit, "amendment", "id", "content"),
    "cut the end": lambda unit: change(unit, "delete from ledger where seq = (select max(seq) from ledger)"),
    "cut the end of all": lambda unit: change(unit, "delete from ledger"),
    "rewrite all without one record": drop_a_record_and_rewrite,
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_tampering_is_found(store, kind):
    head = run(store, written)
    with store.unit() as unit:
        assert integrity.verify(unit).broken is None
        assert ledger.holds(unit, *head)
    run(store, KINDS[kind])
    with store.unit() as unit:
        assert integrity.verify(unit).broken is not None or not ledger.holds(unit, *head)
    COUNTS["kinds of tampering found, on both databases"] += 1
