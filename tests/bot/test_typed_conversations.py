"""Ten conversations typed without touching a button, as a tired person would write, from /start to a saved record."""

from __future__ import annotations

import pytest

from storage import records
from tests.support.chat import Chat
from tests.support.stores import KEYS, migrated

TYPED = (
    "no.|nope not that i know|nobody asked me im just worried|yep|yes|yes its confidential|no|no, they refused|they refused|yes there is|its my job|ok|yep all done|yes|yes|yes|not safe|share|to protect a child|a worry about a child|social worker|She has come in hungry every day and the story keeps changing.|CP-2291|leave out the rest|save",
    "no|dunno|no|somebody asked|no|next|wait for advice|yes|We wait for the lead.|Agreed with the lead to wait.|CASE-3|finish|save",
    "NO|no|somebody asked|no there isnt|next|dont share|yes we talked it through|Not needed, the worker has it already.|n/a|leave out the rest|save it",
    "no|no|own|ys|no its all anonymised|next|done|done|done|yes|go on|share|assessment|education|my dsl|It is only the attendance figures.|none|leave out the rest|save",
    "nah|no|my own|yes|yes|y|yes health|yes|explicit|next|done|done|done|done|they know|share it|early help|medical|gp|Mum asked for support and agreed.|EH-77|leave out the rest|save",
    "no|yes|the police asked|yes|yes|yes|no|no|i have not asked|unsafe|yes|public interest|ok|yep|yes|done|done|not safe|just some of it|crime|what i saw|police|already|The facts point to risk for others.|ref12/345|leave out the rest|save",
    "no|no|asked|no|next|help|do not share|why|yes, discussed|idk|Not relevant to the purpose.|back|Not relevant to their purpose.|1234-A|leave out the rest|save",
    "no|not sure|can i tell the gp without consent?|no|own|no|next|dont share|The matter is closed.|Nothing new since then.|havent got one|leave out the rest|save",
    "no|no|own|no|next|wait for advice|I want to hear from the lead first.|CASE-9|leave out the rest|yes save it",
    "no|no|someone asked|yes|yes|no|ok|done|done|done|done|told them|share|court|school|police|Asked for by the court.|C-100|leave out the rest|save",
)


@pytest.mark.parametrize("lines", TYPED)
async def test_typed_from_start_to_a_saved_record(tmp_path, lines):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (100,)) as chat:
        for line in ("/start", *lines.split("|")):
            await chat.say(line)
        assert len(await chat.store.run(lambda unit: list(records.listed(unit)))) == 1
