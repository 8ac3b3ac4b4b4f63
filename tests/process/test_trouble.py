"""Trouble for the real process while people use it: a full disk, a locked database, a stop signal."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from bot.local.world import Refused, World
from tests.conftest import postgresql_url
from tests.process.test_kill import sharewise
from tests.process.test_workers import PEOPLE, serving
from tests.support.counts import COUNTS
from tests.support.people import Person, button, saved_more
from tests.support.pooler import pooler
from tests.support.servers import free_port, postgresql_in


async def disk_full(tmp_path, pid):
    """Keep the process from growing any file, so that every write to the log fails, until the limit is lifted."""
    log = tmp_path / "data" / "sharewise.db-wal"
    whole = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (max(4096, log.stat().st_size // 2), whole[1]))
    await asyncio.sleep(1.5)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, whole)


async def lock_held(tmp_path, _pid):
    """Hold the write lock for longer than the process waits for it."""

    def hold():
        other = sqlite3.connect(tmp_path / "data" / "sharewise.db", isolation_level=None, timeout=10)
        other.execute("begin exclusive")
        time.sleep(7)
        other.execute("rollback")
        other.close()

    await asyncio.to_thread(hold)


@pytest.mark.parametrize(("trouble", "times"), [(disk_full, 4), (lock_held, 2)])
async def test_nothing_is_lost_and_nobody_restarts_the_bot(tmp_path, trouble, times):
    async with serving(tmp_path, None) as (world, workers, env, _):
        people = [Person(world, number) for number in PEOPLE]
        walking = [asyncio.create_task(person.use()) for person in people]
        await saved_more(people, walking, len(people))
        for _ in range(times):
            await trouble(tmp_path, workers.child.pid)
            await saved_more(people, walking, len(people))
            COUNTS[f"{trouble.__name__.replace('_', ' ')} while people use the bot"] += 1
        for person in people:
            person.stop = True
        await asyncio.gather(*walking)
        assert await asyncio.to_thread(workers.end) == 0
        log = (tmp_path / "log").read_text()
        assert "cannot be used just now (" in log, "there was no trouble"
        assert "OperationalError" not in log
        assert "The database can be used again." in log
        stored = [json.loads(line) for line in sharewise("records", "--json", env=env).splitlines()]
        cases = sorted(record["content"]["case_reference"] for record in stored)
        assert cases == sorted(tag for person in people for tag in person.saved)
        assert cases == sorted(tag for person in people for tag in person.tags)
        assert "All is as it was written" in sharewise("verify", env=env)


async def test_told_to_stop_again_and_again_it_ends_well_and_loses_nothing(tmp_path):
    async with serving(tmp_path, None) as (world, workers, env, _):
        people = [Person(world, number) for number in PEOPLE]
        walking = [asyncio.create_task(person.use()) for person in people]
        for count in range(6):
            await saved_more(people, walking, 1 + count)
            assert await asyncio.to_thread(workers.end) == 0
            COUNTS["told to stop while people use the bot, ended with 0"] += 1
            workers.start()
        for person in people:
            person.stop = True
        await asyncio.gather(*walking)
        workers.child.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(workers.child.wait, 10) == 0
        stored = [json.loads(line) for line in sharewise("records", "--json", env=env).splitlines()]
        assert sorted(r["content"]["case_reference"] for r in stored) == sorted(t for p in people for t in p.saved)


async def test_told_to_come_back_later_at_its_very_start_it_does(tmp_path):
    refused = []

    def too_many(method, _parameters):
        if method.lower() == "getme" and len(refused) < 2:
            refused.append(time.monotonic())
            raise Refused("Too Many Requests: retry after 2", 429, {"retry_after": 2})

    async with serving(tmp_path, None) as (world, workers, _env, _):
        workers.kill_all()
        world.before = too_many
        workers.start()
        person = Person(world, PEOPLE[0])
        world.say(person.number, "/share")
        await person.until("in danger or being harmed")
        assert len(refused) == 2
        assert refused[1] - refused[0] >= 2
        assert await asyncio.to_thread(workers.end) == 0


@pytest.mark.parametrize("when", ["at the start", "later"])
async def test_a_token_that_telegram_refuses_ends_it_with_a_sentence_and_is_not_shown(tmp_path, when):
    def refuse(_method, _parameters):
        raise Refused("Unauthorized", 401)

    # `serving` looks for the token in the log.
    async with serving(tmp_path, None) as (world, workers, _env, _):
        if when == "later":
            person = Person(world, PEOPLE[0])
            world.say(person.number, "/share")
            await person.until("in danger or being harmed")
        else:
            workers.kill_all()
        world.before = refuse
        if when == "later":
            world.say(PEOPLE[0], "/share")
        else:
            workers.start()
        assert await asyncio.to_thread(workers.child.wait, 30) == 1
        log = (tmp_path / "log").read_text()
        assert "Telegram refuses the token" in log
        assert "Traceback" not in log


@pytest.mark.parametrize("method", ["getme", "answercallbackquery", "sendmessage"])
async def test_told_to_stop_while_telegram_says_nothing_it_ends_in_time(tmp_path, method):
    hanging = asyncio.Event()

    async def hang(called, *args):
        if called.lower() == method:
            hanging.set()
            await asyncio.sleep(60)
        return await World.call(world, called, *args)

    async with serving(tmp_path, None) as (world, workers, _env, _):
        person = Person(world, PEOPLE[0])
        world.say(person.number, "/share")
        message = await person.until("in danger or being harmed")
        world.call = hang
        if method == "getme":
            workers.kill_all()
            workers.start()
        else:
            for _ in range(40):
                world.press(person.number, message, button(message, "No, none of these"))
            world.say(person.number, "/help")
        await asyncio.wait_for(hanging.wait(), 30)
        workers.child.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(workers.child.wait, 10) == 0


async def test_one_whose_taps_cannot_be_answered_does_not_hold_up_others(tmp_path):
    async def hang(called, *args):
        if called.lower() == "answercallbackquery":
            await asyncio.sleep(60)
        return await World.call(world, called, *args)

    async with serving(tmp_path, None) as (world, _workers, _env, _):
        tapping, other = Person(world, PEOPLE[0]), Person(world, PEOPLE[1])
        world.say(tapping.number, "/share")
        message = await tapping.until("in danger or being harmed")
        world.call = hang
        for _ in range(100):
            world.press(tapping.number, message, "zzz")
        world.say(other.number, "/share")
        # An answer to a tap is waited for 5 seconds, and a hundred were asked for: none of that is the other's to wait.
        await asyncio.wait_for(other.until("in danger or being harmed"), 5)


async def test_a_database_that_says_nothing_is_told_of_and_holds_up_no_end(tmp_path):
    (tmp_path / "server").mkdir(mode=0o700)
    with postgresql_in(tmp_path / "server") as server:
        name = f"frozen_{uuid.uuid4().hex}"
        database = postgresql_url(server.get_uri(), name)
        port = free_port()
        url = f"http://127.0.0.1:{port}/telegram"
        webhook = ("--webhook", "--listen", f"127.0.0.1:{port}")
        async with serving(tmp_path, url, *webhook, database=database) as (world, workers, _env, _):
            person = Person(world, PEOPLE[0])
            world.say(person.number, "/share")
            await person.until("in danger or being harmed")
            frozen = [server.get_pid(), *map(int, children(server.get_pid()))]
            for pid in frozen:
                os.kill(pid, signal.SIGSTOP)
            try:
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
                    answer = await client.get("/readyz")
                    assert answer.status_code == 503
                    assert "no answer" in answer.text
                    assert (await client.get("/livez")).status_code == 200
                workers.child.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(workers.child.wait, 10) == 0
            finally:
                for pid in frozen:
                    os.kill(pid, signal.SIGCONT)


def children(pid):
    return subprocess.run(("pgrep", "-P", str(pid)), capture_output=True, text=True, check=False).stdout.split()


def test_behind_a_pooler_that_changes_sessions_it_does_not_start(tmp_path, postgresql):
    direct = make_url(postgresql_url(postgresql, f"pooled_{uuid.uuid4().hex}"))
    with pooler(Path(direct.query["host"]), by_transaction=True) as port:
        url = direct.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
        env = {
            **os.environ, "SHAREWISE_DATA_DIR": str(tmp_path), "SHAREWISE_MASTER_KEY": "cd" * 32,
            "SHAREWISE_EDITION": "hmg-2015", "SHAREWISE_TOKEN": f"1:{'x' * 30}", "SHAREWISE_DATABASE_URL": url,
        }  # fmt: skip
        for workers in ("1", "3"):
            serve = [sys.executable, "-m", "bot", "serve", "--workers", workers]
            done = subprocess.run(serve, env=env, capture_output=True, text=True, timeout=60)
            assert done.returncode == 1
            assert "pool_mode = session" in done.stderr
