"""The Bot API over aiohttp: the same calls as the library's own client at a quarter of the cost or less (docs/figures.md)."""

from __future__ import annotations

import os
from typing import Any

import aiohttp
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

from storage.core.json_bytes import dumps, loads

READ_SECONDS, CONNECT_SECONDS = 10.0, 5.0
JSON = {"content-type": "application/json"}


def _has_proxy() -> bool:
    """Return whether the environment sets a proxy. If not, the client need not check for every call."""
    return any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"))


class AiohttpRequest(BaseRequest):
    """A connection pool for calls and polling."""

    def __init__(self, connections: int) -> None:
        self.connections = connections
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds to wait for an answer, unless a call sets its own."""
        return READ_SECONDS

    async def initialize(self) -> None:
        """Open the pool."""
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=self.connections, keepalive_timeout=75)
            self._session = aiohttp.ClientSession(
                connector=connector,
                trust_env=_has_proxy(),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("accept", "accept-encoding"),
            )

    async def shutdown(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """Parse an answer; raise TelegramError if it is not JSON. Bytes that are not UTF-8 are replaced."""
        try:
            return loads(payload.decode(errors="replace").encode())
        except ValueError:
            raise TelegramError("Invalid server response") from None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Make one call; return its status and body. Raise NetworkError or, after a timeout, TimedOut: the call may have succeeded.

        Only `read_timeout` is used.
        """
        if self._session is None:
            raise RuntimeError("The client was not initialized.")
        waits = READ_SECONDS if read_timeout is BaseRequest.DEFAULT_NONE else read_timeout
        timeout = aiohttp.ClientTimeout(total=None, sock_read=waits, sock_connect=CONNECT_SECONDS)
        body: Any = None
        headers = {}
        if request_data is not None and request_data.contains_files:
            body = aiohttp.FormData(request_data.json_parameters)
            for name, (file_name, content, kind) in (request_data.multipart_data or {}).items():
                body.add_field(name, content, filename=file_name, content_type=kind)
        elif request_data is not None:
            # Telegram accepts a form or JSON; encoding a form takes longer.
            body, headers = dumps(request_data.parameters), JSON
        try:
            async with self._session.request(
                method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                return answer.status, await answer.read()
        # The error's own text may contain the address, which contains the token.
        except TimeoutError:
            raise TimedOut from None
        except aiohttp.ClientError as error:
            raise NetworkError(f"aiohttp.{type(error).__name__}") from None
