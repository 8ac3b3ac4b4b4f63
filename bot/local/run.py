"""`sharewise chat` and `sharewise demo`: the real handlers in one process, on an in-memory Telegram."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import TextIO

from bot.composition.settings import CASE_REFERENCE
from bot.local.request import LocalRequest
from bot.local.terminal import CHANNEL, PEOPLE, Terminal
from bot.local.world import BOT, World
from bot.telegram import application
from bot.telegram.gateway import Gateway
from bot.telegram.service import Host, Service
from bot.usecases import teams
from bot.usecases.context import Context
from storage.core.store import Store

TOKEN = "1:LOCAL"  # noqa: S105 (not a real token: nothing leaves the process)
TEAM = "local"


async def chat(
    store: Store, edition: str, version: str, data: Path, actor: str = "me", lines: TextIO | None = None
) -> None:
    """Run the bot and the terminal until the input ends. `lines` is standard input unless given."""
    context = Context(edition, int(str(BOT["id"])), version, re.compile(CASE_REFERENCE))
    context.book  # loads the edition now, so that an invalid one stops the start  # noqa: B018
    await store.run(teams.settle_in, TEAM, CHANNEL, PEOPLE)
    world = World()
    world.groups[CHANNEL] = {"id": CHANNEL, "type": "supergroup", "title": "Team channel"}
    gateway = Gateway(store, context)
    request = LocalRequest(world)
    service = Service(application.build(gateway, TOKEN, request), gateway, host=Host(pictures=data / "drawn"))
    running = asyncio.create_task(service.run())
    talking = asyncio.create_task(Terminal(world, service, data, actor).chat(lines or sys.stdin))
    await asyncio.wait({running, talking}, return_when=asyncio.FIRST_COMPLETED)
    service.stop.set()
    if running.done():
        talking.cancel()
    await running
    await talking
