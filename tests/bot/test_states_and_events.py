"""Every state x every event, in the chat: real dispatch, real SQLite, compared with the pure navigation beside it.

Each state is put into the store, the bot starts on it, and the event arrives as an update. `flows.navigation` alone
computes what must follow; an event that means nothing in this state must leave the stored walk unchanged.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from bot.messages.callback_data import Button, handle_of
from flows import navigation
from flows.machine import CHECK, split
from flows.navigation import UnexpectedAnswer, Walk, changeable, replay
from flows.screening import screened
from storage import conversations, inbox, members, records
from tests.support.chat import Chat
from tests.support.counts import COUNTS
from tests.support.paths import AT, BOOK, text_for, walk_to
from tests.support.stores import KEYS, migrated

ME, OTHER = 100, 200


def events(machine, walk):
    """Return every event for a walk: (name, button act or text, the walk that must follow or None for no change)."""
    position = replay(machine, walk)

    def expected(act, *args):
        try:
            after = act(machine, walk, *args)
        except UnexpectedAnswer:
            return None
        return None if after == walk else after

    every = {drawn.trigger for drawn in machine.drawn if drawn.trigger not in ("emergency.now", "bulk.ask")}
    nearby = {t for t in every if split(t)[0].split(".")[0] == position.state.split(".")[0]}
    far = sorted(every - nearby)[:: max(1, len(every) // 6)]
    for trigger in sorted({*position.offered, *nearby, *far}):
        if split(trigger)[1] == "text" or trigger in position.together:
            continue
        yield "choose", trigger, expected(navigation.choose, trigger, AT)
    yield "back", "!back", expected(navigation.back)
    yield "confirm", "!confirm", expected(navigation.confirm_change)
    for question in (*changeable(position)[:2], "bulk"):
        yield "change", f"!change.{question}", expected(navigation.change, question)
    yield "emergency", "!emergency", expected(navigation.interrupt, "emergency", AT)
    yield "bulk", "!bulk", expected(navigation.answered_bulk, AT)
    yield "mistake", "!mistake", expected(navigation.back)
    yield "calling", "!calling", expected(navigation.choose, "outcome.emergency.next", AT)
    yield "happened", "!happened", expected(navigation.happened_earlier, AT)
    for name, act in (
        ("single", navigation.one_by_one),
        ("details", navigation.add_details),
        ("enough", navigation.enough),
    ):
        yield name, f"!{name}", expected(act)
    for trigger, answers in position.together.items():
        yield "together", trigger, expected(navigation.give, answers, AT)
    for act in ("!why", "!hide", "!changes", "!earlier", "!nonsense", "check.confirm"):
        after = expected(navigation.choose, act, AT) if act == "check.confirm" else None
        yield "look", act, after


def same(one: Walk, other: Walk) -> bool:
    """Compare walks, ignoring times."""

    def bare(walk):
        return (
            walk.flow, walk.entry, walk.focus, walk.interrupt, walk.unsure, walk.details, walk.alone,
            {k: (a.verb, a.text, a.card) for k, a in walk.answers.items()},
            {k: (a.verb, a.text) for k, a in walk.offered.items()},
            walk.pending and (walk.pending.verb, walk.pending.text),
        )  # fmt: skip

    return bare(one) == bare(other)


def plant(unit, member_id, walk):
    """End the open conversation in my chat and open one at this walk."""
    table = conversations.CONVERSATION
    unit.connection.execute(table.update().where(table.c.status == "open").values(status="cancelled"))
    edition = BOOK.edition
    return conversations.start(
        unit, conversations.Begun(ME, member_id, edition.id, edition.sha256, walk.flow), navigation.as_dict(walk), AT
    )


def look(unit, conversation_id):
    """Return the stored walk, its status, its revision and its record."""
    row = conversations.get(unit, conversation_id)
    record = records.of_conversation(unit, conversation_id)
    return navigation.from_dict(row.walk), row.status, row.revision, record


async def deliver(chat, planted, act, *, person=ME, revision=None, twice=False):
    """Send a tap as an update, and settle."""
    data = Button(act, handle_of(planted.id), planted.revision if revision is None else revision).encode()
    message = {"message_id": 1, "date": 1, "chat": {"id": person, "type": "private", "first_name": "x"},
               "from": {"id": 1, "is_bot": True, "first_name": "x"}, "text": "x"}  # fmt: skip
    chat.world.press(person, message, data)
    if twice:
        chat.world.press(person, message, data)
    await chat.take_in()
    for taken in await chat.store.run(inbox.claim, chat.context.bot_id):
        await chat.intake.handle(taken)
    await chat.gateway.settle()
    assert not chat.world.crashes


async def check(chat, planted, machine, walk, after, name):
    stored, status, revision, record = await chat.store.run(look, planted.id)
    if after is None:
        assert same(stored, walk), f"{name} changed a walk at {replay(machine, walk).state}"
        assert (status, revision, record) == ("open", 1, None)
        return
    assert same(stored, after), name
    assert revision == 2
    finished = replay(machine, after).is_finished
    assert status == ("finished" if finished else "open")
    assert (record is not None) == finished
    COUNTS["state x event, acted on"] += 1


STATES = [
    (flow, state) for flow, machine in BOOK.machines.items() for state in machine.states if not machine.is_final(state)
]


@pytest.mark.slow
@pytest.mark.parametrize("flow", sorted(BOOK.machines))
async def test_every_state_x_every_event(tmp_path, flow):
    machine = BOOK.machine(flow)
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (ME, OTHER)) as chat:
        member = await chat.store.run(members.get, ME)
        for state in (state for of, state in STATES if of == flow):
            walk = walk_to(flow, state)
            walks = [walk]
            if state == CHECK:
                question = changeable(replay(machine, walk))[-1]
                focused = navigation.change(machine, walk, question)
                walks.append(focused)
            if replay(machine, walk).together:
                walks.append(replace(walk, alone=True))
            for here in walks:
                for name, act, after in events(machine, here):
                    planted = await chat.store.run(plant, member.id, here)
                    await deliver(chat, planted, act)
                    await check(chat, planted, machine, here, after, name)
                    COUNTS[f"state x event, {flow}"] += 1
                first = replay(machine, here).offered
                for name, more in (
                    ("old button", {"revision": 0}),
                    ("another person's press", {"person": OTHER}),
                    ("pressed twice", {"twice": True}),
                ):
                    planted = await chat.store.run(plant, member.id, here)
                    tappable = [trigger for trigger in first if text_for(trigger) is None]
                    act = tappable[0] if tappable else "!why"
                    await deliver(chat, planted, act, **more)
                    after = None
                    if name == "pressed twice" and tappable:
                        with suppress(UnexpectedAnswer):
                            after = navigation.choose(machine, here, act, AT)
                    await check(chat, planted, machine, here, after, name)
                    COUNTS[f"state x event, {flow}"] += 1
                await typed(chat, member, machine, here, flow)
                await restarted(chat, member, machine, here, flow)


async def typed(chat, member, machine, here, flow):
    """Typed words are an answer where text is asked for, and change nothing elsewhere."""
    planted = await chat.store.run(plant, member.id, here)
    position = replay(machine, here)
    words = "CASE-7" if position.state == "case_reference" else "purple elephants on parade"
    chat.world.say(ME, words)
    await chat.take_in()
    for taken in await chat.store.run(inbox.claim, chat.context.bot_id):
        await chat.intake.handle(taken)
    after = None
    if position.takes_text:
        after = navigation.choose(machine, here, f"{position.state}.text", AT, screened(words))
    await check(chat, planted, machine, here, after, "typed")
    COUNTS[f"state x event, {flow}"] += 1


async def restarted(chat, member, machine, here, flow):
    """An update that was taken in and not handled is handled by the next process."""
    planted = await chat.store.run(plant, member.id, here)
    data = Button("!emergency", handle_of(planted.id), planted.revision).encode()
    chat.world.press(ME, {"message_id": 1, "date": 1, "chat": {"id": ME, "type": "private"}}, data)
    await chat.take_in()
    await chat.restart()
    for taken in await chat.store.run(inbox.claim, chat.context.bot_id):
        await chat.intake.handle(taken)
    after = None
    with suppress(UnexpectedAnswer):
        after = navigation.interrupt(machine, here, "emergency", AT)
    await check(chat, planted, machine, here, after, "restart")
    COUNTS[f"state x event, {flow}"] += 1
    await asyncio.sleep(0)
