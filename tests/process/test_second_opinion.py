"""Second opinions with the real process: `sharewise serve`, PTB's polling, the Bot API on loopback, killed repeatedly.

The story: one request from asking to the record. The crowd: several people ask, all others answer, some press twice.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import signal
from collections import Counter

from bot.local.world import World
from tests.process.test_kill import Process, environment, sharewise
from tests.support.counts import COUNTS
from tests.support.loopback import Loopback
from tests.support.people import Person, button

AUTHOR, ONE, TWO, BOSS, CHANNEL = 1000, 1001, 1002, 1003, -1000
ASK = [
    ("in danger or being harmed", "No, none of these"),
    ("own wish to share", "My own wish to share"),
    ("legitimate purpose", "Ask the team"),
    ("This is what they would see", "Send it to the team"),
]
DECIDE = [
    ("legitimate purpose", "No"),
    ("it must be recorded with your reasons", "Do not share"),
    ("What are your reasons", "=It is not needed."),
    ("case reference in your own", "={case}"),
    ("Check your answers", "Save the record"),
]
CROWD, ANSWERS, CROWD_KILLS = range(1000, 1010), ("Yes", "No", "Not sure"), 12


async def test_the_story_with_real_processes(tmp_path):
    rng, world = random.Random(11), World()
    author, one, two, channel = (Person(world, number) for number in (AUTHOR, ONE, TWO, CHANNEL))
    async with Loopback(world) as api:
        env = environment(tmp_path / "data", api.url)
        (tmp_path / "data").mkdir()
        for role, people in (("practitioner", (AUTHOR, ONE, TWO)), ("administrator", (BOSS,))):
            sharewise("member", "add", "--telegram-id", *map(str, people), "--role", role, "--team", "x", env=env)
        with open(tmp_path / "log", "wb") as log:
            process = Process(env, log)
            process.start()

            async def tap(person, words, label, chat=None):
                message = await (chat or person).until(words, label)
                world.press(person.number, message, button(message, label))
                if rng.random() < 0.5:
                    await asyncio.sleep(rng.uniform(0, 0.3))
                    process.end(signal.SIGKILL)
                    process.start()
                    COUNTS["second opinion: kill -9 between two steps"] += 1

            try:
                world.open_group(CHANNEL, "The team")
                await channel.until("Otherwise I leave")
                world.say(BOSS, "/claim", CHANNEL)
                await channel.until("is now the channel of team x")
                world.say(AUTHOR, "/share")
                for words, label in ASK:
                    await tap(author, words, label)
                await author.until("0 of 2 in")
                await tap(one, "Second opinion wanted", "Yes", channel)
                await tap(one, "Your opinion counts then", "The purpose is clear")
                await author.until("1 of 2 in")
                await tap(two, "Second opinion wanted", "No", channel)
                await tap(two, "Your opinion counts then", "The purpose is not clear")
                await channel.until("has ended: enough opinions were in")
                await tap(author, "has ended: enough opinions were in", "I decide otherwise")
                await tap(author, "What you made of it", "Go on with my questions")
                for words, act in DECIDE:
                    if act.startswith("="):
                        await author.until(words)
                        world.say(AUTHOR, act[1:].format(case="CASE-77"))
                    else:
                        await tap(author, words, act)
                await author.until("Saved. To copy:\n\nCase reference: CASE-77\n")
                assert await asyncio.to_thread(process.end, signal.SIGTERM) == 0
            finally:
                if process.child.poll() is None:
                    process.end(signal.SIGKILL)
        (record,) = [json.loads(line) for line in sharewise("records", "--json", env=env).splitlines()]
        (advice,) = record["content"]["advice_sought"]
        assert [(one["label"], one["counts"]) for one in advice["opinions"]] == [("Yes", True), ("No", True)]
        assert advice["made_of_it"]["made_of_it"] == "otherwise"
        assert "All is as it was written" in sharewise("verify", env=env)


class Colleague(Person):
    """A person who asks once, then answers every request of others in the channel."""

    def __init__(self, world, number, channel):
        super().__init__(world, number)
        self.channel, self.result = channel, ""
        self.answered: dict[str, str] = {}

    async def ask(self):
        self.world.say(self.number, "/share")
        for words, label in ASK:
            message = await self.until(words, label)
            self.world.press(self.number, message, button(message, label))
        message = await self.until("in\n")
        self.own = re.search(r"request (Q-\w+)", message["text"])[1]

    async def answer(self, requests):
        """Answer each request on whichever of its posts is seen, doubled ones too."""
        for number in requests:
            if number == self.own:
                continue
            choice = self.random.choice(ANSWERS)
            message = await self.channel.until(f"wanted: request {number}", choice)
            for _ in range(1 + (self.random.random() < 0.3)):
                self.world.press(self.number, message, button(message, choice))
            card = await self.until(f"Request {number}\n", "The purpose is clear")
            for _ in range(1 + (self.random.random() < 0.3)):
                self.world.press(self.number, card, button(card, "The purpose is clear"))
            await self.until(f"Your opinion is in. Request {number}")
            self.answered[number] = choice


async def test_a_crowd_asks_and_answers_while_the_process_is_killed(tmp_path):
    """No opinion is lost or counted twice; a post repeated by a kill carries the same request number."""
    rng, world = random.Random(17), World()
    channel = Person(world, CHANNEL)
    crowd = [Colleague(world, number, channel) for number in CROWD]
    posted: Counter[str] = Counter()
    world.listeners.append(lambda shown: shown.chat_id == CHANNEL and shown.kind == "message" and posted.update(
        re.findall(r"wanted: request (Q-\w+)", shown.message.get("text", ""))))  # fmt: skip
    async with Loopback(world) as api:
        env = environment(tmp_path / "data", api.url)
        (tmp_path / "data").mkdir()
        sharewise("member", "add", "--telegram-id", *map(str, CROWD), "--role", "practitioner", "--team", "x", env=env)
        sharewise("team", "set", "x", "--channel", str(CHANNEL), "--quorum", str(len(CROWD) - 1), env=env)
        world.groups[CHANNEL] = {"id": CHANNEL, "type": "supergroup", "title": "The team"}
        kills = 0
        with open(tmp_path / "log", "wb") as log:
            process = Process(env, log)
            process.start()
            try:

                async def story():
                    await asyncio.gather(*(person.ask() for person in crowd))
                    requests = [person.own for person in crowd]
                    await asyncio.gather(*(person.answer(requests) for person in crowd))
                    for person in crowd:
                        person.result = (await person.until("has ended: enough opinions were in"))["text"]

                running = asyncio.create_task(story())
                while not running.done():
                    await asyncio.sleep(rng.uniform(1.15, 1.7))
                    if kills < CROWD_KILLS and not running.done():
                        process.end(signal.SIGKILL)
                        process.start()
                        kills += 1
                await running
                assert await asyncio.to_thread(process.end, signal.SIGTERM) == 0
            finally:
                if process.child.poll() is None:
                    process.end(signal.SIGKILL)
        for person in crowd:
            expected = Counter(other.answered[person.own] for other in crowd if other is not person)
            for label, count in expected.items():
                assert f"{label}: {count}" in person.result, (expected, person.result)
            assert person.result.count("• Colleague") == len(CROWD) - 1
        assert posted.keys() == {person.own for person in crowd}
        doubled = sum(posted.values()) - len(posted)
        assert doubled <= kills, "only a kill in the send window doubles a post"
        assert "All is as it was written" in sharewise("verify", env=env)
        COUNTS["second opinions of a crowd, each counted once"] += sum(len(person.answered) for person in crowd)
        COUNTS["second opinions of a crowd: kill -9"] += kills
        COUNTS["second opinions of a crowd: posts doubled by a kill"] += doubled
