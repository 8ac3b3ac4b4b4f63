"""Groups. A team's administrator makes a group the team's channel by sending /claim in it; the bot leaves all other groups."""

from __future__ import annotations

from bot.domain.access import Role
from bot.messages import membership_cards, refusals
from bot.messages.message import plain
from bot.messages.texts import text_of
from bot.usecases import opinions
from bot.usecases.context import Actor, Context, say
from flows.invariants import present
from storage import members, outbox, teams, timers
from storage.core.clock import later
from storage.core.unit import Unit

LEAVE = "leave_group"
MINUTES_TO_CLAIM = 10


def expect_claim(unit: Unit, context: Context, chat_id: int) -> None:
    """Explain in an unclaimed group how it becomes a channel, and leave it if nobody claims it in time."""
    if teams.of_channel(unit, chat_id) or timers.is_set(unit, LEAVE, str(chat_id)):
        return
    timers.put(unit, LEAVE, str(chat_id), later(context.now(), MINUTES_TO_CLAIM))
    say(unit, chat_id, membership_cards.claim_me(MINUTES_TO_CLAIM))


def leave(unit: Unit, context: Context, chat_id: int) -> None:
    """Leave a group that nobody claimed in time."""
    if teams.of_channel(unit, chat_id) is None:
        outbox.enqueue(unit, chat_id, "leave", {})


def claim(unit: Unit, context: Context, actor: Actor) -> None:
    """Make this group the channel of the administrator's team, and leave the team's former channel."""
    before = teams.get(unit, actor.member.team)
    try:
        teams.claim(unit, before.name, actor.chat_id, actor.thread_id, context.now(), actor.ledger_name)
    except teams.CannotSet as error:
        say(unit, actor.chat_id, plain(refusals.not_allowed(error)), actor.thread_id)
        return
    timers.drop(unit, LEAVE, str(actor.chat_id))
    if before.channel_chat_id not in (None, actor.chat_id):
        channel_chat_id = present(before.channel_chat_id, "the lines above say so")
        say(unit, channel_chat_id, membership_cards.channel_elsewhere(), before.channel_thread_id)
        outbox.enqueue(unit, channel_chat_id, "leave", {})
    say(unit, actor.chat_id, membership_cards.claimed(teams.get(unit, before.name)), actor.thread_id)
    opinions.post_again(unit, context, before.name)


def release(unit: Unit, context: Context, actor: Actor) -> None:
    """Give this group up as the team's channel, and leave it."""
    team = teams.of_channel(unit, actor.chat_id)
    if team is None or team.name != actor.member.team:
        say(unit, actor.chat_id, plain(text_of("channels.not_yours")), actor.thread_id)
        return
    teams.release(unit, team.name, context.now(), actor.ledger_name)
    say(unit, actor.chat_id, membership_cards.released(), actor.thread_id)
    outbox.enqueue(unit, actor.chat_id, "leave", {})


def came_out(unit: Unit, context: Context, chat_id: int) -> None:
    """Note that the bot was removed from a group. If it was a team's channel, tell the team's administrators."""
    timers.drop(unit, LEAVE, str(chat_id))
    team = teams.of_channel(unit, chat_id)
    if team is None:
        return
    teams.release(unit, team.name, context.now(), "telegram")
    outbox.forget_chat(unit, chat_id)
    waiting = {request.member_id for request in opinions.waiting_in(unit, team.name)}
    told = {member.telegram_id for member in members.of_team(unit, team.name, Role.ADMINISTRATOR)}
    told |= {member.telegram_id for member in members.of_team(unit, team.name) if member.id in waiting}
    for telegram_id in sorted(told):
        say(unit, telegram_id, membership_cards.channel_gone(team.name))


def moved(unit: Unit, context: Context, old: int, new: int) -> None:
    """Follow a group that became a supergroup and therefore has a new id; post its open requests again."""
    if old == new:
        return
    outbox.chat_moved(unit, old, new)
    team = teams.of_channel(unit, old)
    if team and teams.moved(unit, old, new, context.now()):
        opinions.post_again(unit, context, team.name)
