"""A canary in every free text: not readable in the database, its log, backups, logs and other people's views, nor after erasure."""

from __future__ import annotations

import logging
import sqlite3

import pytest
from sqlalchemy import LargeBinary, text
from sqlmodel import SQLModel

import storage.core.models  # noqa: F401 (fills the metadata)
from storage import backlog, questions, records, retention
from storage.opening import open_store
from storage.operations import backup, erasure, integrity
from tests.bot.test_console import do, hold, signed_in, token_of
from tests.bot.test_review import not_shared
from tests.support.chat import Chat
from tests.support.counts import COUNTS
from tests.support.log import logged
from tests.support.stores import KEYS, migrated

AUTHOR, ONE, TWO, SUPER, BOSS, SOUTH = 100, 101, 102, 200, 201, 300
CHANNEL = -1001
#: Where text is typed -> the canary typed there.
CANARIES = {
    place: f"canarybird{number:02}"
    for number, place in enumerate(
        ("reasons", "sentence", "opinion", "view", "note", "comment", "send back", "hold", "where to", "unanswered")
    )
}
CASE = "CANARY-4711"
EVERY = (*CANARIES.values(), CASE)


def say(place):
    return f"The {CANARIES[place]} was there."


@pytest.fixture
async def chat(tmp_path):
    from storage import members

    async with Chat(migrated(tmp_path / "x.db"), KEYS, (AUTHOR, ONE, TWO)) as chat:
        for person, role, team in (
            (SUPER, "supervisor", "north"),
            (BOSS, "administrator", "north"),
            (SOUTH, "supervisor", "south"),
        ):
            await chat.store.run(members.save, person, role, team, chat.now(), "test")
        chat.context.console_url = "http://127.0.0.1:8085"
        chat.world.open_group(CHANNEL, "North team")
        await chat.settle()
        await chat.say("/claim", BOSS, CHANNEL)
        yield chat


async def type_everything(chat, web):
    """Type a canary wherever the product takes words; return the record's reference."""
    await chat.say(f"what colour has the {CANARIES['unanswered']}")
    reference = await not_shared(chat, case=CASE, reasons=say("reasons"))
    await chat.tap("Ask the team")
    await chat.tap("Add one sentence")
    await chat.say(say("sentence"))
    await chat.tap("Send it to the team")
    for person in (ONE, TWO):
        await chat.tap("I agree", person, CHANNEL)
        await chat.tap("In my own words", person)
        await chat.say(say("opinion"), person)
    await chat.tap("Say it in my own words")
    await chat.say(say("view"))
    await chat.say(f"/note {reference} {say('note')}")
    assert CANARIES["comment"] in (await do(web, reference, "comment", words=say("comment"))).text
    assert CANARIES["send back"] in (await do(web, reference, "return", words=say("send back"))).text
    assert CANARIES["hold"] in await hold(web, "hold", reference, say("hold"))
    await do(web, reference, "record", value="json", words=say("where to"))
    await web.post("/lists", data={"form_token": token_of(await web.get("/")), "case": CASE, "state": "all"})
    return reference


def everything(unit, reference):
    """Return everything that the key decrypts, as one text."""
    record = unit.connection.execute(
        text("select id from decision_record where reference = :r"), {"r": reference}
    ).scalar_one()
    from storage import exports, reviews

    return repr((
        records.get(unit, record), reviews.done(unit, record), retention.held(unit, "north"), questions.listed(unit),
        exports.of_team(unit, "north", "0"),
    ))  # fmt: skip


def in_files(folder):
    content = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    return [canary for canary in EVERY if canary.encode() in content or canary.lower().encode() in content]


async def test_no_free_text_is_readable_anywhere_and_after_erasure_it_is_nowhere(chat, tmp_path):
    with logged(logging.DEBUG) as stream:
        async with signed_in(chat) as web:
            reference = await type_everything(chat, web)
            found = await chat.store.run(everything, reference)
            assert not [c for c in EVERY if c not in found], "all of them are kept, sealed"
            assert in_files(tmp_path) == []
            backup.make(tmp_path / "x.db", tmp_path / "backup.bin", KEYS)
            assert in_files(tmp_path) == []
            async with signed_in(chat, BOSS) as other:
                pages = [
                    (await other.get(address)).text
                    for address in ("/statistics", "/statistics/sharing.svg", "/team", "/lists")
                ]
                await other.post("/lists/1/agree", data={"form_token": token_of(await other.get("/lists"))})
            pages.append((await web.get("/lists/1/list.csv")).content.decode())
            for person in (ONE, TWO):
                await chat.say("/records", person)
                await chat.press(f"-:record.{reference}", person)
                pages.append(chat.text(person))
            async with signed_in(chat, SOUTH) as other:
                pages += [(await other.get(f"/?state=all&case={CASE}")).text.replace(f'value="{CASE}"', ""),
                          (await other.get(f"/records/{reference}")).text]  # fmt: skip
            assert [c for c in EVERY if c in "".join(pages)] == [], "others see none of it"
            assert [c for c in EVERY if c in stream.getvalue()] == [], "nor do the logs"
            assert "is released" in await hold(web, "release", reference)
    COUNTS["canaries in free texts, none readable in database, backup, logs and what others see"] = len(EVERY)
    await erased_is_gone(chat, tmp_path, reference)


#: What protects each bytes column: a key that is destroyed with the record, or what deletes the row. None: a keyed hash.
SEALED_BY = {
    "conversation.wrapped_key": "destroyed", "conversation.walk": "destroyed", "conversation_event.sealed": "destroyed",
    "decision_record.wrapped_key": "destroyed", "decision_record.content": "destroyed", "amendment.content": "destroyed",
    "opinion_request.wrapped_key": "destroyed", "opinion_request.content": "destroyed", "opinion_request.view": "destroyed",
    "opinion.content": "destroyed", "review_event.content": "destroyed", "decision_record.case_hash": None,
    "inbox.payload": "erased when handled", "outbox.payload": "erased when sent", "hold.reason": "erased when released",
    "list_export.wanted": "pruned", "asked_question.question": "kept, without who asked", "member.known_as": "of staff",
    "invite.known_as": "of staff", "invite.code_hash": None, "wrong_code.who": None, "asked_question.question_hash": None,
    "sign_in.code_hash": None, "web_session.token_hash": None, "used_opening.seal_hash": None,
}  # fmt: skip


def test_every_sealed_column_is_accounted_for():
    columns = {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert columns == set(SEALED_BY)


async def erased_is_gone(chat, tmp_path, reference):
    """Erase the record and check what is left: no key, no waiting message, no export; and the ledger verifies."""
    from storage import exports

    with sqlite3.connect(tmp_path / "x.db") as database:
        keys = [row[0] for table in ("decision_record", "conversation", "opinion_request")
                for row in database.execute(f"select wrapped_key from {table}") if row[0]]  # fmt: skip
    await chat.settle()

    def erase(unit):
        record_id = unit.connection.execute(text("select id from decision_record")).scalar_one()
        erasure.erase(unit, record_id, chat.now(), "test")
        exports.prune(unit, "9")
        counts = backlog.counts(unit)
        assert not counts.get("outbox.waiting")
        assert not counts.get("outbox.parked")
        assert not counts.get("inbox.waiting")
        assert integrity.verify(unit).broken is None

    await chat.store.run(erase)
    chat.store.forget_old_pages()
    assert len(keys) == 3
    store = open_store(migrated(tmp_path / "x.db"), KEYS)
    with store.unit() as unit:
        for name, how in SEALED_BY.items():
            table, _, column = name.partition(".")
            if how == "destroyed" and column == "wrapped_key":
                assert set(unit.connection.scalars(text(f"select {column} from {table}"))) <= {b""}
            if how is not None and how.startswith(("erased", "pruned")):
                assert not [v for v in unit.connection.scalars(text(f"select {column} from {table}")) if v], name
        assert unit.connection.execute(text("select case_hash from decision_record")).scalar() is None
        assert records.find(unit, reference) is None
        assert list(records.listed(unit)) == []
    store.close()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("x.db"))
    assert not any(key in content for key in keys), "the destroyed keys are nowhere in the files"
    assert in_files(tmp_path) == []
