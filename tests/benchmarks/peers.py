"""Updates per second and start to first answer: this bot beside other bots, with the same people, walk and run.

    python -m tests.benchmarks.peers [--people 50] [--seconds 10] [--rounds 3] [--only PATTERN] [--stored N ...] [--open N]
        [--flood N] [--think SECONDS] [--json]

Real processes over loopback. This bot seals, syncs every commit, keeps a ledger and sends a chart with the outcome. The
plain one keeps its state in a pickle, aiogram in memory: a kill loses both. The floor writes the same rows by the sqlite3
module alone. Read the ratios: all share the machine with the driver. aiogram is installed for the run, from the network.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import create_engine, make_url

from bot.local.world import World
from storage.core.engine import sqlite_url
from storage.core.sealing import Keyring
from storage.opening import open_store
from tests.benchmarks.lists import fill
from tests.conftest import postgresql_url
from tests.support.loopback import TOKEN, Loopback
from tests.support.people import WALK, Person, button
from tests.support.poster import Poster
from tests.support.servers import free_port, postgresql_in

SERVE = [sys.executable, "-m", "bot", "serve"]
SECRET, KEY = "a-secret-for-benchmarks-on-loopback-only", "cd" * 32
#: The id of the first person who leaves their questions open.
OPENERS = 100_000
FLOODER = 999
#: Seconds a bot may take to load what it loads after its first answer.
WARM_UP = 5.0


@dataclass(frozen=True)
class Bot:
    """A way to run a bot: the command, whether it uses a webhook, whether it needs PostgreSQL.

    `package`: what is installed for it, in an environment of its own. `stored`: records that are there before it starts.
    """

    command: list[str]
    webhook: bool = False
    postgresql: bool = False
    package: str = ""
    stored: int = 0


@dataclass(frozen=True)
class Place:
    """Where a bot runs: its folder, its database's address and server process, the interpreter for a package of its own."""

    folder: Path
    database: str = ""
    server: int = 0
    python: str = ""


BOTS = {
    "sharewise": Bot(SERVE),
    "sharewise, webhook": Bot(SERVE, webhook=True),
    "sharewise, PostgreSQL": Bot(SERVE, postgresql=True),
    "sharewise, PostgreSQL, 2 workers": Bot([*SERVE, "--workers", "2"], postgresql=True),
    "sharewise, PostgreSQL, 3 workers": Bot([*SERVE, "--workers", "3"], postgresql=True),
    "plain PTB, pickle": Bot([sys.executable, "-m", "tests.benchmarks.plain_bot"]),
    "aiogram 3, memory": Bot(["tests/benchmarks/aiogram_bot.py"], package="aiogram>=3.31,<4"),
    "floor, sqlite3 alone": Bot([sys.executable, "-m", "tests.benchmarks.floor_bot"]),
}


def told_of_family(pid: int, what: str) -> Iterator[str]:
    """Yield the system's data on a process and its children, except those that have just ended."""
    began = subprocess.run(("pgrep", "-P", str(pid)), capture_output=True, text=True, check=False).stdout.split()
    for one in (str(pid), *began):
        with suppress(FileNotFoundError, ProcessLookupError):
            yield Path(f"/proc/{one}/{what}").read_text()


def memory(pid: int) -> float:
    """Return the resident memory of a process and those it began, in MiB: what they share counts once."""
    own, shared = 0, [0]
    for said in told_of_family(pid, "smaps_rollup"):
        kib = {name: int(size) for name, size in re.findall(r"^(\w+): +(\d+) kB", said, re.M)}
        own += kib["Private_Clean"] + kib["Private_Dirty"]
        shared.append(kib["Shared_Clean"] + kib["Shared_Dirty"])
    return (own + max(shared)) / 1024


def cpu(pid: int) -> float:
    """Return the CPU seconds that a process and those it began have used."""
    ticks = 0
    for said in told_of_family(pid, "stat"):
        fields = said.rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def work_of_server(place: Place) -> dict[str, float]:
    """Return what the PostgreSQL server has done so far: CPU seconds, bytes written ahead, commits."""
    if not place.database:
        return {}
    driver = make_url(place.database).set(drivername="postgresql+psycopg")
    engine = create_engine(driver)
    with engine.connect() as connection:
        ahead = connection.exec_driver_sql("select pg_current_wal_lsn() - '0/0'").scalar_one()
        connection.exec_driver_sql("select pg_stat_clear_snapshot()")
        commits = connection.exec_driver_sql(
            "select xact_commit from pg_stat_database where datname = current_database()"
        ).scalar_one()
    engine.dispose()
    return {"cpu": cpu(place.server), "ahead": float(ahead), "commits": float(commits)}


def settle(database: str) -> None:
    """Have a PostgreSQL server finish the work left from filling it, as a long-running one has."""
    if database:
        engine = create_engine(make_url(database).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("vacuum analyze")
            connection.exec_driver_sql("checkpoint")
        engine.dispose()


async def leave_open(world: World, count: int) -> None:
    """Have many people answer one question and leave."""
    for first in range(OPENERS, OPENERS + count, 50):
        people = [Person(world, number) for number in range(first, min(first + 50, OPENERS + count))]
        for person in people:
            world.say(person.number, "/share")
        for person in people:
            message = await person.until(*WALK[0])
            world.press(person.number, message, button(message, WALK[0][1]) or "")
        for person in people:
            await person.until(*WALK[1])
            world.listeners.remove(person.see)


async def flood(world: World, per_second: int) -> None:
    """Have one person type without end."""
    for number in itertools.count():
        world.say(FLOODER, f"Can I share this without consent? {number}")
        await asyncio.sleep(1 / per_second)


async def measure(bot: Bot, args: argparse.Namespace, place: Place) -> dict[str, float]:
    """Run one bot for a while; return its figures."""
    world, port = World(), free_port()
    command = [place.python, *bot.command] if bot.package else bot.command
    command = [*command, *(["--webhook", "--listen", f"127.0.0.1:{port}"] if bot.webhook else [])]
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(Loopback(world))
        if bot.webhook:
            await stack.enter_async_context(Poster(world, f"http://127.0.0.1:{port}/telegram", SECRET, twice=0))
        env = {
            **os.environ, "SHAREWISE_TOKEN": TOKEN, "SHAREWISE_API_BASE_URL": api.url,
            "SHAREWISE_DATA_DIR": str(place.folder), "SHAREWISE_MASTER_KEY": KEY, "SHAREWISE_EDITION": "hmg-2015",
            "SHAREWISE_SENDS_PER_SECOND": "0", "SHAREWISE_WEBHOOK_SECRET": SECRET, "PEER_WALK": json.dumps(WALK),
            **({"SHAREWISE_DATABASE_URL": place.database} if bot.postgresql else {}),
        }  # fmt: skip
        numbers = [str(number) for number in range(1000, 1000 + args.people)]
        may = ["--telegram-id", *numbers, str(FLOODER), *map(str, range(OPENERS, OPENERS + args.open))]
        add = [sys.executable, "-m", "bot", "member", "add", *may, "--role", "practitioner", "--team", "b"]
        await asyncio.to_thread(subprocess.run, add, env=env, check=True, stdout=subprocess.DEVNULL)
        walkers = [Person(world, int(number)) for number in numbers]
        with open(place.folder / "log", "wb") as log:
            started = time.perf_counter()
            child = subprocess.Popen(command, env=env, stdout=log, stderr=log)
            try:
                world.say(walkers[0].number, "/share")
                await walkers[0].until(WALK[0][0])
                first = time.perf_counter() - started
                await asyncio.sleep(WARM_UP)
                before = memory(child.pid)
                await leave_open(world, args.open)
                opened = memory(child.pid) - before
                for walker in walkers:
                    walker.waits.clear()
                used, server = cpu(child.pid), work_of_server(place)
                walking = [asyncio.create_task(walker.use(args.think)) for walker in walkers]
                flooding = asyncio.create_task(flood(world, args.flood)) if args.flood else None
                begun = time.perf_counter()
                await asyncio.sleep(args.seconds)
                took = time.perf_counter() - begun
                used = cpu(child.pid) - used
                server = {name: value - server[name] for name, value in work_of_server(place).items()}
                resident = memory(child.pid)
                waits = [wait for walker in walkers for wait in walker.waits]
                for walker in walkers:
                    walker.stop = True
                if flooding:
                    flooding.cancel()
                await asyncio.gather(*walking)
            finally:
                child.send_signal(signal.SIGTERM)
                child.wait(15)
    ordered = sorted(waits)
    return {
        "updates_per_s": len(waits) / took,
        "cpu_ms_per_update": 1000 * used / len(waits),
        "p50_ms": 1000 * statistics.median(ordered),
        "p99_ms": 1000 * ordered[int(0.99 * (len(ordered) - 1))],
        "start_to_first_answer_s": first,
        "memory_mib": resident,
        **({"left_open_mib": opened} if args.open else {}),
        **(
            {
                "server_cpu_ms_per_update": 1000 * server["cpu"] / len(waits),
                "server_kib_ahead_per_update": server["ahead"] / 1024 / len(waits),
                "server_commits_per_update": server["commits"] / len(waits),
            }
            if server
            else {}
        ),
    }


async def run(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Measure the bots in turn, some rounds; return the medians."""
    bots = dict(BOTS)
    for count in args.stored:
        for name in ("sharewise", "sharewise, PostgreSQL"):
            bots[f"{name}, {count:,} stored"] = replace(BOTS[name], stored=count)
    chosen = {name: bot for name, bot in bots.items() if re.search(args.only, name)}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in chosen}
    with places(chosen) as place_of:
        for number in range(args.rounds):
            for name, bot in chosen.items():
                sys.stderr.write(f"round {number + 1} of {args.rounds}: {name}\n")
                with place_of(name) as place:
                    found[name].append(await measure(bot, args, place))
    return {name: {key: statistics.median(row[key] for row in rows) for key in rows[0]} for name, rows in found.items()}


@contextmanager
def places(chosen: dict[str, Bot]) -> Iterator[Callable[[str], AbstractContextManager[Place]]]:
    """Give what makes a place for a bot: an empty one each time, or one with records, filled once and used again."""
    number = itertools.count()
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        wants_server = any(bot.postgresql for bot in chosen.values())
        server = stack.enter_context(postgresql_in(root)) if wants_server else None
        kept: dict[str, Place] = {}

        def new(bot: Bot) -> Place:
            one = next(number)
            folder = root / str(one)
            folder.mkdir()
            place = Place(folder)
            if bot.postgresql and server:
                place = Place(folder, postgresql_url(server.get_uri(), f"peers_{one}"), server.get_pid())
            if bot.package:
                venv.create(folder / "python", with_pip=True)
                place = replace(place, python=str(folder / "python" / "bin" / "python"))
                subprocess.run((place.python, "-m", "pip", "install", "-q", bot.package), check=True)
            if bot.stored:
                store = open_store(place.database or sqlite_url(folder / "sharewise.db"), Keyring(bytes.fromhex(KEY)))
                fill(store, bot.stored)
                store.close()
                settle(place.database)
            return place

        @contextmanager
        def place_of(name: str) -> Iterator[Place]:
            bot = chosen[name]
            if bot.stored or bot.package:
                kept[name] = kept.get(name) or new(bot)
                yield kept[name]
            else:
                place = new(bot)
                yield place
                shutil.rmtree(place.folder)

        yield place_of


def main() -> int:
    """Print the figures and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="only those whose names fit this pattern")
    parser.add_argument("--stored", type=int, nargs="*", default=[], help="also with so many records there before")
    parser.add_argument("--open", type=int, default=0, help="so many conversations are left open first")
    parser.add_argument("--flood", type=int, default=0, help="one more person types so many messages a second")
    parser.add_argument("--think", type=float, default=0, help="people wait so many seconds before they answer")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = asyncio.run(run(args))
    if args.json:
        print(json.dumps(found))
        return 0
    base = next(iter(found.values())) if args.only else found["plain PTB, pickle"]
    columns = ("updates_per_s", "cpu_ms_per_update", "p50_ms", "p99_ms", "start_to_first_answer_s", "memory_mib")
    titles = ("updates/s", "CPU ms", "p50 ms", "p99 ms", "start s", "MiB")
    print(
        f"{'bot':40} {'x':>6}" + "".join(f"{title:>11}" for title in titles) + ("   left open MiB" if args.open else "")
    )
    for name, row in found.items():
        figures = "".join(f"{row[column]:11.1f}" for column in columns)
        opened = f"{row['left_open_mib']:16.1f}" if args.open else ""
        print(f"{name:40} {row['updates_per_s'] / base['updates_per_s']:6.2f}{figures}{opened}")
    for name, row in found.items():
        for figure, value in row.items():
            if figure.startswith("server"):
                print(f"{name}: {figure.replace('_', ' ')} {value:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
