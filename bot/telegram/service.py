"""The running bot: intake, dispatcher and sender run in parallel. If one of them ends, the process ends."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telegram import BotCommandScopeAllGroupChats, BotCommandScopeAllPrivateChats
from telegram.error import InvalidToken, RetryAfter, TelegramError

from bot.composition.logs import where_of
from bot.domain import commands
from bot.domain.access import Role
from bot.messages.commands import menu
from bot.telegram.application import App
from bot.telegram.gateway import Gateway
from bot.telegram.intake import Intake
from bot.telegram.pictures import Pictures
from bot.telegram.retry import TokenRefused, seconds_of
from bot.telegram.sender import Sender
from bot.usecases import deadlines, housekeeping, inbox
from bot.usecases.context import Context
from flows import chart, screening
from storage.core.faults import StorageUnavailable

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from bot.telegram.webhook import Server

log = logging.getLogger("sharewise")

#: Seconds that sends under way may take after the process is told to stop, and answers to taps after that.
GRACE, ANSWERED_WITHIN = 5.0, 0.5


#: Seconds between two checks for due timers.
TICK = 1.0
#: Seconds between two rounds of housekeeping.
HOUSEKEEPING = 600
#: Seconds after the start.
WARM_UP_AFTER = 2.0
#: Seconds after the start, and between two questions to Telegram whether a webhook is set.
ASK_AFTER = 60.0


def _load(context: Context) -> None:
    context.index.ask("consent")
    screening.screened("consent")
    chart.fonts()
    # Everything loaded now stays for good. Collecting it again would hold up taps by about 50 ms each time.
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Listening:
    """Where this listens: for the operator's monitoring and, with a secret, for Telegram's updates instead of polling."""

    socket: socket.socket
    secret: str | None = None
    monitoring: Sequence[BaseRoute] = ()


@dataclass(frozen=True)
class Host:
    """What the machine gives a running bot."""

    #: Where the ledger's head is written, outside the store.
    head_file: Path | None = None
    #: Where drawn pictures are kept.
    pictures: Path | None = None
    #: The parent process. When it is gone, this process stops too.
    parent: int | None = None


class PartEnded(Exception):
    """A part of the bot ended without being told to."""


class Service:
    """One running bot."""

    def __init__(
        self, application: App, gateway: Gateway, listening: Listening | None = None, host: Host = Host()
    ) -> None:
        self.application, self.gateway, self.listening, self.host = application, gateway, listening, host
        self.sender = Sender(application, gateway.store, gateway.context)
        self.pictures = Pictures(application, gateway.store, gateway.context, host.pictures)
        gateway.on_acting = self.sender.wake.set
        self.intake = Intake(application, gateway)
        self.stop = asyncio.Event()

    async def run(self) -> None:
        """Run until `stop` is set; raise if a part fails."""
        await self._initialize()
        if not self.stop.is_set():
            log.info("Serving as @%s.", self.gateway.context.username)
        server = self._server()
        web = [asyncio.create_task(server.run_until_told(), name="web")] if server else []
        poll = [] if self.by_webhook else [asyncio.create_task(self.intake.poll(), name="intake")]
        dispatch = asyncio.create_task(self.intake.dispatch(self.stop), name="dispatcher")
        send = asyncio.create_task(self.sender.run(self.stop), name="sender")
        draw = asyncio.create_task(self.pictures.run(self.stop), name="pictures")
        keep = asyncio.create_task(self._housekeeping(), name="housekeeping")
        menu = asyncio.create_task(self._set_menu(), name="menu")
        watch = asyncio.create_task(self._watch_timers(), name="timers")
        ask = asyncio.create_task(self.ask_for_webhook(), name="webhook")
        warm = asyncio.create_task(self._warm_up(), name="warm-up")
        stopping = asyncio.create_task(self.stop.wait(), name="stop")
        parts: set[asyncio.Future[Any]] = {*web, *poll, dispatch, send, draw, keep, watch, stopping, self.sender.failed}
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            ended = [task for task in done if task is not stopping]
            if ended and not self.stop.is_set():
                for task in ended:
                    task.result()
                raise PartEnded("A part of the bot ended.")
        finally:
            self.stop.set()
            self.intake.arrived.set()
            self.sender.wake.set()
            self.pictures.wake.set()
            draining = {dispatch, send, draw, *web}
            if server:
                server.should_exit = True
            beside = (*poll, keep, watch, menu, ask, warm, stopping)
            for task in beside:
                task.cancel()
            await asyncio.wait(draining, timeout=GRACE)
            for task in draining:
                task.cancel()
            await asyncio.gather(*beside, *draining, return_exceptions=True)
            await self.gateway.settle(ANSWERED_WITHIN)
            self.gateway.close()
            await self.application.shutdown()
            # The library leaves the client open if it never reached Telegram.
            await self.application.bot.request.shutdown()
            log.info("Stopped.")

    @property
    def by_webhook(self) -> bool:
        """Whether Telegram posts updates to a webhook, instead of being polled."""
        return self.listening is not None and self.listening.secret is not None

    def _server(self) -> Server | None:
        if self.listening is None:
            return None
        from starlette.applications import Starlette

        from bot.telegram import webhook as web

        async def take_in(update: dict[str, object]) -> None:
            await self.intake.take_in([update])

        routes = [*self.listening.monitoring]
        if self.listening.secret is not None:
            routes.append(web.route(take_in, self.listening.secret))
        return web.Server(Starlette(routes=routes), self.listening.socket)

    async def ask_for_webhook(self) -> None:
        """Warn if no webhook is set: by now a deployment has told Telegram where to post, or has forgotten to."""
        while self.by_webhook:
            await asyncio.sleep(ASK_AFTER)
            with suppress(TelegramError):
                if not (await self.application.bot.get_webhook_info()).url:
                    log.warning("No webhook is set, so nothing arrives: sharewise webhook set https://HOST")

    async def _initialize(self) -> None:
        while not self.stop.is_set():
            asking = asyncio.create_task(self.application.initialize())
            stopping = asyncio.create_task(self.stop.wait())
            await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not asking.done():
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
                return
            try:
                asking.result()
                self.gateway.context.username = self.application.bot.username
                return
            except InvalidToken:
                await self.application.bot.request.shutdown()
                raise TokenRefused from None
            except TelegramError as error:
                log.warning("Telegram cannot be reached (%s). Trying again.", type(error).__name__)
                await self._wait(seconds_of(error) if isinstance(error, RetryAfter) else 1)

    async def _wait(self, seconds: float) -> None:
        """Wait, but return early if told to stop or if the parent is gone."""
        until = time.monotonic() + seconds
        while not self.stop.is_set() and time.monotonic() < until:
            self._stop_without_parent()
            await asyncio.sleep(min(seconds, 1))

    def _stop_without_parent(self) -> None:
        if self.host.parent is not None and os.getppid() != self.host.parent:
            self.stop.set()

    async def _housekeeping(self) -> None:
        while True:
            try:
                await self.gateway.store.run(housekeeping.tidy, self.gateway.context)
                await self._write_head()
            except StorageUnavailable as error:
                log.warning("Housekeeping: %s Trying again.", error)
            self.sender.wake.set()
            await asyncio.sleep(HOUSEKEEPING)

    async def _write_head(self) -> None:
        if self.host.head_file is None:
            return
        try:
            await self.gateway.store.run(housekeeping.write_head, self.host.head_file, self.gateway.context.now())
        except (OSError, ValueError) as error:
            log.warning("The ledger's head could not be written to SHAREWISE_HEAD_FILE (%s).", type(error).__name__)

    async def _watch_timers(self) -> None:
        """Fire due timers. The clock is read every second, so that a clock that jumps is harmless."""
        while True:
            try:
                await self.fire_due()
            except StorageUnavailable as error:
                log.warning("%s Trying again.", error)
            self._stop_without_parent()
            await asyncio.sleep(TICK)

    async def fire_due(self) -> None:
        """Fire each due timer. One that fails is postponed and does not affect the others."""
        store, context = self.gateway.store, self.gateway.context
        for timer in await store.run(deadlines.due, context.now()):
            try:
                await store.run(deadlines.fire, context, timer)
            except StorageUnavailable:
                raise
            except Exception as error:
                log.error("A timer failed (%s). It is put off.", where_of(error))
                await store.run(deadlines.put_off, context, timer)
            self.sender.wake.set()

    async def _warm_up(self) -> None:
        """After the first taps, load what the first typed words and the first picture would otherwise wait for."""
        await asyncio.sleep(WARM_UP_AFTER)
        await asyncio.to_thread(_load, self.gateway.context)

    async def _set_menu(self) -> None:
        try:
            everybody, groups = menu(commands.of_role(Role.PRACTITIONER)), menu(commands.of_groups())
            await self.application.bot.set_my_commands(everybody, BotCommandScopeAllPrivateChats())
            await self.application.bot.set_my_commands(groups, BotCommandScopeAllGroupChats())
        except TelegramError as error:
            log.warning("The command menu could not be set (%s).", type(error).__name__)

    async def is_idle(self) -> bool:
        """Return whether every update was handled and every message sent."""
        is_empty = await self.gateway.store.run(inbox.is_empty)
        return is_empty and not self.sender.busy and not self.pictures.busy
