"""The real process, `sharewise serve`, killed with SIGKILL while people use it. Nothing is lost, nothing done twice."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys

from bot.local.world import World
from tests.support.counts import COUNTS
from tests.support.loopback import TOKEN, Loopback

KILLS = 8
PEOPLE = range(1000, 1006)
STEPS = ["No", "No", "My own wish to share", "No", "Next", "Do not share", "=Reason {tag}", "={tag}", "Leave out the rest", "Save the record"]
EXPECT = ["immediate danger?", "suffering harm", "own wish to share", "legitimate purpose", "it must be recorded with your reasons",
          "What have you decided", "What are your reasons", "case reference in your own", "sharing less information do", "Check your answers"]  # fmt: skip


def environment(tmp_path, url=""):
    return {
        **os.environ, "SHAREWISE_TOKEN": TOKEN, "SHAREWISE_API_BASE_URL": url, "SHAREWISE_DATA_DIR": str(tmp_path),
        "SHAREWISE_MASTER_KEY": "ab" * 32, "SHAREWISE_EDITION": "hmg-2015",
    }  # fmt: skip


def sharewise(*arguments, env, check=True):
    done = subprocess.run([sys.executable, "-m", "bot", *arguments], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout


class Process:
    """One running bot that can be killed and started again."""

    def __init__(self, env, log):
        self.env, self.log = env, log

    def start(self):
        self.child = subprocess.Popen([sys.executable, "-m", "bot", "serve"], env=self.env, stdout=self.log, stderr=self.log)

    def end(self, how):
        self.child.send_signal(how)
        return self.child.wait(15)


def newest(world, person):
    found = [m for (chat, _), m in world.messages.items() if chat == person and m["from"]["is_bot"]]
    return max(found, key=lambda m: (m.get("edit_date", m["date"]), m["message_id"]), default=None)


def button(message, label):
    rows = (message.get("reply_markup") or {}).get("inline_keyboard", [])
    return next((b["callback_data"] for row in rows for b in row if b["text"] == label), None)


async def until(world, person, since, words, label=None):
    """Wait until a message of the chat shows these words, and this button, and return it; fail after a minute."""
    for _ in range(3000):
        for (chat, number), message in reversed(list(world.messages.items())):
            if chat == person and number > since and message["from"]["is_bot"] and words in message.get("text", ""):
                if label is None or button(message, label):
                    return message
        await asyncio.sleep(0.02)
    raise AssertionError(f"{person} never saw {words!r}; sees {(newest(world, person) or {}).get('text', '')[:300]!r}")


async def use(world, person, said, rng):
    """Walk to a saved record, again and again, until told to stop."""
    while not said["stop"]:
        tag = f"T-{person}-{len(said['tags'])}-{rng.randrange(10**6)}"
        said["tags"].append(tag)
        world.say(person, "/start")
        # A message that was sent twice around a kill may still stand there with the words of an earlier walk.
        since = max(number for chat, number in world.messages if chat == person)
        for step, words in zip(STEPS, EXPECT, strict=True):
            message = await until(world, person, since, words, None if step.startswith("=") else step)
            if step.startswith("="):
                world.say(person, step[1:].format(tag=tag))
                continue
            world.press(person, message, button(message, step))
        await until(world, person, since, f"for case {tag}.")
        said["saved"].append(tag)


async def test_kill_9_while_people_use_it(tmp_path):
    rng, world = random.Random(5), World()
    said = {"stop": False, "tags": [], "saved": []}
    async with Loopback(world) as api:
        env = environment(tmp_path / "data", api.url)
        (tmp_path / "data").mkdir()
        sharewise("member", "add", "--telegram-id", *map(str, PEOPLE), "--role", "practitioner", "--team", "x", env=env)
        with open(tmp_path / "log", "wb") as log:
            process = Process(env, log)
            process.start()
            try:
                people = [asyncio.create_task(use(world, person, said, random.Random(person))) for person in PEOPLE]
                for _ in range(KILLS):
                    await asyncio.sleep(rng.uniform(1.5, 3.5))
                    process.end(signal.SIGKILL)
                    process.start()
                    COUNTS["kill -9 of the real process"] += 1
                said["stop"] = True
                await asyncio.gather(*people)
                assert await asyncio.to_thread(process.end, signal.SIGTERM) == 0
            finally:
                if process.child.poll() is None:
                    process.end(signal.SIGKILL)
        stored = [json.loads(line) for line in sharewise("records", "--json", env=env).splitlines()]
        cases = [record["content"]["case_reference"] for record in stored]
        assert sorted(cases) == sorted(said["saved"]) == sorted(said["tags"])
        assert all(record["content"]["reasons"] == f"Reason {record['content']['case_reference']}" for record in stored)
        assert "All is as it was written" in sharewise("verify", env=env)
        COUNTS["records after the kills, each exactly once"] += len(stored)
        written = (tmp_path / "log").read_text()
        assert TOKEN.split(":")[1] not in written
        assert not any(tag in written for tag in said["tags"])


async def test_a_second_process_on_the_same_data_is_refused(tmp_path):
    async with Loopback(World()) as api:
        env = environment(tmp_path, api.url)
        with open(tmp_path / "log", "wb") as log:
            process = Process(env, log)
            process.start()
            try:
                while "getupdates" not in api.calls:
                    await asyncio.sleep(0.02)
                second = await asyncio.to_thread(
                    subprocess.run, [sys.executable, "-m", "bot", "serve"], env=env, capture_output=True, text=True, timeout=60
                )
                assert second.returncode == 1
                assert "Another Sharewise is running" in second.stderr
            finally:
                process.end(signal.SIGKILL)
