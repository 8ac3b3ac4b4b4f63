"""Supervisors review records in the chat: most urgent first, signed off or sent back. The author sees every reading."""

from __future__ import annotations

import pytest

from bot.usecases import reviews as reviewing
from storage import members, records, reviews
from storage.core import ledger
from storage.core.clock import DAY, later
from storage.invites import InvitedAs
from tests.support.chat import Chat
from tests.support.stores import KEYS, migrated

AUTHOR, OTHER, SUPER, BOSS, SOUTH = 100, 101, 200, 201, 300


@pytest.fixture
async def chat(tmp_path):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (AUTHOR, OTHER)) as chat:
        for person, role, team in (
            (SUPER, "supervisor", "north"),
            (BOSS, "administrator", "north"),
            (SOUTH, "supervisor", "south"),
        ):
            await chat.store.run(members.save, person, role, team, chat.now(), "test", InvitedAs(f"The {role}"))
        yield chat


async def not_shared(chat, person=AUTHOR, harm="No, none of these", case="CASE-1", reasons="It is not needed."):
    await chat.say("/share", person)
    for label in (harm, "My own wish to share", "No", "Do not share"):
        await chat.tap(label, person)
    await chat.say(reasons, person)
    await chat.say(case, person)
    await chat.tap("Save the record", person)
    return (await chat.store.run(lambda unit: list(records.listed(unit))))[-1].clear["reference"]


async def emergency(chat, person=OTHER):
    await chat.say("/emergency", person)
    await chat.tap("I am calling", person)
    return (await chat.store.run(lambda unit: list(records.listed(unit))))[-1].clear["reference"]


async def state(chat, reference):
    def look(unit):
        return reviews.get(unit, records.find(unit, reference).clear["id"])

    return await chat.store.run(look)


async def test_the_queue_is_riskiest_first_and_an_emergency_is_told_at_once(chat):
    quiet = await not_shared(chat)
    assert chat.visible(SUPER) == []
    urgent = await emergency(chat)
    assert f"Please look now: record {urgent}. Emergency." in chat.text(SUPER)
    await chat.say("/review", SUPER)
    assert "2 records wait" in chat.text(SUPER)
    assert urgent in chat.text(SUPER)
    await chat.tap("Next", SUPER)
    assert quiet in chat.text(SUPER)
    assert "It is not needed" not in chat.text(SUPER), "typed words only in the opened record"
    await chat.tap("Next", SUPER)
    assert "That was the last one" in chat.text(SUPER)


async def test_sign_off_ends_the_wait_and_the_author_hears_of_it(chat):
    reference = await not_shared(chat)
    await chat.say("/review", SUPER)
    await chat.tap("Sign off", SUPER)
    assert "is signed off" in chat.text(SUPER)
    assert f"Record {reference}: signed off by a supervisor." in chat.text(AUTHOR)
    assert (await state(chat, reference)).state == "signed_off"
    await chat.say("/review", SUPER)
    assert "No record of your team waits" in chat.text(SUPER)


async def test_a_record_that_was_sent_back_gets_a_note_and_a_sign_off_is_asked_for(chat):
    reference = await not_shared(chat)
    await chat.say("/review", SUPER)
    await chat.tap("Send back", SUPER)
    await chat.say("call 07700 900123 about it", SUPER)
    assert "a phone number" in chat.text(SUPER)
    await chat.say("What did the family say?", SUPER)
    assert "What did the family say?" in chat.text(AUTHOR)
    await chat.say(f"/note {reference} They agreed with it.")
    await chat.tap("Ask for sign-off")
    assert f"A sign-off is asked for: record {reference}." in chat.text(SUPER)
    await chat.tap("Open the record", SUPER)
    assert any("They agreed with it." in message["text"] for message in chat.visible(SUPER))
    await chat.tap("Grade 2", SUPER)
    await chat.tap("Open it", SUPER)
    await chat.tap("Due in 7 days", SUPER)
    await chat.tap("Open it", SUPER)
    await chat.tap("Sign off", SUPER)
    review = await state(chat, reference)
    assert (review.state, review.grade, review.follow_up_on) == (
        "signed_off",
        2,
        later(chat.now(), 7 * DAY)[:10],
    )


async def test_nobody_reviews_their_own_and_no_other_team(chat):
    own = await not_shared(chat, SUPER)
    reference = await not_shared(chat)
    await chat.say("/review", SUPER)
    assert "1 record waits" in chat.text(SUPER)
    assert reference in chat.text(SUPER)
    for person, record in ((SUPER, own), (SOUTH, reference), (SOUTH, own)):
        for verb in ("show", "sign_off", "return", "comment", "grade.1", "follow_up.7"):
            name, _, value = verb.partition(".")
            await chat.press(f"-:rv.{name}.{record}{'.' + value if value else ''}", person, private(person))
            assert "There is no such record for you to review." in chat.text(person)
        assert (await state(chat, record)).state == "new"
    for person in (AUTHOR, BOSS):
        await chat.press(f"-:rv.sign_off.{reference}", person, private(person))
        assert "Your role does not allow this" in chat.text(person)


def private(person):
    return {"message_id": 1, "date": 1, "chat": {"id": person, "type": "private", "first_name": "x"}}


async def test_every_read_is_in_the_ledger_and_the_author_sees_it(chat):
    reference = await not_shared(chat)
    await chat.tap("Who has read it")
    assert "Nobody yet" in chat.text()
    for _ in range(3):
        await chat.press(f"-:rv.show.{reference}", SUPER, private(SUPER))
    await chat.say(f"/readers {reference}")
    assert chat.text().count("The supervisor, supervisor") == 3
    read = await chat.store.run(
        lambda unit: ledger.about(unit, f"record:{records.find(unit, reference).clear['id']}", "record.read")
    )
    assert len(read) == 3
    await chat.say(f"/readers {reference}", OTHER)
    assert "You have no record with that reference" in chat.text(OTHER)


async def test_the_digest_comes_once_a_day_while_something_waits(chat):
    await not_shared(chat)
    await chat.tick(24 * 60)
    assert "Team north: 1 record waits for review." in chat.text(SUPER)
    before = len(chat.visible(SUPER))
    await chat.tick(1)
    assert len(chat.visible(SUPER)) == before
    await chat.tap("Start the review", SUPER)
    await chat.tap("Sign off", SUPER)
    before = len(chat.visible(SUPER))
    await chat.tick(24 * 60)
    assert len(chat.visible(SUPER)) == before


async def test_what_cannot_be_done_now_says_so(chat):
    reference = await not_shared(chat)
    await chat.press(f"-:rv.close.{reference}", SUPER, private(SUPER))
    assert "This record is new." in chat.text(SUPER)
    await chat.press(f"-:rv.sign_off.{reference}", SUPER, private(SUPER))
    await chat.press(f"-:rv.sign_off.{reference}", SUPER, private(SUPER))
    assert "This record is signed off." in chat.text(SUPER)


async def test_a_dip_sample_is_the_same_whenever_asked_and_spread_over_people(chat):
    for number in range(4):
        await not_shared(chat, AUTHOR, case=f"CASE-{number}")
    await not_shared(chat, OTHER, case="CASE-9")
    month = chat.now()[:7]
    drawn = await chat.store.run(reviewing.sample, "north", 0, month, "2020", 2)
    again = await chat.store.run(reviewing.sample, "north", 0, month, "2020", 2)
    assert [row.reference for row in drawn] == [row.reference for row in again]
    assert len({row.member_id for row in drawn}) == 2
    reviewer = await chat.store.run(members.get, SUPER)
    by = reviews.Author(reviewer.id, "supervisor", chat.now())
    await chat.store.run(lambda unit: reviews.act(unit, drawn[0], "sampled", drawn[0].state, by))
    left = await chat.store.run(reviewing.sample, "north", 0, month, "2020", 9)
    assert drawn[0].reference not in [row.reference for row in left]
    assert len(left) == 4


async def test_a_dip_sample_is_drawn_in_the_chat_and_what_was_opened_is_not_drawn_again(chat):
    made = {await not_shared(chat, case=f"CASE-{number}") for number in range(3)}
    await not_shared(chat, SUPER, case="CASE-OWN-1")
    await chat.say("/sample", SUPER)
    drawn = [label.split(",")[0] for label in chat.labels(SUPER)]
    assert set(drawn) == made, "never one's own"
    await chat.press(f"-:rv.sampled.{drawn[0]}", SUPER, private(SUPER))
    await chat.say("/sample", SUPER)
    assert {label.split(",")[0] for label in chat.labels(SUPER)} == made - {drawn[0]}
