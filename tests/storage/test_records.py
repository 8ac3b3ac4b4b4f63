"""Records, ledger and mailboxes, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from flows.screening import screened
from storage import backlog, conversations, inbox, members, outbox, records
from storage.core import ledger
from storage.core.faults import StorageRefused, StorageUnavailable
from storage.core.models import LONGEST_CAUSE
from storage.core.sealing import Keyring, SealBroken
from storage.opening import open_store
from storage.operations import integrity
from tests.support.stores import KEYS

AT = "2026-01-02T03:04:05.000000Z"
CANARY = "canary-7c1f"


def a_member(unit):
    return members.save(unit, 100, "practitioner", "north", AT, "test")


def a_conversation(unit, chat=100):
    member = members.get(unit, 100) or a_member(unit)
    return conversations.start(
        unit, conversations.Begun(chat, member.id, "hmg-2015", "0" * 64, "sharing"), {"said": CANARY}, AT
    )


def a_record(unit, chat=100, case="CASE-1"):
    opened = a_conversation(unit, chat)
    ended = conversations.save(unit, opened, {"said": CANARY}, {"act": "check.confirm"}, AT, "finished")
    clear = {
        "conversation_id": ended.id, "member_id": ended.member_id, "role": "practitioner", "team": "north",
        "edition_id": "hmg-2015", "edition_sha256": "0" * 64, "bot_version": "test", "flow": "sharing",
        "outcome": "share", "decision": "share", "otherwise": False, "harm": False, "ground": None, "consent": None,
        "started_at": AT, "finished_at": AT,
    }  # fmt: skip
    return records.save(unit, clear, {"reasons": CANARY, "case_reference": case}, case, "member:1")[1], ended


def run(store, work):
    with store.unit() as unit:
        return work(unit)


def test_a_record_is_found_by_a_reference_that_can_be_read_out(store):
    reference, _ = run(store, a_record)
    assert reference.startswith("SW-")
    assert not set(reference[3:]) & set("01OIL")
    with store.unit() as unit:
        stored = records.find(unit, reference)
        assert stored.content["reasons"] == CANARY
        assert next(records.listed(unit)).clear["reference"] == reference
        assert integrity.verify(unit).broken is None


def test_a_conversation_has_one_record_at_most(store):
    _, ended = run(store, a_record)
    with pytest.raises(IntegrityError), store.unit() as unit:
        clear = {**records.of_conversation(unit, ended.id).clear}
        del clear["id"], clear["reference"]
        records.save(unit, clear, {}, None, "member:1")
    assert run(store, lambda unit: len(list(records.listed(unit)))) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "update decision_record set outcome = 'do_not_share'",
        "update decision_record set content = 'x'",
        "delete from decision_record",
        "update ledger set actor = 'nobody'",
        "delete from ledger",
        "update amendment set at = 'x'",
        "delete from amendment",
        "update conversation_event set at = 'x'",
        "delete from conversation_event",
    ],
)
def test_the_database_itself_refuses_to_change_what_was_written(store, statement):
    reference, _ = run(store, a_record)
    with store.unit() as unit:
        stored = records.find(unit, reference)
        records.amend(unit, stored.clear["id"], 1, screened("later"), AT, "member:1")
    with pytest.raises((DBAPIError, StorageUnavailable)), store.unit() as unit:
        unit.connection.execute(text(statement))
    with store.unit() as unit:
        assert integrity.verify(unit).broken is None
        assert records.find(unit, reference).amendments[0]["text"] == "later"


TAMPERINGS = [
    ("decision_record", "update decision_record set outcome = 'do_not_share' where reference = :r"),
    ("decision_record", "update decision_record set team = 'south' where reference = :r"),
    ("decision_record", "update decision_record set finished_at = '2020' where reference = :r"),
    ("decision_record", "update decision_record set case_hash = null where reference = :r and 1 = 0"),
    ("decision_record", "delete from decision_record where reference = :r"),
    ("amendment", "delete from amendment"),
    ("amendment", "update amendment set at = '2020'"),
    ("ledger", "update ledger set actor = 'nobody' where seq = 2"),
    ("ledger", "delete from ledger where seq = 2"),
    ("ledger", "update ledger set digest = previous where seq = 2"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("table", "statement"), TAMPERINGS)
def test_verify_finds_what_was_changed_behind_the_triggers(store, table, statement):
    with store.unit() as unit:
        reference, _ = a_record(unit)
        a_record(unit, chat=101, case=None)
        records.amend(unit, records.find(unit, reference).clear["id"], 1, screened("later"), AT, "member:1")
        if unit.is_sqlite:
            unit.connection.execute(text(f"drop trigger {table}_no_update"))
            unit.connection.execute(text(f"drop trigger {table}_no_delete"))
        else:
            unit.connection.execute(text(f"alter table {table} disable trigger user"))
        if table == "decision_record" and statement.startswith("delete"):
            if unit.is_sqlite:
                unit.connection.execute(text("drop trigger amendment_no_delete"))
            else:
                unit.connection.execute(text("alter table amendment disable trigger user"))
            unit.connection.execute(text("delete from amendment"))
        changed = unit.connection.execute(text(statement), {"r": reference} if ":r" in statement else {})
        broken = integrity.verify(unit).broken
        assert (broken is None) == (changed.rowcount == 0), broken


def test_verify_finds_every_changed_byte_of_a_sealed_record(store):
    with store.unit() as unit:
        reference, _ = a_record(unit)
        unit.connection.execute(
            text(
                "drop trigger decision_record_no_update"
                if unit.is_sqlite
                else "alter table decision_record disable trigger user"
            )
        )
        sealed = unit.connection.execute(text("select content from decision_record")).scalar_one()
        for place in range(len(sealed)):
            spoilt = bytearray(sealed)
            spoilt[place] ^= 1
            unit.connection.execute(text("update decision_record set content = :c"), {"c": bytes(spoilt)})
            assert integrity.verify(unit).broken.where == reference


def test_two_sealed_values_cannot_change_places(store):
    with store.unit() as unit:
        a_record(unit)
        a_record(unit, chat=101)
        if unit.is_sqlite:
            unit.connection.execute(text("drop trigger decision_record_no_update"))
        else:
            unit.connection.execute(text("alter table decision_record disable trigger user"))
        rows = unit.connection.execute(text("select id, content from decision_record")).all()
        for row, other in zip(rows, reversed(rows), strict=True):
            unit.connection.execute(
                text("update decision_record set content = :c where id = :i"), {"c": other.content, "i": row.id}
            )
        with pytest.raises(SealBroken):
            list(records.listed(unit))


def test_another_master_key_opens_nothing_and_says_so(url):
    store = open_store(url, KEYS)
    run(store, a_record)
    store.close()
    with pytest.raises(StorageRefused, match="another master key"):
        open_store(url, Keyring(bytes(32)))
    # During a rotation, both keys are given.
    open_store(url, Keyring(bytes(32), bytes(range(32)))).close()


def test_another_master_key_is_refused_when_only_a_name_was_sealed(url):
    store = open_store(url, KEYS)
    run(store, lambda unit: members.save(unit, 9, "practitioner", "north", AT, "test", screened("the night lead")))
    store.close()
    with pytest.raises(StorageRefused, match="another master key"):
        open_store(url, Keyring(bytes(32)))


def test_a_chat_has_one_open_conversation_and_a_stale_save_is_refused(store):
    opened = run(store, a_conversation)
    with pytest.raises(IntegrityError):
        run(store, a_conversation)
    saved = run(store, lambda unit: conversations.save(unit, opened, {"said": 2}, {"act": "x"}, AT))
    assert saved.revision == 2
    with pytest.raises(conversations.RevisionMoved):
        run(store, lambda unit: conversations.save(unit, opened, {"said": 3}, {"act": "y"}, AT))
    assert run(store, lambda unit: conversations.get_open(unit, 100)).walk == {"said": 2}


def test_an_act_that_fails_leaves_nothing_behind(store):
    def fail(unit):
        a_record(unit)
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        run(store, fail)
    with store.unit() as unit:
        assert list(records.listed(unit)) == []
        assert list(ledger.entries(unit)) == []
        assert members.get(unit, 100) is None


def test_an_update_is_taken_in_once_and_handled_once(store):
    updates = [{"update_id": 7, "text": CANARY}, {"update_id": 8}, {"update_id": 7}]
    assert run(store, lambda unit: inbox.take_in(unit, 1, updates, AT)) == 2
    assert run(store, lambda unit: inbox.take_in(unit, 1, updates, AT)) == 0
    assert [taken.update_id for taken in run(store, lambda unit: inbox.claim(unit, 1))] == [7, 8]
    assert run(store, lambda unit: inbox.mark_handled(unit, 1, 7)) is True
    assert run(store, lambda unit: inbox.mark_handled(unit, 1, 7)) is False
    with store.unit() as unit:
        assert unit.connection.execute(text("select payload from inbox where update_id = 7")).scalar() is None


def test_a_failing_update_is_parked_after_three_tries_and_holds_up_nobody(store):
    run(store, lambda unit: inbox.take_in(unit, 1, [{"update_id": 7}, {"update_id": 8}], AT))
    first = run(store, lambda unit: inbox.claim(unit, 1))[0]
    assert [run(store, lambda unit: inbox.count_failure(unit, first.id, "it was hot")) for _ in range(3)] == [
        False,
        False,
        True,
    ]
    assert [taken.update_id for taken in run(store, lambda unit: inbox.claim(unit, 1))] == [8]
    (parked,) = run(store, backlog.parked)
    assert (parked.what, parked.name, parked.tries, parked.cause) == ("update", "7", 3, "it was hot")
    assert run(store, lambda unit: backlog.retry(unit, "update", parked.id))
    assert run(store, backlog.parked) == []
    assert len(run(store, lambda unit: inbox.claim(unit, 1))) == 2


def test_the_outbox_gives_the_oldest_message_of_each_chat_and_a_newer_card_replaces_an_unsent_one(store):
    with store.unit() as unit:
        outbox.enqueue(unit, 5, "message", {"text": "a"})
        outbox.enqueue(unit, 5, "message", {"text": "b"})
        outbox.enqueue(unit, 6, "card", {"text": "old", "below": True}, "c1")
        outbox.enqueue(unit, 6, "card", {"text": "new"}, "c1")
        found = outbox.claim(unit)
        assert [message.payload["text"] for message in found] == ["a", "new"]
        assert found[1].payload["below"] is True
        assert [message.chat_id for message in outbox.claim(unit, [5])] == [6]
        outbox.mark_sent(unit, found[0].id)
        outbox.park(unit, found[1].id, "x" * 500)
        assert [message.payload["text"] for message in outbox.claim(unit)] == ["b"]
        assert [(one.name, one.cause) for one in backlog.parked(unit)] == [("card", "x" * LONGEST_CAUSE)]


def test_nothing_that_was_said_is_readable_in_the_files(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'x.db'}", KEYS)
    run(store, a_record)
    run(store, lambda unit: inbox.take_in(unit, 1, [{"update_id": 7, "text": CANARY}], AT))
    run(store, lambda unit: outbox.enqueue(unit, 5, "message", {"text": CANARY}))
    found = [path.name for path in tmp_path.iterdir() if CANARY.encode() in path.read_bytes()]
    store.close()
    assert found == []


def test_a_member_that_ended_is_no_member(store):
    run(store, a_member)
    assert run(store, lambda unit: members.end(unit, 100, AT, "test"))
    assert run(store, lambda unit: members.get(unit, 100)) is None
    assert not run(store, lambda unit: members.end(unit, 100, AT, "test"))
    again = run(store, lambda unit: members.save(unit, 100, "supervisor", "south", AT, "test"))
    assert (again.role, again.ended_at) == ("supervisor", None)
