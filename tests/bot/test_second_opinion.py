"""Second opinions from a team's channel: asked without a name, sealed until closed, in the record; the author decides."""

from __future__ import annotations

import io
import json

import pytest

from bot.cli.main import main
from bot.local.world import Refused
from bot.usecases.outbox import fetch
from storage import backlog, inbox, invites, members, questions, records, teams
from storage.core.clock import later
from storage.invites import InvitedAs
from tests.bot.test_review import not_shared
from tests.support.chat import Chat
from tests.support.counts import COUNTS
from tests.support.planted import texts
from tests.support.schema import fits
from tests.support.stores import KEYS, migrated

AUTHOR, ONE, TWO, DEPUTY, BOSS, STRANGER, ELSEWHERE = 100, 101, 102, 103, 200, 999, 300
CHANNEL = -1001


async def people(chat):
    for person, role, team in ((BOSS, "administrator", "north"), (ELSEWHERE, "practitioner", "south")):
        await chat.store.run(members.save, person, role, team, chat.now(), "test")


@pytest.fixture
async def chat(tmp_path):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (AUTHOR, ONE, TWO, DEPUTY)) as chat:
        await people(chat)
        chat.world.open_group(CHANNEL, "North team")
        await chat.settle()
        await chat.say("/claim", BOSS, CHANNEL)
        yield chat


async def to_purpose(chat, person=AUTHOR):
    await chat.say("/share", person)
    for label in ("No, none of these", "My own wish to share"):
        await chat.tap(label, person)


async def ask(chat):
    await to_purpose(chat)
    await chat.tap("Ask the team")
    await chat.tap("Send it to the team")


async def give(chat, person, label, reason="The purpose is clear"):
    await chat.tap(label, person, CHANNEL)
    await chat.tap(reason, person)


async def record_of(chat):
    found = await chat.store.run(lambda unit: list(records.listed(unit)))
    for stored in found:
        fits(stored)
    return found


async def test_a_second_opinion_comes_back_and_ends_up_in_the_record(chat):
    await to_purpose(chat)
    await chat.tap("Ask the team")
    assert "This is what they would see" in chat.text()
    assert len(chat.visible(CHANNEL)) == 2, "nothing went out before it was confirmed"
    await chat.tap("Send it to the team")
    assert "0 of 2 in" in chat.text()
    post = chat.text(CHANNEL)
    assert "Second opinion wanted" in post
    assert "clear and legitimate purpose" in post
    await chat.tap("Yes", ONE, CHANNEL)
    assert "Your opinion counts then" in chat.text(ONE)
    assert "0 of 2 in" in chat.text(), "without a reason it does not count"
    await chat.tap("The purpose is clear", ONE)
    assert "1 of 2 in" in chat.text()
    assert "Yes: 1" not in chat.text()
    assert chat.text(CHANNEL) == post
    await give(chat, TWO, "No", "The purpose is not clear")
    assert "Yes: 1" in chat.text()
    assert "No: 1" in chat.text()
    assert "do not agree with each other" in chat.text()
    assert "has ended: enough opinions were in" in chat.text(CHANNEL)
    await chat.tap("I follow it in part")
    await chat.tap("Go on with my questions")
    for label in ("No", "Do not share"):
        await chat.tap(label)
    await chat.say("It is not needed.")
    await chat.say("CASE-1")
    await chat.tap("Save the record")
    (record,) = await record_of(chat)
    (advice,) = record.content["advice_sought"]
    assert [one["label"] for one in advice["opinions"]] == ["Yes", "No"]
    assert advice["made_of_it"]["made_of_it"] == "partly"
    await chat.tap("Show the record")
    assert any("Advice sought from team north" in message["text"] for message in chat.visible())


async def test_what_comes_after_the_decision_is_added_to_the_record(chat):
    await ask(chat)
    await chat.tap("Go on with my questions")
    for label in ("No", "Do not share"):
        await chat.tap(label)
    await chat.say("It is not needed.")
    await chat.say("CASE-1")
    await chat.tap("Save the record")
    (record,) = await record_of(chat)
    assert record.content["advice_sought"][0]["state"] == "open"
    await give(chat, ONE, "Yes")
    await give(chat, TWO, "Yes")
    (record,) = await record_of(chat)
    (note,) = record.amendments
    assert note["kind"] == "advice"
    assert note["advice"]["ended_by"] == "quorum"
    assert "Yes: 2." in chat.text()


# ---- time, and what does not wait ---------------------------------------------------------------
async def test_half_of_the_time_reminds_once_then_the_deputy_is_asked_then_it_closes(chat):
    deputy = await chat.store.run(members.get, DEPUTY)
    await chat.store.run(teams.set_deputy, "north", deputy.id, chat.now(), "test")
    await ask(chat)
    await give(chat, ONE, "Yes")
    await chat.tick(125)
    await chat.tick(1)
    reminders = [m for m in chat.visible(CHANNEL) if "still waits for opinions" in m["text"]]
    assert len(reminders) == 1
    await chat.tick(120)
    assert "You are the deputy" in chat.text(DEPUTY)
    assert "The deputy was asked now" in chat.text()
    assert "1 of 2 in" in chat.text()
    await chat.tick(125)
    assert "has ended: the time was up" in chat.text()
    assert "Yes: 1." in chat.text()


async def test_the_deputy_can_answer_in_the_private_chat(chat):
    deputy = await chat.store.run(members.get, DEPUTY)
    await chat.store.run(teams.set_deputy, "north", deputy.id, chat.now(), "test")
    await ask(chat)
    await give(chat, ONE, "Yes")
    await chat.tick(241)
    await chat.tap("Not sure", DEPUTY)
    await chat.tap("The facts are not clear, or not up to date", DEPUTY)
    assert "enough opinions were in" in chat.text()


async def test_a_deadline_with_nobody_in_says_so(chat):
    await ask(chat)
    await chat.tick(241)
    assert "No opinion came." in chat.text()
    assert "has ended: the time was up" in chat.text(CHANNEL)


async def test_timers_survive_a_restart_and_fire_once(chat):
    await ask(chat)
    await chat.restart()
    await chat.tick(60 * 24 * 400)
    await chat.tick()
    await chat.restart()
    await chat.tick(-60 * 24 * 500)
    ended = [m for m in chat.visible() if "has ended" in m["text"]]
    assert len(ended) == 1


async def test_an_emergency_never_waits(chat):
    await chat.say("/share")
    assert "Ask the team" not in chat.labels()
    await chat.say("/opinion")
    assert "cannot wait for an opinion" in chat.text()
    await ask(chat)
    await give(chat, ONE, "Yes")
    await chat.say("/emergency")
    assert "0 of 2" not in chat.text(CHANNEL)
    await chat.tap("I am calling")
    assert "a child was in danger" in chat.text(CHANNEL)
    (record,) = await record_of(chat)
    (advice,) = record.content["advice_sought"]
    assert (advice["state"], advice["ended_by"], advice["in"]) == ("withdrawn", "emergency", 1)
    assert "opinions" not in advice


async def test_a_withdrawn_request_shows_nobody_what_was_said(chat):
    await ask(chat)
    await give(chat, ONE, "Yes")
    await chat.tap("Withdraw the request")
    for where in (AUTHOR, CHANNEL, ONE):
        assert "Yes: 1" not in chat.text(where)
    assert "stays sealed" in chat.text()
    assert "stays sealed" in chat.text(CHANNEL)
    await chat.press("-:op.Q-XXXXXX.choose.0", TWO, chat.visible(CHANNEL)[0])


# ---- who may ------------------------------------------------------------------------------------
async def test_the_author_strangers_and_other_teams_give_no_opinion(chat):
    await ask(chat)
    message, data = chat.find("Yes", CHANNEL)
    for person in (AUTHOR, ELSEWHERE, STRANGER):
        await chat.press(data, person, message)
        assert "counts then" not in chat.text(person)
    answered = [answer["text"] for answer in chat.world.answers.values()]
    assert "You asked this. You cannot give an opinion on it yourself." in answered
    assert answered.count("Only members of this team can answer here.") == 2
    reason = data.replace("choose.0", "why.0.purpose")
    for person in (AUTHOR, ELSEWHERE, STRANGER):
        await chat.press(reason, person, {**message, "chat": {"id": person, "type": "private", "first_name": "x"}})
    assert any("0 of 2 in" in shown["text"] for shown in chat.visible(AUTHOR))


async def test_one_opinion_a_person_the_latest_counts_and_earlier_ones_are_kept(chat):
    await ask(chat)
    await give(chat, ONE, "Yes")
    await give(chat, ONE, "No", "The purpose is not clear")
    assert "1 of 2 in" in chat.text()
    await give(chat, TWO, "No", "The purpose is not clear")
    assert "No: 2." in chat.text()
    await chat.tap("Go on with my questions")
    for label in ("No", "Do not share"):
        await chat.tap(label)
    await chat.say("It is not needed.")
    await chat.say("CASE-1")
    await chat.tap("Save the record")
    (record,) = await record_of(chat)
    said = [(one["label"], one["counts"]) for one in record.content["advice_sought"][0]["opinions"]]
    assert said == [("Yes", False), ("No", True), ("No", True)]


async def test_words_with_an_identifier_do_not_get_into_the_channel(chat):
    await to_purpose(chat)
    await chat.tap("Ask the team")
    await chat.tap("Add one sentence")
    await chat.say("Call 07700 900123 for more.")
    assert "a phone number" in chat.text()
    await chat.say("They rang twice.")
    await chat.tap("Say who asks")
    assert "Asked by: a practitioner" in chat.text()
    await chat.tap("Do not say who asks")
    await chat.tap("Send it to the team")
    assert "They rang twice." in chat.text(CHANNEL)
    assert "Asked by" not in chat.text(CHANNEL)
    await chat.tap("Yes", ONE, CHANNEL)
    await chat.tap("In my own words", ONE)
    await chat.say("Her number is 07700 900123.", ONE)
    assert "a phone number" in chat.text(ONE)
    assert "0 of 2 in" in chat.text()
    await chat.say("I know the service.", ONE)
    assert "1 of 2 in" in chat.text()
    await give(chat, TWO, "Yes")
    assert "I know the service." in chat.text(), "whoever asked reads the words"
    assert "I know the service." not in chat.text(CHANNEL), "the channel does not"


async def test_typed_words_go_to_the_questions_again_once_the_questions_went_on(chat):
    await to_purpose(chat)
    await chat.tap("Ask the team")
    await chat.tap("Add one sentence")
    await chat.tap("No", AUTHOR)
    await chat.tap("Do not share")
    await chat.say("It is not needed.")
    assert "case reference" in chat.text()


async def test_a_request_about_an_outcome_and_about_a_finished_record(chat):
    await not_shared(chat)
    await chat.tap("Ask the team")
    assert "Recommended outcome: Do not share" in chat.text()
    assert "CASE-1" not in chat.text()
    assert "It is not needed" not in chat.text()
    await chat.tap("Send it to the team")
    await give(chat, ONE, "I disagree", "A child may be suffering harm, or is likely to")
    await give(chat, TWO, "I agree", "It is more than is needed")
    (record,) = await record_of(chat)
    assert record.content["advice_sought"] == []
    assert record.amendments[0]["advice"]["state"] == "closed"
    await chat.tap("Say it in my own words")
    await chat.say("I will look at it again.")
    (record,) = await record_of(chat)
    assert record.amendments[1]["advice"]["made_of_it"]["words"] == "I will look at it again."


# ---- groups -------------------------------------------------------------------------------------
async def test_a_group_that_nobody_claims_is_left(chat):
    chat.world.open_group(-2, "Somebody's group")
    await chat.settle()
    assert "Otherwise I leave" in chat.text(-2)
    await chat.say("/claim", AUTHOR, -2)
    assert "Your role does not allow this" in chat.text(-2)
    await chat.say("/claim", STRANGER, -2)
    await chat.say("/ask do i need consent", ONE, -2)
    assert len(chat.visible(-2)) == 2, "nothing is answered in a group that is nobody's"
    await chat.tick(11)
    assert -2 in chat.world.gone
    assert CHANNEL not in chat.world.gone


async def test_a_group_that_becomes_a_supergroup_stays_the_channel(chat):
    await ask(chat)
    chat.world.migrate(CHANNEL, -3)
    await chat.settle()
    assert "Second opinion wanted" in chat.text(-3)
    await chat.tap("Yes", ONE, -3)
    await chat.tap("The purpose is clear", ONE)
    assert "1 of 2 in" in chat.text()


async def test_a_move_seen_only_by_a_refused_send_is_followed(chat):
    chat.world.groups[-3] = {**chat.world.groups[CHANNEL], "id": -3}
    chat.world.migrated[CHANNEL] = -3
    await ask(chat)
    assert "Second opinion wanted" in chat.text(-3)


async def test_a_bot_that_was_taken_out_says_so_to_those_it_concerns(chat):
    await ask(chat)
    chat.world.take_out(CHANNEL)
    await chat.settle()
    assert "taken out of the channel" in chat.text()
    assert "taken out of the channel" in chat.text(BOSS)
    await chat.say("/opinion")
    chat.world.gone.discard(CHANNEL)
    chat.world.open_group(-5, "New")
    await chat.settle()
    await chat.say("/claim", BOSS, -5)
    assert "Second opinion wanted" in chat.text(-5), "open requests come to the new channel"


async def test_a_channel_in_a_topic_is_posted_to_that_topic(chat):
    chat.world.open_group(-6, "Forum", topics=True)
    await chat.settle()
    await chat.say("/claim", BOSS, -6, message_thread_id=7, is_topic_message=True)
    await ask(chat)
    assert chat.visible(-6)[0]["message_thread_id"] == 7
    assert CHANNEL in chat.world.gone, "the channel before it is left"


@pytest.mark.parametrize("person", [ONE, 987_654], ids=["member", "stranger"])
@pytest.mark.parametrize("words", ["/ask her stepdad is hitting her right now", "her stepdad is hitting her right now"])
async def test_danger_in_the_channel_is_answered_once_whoever_writes_of_it(chat, person, words):
    chat.world.administers.add(CHANNEL)
    before = len(chat.visible(CHANNEL))
    await chat.say(words, person, CHANNEL)
    said = [message["text"] for message in chat.visible(CHANNEL)][: len(chat.visible(CHANNEL)) - before]
    assert len([text for text in said if "call 999 now" in text]) == 1


async def test_what_somebody_asked_in_private_is_not_brought_into_the_channel(chat):
    await chat.say("how long do we keep the notes", ONE)
    await chat.say("/ask and then?", ONE, CHANNEL)
    assert "retention" not in chat.text(CHANNEL)
    assert "Follow your own organisation's policy" not in chat.text(CHANNEL)


async def test_the_guidance_answers_in_the_channel_and_identifiers_are_taken_out(chat):
    await chat.say("/ask do i always need consent", ONE, CHANNEL)
    assert "you should seek consent" in chat.text(CHANNEL)
    assert not chat.visible(CHANNEL)[0].get("reply_markup")
    await chat.say("/ask can i share about Mrs Zorblax, 07700 900123", ONE, CHANNEL)
    shown = [m["text"] for m in chat.visible(CHANNEL)]
    assert any("Please delete it now" in text for text in shown)
    assert not any("07700" in text for text in shown)
    chat.world.administers.add(CHANNEL)
    await chat.say("it is 07700 900123", ONE, CHANNEL)
    mine = [m for (c, _), m in chat.world.messages.items() if c == CHANNEL and not m["from"]["is_bot"]]
    assert "it is 07700 900123" not in [m["text"] for m in mine]
    await chat.say("/records", ONE, CHANNEL)
    assert "private chat" in chat.text(CHANNEL)


async def test_a_channel_can_be_given_up(chat):
    await chat.say("/release", BOSS, CHANNEL)
    assert CHANNEL in chat.world.gone
    await chat.say("/share")
    await chat.tap("No, none of these")
    assert "Ask the team" not in chat.labels()
    await chat.say("/opinion")
    assert "no channel yet" in chat.text()


# ---- identities and the local chat ----------------------------------------------------------------
@pytest.mark.slow
async def test_no_identifier_in_a_sentence_or_an_opinion_reaches_the_channel(chat):
    """1,000 generated texts: half as the sentence of a request, half as the reason of an opinion."""
    told = []
    chat.world.listeners.append(
        lambda shown: shown.message["from"]["is_bot"] and told.append(json.dumps(shown.message))
    )
    await to_purpose(chat)
    await chat.tap("Ask the team")
    await chat.tap("Add one sentence")
    found = [(kind, planted, text) for kind, planted, text in texts(41, 1000)]
    for _, _, text in found[:500]:
        chat.world.say(AUTHOR, text)
    await chat.settle()
    await chat.say("They rang twice.")
    assert "They rang twice." in chat.text(), "the draft still waited for its sentence"
    await chat.tap("Send it to the team")
    await chat.tap("Yes", ONE, CHANNEL)
    await chat.tap("In my own words", ONE)
    for _, _, text in found[500:]:
        chat.world.say(ONE, text)
    await chat.settle()
    await chat.say("I know the service.", ONE)
    await give(chat, TWO, "Yes")
    assert "I know the service." in chat.text()
    everything = "\n".join(told)
    assert [planted for _, planted, _ in found if planted in everything] == []
    COUNTS["planted identifiers kept out of requests and opinions"] += len(found)


def test_the_demo_plays_the_whole_story(capfd):
    assert main(["demo", "--pace", "0"]) == 0
    out = capfd.readouterr().out
    for words in (
        "This is what they would see", "That looks like it holds a phone number", "Your opinion is in",
        "has ended: enough opinions were in", "Advice sought from team local", "I follow it in part",
    ):  # fmt: skip
        assert words in out
    assert out.count("07700 900123") == 1, "the person's own line, nowhere else"


def test_several_people_and_a_channel_at_one_terminal(tmp_path, monkeypatch, capfd):
    lines = """I am worried about a child
        No, none of these
        Ask the team
        Send it to the team
        /as nobody
        /as colleague-1
        /in nowhere
        /in team
        Yes
        The purpose is clear
        /as colleague-2
        /in team
        Yes
        The purpose is clear
        /as me
        /in private
        I follow it"""
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    assert main(["chat", "--data", str(tmp_path), "--as", "me"]) == 0
    out = capfd.readouterr().out
    assert "There is nobody called 'nobody'" in out
    assert "Say /in team or /in private." in out
    assert "Something new in the team's channel" in out
    assert "Something new for me" in out
    assert "Yes: 2." in out
    assert "What you made of it: I follow it" in out


async def test_pressing_twice_makes_one_request_and_one_post(chat):
    await to_purpose(chat)
    for label in ("Ask the team", "Add one sentence"):
        message, data = chat.find(label)
        chat.world.press(AUTHOR, message, data)
        await chat.press(data, AUTHOR, message)
    await chat.say("They rang twice.")
    message, data = chat.find("Send it to the team")
    chat.world.press(AUTHOR, message, data)
    await chat.press(data, AUTHOR, message)
    posts = [shown for shown in chat.seen if shown.chat_id == CHANNEL and "wanted" in shown.message["text"]]
    assert len(posts) == 1
    assert "They rang twice." in posts[0].message["text"]
    assert "0 of 2 in" in chat.text()


async def test_a_doubled_post_carries_the_same_number_and_both_are_live(chat):
    """A kill can repeat only one thing, a send: the message was posted, but that was not yet noted."""
    await to_purpose(chat)
    await chat.tap("Ask the team")
    message, data = chat.find("Send it to the team")
    chat.world.press(AUTHOR, message, data)
    await chat.take_in()
    for taken in await chat.store.run(inbox.claim, chat.context.bot_id):
        await chat.intake.handle(taken)
    for found, card in (await chat.store.run(fetch, chat.context, [], [], 50, 0.0)).messages:
        if found.chat_id == CHANNEL:
            await chat.sender.post(found, card)
    await chat.settle()
    one, other = [m for m in chat.visible(CHANNEL) if "Second opinion wanted" in m["text"]]
    assert one["text"] == other["text"]
    assert one["message_id"] != other["message_id"]
    for person, post in ((ONE, one), (TWO, other)):
        chat.world.press(person, post, post["reply_markup"]["inline_keyboard"][0][0]["callback_data"])
        await chat.settle()
        await chat.tap("The purpose is clear", person)
    assert "Yes: 2." in chat.text()


async def test_a_new_channel_never_has_a_message_of_its_own_deleted_for_an_old_card(chat):
    await ask(chat)
    chat.world.open_group(-5, "New")
    await chat.settle()
    before = [shown for shown in chat.seen if shown.kind == "delete"]
    await chat.say("/claim", BOSS, -5)
    await give_in(chat, ONE, -5)
    await give_in(chat, TWO, -5)
    assert "has ended: enough opinions were in" in chat.text(-5)
    deleted = [shown for shown in chat.seen if shown.kind == "delete" and shown not in before and shown.chat_id == -5]
    assert all("Second opinion wanted" in shown.message["text"] for shown in deleted)


async def give_in(chat, person, channel):
    await chat.tap("Yes", person, channel)
    await chat.tap("The purpose is clear", person)


async def test_the_longest_result_and_lists_fit_into_a_message(chat):
    people = range(2000, 2080)
    for person in people:
        await chat.store.run(members.save, person, "practitioner", "north", chat.now(), "test", InvitedAs("W" * 40))
    await chat.store.run(teams.set_quorum, "north", teams.MOST_QUORUM, chat.now(), "test")
    await chat.say("/members", BOSS)
    assert "more. The command line lists all." in chat.text(BOSS)
    await chat.say("/team", BOSS)
    await ask(chat)
    for person in people[: teams.MOST_QUORUM]:
        await chat.tap("Yes", person, CHANNEL)
        await chat.tap("In my own words", person)
        await chat.say("we see it so & thus " * 10, person)
    assert "has ended: enough opinions were in" in chat.text()
    assert chat.text().count("• Colleague") == teams.MOST_QUORUM


@pytest.mark.parametrize("number", ["²", "9" * 40, "-1", "", "x", "0x1"])
async def test_forged_numbers_do_nothing(chat, number):
    await ask(chat)
    request = chat.find("Yes", CHANNEL)[1].split(".")[1]
    for person, data in (
        (BOSS, f"-:end.{number}"), (BOSS, f"-:end_now.{number}"), (BOSS, f"-:team.deputy.{number}"),
        (BOSS, f"-:approve.{number}"), (ONE, f"-:op.{request}.choose.{number}"), (ONE, f"-:op.{request}.why.{number}.harm"),
    ):  # fmt: skip
        await chat.press(data, person, {"message_id": 1, "date": 1, "chat": {"id": person, "type": "private"}})
    assert await chat.store.run(backlog.counts) == {"inbox.done": await handled(chat)}, "nothing failed or was parked"


async def handled(chat):
    return await chat.store.run(lambda unit: unit.connection.exec_driver_sql("select count(*) from inbox").scalar())


# ---- what a hunter found ------------------------------------------------------------------------
async def test_commands_with_punctuation_and_new_lines_are_understood(chat):
    await chat.say("/emergency!")
    assert "call 999 now" in chat.text()
    await chat.say("/ask\ndo i need consent", ONE)
    assert "consent" in chat.text(ONE).lower()
    await chat.say("/opinion,", TWO)
    assert "Start the questions first" in chat.text(TWO)


async def test_words_sent_twice_are_taken_once_and_go_nowhere_else(chat):
    await ask(chat)
    await chat.tap("Yes", ONE, CHANNEL)
    await chat.tap("In my own words", ONE)
    chat.world.say(ONE, "I know the service.")
    await chat.say("I know the service.", ONE)
    assert "You sent that already" in chat.text(ONE)
    assert "1 of 2 in" in chat.text()
    assert await chat.store.run(lambda unit: questions.listed(unit)) == []


async def test_words_asked_for_too_long_ago_are_not_kept(chat):
    await ask(chat)
    await chat.tap("Yes", ONE, CHANNEL)
    await chat.tap("In my own words", ONE)
    await chat.tick(61)
    await chat.say("I know the service.", ONE)
    assert "too long ago" in chat.text(ONE)
    assert "0 of 2 in" in chat.text()


async def test_danger_is_answered_first_whatever_the_words_were_wanted_for(chat):
    await ask(chat)
    await chat.tap("Yes", ONE, CHANNEL)
    await chat.tap("In my own words", ONE)
    await chat.say("a child is being beaten right now", ONE)
    assert any("call 999" in message["text"] for message in chat.visible(ONE))


@pytest.mark.parametrize("how", ["/cancel", "/emergency", "a changed answer"])
async def test_an_old_draft_is_not_sent(chat, how):
    await to_purpose(chat)
    await chat.tap("Ask the team")
    _, data = chat.find("Send it to the team")
    if how.startswith("/"):
        await chat.say(how)
        if how == "/emergency":
            await chat.tap("I am calling")
    else:
        await chat.tap("Back")
        await chat.tap("Somebody asked")
    await chat.press(data)
    assert not any("Second opinion wanted" in m["text"] for m in chat.visible(CHANNEL))


async def test_changing_team_ends_what_hung_on_the_old_one(chat):
    await ask(chat)
    chat.world.administers.add(CHANNEL)
    boss = await chat.store.run(members.get, BOSS)
    author = await chat.store.run(members.get, AUTHOR)
    await chat.store.run(teams.set_deputy, "north", author.id, chat.now(), "test")
    code, _ = await chat.store.run(
        lambda unit: invites.make(
            unit, invites.Invited("practitioner", "south"), chat.now(), later(chat.now(), 9), f"member:{boss.id}"
        )
    )
    await chat.say(f"/start i_{code}")
    assert "team south" in chat.text()
    await chat.say(f"/start i_{code}")
    assert "You are a member now" in chat.text(), "sent twice, still in"
    assert "has ended" in chat.text(CHANNEL)
    assert chat.world.banned == [(CHANNEL, AUTHOR)]
    assert (await chat.store.run(teams.get, "north")).deputy_id is None


async def test_a_request_that_cannot_be_posted_is_told(chat):
    def refuse(method, parameters):
        if method.lower() == "sendmessage" and int(parameters["chat_id"]) == CHANNEL:
            raise Refused("Bad Request: not enough rights to send text messages to the chat")

    chat.world.before = refuse
    await ask(chat)
    assert "could not be posted" in chat.text()
    assert "could not be posted" in chat.text(BOSS)


async def test_a_topic_that_is_gone_does_not_lose_the_post(chat):
    await chat.store.run(teams.claim, "north", CHANNEL, 99, chat.now(), "test")
    await ask(chat)
    assert "Second opinion wanted" in chat.text(CHANNEL)


async def test_a_view_said_twice_is_noted_once_and_words_are_kept(chat):
    await not_shared(chat)
    await chat.tap("Ask the team")
    await chat.tap("Send it to the team")
    await give(chat, ONE, "I agree")
    await give(chat, TWO, "I agree")
    await chat.tap("Say it in my own words")
    await chat.say("I will look at it again.")
    await chat.tap("I follow it")
    await chat.tap("I follow it")
    (record,) = await record_of(chat)
    views = [note["advice"]["made_of_it"] for note in record.amendments]
    assert [view and view["made_of_it"] for view in views] == [None, "words", "follow"]
    assert views[-1]["words"] == "I will look at it again."


async def test_every_message_in_a_channel_is_screened_whoever_wrote_it(chat):
    chat.world.administers.add(CHANNEL)
    for person, text in (
        (STRANGER, "it is 07700 900123"), (ONE, "/note SW-1 it is 07700 900123"), (ONE, "/ask\nit is 07700 900123"),
        (ONE, "so it goes " * 200 + "07700 900123"),
    ):  # fmt: skip
        await chat.say(text, person, CHANNEL)
    left = [m["text"] for (c, _), m in chat.world.messages.items() if c == CHANNEL and not m["from"]["is_bot"]]
    assert not any("07700" in text for text in left)


async def test_a_long_text_with_an_identifier_is_taken_out_too(chat):
    await to_purpose(chat)
    await chat.tap("Ask the team")
    await chat.tap("Add one sentence")
    await chat.say("so it goes " * 30 + "call 07700 900123")
    assert "a phone number" in chat.text()
    left = [m["text"] for (c, _), m in chat.world.messages.items() if c == AUTHOR and not m["from"]["is_bot"]]
    assert not any("07700" in text for text in left)


async def test_a_result_of_wide_letters_fits(chat):
    for person in range(2000, 2010):
        await chat.store.run(members.save, person, "practitioner", "north", chat.now(), "test")
    await chat.store.run(teams.set_quorum, "north", teams.MOST_QUORUM, chat.now(), "test")
    await ask(chat)
    for person in range(2000, 2000 + teams.MOST_QUORUM):
        await chat.tap("Yes", person, CHANNEL)
        await chat.tap("In my own words", person)
        await chat.say("Agreed. " + "\U0001f642" * 97, person)
        assert "200 is the most" in chat.text(person)
        await chat.say("Agreed. " + "\U0001f642" * 96, person)
    assert "has ended: enough opinions were in" in chat.text()


async def test_what_is_typed_under_a_result_is_about_the_result_and_no_answer_to_the_card(chat):
    await ask(chat)
    await give(chat, ONE, "Yes")
    await give(chat, TWO, "Yes")
    await chat.say("I agree with them, I will share with the safeguarding lead only")
    assert "safeguarding lead only" in chat.text()
    await chat.tap("Go on with my questions")
    assert "clear and legitimate purpose" in chat.text()


async def test_a_few_words_under_a_result_are_for_the_card_and_a_button_s_words_are_taken(chat):
    await ask(chat)
    await give(chat, ONE, "Yes")
    await give(chat, TWO, "Yes")
    await chat.say("i follow it in part")
    assert "What you made of it: I follow it in part" in chat.text()
    await chat.say("to protect a child")
    assert "individual to be identified" in chat.text()


async def test_the_draft_takes_its_buttons_in_words(chat):
    await to_purpose(chat)
    await chat.tap("Ask the team")
    await chat.say("They rang twice and did not say why.")
    await chat.say("ok send")
    assert "0 of 2 in" in chat.text()
    assert "They rang twice and did not say why." in chat.text(CHANNEL)
