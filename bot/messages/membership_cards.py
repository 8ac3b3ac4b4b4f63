"""Teams, their channels, members and invites."""

from __future__ import annotations

from bot.messages.callback_data import START, Button
from bot.messages.message import Message, bold, bullets, escape, plain, rows
from bot.messages.opinion_cards import duration
from bot.messages.texts import text_of
from storage.members import MemberRow
from storage.teams import TeamRow

#: Members listed in one message.
MOST_LISTED = 50
#: What a tap can set for a team: how many opinions close a request, and after how many minutes it closes anyway.
QUORUMS, DEADLINES = (1, 2, 3), (60, 240, 1440)
#: Members offered as deputy.
MOST_DEPUTIES = 40


# ---- channels -------------------------------------------------------------------------------------
def no_channel() -> Message:
    """Tell a practitioner that their team has no channel."""
    return plain(text_of("channels.none"), (text_of("local.title"), "local"))


def claim_me(minutes: int) -> Message:
    """Say in a group that is not the channel of a team how it becomes one."""
    return plain(text_of("channels.claim_me", minutes=minutes))


def claimed(team: TeamRow) -> Message:
    """Say in a group that it is now the channel of a team."""
    words = text_of("channels.claimed", team=team.name, quorum=team.quorum, duration=duration(team.deadline_minutes))
    return plain(words)


def channel_elsewhere() -> Message:
    """Say in a former channel that the team has another one."""
    return plain(text_of("channels.elsewhere"))


def released() -> Message:
    """Say in a former channel that the team gave it up."""
    return plain(text_of("channels.released"))


def channel_gone(team: str) -> Message:
    """Tell administrators and the authors of open requests that a team has lost its channel."""
    return plain(text_of("channels.gone", team=team))


def please_delete(kinds: str) -> Message:
    """Ask in a channel that a message with an identifier be deleted."""
    return plain(text_of("channels.please_delete", kinds=kinds))


def please_remove() -> Message:
    """Say in a channel that the bot could not remove a person whose membership has ended."""
    return plain(text_of("channels.please_remove"))


def private_only(username: str) -> Message:
    """Answer a command that belongs in the private chat."""
    return plain(text_of("channels.private_only", at=f" @{username}" if username else ""))


# ---- members and invites --------------------------------------------------------------------------
def called(member: MemberRow) -> str:
    """Return a member's name in lists."""
    return member.known_as or text_of("members.numbered", id=member.id)


def joined(member: MemberRow) -> Message:
    """Welcome a new member."""
    return plain(text_of("members.joined", role=member.role, team=member.team), (text_of("walk.start"), START))


def somebody_joined(member: MemberRow) -> Message:
    """Tell an administrator who joined."""
    return plain(text_of("members.somebody_joined", name=called(member), team=member.team, role=member.role))


def how_to_invite() -> Message:
    """Explain /invite."""
    return plain(text_of("members.how_to_invite"))


def invite(code: str, role: str, team: str, username: str, is_open: bool) -> Message:
    """Return a new invite, to be passed on to one person."""
    link = f"https://t.me/{username}?start=i_{code}\n\n" if username else ""
    lines = [
        bold(text_of("members.invite.title", role=role, team=team)),
        escape(text_of("members.invite.pass_on")),
        escape(link + text_of("members.invite.or_send", code=code)),
    ]
    if not is_open:
        lines.append(escape(text_of("members.invite.waits")))
    return Message("\n\n".join(lines))


def approve(invite_id: int, inviter: MemberRow, known_as: str) -> Message:
    """Ask a second supervisor to approve a new supervisor."""
    name = known_as or text_of("members.approve.unnamed")
    words = text_of("members.approve.words", inviter=called(inviter), team=inviter.team, name=name)
    return plain(words, (text_of("members.approve.button"), f"approve.{invite_id}"))


def reach(member: MemberRow) -> str:
    """Return a remark if the bot cannot write to a member: requests and alerts do not reach them."""
    return text_of("members.unreachable") if member.unreachable_since else ""


def member_list(me: MemberRow, found: list[MemberRow], may_end: bool) -> Message:
    """Return the members of a team, with a button to end each membership if `may_end`."""
    listed = found[:MOST_LISTED]
    lines = [bold(text_of("members.list.title", team=me.team, count=len(found)))]
    lines.append(bullets(f"{called(member)}, {member.role}{reach(member)}" for member in listed))
    if len(found) > len(listed):
        lines.append(escape(text_of("members.list.more", count=len(found) - len(listed))))
    others = [member for member in listed if member.id != me.id and may_end]
    buttons = [
        (text_of("members.end.button", name=called(member)), Button(f"end.{member.id}").encode()) for member in others
    ]
    return Message("\n\n".join(lines), tuple((button,) for button in buttons))


def really_end(member: MemberRow) -> Message:
    """Ask for confirmation before a membership ends."""
    words = text_of("members.end.really", name=called(member), role=member.role)
    return plain(words, (text_of("members.end.yes"), f"end_now.{member.id}"), (text_of("members.end.no"), "members"))


def really_leave() -> Message:
    """Ask for confirmation before a member leaves."""
    yes, no = (text_of("members.leave.yes"), "leave_now"), (text_of("members.leave.no"), "go_on")
    return plain(text_of("members.leave.really"), yes, no)


def left() -> Message:
    """Say goodbye to a member who left."""
    return plain(text_of("members.leave.left"))


# ---- teams ----------------------------------------------------------------------------------------
def team(found: TeamRow, deputy: MemberRow | None, members: list[MemberRow], may_set: bool) -> Message:
    """Return what a team agreed about second opinions, with buttons to change it if `may_set`."""
    facts = {
        "members": len(members),
        "channel": text_of("teams.has_channel" if found.channel_chat_id else "teams.no_channel"),
        "quorum": found.quorum,
        "deadline": duration(found.deadline_minutes),
        "deputy": called(deputy) if deputy else text_of("teams.nobody"),
    }
    lines = [
        bold(text_of("teams.title", team=found.name)),
        bullets(text_of(f"teams.facts.{name}", value=value) for name, value in facts.items()),
    ]
    if not may_set:
        return Message("\n\n".join(lines))
    lines.append(escape(text_of("teams.change")))
    buttons = [(text_of("teams.opinions", count=n), Button(f"team.quorum.{n}").encode()) for n in QUORUMS]
    buttons += [(duration(n), Button(f"team.deadline.{n}").encode()) for n in DEADLINES]
    buttons += [
        (text_of("teams.deputy", value=called(member)), Button(f"team.deputy.{member.id}").encode())
        for member in members[:MOST_DEPUTIES]
    ]
    buttons.append((text_of("teams.no_deputy"), Button("team.deputy.none").encode()))
    return Message("\n\n".join(lines), rows(buttons))
