"""The guidance changes while people are in the middle of it, or after they have finished: nobody is stuck, nothing is redrawn wrong."""

from __future__ import annotations

import dataclasses

import pytest

from flows.catalogue import Book, UnknownEdition, open_book
from storage import backlog, conversations, records
from tests.bot import test_console
from tests.bot.test_console import AUTHOR, BOSS, SUPER, signed_in
from tests.support.chat import Chat
from tests.support.renamed import renamed
from tests.support.stores import KEYS, migrated

OTHER = "other-2030"
FINISHED = ("No, none of these", "My own wish to share", "No", "Do not share")


@pytest.fixture
async def chat(tmp_path):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (AUTHOR, BOSS, SUPER)) as chat:
        await test_console.let_in(chat)
        yield chat


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    return renamed(tmp_path_factory.mktemp("editions"))


def reword(chat):
    """Give the edition another content hash, as a new release does whose words differ."""
    book = open_book("hmg-2015")
    other = Book(dataclasses.replace(book.edition, sha256="another"), book.machines)
    chat.context.book_of = lambda edition_id: other


def replace_by(chat, folder):
    """Put an edition in place whose flows have other ids; the first one is no longer installed."""

    def book_of(edition_id):
        if edition_id != OTHER:
            raise UnknownEdition(edition_id)
        return open_book(OTHER, folder)

    chat.context.edition_id, chat.context.book_of = OTHER, book_of


async def finish(chat):
    await chat.say("/share", AUTHOR)
    for label in FINISHED:
        await chat.tap(label, AUTHOR)
    for words in ("Nothing points to harm.", "CASE-1"):
        await chat.say(words, AUTHOR)
    await chat.tap("Save the record", AUTHOR)
    (record,) = await chat.store.run(lambda unit: list(records.listed(unit)))
    return record.clear


@pytest.mark.parametrize("then", ["tap", "/share", "/cancel", "/emergency", "no"])
async def test_a_walk_whose_questions_are_gone_is_closed_and_nobody_is_stuck(chat, elsewhere, then):
    await chat.say("/share", AUTHOR)
    await chat.tap("No, none of these", AUTHOR)
    replace_by(chat, elsewhere)
    if then == "tap":
        await chat.tap("Somebody asked", AUTHOR)
    else:
        await chat.say(then, AUTHOR)
    if then == "/emergency":
        assert "call 999 now" in chat.text(AUTHOR)
        await chat.tap("Go on with my questions", AUTHOR)
    said = str([message.get("text") for message in chat.visible(AUTHOR)])
    assert "It no longer has the questions you had open" in said
    await chat.say("/share", AUTHOR)
    assert "in danger or being harmed" in chat.text(AUTHOR)
    assert await chat.store.run(backlog.parked) == []


async def test_the_first_tap_after_the_words_changed_shows_the_notice_and_does_not_count(chat):
    await chat.say("/share", AUTHOR)
    await chat.tap("No, none of these", AUTHOR)
    before = chat.text(AUTHOR)
    reword(chat)
    await chat.tap("Somebody asked", AUTHOR)
    assert "guidance" in chat.text(AUTHOR)
    assert before in chat.text(AUTHOR)
    await chat.tap("Somebody asked", AUTHOR)
    assert before not in chat.text(AUTHOR)


async def test_danger_does_not_wait_for_the_notice(chat):
    for button in ("Yes, a child is in danger now", "Emergency: danger or crime"):
        await chat.say("/share", AUTHOR)
        if button.startswith("Emergency"):
            await chat.tap("No, none of these", AUTHOR)
        reword(chat)
        await chat.tap(button, AUTHOR)
        assert "call 999 now" in chat.text(AUTHOR)
        await chat.tap("I am calling", AUTHOR)
        assert "Saved. To copy:" in str([message.get("text") for message in chat.visible(AUTHOR)])
        assert "Record: SW-" in str([message.get("text") for message in chat.visible(AUTHOR)])
        chat.context.book_of = open_book


async def test_a_typed_answer_after_the_words_changed_is_met_as_a_tap_is(chat):
    await chat.say("/share", AUTHOR)
    await chat.tap("No, none of these", AUTHOR)
    before = chat.text(AUTHOR)
    reword(chat)
    await chat.say("somebody asked", AUTHOR)
    assert "guidance text was updated" in chat.text(AUTHOR)
    assert before in chat.text(AUTHOR)
    await chat.say("somebody asked", AUTHOR)
    assert before not in chat.text(AUTHOR)


async def test_typed_reasons_are_kept_when_the_words_change_and_the_notice_is_shown(chat):
    await chat.say("/share", AUTHOR)
    for label in FINISHED:
        await chat.tap(label, AUTHOR)
    reword(chat)
    await chat.say("Nothing points to harm.", AUTHOR)
    assert "guidance text was updated" in chat.text(AUTHOR)
    assert "case reference" in chat.text(AUTHOR)


async def test_a_walk_can_be_cancelled_though_the_words_changed(chat):
    await chat.say("/share", AUTHOR)
    reword(chat)
    await chat.tap("Cancel", AUTHOR)
    assert "cancelled" in chat.text(AUTHOR)


async def test_a_finished_conversation_keeps_the_edition_it_was_made_with(chat):
    clear = await finish(chat)
    reword(chat)
    await chat.say(f"/opinion {clear['reference']}", AUTHOR)
    row = await chat.store.run(conversations.get, clear["conversation_id"])
    assert row.edition_sha256 == clear["edition_sha256"] != "another"


async def test_a_record_of_an_edition_that_is_gone_is_read_and_exported_without_its_chart(chat, elsewhere):
    clear = await finish(chat)
    async with signed_in(chat, SUPER) as browser:
        page = f"/records/{clear['reference']}"
        assert "chart.svg" in (await browser.get(page)).text
        replace_by(chat, elsewhere)
        assert "its chart cannot be drawn" in (await browser.get(page)).text
        assert (await browser.get(f"{page}/chart.svg")).status_code == 404
