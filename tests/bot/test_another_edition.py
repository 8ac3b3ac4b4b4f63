"""Adding an edition touches no Python: an edition with every id renamed is walked, asked, reviewed, exported and drawn."""

from __future__ import annotations

import json
import shutil

import pytest

from flows import chart
from flows.catalogue import open_book
from flows.definition import InvalidEdition
from flows.loader import EDITIONS, load
from flows.rehearsal import play
from storage import records
from tests.bot import test_console, test_review
from tests.bot.test_console import AUTHOR, BOSS, SUPER, do, signed_in
from tests.support.chat import Chat
from tests.support.renamed import DUTY, FLOW, OPTION, QUESTION, RESULT, renamed
from tests.support.stores import KEYS, migrated

OTHER = "other-2030"


@pytest.fixture(scope="module")
def editions(tmp_path_factory):
    return renamed(tmp_path_factory.mktemp("editions"))


@pytest.fixture
def other(editions):
    return open_book(OTHER, editions)


@pytest.fixture
async def chat(tmp_path, editions):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (AUTHOR, 101)) as chat:
        await test_console.let_in(chat)
        chat.context.edition_id = OTHER
        chat.context.book_of = lambda edition_id: open_book(edition_id, editions)
        yield chat


def test_every_id_is_another(other):
    first = open_book("hmg-2015").edition
    assert first.flows.keys().isdisjoint(other.edition.flows)
    assert first.passages.keys().isdisjoint(other.edition.passages)
    assert first.duties.keys().isdisjoint(other.edition.duties)
    for name, flow in first.flows.items():
        copied = other.edition.flows[FLOW(name)]
        assert flow.questions.keys().isdisjoint(copied.questions)
        assert flow.outcomes.keys().isdisjoint(copied.outcomes)
        assert len(flow.questions) == len(copied.questions)


@pytest.mark.parametrize(
    "answers",
    [
        [("emergency", "yes")],
        [("harm", "yes"), ("purpose", "yes"), ("identifiable", "yes"), ("confidential", "no")],
        [("initiative", "asked"), ("purpose", "not_sure")],
        [("purpose", "yes"), ("identifiable", "yes"), ("confidential", "yes"), ("sensitive", "health"),
         ("consent", "yes"), ("consent_kind", "implied"), ("other_reason", "yes"), ("ground", "public_interest")],
        [("purpose", "no"), ("decision", "share"), ("otherwise_reason", "They asked for it")],
    ],
)  # fmt: skip
def test_a_walk_goes_where_the_first_edition_goes(other, answers):
    there = play(open_book("hmg-2015"), "sharing", answers).position
    here = play(other, FLOW("sharing"), [(QUESTION(q), OPTION(a) if a.islower() else a) for q, a in answers]).position
    assert here.path == tuple(_state(step) for step in there.path)
    assert here.duties == tuple(map(DUTY, there.duties))
    assert (here.outcome and here.outcome.id) == (there.outcome and RESULT(there.outcome.id))


def _state(step):
    state, _, verb = step.rpartition(".")
    if state.startswith("outcome."):
        return f"outcome.{RESULT(state.removeprefix('outcome.'))}.{verb}"
    if state.endswith(".paused"):
        return f"{QUESTION(state.removesuffix('.paused'))}.paused.{verb}"
    return f"{QUESTION(state)}.{verb if verb == 'text' else OPTION(verb)}"


async def test_it_is_walked_reviewed_and_exported(chat):
    quiet = await test_review.not_shared(chat)
    urgent = await test_review.emergency(chat)
    stored = {s.clear["reference"]: s for s in await chat.store.run(lambda unit: list(records.listed(unit)))}
    assert stored[quiet].clear["outcome"] == "do_not_share"
    assert stored[quiet].clear["decision"] == "do_not_share"
    assert stored[quiet].content["case_reference"] == "CASE-1"
    assert stored[quiet].content["reasons"] == "It is not needed."
    assert stored[urgent].clear["outcome"] == "emergency"
    await chat.say("/review", SUPER)
    assert "Emergency" in chat.text(SUPER)
    async with signed_in(chat) as web:
        assert (await web.get("/?outcome=emergency")).text.count("/records/SW-") == 1
        assert "public interest" in (await web.get("/")).text
        assert (await web.get("/statistics")).status_code == 200
        for flow in (FLOW("sharing"), FLOW("board_request")):
            assert (await web.get(f"/statistics/{flow}.svg")).text.startswith("<svg")
        assert (await web.get(f"/records/{quiet}/chart.svg")).text.startswith("<svg")
        page = await do(web, quiet, "sign_off")
        assert "Signed off." in page.text
        made = await do(web, quiet, "record", value="pdf", words="the case file")
        assert made.content.startswith(b"%PDF-")
        made = await do(web, quiet, "record", value="json", words="the case file")
        assert json.loads(made.content)["outcome"] == "do_not_share"


@pytest.mark.slow
async def test_danger_questions_typed_words_and_the_rules_are_answered_from_it(chat):
    await chat.say("He is hitting her right now, she is bleeding")
    assert any("999" in message["text"] for message in chat.visible())
    await chat.say("do I always need consent to share?")
    assert "Where you can, you should seek consent" in chat.text()
    await chat.say("/rules")
    assert "golden rules" in chat.text()
    await chat.say("/share")
    await chat.say("none of these")
    assert "Did somebody ask you" in chat.text()
    await chat.say("/board", BOSS)
    assert "danger" in chat.text(BOSS)


def test_its_charts_are_drawn(other):
    for machine in other.machines.values():
        assert chart.svg(machine).startswith("<svg")
        assert chart.mermaid(machine)


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("questions: {ground: nowhere}", 'questions.ground: "nowhere" fills this role and does not exist'),
        ("options: {decision: {share: nowhere}}", 'options.decision.share: "nowhere" fills this role and does not exist'),
        ("outcomes: {seek_advice: nowhere}", 'outcomes.seek_advice: "nowhere" fills this role and does not exist'),
        ("duties: {seek_advice: nowhere}", 'duties.seek_advice: "nowhere" fills this role and does not exist'),
        ("passages: {emergency: nowhere}", 'passages.emergency: "nowhere" fills this role and does not exist'),
        ("starts: {share: {flow: nowhere}}", "starts.share: names no flow of this edition"),
        ("starts: {board: {flow: sharing}}", "starts.share: names no flow of this edition"),
        ("rules: [nowhere]", 'rules: "nowhere" is no passage'),
        ("colours: {}", 'unknown key "colours"'),
    ],
)  # fmt: skip
def test_an_edition_that_lacks_a_role_is_refused(tmp_path, role, said):
    folder = tmp_path / "hmg-2015"
    shutil.copytree(EDITIONS / "hmg-2015", folder)
    text = "starts: {share: {flow: sharing}}\n" if not role.startswith("starts") else ""
    (folder / "roles.yaml").write_text(text + role + "\n", encoding="utf-8")
    with pytest.raises(InvalidEdition) as found:
        load(folder)
    assert any(said in problem for problem in found.value.problems), found.value
