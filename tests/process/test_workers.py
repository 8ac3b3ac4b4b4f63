"""Webhook, PostgreSQL, several workers: the real processes, killed while people use them. Nothing lost, nothing done twice."""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import uuid
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from bot.local.world import World
from bot.messages import membership_cards
from bot.telegram.webhook import HEADER, MOST_BODY
from storage import outbox
from tests.conftest import postgresql_url
from tests.process.test_kill import environment, sharewise
from tests.support.counts import COUNTS
from tests.support.loopback import TOKEN, Loopback
from tests.support.people import Person, saved_more, until
from tests.support.poster import Poster
from tests.support.servers import free_port, postgresql_in

PEOPLE = range(1000, 1008)
SECRET = secrets.token_urlsafe(32)


class Workers:
    """`sharewise serve` in a process group of its own."""

    def __init__(self, env, log, *arguments):
        self.env, self.log, self.arguments = env, log, arguments

    def start(self):
        call = [sys.executable, "-m", "bot", "serve", *map(str, self.arguments)]
        self.child = subprocess.Popen(call, env=self.env, stdout=self.log, stderr=self.log, start_new_session=True)

    def kill_all(self):
        os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait(15)

    def end(self):
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(20)

    def workers(self):
        return [
            int(pid)
            for pid in subprocess.run(
                ("pgrep", "-P", str(self.child.pid)), capture_output=True, text=True
            ).stdout.split()
        ]


@asynccontextmanager
async def serving(tmp_path, url, *arguments, database=None):
    """A bot, its Telegram and, for a webhook, the poster."""
    world = World()
    async with Loopback(world) as api:
        (tmp_path / "data").mkdir()
        env = {
            **environment(tmp_path / "data", api.url),
            "SHAREWISE_WEBHOOK_SECRET": SECRET,
            "SHAREWISE_SENDS_PER_SECOND": "0",
        }
        if database:
            env["SHAREWISE_DATABASE_URL"] = database
        sharewise("member", "add", "--telegram-id", *map(str, PEOPLE), "--role", "practitioner", "--team", "x", env=env)
        with open(tmp_path / "log", "wb") as log:
            workers = Workers(env, log, *arguments)
            workers.start()
            try:
                if url:
                    async with Poster(world, url, SECRET) as poster:
                        yield world, workers, env, poster
                else:
                    yield world, workers, env, None
            finally:
                if workers.child.poll() is None:
                    workers.kill_all()
    assert TOKEN.split(":")[1] not in (tmp_path / "log").read_text()
    assert SECRET not in (tmp_path / "log").read_text()


def database_of(kind, request):
    if kind == "sqlite":
        return None
    name = f"workers_{uuid.uuid4().hex}"
    return postgresql_url(request.getfixturevalue("postgresql"), name, request.getfixturevalue("migrated_postgresql"))


@pytest.mark.parametrize(
    ("database", "mode", "count", "kills"),
    [("sqlite", "webhook", 1, 4), ("postgresql", "webhook", 3, 4), ("postgresql", "polling", 3, 3)],
)
async def test_kill_9_of_all_workers_while_people_use_them(request, tmp_path, database, mode, count, kills):
    rng, port = random.Random(7), free_port()
    url = f"http://127.0.0.1:{port}/telegram" if mode == "webhook" else None
    arguments = ["--workers", count] + (["--webhook", "--listen", f"127.0.0.1:{port}"] if url else [])
    async with serving(tmp_path, url, *arguments, database=database_of(database, request)) as (world, workers, env, _):
        people = [Person(world, number) for number in PEOPLE]
        walking = [asyncio.create_task(person.use()) for person in people]
        for _ in range(kills):
            await saved_more(people, walking, 1)
            await asyncio.sleep(rng.uniform(0.0, 2.0))
            await asyncio.to_thread(workers.kill_all)
            workers.start()
            COUNTS[f"kill -9 of {count} workers, {mode}, {database}"] += 1
        for person in people:
            person.stop = True
        await asyncio.gather(*walking)
        assert await asyncio.to_thread(workers.end) == 0
        stored = [json.loads(line) for line in sharewise("records", "--json", env=env).splitlines()]
        cases = [record["content"]["case_reference"] for record in stored]
        assert sorted(cases) == sorted(tag for person in people for tag in person.saved)
        assert sorted(cases) == sorted(tag for person in people for tag in person.tags)
        assert "All is as it was written" in sharewise("verify", env=env)
        COUNTS[f"records after the kills, each exactly once, {mode}, {database}"] += len(stored)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_worker_that_ends_ends_all_and_the_command(request, tmp_path, how):
    """Also if one worker was told to stop: it ends normally, but whatever restarts the bot must notice."""
    port = free_port()
    arguments = ("--workers", 3, "--webhook", "--listen", f"127.0.0.1:{port}")
    url = f"http://127.0.0.1:{port}/telegram"
    async with serving(tmp_path, url, *arguments, database=database_of("postgresql", request)) as (
        world,
        workers,
        _env,
        _p,
    ):
        world.say(PEOPLE[0], "/share")
        await Person(world, PEOPLE[0]).until("in danger or being harmed")
        assert len(workers.workers()) == 3
        os.kill(workers.workers()[1], how)
        assert await asyncio.to_thread(workers.child.wait, 20) == 1
        assert "all were ended" in (tmp_path / "log").read_text()


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_workers_whose_parent_is_gone_end_too_even_while_telegram_cannot_be_reached(request, tmp_path):
    (tmp_path / "data").mkdir()
    env = environment(tmp_path / "data", "http://127.0.0.1:9/bot")
    env["SHAREWISE_DATABASE_URL"] = database_of("postgresql", request)
    with open(tmp_path / "log", "wb") as log:
        workers = Workers(env, log, "--workers", 2)
        workers.start()
        try:
            await until(lambda: (tmp_path / "log").read_text().count("Telegram cannot be reached") >= 2)
            pids = workers.workers()
            assert len(pids) == 2
            workers.child.kill()
            workers.child.wait(10)
            for _ in range(200):
                if not any(map(runs, pids)):
                    break
                await asyncio.sleep(0.1)
            assert not any(map(runs, pids))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(workers.child.pid, signal.SIGKILL)


async def test_several_workers_on_one_file_are_refused(tmp_path):
    env = environment(tmp_path, "http://127.0.0.1:9/bot")
    done = subprocess.run(
        [sys.executable, "-m", "bot", "serve", "--workers", "2"], env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "need PostgreSQL" in done.stderr


async def test_only_telegram_can_post_and_nothing_too_long(tmp_path):
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    async with serving(tmp_path, f"{base}/telegram", "--webhook", "--listen", f"127.0.0.1:{port}") as (
        _,
        workers,
        _env,
        poster,
    ):
        web = poster.session
        for _ in range(200):
            try:
                async with web.get(f"{base}/livez") as answer:
                    assert answer.status == 200
                    break
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)

        async def post(body, secret=SECRET, **more):
            headers = {HEADER: secret} if secret is not None else {}
            async with web.post(f"{base}/telegram", data=body, headers=headers, **more) as answer:
                return answer.status

        rng, update = random.Random(3), json.dumps({"update_id": 1})
        wrong = [None, "", SECRET[:-1], SECRET + "x", SECRET.swapcase()]
        wrong += [SECRET[:at] + rng.choice("abc-_019") + SECRET[at + 1 :] for at in range(len(SECRET))] * 20
        for secret in wrong:
            if secret != SECRET:
                assert await post(update, secret) == 403
                COUNTS["posts with a wrong secret refused"] += 1
        for body, status in (
            ("{", 400), ("[" * 100_000, 400), ("[]", 400), ('{"update_id": "1"}', 400), ('{"update_id": true}', 400), (update, 200),
            (update, 200), (io.BytesIO(b"x" * (MOST_BODY + 1)), 413),
        ):  # fmt: skip
            assert await post(body) == status, repr(body)[:20]

        async def chunks():
            yield update.encode()

        assert await post(chunks()) == 413, "a body whose length is not told is not read"
        for address in ("/", "/telegram", "/telegram/x"):
            async with web.get(base + address) as answer:
                assert answer.status in (404, 405)
        async with web.get(f"{base}/readyz") as answer:
            assert (await answer.json())["ready"] is True
        assert await asyncio.to_thread(workers.end) == 0


async def test_one_that_polls_can_be_asked_how_it_is_and_takes_no_updates_there(tmp_path):
    port = free_port()
    async with serving(tmp_path, None, "--listen", f"127.0.0.1:{port}") as (world, workers, _env, _):
        person = Person(world, PEOPLE[0])
        world.say(person.number, "/share")
        await person.until("in danger or being harmed")
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as web:
            async with web.get("/readyz") as answer:
                assert await answer.json() == {"ready": True, "why": []}
            async with web.get("/metrics") as answer:
                assert answer.status == 200
            async with web.post("/telegram", json={"update_id": 1}) as answer:
                assert answer.status == 404
        assert await asyncio.to_thread(workers.end) == 0
    log = (tmp_path / "log").read_text()
    assert f"1 worker on SQLite, by polling, listening on 127.0.0.1:{port}." in log
    assert "Serving as @" in log
    assert log.rstrip().endswith("Stopped.")


async def test_what_fails_is_parked_shown_to_the_operator_tried_again_or_dropped(tmp_path):
    """An update that the library cannot parse."""
    async with serving(tmp_path, None) as (world, _workers, env, _):
        person = Person(world, PEOPLE[0])
        # A message without a date and a chat: the library cannot parse it.
        world.pending[10**9] = {"update_id": 10**9, "message": {"message_id": 1}}
        world.say(person.number, "/share")
        await person.until("in danger or being harmed")
        for _ in range(100):
            found = sharewise("parked", "list", "--json", env=env).splitlines()
            if found:
                break
            await asyncio.sleep(0.1)
        (one,) = map(json.loads, found)
        assert one["is"] == str(10**9)
        assert one["tries"] == 3
        assert "Error at " in one["cause"]
        assert "Nothing was changed" in subprocess.run(
            [sys.executable, "-m", "bot", "parked", "retry", "update:999999"], env=env, capture_output=True, text=True
        ).stderr  # fmt: skip
        sharewise("parked", "retry", one["name"], env=env)
        for _ in range(100):
            found = sharewise("parked", "list", "--json", env=env).splitlines()
            if found:
                break
            await asyncio.sleep(0.1)
        assert json.loads(found[0])["name"] == one["name"], "it failed again and was parked again"
        sharewise("parked", "drop", one["name"], env=env)
        assert "0 parked" in sharewise("parked", "list", env=env)
        assert "All is as it was written" in sharewise("verify", env=env)


async def test_the_database_server_is_killed_and_comes_back_and_nobody_restarts_the_bot(tmp_path):
    """PostgreSQL ended at once (SIGQUIT) and restarted, five times, under two workers that people use."""
    port = free_port()
    arguments = ("--workers", 2, "--webhook", "--listen", f"127.0.0.1:{port}")
    url = f"http://127.0.0.1:{port}/telegram"
    rng = random.Random(11)
    with postgresql_in(tmp_path) as server:
        async with serving(tmp_path, url, *arguments, database=server.get_uri()) as (world, workers, env, poster):
            people = [Person(world, number) for number in PEOPLE]
            walking = [asyncio.create_task(person.use()) for person in people]
            await saved_more(people, walking, 1)
            for _ in range(5):
                os.kill(server.get_pid(), signal.SIGQUIT)
                await until(lambda: not (tmp_path / "pg" / "postmaster.pid").exists())
                await asyncio.sleep(rng.uniform(0.2, 1.0))
                await asyncio.to_thread(server.start)
                await asyncio.sleep(rng.uniform(1.0, 2.0))
                COUNTS["PostgreSQL ended at once under two workers"] += 1
            assert workers.child.poll() is None, "nobody restarted the bot"
            await asyncio.to_thread(server.stop)
            assert await asyncio.to_thread(workers.end) == 0
            workers.start()
            await until(lambda: "Trying again for" in (tmp_path / "log").read_text())
            assert workers.child.poll() is None, "it waits for a database that is not there yet"
            await asyncio.to_thread(server.start)
            for person in people:
                person.stop = True
            await asyncio.gather(*walking)
            assert await asyncio.to_thread(workers.end) == 0
            stored = [json.loads(line) for line in sharewise("records", "--json", env=env).splitlines()]
            cases = [record["content"]["case_reference"] for record in stored]
            assert sorted(cases) == sorted(tag for person in people for tag in person.tags)
            assert "All is as it was written" in sharewise("verify", env=env)
            assert poster.answers[200], "Telegram was asked to post again meanwhile"
            assert poster.answers[503], "Telegram was asked to post again meanwhile"
            COUNTS["records after the database's ends, each exactly once"] += len(stored)


async def test_the_webhook_is_set_asked_about_and_deleted(tmp_path):
    world = World()
    async with Loopback(world) as api:
        env = {**environment(tmp_path, api.url), "SHAREWISE_WEBHOOK_SECRET": SECRET}

        def webhook(*arguments, env=env):
            done = subprocess.run(
                [sys.executable, "-m", "bot", "webhook", *arguments],
                env=env,
                capture_output=True,
                text=True,
                timeout=60,
            )
            return done.returncode, done.stdout, done.stderr

        code, out, _ = await asyncio.to_thread(webhook, "set", "https://bot.example.org/")
        assert code == 0
        assert "https://bot.example.org/telegram" in out
        assert world.webhook["secret_token"] == SECRET
        assert int(world.webhook["max_connections"]) == 40
        assert "callback_query" in str(world.webhook["allowed_updates"])
        code, out, _ = await asyncio.to_thread(webhook, "info", "--json")
        assert json.loads(out)["url"] == "https://bot.example.org/telegram"
        assert (await asyncio.to_thread(webhook, "delete"))[1].startswith("Webhook: none")
        assert (await asyncio.to_thread(webhook, "set", "http://bot.example.org"))[0] == 2
        for secret in ("", "short", "x" * 31 + "!"):
            code, _, error = await asyncio.to_thread(
                webhook, "set", "https://x.example.org", env={**env, "SHAREWISE_WEBHOOK_SECRET": secret}
            )
            assert code == 2
            assert "SHAREWISE_WEBHOOK_SECRET" in error
            assert not secret or secret not in error


async def test_somebody_who_stopped_the_bot_is_marked_until_they_write_again(tmp_path):
    from storage import members
    from storage.core.engine import sqlite_url
    from tests.support.chat import Chat
    from tests.support.stores import KEYS

    async with Chat(sqlite_url(tmp_path / "x.db"), KEYS, (100, 101)) as chat:
        chat.world.gone.add(100)
        await chat.store.run(lambda unit: outbox.enqueue(unit, 100, "message", {"text": "x"}))
        await chat.store.run(lambda unit: outbox.enqueue(unit, 101, "message", {"text": "y"}))
        await chat.settle()
        assert chat.text(101) == "y", "nobody else waits"
        marked = await chat.store.run(members.get, 100)
        assert marked.unreachable_since
        assert "has stopped the bot" in membership_cards.member_list(marked, [marked], may_end=False).text
        chat.world.gone.clear()
        await chat.say("/share", 100)
        assert (await chat.store.run(members.get, 100)).unreachable_since is None
