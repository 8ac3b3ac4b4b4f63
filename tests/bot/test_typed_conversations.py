"""Twelve conversations typed without touching a button, as a tired person would write, from /share to a saved record."""

from __future__ import annotations

import pytest

from storage import records
from tests.support.chat import Chat
from tests.support.stores import KEYS, migrated

TYPED = (
    "no.|nobody asked me im just worried|to protect a child|yes|yes its confidential|not sensitive|no, they refused|its my job|share|all done not safe to tell them|a worry about a child|social worker|She has come in hungry every day and the story keeps changing.|CP-2291|save",
    "dunno|no|somebody asked|no|wait for advice|We wait for the lead. Agreed with the lead to wait.|CASE-3|save",
    "NO|somebody asked|no there isnt|dont share|Not needed, the worker has it already.|n/a|save it",
    "none of these|own|assessment|no its all anonymised|share|all done|education|my dsl|It is only the attendance figures.|none|save",
    "nah|my own|early help|y|yes health|they clearly agreed|share it|all done they know|medical|gp|Mum asked for support and agreed.|EH-77|save",
    "harm is likely|the police asked|crime|yes|not sensitive|i have not asked|public interest|just some of it|no|yes|yes|done|done|not safe|what i saw|police|The facts point to risk for others.|ref12/345|save",
    "nope|asked|no|help|do not share|idk|Not relevant to the purpose.|back|Not relevant to their purpose.|1234-A|add detail|yes, discussed|leave out the rest|save",
    "no|can i tell the gp without consent?|own|no|dont share|The matter is closed. Nothing new since then.|havent got one|save",
    "no|own|not sure|i will ask|tomorrow|no|wait for advice|I want to hear from the lead first.|CASE-9|yes save it",
    "no|someone asked|court|yes|no|share|all done told them|school|police|Asked for by the court.|C-100|save",
    "a child is in danger now|calling",
    "emergency|mistake|no none of these|own|no|dont share|Nothing points to harm at all.|CASE-4|save",
)


@pytest.mark.parametrize("lines", TYPED)
async def test_typed_from_start_to_a_saved_record(tmp_path, lines):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (100,)) as chat:
        for line in ("/share", *lines.split("|")):
            await chat.say(line)
        assert len(await chat.store.run(lambda unit: list(records.listed(unit)))) == 1
