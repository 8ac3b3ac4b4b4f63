"""The HTTP face of the local Telegram: the Bot API on loopback, for tests with real processes. Standard library only."""

from __future__ import annotations

import asyncio
import json
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl

from bot.local.world import BOT, Refused, World

TOKEN = f"{BOT['id']}:LOOPBACK-TOKEN-for-tests-only-000000"
NUMBERS = {"chat_id", "message_id", "message_thread_id", "user_id", "offset", "timeout"}


class Loopback:
    """Serves one World at http://127.0.0.1:PORT/bot<token>/<method>."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.calls: list[str] = []

    async def __aenter__(self) -> Loopback:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**24)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/bot"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                path = line.split(b" ")[1].decode()
                headers: dict[str, str] = {}
                while (header := await reader.readline()) not in (b"\r\n", b""):
                    name, _, value = header.decode("latin-1").partition(":")
                    headers[name.strip().lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                call = asyncio.ensure_future(self._answer(path, headers.get("content-type", ""), body))
                gone = asyncio.ensure_future(self._gone(reader))
                await asyncio.wait({call, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not call.done():
                    call.cancel()
                    return
                gone.cancel()
                status, content = call.result()
                head = (
                    f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
                )
                writer.write(head.encode() + content)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def _gone(reader: asyncio.StreamReader) -> None:
        while not reader.at_eof():
            await asyncio.sleep(0.02)

    async def _answer(self, path: str, kind: str, body: bytes) -> tuple[int, bytes]:
        _, token, method = path.split("?")[0].split("/")
        if token != f"bot{TOKEN}":
            return 401, b'{"ok": false, "error_code": 401, "description": "Unauthorized"}'
        self.calls.append(method)
        parameters, files = read_body(kind, body)
        try:
            result = await self.world.call(method, parameters, files)
        except Refused as refused:
            answer = {"ok": False, "error_code": refused.code, "description": refused.description}
            if refused.parameters:
                answer["parameters"] = refused.parameters
            return refused.code, json.dumps(answer).encode()
        return 200, json.dumps({"ok": True, "result": result}).encode()


def read_body(kind: str, body: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the parameters and files of a call."""
    files: dict[str, bytes] = {}
    if kind.startswith("application/json"):
        return json.loads(body or b"{}"), files
    if kind.startswith("multipart/"):
        parameters: dict[str, Any] = {}
        parsed = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
        for part in parsed.get_payload():
            name = str(part.get_param("name", header="content-disposition"))
            content = part.get_payload(decode=True)
            if part.get_filename():
                files[name] = content
            else:
                parameters[name] = content.decode()
    else:
        parameters = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return {name: int(value) if name in NUMBERS else value for name, value in parameters.items()}, files
