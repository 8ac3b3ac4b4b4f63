"""Stories in the chat: real PTB dispatch, real store, and a restart between any two messages."""

from __future__ import annotations

import pytest

from bot.messages.message import time_of
from bot.usecases import housekeeping
from storage import inbox, records, retention
from storage.operations import integrity
from tests.support.chat import Chat
from tests.support.schema import fits
from tests.support.stores import KEYS, migrated

TO_SHARE = ["No", "No", "Somebody asked", "Yes", "Yes", "Yes", "No", "Yes", "Explicit: they clearly said yes"]
HOW = ["Yes, done", "Yes, done", "Yes, done", "Yes, done", "They already know"]


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
        await chat.say("/start")
        assert "immediate danger?" in chat.text()
        await taps(chat, *TO_SHARE)
        assert "You can share, but consider how" in chat.text()
        await taps(chat, "Next", *HOW, "Share", "To protect a child", "A worry about a child", "Police")
        assert "What are your reasons?" in chat.text()
        await chat.say("The child told a teacher. Waiting could do harm.")
        await chat.say("CASE-2041")
        await taps(chat, "No, less would not do", "Leave out the rest")
        assert "Check your answers" in chat.text()
        await chat.tap("Save the record")
        assert "Saved. Record SW-" in chat.text()
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
        assert len(content["history"]) >= 22
        await chat.say("/records")
        await chat.tap(chat.labels()[0])
        assert "Decision record SW-" in chat.visible()[1]["text"]
        assert any(shown.kind == "photo" for shown in chat.seen)


async def test_start_says_what_it_is_before_anything_is_asked(chat):
    await chat.say("/start")
    welcome = chat.visible()[1]["text"]
    for words in (
        "HM Government advice",
        "not a law",
        "has been replaced",
        "not end-to-end encrypted",
        "Never type a name",
        "999",
    ):
        assert words in welcome


async def test_one_card_is_edited_in_place(chat):
    await chat.say("/start")
    before = len(chat.visible())
    card = chat.card()["message_id"]
    await taps(chat, "No", "No", "Somebody asked", "Why this question?", "Hide help")
    assert len(chat.visible()) == before
    assert chat.card()["message_id"] == card


async def test_of_a_pressed_message_nothing_but_its_place_is_taken_in(chat):
    await chat.say("/start")
    message, data = chat.find("No")
    assert "immediate danger?" in message["text"]
    chat.world.press(100, message, data)
    await chat.take_in()
    (taken,) = await chat.store.run(inbox.claim, chat.context.bot_id)
    query = taken.payload["callback_query"]
    assert query["data"] == data
    assert query["message"] == {name: message[name] for name in ("message_id", "date", "chat")}


async def test_why_this_question_shows_the_passage_and_how_strongly_it_is_put(chat):
    await chat.say("/start")
    await taps(chat, "No", "Why this question?")
    text = chat.text()
    assert "Concern about harm" in text
    assert (
        "The advice says to do this. Source: 2015 advice, When and how to share information, closing paragraph." in text
    )


async def test_an_emergency_is_recorded_at_once_and_the_questions_can_go_on(chat):
    await chat.say("/start")
    await taps(chat, "No", "No", "My own wish to share", "Emergency: danger now")
    assert "Call 999 now" in chat.card()["text"]
    assert chat.text().startswith("Nobody in your team was alerted")
    (record,) = await stored(chat)
    assert record.clear["outcome"] == "emergency"
    assert [asked["id"] for asked in record.content["questions"]][:3] == ["emergency", "harm", "initiative"]
    await chat.tap("Go on with my questions")
    assert "immediate danger?" in chat.text()
    await chat.tap("No")
    assert "clear and legitimate purpose" in chat.text(), "earlier answers are kept"
    assert len(await stored(chat)) == 1


async def test_emergency_after_the_end_and_by_command_makes_its_own_record(chat):
    await chat.say("/board")
    await taps(chat, "No", "No", "Not sure", "Record it: I am getting advice", "Next")
    await chat.say("Not clear.")
    await taps(chat, "Leave out the rest", "Save the record", "Emergency: danger now")
    assert "Call 999 now" in chat.text()
    await chat.say("/emergency")
    assert [record.clear["outcome"] for record in await stored(chat)] == ["seek_advice", "emergency", "emergency"]


async def test_a_recorded_emergency_pressed_again_shows_the_same_card_and_keeps_the_way_back(chat):
    await chat.say("/start")
    await taps(chat, "No", "Yes", "My own wish to share", "Yes", "Emergency: danger now", "Emergency: danger now")
    (record,) = await stored(chat)
    said = [(asked["id"], asked["words"]) for asked in record.content["questions"]]
    assert said[0] == ("emergency", "No")
    assert said[-1] == ("emergency", "Yes: crime or immediate danger")
    assert "follow_procedures" in [duty["id"] for duty in record.content["duties"]]
    await taps(chat, "Go on with my questions", "No")
    assert "individual to be identified" in chat.text()


async def test_a_walk_without_answers_gives_way_to_the_flow_that_was_asked_for(chat):
    await chat.say("/start")
    await chat.say("/board")
    await taps(chat, "No", "No")
    assert "Local Safeguarding Children Board" in chat.text()


async def test_the_same_sentence_may_answer_two_questions(chat):
    await chat.say("/start")
    await taps(chat, "No", "No", "My own wish to share", "No", "Next", "Share")
    await chat.say("The child asked for help.")
    await taps(chat, *HOW, "To protect a child", "A worry about a child", "Health")
    await chat.say("The child asked for help.")
    assert "case reference" in chat.text()


async def test_a_harm_answer_shows_the_procedures_at_once(chat):
    await chat.say("/start")
    await taps(chat, "No", "Yes")
    assert "Follow your local procedures without delay" in chat.text()


async def test_not_sure_pauses_for_days_and_goes_on(chat):
    await chat.say("/start")
    await taps(chat, "No", "No", "Somebody asked", "Not sure")
    assert "That is not a no" in chat.text()
    await chat.restart()
    await chat.say("/start")
    assert "That is not a no" in chat.text()
    await chat.tap("Yes")
    assert "individual to be identified" in chat.text()


async def test_not_sure_left_there_is_recorded_as_getting_advice(chat):
    await chat.say("/start")
    await taps(
        chat,
        "No",
        "No",
        "Somebody asked",
        "Not sure",
        "Record it: I am getting advice",
        "Next",
    )
    await chat.say("The purpose is not clear to me yet.")
    await chat.tap("Leave out the rest")
    assert "It is recorded as: Wait for advice." in chat.text()
    await chat.tap("Save the record")
    (record,) = await stored(chat)
    assert (record.clear["outcome"], record.clear["decision"]) == ("seek_advice", "pending_advice")


async def test_a_bulk_exchange_is_out_of_scope(chat):
    await chat.say("/start")
    await taps(chat, "No", "No", "Somebody asked", "Bulk exchange?", "No")
    assert "clear and legitimate purpose" in chat.text()
    await taps(chat, "Bulk exchange?", "Yes")
    assert (await stored(chat))[0].clear["outcome"] == "out_of_scope"


async def test_deciding_otherwise_asks_why_and_keeps_both(chat):
    await chat.say("/start")
    await taps(chat, "No", "No", "My own wish to share", "No", "Next", "Share")
    assert "You decided other than the guidance points to" in chat.text()
    await chat.say("The school nurse needs to know today.")
    await taps(chat, *HOW, "To protect a child", "A worry about a child", "Health")
    await chat.say("The risk is real.")
    await taps(chat, "Leave out the rest", "Save the record")
    (record,) = await stored(chat)
    assert (record.clear["outcome"], record.clear["decision"], record.clear["otherwise"]) == (
        "do_not_share",
        "share",
        True,
    )
    assert record.content["decided_otherwise_because"] == "The school nurse needs to know today."


async def test_changing_an_answer_tells_what_it_drops_first(chat):
    await chat.say("/start")
    await taps(chat, *TO_SHARE, "Next", *HOW, "Share", "To protect a child", "A worry about a child", "Police")
    await chat.say("Good reasons.")
    await taps(chat, "Leave out the rest", "Change an answer", "Do you have consent?: Yes", "No")
    assert "These answers would no longer apply" in chat.text()
    await chat.tap("Keep it as it was")
    assert "Check your answers" in chat.text()
    await taps(
        chat,
        "Change an answer",
        "Do you have consent?: Yes",
        "No",
        "Change it",
        "They refused",
        "Yes",
        "My role or a public function",
    )
    assert "What have you decided?" in chat.text() or "You can share" in chat.text()


async def test_an_old_a_doubled_and_a_forged_button_change_nothing(chat):
    await chat.say("/start")
    message, data = chat.find("No")
    await chat.tap("No")
    await chat.press(data, message=message)
    assert "suffering harm" in chat.text()
    for forged in (
        "",
        "x",
        "-:nonsense",
        "00000000:1:purpose.yes",
        data.replace("emergency.no", "check.confirm"),
        "a" * 64,
    ):
        await chat.press(forged or "-:", message=message)
        assert "suffering harm" in chat.text()
    assert await stored(chat) == []


async def test_another_persons_press_does_nothing_to_my_conversation(chat):
    await chat.say("/start")
    message, data = chat.find("No")
    await chat.press(data, person=200, message=message)
    assert "immediate danger?" in chat.text(100)
    assert await stored(chat) == []


async def test_a_press_on_a_finished_conversation_shows_its_record_again(chat):
    await chat.say("/start")
    message, data = chat.find("Yes: crime or immediate danger")
    await chat.tap("Yes: crime or immediate danger")
    await chat.press(data, message=message)
    assert "Saved. Record SW-" in chat.card()["text"]
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
    await chat.say("/start")
    await taps(chat, "No", "No", "My own wish to share", "No", "Next", "Do not share")
    await chat.say(text)
    assert f"That looks like it holds {kind}" in chat.text()
    assert "What are your reasons?" in chat.text()
    assert not any(m.get("text") == text for m in chat.world.messages.values()), "the message was taken out of the chat"
    await chat.say("The child is safe with the grandparent.")
    assert "case reference" in chat.text()


async def test_the_same_words_sent_twice_answer_once(chat):
    await chat.say("/start")
    await taps(chat, "No", "No", "My own wish to share", "No", "Next", "Do not share")
    await chat.say("Because.")
    await chat.say("CASE-9")
    await chat.say("CASE-9")
    assert "You sent that already" in chat.text()
    assert "sharing less information" in chat.text()


async def test_what_is_not_an_identifier_passes(chat):
    await chat.say("/start")
    await taps(chat, "No", "No", "My own wish to share", "No", "Next", "Do not share")
    await chat.say("Section 47, the 1998 Act, year 6, aged 9, on 12 May 2024, called 999 and 101, case AB-1234.")
    assert "case reference" in chat.text()


@pytest.mark.parametrize("wrong", ["Jane", "the Smith family", "J S 1", "x" * 50 + "1"])
async def test_a_case_reference_is_never_a_name(chat, wrong):
    await chat.say("/start")
    await taps(chat, "No", "No", "My own wish to share", "No", "Next", "Do not share")
    await chat.say("Because.")
    await chat.say(wrong)
    assert "That is not a case reference" in chat.text() or "a person’s name" in chat.text()
    assert "case reference in your own system" in chat.text(), "the question stays open"


async def test_too_long_a_reason_is_refused_and_nothing_is_lost(chat):
    await chat.say("/start")
    await taps(chat, "No", "No", "My own wish to share", "No", "Next", "Do not share")
    await chat.say("word " * 400)
    assert "1500 is the most. Nothing was saved. Please say it in fewer words." in chat.text()


async def test_typed_words_nobody_asked_for_are_a_question_and_are_not_kept(chat):
    await chat.say("do I need consent?")
    assert "you should seek consent" in chat.text()
    await chat.say("/start")
    await chat.say("do I need consent?")
    assert "you should seek consent" in chat.text()
    assert "Go on with my questions" in chat.labels()
    await chat.say("no")
    assert "suffering harm" in chat.text(), "the words of a button count as a tap"


async def test_a_picture_is_not_read(chat):
    chat.world.say(100, "", photo=[{"file_id": "x", "file_unique_id": "x", "width": 1, "height": 1}])
    next(iter(chat.world.pending.values()))["message"].pop("text")
    await chat.settle()
    assert "I can read text only" in chat.text()


async def test_a_note_is_added_and_the_record_stays(chat):
    await chat.say("/emergency")
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
    await chat.say("/emergency")
    reference = (await stored(chat))[0].clear["reference"]
    await chat.say("/start", person=200)
    await chat.press(f"-:record.{reference}", person=200)
    assert chat.text(200) == "You have no record with that reference."


async def test_reading_a_record_is_in_the_ledger(chat):
    from storage.core import ledger

    await chat.say("/emergency")
    await chat.tap("Show the record")
    actions = await chat.store.run(lambda unit: [entry["action"] for entry in ledger.entries(unit)])
    assert actions[-1] == "record.read"


@pytest.mark.parametrize(
    ("command", "words"),
    [("/help", "What you can do"), ("/privacy", "Privacy"), ("/rules", "Golden rule 7"), ("/cancel", "no open questions"),
     ("/records", "no decision records yet"), ("/board", "immediate danger?"), ("/board_use", "immediate danger?")],
)  # fmt: skip
async def test_every_command_answers(chat, command, words):
    await chat.say(command)
    assert words in chat.text()


async def test_cancel_keeps_no_record_and_start_again_begins_anew(chat):
    await chat.say("/start")
    await taps(chat, "No", "Cancel")
    assert "No record was made" in chat.text()
    await chat.tap("Start again")
    assert "immediate danger?" in chat.text()
    assert await stored(chat) == []


async def test_the_board_flow_leads_to_the_sharing_questions_when_nothing_is_required(chat):
    await chat.say("/board")
    await taps(chat, "No", "No", "No", "Next", "Wait for advice", "Yes, discussed")
    await chat.say("Asked the Board.")
    await taps(chat, "Leave out the rest", "Save the record", "Go to the sharing questions")
    assert "immediate danger?" in chat.text()
    assert (await stored(chat))[0].clear["outcome"] == "not_required"


async def test_an_update_delivered_twice_is_handled_once(chat):
    await chat.say("/start")
    message, data = chat.find("Yes: crime or immediate danger")
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
    await chat.say("/start")
    assert "immediate danger?" in chat.text()


async def test_a_member_who_was_ended_is_out_at_once(chat):
    from storage import members

    await chat.say("/start")
    await chat.store.run(members.end, 100, "2026-01-01T00:00:00.000000Z", "test")
    await chat.tap("No")
    assert "suffering harm" not in chat.text()


async def test_what_was_typed_before_a_question_was_shown_is_no_answer_to_it(chat):
    """Late or repeated, as from a webhook: the words of an earlier answer arrive after the next question was answered."""
    await taps_to_reasons(chat)
    await chat.say("It is not needed.")
    late = {"message_id": chat.card()["message_id"]}
    await chat.say("CASE-1")
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
    await chat.say("/start")
    await taps(chat, "No", "No", "My own wish to share", "No", "Next", "Do not share")


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
