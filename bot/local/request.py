"""python-telegram-bot's HTTP layer, replaced by a World in the same process: no socket, no port, no token."""

from __future__ import annotations

import json
from typing import Any

from telegram.request import BaseRequest, RequestData

from bot.local.world import Refused, World


class LocalRequest(BaseRequest):
    """Passes the bot's API calls to a World in the same process."""

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def read_timeout(self) -> float:
        """Seconds. PTB asks for it, though nothing here waits for a network."""
        return 30.0

    async def initialize(self) -> None:
        """Do nothing: there is no connection to open."""

    async def shutdown(self) -> None:
        """Do nothing: there is no connection to close."""

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *timeouts: Any, **more: Any
    ) -> tuple[int, bytes]:
        """Carry out one API call and return the HTTP status and JSON body that the Bot API would return."""
        parameters = dict(request_data.parameters) if request_data else {}
        sent = (request_data.multipart_data or {}) if request_data else {}
        files = {name: content for name, (_, content, _) in sent.items() if isinstance(content, bytes)}
        try:
            result = await self.world.call(url.rsplit("/", 1)[-1], parameters, files)
        except Refused as refused:
            answer: dict[str, Any] = {"ok": False, "error_code": refused.code, "description": refused.description}
            if refused.parameters:
                answer["parameters"] = refused.parameters
            return refused.code, json.dumps(answer).encode()
        except Exception as error:
            self.world.crashes.append(error)
            raise
        return 200, json.dumps({"ok": True, "result": result}).encode()
