"""10,000 texts with planted identifiers through the real chat: none is readable anywhere except in the person's own message."""

from __future__ import annotations

import io
import json
import logging

import pytest

from bot.composition import logs
from flows.advice import Answer, Index
from tests.support.chat import Chat
from tests.support.counts import COUNTS
from tests.support.planted import texts
from tests.support.stores import KEYS, migrated

#: In parts, so that several processes share the work and each store to search stays small.
PARTS, COUNT, AT_ONCE = 20, 500, 100


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
async def test_no_planted_identifier_is_stored_logged_or_sent(tmp_path, part, monkeypatch):
    # What is answered does not matter here. Without an answer every text that passes is stored, which is the hardest case.
    monkeypatch.setattr(Index, "ask", lambda self, question: Answer("none", (), emergency=False, shortcuts=()))
    log = io.StringIO()
    root, before = logging.getLogger(), (logging.getLogger().handlers[:], logging.getLogger().level)
    logs.set_up(logging.DEBUG, log)
    planted: set[str] = set()
    sent = io.StringIO()
    try:
        async with Chat(migrated(tmp_path / "x.db"), KEYS, (100, 200, 300)) as chat:
            chat.world.listeners.append(
                lambda shown: shown.message["from"]["is_bot"] and sent.write(json.dumps(shown.message))
            )
            await chat.say("/share", 200)
            for label in ("No, none of these", "My own wish to share", "No", "Do not share"):
                await chat.tap(label, 200)
            for number, (kind, secret, text) in enumerate(texts(20260101 + part, COUNT)):
                planted.add(secret)
                COUNTS[f"planted identifiers kept out, {kind}"] = (
                    COUNTS.get(f"planted identifiers kept out, {kind}", 0) + 1
                )
                # As a question, as the reasons of an open walk, and after a command.
                chat.world.say((100, 200, 300)[number % 3], f"/ask {text}" if number % 3 == 2 else text)
                if number % AT_ONCE == AT_ONCE - 1:
                    await chat.settle()
                    chat.seen.clear()
                    await scan(tmp_path, planted)
                    planted_now, planted = planted, set()
                    told = sent.getvalue() + log.getvalue()
                    assert [secret for secret in planted_now if secret in told] == []
                    sent.seek(0), sent.truncate(), log.seek(0), log.truncate()
            assert "What are your reasons?" in chat.text(200), "every text was refused, the walk stands where it stood"
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])


async def scan(folder, secrets):
    """Search for every secret in every file of the store: the database, its WAL and all files beside it."""
    kept = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert [secret for secret in secrets if secret.encode() in kept] == []
