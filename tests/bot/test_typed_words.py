"""Typed words x every state of both flows x every prompt: none is misfiled or lost, and danger always comes first.

Real dispatch and real SQLite. Each state is put into the store, words arrive as an update, and the messages to send are
read from the outbox in order.
"""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select

from bot.messages.callback_data import decode
from bot.messages.walk_card import Card
from flows import navigation, replies
from flows.machine import CHECK
from flows.navigation import UnexpectedAnswer, changeable, replay
from storage import backlog, conversations, inbox, members, outbox, pending_input, records
from tests.bot.test_states_and_events import STATES, look, plant, same
from tests.support.chat import Chat
from tests.support.counts import COUNTS
from tests.support.paths import AT, BOOK, walk_to
from tests.support.stores import KEYS, migrated

ME = 100
DANGER = (
    "The stepfather is hurting her right now and she is bleeding",
    "he says he will burn the house down tonight with the kids in it",
    "i lost my temper and broke his arm",
    "two little ones on their own since yesterday",
)
CONTROL = (
    "help", "HELP!", "dunno", "idk", "ok", "okay", "next", "what do you mean?", "why", "Why?", "?", "hmm", "lol", "\U0001f44d",
    "\U0001f937\u200d♀️", "...", "save", "done", "thanks", "hello",
)  # fmt: skip
EMERGENCY = ("emergency", "999", "danger", "help me", "HELP ME!", "its an emergency")
COMMANDS = ("/help", " /help", "/ help", "/HELP", "/help@another_bot", "／help", "\u200b/help")
UNKNOWN = ("/emergancy", "/nonsense", "/", "/recrods", "//help me")
RAISES = ("/emergency", "/Emergency", "/emergency!", "/emergency@other_bot", "/ emergency")
IDENTIFIERS = (
    "call 07700 900123", "NHS943 476 5919", "dob 2014/03/12", "spoke to Callum Davies", "lives at 12-14 High Street",
    "07700–900–123", "mail jo.smith@example.org",
)  # fmt: skip
QUESTIONS = ("can i tell the gp without consent?", "do I need consent to ring the school?")


async def decided(chat):
    """Return the messages to send to me, in order, and delete them."""

    def read(unit):
        rows = unit.connection.execute(select(outbox.OUTBOX).order_by(outbox.OUTBOX.c.id)).all()
        unit.connection.execute(delete(outbox.OUTBOX))
        return [(row.kind, unit.keys.mailbox.open_value(row.payload, f"outbox:{row.chat_id}")) for row in rows]

    return await chat.store.run(read)


async def arrive(chat, text, **more):
    """Have words arrive and be handled; return the messages to send."""
    chat.world.say(ME, text, **more)
    await chat.take_in()
    for taken in await chat.store.run(inbox.claim, chat.context.bot_id):
        await chat.intake.handle(taken)
    await chat.gateway.settle()
    assert not chat.world.crashes
    assert await chat.store.run(backlog.parked) == []
    return await decided(chat)


def texts_of(walk):
    """Return everything stored as a person's own words."""
    return {key: answer.text for key, answer in walk.answers.items() if answer.text}


def told(sent):
    """Return the words of what is sent."""
    return [payload.get("text", "") for kind, payload in sent if kind in ("message", "card")]


class Stage:
    """One state of a flow, put into the store again for every text."""

    def __init__(self, chat, member, walk):
        self.chat, self.member, self.walk = chat, member, walk
        self.machine = BOOK.machine(walk.flow)
        self.position = replay(self.machine, walk)

    async def type(self, text, **more):
        self.planted = await self.chat.store.run(plant, self.member.id, self.walk)
        await decided(self.chat)
        sent = await arrive(self.chat, text, **more)
        after, status, _, record = await self.chat.store.run(look, self.planted.id)
        COUNTS["typed words x states"] += 1
        return sent, after, status, record

    async def leaves_all_as_it_was(self, text, **more):
        """The words are answered, and nothing of them is stored."""
        sent, after, status, record = await self.type(text, **more)
        where = (text, self.position.state)
        assert same(after, self.walk), where
        assert status == "open", where
        assert record is None, where
        assert told(sent), ("no answer", where)
        return sent


def stages(chat, member, flow):
    machine = BOOK.machine(flow)
    for of, state in STATES:
        if of != flow:
            continue
        walk = walk_to(flow, state)
        yield Stage(chat, member, walk)
        if state == CHECK:
            yield Stage(chat, member, navigation.change(machine, walk, changeable(replay(machine, walk))[-1]))


@pytest.mark.slow
@pytest.mark.parametrize("flow", sorted(BOOK.machines))
async def test_typed_words_at_every_state(tmp_path, flow):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (ME,)) as chat:
        member = await chat.store.run(members.get, ME)
        for stage in stages(chat, member, flow):
            await labels(stage)
            await control_words(stage)
            await commands(stage)
            await danger_first(stage)
            await identifiers(stage)
            await questions_and_others(stage)


async def labels(stage):
    """The words of every option, in several spellings, choose it as a tap would."""
    position = stage.position
    planted = await stage.chat.store.run(plant, stage.member.id, stage.walk)
    for label, data in (button for row in Card(BOOK, planted, position).draw().buttons for button in row):
        act = decode(data).act
        together = position.together.get(act)
        if act.startswith("!") or not (together or act in position.offered) or position.is_finished:
            continue
        if together:
            expected = navigation.give(stage.machine, stage.walk, together, AT)
        else:
            expected = navigation.choose(stage.machine, stage.walk, act, AT)
        for said in (label, label.upper(), f"{label}!", f" {label} "):
            sent, after, _, _ = await stage.type(said)
            assert same(after, expected), (said, stage.position.state)
            assert told(sent)


async def control_words(stage):
    """A control word is understood or asked about; it is never stored as a person's own words."""
    for word in CONTROL:
        sent, after, _, _ = await stage.type(word)
        assert texts_of(after) == texts_of(stage.walk), (word, stage.position.state)
        assert told(sent)
    for word in EMERGENCY:
        if stage.position.question and stage.position.question.id == "emergency":
            # At the question about danger, it is the answer.
            _, after, status, _ = await stage.type(word)
            assert replay(stage.machine, after).state == "outcome.emergency", word
            assert status == "open", word
            continue
        sent = await stage.leaves_all_as_it_was(word)
        assert "call 999" in told(sent)[0], (word, stage.position.state)
    for word in ("back", "Back!", "undo", "go back"):
        _, after, _, _ = await stage.type(word)
        try:
            expected = navigation.back(stage.machine, stage.walk)
        except UnexpectedAnswer:
            expected = stage.walk
        assert same(after, expected), (word, stage.position.state)
    _, _, status, record = await stage.type("cancel")
    # At an emergency it takes the emergency back, and the questions go on.
    at_emergency = stage.position.state == "outcome.emergency"
    assert status == ("open" if at_emergency else "cancelled"), stage.position.state
    assert record is None, stage.position.state


async def commands(stage):
    """Words that begin with a slash are a command, marked or not; an unknown one is answered with the nearest known one."""
    for text in COMMANDS:
        sent = await stage.leaves_all_as_it_was(text, entities=[])
        assert any("What you can do" in said for said in told(sent)), text
    for text in UNKNOWN:
        sent = await stage.leaves_all_as_it_was(text, entities=[])
        assert "I do not know that command" in told(sent)[0], text
        assert any(
            "Emergency" in label for _, payload in sent for row in payload.get("buttons", ()) for label, _ in row
        )
    for text in RAISES:
        sent = await stage.leaves_all_as_it_was(text, entities=[])
        assert "call 999 now" in told(sent)[0], (text, stage.position.state)


async def danger_first(stage):
    """Danger is answered first. Where words are asked for, they are kept; elsewhere the question stays open."""
    for text in DANGER:
        sent, after, status, _ = await stage.type(text)
        if stage.position.state == "outcome.emergency":
            # The card of the emergency says it already, and is shown again.
            assert "call 999 now" in told(sent)[0], text
            assert same(after, stage.walk), text
            continue
        assert told(sent)[0].startswith("<b>A child in danger comes first.</b>"), (text, stage.position.state)
        assert not any("does not answer this" in said for said in told(sent))
        takes_text = stage.position.takes_text and not stage.walk.pending
        if takes_text and stage.position.state != "case_reference":
            expected = navigation.choose(
                stage.machine, stage.walk, f"{stage.position.state}.text", AT, stage.chat_screened(text)
            )
            assert same(after, expected), (text, stage.position.state)
        else:
            assert same(after, stage.walk), (text, stage.position.state)
            assert status == "open", (text, stage.position.state)


def chat_screened(_self, text):
    from flows.screening import screened

    return screened(text)


Stage.chat_screened = chat_screened


async def identifiers(stage):
    """Identifiers are never stored; where words would be stored, the message is deleted from the chat."""
    for text in IDENTIFIERS:
        sent = await stage.leaves_all_as_it_was(text)
        assert any(kind == "delete" for kind, _ in sent), (text, stage.position.state)
        secret = text.split()[-1]
        assert not any(secret in said for said in told(sent)), text


async def questions_and_others(stage):
    """A question is answered without losing the place; a forwarded, too long or later edited message is answered as such."""
    for text in QUESTIONS:
        sent = await stage.leaves_all_as_it_was(text)
        if stage.position.state == "outcome.emergency":
            assert "call 999 now" in told(sent)[0], "nothing comes before an emergency"
            continue
        (answer,) = (payload for kind, payload in sent if kind == "message")
        labels = [label for row in answer["buttons"] for label, _ in row]
        assert "Go on with my questions" in labels, "the way back to the open question, which is not printed again"
    origin = {"type": "hidden_user", "sender_user_name": "Somebody Else", "date": 1}
    sent = await stage.leaves_all_as_it_was("They said it is fine to share this.", forward_origin=origin)
    assert any("forwarded" in said for said in told(sent))
    if stage.position.takes_text and not stage.walk.pending:
        sent = await stage.leaves_all_as_it_was("It was agreed with the lead. " * 80)
        assert any("characters, 1500 is the most" in said for said in told(sent)), "refused with the count, never cut"


PROMPTS = ("note", "request_sentence", "opinion_words", "review_words")


@pytest.mark.parametrize("prompt", PROMPTS)
async def test_typed_words_at_every_prompt(tmp_path, prompt):
    """At every prompt, control words leave or ask again, commands run, danger comes first, and nothing is misfiled."""
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (ME,)) as chat:

        def ask_for(unit):
            pending_input.put(unit, ME, prompt, "SW-AAAA-BBBB" if prompt == "note" else "Q-1.0", chat.now())

        async def asked(text, **more):
            await chat.store.run(ask_for)
            await decided(chat)
            sent = await arrive(chat, text, **more)
            COUNTS["typed words x prompts"] += 1
            return sent

        for text in CONTROL:
            sent = await asked(text)
            assert told(sent), text
            wanted = await chat.store.run(pending_input.get, ME)
            assert wanted is None or wanted.kind == prompt, (text, "nothing was taken")
        for text in ("cancel", "back"):
            assert "Nothing was kept" in told(await asked(text))[0]
            assert await chat.store.run(pending_input.get, ME) is None
        for text in (*COMMANDS, *UNKNOWN):
            await asked(text, entities=[])
            assert (await chat.store.run(pending_input.get, ME)).kind == prompt, "a command leaves the prompt open"
        for text in (*DANGER, *EMERGENCY):
            assert "call 999" in told(await asked(text))[0], text
        for text in IDENTIFIERS:
            sent = await asked(text)
            assert not any(text.split()[-1] in said for said in told(sent))
        assert await chat.store.run(lambda unit: list(records.listed(unit))) == []
        assert await chat.store.run(conversations.get_open, ME) is None


def test_every_written_way_to_say_an_option_chooses_it():
    """Each line of the replies file, at its own question."""
    said = 0
    for flow in BOOK.machines.values():
        for question in flow.flow.questions.values():
            ways = replies.ways_to_say(question.id)
            choices = [
                replies.Choice(f"{question.id}.{o.id}", o.label, ways.get(o.id, ()), is_answer=True)
                for o in question.options
            ]
            for choice in choices:
                for way in choice.said:
                    shared = [other for other in choices if way in other.said]
                    reply = replies.understand(way, choices, takes_text=question.text != "no")
                    named = [c.act for c in reply.choices]
                    if len(shared) == 1:
                        assert reply.kind == "choice", (question.id, way, reply)
                        assert named == [choice.act], (question.id, way, reply)
                    said += 1
    COUNTS["ways to say an option, each tried"] = said
