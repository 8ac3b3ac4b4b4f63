"""The webhook that Telegram posts updates to: store, then acknowledge. The secret is checked before the body is read."""

from __future__ import annotations

import asyncio
import hmac
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.usecases.inbox import is_number
from storage.core.faults import StorageUnavailable
from storage.core.json_bytes import loads

log = logging.getLogger("sharewise.webhook")

PATH = "/telegram"
HEADER = "x-telegram-bot-api-secret-token"
#: Bytes.
MOST_BODY = 1024 * 1024
#: Seconds after which Telegram should post again while the database is unavailable.
RETRY_AFTER = "2"
#: Seconds after which a silent database counts as unavailable. If it stores the update after all, the repeated post is recognised.
PATIENCE = 10.0

#: Stores one raw update and returns once it is committed; raises StorageUnavailable.
TakeIn = Callable[[dict[str, object]], Awaitable[None]]


def route(take_in: TakeIn, secret: str) -> Route:
    """Return the route: 200 only after the commit, 403 without the secret, 413, 400, 408 unread, 503 to be posted again."""
    expected = secret.encode()

    async def post(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get(HEADER, "").encode(), expected):
            return PlainTextResponse("", 403)
        length = request.headers.get("content-length", "")
        if not length.isdigit() or int(length) > MOST_BODY:
            return PlainTextResponse("", 413)
        try:
            update = loads(await request.body())
        except (ValueError, RecursionError):
            return PlainTextResponse("", 400)
        except ClientDisconnect:
            return PlainTextResponse("", 408)
        if not isinstance(update, dict) or not is_number(update.get("update_id")):
            return PlainTextResponse("", 400)
        try:
            await asyncio.wait_for(take_in(update), PATIENCE)
        except (StorageUnavailable, TimeoutError) as error:
            why = str(error) or f"The database gave no answer within {PATIENCE:.0f} seconds."
            log.warning("%s An update was refused with 503; Telegram posts it again.", why)
            return PlainTextResponse("", 503, headers={"retry-after": RETRY_AFTER})
        return PlainTextResponse("")

    return Route(PATH, post, methods=["POST"])


class Server(uvicorn.Server):
    """Serves an app until `should_exit` is set. The service handles signals itself."""

    def __init__(self, app: Starlette, listening: socket.socket) -> None:
        quiet = {"log_config": None, "access_log": False, "server_header": False, "date_header": False}
        super().__init__(uvicorn.Config(app, lifespan="off", timeout_graceful_shutdown=3, **quiet))  # type: ignore[arg-type]
        self.listening = listening

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the service."""
        yield

    async def run_until_told(self) -> None:
        """Serve on the listening socket."""
        await self.serve(sockets=[self.listening])
