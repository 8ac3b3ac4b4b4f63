"""The intake and the sender when something goes wrong: order, people told, messages parked, nobody else held up."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from telegram.error import TimedOut

from bot import sender
from bot.local.world import Refused
from bot.web import health
from storage import mailbox
from storage.clock import later, utc_now
from storage.database import sqlite_url
from tests.conftest import KEYS
from tests.support.chat import Chat


@pytest.fixture
async def chat(tmp_path):
    async with Chat(sqlite_url(tmp_path / "x.db"), KEYS, (100, 200)) as opened:
        yield opened


@asynccontextmanager
async def running(chat):
    """Dispatch and send, until the block ends."""
    stop = asyncio.Event()
    parts = [asyncio.create_task(chat.intake.dispatch(stop)), asyncio.create_task(chat.sender.run(stop))]
    try:
        yield
    finally:
        stop.set()
        chat.intake.arrived.set()
        chat.sender.wake.set()
        await asyncio.gather(*parts)


async def until(true, tries=400):
    for _ in range(tries):
        if await true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came")


async def waits(chat):
    counts = await chat.store.run(mailbox.counts)
    return counts.get("inbox.waiting", 0) + counts.get("outbox.waiting", 0)


async def test_what_fails_once_is_tried_again_before_what_the_person_sent_after_it(chat, monkeypatch):
    from bot.usecases import guidance

    seen, failed, real = [], [], guidance.type_text

    def fails_once(unit, desk, who, words, message_id):
        if words == "first" and not failed:
            failed.append(words)
            raise ValueError("for a moment")
        seen.append(words)
        return real(unit, desk, who, words, message_id)

    monkeypatch.setattr(guidance, "type_text", fails_once)
    for words in ("first", "second", "third"):
        chat.world.say(100, words)
    await chat.take_in()
    async with running(chat):
        await until(lambda: no_more(chat))
    assert failed == ["first"] and seen == ["first", "second", "third"]


async def no_more(chat):
    return not await waits(chat)


async def test_a_member_is_told_that_an_update_of_theirs_is_parked(chat, monkeypatch):
    from bot.usecases import guidance

    def fails(*_):
        raise ValueError("always")

    monkeypatch.setattr(guidance, "type_text", fails)
    chat.world.say(100, "It is about consent")
    # A stranger's, that the library cannot read.
    chat.world.say(999, "x", chat=100)
    await chat.take_in()
    async with running(chat):
        await until(lambda: no_more(chat))
    assert "could not be handled. It does not count" in chat.text(100)
    assert [parked.what for parked in await chat.store.run(mailbox.parked)] == ["update", "update"]
    assert chat.visible(999) == []


@pytest.mark.parametrize("trouble", ["an edition that is gone", "never an answer"])
async def test_a_message_that_cannot_be_sent_is_parked_and_holds_up_nobody(chat, monkeypatch, trouble):
    monkeypatch.setattr(sender, "LATE", (0.0, 0.0))
    picture = {"edition": "hmg-2015", "flow": "sharing", "path": [], "at": "emergency", "caption": "x"}
    if trouble == "an edition that is gone":
        picture["edition"] = "hmg-1999"
    calls = []

    def before(method, parameters):
        if method.lower() == "sendphoto":
            calls.append(method)
            raise TimedOut

    chat.world.before = before
    await chat.store.run(mailbox.put, 100, "photo", picture)
    await chat.store.run(mailbox.put, 100, "message", {"text": "Next in the same chat."})
    async with running(chat):
        await until(lambda: no_more(chat))
    assert "Next in the same chat." in chat.text(100)
    assert [parked.name for parked in await chat.store.run(mailbox.parked)] == ["photo"]
    assert len(calls) == (0 if trouble == "an edition that is gone" else 3)


async def test_the_picture_is_shown_with_its_words(chat):
    picture = {"edition": "hmg-2015", "flow": "sharing", "path": [], "at": "emergency", "caption": "Your <b>way</b>"}
    await chat.store.run(mailbox.put, 100, "photo", picture)
    async with running(chat):
        await until(lambda: no_more(chat))
    (shown,) = chat.visible(100)
    assert shown["caption"] == "Your way" and shown["photo"]


async def test_somebody_who_asks_faster_than_a_bot_may_answer_makes_nothing_unready(chat):
    chat.desk.sends_per_second = 30
    for number in range(20):
        await chat.store.run(mailbox.put, 100, "message", {"text": f"Answer {number}."})
    async with running(chat):
        await until(lambda: said(chat, "Answer 3."))
        soon = later(utc_now(), 0.1)
        assert await chat.store.run(health.not_ready, soon) == []
    # Once nothing is sent any more, what waits is somebody's trouble.
    assert any("outbox" in why for why in await chat.store.run(health.not_ready, later(utc_now(), 5)))


async def said(chat, words):
    return words in chat.text(100)


async def test_when_it_is_nobodys_turn_the_sender_waits_and_does_not_ask_without_end(chat, monkeypatch):
    chat.desk.sends_per_second = 30
    asked = []
    real = sender.fetch
    monkeypatch.setattr(sender, "fetch", lambda *args: asked.append(1) or real(*args))
    for person in range(1000, 1060):
        await chat.store.run(mailbox.put, person, "message", {"text": "To all."})
    async with running(chat):
        await until(lambda: no_more(chat), tries=1000)
    # About one look for each that is sent, and one when it is done.
    assert len(asked) <= 3 * 60


async def test_telegram_refusing_for_a_while_loses_no_message(chat):
    refused = []

    def before(method, _parameters):
        if method.lower() == "sendmessage" and len(refused) < 3:
            refused.append(method)
            raise Refused("Bad Gateway", 502)

    chat.world.before = before
    await chat.store.run(mailbox.put, 100, "message", {"text": "It comes."})
    async with running(chat):
        await until(lambda: no_more(chat))
    assert "It comes." in chat.text(100) and len(refused) == 3
