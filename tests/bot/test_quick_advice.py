"""Questions in a person's own words, in the chat: real PTB dispatch, real store."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bot.messages import advice_cards
from bot.messages.advice_cards import Around
from flows.advice import Answer
from flows.catalogue import open_book
from storage import members, questions
from storage.core import ledger
from storage.core.clock import utc_now
from tests.support.chat import Chat
from tests.support.reading import grade
from tests.support.stores import KEYS, migrated

BOOK = open_book("hmg-2015")
CARDS = list(BOOK.edition.cards.values())


@pytest.fixture
async def chat(tmp_path):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (100, 200)) as opened:
        yield opened


async def counted(chat):
    return await chat.store.run(questions.listed)


@pytest.mark.parametrize("typed", ["do i always need consent", "/ask do i always need consent"])
async def test_a_question_is_answered_first_then_come_the_source_and_more_from_the_advice(chat, typed):
    await chat.say(typed)
    text = chat.text()
    assert text.startswith("Not always. Where you can, you should seek consent")
    before, _, folded = text.partition("More from the advice")
    assert "The advice says should. Source: 2015 advice, Myth-busting guide, myth 2" in before
    assert "Myth 2: consent is always needed" in folded
    assert "You decide." in folded
    assert {"If they say no", "Record it", "See the question on this", "Start the sharing questions"} <= set(
        chat.labels()
    )
    (fold,) = [entity for entity in chat.visible()[0]["entities"] if entity["type"] == "expandable_blockquote"]
    assert text[fold["offset"] :].startswith("More from the advice")
    assert await counted(chat) == [], "an answered question is not kept"


async def test_the_next_card_is_one_tap_away(chat):
    await chat.say("do i always need consent")
    await chat.tap("If they say no")
    assert chat.text().startswith("You may still share without consent if")
    await chat.tap("Record it")
    assert "must be recorded" in chat.text()


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_every_answer_card_fits_one_screen_and_leads_on(card):
    around = Around(BOOK.index.on_law, {}, walk_open=True)
    found = Answer("answer", (), False, (), card=card.id)
    message = advice_cards.answer(BOOK, found, card, around)
    shown = re.sub("<[^>]+>", "", message.text.partition("<blockquote")[0]).strip()
    assert len(shown) <= 600, f"{len(shown)} characters before the fold"
    assert len(message.text.encode("utf-16-le")) // 2 <= 4096
    assert grade(card.answer) <= 7, "reading age 12"
    labels = [label for row in message.buttons for label, _ in row]
    assert labels[-1] == "Emergency: danger or crime"
    assert "Go on with my questions" in labels
    short = advice_cards.answer(BOOK, found, card, replace(around, short=True))
    assert len(short.text) < len(message.text)
    assert short.buttons == ()
    assert card.answer in short.text.replace("&amp;", "&")


async def test_an_answer_on_law_says_that_the_law_has_changed(chat):
    await chat.say("does the data protection act stop me sharing")
    assert "The law has changed since 2015: the Data Protection Act 1998 was replaced." in chat.text()
    await chat.say("do i have to write down my decision")
    assert "The law has changed" not in chat.text()


async def test_a_follow_up_is_read_with_the_question_before_it_for_ten_minutes(chat):
    now = [1000.0]
    chat.context.recent.clock = lambda: now[0]
    await chat.say("how long do we keep the notes")
    assert chat.text().startswith("Follow your own organisation's policy.")
    await chat.say("and then?")
    assert chat.text().startswith("Follow your own organisation's policy.")
    now[0] += 601
    await chat.say("and then?")
    assert not chat.text().startswith("Follow your own organisation's policy.")


async def test_a_clear_question_stands_alone_though_it_begins_like_a_follow_up(chat):
    await chat.say("girl in my form has a broken wrist, can she have a scribe")
    await chat.say("where do i start when someone asks me for info")
    assert chat.text().startswith("First ask:")
    await chat.say("how long do we keep the notes")
    await chat.say("who decides that")
    assert not chat.text().startswith("First ask:")


async def test_a_follow_up_after_a_question_with_an_identifier_does_not_bring_it_back(chat):
    await chat.say("can i tell 07700 900123 about consent")
    assert chat.context.recent.last(100) is None


@pytest.mark.parametrize(
    ("typed", "reply"),
    [
        ("thanks", "You are welcome."),
        ("hi there", "Hello."),
        ("are you a robot?", "I am a bot."),
        ("good night", "Goodbye."),
    ],
)
async def test_small_talk_has_its_own_short_reply_with_and_without_an_open_walk(chat, typed, reply):
    await chat.say(typed)
    assert chat.text().startswith(reply)
    assert chat.labels() == ["Start the sharing questions"]
    await chat.say("/share")
    await chat.say(typed)
    assert chat.text().startswith(reply)
    assert chat.labels() == ["Go on with my questions"]
    assert await counted(chat) == []


async def test_a_story_about_two_things_offers_the_second(chat):
    await chat.say(
        "Dad said no when I asked him for consent to share. I still want to pass it on to the school. Is it safe to send "
        "it by email?"
    )
    said, labels = chat.text(), chat.labels()
    assert "You also mention something else" in said
    await chat.tap(labels[0])
    assert chat.text() != said


async def test_a_worry_is_always_told_who_to_tell_with_the_local_numbers(chat):
    await chat.store.run(members.save, 200, "administrator", "north", utc_now(), "test")
    await chat.say("/local set day_number 0300 123 0000", 200)
    for typed in (
        "im worried about a boy in my class, he is always hungry and dirty",
        "worried about a girl, mum says she feels like she might hurt her",
        "do i need consent, im worried she is being neglected at home",
    ):
        await chat.say(typed)
        assert "children's social care" in chat.text(), typed
        assert "Phone in the day: 0300 123 0000." in chat.text(), typed


async def test_what_was_meant_is_counted_and_none_of_these_too(chat, monkeypatch):
    offered = Answer("closest", (), False, (), offered=("record", "keep_how_long"))
    monkeypatch.setattr("flows.advice.Index.ask", lambda self, question: offered)
    await chat.say("jotting stuff")
    assert chat.text().startswith("Did you mean one of these?")
    assert {"What do I have to write down?", "How long do we keep it?", "None of these"} <= set(chat.labels())
    await chat.tap("What do I have to write down?")
    assert "must be recorded" in chat.text()
    await chat.say("jotting other stuff")
    await chat.tap("None of these")
    assert "I have noted your question" in chat.text()
    found = {(one.kind, one.subject, one.question, one.team) for one in await counted(chat)}
    assert found == {
        ("meant", "record", "jotting stuff", "north"),
        ("unanswered", "unknown", "jotting other stuff", "north"),
    }


async def test_the_related_question_opens_with_its_explanation_and_leads_into_the_flow(chat):
    await chat.say("is this information confidential?")
    await chat.tap("See the question on this")
    assert "Is the information confidential?" in chat.text()
    assert "Source: 2015 advice" in chat.text()
    await chat.tap("Start these questions")
    assert "in danger or being harmed" in chat.text()


async def test_what_is_not_covered_is_said_with_what_is_near_and_who_to_ask_and_is_counted_without_the_asker(chat):
    await chat.say("who is the LADO?")
    text = chat.text()
    assert "The 2015 advice does not answer this." in text
    assert "LADO means local authority designated officer." in text
    assert "Ask your safeguarding lead or your manager." in text
    await chat.say("Who is the  lado?", 200)
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
    (first,) = chat.visible()
    assert first["text"].startswith("A child in danger comes first.")
    assert "call 999 now" in first["text"]
    police, _, question = first["text"].partition("On your question:")
    assert "999" in police
    assert "Source: 2015 advice" in question, "the question is answered on the same card"
    await chat.press("-:emergency", message=first)
    await chat.tap("I am calling")
    assert "Saved. To copy:" in str([message.get("text") for message in chat.visible()])
    assert "Record: SW-" in str([message.get("text") for message in chat.visible()])


async def test_a_name_in_a_question_is_taken_out_and_named_by_kind_and_the_question_is_answered(chat):
    await chat.say("do I always need consent from Kayleigh Brown to share")
    texts = [message["text"] for message in chat.visible()]
    assert any("That looks like it holds a person’s name." in text for text in texts)
    assert not any("Kayleigh" in str(message) for message in chat.world.messages.values())
    assert "you should seek consent" in texts[0]


async def test_a_question_beside_an_open_walk_leaves_the_walk_where_it_is(chat):
    await chat.say("/share")
    await chat.tap("No, none of these")
    await chat.say("/ask how long do we keep the notes")
    assert chat.text().startswith("Follow your own organisation's policy.")
    assert "in danger or being harmed" not in chat.text(), "the open question is not printed again"
    await chat.tap("Go on with my questions")
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


async def test_supervisors_see_groups_of_like_questions_of_their_own_team_and_sort_them_out(chat):
    for typed in ("how do i bake a cake", "how do i bake a big cake", "bake cake how"):
        await chat.say(typed)
    await chat.say("what is the capital of france")
    await chat.say("/unanswered")
    assert "Your role does not allow this." in chat.text()
    await chat.store.run(members.save, 200, "supervisor", "south", utc_now(), "test")
    await chat.say("/unanswered", 200)
    assert "No question of your team" in chat.text(200)
    await chat.store.run(members.save, 200, "supervisor", "north", utc_now(), "test")
    await chat.say("/unanswered", 200)
    assert "3 × " in chat.text(200)
    assert "bake" in chat.text(200)
    assert "france" not in chat.text(200), "once is not shown"
    await chat.tap("1: make it a way to ask", 200)
    assert "Which question is this?" in chat.text(200)
    await chat.tap(chat.labels(200)[0], 200)
    assert "Kept as a way to ask" in chat.text(200)
    found = await counted(chat)
    assert sorted(one.kind for one in found) == ["accepted", "accepted", "accepted", "unanswered"]
    await chat.say("/unanswered", 200)
    assert "No question of your team" in chat.text(200)


async def test_a_group_of_questions_is_deleted_once_and_a_stale_tap_changes_nothing(chat):
    for _ in range(3):
        await chat.say("how do i bake a cake")
    await chat.store.run(members.save, 200, "supervisor", "north", utc_now(), "test")
    await chat.say("/unanswered", 200)
    listed = chat.visible(200)[0]
    await chat.tap("1: delete", 200)
    assert chat.text(200) == "Deleted."
    assert await counted(chat) == []
    (delete,) = [data for row in listed["reply_markup"]["inline_keyboard"] for data in [row[-1]["callback_data"]]]
    await chat.press(delete, 200, message=listed)
    assert chat.text(200) == "Deleted."


async def test_inline_mode_offers_passages_to_members_only_and_keeps_nothing(chat):
    chat.world.ask_inline(100, "do i always need consent")
    await chat.settle()
    (offered,) = chat.world.offered
    assert offered[0]["id"] == "need_consent"
    assert "Source: 2015 advice" in offered[0]["input_message_content"]["message_text"]
    chat.world.ask_inline(999, "do i always need consent")
    chat.world.ask_inline(100, "the child is in immediate danger right now")
    await chat.settle()
    assert chat.world.offered[1] == []
    assert chat.world.offered[2][0]["id"] == "danger"
    assert chat.visible(999) == [], "a stranger's inline query starts no chat"
    assert await counted(chat) == []


async def test_a_name_that_is_none_passes_once_and_is_recorded_as_a_count(chat):
    await chat.say("/share")
    for label in ("No, none of these", "My own wish to share", "No", "Do not share"):
        await chat.tap(label)
    await chat.say("Told Zorblax staff.")
    await chat.tap("It is not a person")
    assert "pass this once" in chat.text()
    await chat.say("Told Zorblax staff, call 07700 900123.")
    assert "a phone number" in chat.text()
    await chat.say("Told Zorblax staff.")
    assert "case reference" in chat.text()
    await chat.say("CASE-1")
    await chat.tap("Save the record")
    from storage import records

    (record,) = await chat.store.run(lambda unit: list(records.listed(unit)))
    assert record.content["screening"]["said_not_a_person"] == 1
    assert record.content["screening"]["refused"]["phone"] == 1
    assert record.content["reasons"] == "Told Zorblax staff."
    assert "07700" not in str(record.content)


async def test_a_screening_that_cannot_run_keeps_nothing(chat, monkeypatch):
    await chat.say("/share")
    for label in ("No, none of these", "My own wish to share", "No", "Do not share"):
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
