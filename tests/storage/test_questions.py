"""Unanswered questions, local contacts and name overrides, on SQLite and PostgreSQL."""

from __future__ import annotations

import pytest

from flows.screening import look, screened
from storage import local_contacts, name_overrides, questions
from storage.core import ledger

AT, LATER = "2026-01-02T03:04:05.000000Z", "2026-01-03T03:04:05.000000Z"


def OFFICE(text):  # noqa: N802
    return look(text).screened(override=("phone", "url"))


def test_the_same_question_is_counted_once_whatever_its_case_and_spaces(store):
    with store.unit() as unit:
        questions.count_unanswered(unit, questions.Where("hmg-2015", "north"), "lado", screened("Who is the LADO?"), AT)
        questions.count_unanswered(
            unit, questions.Where("hmg-2015", "north"), "lado", screened("who  is the lado?"), LATER
        )
        questions.count_unanswered(
            unit, questions.Where("hmg-2015", "north"), "unknown", screened("something else"), LATER
        )
        questions.count_no_help(unit, questions.Where("hmg-2015", "north"), "rule-1", AT)
        questions.count_no_help(unit, questions.Where("hmg-2015", "north"), "rule-1", LATER)
    with store.unit() as unit:
        found = {(one.kind, one.subject): one for one in questions.listed(unit)}
    lado = found["unanswered", "lado"]
    assert (lado.question, lado.times, lado.first_at, lado.last_at) == ("Who is the LADO?", 2, AT, LATER)
    assert (found["did_not_help", "rule-1"].question, found["did_not_help", "rule-1"].times) == (None, 2)


def test_when_enough_different_questions_are_kept_further_ones_only_count_for_their_topic(store, monkeypatch):
    monkeypatch.setattr(questions, "MOST", 2)
    with store.unit() as unit:
        for words in ("first one", "second one", "third one", "fourth one", "first one"):
            questions.count_unanswered(unit, questions.Where("hmg-2015", "north"), "unknown", screened(words), AT)
        found = sorted((one.question or "", one.times) for one in questions.listed(unit))
    assert found == [("", 2), ("first one", 2), ("second one", 1)]


def test_teams_are_counted_apart_and_old_questions_go_but_not_accepted_ways_to_ask(store):
    north, south = questions.Where("hmg-2015", "north"), questions.Where("hmg-2015", "south")
    with store.unit() as unit:
        for where, words in ((north, "what about the moon"), (south, "what about the moon"), (north, "and the sun")):
            questions.count_unanswered(unit, where, "unknown", screened(words), AT)
        questions.count_meant(unit, north, "record", screened("do i jot it down"), AT)
        assert [one.question for one in questions.listed(unit, team="south")] == ["what about the moon"]
        assert len(questions.listed(unit, team="north")) == 3
        (meant,) = questions.listed(unit, kinds=("meant",))
        questions.accept(unit, [meant], "record")
        questions.count_meant(unit, north, "record", screened("do i jot it down"), LATER)
        (again,) = questions.listed(unit, kinds=("meant",))
        questions.accept(unit, [again], "record")
        assert questions.listed(unit, kinds=("meant",)) == []
        questions.prune(unit, LATER)
        assert [(one.kind, one.question) for one in questions.listed(unit)] == [("accepted", "do i jot it down")]


def test_the_local_route_is_set_changed_unset_and_in_the_ledger(store):
    with store.unit() as unit:
        local_contacts.put(unit, "day_number", OFFICE("0300  123 0000"), AT, "member:1")
        local_contacts.put(unit, "day_number", OFFICE("0300 123 4000"), AT, "member:1")
        local_contacts.put(unit, "procedures", OFFICE("https://procedures.example.org"), AT, "member:1")
        local_contacts.put(unit, "procedures", None, AT, "member:1")
        assert local_contacts.get(unit) == {"day_number": "0300 123 4000"}
        actions = [(entry["action"], entry["subject"]) for entry in ledger.entries(unit)]
        with pytest.raises(local_contacts.CannotSet):
            local_contacts.put(unit, "colour", OFFICE("blue"), AT, "member:1")
    assert actions.count(("local_route.set", "day_number")) == 2


def test_a_pass_for_a_name_holds_once_and_not_for_ever(store):
    with store.unit() as unit:
        name_overrides.give(unit, 100, AT)
        name_overrides.give(unit, 100, AT)
        assert name_overrides.is_given(unit, 100, AT)
        assert not name_overrides.is_given(unit, 100, LATER)
        assert not name_overrides.is_given(unit, 200, AT)
        name_overrides.take(unit, 100)
        assert not name_overrides.is_given(unit, 100, AT)
