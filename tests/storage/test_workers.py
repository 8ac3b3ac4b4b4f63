"""Several workers on one store: who works on what, what commits together, and how fast messages are sent."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.usecases.outbox import GROUP, PRIVATE, all_together
from storage import inbox, members, outbox, questions, rate_limits, timers
from storage.core import ledger, locks
from storage.core.faults import StorageUnavailable
from storage.core.store import BATCH
from storage.opening import open_store
from storage.operations import integrity
from storage.rate_limits import Budget, Rate
from tests.conftest import postgresql_url
from tests.storage.test_records import AT, run
from tests.support.counts import COUNTS
from tests.support.stores import KEYS


@pytest.fixture
def two(postgresql, migrated_postgresql):
    """Two workers' stores over one PostgreSQL database."""
    url = postgresql_url(postgresql, f"two_{uuid.uuid4().hex}", migrated_postgresql)
    stores = open_store(url, KEYS), open_store(url, KEYS)
    yield stores
    for store in stores:
        store.close()


def update(number, person, kind="message"):
    return {"update_id": number, kind: {"from": {"id": person}, "chat": {"id": person}, "text": "x"}}


def ids(found):
    return [taken.update_id for taken in found]


# ---- ordering keys and chats ------------------------------------------------------------------------------
def test_an_ordering_key_is_worked_on_by_one_worker_and_free_again_after_it(two):
    one, other = two
    run(one, lambda unit: inbox.take_in(unit, 1, [update(1, 7), update(2, 8), update(3, 7, "callback_query")], AT))
    mine = run(one, lambda unit: inbox.claim(unit, 1, keys=1))
    assert ids(mine) == [1, 3], "a person's texts and presses have one ordering key, and stay in order"
    theirs = run(other, lambda unit: inbox.claim(unit, 1))
    assert ids(theirs) == [2]
    assert run(other, lambda unit: inbox.claim(unit, 1, busy=[theirs[0].ordering_key])) == []
    run(one, lambda unit: inbox.release(unit, [mine[0].ordering_key]))
    assert ids(run(other, lambda unit: inbox.claim(unit, 1, busy=[theirs[0].ordering_key]))) == [1, 3]


def test_a_worker_whose_connection_ends_leaves_no_lock_behind(two):
    one, other = two
    run(one, lambda unit: inbox.take_in(unit, 1, [update(1, 7)], AT))
    assert ids(run(one, lambda unit: inbox.claim(unit, 1))) == [1]
    assert run(one, lambda unit: locks.acquire(unit, "poll", 1))
    assert not run(other, lambda unit: locks.acquire(unit, "poll", 1))
    one.disconnect()
    assert ids(run(other, lambda unit: inbox.claim(unit, 1))) == [1]
    assert run(other, lambda unit: locks.acquire(unit, "poll", 1))


def test_what_two_workers_take_in_at_once_is_there_once_and_handled_once(two):
    one, other = two
    with one.unit() as first, other.unit() as second:
        inbox.take_in(first, 1, [update(1, 7)], AT)
        first.connection.commit()
        inbox.take_in(second, 1, [update(1, 7), update(2, 7)], AT)
    assert ids(run(one, lambda unit: inbox.claim(unit, 1))) == [1, 2]
    assert [run(store, lambda unit: inbox.mark_handled(unit, 1, 1)) for store in two] == [True, False]


def test_a_chat_is_sent_to_by_one_worker_and_what_is_just_noted_as_sent_is_passed_over(two):
    one, other = two
    for chat in (5, 5, 6):
        run(one, lambda unit, chat=chat: outbox.enqueue(unit, chat, "message", {"text": str(chat)}))
    (first,) = run(one, lambda unit: outbox.claim(unit, limit=1))
    assert first.chat_id == 5
    assert [message.chat_id for message in run(other, lambda unit: outbox.claim(unit))] == [6]
    with one.unit() as unit:
        outbox.mark_sent(unit, first.id)
        outbox.release(unit, [5])
        # The lock is released, but the note that it was sent is not committed yet.
        assert run(other, lambda unit: outbox.claim(unit, [6])) == []
    assert [m.payload["text"] for m in run(other, lambda unit: outbox.claim(unit, [6]))] == ["5"]


@pytest.mark.parametrize("keys", [1, 5])
def test_one_persons_flood_does_not_keep_others_out(store, keys):
    flood = [update(number, 7) for number in range(1000)]
    run(store, lambda unit: inbox.take_in(unit, 1, [*flood, update(5000, 8)], AT))
    first = run(store, lambda unit: inbox.claim(unit, 1, keys=keys))
    busy = sorted({taken.ordering_key for taken in first})
    found = first + run(store, lambda unit: inbox.claim(unit, 1, busy=busy, keys=keys))
    per_person = Counter(taken.payload["message"]["from"]["id"] for taken in found)
    assert per_person[8] == 1
    assert per_person[7] <= 16


# ---- committing together ----------------------------------------------------------------------------
def together(store, works):
    """Have all of these wait before the first one starts."""
    go = threading.Event()
    held = store.run(lambda unit: go.wait(10))
    waiting = [store.run(*work) for work in works]
    go.set()
    return asyncio.gather(held, *waiting, return_exceptions=True)


async def test_what_waits_together_commits_together_and_one_that_fails_harms_no_other(store):
    commits = []
    event.listen(store.engine, "commit", commits.append)

    def add(unit, number):
        members.save(unit, number, "practitioner", "north", AT, "test")
        if number % 3 == 0:
            raise ValueError(number)
        return number

    _, *done = await together(store, [(add, number) for number in range(1, 101)])
    fine = [number for number in range(1, 101) if number % 3]
    assert [one for one in done if not isinstance(one, ValueError)] == fine
    assert len(commits) <= 1 + 100 // BATCH + 1
    with store.unit() as unit:
        assert [member.telegram_id for member in members.listed(unit)] == fine
        assert len(list(ledger.entries(unit))) == len(fine)
        assert integrity.verify(unit).broken is None


async def test_a_broken_rule_of_the_database_is_told_to_its_own_piece_only(store):
    def twice(unit):
        for _ in range(2):
            unit.connection.execute(
                inbox.INBOX.insert().values(bot_id=1, update_id=1, state="waiting", tries=0, received_at=AT)
            )

    added = [store.run(members.save, number, "practitioner", "north", AT, "test") for number in (1, 2)]
    found = await asyncio.gather(added[0], store.run(twice), added[1], return_exceptions=True)
    assert isinstance(found[1], IntegrityError)
    assert found[0].telegram_id == 1
    assert found[2].telegram_id == 2


async def test_when_all_fails_together_each_is_done_alone(store):
    tries = Counter()

    def passing(unit, number):
        tries[number] += 1
        members.save(unit, number, "practitioner", "north", AT, "test")
        if number == 1 and tries[1] == 1:
            raise OperationalError("", None, sqlite3.OperationalError("locked"))
        return number

    _, *found = await together(store, [(passing, number) for number in (0, 1, 2)])
    assert found == [0, 1, 2]
    assert tries == {0: 2, 1: 2, 2: 1}
    with store.unit() as unit:
        assert {member.telegram_id for member in members.listed(unit)} == {0, 1, 2}
        assert len(list(ledger.entries(unit))) == 3


@pytest.mark.parametrize("alone", [True, False])
async def test_locks_taken_in_a_transaction_that_fails_are_free_for_others(two, alone):
    one, other = two
    run(one, lambda unit: inbox.take_in(unit, 1, [update(1, 7)], AT))
    run(one, lambda unit: outbox.enqueue(unit, 5, "message", {"text": "x"}))

    def fails(unit):
        assert ids(inbox.claim(unit, 1)) == [1]
        assert len(outbox.claim(unit)) == 1
        assert locks.acquire(unit, "poll", 1)
        raise ValueError("after the locks")

    connected = one.connected
    if alone:
        with pytest.raises(ValueError, match="after the locks"):
            await one.run(fails)
    else:
        _, failed, kept = await together(one, [(fails,), (locks.acquire, "poll", 2)])
        assert isinstance(failed, ValueError)
        assert kept is True
        assert not run(other, lambda unit: locks.acquire(unit, "poll", 2)), "a piece that went well keeps its lock"
    assert one.connected == connected
    assert ids(run(other, lambda unit: inbox.claim(unit, 1))) == [1]
    assert len(run(other, outbox.claim)) == 1
    assert run(other, lambda unit: locks.acquire(unit, "poll", 1))


async def test_a_deadlock_is_done_again_and_costs_nobody_the_connection(two):
    """Two workers, each with two rows of the other's: PostgreSQL ends one of the transactions."""
    for number, store in enumerate(two, 1):
        run(store, lambda unit, number=number: members.save(unit, number, "practitioner", "north", AT, "test"))
    both = threading.Barrier(2, timeout=10)
    waited: set[int] = set()

    def mark(unit, worker, number):
        members.set_unreachable(unit, number, AT)
        if worker not in waited:
            waited.add(worker)
            both.wait()

    connected = [store.connected for store in two]
    work = (together(two[n], [(mark, n, 1 + n), (mark, n, 2 - n)]) for n in (0, 1))
    done = await asyncio.wait_for(asyncio.gather(*work), 30)
    assert all(result is None for _, *results in done for result in results)
    assert [store.connected for store in two] == connected


def test_a_server_that_is_read_only_for_a_moment_is_the_databases_trouble(two):
    one, _ = two
    run(one, lambda unit: members.get(unit, 9))
    connected = one.connected
    with pytest.raises(StorageUnavailable), one.unit() as unit:
        unit.connection.exec_driver_sql("set transaction read only")
        members.save(unit, 9, "practitioner", "north", AT, "test")
    run(one, lambda unit: members.save(unit, 9, "practitioner", "north", AT, "test"))
    assert one.connected == connected + 1, "the address may lead to another server now"


def test_two_workers_that_note_the_same_new_card_at_once(two):
    """Both have posted it: one lost its connection, and with it the lock of the chat, in the middle of the call."""
    one, other = two
    with ThreadPoolExecutor(1) as thread:
        with one.unit() as unit:
            outbox.set_card(unit, "card", 5, 7)
            second = thread.submit(run, other, lambda unit: outbox.set_card(unit, "card", 5, 8))
            waits = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")
            while not second.done() and not unit.connection.scalar(waits):
                unit.connection.execute(text("select pg_stat_clear_snapshot()"))
        second.result(10)
    assert run(one, lambda unit: outbox.card_of(unit, "card", 5)) == 8


def test_two_workers_that_are_the_first_to_send_share_one_budget(two):
    """Nothing was sent recently, so there is no row that the first worker could lock."""
    at_once, go = 8, threading.Barrier(8, timeout=10)
    url = two[0].engine.url.render_as_string(hide_password=False)
    stores = [open_store(url, KEYS) for _ in range(at_once)]

    def spend(store):
        go.wait()
        with store.unit() as unit:
            budget, sent = Budget(unit, {"all": all_together(30)}, 1000.0), 0
            while budget.wait("all") == 0:
                budget.spend("all")
                sent += 1
            budget.save()
            return sent

    with ThreadPoolExecutor(at_once) as threads:
        sent = sum(threads.map(spend, stores))
    for store in stores:
        store.close()
    assert sent == all_together(30).burst


def test_saves_go_on_while_the_ledger_is_vacuumed(two):
    one, other = two
    with one.engine.connect() as vacuuming, vacuuming.begin():
        # The lock that VACUUM and ANALYZE hold.
        vacuuming.exec_driver_sql("lock table ledger in share update exclusive mode")
        with other.unit() as unit:
            unit.connection.exec_driver_sql("set local lock_timeout = '2s'")
            members.save(unit, 9, "practitioner", "north", AT, "test")


# ---- how fast -----------------------------------------------------------------------------------
class NoRows:
    """A unit without a database, to test the arithmetic alone."""

    is_sqlite = True

    def __init__(self):
        self.connection, self.rows = self, {}

    def execute(self, *_):
        return [type("Row", (), {"key": key, "due": due}) for key, due in self.rows.items()]


@given(some.integers(1, 40), some.floats(0.01, 5.0), some.lists(some.floats(0.0, 2.0), max_size=200))
def test_no_window_holds_more_than_its_rate(burst, seconds, pauses):
    unit, now, sent = NoRows(), 1000.0, []
    rate = {"k": Rate(seconds, burst)}
    for pause in pauses:
        now += pause
        budget = Budget(unit, rate, now)
        if budget.wait("k") == 0.0:
            budget.spend("k")
            unit.rows = dict(budget.due)
            sent.append(now)
    for length in (1.0, 10.0, 60.0):
        for start in sent:
            inside = sum(start <= at < start + length for at in sent)
            assert inside <= burst + length / seconds + 1e-6


@pytest.mark.slow
def test_telegrams_limits_hold_over_two_workers(two):
    """A virtual minute: as much as may go to a group and to 40 people, by two workers in turn; counted by the second."""
    workers, now = two, 1000.0
    rates = {"all": all_together(30), "group": GROUP, **{f"p{n}": PRIVATE for n in range(40)}}
    sent: list[tuple[float, str]] = []
    turn = 0
    keys = itertools.cycle(("group", *(f"p{n}" for n in range(40))))
    while now < 1060.0:
        full = False
        while not full:
            key = next(keys)
            turn += 1

            def one(unit, key=key, at=now):
                budget = Budget(unit, {name: rates[name] for name in ("all", key)}, at)
                if budget.wait("all") > 0:
                    return None
                if budget.wait(key) > 0:
                    return False
                budget.spend("all", key)
                budget.save()
                return True

            gone = run(workers[turn % 2], one)
            full = gone is None
            if gone:
                sent.append((now, key))
        now += 0.1
    in_a_second = [sum(start <= at < start + 1 for at, _ in sent) for start, _ in sent]
    per_person = Counter(key for _, key in sent)
    assert max(in_a_second) <= 30
    assert per_person["group"] <= 20
    assert len(sent) > 20 * 60, "and it is used: more than 20 a second"
    COUNTS["messages of a virtual minute within Telegram's limits"] += len(sent)


@pytest.mark.parametrize("rate", [PRIVATE, GROUP, all_together(30), Rate(1.0, 1)])
@pytest.mark.parametrize("back", [0.5, 5.0, 30.0, 110.0, 3600.0, 10**9])
def test_a_clock_that_was_wrong_does_not_stop_the_messages(store, rate, back):
    now = 10**9 * 3.0
    with store.unit() as unit:
        budget = Budget(unit, {"all": rate}, now)
        for _ in range(rate.burst):
            budget.spend("all")
        budget.save()
    with store.unit() as unit:
        wait = Budget(unit, {"all": rate}, now - back).wait("all")
        assert wait <= rate.seconds + rate_limits.SKEW, "at most what one message waits, and a little"
        if back > 30:
            assert wait == 0.0
        rate_limits.prune(unit, 10**12)
        assert unit.connection.execute(rate_limits.LIMIT.select()).all() == []


# ---- rows that two workers write at once -------------------------------------------------------------
async def test_what_two_workers_write_first_at_the_same_moment_fails_for_neither(two):
    rates = {"all": Rate(1.0, 5)}

    def write(unit, number):
        budget = Budget(unit, {f"chat:{number}": Rate(1.0, 5), **rates}, 10.0**9 + number)
        budget.spend("all", f"chat:{number}")
        budget.save()
        timers.put(unit, "review_digest", f"team {number}", AT)
        questions.count_no_help(unit, questions.Where("e", "north"), f"passage {number}", AT)
        return True

    for number in range(60):
        assert all(await asyncio.gather(*(store.run(write, number) for store in two)))
    counted = run(two[0], questions.listed)
    assert [one.times for one in counted] == [2] * 60
