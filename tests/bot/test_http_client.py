"""The Bot API over aiohttp: which answers it accepts, and how it reports others. On loopback."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from telegram import Bot
from telegram.error import BadRequest, NetworkError, TelegramError, TimedOut

from bot.telegram.http_client import AiohttpRequest

TOKEN = "1:LOOPBACK-TOKEN-for-tests-only-000000"


@asynccontextmanager
async def telegram_says(answer):
    """A Bot API that gives one fixed answer."""
    application = web.Application()
    application.router.add_post("/bot{token}/{method}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    request = AiohttpRequest(2)
    await request.initialize()
    try:
        yield Bot(TOKEN, f"http://127.0.0.1:{runner.addresses[0][1]}/bot", request=request)
    finally:
        await request.shutdown()
        await runner.cleanup()


def call(bot, **more):
    return bot.do_api_request("sendmessage", api_kwargs={"chat_id": 1, "text": "x"}, **more)


@pytest.mark.parametrize(
    ("status", "body", "raises"),
    [
        (502, b"<html>Bad Gateway</html>", NetworkError),
        (200, b"<html>", TelegramError),
        (200, b"", TelegramError),
        (400, b'{"ok": false, "description": "Bad Request: no"}', BadRequest),
    ],
)
async def test_what_is_no_answer_is_an_error_without_the_token_and_the_library_logs_nothing(
    status, body, raises, caplog
):
    async def answer(_request):
        return web.Response(status=status, body=body)

    with caplog.at_level(logging.WARNING):
        async with telegram_says(answer) as bot:
            with pytest.raises(raises) as raised:
                await call(bot)
    assert TOKEN.split(":")[1] not in str(raised.value)
    assert not caplog.records


async def test_bytes_that_are_no_letters_do_not_hold_up_what_stands_beside_them():
    """Otherwise an update with such a byte would come again for ever, and hold up all updates behind it."""

    async def answer(_request):
        return web.Response(
            body=b'{"ok": true, "result": [{"update_id": 1, "text": "\xff \\ud800"}, {"update_id": 2}]}'
        )

    async with telegram_says(answer) as bot:
        found = await call(bot)
    assert [update["update_id"] for update in found] == [1, 2]
    assert found[0]["text"] == "\ufffd \ud800"


@pytest.mark.slow
async def test_half_a_character_is_sent_and_no_answer_in_time_is_said_to_be_that():
    incoming = []

    async def answer(request):
        incoming.append(await request.json())
        await asyncio.sleep(5)

    async with telegram_says(answer) as bot:
        with pytest.raises(TimedOut):
            await bot.do_api_request("sendmessage", api_kwargs={"chat_id": 1, "text": "\ud800"}, read_timeout=0.2)
    assert incoming == [{"chat_id": 1, "text": "\ud800"}]
