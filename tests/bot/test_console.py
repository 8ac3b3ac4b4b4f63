"""The web console with its real ASGI app and store: one way in, roles checked at every request, strict headers, no scripts."""

from __future__ import annotations

import io
import json
import random
import re
from collections import Counter
from contextlib import asynccontextmanager

import httpx
import openpyxl
import pytest
from starlette.applications import Starlette

from bot.console import app, health, security
from bot.console.pages import queue
from bot.documents import spreadsheets
from bot.usecases import sessions
from flows.screening import screened
from storage import members, pause, records, retention, reviews, web_sessions
from storage.core import ledger
from storage.invites import InvitedAs
from tests.bot.test_review import emergency, not_shared
from tests.support.chat import Chat
from tests.support.counts import COUNTS
from tests.support.stores import KEYS, migrated

AUTHOR, OTHER, SUPER, BOSS, SOUTH = 100, 101, 200, 201, 300
BASE = "http://127.0.0.1:8085"


@pytest.fixture
async def chat(tmp_path):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (AUTHOR, OTHER)) as chat:
        await let_in(chat)
        yield chat


async def let_in(chat):
    """Add two supervisors and an administrator; give the console its address."""
    for person, role, team in (
        (SUPER, "supervisor", "north"),
        (BOSS, "administrator", "north"),
        (SOUTH, "supervisor", "south"),
    ):
        await chat.store.run(members.save, person, role, team, chat.now(), "test", InvitedAs(f"The {role}"))
    chat.context.console_url = BASE


def browser(chat):
    site = app.build(chat.store, chat.context, secure=False)
    return httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url=BASE, follow_redirects=True)


@asynccontextmanager
async def signed_in(chat, person=SUPER):
    await chat.say("/console", person)
    async with browser(chat) as web:
        link = re.search(rf"{BASE}(/in/\S+)", chat.text(person))[1]
        assert "Sign in to the console" in (await web.get(link)).text
        await web.post(link)
        yield web


def token_of(page):
    return re.search(r'name="form_token" value="(\w+)"', page.text)[1]


async def do(web, reference, what, **values):
    page = await web.get(f"/records/{reference}")
    return await web.post(f"/records/{reference}/{what}", data={"form_token": token_of(page), **values})


async def test_a_supervisor_signs_in_reads_signs_off_and_sends_back(chat):
    quiet, urgent = await not_shared(chat), await emergency(chat)
    async with signed_in(chat) as web:
        page = await web.get("/")
        assert page.text.index(urgent) < page.text.index(quiet), "riskiest first"
        assert "2 records of other people wait" in page.text
        page = await web.get(f"/records/{quiet}")
        assert "It is not needed." in page.text
        assert "CASE-1" in page.text
        assert "you" in page.text
        page = await do(web, quiet, "sign_off")
        assert "Signed off." in page.text
        assert "signed off" in page.text
        assert f"Record {quiet}: signed off by a supervisor." in await settled(chat)
        page = await do(web, urgent, "return", words="What did the police say?")
        assert "Sent back." in page.text
        assert "What did the police say?" in page.text
        page = await do(web, urgent, "comment", words="call 07700 900123")
        assert "a phone number" in page.text, "words are shown again"
        assert "call 07700 900123</textarea>" in page.text, "words are shown again"
        assert "Choose a grade" in (await do(web, urgent, "grade", value="9")).text
        assert "Give a day" in (await do(web, urgent, "follow_up", value="soon")).text
        assert "follow-up on 2027-01-31" in (await do(web, urgent, "follow_up", value="2027-01-31")).text
        assert "0 records" in (await web.get("/")).text
        assert "There is no such record" in (await web.get("/")).text
        assert quiet in (await web.get("/?state=signed_off")).text


async def settled(chat):
    await chat.settle()
    return " ".join(message.get("text", "") for message in chat.visible(AUTHOR))


async def test_filters_and_pages(chat, monkeypatch):
    monkeypatch.setattr(queue, "PAGE", 2)
    made = [await not_shared(chat, case=f"CASE-{number}") for number in range(5)]
    async with signed_in(chat) as web:
        seen, address = [], "/"
        while address:
            page = await web.get(address)
            seen += re.findall(r'href="/records/(SW-[\w-]+)"', page.text)
            following = re.search(r'<a href="(/\?[^"]*)">Next page', page.text)
            address = following[1].replace("&amp;", "&") if following else ""
        assert sorted(seen) == sorted(made)
        assert len(seen) == len(set(seen))
        assert re.findall(r"/records/(SW-[\w-]+)", (await web.get("/?case=case-3")).text) == [made[3]]
        for query in (
            "outcome=share",
            "risk=0",
            "ground=court_order",
            "since=2999-01-01",
            "until=2000-01-01",
            "person=99",
            "case=X",
        ):
            assert "There is no such record" in (await web.get(f"/?{query}")).text, query
        for query in ("state='", "risk=²", "person=9999999999999999999999", "after=SW-NOPE-NOPE", "since=%00"):
            assert (await web.get(f"/?{query}")).status_code in (200, 404), query


async def test_a_link_works_once_and_not_after_ten_minutes(chat):
    await chat.say("/console", SUPER)
    link = re.search(rf"{BASE}(/in/\S+)", chat.text(SUPER))[1]
    async with browser(chat) as web:
        for _ in range(3):
            assert (await web.get(link)).status_code == 200, "a preview does not use it up"
        assert "Records of team" in (await web.post(link)).text
    async with browser(chat) as web:
        assert (await web.post(link)).status_code == 403
    await chat.say("/console", SUPER)
    late = re.search(rf"{BASE}(/in/\S+)", chat.text(SUPER))[1]
    chat.minutes += 11
    async with browser(chat) as web:
        assert (await web.post(late)).status_code == 403


async def test_a_session_ends_with_idle_time_total_time_sign_out_and_the_role(chat):
    async with signed_in(chat) as web:
        chat.minutes += sessions.IDLE_MINUTES + 1
        assert (await web.get("/")).status_code == 401
    async with signed_in(chat) as web:
        for _ in range(sessions.TOTAL_MINUTES // 20 - 1):
            chat.minutes += 20
            assert (await web.get("/")).status_code == 200
        chat.minutes += 21
        assert (await web.get("/")).status_code == 401
    async with signed_in(chat) as web:
        await web.post("/out", data={"form_token": token_of(await web.get("/"))})
        assert (await web.get("/")).status_code == 401
    async with signed_in(chat) as web:
        await chat.say("/leave", SUPER)
        await chat.tap("Yes, leave", SUPER)
        assert (await web.get("/")).status_code == 401


async def test_nobody_gets_what_the_table_does_not_give(chat):
    """Every page x every role x own, colleague's and another team's record."""
    theirs = {
        "own": await not_shared(chat, SUPER),
        "a colleague's": await not_shared(chat),
        "another team's": await not_shared(chat, SOUTH),
    }
    reached = {}
    for person, role in ((SUPER, "supervisor"), (BOSS, "administrator")):
        async with signed_in(chat, person) as web:
            token = token_of(await web.get("/statistics"))
            for path, method, _page, _action in app.PAGES:
                if path == "/out" or "{number}" in path or path.startswith("/retention/"):
                    continue  # tested separately below
                for whose, reference in theirs.items():
                    address = path.format(reference=reference, what="comment", flow="sharing")
                    if method == "GET":
                        answer = await web.get(address)
                    else:
                        form = {"form_token": token, "words": "Seen.", "value": "json"}
                        answer = await web.post(address, data=form)
                    about_a_record = "{reference}" in path
                    may = (not about_a_record and not (role == "administrator" and path == "/")) or (
                        about_a_record and role == "supervisor" and whose == "a colleague's"
                    )
                    if role == "administrator" and path == "/":
                        may = True  # redirected to the statistics
                    if role == "administrator" and (path, method) == ("/lists", "POST"):
                        may = False
                    assert (answer.status_code == 200) == may, (role, path, whose, answer.status_code)
                    reached[path] = True
                    COUNTS["pages x roles x whose, asked for"] += 1
    await chat.say("/console", AUTHOR)
    assert "Your role does not allow this" in chat.text(AUTHOR)
    async with browser(chat) as web:
        for path, method, _page, _action in app.PAGES:
            address = path.format(reference=theirs["own"], kind="csv", what="sign_off", number=1, flow="sharing")
            answer = await (web.get(address) if method == "GET" else web.post(address, data={}))
            assert answer.status_code == 401
            COUNTS["pages x roles x whose, asked for"] += 1


async def test_strict_headers_on_every_answer_and_no_script_anywhere(chat):
    reference = await not_shared(chat)
    async with signed_in(chat) as web:
        for address in ("/", f"/records/{reference}", "/statistics", "/team", "/nowhere", "/static/console.css", "/livez",
                        f"/records/{reference}/chart.svg", "/in/x"):  # fmt: skip
            answer = await web.get(address)
            for name, value in security.HEADERS.items():
                assert answer.headers[name.decode()] == value.decode(), address
            assert "<script" not in answer.text
            assert "style=" not in answer.text.split("<svg")[0]
            assert not re.search(r'(?:src|href)="https?:', answer.text), "nothing from elsewhere"
        cookie = next(iter(web.cookies.jar))
        assert cookie.has_nonstandard_attr("HttpOnly")
        assert cookie.get_nonstandard_attr("SameSite") == "strict"
        answer = await web.post(f"/records/{reference}/sign_off", content=b"x" * (security.MOST_BODY + 1))
        assert answer.status_code == 413


async def test_a_form_from_elsewhere_is_refused(chat):
    reference = await not_shared(chat)
    async with signed_in(chat) as web:
        for token in ("", "0" * 64, "ü"):
            answer = await web.post(f"/records/{reference}/sign_off", data={"form_token": token})
            assert answer.status_code == 403
    review = await chat.store.run(lambda unit: reviews.get(unit, records.find(unit, reference).clear["id"]))
    assert review.state == "new"


async def test_guessed_links_and_tokens_open_nothing(chat):
    await chat.say("/console", SUPER)
    link = re.search(rf"{BASE}/in/(\S+)", chat.text(SUPER))[1]
    guesses = [
        link[:-1] + ("A" if link[-1] != "A" else "B"),
        link[1:],
        link + "A",
        link.swapcase(),
        "",
        "%00",
        "x" * 5000,
    ]

    def tried(unit):
        return [web_sessions.use_sign_in(unit, guess, chat.now()) for guess in guesses]

    assert await chat.store.run(tried) == [None] * len(guesses)
    async with browser(chat) as web:
        for guess in guesses[:4]:
            web.cookies.set(app.COOKIE, guess.encode("ascii", "ignore").decode())
            assert (await web.get("/")).status_code == 401
            web.cookies.clear()


@pytest.mark.slow
async def test_reads_in_the_ledger_are_the_reads_that_were_made(chat):
    """1,000 random reads, in the chat and in the console, of own, colleagues' and other teams' records."""
    pick = random.Random(9)
    made = [await not_shared(chat, actor, case=f"CASE-{n}") for n, actor in enumerate((AUTHOR, OTHER, SUPER, SOUTH))]
    expected: Counter[str] = Counter()
    async with signed_in(chat) as web:
        for _ in range(1000):
            reference = pick.choice(made)
            theirs = reference in made[:2]
            if pick.random() < 0.9:
                answer = await web.get(f"/records/{reference}")
                assert (answer.status_code == 200) == theirs
            else:
                await chat.press(
                    f"-:rv.show.{reference}",
                    SUPER,
                    {"message_id": 1, "date": 1, "chat": {"id": SUPER, "type": "private"}},
                )
            expected[reference] += theirs
    for reference in made:
        record_id = (await chat.store.run(lambda unit, r=reference: records.find(unit, r))).clear["id"]
        read = await chat.store.run(ledger.about, f"record:{record_id}", "record.read")
        assert len(read) == expected[reference]
        COUNTS["reads made and found in the ledger"] += len(read)


HOSTILE = (
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "#panic() *bold* $x$",
    "=1+1",
    '"><img src=x>',
    "a\u202eb",
    "agreed \U0001f642 → ✓",
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_words_appear_literally(chat, text):
    reference = await not_shared(chat, reasons=text)
    async with signed_in(chat) as web:
        import html

        page = await web.get(f"/records/{reference}")
        assert html.escape(text, quote=False) in page.text.replace("&#34;", '"')
        exported = json.loads((await do(web, reference, "record", value="json", words="the case file")).text)
        assert exported["content"]["reasons"] == text
        made = await do(web, reference, "record", value="pdf", words="the case file")
        assert made.content.startswith(b"%PDF-")
        assert made.headers["content-type"] == "application/pdf"
    actions = [entry["action"] for entry in await chat.store.run(lambda unit: list(ledger.entries(unit)))]
    assert actions.count("review.exported") == 2


async def test_a_record_that_was_taken_out_says_when_as_what_and_where_to_and_its_author_sees_it(chat):
    reference = await not_shared(chat)
    async with signed_in(chat) as web:
        for value, words, said in (
            ("exe", "the case file", "Choose PDF or JSON"),
            ("pdf", "", "Write something first"),
            ("pdf", "the file of John Smith", "a name"),
        ):
            page = await do(web, reference, "record", value=value, words=words)
            assert said in page.text
            assert "Exported as" not in page.text
        await do(web, reference, "record", value="pdf", words="the case file")
        assert "Exported as PDF (supervisor) “the case file”" in (await web.get(f"/records/{reference}")).text
    await chat.say("/records")
    await chat.press(f"-:readers.{reference}")
    assert "Exported as PDF (supervisor)" in chat.text()
    assert "“the case file”" in chat.text()
    await chat.press(f"-:rv.exported.{reference}", SUPER, chat.card())
    review = await chat.store.run(lambda unit: reviews.done(unit, records.find(unit, reference).clear["id"]))
    assert [one.act for one in review] == ["exported"], "no button marks a record as taken out"


async def test_statistics_tell_where_people_were_not_sure_and_where_they_stopped(chat):
    await chat.say("/share")
    for label in ("Not sure", "Record it: I am getting advice", "Next"):
        await chat.tap(label)
    await chat.say("I want to hear a colleague.")
    await chat.say("CASE-1")
    await chat.tap("Save the record")
    await chat.say("/share", OTHER)
    for label in ("No, none of these", "My own wish to share"):
        await chat.tap(label, OTHER)
    await chat.say("/cancel", OTHER)
    async with signed_in(chat) as web:
        page = (await web.get("/statistics")).text
    unsure, _, rest = page.partition("Where people stopped without a record")
    assert (
        "Has a crime been committed, or is a child in immediate danger?"
        in unsure.partition("Where people were not sure")[2]
    )
    assert "Is there a clear and legitimate purpose for sharing information?" in rest.partition("<h2>")[0]


async def test_the_flowchart_shows_where_people_were_not_sure_and_where_they_stopped(chat):
    for person in (AUTHOR, OTHER):
        await chat.say("/share", person)
        await chat.tap("No, none of these", person)
        await chat.tap("Somebody asked", person)
        await chat.tap("Not sure", person)
        await chat.say("/cancel", person)
    async with signed_in(chat, BOSS) as web:
        assert "/statistics/sharing.svg" in (await web.get("/statistics")).text
        drawn = (await web.get("/statistics/sharing.svg")).text
        assert "Not sure: 0. Stopped here: 2." in drawn
        assert (await web.get("/statistics/nothing.svg")).status_code == 404


async def hold(web, what, reference, words="A complaint is open."):
    token = token_of(await web.get("/retention"))
    return (
        await web.post(f"/retention/{what}", data={"form_token": token, "reference": reference, "words": words})
    ).text


async def test_a_record_is_put_on_hold_and_released_by_a_second_person_of_its_team(chat):
    theirs, mine, elsewhere = await not_shared(chat), await not_shared(chat, SUPER), await not_shared(chat, SOUTH)
    await chat.store.run(lambda unit: retention.put(unit, "not_shared", 1, None, chat.now(), "test"))
    chat.minutes += 3 * 24 * 60
    async with signed_in(chat) as web:
        page = (await web.get("/retention")).text
        assert theirs in page
        assert mine in page
        assert elsewhere not in page
        assert ">1 day<" in page
        assert "is on hold" in await hold(web, "hold", theirs)
        for reference in (mine, elsewhere, "SW-NOPE-NOPE"):
            assert "There is no such record for you" in await hold(web, "hold", reference)
        assert "a name" in await hold(web, "hold", theirs, "John Smith complains")
        assert "Write something first" in await hold(web, "hold", theirs, " ")
    async with signed_in(chat, BOSS) as web:
        page = (await web.get("/retention")).text
        assert "A complaint is open." in page
        assert f'href="/records/{theirs}"' not in page
        assert "is released" in await hold(web, "release", theirs)
        assert "It was not on hold" in await hold(web, "release", theirs)
        assert (
            await web.post("/retention/erase", data={"form_token": token_of(await web.get("/retention"))})
        ).status_code == 200
    actions = [entry["action"] for entry in await chat.store.run(lambda unit: list(ledger.entries(unit)))]
    assert actions.count("record.held") == actions.count("record.released") == 1
    assert "record.erased" not in actions


async def test_statistics_hold_nothing_that_was_typed(chat):
    await not_shared(chat, reasons="canary words in the reasons", case="CANARY-7")
    async with signed_in(chat, BOSS) as web:
        page = await web.get("/")
        assert "Statistics of team north" in page.text
        assert "1 record." in page.text
        assert "canary" not in page.text.lower()
        assert "The supervisor" in (await web.get("/team")).text


async def test_a_page_that_fails_says_so_and_neither_page_nor_log_holds_what_was_written(chat, caplog):
    reference = await not_shared(chat, reasons="canary words in the reasons")

    def break_seal(unit):
        unit.connection.exec_driver_sql("update decision_record set wrapped_key = x'00010203'")

    await chat.store.run(break_seal)
    async with signed_in(chat) as web:
        page = await web.get(f"/records/{reference}")
    assert page.status_code == 500
    assert "It is our fault" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "A page failed (SealBroken" in caplog.text
    assert "canary" not in caplog.text + page.text


def health_of(chat):
    return Starlette(routes=[*health.routes(chat.store, chat.now)])


async def test_health_tells_counts_and_ages_to_this_machine_only(chat):
    await not_shared(chat, reasons="canary words in the reasons", case="CANARY-7")
    async with browser(chat) as web:
        assert (await web.get("/livez")).json() == {"ok": True}
        assert (await web.get("/readyz")).json() == {"ready": True, "why": []}
        figures = (await web.get("/metrics")).text
        assert 'sharewise_records{state="kept"} 1.0' in figures
        assert 'sharewise_mailbox_rows{mailbox="inbox",state="done"}' in figures
        assert "canary" not in figures.lower()
        for caller, server, status in (("192.0.2.7", "192.0.2.7", 200), ("192.0.2.8", "192.0.2.7", 404)):
            # An address of this machine, called from this machine and from another one.
            transport = httpx.ASGITransport(health_of(chat), client=(caller, 4711))
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{server}") as other:
                assert (await other.get("/metrics")).status_code == status
        from_afar = {"x-forwarded-for": "203.0.113.7"}
        assert (await web.get("/metrics", headers=from_afar)).status_code == 404
        await chat.store.run(pause.put, screened("The guidance is being checked."), chat.now(), "test")
        answer = await web.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["why"] == ["paused"]
        assert (await web.get("/readyz", headers=from_afar)).json() == {"ready": False}
        await chat.store.run(pause.end, chat.now(), "test")
        chat.world.say(AUTHOR, "/help")
        await chat.take_in()
        chat.minutes += 1
        assert "inbox: something has waited" in (await web.get("/readyz")).json()["why"][0]


async def test_a_stopped_bot_says_why_and_still_takes_an_emergency(chat):
    await chat.store.run(pause.put, screened("The guidance is being checked."), chat.now(), "test")
    await chat.say("/share")
    assert "The guidance is being checked." in chat.text()
    assert "call 999" in chat.text()
    await chat.say("hello", 999)
    assert "members only" in chat.text(999)
    assert "checked" not in chat.text(999)
    await chat.tap("Emergency: danger or crime")
    assert "call 999 now" in chat.text()
    await chat.tap("I am calling")
    assert "Saved. To copy:" in chat.card()["text"]
    assert "Record: SW-" in chat.card()["text"]
    await chat.store.run(pause.end, chat.now(), "test")
    await chat.say("/help")
    assert "What you can do" in chat.text()


async def test_a_list_of_many_leaves_only_when_a_second_person_agrees(chat):
    made = [await not_shared(chat, case=f"CASE-{number}", reasons="canary words") for number in range(3)]
    async with signed_in(chat) as one, signed_in(chat, BOSS) as two:
        page = await one.get("/?state=all")
        page = await one.post("/lists", data={"form_token": token_of(page), "state": "all"})
        assert "You asked for list 1" in page.text
        assert "waiting for a second person" in page.text
        await chat.settle()
        assert "asks to export a list of records" in chat.text(BOSS)
        assert (await one.get("/lists/1/list.csv")).status_code == 404, "not before"
        assert (await one.post("/lists/1/agree", data={"form_token": token_of(page)})).status_code == 404, (
            "not one's own"
        )
        page = await two.get("/lists")
        assert "Agreed." in (await two.post("/lists/1/agree", data={"form_token": token_of(page)})).text
        assert (await two.get("/lists/1/list.csv")).status_code == 404, "only whoever asked takes it out"
        found = (await one.get("/lists/1/list.csv")).content.decode("utf-8-sig")
        assert all(reference in found for reference in made)
        assert "canary" not in found
        assert found.count("\r\n") == 4
        book = openpyxl.load_workbook(io.BytesIO((await one.get("/lists/1/list.xlsx")).content))
        assert [row[0].value for row in book.active.rows][1:] == [
            line.split(",")[0] for line in found.split("\r\n")[1:4]
        ]
        chat.minutes += 20
        for web in (one, two):
            await web.get("/lists")
        chat.minutes += 24 * 60
    actions = [entry["action"] for entry in await chat.store.run(lambda unit: list(ledger.entries(unit)))]
    assert actions.count("list_export.taken") == 2
    assert actions.count("list_export.agreed") == 1


@pytest.mark.parametrize("text", ["=1+1", "+44", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text):
    assert spreadsheets.safe(text).startswith("'")


@pytest.mark.slow
async def test_ten_thousand_guessed_and_replayed_links_open_nothing(chat):
    await chat.say("/console", SUPER)
    link = re.search(rf"{BASE}/in/(\S+)", chat.text(SUPER))[1]
    pick = random.Random(4)

    def tried(unit):
        assert web_sessions.use_sign_in(unit, link, chat.now())
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        accepted = 0
        for number in range(10_000):
            at = pick.randrange(len(link))
            guess = link if number % 3 == 0 else link[:at] + pick.choice(letters) + link[at + 1 :]
            accepted += web_sessions.use_sign_in(unit, guess, chat.now()) is not None
            accepted += web_sessions.seen(unit, guess, chat.now(), "0", "0") is not None
        return accepted

    assert await chat.store.run(tried) == 0
    COUNTS["guessed and replayed links and tokens refused"] += 20_000
