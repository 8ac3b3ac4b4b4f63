"""Membership: join with an invite, invite, approve, list, end, leave."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain import access
from bot.domain.access import COMMAND_LINE, Resource, Role
from bot.domain.typed_text import Typed
from bot.messages import membership_cards, notices, refusals
from bot.messages.message import plain
from bot.messages.texts import text_of
from bot.usecases import menus, opinions, typed_text, walk
from bot.usecases.context import Actor, Context, say, whole
from flows.screening import NotScreened, Screened
from storage import invites, members, outbox, pending_input, teams, web_sessions
from storage.core.clock import later, utc_now
from storage.core.unit import Unit
from storage.members import MemberRow

#: How long an invite is valid, and the window in which wrong codes are counted.
INVITE_MINUTES = 48 * 60
WINDOW_MINUTES = 60
INVITE_ACTION: Mapping[str, str] = {Role.PRACTITIONER: "invite_practitioner", Role.SUPERVISOR: "invite_supervisor"}


def join(unit: Unit, context: Context, telegram_id: int, code: str) -> None:
    """Redeem an invite and make the person a member. Give somebody who is one already the invite's role and team."""
    at = context.now()
    before = members.get(unit, telegram_id)
    if before and invites.was_used_by(unit, code, telegram_id):
        say(unit, telegram_id, membership_cards.joined(before))
        return
    try:
        invite = invites.use(unit, code, telegram_id, at, later(at, -WINDOW_MINUTES))
    except invites.NotLetIn as error:
        say(unit, telegram_id, plain(refusals.not_allowed(error)))
        return
    if before:
        changing(unit, context, before, invite.role, invite.team, f"invite:{invite.id}")
    member = members.save(unit, telegram_id, invite.role, invite.team, at, f"invite:{invite.id}", invite.known_as)
    say(unit, telegram_id, membership_cards.joined(member))
    menus.update(unit, member, before.role if before else Role.PRACTITIONER)
    for administrator in members.of_team(unit, invite.team, Role.ADMINISTRATOR):
        if administrator.id != member.id:
            say(unit, administrator.telegram_id, membership_cards.somebody_joined(member))


def invite(unit: Unit, context: Context, actor: Actor, role: str, known_as: Typed) -> None:
    """Make an invite for a role and a known-as name. An invite for a supervisor waits for a second supervisor's approval."""
    role = role.lower() or Role.PRACTITIONER
    if role not in INVITE_ACTION:
        say(unit, actor.chat_id, membership_cards.how_to_invite())
        return
    if not access.may(actor.member, INVITE_ACTION[role], Resource(team=actor.member.team)):
        say(unit, actor.chat_id, notices.not_your_role())
        return
    try:
        name = typed_text.name_of_staff(known_as)
    except NotScreened as error:
        typed_text.refused(unit, actor, known_as, error, "")
        return
    at = context.now()
    invited = invites.Invited(role, actor.member.team, name, is_open=role == Role.PRACTITIONER)
    code, made = invites.make(unit, invited, at, later(at, INVITE_MINUTES), actor.ledger_name)
    say(
        unit,
        actor.chat_id,
        membership_cards.invite(code, role, actor.member.team, context.username, invited.is_open),
    )
    if role == Role.SUPERVISOR:
        for supervisor in members.of_team(unit, actor.member.team, Role.SUPERVISOR):
            if supervisor.id != actor.member.id:
                say(
                    unit,
                    supervisor.telegram_id,
                    membership_cards.approve(made, actor.member, name.text if name else ""),
                )


def approve(unit: Unit, context: Context, actor: Actor, invite_id: str) -> None:
    """Approve an invite for a supervisor."""
    number = whole(invite_id)
    known = invites.get(unit, number) if number is not None else None
    allowed = known and access.may(actor.member, "approve_supervisor", Resource(team=known.team))
    if not known or not allowed or not invites.approve(unit, known.id, context.now(), actor.ledger_name):
        say(unit, actor.chat_id, plain(text_of("members.approve.not_yours")))
        return
    say(unit, actor.chat_id, plain(text_of("members.approve.done")))


# ---- members ------------------------------------------------------------------------------------
def show_members(unit: Unit, context: Context, actor: Actor) -> None:
    """Show the members of the person's team, to an administrator with buttons to end a membership."""
    found = members.of_team(unit, actor.member.team)
    may_end = access.may(actor.member, "end_member", Resource(team=actor.member.team))
    say(unit, actor.chat_id, membership_cards.member_list(actor.member, found, may_end))


def ask_end(unit: Unit, context: Context, actor: Actor, member_id: str) -> None:
    """Ask for confirmation before a membership ends."""
    member = _in_reach(unit, actor, member_id)
    if member:
        say(unit, actor.chat_id, membership_cards.really_end(member))


def end(unit: Unit, context: Context, actor: Actor, member_id: str) -> None:
    """End the membership of somebody in the person's team at once."""
    member = _in_reach(unit, actor, member_id)
    if member:
        ended(unit, context, member, actor.ledger_name)
        say(unit, actor.chat_id, plain(text_of("members.end.done", name=membership_cards.called(member))))


def ask_leave(unit: Unit, context: Context, actor: Actor) -> None:
    """Ask for confirmation before a member leaves."""
    say(unit, actor.chat_id, membership_cards.really_leave())


def leave(unit: Unit, context: Context, actor: Actor) -> None:
    """End the person's own membership at once."""
    ended(unit, context, actor.member, actor.ledger_name)
    say(unit, actor.chat_id, membership_cards.left())


def _in_reach(unit: Unit, actor: Actor, member_id: str) -> MemberRow | None:
    number = whole(member_id)
    member = members.by_id(unit, number) if number is not None else None
    if member is None or not access.may(actor.member, "end_member", Resource(team=member.team)):
        say(unit, actor.chat_id, plain(text_of("not_allowed.unknown_member")))
        return None
    return member


def changing(unit: Unit, context: Context, member: MemberRow, role: str, team: str, actor: str) -> None:
    """End what depends on a member's role or team, before either changes."""
    if (member.role, member.team) != (role, team):
        web_sessions.end_all(unit, member.id)
        invites.withdraw_by(unit, f"member:{member.id}")
    if member.team != team:
        _out_of_team(unit, context, member, actor)


def ended(unit: Unit, context: Context, member: MemberRow, actor: str) -> None:
    """End access everywhere: open questions, requests, invites, the deputy's place, the team's channel."""
    invites.withdraw_by(unit, f"member:{member.id}")
    _out_of_team(unit, context, member, actor)
    walk.stop_for(unit, context, member)
    web_sessions.end_all(unit, member.id)
    members.end(unit, member.telegram_id, context.now(), actor)


def _out_of_team(unit: Unit, context: Context, member: MemberRow, actor: str) -> None:
    at = context.now()
    opinions.drop_for(unit, context, member)
    pending_input.drop(unit, member.telegram_id)
    team = teams.get(unit, member.team)
    if team.deputy_id == member.id:
        teams.set_deputy(unit, team.name, None, at, actor)
    if team.channel_chat_id is not None:
        outbox.enqueue(unit, team.channel_chat_id, "remove", {"user_id": member.telegram_id})


# ---- by the operator ----------------------------------------------------------------------------
def add(unit: Unit, context: Context, telegram_id: int, role: str, team: str, known_as: Screened | None) -> MemberRow:
    """Make somebody a member, or change a member's role, team or name."""
    before = members.get(unit, telegram_id)
    if before:
        changing(unit, context, before, role, team, COMMAND_LINE)
    member = members.save(unit, telegram_id, role, team, context.now(), COMMAND_LINE, known_as)
    if before:
        menus.update(unit, member, before.role)
    return member


def open_invite(unit: Unit, role: str, team: str, known_as: Screened | None) -> str:
    """Make an invite that needs no approval; return its code."""
    at = utc_now()
    teams.ensure(unit, team)
    code, _ = invites.make(unit, invites.Invited(role, team, known_as), at, later(at, INVITE_MINUTES), COMMAND_LINE)
    return code


def end_by_operator(unit: Unit, context: Context, telegram_id: int) -> bool:
    """End a membership at once; return False if there is none."""
    known = members.get(unit, telegram_id)
    if known is None:
        return False
    ended(unit, context, known, COMMAND_LINE)
    return True


def everybody(unit: Unit) -> list[MemberRow]:
    """Return all members of all teams, including former members."""
    return list(members.listed(unit))
