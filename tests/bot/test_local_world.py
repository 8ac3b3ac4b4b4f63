"""The local Telegram refuses what the real one refuses."""

from __future__ import annotations

import pytest

from bot.local.world import Refused, World, parse


@pytest.fixture
def world():
    return World()


async def send(world, **more):
    return await world.call("sendMessage", {"chat_id": 5, "text": "x", **more})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"text": ""}, "empty"),
        ({"text": "x" * 4097}, "too long"),
        ({"text": "😀" * 2049}, "too long"),
        ({"text": "<b>open", "parse_mode": "HTML"}, "end tag"),
        ({"text": "<blink>x</blink>", "parse_mode": "HTML"}, "Unsupported start tag"),
        ({"text": "a < b", "parse_mode": "HTML"}, "parse entities"),
        ({"text": "a & b", "parse_mode": "HTML"}, "parse entities"),
        ({"reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "x" * 65}]]}}, "BUTTON_DATA_INVALID"),
        ({"reply_markup": {"inline_keyboard": [[{"text": "", "callback_data": "x"}]]}}, "BUTTON_TEXT_INVALID"),
        ({"reply_markup": {"inline_keyboard": [[{"text": "a", "callback_data": "x"}] * 9]}}, "too many"),
    ],
)
async def test_a_message_telegram_would_refuse_is_refused(world, more, said):
    with pytest.raises(Refused, match=said):
        await send(world, **more)


async def test_an_edit_that_changes_nothing_or_finds_nothing_is_refused(world):
    sent = await send(world)
    with pytest.raises(Refused, match="not modified"):
        await world.call("editMessageText", {"chat_id": 5, "message_id": sent["message_id"], "text": "x"})
    with pytest.raises(Refused, match="not found"):
        await world.call("editMessageText", {"chat_id": 5, "message_id": 1, "text": "y"})


async def test_a_tap_is_answered_once(world):
    world.press(5, await send(world), "data")
    query = next(iter(world.pending.values()))["callback_query"]["id"]
    await world.call("answerCallbackQuery", {"callback_query_id": query})
    with pytest.raises(Refused, match="too old"):
        await world.call("answerCallbackQuery", {"callback_query_id": query})


async def test_updates_stay_until_a_later_offset_confirms_them(world):
    first = world.say(5, "/start")
    for _ in range(2):
        assert [u["update_id"] for u in await world.call("getUpdates", {"offset": 0, "timeout": 0})] == [first]
    assert await world.call("getUpdates", {"offset": first + 1, "timeout": 0}) == []
    assert not world.pending


async def test_what_is_older_than_two_days_cannot_be_deleted(world):
    sent = await send(world)
    now = world.clock()
    world.clock = lambda: now + 49 * 3600
    with pytest.raises(Refused, match="can't be deleted"):
        await world.call("deleteMessage", {"chat_id": 5, "message_id": sent["message_id"]})


async def test_an_unknown_method_is_not_found(world):
    with pytest.raises(Refused) as refused:
        await world.call("sendTelepathy", {})
    assert refused.value.code == 404


def test_html_becomes_text_and_entities_in_utf_16_units():
    text, entities = parse("😀 <b>bold &amp; <i>both</i></b>", "HTML")
    assert text == "😀 bold & both"
    assert {"type": "bold", "offset": 3, "length": 11} in entities
