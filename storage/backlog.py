"""The backlog of inbox and outbox: what is waiting, since when, and what is parked (dead letters) for an operator."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import String, cast, delete, func, select, update

from storage.core.clock import as_datetime
from storage.core.unit import Unit
from storage.inbox import INBOX
from storage.outbox import OUTBOX
from storage.rate_limits import LIMIT

#: A chat counts as served for this many seconds after something was sent to it.
SERVED = 10.0


@dataclass(frozen=True)
class Parked:
    """A parked row. `what`: "update" or "message"; `name`: the id Telegram gave the update, or the message's kind."""

    what: str
    id: int
    at: str
    tries: int
    name: str
    cause: str


def oldest(unit: Unit, now: str) -> dict[str, str | None]:
    """Return when the oldest waiting update and the oldest waiting message were stored; None where nothing is waiting.

    Messages to chats that were sent something in the last 10 seconds do not count: people who tap faster than Telegram
    lets a bot answer keep only themselves waiting.
    """
    served = select(LIMIT.c.key).where(LIMIT.c.due > as_datetime(now).timestamp() - SERVED)
    received = select(func.min(INBOX.c.received_at)).where(INBOX.c.state == "waiting")
    chat = "chat:" + cast(OUTBOX.c.chat_id, String)
    created = select(func.min(OUTBOX.c.created_at)).where(OUTBOX.c.state == "waiting", chat.not_in(served))
    return {name: unit.connection.execute(query).scalar() for name, query in (("inbox", received), ("outbox", created))}


def parked(unit: Unit) -> list[Parked]:
    """Return all parked updates and messages, oldest first, without their content."""
    inbox, outbox = (
        select(table.c.id, table.c[at].label("at"), table.c.tries, table.c[name].label("name"), table.c.cause).where(
            table.c.state == "parked"
        )
        for table, at, name in ((INBOX, "received_at", "update_id"), (OUTBOX, "created_at", "kind"))
    )
    found = [
        Parked(what, row.id, row.at, row.tries, str(row.name), row.cause or "not known")
        for what, query in (("update", inbox), ("message", outbox))
        for row in unit.connection.execute(query)
    ]
    return sorted(found, key=lambda one: (one.at, one.id))


def retry(unit: Unit, what: str, number: int) -> bool:
    """Requeue a parked update or message with its tries reset; return False if it is not parked."""
    table = INBOX if what == "update" else OUTBOX
    waits = (
        update(table)
        .where(table.c.id == number, table.c.state == "parked")
        .values(state="waiting", tries=0, cause=None)
    )
    return unit.connection.execute(waits).rowcount == 1


def drop(unit: Unit, what: str, number: int) -> bool:
    """Delete a parked message, or the payload of a parked update; return False if it is not parked."""
    if what == "update":
        done = update(INBOX).where(INBOX.c.id == number, INBOX.c.state == "parked").values(state="done", payload=None)
        return unit.connection.execute(done).rowcount == 1
    gone = delete(OUTBOX).where(OUTBOX.c.id == number, OUTBOX.c.state == "parked")
    return unit.connection.execute(gone).rowcount == 1


def counts(unit: Unit) -> dict[str, int]:
    """Return the number of rows in each state of inbox and outbox, for example {"inbox.waiting": 3}."""
    found: dict[str, int] = {}
    for name, table in (("inbox", INBOX), ("outbox", OUTBOX)):
        for state, count in unit.connection.execute(select(table.c.state, func.count()).group_by(table.c.state)):
            found[f"{name}.{state}"] = count
    return found
