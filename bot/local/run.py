"""`sharewise chat`: the real handlers, in one process, over a Telegram in memory."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import TextIO

from bot import application
from bot.handlers.front import Front
from bot.local.request import LocalRequest
from bot.local.terminal import ME, Terminal
from bot.local.world import BOT, World
from bot.service import Service
from bot.settings import CASE_REFERENCE
from bot.usecases.desk import Desk, utc_now
from storage import members
from storage.database import Store, Unit

TOKEN = "1:LOCAL"  # noqa: S105 (no token: nothing leaves the process)


def settle_in(unit: Unit) -> None:
    """Make the person at the terminal a member."""
    if members.get(unit, ME) is None:
        members.save(unit, ME, "practitioner", "local", utc_now(), "local chat")


async def chat(store: Store, edition: str, version: str, data: Path, lines: TextIO = sys.stdin) -> None:
    """Run the chat until the input ends."""
    desk = Desk(edition, int(str(BOT["id"])), version, re.compile(CASE_REFERENCE))
    desk.book  # an edition with a problem stops the start here  # noqa: B018
    await store.run(settle_in)
    world = World()
    front = Front(store, desk)
    request = LocalRequest(world)
    service = Service(application.build(front, TOKEN, request), front)
    running = asyncio.create_task(service.run())
    talking = asyncio.create_task(Terminal(world, service, data).chat(lines))
    await asyncio.wait({running, talking}, return_when=asyncio.FIRST_COMPLETED)
    service.stop.set()
    if running.done():
        talking.cancel()
    await running
    await talking
