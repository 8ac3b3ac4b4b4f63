"""Second opinions, model-checked: five members, repeated, late and foreign taps, deadlines, withdrawal, restarts.

Real storage (a SQLite file), real use cases. In any order: one ending, one counted opinion per person, and no message
sent before the end reveals what anybody said.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.domain.typed_text import Typed
from bot.messages.callback_data import Button, handle_of
from bot.telegram.handlers.updates import of_button
from bot.usecases import deadlines, typed_replies, walk
from bot.usecases.context import Context, Incoming
from bot.usecases.gateway import once
from flows import screening
from flows.second_opinion import OWN, REASONS
from storage import conversations, inbox, members, outbox, teams, timers
from storage import opinions as stored
from storage.core import ledger
from storage.core.clock import later, utc_now
from storage.opening import open_store
from tests.support.counts import COUNTS
from tests.support.stores import KEYS, migrated

AUTHOR, COLLEAGUES, OTHER_TEAM, STRANGER = 100, (101, 102, 103, 104), 300, 999
CHANNEL, BOT = -1, 1
QUORUM, MINUTES = 3, 60
CHOICES = ("yes", "no", "not_sure")
#: What a tally, or another person's opinion, would look like in a message.
TALLY = re.compile(r"\b(?:Yes|No|Not sure): \d|Colleague \d|No opinion came")
EVERYBODY = st.sampled_from((AUTHOR, *COLLEAGUES, OTHER_TEAM, STRANGER))


def typed(text):
    """Return words as the gate reads them."""
    return Typed(screening.look(text), message_id=1)


class Opinions(RuleBasedStateMachine):
    """One request, from asking to its end and after."""

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        self.url = migrated(Path(self.folder.name) / "x.db")
        self.minutes, self.update_id = 0.0, 0
        self.said: dict[int, tuple[str, str]] = {}
        self.canaries: list[str] = []
        self.acts: list[tuple[int, str, int, int | None]] = []
        self.channel_ends = self.deputy_asked = 0
        self.due = 0.0
        self.ended = ""
        self._open()
        with self.store.unit() as unit:
            for person in (AUTHOR, *COLLEAGUES):
                members.save(unit, person, "practitioner", "north", self.now(), "test")
            members.save(unit, OTHER_TEAM, "practitioner", "south", self.now(), "test")
            teams.claim(unit, "north", CHANNEL, None, self.now(), "test")
            teams.set_quorum(unit, "north", QUORUM, self.now(), "test")
            teams.set_deadline(unit, "north", MINUTES, self.now(), "test")
            teams.set_deputy(unit, "north", members.get(unit, COLLEAGUES[-1]).id, self.now(), "test")
        self.act("walk", AUTHOR, lambda unit, context, actor: walk.begin_flow(unit, context, actor, "sharing"))
        for trigger in ("emergency.no", "harm.no", "initiative.own"):
            self.tap(trigger)
        self.act("ask_opinion", AUTHOR, walk.ask_team)
        with self.store.unit() as unit:
            self.number = stored.draft_of(unit, members.get(unit, AUTHOR).id).number
        self.press(AUTHOR, f"op.{self.number}.send")
        self.due = MINUTES

    def teardown(self):
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    # ---- doing ----------------------------------------------------------------------------------
    def _open(self):
        self.store = open_store(self.url, KEYS)
        self.context = Context("hmg-2015", BOT, "test", re.compile(".*"), now=self.now)

    def now(self):
        return later(utc_now(), self.minutes)

    def tap(self, trigger):
        with self.store.unit() as unit:
            row = conversations.get_open(unit, AUTHOR)
        button = Button(trigger, handle_of(row.id), row.revision)
        self.act("walk", AUTHOR, lambda unit, context, actor: walk.tap(unit, context, actor, button))

    def act(self, action, person, act, update_id=None, chat=None):
        """Do one action as an update, then check everything that was sent."""
        if update_id is None:
            self.update_id += 1
            update_id = self.update_id
        with self.store.unit() as unit:
            inbox.take_in(unit, BOT, [{"update_id": update_id}], self.now())
            once(unit, self.context, action, Incoming(update_id, person, chat or person, chat is None), act)
        self.look_at_what_went_out()

    def press(self, person, data, chat=None, update_id=None):
        action, act = of_button(Button(data))
        self.act(action, person, act, update_id, chat)
        self.acts.append((person, data, update_id or self.update_id, chat))

    def look_at_what_went_out(self):
        """Before the end nobody is told what others said; after it, only the author reads typed words."""
        with self.store.unit() as unit:
            request = stored.find(unit, self.number) if hasattr(self, "number") else None
            sealed = request is None or request.state != "closed"
            for row in unit.connection.execute(outbox.OUTBOX.select()).mappings().all():
                text = json.loads(KEYS.mailbox.open(row["payload"], f"outbox:{row['chat_id']}")).get("text", "")
                COUNTS["opinions, model-checked: messages searched"] += 1
                assert not (sealed and TALLY.search(text)), text
                if sealed or row["chat_id"] != AUTHOR:
                    assert not any(canary in text for canary in self.canaries), text
                self.channel_ends += row["chat_id"] == CHANNEL and "has ended" in text
                self.deputy_asked += "You are the deputy" in text
                outbox.mark_sent(unit, row["id"])

    def counts_now(self, person, choice, reason):
        """Record what the model expects after an opinion with a reason."""
        if self.ended or person not in COLLEAGUES:
            return
        self.said[person] = (choice, reason)
        if len(self.said) >= QUORUM:
            self.ended = "quorum"

    # ---- what can happen ------------------------------------------------------------------------
    @rule(person=EVERYBODY, choice=st.integers(0, 2))
    def taps_an_answer_in_the_channel(self, person, choice):
        self.press(person, f"op.{self.number}.choose.{choice}", CHANNEL)

    @rule(person=EVERYBODY, choice=st.integers(0, 2), reason=st.sampled_from(sorted(REASONS)), twice=st.booleans())
    def gives_a_reason(self, person, choice, reason, twice):
        for _ in range(1 + twice):
            self.press(person, f"op.{self.number}.why.{choice}.{reason}")
            self.counts_now(person, CHOICES[choice], reason)

    @rule(person=EVERYBODY, choice=st.integers(0, 2))
    def gives_a_reason_in_own_words(self, person, choice):
        canary = f"weighed it up {len(self.canaries)} times over"
        self.press(person, f"op.{self.number}.why.{choice}.{OWN}")
        if person in COLLEAGUES and not self.ended:
            self.canaries.append(canary)
            self.counts_now(person, CHOICES[choice], OWN)
            self.act(
                "walk",
                person,
                lambda unit, context, actor: typed_replies.type_text(unit, context, actor, typed(canary)),
            )

    @precondition(lambda self: self.acts)
    @rule(data=st.data(), same_id=st.booleans())
    def an_earlier_press_comes_again(self, data, same_id):
        """With its own update id it is recognised and does nothing; with a new one it is another tap."""
        person, act, update_id, chat = data.draw(st.sampled_from(self.acts))
        self.press(person, act, chat, update_id if same_id else None)
        if same_id:
            return
        verb, _, rest = act.removeprefix(f"op.{self.number}.").partition(".")
        choice, _, reason = rest.partition(".")
        if verb == "why" and choice.isdigit() and reason in REASONS:
            self.counts_now(person, CHOICES[int(choice)], reason)
        if verb == "withdraw" and person == AUTHOR:
            self.ended = self.ended or "author"

    @rule(
        person=EVERYBODY,
        what=st.sampled_from(("choose.9", "why.0.nonsense", "why.x.harm", "view.follow", "fly", "send")),
    )
    def presses_what_makes_no_sense(self, person, what):
        self.press(person, f"op.{self.number}.{what}")

    @rule(person=st.sampled_from((AUTHOR, COLLEAGUES[0])))
    @precondition(lambda self: len(self.acts) > 6)
    def withdraws(self, person):
        self.press(person, f"op.{self.number}.withdraw")
        if person == AUTHOR:
            self.ended = self.ended or "author"

    @rule(minutes=st.sampled_from((1, 20, 31, 500, -45)))
    def time_passes_or_the_clock_jumps(self, minutes):
        self.minutes += minutes
        for _ in range(2):
            with self.store.unit() as unit:
                due = timers.due(unit, self.now())
            for timer in due + due:
                with self.store.unit() as unit:
                    deadlines.fire(unit, self.context, timer)
                self.look_at_what_went_out()
        if not self.ended and self.minutes >= self.due:
            if self.due == MINUTES and COLLEAGUES[-1] not in self.said:
                self.due = self.minutes + MINUTES / 2
            else:
                self.ended = "deadline"

    @rule()
    def restarts(self):
        self.store.close()
        self._open()

    # ---- what always holds ----------------------------------------------------------------------
    @invariant()
    def it_is_as_the_model_says(self):
        if not hasattr(self, "number"):
            return
        with self.store.unit() as unit:
            request = stored.find(unit, self.number)
            opinions = stored.given(unit, request)
            people = {member.id: member.telegram_id for member in members.listed(unit)}
            actions = [entry["action"] for entry in ledger.entries(unit)]
        counted = {people[one.member_id]: (one.choice, one.reason) for one in opinions if one.counts}
        assert len(counted) == sum(one.counts for one in opinions), "one counted opinion a person"
        assert counted == self.said
        assert (request.ended_by or "") == self.ended
        endings = actions.count("opinion.closed") + actions.count("opinion.withdrawn")
        assert endings == self.channel_ends == bool(self.ended)
        assert self.deputy_asked <= 1
        COUNTS["opinions, model-checked: states compared"] += 1


TestOpinions = pytest.mark.slow(Opinions.TestCase)
TestOpinions.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
