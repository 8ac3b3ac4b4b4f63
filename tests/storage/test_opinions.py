"""Requests, opinions, timers and invites in both databases: each ends, counts, fires and admits once."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from flows.screening import screened
from storage import conversations, invites, members, opinions, teams, timers
from storage.invites import NotLetIn
from storage.operations import integrity

AT, LATER = "2026-01-01T10:00:00.000000Z", "2026-01-01T12:00:00.000000Z"
ASKED = {
    "kind": "question", "about": "purpose", "title": "Is there a purpose?", "choices": {"yes": "Yes", "no": "No"},
    "answers": [], "flags": [],
}  # fmt: skip


def a_request(unit):
    """Make two members and an open request of the first."""
    author = members.save(unit, 1, "practitioner", "north", AT, "test")
    members.save(unit, 2, "practitioner", "north", AT, "test")
    row = conversations.start(unit, conversations.Begun(1, author.id, "hmg-2015", "0" * 64, "sharing"), {}, AT)
    draft = opinions.draft(unit, opinions.Author(author.id, "north", row.id, None), ASKED, 2, AT)
    return opinions.ask(unit, draft, LATER, AT, "member:1")


def give(unit, request, choice, words="I know the service."):
    return opinions.give(
        unit, request, opinions.NewOpinion(2, "practitioner", choice, "own", screened(words)), AT, "member:2"
    )


def test_the_latest_opinion_counts_and_nothing_tells_before_the_end(store):
    with store.unit() as unit:
        request = a_request(unit)
        assert give(unit, request, "yes") == 1
        assert give(unit, request, "no") == 1
        assert "opinions" not in opinions.as_advice(unit, request)
        ended = opinions.end(unit, request, "deadline", AT, "test")
        assert opinions.end(unit, request, "deadline", AT, "test") is None
        advice = opinions.as_advice(unit, ended)
    assert [(one["choice"], one["counts"]) for one in advice["opinions"]] == [("yes", False), ("no", True)]


def test_a_withdrawn_request_never_tells(store):
    with store.unit() as unit:
        request = a_request(unit)
        give(unit, request, "yes")
        ended = opinions.end(unit, request, "author", AT, "test")
        advice = opinions.as_advice(unit, ended)
    assert (advice["state"], advice["in"]) == ("withdrawn", 1)
    assert "opinions" not in advice


@pytest.mark.parametrize(
    "change", ["update opinion set role = 'x'", "update opinion set content = 'x'", "delete from opinion"]
)
def test_the_database_itself_refuses_to_change_an_opinion(store, change):
    with store.unit() as unit:
        give(unit, a_request(unit), "yes")
    with pytest.raises(DBAPIError, match="never changed"), store.unit() as unit:
        unit.connection.execute(text(change))


def test_the_database_itself_refuses_two_that_count(store):
    with store.unit() as unit:
        request = a_request(unit)
        give(unit, request, "yes")
        give(unit, request, "no")
    with pytest.raises(DBAPIError), store.unit() as unit:
        unit.connection.execute(text("update opinion set counts = (1 = 1)"))


def test_verify_finds_an_opinion_that_was_added_behind_the_ledger(store):
    with store.unit() as unit:
        request = a_request(unit)
        give(unit, request, "yes")
        assert integrity.verify(unit).broken is None
        unit.connection.execute(
            text("insert into opinion (request_id, member_id, seq, counts, role, at, content) "
                 "select request_id, 3, 1, counts, role, at, content from opinion")
        )  # fmt: skip
        assert "not in the ledger" in integrity.verify(unit).broken.what


def test_words_are_sealed_and_a_plain_string_does_not_pass(store):
    with store.unit() as unit:
        request = a_request(unit)
        give(unit, request, "yes", "canary-77aa in the meeting")
        (content,) = unit.connection.execute(text("select content from opinion")).scalars()
        assert b"canary-77aa" not in bytes(content)
        with pytest.raises(AttributeError):
            opinions.give(
                unit, request, opinions.NewOpinion(2, "practitioner", "yes", "own", "plain words"), AT, "member:2"
            )


def test_a_timer_fires_once_even_when_a_newer_one_has_its_row_number(store):
    with store.unit() as unit:
        timers.put(unit, "remind", "Q-1", AT)
        (first,) = timers.due(unit, LATER)
        assert timers.taken(unit, first)
        timers.put(unit, "deadline", "Q-1", AT)
        assert not timers.taken(unit, first)
        assert timers.is_set(unit, "deadline", "Q-1")
        (other,) = timers.due(unit, LATER)
        timers.put_off(unit, other, "2027-01-01T00:00:00.000000Z")
        assert timers.due(unit, LATER) == []


def test_two_workers_let_one_person_in_and_end_a_request_once(store, url):
    """Two workers at the same moment, each with its own connection."""
    from storage.opening import open_store
    from tests.support.stores import KEYS

    with store.unit() as unit:
        request = a_request(unit)
        code, _ = invites.make(unit, invites.Invited("practitioner", "north"), AT, LATER, "test")
    got: list[str] = []
    start = threading.Barrier(2)

    def work(number):
        other = open_store(url, KEYS)
        start.wait()
        try:
            with other.unit() as unit:
                if opinions.end(unit, request, "quorum", AT, f"worker {number}"):
                    got.append("ended")
            with other.unit() as unit:
                invites.use(unit, code, number, AT, AT)
                got.append("in")
        except NotLetIn:
            got.append("refused")
        finally:
            other.close()

    workers = [threading.Thread(target=work, args=(number,)) for number in (10, 11)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert sorted(got) == ["ended", "in", "refused"]


def test_a_channel_belongs_to_one_team(store):
    with store.unit() as unit:
        teams.ensure(unit, "north")
        teams.ensure(unit, "south")
        teams.claim(unit, "north", -1, None, AT, "test")
        with pytest.raises(teams.CannotSet, match="channel_of_another_team"):
            teams.claim(unit, "south", -1, None, AT, "test")
