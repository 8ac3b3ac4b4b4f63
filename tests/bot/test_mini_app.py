"""Signing in to the console as a Telegram Mini App: Telegram's data is accepted only if it is signed, recent and unused."""

from __future__ import annotations

import hmac
import json
import random
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote, urlencode

import httpx
import pytest

from bot.console import app, security
from bot.console.mini_app import AHEAD, LONGEST, OLDEST, opened_by
from storage import members
from storage.invites import InvitedAs
from tests.support.chat import Chat
from tests.support.counts import COUNTS
from tests.support.stores import KEYS, migrated

TOKEN = "1234567:a-token-of-a-bot-that-is-none-at-all"
SUPER, AUTHOR, STRANGER = 200, 100, 999
AT = "2026-11-23T10:00:00.000000Z"
BASE = "https://console.example.org"


def init_data(person=SUPER, token=TOKEN, at=AT, **more):
    """Return the data that Telegram passes to a Mini App, signed as its documentation says."""
    user = json.dumps({"id": person, "first_name": "Zoë & =", "language_code": "en"}, ensure_ascii=False)
    fields = {
        "query_id": "AAE-x", "user": user, "auth_date": str(int(datetime.fromisoformat(at).timestamp())),
        "signature": "c2ln", **more,
    }  # fmt: skip
    key = hmac.digest(b"WebAppData", token.encode(), sha256)
    lines = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    return urlencode({**fields, "hash": hmac.digest(key, lines.encode(), sha256).hex()}, quote_via=quote)


def test_the_check_agrees_with_another_program():
    """The signature was made with openssl, following Telegram's documentation."""
    seal = "1f5955271f5442057689b1b0642cfb5c940356b5c9c6dcf4778b336e7c9ae6ca"
    said = f"query_id=Q&user=%7B%22id%22%3A200%7D&auth_date=1795428000&hash={seal}"
    assert opened_by(said, TOKEN, AT).telegram_id == 200


def test_who_opened_it_is_believed_when_sealed_and_fresh():
    assert opened_by(init_data(), TOKEN, AT).telegram_id == SUPER
    seconds = int(datetime.fromisoformat(AT).timestamp())
    for age, fine in ((0, True), (OLDEST, True), (OLDEST + 1, False), (-AHEAD, True), (-AHEAD - 1, False)):
        said = init_data(auth_date=str(seconds - age))
        assert (opened_by(said, TOKEN, AT) is not None) == fine, age


@pytest.mark.parametrize(
    "said",
    [
        "", "hash=", "x" * (LONGEST + 1), "user=%ff", init_data(token="2:other"), init_data(user="null"), init_data(user="{}"),
        init_data(user='{"id": "200"}'), init_data(user='{"id": true}'), init_data(auth_date="now"), init_data() + "&hash=0",
        init_data() + "&user=%7B%22id%22%3A1%7D", init_data().replace("200", "201"), init_data()[:-1], "=&=&=",
        init_data(token=""),
    ],
)  # fmt: skip
def test_what_is_wrong_in_any_way_is_not_believed(said):
    assert opened_by(said, TOKEN, AT) is None
    assert opened_by(init_data(token=""), "", AT) is None, "without a token nobody is"


def test_ten_thousand_changed_openings_are_refused():
    pick, good, accepted = random.Random(11), init_data(), 0
    for _ in range(10_000):
        at, kind = pick.randrange(len(good)), pick.randrange(3)
        letter = pick.choice("0123456789abcdef%&=")
        said = (good[:at] + letter + good[at + kind:]) if kind else good[:at] + good[at + 1:]  # fmt: skip
        same = said == good or opened_by(good, TOKEN, AT) is None
        if not same and opened_by(said, TOKEN, AT) is not None:
            accepted += _means_another(good, said)
    assert accepted == 0
    COUNTS["changed openings of the Mini App refused"] += 10_000


def _means_another(good, said):
    """A byte encoded differently (%3A or %3a) means the same and is not another opening."""
    from urllib.parse import parse_qsl

    return dict(parse_qsl(good, keep_blank_values=True)) != dict(parse_qsl(said, keep_blank_values=True))


@pytest.fixture
async def chat(tmp_path):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (AUTHOR,)) as chat:
        await chat.store.run(members.save, SUPER, "supervisor", "north", chat.now(), "test", InvitedAs("Sam"))
        chat.context.console_url = BASE
        yield chat


@asynccontextmanager
async def browser(chat):
    site = app.build(chat.store, chat.context, secure=True, token=TOKEN)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url=BASE, follow_redirects=True) as web:
        yield web


async def test_a_supervisor_opens_the_console_inside_telegram_once_per_opening(chat):
    await chat.say("/console", SUPER)
    (button,) = chat.card(SUPER)["reply_markup"]["inline_keyboard"][0]
    assert button == {"text": "Open the console", "web_app": {"url": f"{BASE}/app"}}
    said = init_data(at=chat.now())
    async with browser(chat) as web:
        page = await web.get("/app")
        assert page.headers["content-security-policy"] == security.WITH_SCRIPT
        assert "/static/app.js" in page.text
        assert (await web.get("/static/app.js")).status_code == 200
        assert (await web.get("/")).status_code == 401
        assert "Records of team north" in (await web.post("/app", data={"init_data": said})).text
    async with browser(chat) as web:
        for _ in range(3):
            assert (await web.post("/app", data={"init_data": said})).status_code == 403, "once"
        assert (await web.get("/")).status_code == 401
        assert (await web.post("/app", data={"init_data": init_data(at=chat.now(), query_id="B")})).status_code == 200


async def test_nobody_else_is_let_in_and_no_other_site_may_send_it(chat):
    async with browser(chat) as web:
        for person in (AUTHOR, STRANGER):
            assert (await web.post("/app", data={"init_data": init_data(person, at=chat.now())})).status_code == 403
        said = init_data(at=chat.now())
        for site in ("cross-site", "same-site"):
            answer = await web.post("/app", data={"init_data": said}, headers={"sec-fetch-site": site})
            assert answer.status_code == 403
        assert (await web.post("/app", data={})).status_code == 403
        assert (await web.post("/app", files={"init_data": b"x"})).status_code == 403
        await chat.say("/leave", SUPER)
        await chat.tap("Yes, leave", SUPER)
        assert (await web.post("/app", data={"init_data": said})).status_code == 403


@pytest.mark.slow
async def test_ten_thousand_replayed_openings_open_nothing(chat):
    from bot.console.mini_app import Opened
    from storage import web_sessions

    member = await chat.store.run(members.get, SUPER)
    opened = Opened(SUPER, "a" * 64)

    def tried(unit):
        first = web_sessions.use_opening(unit, opened.seal, member.id, chat.now())
        return first, sum(
            web_sessions.use_opening(unit, opened.seal, member.id, chat.now()) is not None for _ in range(10_000)
        )

    first, again = await chat.store.run(tried)
    assert first
    assert again == 0
    COUNTS["replayed openings of the Mini App refused"] += 10_000
