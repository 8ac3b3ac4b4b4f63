"""If the organisation asks for it, messages are deleted from private chats while Telegram still allows it; records stay."""

from __future__ import annotations

import pytest

from bot.usecases import housekeeping as keeping
from storage import records
from tests.bot.test_review import not_shared
from tests.support.chat import Chat
from tests.support.stores import KEYS, migrated

AUTHOR, ONE, CHANNEL = 100, 101, -1001


@pytest.fixture
async def chat(tmp_path):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (AUTHOR, ONE)) as chat:
        yield chat


def left(chat, place=AUTHOR):
    return [m.get("text") or m.get("caption") for (where, _), m in chat.world.messages.items() if where == place]


async def housekeeping(chat):
    await chat.store.run(keeping.tidy, chat.context, "2000")
    await chat.settle()


async def test_messages_are_taken_out_after_the_hours_that_were_set(chat):
    chat.context.clear_chats_hours = 24
    await not_shared(chat)
    assert "It is not needed." in left(chat)
    assert len(left(chat)) > 3
    chat.minutes += 23 * 60
    await housekeeping(chat)
    assert "It is not needed." in left(chat)
    await chat.say("/help")
    chat.minutes += 61
    await housekeeping(chat)
    assert "It is not needed." not in left(chat)
    assert len(left(chat)) == 2, "what is newer stays: the question and its answer"
    assert "/help" in left(chat), "what is newer stays: the question and its answer"
    assert len(await chat.store.run(lambda unit: list(records.listed(unit)))) == 1
    chat.minutes += 24 * 60
    await housekeeping(chat)
    assert left(chat) == []
    await chat.say("/share")
    assert "in danger or being harmed" in chat.text(), "and the bot goes on"


async def test_an_open_question_is_shown_again_after_its_card_was_taken_out(chat):
    chat.context.clear_chats_hours = 1
    await chat.say("/share")
    await chat.tap("No, none of these")
    chat.minutes += 61
    await housekeeping(chat)
    assert left(chat) == []
    await chat.say("/share")
    assert "Did somebody ask you" in chat.text()


async def test_nothing_is_noted_or_taken_out_unless_it_is_asked_for(chat):
    await not_shared(chat)
    chat.minutes += 100 * 60
    shown = len(left(chat))
    await housekeeping(chat)
    assert len(left(chat)) == shown
    count = await chat.store.run(lambda unit: unit.connection.exec_driver_sql("select count(*) from shown").scalar())
    assert count == 0
