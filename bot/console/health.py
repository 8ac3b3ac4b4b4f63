"""Is it alive, is it ready, and how much waits: for the operator's monitoring. Counts and ages only, never who or what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import String, cast, func, select, text
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from storage import pause
from storage.core.faults import StorageUnavailable
from storage.core.store import Store
from storage.core.unit import Unit
from storage.mailbox import INBOX, OUTBOX, counts
from storage.rate_limits import PACE
from storage.retention import counts as kept
from storage.timers import TIMER

#: Seconds after which something that waits means that nobody works on it.
OLDEST_INBOX, OLDEST_OUTBOX, OLDEST_TIMER = 30.0, 120.0, 60.0
#: A chat that something was sent to within these seconds is being served, however much waits for it.
SERVED = 10.0
#: How long the database may take to answer, in seconds.
PATIENCE = 2.0


def ages(unit: Unit, now: str) -> dict[str, float]:
    """Return for how many seconds the oldest of each has waited; 0 where nothing waits."""
    # What somebody brought upon themselves, by asking faster than Telegram lets a bot answer, is nobody else's trouble.
    served = select(PACE.c.key).where(PACE.c.due > datetime.fromisoformat(now).timestamp() - SERVED)
    oldest = {
        "inbox": select(func.min(INBOX.c.received_at)).where(INBOX.c.state == "waiting"),
        "outbox": select(func.min(OUTBOX.c.created_at)).where(
            OUTBOX.c.state == "waiting", ("chat:" + cast(OUTBOX.c.chat_id, String)).not_in(served)
        ),
        "timer": select(func.min(TIMER.c.due_at)).where(TIMER.c.due_at <= now),
    }
    found = {}
    for name, query in oldest.items():
        since = unit.connection.execute(query).scalar()
        seconds = (datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds() if since else 0.0
        found[name] = max(0.0, seconds)
    return found


def not_ready(unit: Unit, now: str) -> list[str]:
    """Return why the service is not ready, in words; nothing when it is."""
    limits = {"inbox": OLDEST_INBOX, "outbox": OLDEST_OUTBOX, "timer": OLDEST_TIMER}
    found = [
        f"{name}: something has waited {int(age)} s" for name, age in ages(unit, now).items() if age > limits[name]
    ]
    if not unit.is_sqlite and unit.connection.scalar(text("show transaction_read_only")) == "on":
        found.append("database: it may only be read")
    if pause.reason(unit) is not None:
        found.append("paused")
    return found


def metrics(unit: Unit, now: str) -> bytes:
    """Return the figures in Prometheus' text form."""
    registry = CollectorRegistry()
    waits = Gauge("sharewise_mailbox_rows", "Rows of the mailboxes by state", ["mailbox", "state"], registry=registry)
    for key, count in counts(unit).items():
        mailbox, _, state = key.partition(".")
        waits.labels(mailbox, state).set(count)
    oldest = Gauge("sharewise_oldest_seconds", "How long the oldest has waited", ["what"], registry=registry)
    for name, age in ages(unit, now).items():
        oldest.labels(name).set(age)
    records = Gauge("sharewise_records", "Decision records", ["state"], registry=registry)
    for state, count in kept(unit).items():
        records.labels(state).set(count)
    Gauge("sharewise_paused", "1 while the bot is stopped", registry=registry).set(pause.reason(unit) is not None)
    return bytes(generate_latest(registry))


def routes(store: Store, now: Callable[[], str]) -> tuple[Route, ...]:
    """Return /livez, /readyz and /metrics. Why it is not ready, and the figures, are for this machine only."""

    async def alive(_request: Request) -> Response:
        return JSONResponse({"ok": True})

    async def ready(request: Request) -> Response:
        try:
            why = await asyncio.wait_for(store.run(not_ready, now()), PATIENCE)
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
    """Say whether somebody on this machine asks, not through a proxy: only they get details."""
    direct = "x-forwarded-for" not in request.headers and "forwarded" not in request.headers
    # Who calls an address of this machine from this machine comes from that same address.
    here = ("127.0.0.1", "::1", (request.scope.get("server") or ("",))[0])
    return direct and request.client is not None and request.client.host in here
