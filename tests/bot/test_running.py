"""The intake and the sender when something fails: the order holds, people are told, messages are parked, nobody else waits."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import asynccontextmanager

import pytest
from telegram.error import BadRequest, Conflict, Forbidden, TimedOut

from bot.local.world import Refused
from bot.telegram import sender, service
from bot.usecases import health
from bot.usecases import outbox as sending
from storage import backlog, outbox
from storage.core.clock import later, utc_now
from tests.support.chat import Chat
from tests.support.log import logged
from tests.support.stores import KEYS, migrated


@pytest.fixture
async def chat(tmp_path):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (100, 200)) as opened:
        yield opened


@asynccontextmanager
async def running(chat):
    """Dispatch and send, until the block ends."""
    stop = asyncio.Event()
    running = (chat.intake.dispatch(stop), chat.sender.run(stop), chat.service.pictures.run(stop))
    parts = [asyncio.create_task(part) for part in running]
    try:
        yield
    finally:
        stop.set()
        chat.intake.arrived.set()
        chat.sender.wake.set()
        chat.service.pictures.wake.set()
        await asyncio.gather(*parts)


async def until(true, tries=400):
    for _ in range(tries):
        if await true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came")


async def waits(chat):
    counts = await chat.store.run(backlog.counts)
    return counts.get("inbox.waiting", 0) + counts.get("outbox.waiting", 0)


async def test_what_fails_once_is_tried_again_before_what_the_person_sent_after_it(chat, monkeypatch):
    from bot.usecases import typed_replies

    seen, failed, real = [], [], typed_replies.type_text

    def fails_once(unit, context, actor, typed):
        if typed.text == "first" and not failed:
            failed.append(typed.text)
            raise ValueError("for a moment")
        seen.append(typed.text)
        return real(unit, context, actor, typed)

    monkeypatch.setattr(typed_replies, "type_text", fails_once)
    for words in ("first", "second", "third"):
        chat.world.say(100, words)
    await chat.take_in()
    async with running(chat):
        await until(lambda: no_more(chat))
    # A question is looked up outside the store, and the use case runs again.
    assert failed == ["first"]
    assert list(dict.fromkeys(seen)) == ["first", "second", "third"]


async def no_more(chat):
    return not await waits(chat)


async def test_a_member_is_told_that_an_update_of_theirs_is_parked(chat, monkeypatch):
    from bot.usecases import typed_replies

    def fails(*_):
        raise ValueError("always")

    monkeypatch.setattr(typed_replies, "type_text", fails)
    chat.world.say(100, "It is about consent")
    # An update of a stranger that the library cannot parse.
    chat.world.say(999, "x", chat=100)
    await chat.take_in()
    async with running(chat):
        await until(lambda: no_more(chat))
    assert "could not be handled. It does not count" in chat.text(100)
    parked = await chat.store.run(backlog.parked)
    assert [one.what for one in parked] == ["update", "update"]
    assert parked[0].cause.startswith("ValueError at test_running.py:"), "where, and not what was said"
    assert chat.visible(999) == []


@pytest.mark.parametrize("trouble", ["an edition that is gone", "never an answer", "chat not found"])
async def test_a_picture_that_cannot_be_sent_is_dropped_and_nothing_waits_behind_it(chat, trouble, caplog):
    picture = {"edition": "hmg-2015", "flow": "sharing", "path": [], "at": "emergency", "caption": "x"}
    if trouble == "an edition that is gone":
        picture["edition"] = "hmg-1999"
    calls, shown_after = [], []

    def before(method, parameters):
        if method.lower() == "sendphoto":
            calls.append(method)
            shown_after.append("Next in the same chat." in chat.text(100))
            raise TimedOut if trouble == "never an answer" else BadRequest(f"Bad Request: {trouble}")

    chat.world.before = before
    await chat.store.run(outbox.enqueue, 100, "photo", picture)
    await chat.store.run(outbox.enqueue, 100, "message", {"text": "Next in the same chat."})
    with caplog.at_level("WARNING", "sharewise.pictures"):
        async with running(chat):
            await until(lambda: no_more(chat))
    assert "Next in the same chat." in chat.text(100)
    assert await chat.store.run(backlog.parked) == []
    times = {"an edition that is gone": 0, "never an answer": 3, "chat not found": 1}[trouble]
    assert len(calls) == times
    assert "dropped" in caplog.text
    assert all(shown_after[1:]), "what came after the picture did not wait for it"


@pytest.mark.parametrize("trouble", ["never an answer", "chat not found"])
async def test_a_message_that_cannot_be_sent_is_parked_and_holds_up_nobody(chat, monkeypatch, trouble):
    monkeypatch.setattr(sender, "LATE", (0.0, 0.0))
    calls = []

    def before(method, parameters):
        if method.lower() == "sendmessage" and parameters.get("text") == "First.":
            calls.append(method)
            raise TimedOut if trouble == "never an answer" else BadRequest(f"Bad Request: {trouble}")

    chat.world.before = before
    await chat.store.run(outbox.enqueue, 100, "message", {"text": "First."})
    await chat.store.run(outbox.enqueue, 100, "message", {"text": "Next in the same chat."})
    async with running(chat):
        await until(lambda: no_more(chat))
    assert "Next in the same chat." in chat.text(100)
    (parked,) = await chat.store.run(backlog.parked)
    said, times = {
        "never an answer": ("no answer 3 times; it may have been shown", 3),
        "chat not found": ("Telegram: chat not found", 1),
    }[trouble]
    assert parked.name == "message"
    assert parked.cause.startswith(said)
    assert len(calls) == times


def test_of_telegrams_words_only_those_that_hold_nothing_of_a_message_are_kept():
    assert (
        sender.reason_of(BadRequest("Can't parse entities: unsupported start tag CANARY"))
        == "Telegram: can't parse entities"
    )
    assert sender.reason_of(Forbidden("CANARY")) == "Forbidden"


@pytest.mark.parametrize(
    ("telegram_says", "we_say"),
    [
        (
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first",
            "sharewise webhook delete",
        ),
        ("Conflict: terminated by other getUpdates request", "Another process polls for this bot."),
    ],
)
async def test_who_cannot_poll_is_told_which_of_the_two_it_is(chat, monkeypatch, telegram_says, we_say):
    def before(method, parameters):
        raise Conflict(telegram_says)

    chat.world.before = before
    with logged(logging.INFO) as log:
        polling = asyncio.create_task(chat.intake.poll())
        await until(lambda: written(log))
        polling.cancel()
    assert we_say in log.getvalue()


async def written(log):
    return log.getvalue()


async def test_a_webhook_that_nobody_set_is_told_and_one_that_is_set_is_not(chat, monkeypatch):
    monkeypatch.setattr(service, "ASK_AFTER", 0.01)
    with logged(logging.INFO) as log:
        assert not chat.service.by_webhook
        await chat.service.ask_for_webhook()
        chat.service.listening = service.Listening(socket.socket(), "s" * 40)
        asking = asyncio.create_task(chat.service.ask_for_webhook())
        await until(lambda: written(log))
        assert "No webhook is set, so nothing arrives" in log.getvalue()
        assert not asking.done()
        asking.cancel()
        log.seek(0), log.truncate()
        await chat.app.bot.set_webhook("https://example.org/telegram")
        asking = asyncio.create_task(chat.service.ask_for_webhook())
        await asyncio.sleep(0.2)
        assert log.getvalue() == ""
        assert not asking.done()
        asking.cancel()
        chat.service.listening.socket.close()


async def test_the_picture_is_shown_with_its_words(chat):
    picture = {"edition": "hmg-2015", "flow": "sharing", "path": [], "at": "emergency", "caption": "Your <b>way</b>"}
    await chat.store.run(outbox.enqueue, 100, "photo", picture)
    async with running(chat):
        await until(lambda: no_more(chat))
    (shown,) = chat.visible(100)
    assert shown["caption"] == "Your way"
    assert shown["photo"]


async def test_somebody_who_asks_faster_than_a_bot_may_answer_makes_nothing_unready(chat):
    chat.context.sends_per_second = 30
    for number in range(20):
        await chat.store.run(outbox.enqueue, 100, "message", {"text": f"Answer {number}."})
    async with running(chat):
        await until(lambda: said(chat, "Answer 3."))
        soon = later(utc_now(), 0.1)
        assert await chat.store.run(health.not_ready, soon) == []
    # Once nothing more is sent, a waiting message means trouble.
    assert any("outbox" in why for why in await chat.store.run(health.not_ready, later(utc_now(), 5)))


async def said(chat, words):
    return words in chat.text(100)


@pytest.mark.slow
async def test_when_it_is_nobodys_turn_the_sender_waits_and_does_not_ask_without_end(chat, monkeypatch):
    chat.context.sends_per_second = 30
    asked = []
    real = sending.fetch
    monkeypatch.setattr(sending, "fetch", lambda *args: asked.append(1) or real(*args))
    for person in range(1000, 1060):
        await chat.store.run(outbox.enqueue, person, "message", {"text": "To all."})
    async with running(chat):
        await until(lambda: no_more(chat), tries=1000)
    # About one query for each message sent, and one at the end.
    assert len(asked) <= 3 * 60


async def test_telegram_refusing_for_a_while_loses_no_message(chat):
    refused = []

    def before(method, _parameters):
        if method.lower() == "sendmessage" and len(refused) < 3:
            refused.append(method)
            raise Refused("Bad Gateway", 502)

    chat.world.before = before
    await chat.store.run(outbox.enqueue, 100, "message", {"text": "It comes."})
    async with running(chat):
        await until(lambda: no_more(chat))
    assert "It comes." in chat.text(100)
    assert len(refused) == 3
