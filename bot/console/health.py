"""The /livez, /readyz and /metrics endpoints, for the operator's monitoring."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.usecases import health
from storage.core.faults import StorageUnavailable
from storage.core.store import Store
from storage.core.unit import Unit

#: Seconds to wait for the database.
PATIENCE = 2.0


def metrics(unit: Unit, now: str) -> bytes:
    """Return the metrics in the Prometheus text format."""
    found, registry = health.figures(unit, now), CollectorRegistry()
    waits = Gauge("sharewise_mailbox_rows", "Rows of the mailboxes by state", ["mailbox", "state"], registry=registry)
    for key, count in found.mailboxes.items():
        mailbox, _, state = key.partition(".")
        waits.labels(mailbox, state).set(count)
    oldest = Gauge("sharewise_oldest_seconds", "How long the oldest has waited", ["what"], registry=registry)
    for name, age in found.oldest.items():
        oldest.labels(name).set(age)
    records = Gauge("sharewise_records", "Decision records", ["state"], registry=registry)
    for state, count in found.records.items():
        records.labels(state).set(count)
    Gauge("sharewise_paused", "1 while the bot is stopped", registry=registry).set(found.is_paused)
    return bytes(generate_latest(registry))


def routes(store: Store, now: Callable[[], str]) -> tuple[Route, ...]:
    """Return the health and metrics routes. Only requests from this machine get the metrics, or the reason the bot is not ready."""

    async def alive(_request: Request) -> Response:
        return JSONResponse({"ok": True})

    async def ready(request: Request) -> Response:
        try:
            why = await asyncio.wait_for(store.run(health.not_ready, now()), PATIENCE)
        except StorageUnavailable as error:
            why = [str(error)]
        except TimeoutError:
            why = [f"database: no answer within {PATIENCE:.0f} s"]
        body: dict[str, Any] = {"ready": not why, **({"why": why} if is_local(request) else {})}
        return JSONResponse(body, 200 if not why else 503)

    async def figures(request: Request) -> Response:
        if not is_local(request):
            return PlainTextResponse("", 404)
        try:
            found = await asyncio.wait_for(store.run(metrics, now()), PATIENCE)
            return Response(found, media_type="text/plain; version=0.0.4")
        except (StorageUnavailable, TimeoutError):
            return PlainTextResponse("", 503)

    return Route("/livez", alive), Route("/readyz", ready), Route("/metrics", figures)


def is_local(request: Request) -> bool:
    """Return whether the request comes from this machine and not through a proxy."""
    direct = "x-forwarded-for" not in request.headers and "forwarded" not in request.headers
    # When a machine connects to one of its own addresses, that same address is the source.
    here = ("127.0.0.1", "::1", (request.scope.get("server") or ("",))[0])
    return direct and request.client is not None and request.client.host in here
