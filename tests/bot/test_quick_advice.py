"""Questions in a person's own words, in the chat: real PTB dispatch, real store."""

from __future__ import annotations

import pytest

from storage import members, questions
from storage.core import ledger
from storage.core.clock import utc_now
from storage.core.engine import sqlite_url
from tests.conftest import KEYS
from tests.support.chat import Chat


@pytest.fixture
async def chat(tmp_path):
    async with Chat(sqlite_url(tmp_path / "x.db"), KEYS, (100, 200)) as opened:
        yield opened


async def counted(chat):
    return await chat.store.run(questions.listed)


@pytest.mark.parametrize("typed", ["do i always need consent", "/ask do i always need consent"])
async def test_a_question_is_answered_with_passages_and_their_sources(chat, typed):
    await chat.say(typed)
    text = chat.text()
    assert "Myth 2: consent is always needed" in text
    assert "Source: 2015 advice, Myth-busting guide, myth 2" in text
    assert "You decide." in text
    assert text.count("Source:") <= 3
    assert {"See the question on this", "Start the sharing questions", "This did not help"} <= set(chat.labels())
    assert await counted(chat) == [], "an answered question is not kept"


async def test_an_answer_on_law_says_that_the_law_has_changed(chat):
    await chat.say("does the data protection act stop me sharing")
    assert "The law has changed since 2015: the Data Protection Act 1998 was replaced." in chat.text()
    await chat.say("do i have to write down my decision not to share")
    assert "The law has changed" not in chat.text()


async def test_consent_and_harm_come_together(chat):
    await chat.say("when can i skip asking for consent")
    assert "When you need not seek consent" in chat.text()
    assert "Myth 2: consent is always needed" in chat.text()


async def test_the_related_question_opens_with_its_explanation_and_leads_into_the_flow(chat):
    await chat.say("is this information confidential?")
    await chat.tap("See the question on this")
    assert "Is the information confidential?" in chat.text()
    assert "Source: 2015 advice" in chat.text()
    await chat.tap("Start these questions")
    assert "immediate danger?" in chat.text()


async def test_what_is_not_covered_is_said_with_what_is_near_and_who_to_ask_and_is_counted_without_the_asker(chat):
    await chat.say("who is the LADO?")
    text = chat.text()
    assert "The 2015 advice does not answer this." in text
    assert "LADO means local authority designated officer." in text
    assert "Ask your safeguarding lead or your manager." in text
    await chat.say("Who is the  lado?", 200)
    await chat.tap("Who to tell about a concern")
    assert "children's social care" in chat.text()
    (one,) = await counted(chat)
    assert (one.subject, one.question, one.times) == ("lado", "who is the LADO?", 2)


async def test_an_answer_that_did_not_help_is_counted_by_passage(chat):
    await chat.say("do i always need consent")
    await chat.tap("This did not help")
    assert "Ask your safeguarding lead" in chat.text()
    (one,) = await counted(chat)
    assert (one.kind, one.question, one.times) == ("did_not_help", None, 1)


@pytest.mark.parametrize(
    "typed",
    [
        "a girl in my class just told me her dad hits her",
        "/ask there is a man with a knife outside the school",
        "kid has bruises all over his back",
    ],
)
async def test_danger_comes_before_every_answer(chat, typed):
    await chat.say(typed)
    first = min(chat.visible(), key=lambda message: message["message_id"])
    assert first["text"].startswith("A child in danger comes first.")
    assert "call 999 now" in first["text"]
    assert len(chat.visible()) > 1
    await chat.press("-:emergency", message=first)
    assert "Saved. Record SW-" in str([message.get("text") for message in chat.visible()])


async def test_a_name_in_a_question_is_taken_out_and_named_by_kind_and_the_question_is_answered(chat):
    await chat.say("do I always need consent from Kayleigh Brown to share")
    texts = [message["text"] for message in chat.visible()]
    assert any("That looks like it holds a person’s name." in text for text in texts)
    assert not any("Kayleigh" in str(message) for message in chat.world.messages.values())
    assert "Myth 2" in texts[0]


async def test_a_question_beside_an_open_walk_leaves_the_walk_where_it_is(chat):
    await chat.say("/start")
    await chat.tap("No")
    await chat.say("/ask how long do we keep the notes")
    assert "How long to keep it" in str([message.get("text") for message in chat.visible()])
    await chat.tap("No")
    assert "own wish to share" in chat.text()


async def test_a_message_too_old_to_delete_is_said_to_be_still_there(chat):
    chat.world.clock = lambda: 1_000_000.0
    chat.world.say(100, "call 07700 900123")
    chat.world.clock = lambda: 1_000_000.0 + 49 * 3600
    await chat.settle()
    assert "Please delete it yourself." in str([message.get("text") for message in chat.visible()])


async def test_the_local_route_is_shown_as_set_and_said_to_be_unset(chat):
    await chat.say("/local")
    assert "Phone in the day: not set" in chat.text()
    assert "I never guess a number." in chat.text()
    await chat.say("/local set day_number 0300 123 0000")
    assert "Your role does not allow this." in chat.text()
    await chat.store.run(members.save, 200, "administrator", "north", utc_now(), "test")
    await chat.say("/local set day_number 0300 123 0000", 200)
    assert "Phone in the day: 0300 123 0000" in chat.text(200)
    await chat.say("/local set colour blue", 200)
    assert "There is no such name to set." in chat.text(200)
    await chat.say("/local")
    assert "Phone in the day: 0300 123 0000" in chat.text()
    entries = await chat.store.run(lambda unit: [entry["action"] for entry in ledger.entries(unit)])
    assert entries.count("local_route.set") == 1


async def test_supervisors_see_what_got_no_answer_and_practitioners_do_not(chat):
    await chat.say("how do i bake a cake")
    await chat.say("/unanswered")
    assert "Your role does not allow this." in chat.text()
    await chat.store.run(members.save, 200, "supervisor", "north", utc_now(), "test")
    await chat.say("/unanswered", 200)
    assert "1 × how do i bake a cake" in chat.text(200)


async def test_inline_mode_offers_passages_to_members_only_and_keeps_nothing(chat):
    chat.world.ask_inline(100, "do i always need consent")
    await chat.settle()
    (offered,) = chat.world.offered
    assert offered[0]["id"] == "myth-consent"
    assert "Source: 2015 advice" in offered[0]["input_message_content"]["message_text"]
    chat.world.ask_inline(999, "do i always need consent")
    chat.world.ask_inline(100, "the child is in immediate danger right now")
    await chat.settle()
    assert chat.world.offered[1] == []
    assert chat.world.offered[2][0]["id"] == "danger"
    assert chat.visible(999) == [], "a stranger's inline query starts no chat"
    assert await counted(chat) == []


async def test_a_name_that_is_none_passes_once_and_is_recorded_as_a_count(chat):
    await chat.say("/start")
    for label in ("No", "No", "My own wish to share", "No", "Next", "Do not share"):
        await chat.tap(label)
    await chat.say("Told Zorblax staff.")
    await chat.tap("It is not a person")
    assert "pass this once" in chat.text()
    await chat.say("Told Zorblax staff, call 07700 900123.")
    assert "a phone number" in chat.text()
    await chat.say("Told Zorblax staff.")
    assert "case reference" in chat.text()
    await chat.say("CASE-1")
    await chat.tap("Leave out the rest")
    await chat.tap("Save the record")
    from storage import records

    (record,) = await chat.store.run(lambda unit: list(records.listed(unit)))
    assert record.content["screening"]["said_not_a_person"] == 1
    assert record.content["screening"]["refused"]["phone"] == 1
    assert record.content["reasons"] == "Told Zorblax staff."
    assert "07700" not in str(record.content)


async def test_a_screening_that_cannot_run_keeps_nothing(chat, monkeypatch):
    await chat.say("/start")
    for label in ("No", "No", "My own wish to share", "No", "Next", "Do not share"):
        await chat.tap(label)

    def broken(text):
        raise RuntimeError(text)

    monkeypatch.setattr("flows.screening.names.spans", broken)
    await chat.say("The child is safe.")
    assert "could not be checked" in chat.text()
    assert "What are your reasons?" in chat.text()
    monkeypatch.undo()
    await chat.say("The child is safe.")
    assert "case reference" in chat.text()
