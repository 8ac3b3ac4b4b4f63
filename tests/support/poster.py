"""Telegram's side of a webhook: post each update until it is answered with 200, some twice, several in parallel."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import aiohttp

from bot.local.world import World

PAUSE = 0.05


class Poster:
    """Posts the updates waiting in a World to a bot's webhook."""

    def __init__(self, world: World, url: str, secret: str, *, twice: float = 0.1, seed: int = 1) -> None:
        self.world, self.url, self.secret = world, url, secret
        self.twice, self.random = twice, random.Random(seed)
        self.answers: Counter[int] = Counter()

    async def __aenter__(self) -> Poster:
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=40))
        self._posting: set[asyncio.Task[None]] = set()
        self._pump = asyncio.create_task(self._take())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (self._pump, *self._posting):
            task.cancel()
        await asyncio.gather(self._pump, *self._posting, return_exceptions=True)
        await self.session.close()

    async def _take(self) -> None:
        offset = 0
        while True:
            updates = await self.world.call("getUpdates", {"offset": offset, "timeout": 30})
            for update in updates:
                offset = update["update_id"] + 1
                for _ in range(1 + (self.random.random() < self.twice)):
                    task = asyncio.create_task(self._post(update))
                    self._posting.add(task)
                    task.add_done_callback(self._posting.discard)

    async def _post(self, update: dict[str, object]) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.secret}
        while True:
            try:
                async with self.session.post(self.url, json=update, headers=headers) as answer:
                    self.answers[answer.status] += 1
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                self.answers[0] += 1
            await asyncio.sleep(PAUSE)
