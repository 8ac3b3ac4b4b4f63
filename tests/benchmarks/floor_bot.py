"""The floor: the same ten steps and durable rows with the sqlite3 module alone, without any framework.

An update is taken in, handled and noted as sent in three synced commits, as in this bot; waiting work commits
together. Nothing is sealed, screened, chained or drawn: this is the cost of the disk and the calls.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from pathlib import Path

from aiohttp import ClientSession

from tests.support.people import WALK

API = os.environ["SHAREWISE_API_BASE_URL"] + os.environ["SHAREWISE_TOKEN"]
SCHEMA = """
pragma journal_mode=wal; pragma synchronous=full;
create table inbox (id integer primary key, update_id integer unique, state text, payload blob);
create table conversation (chat_id integer primary key, card integer, revision integer, walk blob);
create table event (chat_id integer, seq integer, sealed blob);
create table outbox (id integer primary key, chat_id integer, payload blob);
create table record (id integer primary key, chat_id integer, content blob);
"""


def shown(step):
    words, act = WALK[step]
    rows = [] if act.startswith("=") else [[{"text": act, "callback_data": f"{step}:yes"}]]
    return {"text": words, "reply_markup": {"inline_keyboard": [*rows, [{"text": "Back", "callback_data": "x"}]]}}


def act(database, update):
    """Do one step; return the call that shows it, with its row, and the tap to answer."""
    query, message = update.get("callback_query"), update.get("message")
    chat = (message or query["message"])["chat"]["id"]
    database.execute("update inbox set state='done', payload=null where update_id=?", (update["update_id"],))
    row = database.execute("select card, revision, walk from conversation where chat_id=?", (chat,)).fetchone()
    card, revision, walk = row or (None, 0, "[]")
    walk = (
        []
        if message and message["text"] == "/start"
        else [*json.loads(walk), query["data"] if query else message["text"]]
    )
    database.execute(
        "insert or replace into conversation values (?,?,?,?)",
        (chat, card if query else None, revision + 1, json.dumps(walk)),
    )
    database.execute("insert into event values (?,?,?)", (chat, revision + 1, json.dumps(walk[-1:])))
    if len(walk) < len(WALK):
        payload = shown(len(walk))
    else:
        database.execute("insert into record (chat_id, content) values (?,?)", (chat, json.dumps(walk)))
        payload = {"text": f"Saved for case {walk[-3]}."}
    payload["chat_id"] = chat
    if query:
        payload["message_id"] = query["message"]["message_id"]
    number = database.execute(
        "insert into outbox (chat_id, payload) values (?,?)", (chat, json.dumps(payload))
    ).lastrowid
    return payload, number, query


async def main():
    database = sqlite3.connect(Path(os.environ["SHAREWISE_DATA_DIR"]) / "floor.db", isolation_level=None)
    database.executescript(SCHEMA)
    sent, tasks = [], set()
    async with ClientSession() as session:

        async def call(method, parameters):
            async with session.post(f"{API}/{method}", json=parameters) as answer:
                return (await answer.json())["result"]

        async def show(payload, number, query):
            if query:
                await call("answerCallbackQuery", {"callback_query_id": query["id"]})
            await call("editMessageText" if query else "sendMessage", payload)
            sent.append((number,))

        def later(work):
            task = asyncio.create_task(work)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        offset = 0
        while True:
            updates = await call("getUpdates", {"offset": offset, "timeout": 0 if tasks or sent else 20})
            database.execute("begin immediate")
            for update in updates:
                row = (update["update_id"], "waiting", json.dumps(update))
                database.execute("insert into inbox (update_id, state, payload) values (?,?,?)", row)
            database.execute("commit")
            database.execute("begin immediate")
            shows = [act(database, update) for update in updates]
            database.execute("commit")
            offset = max([offset, *(update["update_id"] + 1 for update in updates)])
            for one in shows:
                later(show(*one))
            await asyncio.sleep(0.001)
            done, sent[:] = [*sent], []
            if done:
                database.execute("begin immediate")
                database.executemany("delete from outbox where id=?", done)
                database.execute("commit")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
