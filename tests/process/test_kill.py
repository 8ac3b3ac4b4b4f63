"""The real process, `sharewise serve`, killed with SIGKILL while people use it. Nothing is lost or done twice."""

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
from tests.support.people import Person

KILLS = 8
PEOPLE = range(1000, 1006)


def environment(tmp_path, url=""):
    return {
        **os.environ, "SHAREWISE_TOKEN": TOKEN, "SHAREWISE_API_BASE_URL": url, "SHAREWISE_DATA_DIR": str(tmp_path),
        "SHAREWISE_MASTER_KEY": "ab" * 32, "SHAREWISE_EDITION": "hmg-2015", "SHAREWISE_UPDATES_PER_MINUTE": "0",
    }  # fmt: skip


def sharewise(*arguments, env, check=True):
    done = subprocess.run(
        [sys.executable, "-m", "bot", *arguments], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout


class Process:
    """One running bot that can be killed and started again."""

    def __init__(self, env, log):
        self.env, self.log = env, log

    def start(self):
        self.child = subprocess.Popen(
            [sys.executable, "-m", "bot", "serve"], env=self.env, stdout=self.log, stderr=self.log
        )

    def end(self, how):
        self.child.send_signal(how)
        return self.child.wait(15)


async def test_kill_9_while_people_use_it(tmp_path):
    rng, world = random.Random(5), World()
    people = [Person(world, number) for number in PEOPLE]
    async with Loopback(world) as api:
        env = environment(tmp_path / "data", api.url)
        (tmp_path / "data").mkdir()
        sharewise("member", "add", "--telegram-id", *map(str, PEOPLE), "--role", "practitioner", "--team", "x", env=env)
        with open(tmp_path / "log", "wb") as log:
            process = Process(env, log)
            process.start()
            try:
                walking = [asyncio.create_task(person.use()) for person in people]
                for _ in range(KILLS):
                    await asyncio.sleep(rng.uniform(1.5, 3.5))
                    process.end(signal.SIGKILL)
                    process.start()
                    COUNTS["kill -9 of the real process"] += 1
                for person in people:
                    person.stop = True
                await asyncio.gather(*walking)
                assert await asyncio.to_thread(process.end, signal.SIGTERM) == 0
            finally:
                if process.child.poll() is None:
                    process.end(signal.SIGKILL)
        stored = [json.loads(line) for line in sharewise("records", "--json", env=env).splitlines()]
        cases = [record["content"]["case_reference"] for record in stored]
        tags = [tag for person in people for tag in person.tags]
        assert sorted(cases) == sorted(tag for person in people for tag in person.saved) == sorted(tags)
        assert all(record["content"]["reasons"] == f"Reason {record['content']['case_reference']}" for record in stored)
        assert "All is as it was written" in sharewise("verify", env=env)
        COUNTS["records after the kills, each exactly once"] += len(stored)
        written = (tmp_path / "log").read_text()
        assert TOKEN.split(":")[1] not in written
        assert not any(tag in written for tag in tags)


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
                    subprocess.run,
                    [sys.executable, "-m", "bot", "serve"],
                    env=env,
                    capture_output=True,
                    text=True,
                    timeout=60,
                )
                assert second.returncode == 1
                assert "Another Sharewise is running" in second.stderr
            finally:
                process.end(signal.SIGKILL)
