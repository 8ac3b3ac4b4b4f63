"""The check of the answers points to what deserves a second look, and each is one tap away."""

from __future__ import annotations

import pytest

from bot.domain.check import doubts
from flows.definition import InvalidEdition
from flows.loader import load
from tests.support.chat import Chat
from tests.support.paths import BOOK
from tests.support.renamed import renamed
from tests.support.stores import KEYS, migrated

START = ("No, none of these", "Somebody asked", "Yes, to protect a child", "Yes", "No", "Share")


@pytest.fixture
async def chat(tmp_path):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (100,)) as opened:
        yield opened


async def check(chat, points, reasons, *more):
    """Walk to the check of the answers."""
    await chat.say("/share")
    for label in (*START, *points, "Health", "Police"):
        await chat.tap(label)
    await chat.say(reasons)
    await chat.say("CASE-2041")
    for label in more:
        await chat.tap(label)


POINTS = ("No, one by one", "Yes, done", "Yes, done", "Yes, done", "Not possible here", "They already know")


async def test_a_contradiction_is_named_and_one_tap_away(chat):
    more = ("Add detail", "No, less would not do", "Yes, considered", "Today", "By secure e-mail", "Leave out the rest")
    await check(chat, POINTS, "The officer needs it to find the child.", *more)
    text = chat.text()
    assert "Look again at this before you save:" in text
    assert "How you share it: By secure e-mail. That does not go with: Securely: Not possible here" in text
    await chat.tap("Change: How you share it")
    assert "Change your answer" in chat.text()


async def test_what_is_not_done_and_a_reason_that_says_nothing_are_named(chat):
    points = ("No, one by one", "Not yet", "Yes, done", "Yes, done", "Yes, done", "They already know")
    await check(chat, points, "had to")
    text = chat.text()
    assert "• How much: Not yet" in text
    assert "• Your reasons: had to" in text


async def test_nothing_is_said_where_there_is_nothing(chat):
    points = ("All done. They already know",)
    await check(chat, points, "The officer needs it to find the child.")
    assert "Check your answers" in chat.text()
    assert "Look again" not in chat.text()
    assert not [label for label in chat.labels() if label.startswith("Change:")]


def test_an_edition_without_such_answers_has_nothing_to_point_to():
    from flows import navigation

    machine = BOOK.machine("sharing")
    position = navigation.replay(machine, navigation.start(machine))
    assert doubts(position, type(BOOK.edition.roles)()) == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("look_again:", "look_again:\n- {question: gone, options: [x]}", "look_again: gone is no question"),
        ("steps:", "steps:\n  gone: {by_saving: true}", "steps.gone: is no duty"),
    ],
)
def test_what_does_not_exist_is_told(tmp_path, old, new, told):
    folder = renamed(tmp_path) / "other-2030"
    roles = folder / "roles.yaml"
    roles.write_text(roles.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidEdition, match=told):
        load(folder)
