"""Kinds of typed words that fresh users found misread: what they meant, or a question back, never the opposite."""

from __future__ import annotations

import pytest

from storage import conversations, records
from tests.support.chat import Chat
from tests.support.stores import KEYS, migrated

TO_CONSENT = ("No, none of these", "Somebody asked", "Yes, to protect a child", "Yes", "Yes, but not sensitive")
TO_OUTCOME = (*TO_CONSENT, "Yes, they clearly agreed")


@pytest.fixture
async def chat(tmp_path):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (100,)) as opened:
        yield opened


async def at(chat, labels):
    await chat.say("/share")
    for label in labels:
        await chat.tap(label)


async def answers(chat):
    row = await chat.store.run(conversations.get_open, 100)
    return {state: answer["verb"] for state, answer in row.walk["answers"].items()}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("wrong button sorry", "mistake"), ("oops pressed that by accident", "mistake"), ("cancel that", "mistake"), ("back", "mistake"),
        ("no its not now, happened last month", "happened"), ("happened earlier", "happened"), ("it was yesterday", "happened"),
        ("calling 999", "calling"), ("im ringing them", "calling"), ("yes", "calling"),
    ],
)  # fmt: skip
async def test_words_at_the_card_of_an_emergency(chat, said, meant):
    await at(chat, ("No, none of these", "Somebody asked", "Emergency: danger or crime"))
    await chat.say(said)
    stored = await chat.store.run(lambda unit: list(records.listed(unit)))
    assert bool(stored) is (meant == "calling")
    if meant == "mistake":
        assert "Nothing was recorded, and nobody was told." in chat.text()
    if meant == "happened":
        assert (await answers(chat))["emergency"] == "earlier"
    if meant != "calling":
        await chat.tick(minutes=5)
        assert await chat.store.run(lambda unit: list(records.listed(unit))) == []


async def test_words_that_are_no_button_of_an_emergency_show_it_again(chat):
    await at(chat, ("Yes, a child is in danger now",))
    await chat.say("what about the school nurse")
    assert "call 999 now" in chat.text()
    assert "I am calling" in chat.labels()


@pytest.mark.parametrize(
    ("said", "never"),
    [
        ("waiting could harm", "explicit"), ("mum agreed but dad wont have it", "explicit"), ("didnt refuse, she said yes go ahead", "refused"),
        ("havent asked mum, would make it worse for the child", "explicit"), ("they didnt say no", "explicit"),
    ],
)  # fmt: skip
async def test_consent_is_never_read_the_wrong_way_round(chat, said, never):
    await at(chat, TO_CONSENT)
    await chat.say(said)
    assert (await answers(chat)).get("consent_kind") != never


@pytest.mark.parametrize(
    ("said", "never"),
    [
        ("share only what he needs, not everything", "do_not_share"), ("gonna share just the school bit", "share"),
        ("dont share the health stuff but the rest yes", "do_not_share"), ("not going to wait, sending it now", "pending_advice"),
        ("no thats wrong, change my last answer", "do_not_share"),
    ],
)  # fmt: skip
async def test_a_decision_is_never_read_the_wrong_way_round(chat, said, never):
    await at(chat, TO_OUTCOME)
    await chat.say(said)
    assert (await answers(chat)).get("decision") != never


@pytest.mark.parametrize(
    "said", ["telling could add risk", "ill tell her", "i will tell the parents after", "they know"]
)
async def test_nobody_who_speaks_of_telling_has_said_that_the_rest_is_done(chat, said):
    await at(chat, (*TO_OUTCOME, "Share"))
    await chat.say(said)
    assert "how_amount" not in await answers(chat)
    assert "First: are the four things done?" in chat.text() or "Go on with my questions" in chat.labels()


@pytest.mark.parametrize(
    "said",
    [
        "police and social care",
        "social care and our dsl",
        "police 101 and duty social worker",
        "the council attendance team",
    ],
)
async def test_whom_it_is_shared_with_is_kept_whole(chat, said):
    await at(chat, (*TO_OUTCOME, "Share", "All done. They already know", "A worry about a child"))
    await chat.say(said)
    row = await chat.store.run(conversations.get_open, 100)
    assert row.walk["answers"]["shared_with"]["text"] == said


@pytest.mark.parametrize(
    "said", ["nah not now, slow thing", "no but im worried about neglect", "not exactly, its been building up"]
)
async def test_a_no_with_more_in_it_is_asked_about_where_harm_is_asked(chat, said):
    await chat.say("/share")
    await chat.say(said)
    assert "harm" not in await answers(chat)


async def test_a_correction_is_never_kept_as_reasons(chat):
    await at(chat, (*TO_OUTCOME, "Do not share"))
    await chat.say("It is too early to tell anybody.")
    await chat.tap("Back")
    await chat.say("thats wrong i meant share")
    assert "I did not take that as an answer" in chat.text()


@pytest.mark.parametrize("said", ["its HV-4471", "the reference is HV-4471", "HV-4471", "case number: HV-4471"])
async def test_a_case_reference_is_found_among_words(chat, said):
    await at(chat, ("No, none of these", "Somebody asked", "No", "Do not share"))
    await chat.say("They did not say what it is for.")
    await chat.say(said)
    row = await chat.store.run(conversations.get_open, 100)
    assert row.walk["answers"]["case_reference"]["text"] == "HV-4471"


@pytest.mark.parametrize(
    "said",
    [
        "girl in my form says her cousin keeps touching her, hes living with them and shes terrified her parents find out",
        "a boy just told me his dad broke his arm on purpose",
    ],
)
async def test_whoever_tells_of_danger_reads_whom_to_tell_before_any_other_rule(chat, said):
    await chat.say(said)
    first, _, rest = chat.text().partition("On your question:")
    assert "call 999 now" in first
    assert rest.strip().startswith("You should tell council children's social care")


async def test_go_on_under_an_answer_leads_back_and_answers_nothing(chat):
    await at(chat, TO_CONSENT)
    await chat.say("do i need consent from both parents?")
    before = await answers(chat)
    await chat.say("go on")
    assert await answers(chat) == before
    assert "Do you have consent?" in chat.text()


async def test_an_emergency_by_mistake_is_no_earlier_answer(chat):
    await at(chat, ("Yes, a child is in danger now", "Pressed by mistake"))
    assert "Your earlier answer" not in chat.text()


@pytest.mark.parametrize("said", ["no none of them", "no nobodys in danger"])
async def test_a_plain_no_is_one(chat, said):
    await chat.say("/share")
    await chat.say(said)
    assert (await answers(chat))["harm"] == "no"


@pytest.mark.parametrize(
    "said",
    ["start the questions then", "start sharing questions", "new case", "start again", "start the sharing qs pls"],
)
async def test_starting_is_understood(chat, said):
    await chat.say(said)
    assert "in danger or being harmed" in chat.text()


@pytest.mark.parametrize(
    "said",
    ["ok so what number do i ring", "who to call here", "who do i call here", "whats the phone number for social care"],
)
async def test_whom_to_call_is_understood(chat, said):
    await chat.say(said)
    assert "Who to call here" in chat.text()
