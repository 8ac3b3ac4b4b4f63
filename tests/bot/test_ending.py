"""The card that ends a walk: what was decided, what is left to do and with whom, a summary to copy, and the record as a PDF."""

from __future__ import annotations

import html
import re

import pytest

from bot.domain.ending import ending_of
from bot.messages import walk_card
from flows.screening import look
from storage import local_contacts
from tests.bot.test_record_schema import a_record
from tests.support.chat import Chat
from tests.support.counts import COUNTS
from tests.support.paths import BOOK, ENTRIES, all_walks
from tests.support.stores import KEYS, migrated

#: Characters of a card without its formatting.
MOST = 900
NUMBER = look("0113 496 0000").screened(override=("phone",))
CONTACTS = {"day_number": "0113 496 0000", "night_number": "0113 496 0001"}
REFUSED = (
    "Yes, harm, or harm is likely", "Somebody asked", "Yes, to protect a child", "Yes", "Yes, but not sensitive",
    "No, they refused", "Yes, my role or a public function", "Share",
)  # fmt: skip
RECORDED = ("What was seen or said", "Children's social care")


@pytest.fixture
async def chat(tmp_path):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (100, 200)) as opened:
        yield opened


def plain(card):
    """A card's text as a person reads it."""
    return html.unescape(re.sub("<[^>]+>", "", card.text))


def said(shown):
    """What was answered to each question of a record."""
    return {one["id"]: one["answer"] for one in shown.content["questions"]}


@pytest.mark.slow
@pytest.mark.parametrize(("flow", "entry"), ENTRIES)
def test_the_card_of_every_walk_fits_says_what_is_left_and_nothing_that_is_done(flow, entry):
    for walk, _ in all_walks(flow, entry):
        stored = a_record(flow, walk)
        text = plain(walk_card.saved(stored, BOOK.edition, CONTACTS))
        assert len(text) <= MOST, text
        assert len(walk_card.summary(stored, BOOK.edition).splitlines()) == 6
        assert walk_card.summary(stored, BOOK.edition) in text
        answers = said(stored)
        duties = {duty["id"]: duty["text"] for duty in stored.content["duties"]}
        assert duties["record_decision"] not in text
        if "follow_procedures" in duties:
            is_done = answers.get("procedures_contacted") == "already"
            assert (duties["follow_procedures"] in text) is not is_done
            assert (CONTACTS["day_number"] in text) is not is_done
        if "Ground: consent" in text:
            assert answers["consent"] == "yes"
        shares = stored.clear["decision"] in ("share", "share_part")
        assert ("Share it." in text) is (shares and answers.get("shared_when") != "already")
        COUNTS["endings drawn"] += 1


def test_an_edition_that_says_nothing_of_its_duties_names_them_all():
    walk, _ = next(iter(all_walks(*ENTRIES[0])))
    stored = a_record(ENTRIES[0][0], walk)
    left = ending_of(stored.clear, stored.content, type(BOOK.edition.roles)())
    assert [text for text, _ in left.duties] == [duty["text"] for duty in stored.content["duties"]]


async def walked(chat, points, how, *more):
    """Walk a refusal of consent with harm to a saved record; `more`: what is added as a detail."""
    await chat.say("/share")
    for label in (*REFUSED, *points, how, *RECORDED):
        await chat.tap(label)
    await chat.say("The child told two adults about being hit.")
    await chat.say("CASE-2041")
    for label in (*more, "Save the record"):
        await chat.tap(label)


async def test_the_ending_says_what_to_do_with_whom_and_by_when(chat):
    await chat.store.run(lambda unit: local_contacts.put(unit, "day_number", NUMBER, chat.now(), "test"))
    points = ("No, one by one", "Yes, done", "Not yet", "Yes, done", "Yes, done")
    await walked(chat, points, "I will tell them")
    text = chat.text()
    steps = re.findall(r"^(\d)\. (.*)$", text, re.MULTILINE)
    assert [number for number, _ in steps] == ["1", "2", "3", "4"]
    assert steps[0][1].startswith("A child may be suffering harm.")
    assert "Phone in the day: 0113 496 0000." in steps[0][1]
    assert steps[1][1] == "Before you share, settle: Have you kept fact apart from opinion?"
    assert steps[2][1].startswith("Share it. With: Children's social care.")
    assert steps[3][1] == "Tell whoever it is about (such as the parent or the child) that it has been shared."
    assert text.startswith("You decided: Share.")
    (block,) = [entity for entity in chat.card()["entities"] if entity["type"] == "pre"]
    copied = text[block["offset"] : block["offset"] + block["length"]].splitlines()
    assert copied[:4] == [
        "Case reference: CASE-2041", "Decision: Share", "Ground: My role or a public function", "Who: Children's social care",
    ]  # fmt: skip
    assert len(copied) == 6


async def test_what_is_done_is_not_asked_for_again(chat):
    added = ("Add detail", "Already", "Skip", "Skip", "Already", "Leave out the rest")
    await walked(chat, (), "All done. They already know", *added)
    assert "Nothing is left but to file it." in chat.text()


async def test_who_must_not_be_told_yet_is_said(chat):
    await walked(chat, (), "All done. Telling could add risk")
    assert "Do not tell the person while that would create or increase a risk of harm." in chat.text()


async def test_one_s_own_record_comes_as_a_pdf_and_the_ledger_notes_it(chat):
    await walked(chat, (), "All done. They already know")
    reference = re.search(r"SW-\w{4}-\w{4}", chat.text())[0]
    data = chat.find("As a PDF")[1]
    await chat.press(data)
    (sent,) = [shown for shown in chat.seen if shown.kind == "document"]
    assert sent.file.startswith(b"%PDF")
    assert sent.chat_id == 100
    assert reference in sent.message["caption"]
    await chat.say("hello", person=200)
    await chat.press(data, person=200)
    assert len([shown for shown in chat.seen if shown.kind == "document"]) == 1
    assert chat.text(200) == "You have no record with that reference."
    events = await chat.store.run(lambda unit: [tuple(row) for row in unit.connection.exec_driver_sql(
        "select action from ledger where action = 'record.exported'").all()])  # fmt: skip
    assert events == [("record.exported",)]
