"""One's own records in the chat: what was decided and how the review stands, by case, page by page, and sent back."""

from __future__ import annotations

import re

import pytest

from bot.usecases import own_records
from storage import members, records, reviews
from storage.operations import integrity
from tests.support.chat import Chat
from tests.support.schema import fits
from tests.support.stores import KEYS, migrated

AUTHOR, OTHER, SUPERVISOR = 100, 200, 300


@pytest.fixture
async def chat(tmp_path):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (AUTHOR, OTHER)) as opened:
        await opened.store.run(members.save, SUPERVISOR, "supervisor", "north", opened.now(), "test")
        opened.people += (SUPERVISOR,)
        yield opened


async def refused(chat, case, person=AUTHOR):
    """Decide not to share, and return the record's reference."""
    await chat.say("/share", person)
    for label in ("No, none of these", "My own wish to share", "No", "Do not share"):
        await chat.tap(label, person)
    await chat.say("There is no purpose that fits.", person)
    await chat.say(case, person)
    await chat.tap("Save the record", person)
    return re.search(r"SW-\w{4}-\w{4}", chat.text(person))[0]


async def test_a_list_says_what_was_decided_and_shows_the_case_only_on_demand(chat):
    reference = await refused(chat, "CASE-17")
    await chat.say("/records")
    text = chat.text()
    assert reference in text
    assert "Do not share." in text
    assert "Review: new." in text
    assert "CASE-17" not in text
    await chat.tap("Show case references")
    assert "Case: CASE-17" in chat.text()
    await chat.tap("Hide case references")
    assert "CASE-17" not in chat.text()


@pytest.mark.parametrize("typed", ["CASE-17", "case-17"])
async def test_records_of_a_case_are_found_and_only_one_s_own(chat, typed):
    first, other = await refused(chat, "CASE-17"), await refused(chat, "CASE-18")
    theirs = await refused(chat, "CASE-17", OTHER)
    await chat.say(f"/records {typed}")
    assert first in chat.text()
    assert other not in chat.text()
    assert theirs not in chat.text()
    await chat.say("/records CASE-99")
    assert chat.text() == "You have no record with that case reference."


async def test_a_name_behind_the_command_is_refused_and_taken_out(chat):
    await chat.say("/records Shanice Boateng")
    assert "a person’s name" in chat.text()
    assert any(shown.kind == "delete" for shown in chat.seen)


async def test_one_record_is_shown_by_its_reference(chat):
    reference = await refused(chat, "CASE-17")
    await chat.say(f"/records {reference.lower()}")
    assert f"Decision record {reference}" in chat.visible()[1]["text"]
    assert f"Record {reference}: you can add a note" in chat.text()
    await chat.say(f"/records {reference}", OTHER)
    assert "Decision record" not in chat.text(OTHER)


async def test_pages_go_back_to_the_first_record_without_a_gap_or_repeat(chat, monkeypatch):
    monkeypatch.setattr(own_records, "SHOWN", 2)
    made = [await refused(chat, f"CASE-{number}") for number in range(1, 6)]
    await chat.say("/records")
    seen = []
    while True:
        seen += re.findall(r"SW-\w{4}-\w{4}", chat.text())
        if "Older" not in chat.labels():
            break
        await chat.tap("Older")
    assert seen == made[::-1]


async def test_a_record_that_was_sent_back_leads_into_adding_what_was_asked_for(chat):
    reference = await refused(chat, "CASE-17")
    await chat.say("/review", SUPERVISOR)
    data = f"-:rv.return.{reference}"
    await chat.press(data, SUPERVISOR)
    await chat.say("Please say who was asked", SUPERVISOR)
    await chat.say("/records")
    assert "Sent back: “Please say who was asked”" in chat.text()
    await chat.tap(f"Add to {reference}")
    await chat.say("The health visitor was asked")
    await chat.say(f"/records {reference}")
    assert "The health visitor was asked" in chat.visible()[1]["text"]
    assert chat.text().startswith("Sent back: “Please say who was asked”")
    await chat.tap("Ask for sign-off")
    await chat.say("/records")
    assert "Review: sign-off asked for." in chat.text()


async def test_a_corrected_case_reference_re_files_the_record_and_the_old_one_stays_readable(chat):
    reference = await refused(chat, "CASE-17")
    await chat.say(f"/records {reference}")
    await chat.tap("Correct the case reference")
    await chat.say("Shanice")
    assert "CASE" not in chat.text()
    await chat.say("CASE-71")
    assert chat.text() == "The case reference was corrected. It was “CASE-17”. It is now “CASE-71”."
    await chat.say("/records CASE-17")
    assert chat.text() == "You have no record with that case reference."
    await chat.say("/records case-71")
    assert "Case: CASE-71" in chat.text()
    await chat.say(f"/records {reference}")
    shown = chat.visible()[1]["text"]
    assert "Case: CASE-71" in shown
    assert "It was “CASE-17”" in shown
    stored = await chat.store.run(lambda unit: records.find(unit, reference))
    fits(stored)
    assert (await chat.store.run(integrity.verify)).broken is None
    found = await chat.store.run(lambda unit: reviews.queue(unit, "north", 0, reviews.Wanted(case="CASE-71")))
    assert [row.reference for row in found] == [reference]


async def test_a_code_in_capitals_is_a_case_reference_though_it_is_also_a_name(chat):
    reference = await refused(chat, "NUR-114")
    await chat.say("/records NUR-114")
    assert reference in chat.text()
    for typed in ("NUR-2014", "Nur114", "NUR-14", "ANN2012"):
        await chat.say(f"/records {typed}")
        assert "a person’s name" in chat.text(), typed


async def test_the_record_of_an_emergency_takes_reasons_and_case_reference_afterwards(chat):
    await chat.say("/emergency")
    await chat.tap("I am calling")
    await chat.tap("Add your reasons")
    await chat.say("Ring 07700 900123")
    assert "a phone number" in chat.text()
    await chat.say("The child was being hit as we spoke.")
    assert chat.text().startswith("Saved. The reasons are on record SW-")
    await chat.tap("Add the case reference")
    await chat.say("CASE-17")
    assert chat.text() == "The case reference was added: “CASE-17”."
    await chat.say("/records CASE-17")
    assert "SW-" in chat.text()
    (stored,) = await chat.store.run(lambda unit: list(records.listed(unit)))
    fits(stored)
    assert [note["kind"] for note in stored.amendments] == ["reasons", "case_reference"]
    assert (await chat.store.run(integrity.verify)).broken is None


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("show me my records", "Your decision records"), ("my records", "Your decision records"), ("CASE-17", "CASE-17"),
     ("can I have it as a PDF?", "Record SW-"), ("can i get that as a pdf pls", "Record SW-"), ("wheres my record now", "you can add a note"),
     ("need to add a note, the school was told", "Saved. Note 1"), ("add a note", "Type your note"), ("show me the record", "you can add a note"),
     ("the case reference is wrong", "Type the right case reference")],
)  # fmt: skip
async def test_what_people_type_after_saving_is_understood(chat, typed, answer):
    await refused(chat, "CASE-17")
    await chat.say(typed)
    shown = chat.visible()[0]
    assert answer in (shown.get("text") or shown.get("caption"))


async def test_asking_for_records_without_any_says_so(chat):
    await chat.say("can i have it as a pdf")
    assert "You have no decision records yet" in chat.text()
