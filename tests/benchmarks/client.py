"""The CPU cost of one Bot API call, with the client in use and with the library's own, in one run.

    python -m tests.benchmarks.client [--calls 2000] [--rounds 5]

A server in a separate process answers at once. Prints CPU microseconds per call: medians of alternating rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from contextlib import suppress

from telegram.request import BaseRequest, HTTPXRequest, RequestData
from telegram.request._requestparameter import RequestParameter

from bot.telegram.application import CONNECTIONS, SENDS
from bot.telegram.http_client import AiohttpRequest

ANSWER = json.dumps(
    {"ok": True, "result": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": "x" * 300}}
).encode()
CLIENTS = {
    "aiohttp": lambda: AiohttpRequest(CONNECTIONS),
    "httpx": lambda: HTTPXRequest(connection_pool_size=CONNECTIONS, pool_timeout=10),
}


async def serve() -> None:
    """Answer every request at once; print the port first."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                )
                await reader.readexactly(length)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                    % (len(ANSWER), ANSWER)
                )
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def cost(client: BaseRequest, url: str, calls: int, side_by_side: int) -> float:
    """Return microseconds of CPU time a call."""
    data = RequestData(
        [RequestParameter.from_input(name, value) for name, value in {"chat_id": 1, "text": "x" * 300}.items()]
    )

    async def some(count: int) -> None:
        for _ in range(count):
            await client.post(url, data)

    async with client:
        await some(20)
        begun = time.process_time()
        await asyncio.gather(*(some(calls // side_by_side) for _ in range(side_by_side)))
        return (time.process_time() - begun) / calls * 1e6


def main() -> None:
    """Print what each client costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        asyncio.run(serve())
        return
    with subprocess.Popen(
        (sys.executable, "-m", "tests.benchmarks.client", "--serve"), stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{int(server.stdout.readline())}/sendmessage"
            for side_by_side in (1, SENDS):
                found: dict[str, list[float]] = {name: [] for name in CLIENTS}
                for _ in range(args.rounds):
                    for name, made in CLIENTS.items():
                        found[name].append(asyncio.run(cost(made(), url, args.calls, side_by_side)))
                medians = {name: statistics.median(costs) for name, costs in found.items()}
                said = ", ".join(f"{name} {median:.0f} us" for name, median in medians.items())
                print(f"{side_by_side:3} side by side: {said}, {medians['aiohttp'] / medians['httpx']:.2f} x")
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
