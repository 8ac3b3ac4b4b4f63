"""Members join with an invite and leave at once; nobody can do what the access table does not allow."""

from __future__ import annotations

import itertools
import re

import pytest

from bot.cli import main as command_line
from bot.domain import access
from bot.domain.access import ANY, COLLEAGUES, EVERY_ROLE, OPERATOR, OWN, RULES, TEAM, Resource, may
from bot.domain.commands import COMMANDS, of_role
from bot.domain.typed_text import Typed
from bot.messages import commands as command_words
from bot.messages.texts import texts
from bot.telegram.handlers import administration, updates
from bot.telegram.handlers.guidance import HEADS, Argument
from flows import screening
from storage import invites, members
from storage.core import ledger
from storage.invites import InvitedAs
from storage.members import ROLES, MemberRow
from tests.support import pages
from tests.support.chat import Chat
from tests.support.counts import COUNTS
from tests.support.stores import KEYS, migrated

PERSON, BOSS, SUPER, SECOND, NEW = 100, 200, 201, 202, 300


@pytest.fixture
async def chat(tmp_path):
    async with Chat(migrated(tmp_path / "x.db"), KEYS, (PERSON,)) as chat:
        for person, role in ((BOSS, "administrator"), (SUPER, "supervisor"), (SECOND, "supervisor")):
            await chat.store.run(members.save, person, role, "north", chat.now(), "test", InvitedAs(f"The {role}"))
        yield chat


def code_in(text):
    return re.search(r"/start (i_\S+)", text)[1]


# ---- invites ------------------------------------------------------------------------------------
async def test_an_invite_lets_one_person_in_once(chat):
    await chat.say("/invite practitioner Sam, school nurse", SUPER)
    code = code_in(chat.text(SUPER))
    assert len(code) == 2 + 22, "128 bits"
    assert f"https://t.me/{chat.context.username}?start={code}" in chat.text(SUPER)
    await chat.say(f"/start {code}", NEW)
    assert "You are a member now: practitioner, team north" in chat.text(NEW)
    assert "Sam, school nurse has joined" in chat.text(BOSS)
    await chat.say(f"/start {code}", NEW + 1)
    assert "not valid any more" in chat.text(NEW + 1)
    await chat.say("/members", BOSS)
    assert "Sam, school nurse, practitioner" in chat.text(BOSS)


async def test_an_invite_ends_after_two_days(chat):
    await chat.say("/invite", SUPER)
    code = code_in(chat.text(SUPER))
    await chat.tick(48 * 60 + 1)
    await chat.say(f"/start {code}", NEW)
    assert "not valid any more" in chat.text(NEW)
    assert await chat.store.run(members.get, NEW) is None


async def test_after_five_wrong_codes_even_a_right_one_is_refused_for_an_hour(chat):
    await chat.say("/invite", SUPER)
    code = code_in(chat.text(SUPER))
    for number in range(invites.MOST_TRIES):
        await chat.say(f"/start i_wrong{number}", NEW)
    await chat.say(f"/start {code}", NEW)
    assert "Too many wrong codes" in chat.text(NEW)
    await chat.tick(61)
    await chat.say(f"/start {code}", NEW)
    assert "You are a member now" in chat.text(NEW)


async def test_a_supervisor_needs_a_second_supervisor(chat):
    await chat.say("/invite supervisor Kim", SUPER)
    code = code_in(chat.text(SUPER))
    await chat.say(f"/start {code}", NEW)
    assert "not valid any more" in chat.text(NEW)
    _, data = chat.find("Approve", SECOND)
    await chat.press(data, SUPER)
    assert "does not wait for you" in chat.text(SUPER), "nobody approves their own"
    await chat.tap("Approve", SECOND)
    await chat.press(data, SECOND)
    assert "does not wait for you" in chat.text(SECOND), "once"
    await chat.say(f"/start {code}", NEW)
    assert "You are a member now: supervisor" in chat.text(NEW)


async def test_nobody_is_made_administrator_in_the_chat_and_practitioners_invite_nobody(chat):
    await chat.say("/invite administrator", BOSS)
    assert "The command line adds administrators" in chat.text(BOSS)
    await chat.say("/invite practitioner", PERSON)
    assert "Your role does not allow this" in chat.text(PERSON)
    await chat.say("/invite practitioner call 07700 900123", SUPER)
    assert "a phone number" in chat.text(SUPER)


async def test_codes_and_names_are_not_in_the_store_in_plain(chat, tmp_path):
    await chat.say("/invite practitioner Zorblax Quux", SUPER)
    code = code_in(chat.text(SUPER)).removeprefix("i_")
    await chat.say(f"/start i_{code}", NEW)
    await chat.restart()
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert b"Zorblax" not in content
        assert code.encode() not in content


# ---- leaving ------------------------------------------------------------------------------------
async def test_leaving_ends_access_at_once_everywhere(chat):
    chat.world.open_group(-1, "North")
    await chat.settle()
    await chat.say("/claim", BOSS, -1)
    chat.world.administers.add(-1)
    await chat.say("/share")
    for label in ("No, none of these", "My own wish to share"):
        await chat.tap(label)
    await chat.tap("Ask the team")
    await chat.tap("Send it to the team")
    await chat.say("/leave")
    await chat.tap("Yes, leave")
    assert "not a member any more" in chat.text()
    assert chat.world.banned == [(-1, PERSON)]
    assert "whoever asked has left" in chat.text(-1)
    await chat.say("/records")
    assert "members only" in chat.text()


async def test_an_administrator_ends_a_membership_after_being_asked_twice(chat):
    await chat.say("/members", BOSS)
    member = await chat.store.run(members.get, PERSON)
    await chat.tap(f"End: Member {member.id}", BOSS)
    assert "Access ends at once" in chat.text(BOSS)
    await chat.tap("Yes, end it", BOSS)
    assert await chat.store.run(members.get, PERSON) is None
    _, data = chat.find("Yes, end it", BOSS)
    await chat.press(data, BOSS)
    assert "no such member" in chat.text(BOSS)


async def test_open_invites_of_one_who_leaves_let_nobody_in(chat):
    await chat.say("/invite", SUPER)
    code = code_in(chat.text(SUPER))
    await chat.say("/leave", SUPER)
    await chat.tap("Yes, leave", SUPER)
    await chat.say(f"/start {code}", NEW)
    assert "not valid any more" in chat.text(NEW)


async def test_a_team_sets_its_quorum_deadline_and_deputy(chat):
    await chat.say("/team", BOSS)
    await chat.tap("3 opinions", BOSS)
    await chat.tap("1 hour", BOSS)
    await chat.tap("Deputy: The supervisor", BOSS)
    text = chat.text(BOSS)
    assert "close a request: 3" in text
    assert "1 hour" in text
    assert "time is up: The supervisor" in text
    await chat.say("/team quorum 99", BOSS)
    assert "must be 1 to 9" in chat.text(BOSS)
    await chat.say("/team quorum 1", PERSON)
    assert "Your role does not allow this" in chat.text(PERSON)
    await chat.say("/team", PERSON)
    assert "close a request: 3" in chat.text(PERSON)
    seen = [entry["action"] for entry in await chat.store.run(lambda unit: list(ledger.entries(unit)))]
    assert seen.count("team.quorum_set") == 1
    assert seen.count("team.deputy_set") == 1


# ---- the table ----------------------------------------------------------------------------------
ME = MemberRow(1, 11, "practitioner", "north", "", None)
THINGS = {"own": Resource(1, "north"), "a colleague's": Resource(2, "north"), "another team's": Resource(3, "south")}
REACH = {OWN: {"own"}, COLLEAGUES: {"a colleague's"}, TEAM: {"own", "a colleague's"}, ANY: set(THINGS)}


@pytest.mark.parametrize(("action", "role", "resource"), list(itertools.product(RULES, ROLES, THINGS)))
def test_every_cell_of_the_table(action, role, resource):
    member = MemberRow(1, 11, role, "north", "", None)
    scope = RULES[action].get(role)
    assert may(member, action, THINGS[resource]) == (scope is not None and resource in REACH[scope])
    COUNTS["cells of the access table (action x role x whose)"] += 1


def test_strangers_and_unknown_actions_are_refused():
    assert not any(may(None, action) for action in RULES)
    assert not any(may(MemberRow(1, 1, role, "x", "", None), "fly") for role in ROLES)
    assert not access.operator_may("give_opinion")
    assert not access.operator_may("fly")
    assert {role for rule in RULES.values() for role in rule} <= set(EVERY_ROLE)


def argument(name, text):
    """Return what follows a command, as the handlers read it."""
    words = text.split()
    heads = HEADS.get(name, 0)
    return Argument(Typed(screening.look(" ".join(words[heads:]))), tuple(words[:heads]))


def test_every_command_and_button_has_a_row():
    for name, make in {**updates.COMMANDS, **administration.IN_GROUP}.items():
        for text in ("", "x", "set day_number 1", "supervisor x", "quorum 1", "o_x_0"):
            action = make(argument(name, text))[0]
            assert action in RULES
            assert action in COMMANDS[name].actions
    for name, make in updates.BUTTONS.items():
        for rest in ("", "x", *(f"Q-1.{verb}.0.own" for verb in ("send", "choose", "why", "withdraw", "view", "fly"))):
            assert make(rest)[0] in RULES, name
    for act in ("!emergency", "!opinion", "!back", "purpose.yes"):
        assert updates.of_button(updates.Button(act, "a" * 8, 1))[0] in RULES


def test_handlers_words_and_the_page_hold_the_commands_of_the_table():
    handled = {**updates.COMMANDS, **administration.IN_GROUP}
    assert handled.keys() == COMMANDS.keys()
    assert {key.split(".")[1] for key in texts() if key.startswith("commands.")} == COMMANDS.keys()
    for name, command in COMMANDS.items():
        assert command.in_private == (name in updates.COMMANDS)
        assert set(command.actions) <= RULES.keys()


@pytest.mark.parametrize("role", ROLES)
def test_help_and_the_menu_show_a_role_its_own_commands_and_no_others(role):
    said = command_words.help_text(role).text
    menu = dict(command_words.menu(of_role(role)))
    for name, command in COMMANDS.items():
        allowed = role in RULES[command.actions[0]]
        assert (name in menu) == (allowed and command.in_private)
        assert (re.search(rf"^/{name}\b", said, re.M) is not None) == (allowed and name not in ("start", "help"))


async def test_a_member_with_another_role_has_a_menu_of_their_own(chat):
    await chat.say("/help", SUPER)
    await chat.say("/help", PERSON)
    assert "review" in dict(chat.world.menus[SUPER])
    assert PERSON not in chat.world.menus


def test_every_verb_of_the_command_line_has_a_row_for_the_operator():
    seen = 0
    for action in command_line.actions():
        assert OPERATOR in RULES[action], action
        seen += 1
    assert seen >= 14


@pytest.mark.parametrize("role", ROLES)
async def test_what_a_role_may_not_do_is_refused_in_the_chat(chat, role):
    """Each command, by each role: refused exactly where the table says so."""
    person = {"practitioner": PERSON, "supervisor": SUPER, "administrator": BOSS}[role]
    for name in updates.COMMANDS:
        action = updates.COMMANDS[name](argument(name, ""))[0]
        await chat.say(f"/{name}", person)
        refused = "Your role does not allow this" in chat.text(person)
        assert refused == (role not in RULES[action]), (name, role)
        COUNTS["commands x roles, tried in the chat"] += 1


@pytest.mark.parametrize("name", pages.TABLES)
def test_a_page_shows_its_tables_as_they_are(name):
    page = (pages.DOCS / name).read_text(encoding="utf-8")
    assert page == pages.filled(page, name), "python -m tests.support.pages writes them"
