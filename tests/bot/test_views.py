"""What people read: every card fits Telegram's limits, any text comes back literally, words are plain."""

from __future__ import annotations

import dataclasses
import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.access import ROLES
from bot.local.world import parse, utf16
from bot.messages import commands as command_words
from bot.messages import notices, start_card, walk_card
from bot.messages.callback_data import BadButton, Button, decode
from bot.messages.message import escape
from flows.machine import CHECK
from flows.navigation import changeable, replay
from storage.conversations import Open
from tests.support.counts import COUNTS
from tests.support.paths import BOOK, ENTRIES, all_walks, walk_to, walks_to

ROW = Open("f" * 32, 1, 1, "hmg-2015", "0" * 64, "sharing", 10_000, "open", "", "", {}, None)


def fits(message):
    text, _ = parse(message.text, "HTML")
    assert 0 < utf16(text) <= 4096
    for row in message.buttons:
        assert 0 < len(row) <= 8
        for label, data in row:
            assert label
            assert utf16(label) <= 64
            assert len(data.encode()) <= 64
            assert decode(data).act
    return text


@pytest.mark.slow
@pytest.mark.parametrize("flow", sorted(BOOK.machines))
def test_the_card_of_every_state_fits_and_has_emergency_one_tap_away(flow):
    machine = BOOK.machine(flow)
    for state in machine.states:
        if machine.is_final(state):
            continue
        position = replay(machine, walk_to(flow, state))
        for how in ({}, {"why": True}, {"changes": True}, {"notice": "n" * 200}):
            message = walk_card.Card(BOOK, ROW, position).draw(**how)
            fits(message)
            acts = [decode(data).act for row in message.buttons for _, data in row]
            assert {"!emergency", "emergency.yes", "!calling"} & set(acts), state
            COUNTS[f"cards drawn, {flow}"] += 1


def test_the_check_page_fits_on_the_longest_walks_with_the_longest_words():
    machine = BOOK.machine("sharing")
    longest = max((walk for walk, _ in all_walks("sharing", "initiative")), key=lambda walk: len(walk.answers))
    from dataclasses import replace

    answers = {
        state: replace(answer, text="w" * 1500) if answer.text else answer
        for state, answer in longest.answers.items()
        if state != "check"
    }
    position = replay(machine, replace(longest, answers=answers))
    card = walk_card.Card(BOOK, ROW, position)
    fits(card.draw())
    fits(card.draw(changes=True))
    assert len(changeable(position)) > 20


def test_every_message_outside_a_conversation_fits():
    for message in (
        start_card.welcome(BOOK.edition),
        *(command_words.help_text(role) for role in ROLES),
        notices.privacy(),
        notices.rules(BOOK.edition),
        notices.stranger(),
    ):
        fits(message)


@pytest.mark.slow
@settings(max_examples=2000, deadline=None)
@given(st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00\r"), min_size=1, max_size=80))
def test_any_text_comes_back_literally(text):
    shown, _ = parse(f"x{escape(text)}x", "HTML")
    assert shown == f"x{text}x".strip()


@settings(max_examples=1000, deadline=None)
@given(st.text(max_size=70))
def test_any_button_data_is_read_or_refused(data):
    try:
        button = decode(data)
    except BadButton:
        return
    assert button == decode(button.encode()) or len(data.encode()) > 64 or button.revision is not None


def test_button_data_longer_than_telegram_allows_is_never_sent():
    with pytest.raises(BadButton):
        Button("x" * 60, "abcdef12", 1).encode()


def test_no_word_needs_a_dictionary_and_nothing_rests_on_emoji():
    texts = [q.label + " " + q.why for m in BOOK.machines.values() for q in m.flow.questions.values() if not q.quoted]
    texts += [p.text for p in BOOK.edition.passages.values()]
    for text in texts:
        assert not re.search(r"\b(hereby|aforementioned|pursuant|utilise|facilitate|commence)\b", text)
        assert all(ord(letter) < 0x2600 for letter in text)


#: Characters of a card that people read at once: without its formatting, and without what is folded.
AT_ONCE = 900
CONTACTS = {"day_number": "0113 496 0000", "night_number": "0113 496 0001"}


def at_once(text):
    """Return what a person reads of a card without unfolding anything."""
    return html.unescape(
        re.sub("<[^>]+>", "", re.sub("<blockquote expandable>.*?</blockquote>", "", text, flags=re.DOTALL))
    )


@pytest.mark.slow
@pytest.mark.parametrize(("flow", "entry"), ENTRIES)
def test_no_card_of_a_walk_is_longer_than_people_read_at_once(flow, entry):
    machine = BOOK.machine(flow)
    walks = [*walks_to(flow).values()]
    for walk, _ in all_walks(flow, entry):
        answers = {state: answer for state, answer in walk.answers.items() if state != CHECK}
        walks.append(dataclasses.replace(walk, answers=answers))
    for walk in walks:
        position = replay(machine, walk)
        if not position.is_finished:
            text = at_once(walk_card.Card(BOOK, ROW, position, True, CONTACTS).draw().text)
            assert len(text) <= AT_ONCE, text
            COUNTS["cards within 900 characters"] += 1


def test_a_reason_without_a_full_stop_does_not_run_into_what_follows():
    assert "checked. Nothing" in notices.paused("The guidance is being checked").text
    assert "checked. Nothing" in notices.paused("The guidance is being checked.").text
