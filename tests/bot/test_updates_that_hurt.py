"""Updates and answers from Telegram that cause trouble: impossible numbers, a refused token, topics, people who come back."""

from __future__ import annotations

import asyncio
import json

import pytest
from telegram.error import InvalidToken

from bot.local.world import Refused
from bot.telegram import intake, retry
from bot.telegram.retry import TokenRefused
from storage import backlog, inbox, members, opinions, outbox, teams
from tests.bot.test_second_opinion import AUTHOR, CHANNEL, ask, chat  # noqa: F401 (a team with a channel)
from tests.support.chat import Chat
from tests.support.stores import KEYS, migrated

BIG = (2**63, 2**64, 2**64 - 1, 2**70, -(2**70), 10**400, 1.5e300)


@pytest.fixture
async def alone(tmp_path):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (100,)) as one:
        yield one


def message(number, **more):
    person = {"id": number, "is_bot": False, "first_name": "x"}
    place = {"id": number, "type": "private", "first_name": "x"}
    return {"message": {"message_id": 5, "date": 1, "chat": place, "from": person, "text": "yes", **more}}


@pytest.mark.parametrize("number", BIG)
async def test_a_number_that_cannot_be_harms_nobody_else(alone, number):
    """As the id of a person, chat or message, or as a date: it is handled, parked or refused, and the next person is served."""
    hostile = [
        message(number),
        message(100, message_id=number),
        message(100, date=number),
        message(100, reply_to_message={**message(number)["message"]}),
        {"callback_query": {"id": "1", "from": {"id": number, "is_bot": False, "first_name": "x"}, "chat_instance": "1", "data": "-:start.sharing"}},
        {"callback_query": {"id": "1", "from": message(100)["message"]["from"], "chat_instance": "1", "data": f"aaaaaaaa:{str(number)[:40]}:!back"}},
        {"my_chat_member": {"chat": {"id": number, "type": "group", "title": "x"}, "from": message(100)["message"]["from"], "date": 1}},
    ]  # fmt: skip
    for update in hostile:
        # As JSON, as from Telegram.
        alone.world.push(json.loads(json.dumps(update)))
    await alone.take_in()
    for _ in range(inbox.TRIES):
        for taken in await alone.store.run(inbox.claim, alone.context.bot_id):
            await alone.intake.handle(taken)
    counts = await alone.store.run(backlog.counts)
    assert not counts.get("inbox.waiting"), "whatever fails three times is parked"
    await alone.say("/share")
    assert "in danger or being harmed" in alone.text()


@pytest.mark.parametrize("number", BIG)
async def test_an_update_number_that_cannot_be_is_left_out(alone, number, monkeypatch):
    monkeypatch.setattr(intake, "LONGEST_PAUSE", 0.01)
    real = alone.app.bot.do_api_request
    given = [[{"update_id": number, **message(100)}, {"update_id": 7, **message(100, text="/start")}]]

    async def fetch(method, *args, **more):
        if method == "getupdates":
            if given:
                return json.loads(json.dumps(given.pop()))
            raise asyncio.CancelledError
        return await real(method, *args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(alone.app.bot), "do_api_request", lambda self, *a, **k: fetch(*a, **k))
        with pytest.raises(asyncio.CancelledError):
            await alone.intake.poll()
    waiting = await alone.store.run(inbox.claim, alone.context.bot_id)
    assert [taken.update_id for taken in waiting] == [7]


async def test_counting_a_failure_touches_nothing_of_the_update(alone):
    """It is parked even if its values are impossible and nobody can be told."""
    alone.world.push(message(100))
    await alone.take_in()
    (taken,) = await alone.store.run(inbox.claim, alone.context.bot_id)
    broken = inbox.Claimed(taken.id, taken.update_id, taken.ordering_key, {"message": {"from": {"id": 2**90}}})
    for _ in range(inbox.TRIES):
        await alone.intake.handle(broken)
    assert [one.what for one in await alone.store.run(backlog.parked)] == ["update"]


@pytest.mark.parametrize("answers", [1, 2])
async def test_the_token_counts_as_refused_when_telegram_says_so_twice(alone, monkeypatch, answers):
    monkeypatch.setattr(retry, "ASK_ONCE_MORE", 0.0)
    asked = []

    async def request(_self, method, *args, **more):
        asked.append(method)
        if len(asked) <= answers:
            raise InvalidToken("x")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(alone.app.bot), "do_api_request", request)
        if answers == 1:
            await retry.refused_for_good(alone.app.bot)
        else:
            with pytest.raises(TokenRefused):
                await retry.refused_for_good(alone.app.bot)
    assert asked == ["getme", "getme"]


async def test_one_refusal_while_sending_ends_nothing(alone):
    refused = []

    def before(method, _parameters):
        if method.lower() == "sendmessage" and not refused:
            refused.append(method)
            raise Refused("Unauthorized", 401)

    alone.world.before = before
    alone.world.say(100, "/help")
    await alone.take_in()
    for taken in await alone.store.run(inbox.claim, alone.context.bot_id):
        await alone.intake.handle(taken)
    await alone.settle()
    await alone.settle()
    assert refused
    assert "What you can do" in alone.text()
    assert not alone.sender.failed.done()


@pytest.mark.parametrize("trouble", ["message thread not found", "TOPIC_CLOSED", "TOPIC_DELETED"])
async def test_a_topic_that_is_gone_falls_back_to_the_general_one(chat, trouble):  # noqa: F811
    def before(method, parameters):
        if method.lower() == "sendmessage" and parameters.get("message_thread_id"):
            raise Refused(f"Bad Request: {trouble}")

    team = await chat.store.run(teams.get, "north")
    await chat.store.run(teams.claim, "north", team.channel_chat_id, 77, chat.now(), "test")
    chat.world.before = before
    await ask(chat)
    assert any("Question" in m["text"] for m in chat.visible(CHANNEL))


async def test_a_request_that_nobody_was_shown_says_so_and_is_posted_when_asked_again(chat):  # noqa: F811
    def before(method, parameters):
        if method.lower() == "sendmessage" and int(parameters["chat_id"]) == CHANNEL:
            raise Refused("Bad Request: not enough rights to send text messages to the chat")

    chat.world.before = before
    await ask(chat)
    assert any("could not be posted" in m["text"] for m in chat.visible(AUTHOR)), chat.text(AUTHOR)
    (request,) = await chat.store.run(opinions.open_of_team, "north")
    advice = await chat.store.run(opinions.as_advice, request)
    assert advice["shown"] is False
    chat.world.before = None
    await chat.say("/opinion", AUTHOR)
    assert any("Question" in m["text"] for m in chat.visible(CHANNEL)), "asking again posts it again"
    (request,) = await chat.store.run(opinions.open_of_team, "north")
    assert (await chat.store.run(opinions.as_advice, request))["shown"] is True


async def test_the_record_of_a_request_that_nobody_was_shown_never_says_that_no_opinion_came(chat):  # noqa: F811
    def before(method, parameters):
        if method.lower() == "sendmessage" and int(parameters["chat_id"]) == CHANNEL:
            raise Refused("Bad Request: not enough rights to send text messages to the chat")

    chat.world.before = before
    await ask(chat)
    await chat.tick(10_000)
    said = " ".join(m["text"] for m in chat.visible(AUTHOR))
    assert "Nobody was shown this request" in said
    assert "No opinion came" not in said


async def test_what_was_parked_because_a_person_blocked_the_bot_is_sent_when_they_come_back(alone):
    def before(method, parameters):
        if method.lower() == "sendmessage" and int(parameters["chat_id"]) == 100:
            raise Refused("Forbidden: bot was blocked by the user", 403)

    alone.world.before = before
    await alone.store.run(outbox.enqueue, 100, "message", {"text": "Your record was sent back."})
    await alone.store.run(outbox.enqueue, 100, "card", {"text": "Old state."}, "x")
    await alone.settle()
    await alone.store.run(outbox.enqueue, 100, "card", {"text": "New state."}, "x")
    await alone.settle()
    assert (await alone.store.run(members.get, 100)).unreachable_since is not None
    alone.world.before = None
    await alone.say("/help")
    shown = [m["text"] for m in alone.visible(100)]
    assert "Your record was sent back." in shown
    assert "New state." in shown
    assert "Old state." not in shown
    assert await alone.store.run(backlog.parked) == []


async def test_an_album_is_answered_once_and_a_caption_that_tells_of_danger_first(alone):
    photo = [{"file_id": "x", "file_unique_id": "x", "width": 1, "height": 1}]
    for number in range(4):
        caption = {"caption": "she is bleeding and he is hitting her right now"} if number == 0 else {}
        alone.world.push({"message": {**message(100)["message"], "message_id": 50 + number, "photo": photo,
                                      "media_group_id": "77", **caption}})  # fmt: skip
    for update in alone.world.pending.values():
        update["message"].pop("text")
    await alone.settle()
    shown = [m["text"] for m in alone.visible(100)]
    assert sum("I can read text only" in text for text in shown) == 1
    assert sum(text.startswith("A child in danger comes first.") for text in shown) == 1


async def test_an_edited_message_is_a_correction_only_while_its_question_is_open(alone):
    await alone.say("/share")
    for label in ("No, none of these", "My own wish to share", "No", "Do not share"):
        await alone.tap(label)
    refused = {**message(100, text="call mum on 07700 900123")["message"], "message_id": 10**9}
    alone.world.push({"message": refused})
    await alone.settle()
    assert "a phone number" in alone.text()
    alone.world.push({"edited_message": {**refused, "text": "The school has no need to know.", "edit_date": 2}})
    await alone.settle()
    assert "case reference in your own system" in alone.text(), "the question was still open"
    alone.world.push({"edited_message": {**refused, "text": "Something else altogether.", "edit_date": 3}})
    await alone.settle()
    assert "taken as you first typed it" in alone.text()
    assert "case reference in your own system" in alone.text()


GROUP_SAYS = {
    "contact": {"contact": {"phone_number": "1", "first_name": "x"}},
    "venue": {"venue": {"location": {"latitude": 1, "longitude": 1}, "title": "x", "address": "y"}},
    "file name": {"document": {"file_id": "x", "file_unique_id": "x", "file_name": "report_on_Callum_Davies.pdf"}},
    "poll": {"poll": {"id": "1", "question": "Is 07700 900123 the right number?", "options": [], "total_voter_count": 0,
                      "is_closed": False, "is_anonymous": True, "type": "regular", "allows_multiple_answers": False}},
    "hidden link": {"text": "here", "entities": [{"type": "text_link", "offset": 0, "length": 4, "url": "https://example.com/u/9"}]},
    "text mention": {"text": "look", "entities": [{"type": "text_mention", "offset": 0, "length": 4,
                                                   "user": {"id": 5, "is_bot": False, "first_name": "x"}}]},
    "forwarded": {"text": "see", "forward_origin": {"type": "hidden_user", "sender_user_name": "A Person", "date": 1}},
    "quote": {"text": "this", "quote": {"text": "born 12/03/2014", "position": 0}},
    "caption": {"caption": "NHS943 476 5919", "photo": []},
}  # fmt: skip


@pytest.mark.parametrize("what", GROUP_SAYS)
@pytest.mark.parametrize("edited", [False, True])
async def test_in_a_group_everything_that_a_message_carries_is_screened(chat, what, edited):  # noqa: F811
    group = chat.world.groups[CHANNEL]
    person = {"id": AUTHOR, "is_bot": False, "first_name": "x"}
    body = {"message_id": 900, "date": 1, "chat": group, "from": person, **GROUP_SAYS[what]}
    chat.world.push({"edited_message" if edited else "message": {**body, **({"edit_date": 2} if edited else {})}})
    await chat.settle()
    assert any("identif" in m["text"] or "leave" in m["text"].lower() for m in chat.visible(CHANNEL)), [
        m["text"] for m in chat.visible(CHANNEL)
    ]


async def test_danger_in_a_group_is_answered_there_first(chat):  # noqa: F811
    await chat.say("she is bleeding and the stepdad is hurting her right now", AUTHOR, CHANNEL)
    assert "call 999" in chat.text(CHANNEL)


async def test_an_emergency_reaches_administrators_when_no_supervisor_can_be_told(alone):
    await alone.store.run(members.save, 300, "supervisor", "north", alone.now(), "test")
    await alone.store.run(members.set_unreachable, 300, alone.now())
    await alone.store.run(members.save, 400, "administrator", "north", alone.now(), "test")
    await alone.say("/emergency")
    await alone.tap("I am calling")
    assert "No supervisor of your team can be reached" in alone.text(400)
    assert not any("Nobody in your team was alerted" in m["text"] for m in alone.visible(100))


async def test_whoever_sends_without_end_is_told_once_and_an_emergency_always_works(alone):
    alone.gateway.limits.per_minute = 20
    for _ in range(40):
        alone.world.say(100, "/help")
    await alone.settle()
    shown = [m["text"] for m in alone.visible(100)]
    assert sum("more than I can take in" in text for text in shown) == 1
    assert sum("What you can do" in text for text in shown) == 10
    await alone.say("/emergency")
    await alone.tap("I am calling")
    assert any("Call 999 now" in m["text"] for m in alone.visible(100))
