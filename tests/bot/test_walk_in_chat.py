"""Stories in the chat: real PTB dispatch, real store, and a restart between any two messages."""

from __future__ import annotations

import pytest

from bot.messages.message import time_of
from bot.messages.record_cards import remarks
from bot.usecases import housekeeping
from storage import conversations, inbox, records, retention
from storage.operations import integrity
from tests.support.chat import Chat
from tests.support.schema import fits
from tests.support.stores import KEYS, migrated

TO_SHARE = [
    "No, none of these", "Somebody asked", "Yes, to protect a child", "Yes", "Yes, but not sensitive", "Yes, they clearly agreed",
]  # fmt: skip
HOW = ["All done. They already know"]


@pytest.fixture
async def chat(tmp_path):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (100, 200)) as opened:
        yield opened


async def stored(chat):
    def read(unit):
        return list(records.listed(unit)), integrity.verify(unit).broken

    found, broken = await chat.store.run(read)
    assert broken is None
    for record in found:
        fits(record)
    return found


async def an_emergency(chat):
    """Record an emergency by the command."""
    await chat.say("/emergency")
    await chat.tap("I am calling")


async def taps(chat, *labels):
    for label in labels:
        await chat.tap(label)


@pytest.mark.parametrize("restart", [False, True], ids=["running through", "restarted around every message"])
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_a_teacher_walks_to_a_decision_and_finds_the_record(request, tmp_path, database, restart):
    if database == "sqlite":
        url = migrated(tmp_path / "x.db")
    else:
        from tests.conftest import postgresql_url

        name = f"walk_{restart}".lower()
        url = postgresql_url(
            request.getfixturevalue("postgresql"), name, request.getfixturevalue("migrated_postgresql")
        )
    async with Chat(url, KEYS) as chat:
        chat.restart_always = restart
        await chat.say("/share")
        assert "in danger or being harmed" in chat.text()
        await taps(chat, *TO_SHARE)
        assert "You can share, but consider how" in chat.text()
        await taps(chat, "Share", *HOW, "A worry about a child", "Police")
        assert "What are your reasons?" in chat.text()
        await chat.say("The child told a teacher. Waiting could do harm.")
        await chat.say("CASE-2041")
        await taps(chat, "Add detail", "No, less would not do", "Leave out the rest")
        assert "Check your answers" in chat.text()
        await chat.tap("Save the record")
        assert "Saved. To copy:" in chat.text()
        assert "Record: SW-" in chat.text()
        (record,) = await stored(chat)
        content = record.content
        assert (record.clear["outcome"], record.clear["decision"], record.clear["otherwise"]) == (
            "share",
            "share",
            False,
        )
        assert content["reasons"] == "The child told a teacher. Waiting could do harm."
        assert content["case_reference"] == "CASE-2041"
        assert content["shared"]["what"] == "A worry about a child"
        assert content["shared"]["with"] == "Police"
        assert content["purpose"] == "To protect a child"
        assert content["consent"]["kind"] == "Explicit: they clearly said yes"
        assert content["informed"]["person"] == "They already know"
        shown = {asked["id"]: asked for asked in content["questions"]}
        assert shown["purpose"]["question"] == "Is there a clear and legitimate purpose for sharing information?"
        assert shown["purpose"]["quoted"]
        assert shown["purpose"]["at"].endswith("Z")
        assert len(content["history"]) == 16
        await chat.say("/records")
        await chat.tap(chat.labels()[0])
        assert "Decision record SW-" in chat.visible()[1]["text"]
        assert any(shown.kind == "photo" for shown in chat.seen)


async def test_start_says_what_it_is_offers_what_people_come_for_and_begins_nothing(chat):
    await chat.say("/start")
    for words in (
        "HM Government advice",
        "has been replaced",
        "not end-to-end encrypted",
        "Never type a name",
        "999",
    ):
        assert words in chat.text()
    assert len(chat.text()) < 400
    assert len(chat.labels()) == 7, "what people come for, and the emergency button"
    assert await chat.store.run(conversations.get_open, 100) is None


@pytest.mark.parametrize(
    ("choice", "said"),
    [("Somebody asked me for information", {"initiative": "asked"}), ("I am worried about a child", {"initiative": "own"}),
     ("Consent was refused", {"consent": "no", "consent_kind": "refused"}), ("The police or a court ask", {"initiative": "asked"})],
)  # fmt: skip
async def test_what_one_came_for_is_not_asked_and_can_be_changed(chat, choice, said):
    await chat.say("/start")
    await chat.tap(choice)
    assert f"You said: “{choice}”. You can change it later." in chat.text()
    assert "Back" not in chat.labels(), "there is nothing to go back to"
    walk = (await chat.store.run(conversations.get_open, 100)).walk
    assert {state: answer["verb"] for state, answer in walk["answers"].items()} == said
    await chat.tap("No, none of these")
    if "initiative" in said:
        assert "clear and legitimate purpose" in chat.text()
        await chat.tap("Back")
        assert "in danger or being harmed" in chat.text(), "what they came for stays as they said it"
        return
    await taps(chat, "Somebody asked", "Yes, to protect a child", "Yes", "Yes, and sensitive")
    assert "another reason to share" in chat.text(), "consent is not asked"


async def test_a_regular_exchange_leaves_no_record_by_one_tap(chat):
    await chat.say("/start")
    await taps(chat, "A list or a regular exchange")
    assert "This advice does not cover it" in chat.text()
    assert await stored(chat) == []
    await taps(chat, "Next", "Save the record")
    assert [record.clear["outcome"] for record in await stored(chat)] == ["out_of_scope"]


async def test_just_a_question_asks_for_it(chat):
    await chat.say("/start")
    await chat.tap("Just a question")
    assert chat.text().startswith("Type your question")
    await chat.say("do I need consent?")
    assert "consent" in chat.text()
    assert await chat.store.run(conversations.get_open, 100) is None


async def test_another_choice_takes_the_place_of_one_that_was_not_gone_on_with(chat):
    await chat.say("/start")
    await taps(chat, "Somebody asked me for information", "Consent was refused")
    assert "You said: “Consent was refused”." in chat.text()
    await taps(chat, "No, none of these", "I am worried about a child")
    assert "You have questions open" in chat.text()


async def test_one_card_is_edited_in_place(chat):
    await chat.say("/share")
    before = len(chat.visible())
    card = chat.card()["message_id"]
    await taps(chat, "No, none of these", "Somebody asked", "Why this question?", "Hide help")
    assert len(chat.visible()) == before
    assert chat.card()["message_id"] == card


async def test_of_a_pressed_message_nothing_but_its_place_is_taken_in(chat):
    await chat.say("/share")
    message, data = chat.find("No, none of these")
    assert "in danger or being harmed" in message["text"]
    chat.world.press(100, message, data)
    await chat.take_in()
    (taken,) = await chat.store.run(inbox.claim, chat.context.bot_id)
    query = taken.payload["callback_query"]
    assert query["data"] == data
    assert query["message"] == {name: message[name] for name in ("message_id", "date", "chat")}


async def test_why_this_question_shows_the_passage_and_how_strongly_it_is_put(chat):
    await chat.say("/share")
    await taps(chat, "Why this question?")
    text = chat.text()
    assert "Crime or immediate risk" in text
    assert "The advice says should. Source: 2015 advice, Being alert to signs" in text


async def test_an_emergency_shows_whom_to_call_and_a_second_tap_records_it(chat):
    await chat.say("/share")
    await taps(chat, "No, none of these", "My own wish to share", "Emergency: danger or crime")
    assert "call 999 now" in chat.text()
    assert "101" in chat.text()
    assert await stored(chat) == []
    await chat.tap("I am calling")
    assert "Call 999 now" in chat.card()["text"]
    assert chat.text().startswith("Nobody in your team was alerted")
    (record,) = await stored(chat)
    assert record.clear["outcome"] == "emergency"
    assert [asked["id"] for asked in record.content["questions"]][:3] == ["emergency", "harm", "initiative"]
    await chat.tap("Go on with my questions")
    assert "in danger or being harmed" in chat.text()
    await chat.tap("No, none of these")
    assert "clear and legitimate purpose" in chat.text(), "earlier answers are kept"
    assert len(await stored(chat)) == 1


async def test_an_emergency_pressed_by_mistake_leaves_nothing_and_is_where_one_was(chat):
    await chat.say("/share")
    await taps(chat, "No, none of these", "My own wish to share", "Emergency: danger or crime", "Pressed by mistake")
    assert "clear and legitimate purpose" in chat.text()
    await chat.tick(minutes=5)
    assert await stored(chat) == []
    assert "clear and legitimate purpose" in chat.text()


async def test_an_emergency_that_nobody_confirms_is_recorded_after_two_minutes(chat):
    await chat.say("/share")
    await taps(chat, "Yes, a child is in danger now")
    await chat.tick(minutes=1)
    assert await stored(chat) == []
    await chat.restart()
    await chat.tick(minutes=1.1)
    (record,) = await stored(chat)
    assert record.clear["outcome"] == "emergency"
    assert record.content["history"][-1]["by"] == "time"
    await chat.tick(minutes=5)
    assert len(await stored(chat)) == 1


async def test_a_crime_of_before_goes_on_to_the_questions_with_the_police_told_first(chat):
    await chat.say("/share")
    await taps(chat, "No, none of these", "My own wish to share", "Emergency: danger or crime", "It happened earlier")
    assert "clear and legitimate purpose" in chat.text(), "they are where they were"
    assert "101" in chat.text()
    await taps(chat, "No", "Wait for advice")
    assert await stored(chat) == []
    await chat.say("The police have been told on 101.")
    await taps(chat, "Skip", "Save the record")
    (record,) = await stored(chat)
    assert (record.clear["outcome"], record.clear["harm"]) == ("follow_procedures", True)
    assert "tell_police" in [duty["id"] for duty in record.content["duties"]]
    assert "1. Tell the police without delay: 101" in chat.card()["text"]


async def test_the_command_shows_the_card_only(chat):
    await chat.say("/emergency")
    assert "call 999 now" in chat.text()
    assert "Nothing is recorded yet." in chat.text()
    assert await chat.store.run(conversations.get_open, 100) is None
    await chat.tick(minutes=5)
    assert await stored(chat) == []
    await chat.tap("It happened earlier")
    assert "101" in chat.text()
    assert "Did somebody ask you" in chat.text()
    await chat.say("/emergency")
    await chat.tap("Go on with my questions")
    assert "Did somebody ask you" in chat.text()


async def test_emergency_after_the_end_and_by_command_makes_its_own_record(chat):
    await chat.say("/board")
    await taps(chat, "No, none of these", "Not sure", "Record it: I am getting advice", "Next")
    await chat.say("Not clear.")
    await taps(chat, "Skip", "Save the record", "Emergency: danger or crime", "I am calling")
    assert "Call 999 now" in chat.card()["text"]
    await chat.say("/emergency")
    await chat.tap("I am calling")
    assert [record.clear["outcome"] for record in await stored(chat)] == ["seek_advice", "emergency", "emergency"]


async def test_a_recorded_emergency_pressed_again_shows_the_same_card_and_keeps_the_way_back(chat):
    await chat.say("/share")
    await taps(chat, "Yes, harm, or harm is likely", "My own wish to share", "Yes, to protect a child")
    await taps(chat, "Emergency: danger or crime", "I am calling", "Emergency: danger or crime")
    (record,) = await stored(chat)
    said = [(asked["id"], asked["words"]) for asked in record.content["questions"]]
    assert said[0] == ("emergency", "No")
    assert said[-1] == ("emergency", "Yes: crime or immediate danger")
    assert "follow_procedures" in [duty["id"] for duty in record.content["duties"]]
    await taps(chat, "Go on with my questions", "No, none of these")
    assert "individual to be identified" in chat.text()


async def test_a_walk_without_answers_gives_way_to_the_flow_that_was_asked_for(chat):
    await chat.say("/share")
    await chat.say("/board")
    await taps(chat, "No, none of these")
    assert "Local Safeguarding Children Board" in chat.text()


async def test_the_same_sentence_may_answer_two_questions(chat):
    await chat.say("/share")
    await taps(chat, "No, none of these", "My own wish to share", "No", "Share")
    await chat.say("The child asked for help.")
    await taps(chat, *HOW, "To protect a child")
    await chat.say("The child asked for help.")
    assert "With whom do you share it" in chat.text()


async def test_a_harm_answer_shows_the_procedures_at_once(chat):
    await chat.say("/share")
    await taps(chat, "Yes, harm, or harm is likely")
    assert "Follow your local procedures without delay" in chat.text()


async def test_not_sure_pauses_for_days_and_goes_on(chat):
    await chat.say("/share")
    await taps(chat, "No, none of these", "Somebody asked", "Not sure")
    assert "That is not a no" in chat.text()
    await chat.restart()
    await chat.say("/share")
    assert "That is not a no" in chat.text()
    assert "Ask them: what do you need it for, and who will see it?" in chat.text()
    await chat.tap("Yes, to protect a child")
    assert "individual to be identified" in chat.text()


@pytest.mark.parametrize(
    ("when", "minutes"), [("In an hour", 61), ("Tomorrow", 48 * 60), ("Next working day", 4 * 24 * 60)]
)
async def test_who_wants_to_ask_first_is_reminded_once_and_the_record_says_so(chat, when, minutes):
    await chat.say("/share")
    await taps(chat, "No, none of these", "Somebody asked", "Not sure", "Who to call here")
    assert "Danger now: 999" in chat.text()
    await taps(chat, "Go on with my questions", "I will ask and come back", when)
    assert "I will remind you on" in chat.text()
    before = len(chat.visible())
    await chat.restart()
    await chat.tick(minutes=max(minutes, 12 * 60))
    assert len(chat.visible()) == before + 1 or "You wanted to ask somebody first" in chat.text()
    assert "You wanted to ask somebody first. Can you answer now?" in chat.text()
    await chat.tick(minutes=4 * 24 * 60)
    assert len([one for one in chat.seen if "You wanted to ask" in one.message.get("text", "")]) == 1
    await taps(chat, "No", "Do not share")
    await chat.say("They could not say what they need it for.")
    await taps(chat, "Skip", "Save the record")
    (record,) = await stored(chat)
    (asked,) = record.content["asked_for_time"]
    assert asked["question"] == "Is there a clear and legitimate purpose for sharing information?"
    await chat.tap("Show the record")
    shown = chat.visible()[1]["text"]
    assert "wanted to ask somebody first, until" in shown
    assert "looked up who to call here" in shown
    assert "Was not sure at: Is there a clear and legitimate purpose" in shown
    assert "Left out: Have you discussed your reasons with the person who asked?" in shown
    assert "Was not sure at" in "".join(remarks(record.content))


async def test_nobody_is_reminded_who_has_answered_since(chat):
    await chat.say("/share")
    await taps(chat, "No, none of these", "Somebody asked", "Not sure", "I will ask and come back", "In an hour", "No")
    await chat.tick(minutes=24 * 60)
    assert not [one for one in chat.seen if "You wanted to ask" in one.message.get("text", "")]


async def test_not_sure_with_harm_ends_in_the_procedures_and_not_in_waiting(chat):
    await chat.say("/share")
    await taps(chat, "Yes, harm, or harm is likely", "Somebody asked", "Not sure")
    assert "asking for advice must not delay your procedures" in chat.text()
    await chat.tap("Record it: I am getting advice")
    card = chat.visible()[1]["text"]
    assert "Follow your procedures on harm" in card
    assert "Ask your safeguarding lead, your manager or a colleague for advice" in card


async def test_not_sure_left_there_is_recorded_as_getting_advice(chat):
    await chat.say("/share")
    await taps(
        chat,
        "No, none of these",
        "Somebody asked",
        "Not sure",
        "Record it: I am getting advice",
        "Next",
    )
    await chat.say("The purpose is not clear to me yet.")
    await chat.tap("Skip")
    assert "It is recorded as: Wait for advice." in chat.text()
    await chat.tap("Save the record")
    (record,) = await stored(chat)
    assert (record.clear["outcome"], record.clear["decision"]) == ("seek_advice", "pending_advice")


async def test_a_bulk_exchange_is_out_of_scope(chat):
    await chat.say("/share")
    await taps(chat, "No, none of these", "Somebody asked", "It is a list or a regular exchange", "Back")
    assert "clear and legitimate purpose" in chat.text()
    await taps(chat, "It is a list or a regular exchange", "Next", "Save the record")
    assert (await stored(chat))[0].clear["outcome"] == "out_of_scope"


async def test_deciding_otherwise_asks_why_and_keeps_both(chat):
    await chat.say("/share")
    await taps(chat, "No, none of these", "My own wish to share", "No", "Share")
    assert "You decided other than the guidance points to" in chat.text()
    await chat.say("The school nurse needs to know today.")
    await taps(chat, *HOW, "To protect a child", "A worry about a child", "Health", "Skip", "Save the record")
    (record,) = await stored(chat)
    assert (record.clear["outcome"], record.clear["decision"], record.clear["otherwise"]) == (
        "do_not_share",
        "share",
        True,
    )
    assert record.content["decided_otherwise_because"] == "The school nurse needs to know today."
    assert record.content["reasons"] == "The school nurse needs to know today."


async def test_changing_an_answer_tells_what_it_drops_first(chat):
    await chat.say("/share")
    await taps(chat, *TO_SHARE, "Share", *HOW, "A worry about a child", "Police")
    await chat.say("Good reasons.")
    await taps(chat, "Skip", "Change an answer", "Consent: Yes", "No")
    assert "These answers would no longer apply" in chat.text()
    await chat.tap("Keep it as it was")
    assert "Check your answers" in chat.text()
    await taps(
        chat,
        "Change an answer",
        "Consent: Yes",
        "No",
        "Change it",
        "They refused",
        "Yes, my role or a public function",
    )
    assert "What have you decided?" in chat.card()["text"], "the decision followed from consent"


async def test_an_old_a_doubled_and_a_forged_button_change_nothing(chat):
    await chat.say("/share")
    message, data = chat.find("No, none of these")
    await chat.tap("No, none of these")
    await chat.press(data, message=message)
    assert "Did somebody ask you" in chat.text()
    for forged in (
        "",
        "x",
        "-:nonsense",
        "00000000:1:purpose.yes",
        data.replace("emergency.none", "check.confirm"),
        "a" * 64,
    ):
        await chat.press(forged or "-:", message=message)
        assert "Did somebody ask you" in chat.text()
    assert await stored(chat) == []


async def test_another_persons_press_does_nothing_to_my_conversation(chat):
    await chat.say("/share")
    message, data = chat.find("No, none of these")
    await chat.press(data, person=200, message=message)
    assert "in danger or being harmed" in chat.text(100)
    assert await stored(chat) == []


async def test_a_press_on_a_finished_conversation_shows_its_record_again(chat):
    await chat.say("/share")
    message, data = chat.find("Yes, a child is in danger now")
    await taps(chat, "Yes, a child is in danger now", "I am calling")
    await chat.press(data, message=message)
    assert "Saved. To copy:" in chat.card()["text"]
    assert "Record: SW-" in chat.card()["text"]
    assert len(await stored(chat)) == 1


async def test_strangers_get_one_neutral_answer_and_nothing_of_theirs_is_kept(chat, tmp_path):
    for text in ("/start", "secret-canary words", "/records"):
        await chat.say(text, person=666)
    shown = [s.message["text"] for s in chat.seen if s.chat_id == 666]
    assert shown == ["This bot is for members only. If a child is in danger, call 999."]
    kept = await chat.store.run(
        lambda unit: [
            (str(key), [tuple(row) for row in unit.connection.exec_driver_sql(f"select * from {key}")])
            for key in ("conversation", "inbox", "outbox", "decision_record")
        ]
    )
    rows = dict(kept)
    assert rows["conversation"] == rows["outbox"] == rows["decision_record"] == []
    assert all(row[6] is None for row in rows["inbox"])
    assert 666 not in {value for row in rows["inbox"] for value in row}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("NHS 943 476 5919 is hers", "an NHS number"),
        ("call 07700 900123", "a phone number"),
        ("mail me at a.b@example.org", "an e-mail address"),
        ("lives at LS1 4AP", "a postcode"),
        ("her name is Sarah", "a person’s name"),
        ("Mr Jones said so", "a person’s name"),
        ("born 3 May 2011", "a date of birth"),
        ("number AB123456C", "a National Insurance number"),
        ("see https://example.org/x", "a web address"),
        ("lives at 12 High Street", "an address"),
    ],
)
async def test_an_identifier_is_refused_named_by_kind_and_nothing_is_kept(chat, text, kind):
    await chat.say("/share")
    await taps(chat, "No, none of these", "My own wish to share", "No", "Do not share")
    await chat.say(text)
    assert f"That looks like it holds {kind}" in chat.text()
    assert "What are your reasons?" in chat.text()
    assert not any(m.get("text") == text for m in chat.world.messages.values()), "the message was taken out of the chat"
    await chat.say("The child is safe with the grandparent.")
    assert "case reference" in chat.text()


async def test_the_same_words_sent_twice_answer_once(chat):
    await chat.say("/share")
    await taps(chat, "No, none of these", "My own wish to share", "No", "Do not share")
    await chat.say("Because.")
    await chat.say("CASE-9")
    await chat.say("CASE-9")
    assert "You sent that already" in chat.text()
    assert "Check your answers" in chat.text()


async def test_what_is_not_an_identifier_passes(chat):
    await chat.say("/share")
    await taps(chat, "No, none of these", "My own wish to share", "No", "Do not share")
    await chat.say("Section 47, the 1998 Act, year 6, aged 9, on 12 May 2024, called 999 and 101, case AB-1234.")
    assert "case reference" in chat.text()


@pytest.mark.parametrize("wrong", ["Jane", "the Smith family", "J S 1", "x" * 50 + "1"])
async def test_a_case_reference_is_never_a_name(chat, wrong):
    await chat.say("/share")
    await taps(chat, "No, none of these", "My own wish to share", "No", "Do not share")
    await chat.say("Because.")
    await chat.say(wrong)
    assert "That is not a case reference" in chat.text() or "a person’s name" in chat.text()
    assert "case reference in your own system" in chat.text(), "the question stays open"


async def test_too_long_a_reason_is_refused_and_nothing_is_lost(chat):
    await chat.say("/share")
    await taps(chat, "No, none of these", "My own wish to share", "No", "Do not share")
    await chat.say("word " * 400)
    assert "1500 is the most. Nothing was saved. Please say it in fewer words." in chat.text()


async def test_typed_words_nobody_asked_for_are_a_question_and_are_not_kept(chat):
    await chat.say("do I need consent?")
    assert "you should seek consent" in chat.text()
    await chat.say("/share")
    await chat.say("do I need consent?")
    assert "you should seek consent" in chat.text()
    assert "Go on with my questions" in chat.labels()
    await chat.say("no")
    assert "Did somebody ask you" in chat.text(), "the words of a button count as a tap"


async def test_a_picture_is_not_read(chat):
    chat.world.say(100, "", photo=[{"file_id": "x", "file_unique_id": "x", "width": 1, "height": 1}])
    next(iter(chat.world.pending.values()))["message"].pop("text")
    await chat.settle()
    assert "I can read text only" in chat.text()


async def test_a_note_is_added_and_the_record_stays(chat):
    await an_emergency(chat)
    reference = (await stored(chat))[0].clear["reference"]
    before = (await stored(chat))[0].content
    await chat.say(f"/note {reference} The police called back.")
    assert "Saved. Note 1" in chat.text()
    await chat.say(f"/note {reference} Mr Smith called.")
    assert "Nothing was saved" in chat.text()
    after = (await stored(chat))[0]
    assert after.content == before
    assert [note["text"] for note in after.amendments] == ["The police called back."]
    await chat.say(f"/note {reference} not mine", person=200)
    assert "You have no record with that reference" in chat.text(200)


async def test_another_persons_record_is_answered_as_if_absent(chat):
    await an_emergency(chat)
    reference = (await stored(chat))[0].clear["reference"]
    await chat.say("/share", person=200)
    await chat.press(f"-:record.{reference}", person=200)
    assert chat.text(200) == "You have no record with that reference."


async def test_reading_a_record_is_in_the_ledger(chat):
    from storage.core import ledger

    await an_emergency(chat)
    await chat.tap("Show the record")
    actions = await chat.store.run(lambda unit: [entry["action"] for entry in ledger.entries(unit)])
    assert actions[-1] == "record.read"


@pytest.mark.parametrize(
    ("command", "words"),
    [("/help", "What you can do"), ("/privacy", "Privacy"), ("/rules", "Golden rule 7"), ("/cancel", "no open questions"),
     ("/records", "no decision records yet"), ("/board", "in danger or being harmed"), ("/board_use", "in danger or being harmed")],
)  # fmt: skip
async def test_every_command_answers(chat, command, words):
    await chat.say(command)
    assert words in chat.text()


async def test_cancel_keeps_no_record_and_start_again_begins_anew(chat):
    await chat.say("/share")
    await taps(chat, "No, none of these", "Cancel")
    assert "No record was made" in chat.text()
    await chat.tap("Start again")
    assert "in danger or being harmed" in chat.text()
    assert await stored(chat) == []


async def test_the_board_flow_leads_to_the_sharing_questions_when_nothing_is_required(chat):
    await chat.say("/board")
    await taps(chat, "No, none of these", "No", "Wait for advice")
    await chat.say("Asked the Board.")
    await taps(
        chat,
        "Skip",
        "Add detail",
        "Yes, discussed",
        "Leave out the rest",
        "Save the record",
        "Go to the sharing questions",
    )
    assert "in danger or being harmed" in chat.text()
    assert (await stored(chat))[0].clear["outcome"] == "not_required"


async def test_an_update_delivered_twice_is_handled_once(chat):
    await chat.say("/share")
    await chat.tap("Yes, a child is in danger now")
    message, data = chat.find("I am calling")
    chat.world.press(100, message, data)
    (update,) = chat.world.pending.values()
    await chat.settle()
    chat.world.pending[update["update_id"]] = update
    await chat.settle()
    assert len(await stored(chat)) == 1


async def test_updates_no_library_can_parse_harm_nobody(chat):
    for body in (
        {"message": {"chat": 5}},
        {"callback_query": {"id": []}},
        {"message": None},
        {"unheard_of": {"x": 1}},
        {},
    ):
        chat.world.push(body)
    await chat.say("/share")
    assert "in danger or being harmed" in chat.text()


async def test_a_member_who_was_ended_is_out_at_once(chat):
    from storage import members

    await chat.say("/share")
    await chat.store.run(members.end, 100, "2026-01-01T00:00:00.000000Z", "test")
    await chat.tap("No, none of these")
    assert "Did somebody ask you" not in chat.text()


async def test_what_was_typed_before_a_question_was_shown_is_no_answer_to_it(chat):
    """Late or repeated, as from a webhook: the words of an earlier answer arrive after the next question was answered."""
    await taps_to_reasons(chat)
    await chat.say("It is not needed.")
    late = {"message_id": chat.card()["message_id"]}
    await chat.say("CASE-1")
    await chat.tap("Add detail")
    assert "sharing less information do" in chat.text()
    chat.world.say(100, "It is not needed.")
    update = chat.world.pending[max(chat.world.pending)]
    update["message"]["message_id"] = late["message_id"]
    await chat.settle()
    assert "You typed that before this question was shown" in chat.text()
    assert "sharing less information do" in chat.text()
    await chat.say("Less would not do.")
    assert "sharing less information do" not in chat.text(), "typed after it was shown, it is an answer"


async def taps_to_reasons(chat):
    await chat.say("/share")
    await taps(chat, "No, none of these", "My own wish to share", "No", "Do not share")


async def test_a_person_whose_unfinished_questions_expire_is_told_once(chat):
    await chat.say("/share")
    await chat.say("/share", 200)
    await chat.say("/cancel", 200)
    await chat.store.run(retention.put, "unfinished", 30, None, chat.now(), "test")
    await chat.tick(minutes=31 * 24 * 60)
    for _ in range(2):
        await chat.store.run(housekeeping.tidy, chat.context)
        await chat.settle()
    told = [
        one.message["text"] for one in chat.seen if "unfinished questions were deleted" in one.message.get("text", "")
    ]
    assert len(told) == 1
    assert "unfinished questions were deleted" in chat.text(100)


def test_two_equal_times_of_the_autumn_change_are_told_apart():
    first, second, later = (time_of(f"2026-10-25T0{hour}:30:00.000000Z") for hour in range(3))
    assert (first, second) == ("25 October 2026, 01:30 (BST)", "25 October 2026, 01:30 (GMT)")
    assert later == "25 October 2026, 02:30"
