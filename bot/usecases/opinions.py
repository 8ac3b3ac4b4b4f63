"""Second opinions: request, opinion, progress, result and the author's view. Opinions are sealed until a request closes.

The person decides: nothing here changes an open walk. The result of a request goes into the decision record.
"""

from __future__ import annotations

from bot.domain import access
from bot.domain.access import Resource, Role
from bot.domain.typed_text import Typed
from bot.messages import membership_cards, opinion_cards
from bot.messages.message import plain
from bot.messages.texts import labels, text_of
from bot.usecases import typed_text
from bot.usecases.context import Actor, Context, OpenPrivately, say, whole
from flows import navigation, replies, second_opinion
from flows.definition import Edition
from flows.invariants import present
from flows.navigation import Position
from flows.screening import NotScreened, Screened
from storage import conversations, members, opinions, outbox, pending_input, records, teams, timers
from storage.conversations import Open, Status
from storage.core.clock import later
from storage.core.unit import Unit
from storage.members import MemberRow
from storage.opinions import EndedBy, Request, State

REMIND, DEADLINE = "remind_opinion", "opinion_deadline"
#: The end of the subject of a view that nobody has asked to type.
OFFERED = "offered"
SENTENCE, WORDS, VIEW = "request_sentence", "opinion_words", "opinion_view"
LONGEST_SENTENCE = 200


# ---- preparing ------------------------------------------------------------------------------------
def can_ask(unit: Unit, member_id: int) -> bool:
    """Return whether a member's team has a channel to ask in."""
    return teams.has_channel(unit, member_id)


def prepare(
    unit: Unit, context: Context, actor: Actor, row: Open, position: Position, record_id: str | None = None
) -> str:
    """Draft a request about the current step of a walk and show it to its author, who must confirm it before it is posted."""
    asked = second_opinion.asked_at(position)
    if asked is None:
        danger = second_opinion.cannot_wait(position)
        say(unit, actor.user_id, plain(text_of("opinions.danger" if danger else "opinions.nothing_to_choose")))
        return ""
    team = teams.get(unit, actor.member.team)
    if team.channel_chat_id is None:
        say(unit, actor.user_id, membership_cards.no_channel())
        return ""
    for request in opinions.open_of_member(unit, actor.member.id):
        if (request.conversation_id, request.about) == (row.id, asked.about):
            if not request.content.get("shown", True) and team.channel_chat_id is not None:
                # The request could not be posted. If the author asks again, the bot tries again to post it.
                _post(unit, _edition_of(unit, context, request), request, team)
            _show_progress(unit, request, below=True)
            return ""
    draft = opinions.draft_of(unit, actor.member.id)
    if draft and (draft.conversation_id, draft.about) == (row.id, asked.about):
        # Asked again: keep the existing draft.
        _show_draft(unit, context, actor, draft, below=True)
        return ""
    author = opinions.Author(actor.member.id, team.name, row.id, record_id)
    request = opinions.draft(unit, author, asked.as_dict(), team.quorum, context.now())
    # What they type next is the sentence for their colleagues, who have only coded answers to judge by.
    pending_input.put(unit, actor.user_id, SENTENCE, request.number, context.now())
    _show_draft(unit, context, actor, request, text_of("opinions.draft.say", most=LONGEST_SENTENCE), below=True)
    return ""


def _show_draft(
    unit: Unit, context: Context, actor: Actor, request: Request, notice: str = "", *, below: bool = False
) -> None:
    team = teams.get(unit, request.team)
    others = len(members.of_team(unit, team.name)) - 1
    card = opinion_cards.draft(_edition_of(unit, context, request), request, team, others, notice)
    outbox.enqueue(unit, actor.user_id, "card", card.payload(below=below), f"asked:{request.id}")


def reply_to_draft(unit: Unit, context: Context, actor: Actor, row: Open, typed: Typed) -> bool:
    """Take typed words as a button of the draft shown last, if they name one; return whether they do."""
    draft = opinions.draft_of(unit, actor.member.id)
    if draft is None or draft.conversation_id != row.id or not _is_still_so(unit, context, draft):
        return False
    acts = ("send", "nosentence" if draft.content.get("sentence") else "sentence", "drop")
    buttons = [
        replies.Choice(act, text_of(f"opinions.draft.buttons.{act}"), replies.SAID_OF_BUTTONS.get(act, ()))
        for act in acts
    ]
    reply = replies.understand(typed.text, buttons)
    if reply.kind != "choice":
        return False
    change_draft(unit, context, actor, draft.number, reply.choices[0].act)
    return True


def change_draft(unit: Unit, context: Context, actor: Actor, number: str, verb: str) -> str:
    """Carry out a tap on a draft: send it, add or remove a sentence, show or hide who asks, or drop it."""
    request = opinions.find(unit, number)
    if request is None or request.member_id != actor.member.id or request.state != State.DRAFT:
        if request and request.member_id == actor.member.id and request.state == State.OPEN:
            _show_progress(unit, request)
        return text_of("opinions.gone")
    if verb == "send":
        return _send(unit, context, actor, request)
    if verb == "drop":
        opinions.drop_draft(unit, actor.member.id)
        pending_input.drop(unit, actor.user_id)
        outbox.enqueue(
            unit, actor.user_id, "card", plain(text_of("opinions.not_asked")).payload(), f"asked:{request.id}"
        )
        return text_of("opinions.not_asked")
    if verb == "sentence":
        pending_input.put(unit, actor.user_id, SENTENCE, number, context.now())
        _show_draft(unit, context, actor, request, text_of("opinions.draft.type", most=LONGEST_SENTENCE))
        return ""
    if verb == "nosentence":
        request = opinions.set_sentence(unit, request, None)
    else:
        name = (
            (actor.member.known_as or text_of("opinions.draft.unnamed", role=actor.member.role))
            if verb == "name"
            else None
        )
        request = opinions.set_name(unit, request, name)
    _show_draft(unit, context, actor, request)
    return ""


def _send(unit: Unit, context: Context, actor: Actor, request: Request) -> str:
    team, at = teams.get(unit, request.team), context.now()
    if not _is_still_so(unit, context, request) or team.name != actor.member.team:
        opinions.drop_draft(unit, actor.member.id)
        outbox.enqueue(unit, actor.user_id, "card", plain(text_of("opinions.changed")).payload(), f"asked:{request.id}")
        return text_of("opinions.gone")
    if team.channel_chat_id is None:
        say(unit, actor.user_id, membership_cards.no_channel())
        return ""
    closes_at = later(at, team.deadline_minutes)
    asked = opinions.ask(unit, request, closes_at, at, actor.ledger_name)
    if asked is None:
        return text_of("opinions.gone")
    pending_input.drop(unit, actor.user_id)
    timers.put(unit, REMIND, asked.number, later(at, team.deadline_minutes / 2))
    timers.put(unit, DEADLINE, asked.number, closes_at)
    _post(unit, _edition_of(unit, context, asked), asked, team)
    _show_progress(unit, asked, below=True)
    return text_of("opinions.asked")


def _is_still_so(unit: Unit, context: Context, request: Request) -> bool:
    """Return whether the walk is still at the step that the draft describes."""
    row = conversations.get(unit, request.conversation_id)
    book = context.pinned(row.edition_id, row.edition_sha256) if row and row.status != Status.CANCELLED else None
    if row is None or book is None:
        return False
    asked = second_opinion.asked_at(navigation.replay(book.machine(row.flow), navigation.from_dict(row.walk)))
    return asked is not None and asked.as_dict().items() <= request.content.items()


def _edition_of(unit: Unit, context: Context, request: Request) -> Edition:
    """Return the edition that a request is about: its conversation's, or the current one if that is gone or has changed."""
    row = conversations.get(unit, request.conversation_id)
    book = context.pinned(row.edition_id, row.edition_sha256) if row else None
    return (book or context.book).edition


def _post(unit: Unit, edition: Edition, request: Request, team: teams.TeamRow) -> None:
    channel_chat_id = present(team.channel_chat_id, "the callers say so")
    payload = opinion_cards.post(edition, request).payload(below=True, thread=team.channel_thread_id)
    outbox.enqueue(unit, channel_chat_id, "card", payload, f"post:{request.id}")


def post_again(unit: Unit, context: Context, team_name: str) -> None:
    """Post a team's open requests again, because its channel is new or has a new id."""
    team = teams.get(unit, team_name)
    for request in opinions.open_of_team(unit, team_name):
        _post(unit, _edition_of(unit, context, request), request, team)


def waiting_in(unit: Unit, team_name: str) -> list[Request]:
    """Return the open requests of a team."""
    return opinions.open_of_team(unit, team_name)


def _show_progress(unit: Unit, request: Request, *, below: bool = False) -> None:
    author = members.by_id(unit, request.member_id)
    if author:
        card = opinion_cards.progress(request, opinions.how_many(unit, request))
        outbox.enqueue(unit, author.telegram_id, "card", card.payload(below=below), f"asked:{request.id}")


# ---- giving ---------------------------------------------------------------------------------------
def _open_for(unit: Unit, actor: Actor, number: str) -> Request | str:
    """Return a request that this member may give an opinion on now, else a text that says why not."""
    request = opinions.find(unit, number)
    if request is None or request.state == State.DRAFT:
        return text_of("opinions.gone")
    if request.member_id == actor.member.id:
        return text_of("opinions.your_own")
    if not access.may(actor.member, "give_opinion", Resource(request.member_id, request.team)):
        return text_of("channels.not_your_team")
    return request if request.state == State.OPEN else text_of("opinions.gone")


def choose(unit: Unit, context: Context, actor: Actor, number: str, index: str) -> str | OpenPrivately:
    """Take a tap on a request: ask for the reason in the private chat. The opinion does not count yet."""
    request = _open_for(unit, actor, number)
    if isinstance(request, str):
        return request
    choice = _choice(request, index)
    if choice is None:
        return text_of("opinions.gone")
    card = opinion_cards.reasons(
        _edition_of(unit, context, request), request, int(index), opinions.has_given(unit, request, actor.member.id)
    )
    outbox.enqueue(unit, actor.user_id, "card", card.payload(below=True), f"opinion:{request.id}:{actor.member.id}")
    # What they type next is the reason, whether or not they tap "In my own words".
    pending_input.put(unit, actor.user_id, WORDS, f"{number}.{index}", context.now())
    return "" if actor.is_private else OpenPrivately(f"o_{number}_{index}")


def _choice(request: Request, index: str) -> str | None:
    choices, number = list(request.content["choices"]), whole(index)
    return choices[number] if number is not None and number < len(choices) else None


def give(unit: Unit, context: Context, actor: Actor, number: str, index: str, reason: str) -> str:
    """Take a choice with its reason; the opinion counts from now on. A reason in the person's own words is asked for first."""
    request = _open_for(unit, actor, number)
    if isinstance(request, str):
        return request
    choice = _choice(request, index)
    if choice is None or (reason not in second_opinion.REASONS and reason != second_opinion.OWN):
        return text_of("opinions.gone")
    if reason == second_opinion.OWN:
        pending_input.put(unit, actor.user_id, WORDS, f"{number}.{index}", context.now())
        words = f"{text_of('opinions.reasons.type', most=LONGEST_SENTENCE)} {text_of('no_names')}"
        say(unit, actor.user_id, plain(words))
        return ""
    _count(unit, context, actor, request, opinions.NewOpinion(actor.member.id, actor.member.role, choice, reason))
    return text_of("opinions.given.title")


def _count(unit: Unit, context: Context, actor: Actor, request: Request, given: opinions.NewOpinion) -> None:
    at = context.now()
    how_many = opinions.give(unit, request, given, at, actor.ledger_name)
    if given.words is None:
        pending_input.drop(unit, actor.user_id)
    card = opinion_cards.given(request, given.choice)
    outbox.enqueue(unit, actor.user_id, "card", card.payload(), f"opinion:{request.id}:{actor.member.id}")
    if how_many >= request.quorum:
        _end(unit, context, request, EndedBy.QUORUM, at, actor.ledger_name)
    else:
        _show_progress(unit, request)


def type_words(unit: Unit, context: Context, actor: Actor, wanted: pending_input.PendingInput, typed: Typed) -> None:
    """Save typed words as what was asked for: the sentence of a request, the reason of an opinion, or the author's view."""
    number, _, rest = wanted.subject.partition(".")
    if wanted.kind == WORDS and (reason := _reason_named(typed)):
        pending_input.taken(unit, actor.user_id, typed.text, typed.message_id, context.now())
        said = give(unit, context, actor, number, rest, reason)
        if said not in ("", text_of("opinions.given.title")):
            say(unit, actor.user_id, plain(said))
        return
    try:
        words = typed_text.words(unit, context, actor, typed, longest=LONGEST_SENTENCE)
    except NotScreened as error:
        typed_text.refused(unit, actor, typed, error)
        return
    pending_input.taken(unit, actor.user_id, typed.text, typed.message_id, context.now())
    if wanted.kind == SENTENCE:
        request = opinions.find(unit, number)
        if request and request.member_id == actor.member.id and request.state == State.DRAFT:
            _show_draft(unit, context, actor, opinions.set_sentence(unit, request, words), below=True)
        return
    if wanted.kind == VIEW:
        _say_view(unit, context, actor, number, "words" if rest == OFFERED else rest, words)
        return
    open_request = _open_for(unit, actor, number)
    choice = None if isinstance(open_request, str) else _choice(open_request, rest)
    if isinstance(open_request, str) or choice is None:
        say(unit, actor.user_id, plain(text_of("opinions.gone_with_words")))
        return
    given = opinions.NewOpinion(actor.member.id, actor.member.role, choice, second_opinion.OWN, words)
    _count(unit, context, actor, open_request, given)


def _reason_named(typed: Typed) -> str | None:
    """Return the reason whose button these words name, or None."""
    buttons = [replies.Choice(key, label, is_answer=True) for key, (label, _) in second_opinion.REASONS.items()]
    reply = replies.understand(typed.text, buttons, takes_text=True)
    return reply.choices[0].act if reply.kind == "choice" else None


def nudged(unit: Unit, context: Context, actor: Actor, start: str) -> None:
    """Ask for the reason when a colleague opens the private chat from a request; show it again if it was asked for."""
    number, _, index = start.partition("_")
    said = choose(unit, context, actor, number, index)
    if isinstance(said, str) and said:
        say(unit, actor.user_id, plain(said))


# ---- ending ---------------------------------------------------------------------------------------
def withdraw(unit: Unit, context: Context, actor: Actor, number: str) -> str:
    """Withdraw the person's own request. The opinions stay sealed."""
    request = opinions.find(unit, number)
    if request is None or request.member_id != actor.member.id:
        return text_of("opinions.gone")
    withdrawn = _end(unit, context, request, EndedBy.AUTHOR, context.now(), actor.ledger_name)
    return text_of("opinions.withdrawn" if withdrawn else "opinions.gone")


def stop_for(unit: Unit, context: Context, conversation_id: str, by: str) -> None:
    """Withdraw a conversation's open requests and drafts, because it was cancelled or is an emergency that cannot wait."""
    opinions.drop_drafts_of(unit, conversation_id)
    for request in opinions.of_conversation(unit, conversation_id):
        if request.state == State.OPEN:
            _end(unit, context, request, by, context.now(), "sharewise")


def drop_for(unit: Unit, context: Context, member: MemberRow) -> None:
    """Withdraw all requests of a member who leaves."""
    opinions.drop_draft(unit, member.id)
    for request in opinions.open_of_member(unit, member.id):
        _end(unit, context, request, EndedBy.LEFT, context.now(), "sharewise")


def _end(unit: Unit, context: Context, request: Request, by: str, at: str, actor: str) -> bool:
    """End a request once. Show its result in the channel and to its author, and add it to the record if there is one."""
    ended = opinions.end(unit, request, by, at, actor)
    if ended is None:
        return False
    timers.drop(unit, REMIND, request.number)
    timers.drop(unit, DEADLINE, request.number)
    if ended.record_id:
        records.add_advice(unit, ended.record_id, ended, at, "sharewise")
    advice = opinions.as_advice(unit, ended)
    team = teams.get(unit, ended.team)
    if team.channel_chat_id is not None:
        closed = ended.state == State.CLOSED
        payload = opinion_cards.post_ended(ended, advice).payload(below=closed, thread=team.channel_thread_id)
        outbox.enqueue(unit, team.channel_chat_id, "card", payload, f"post:{ended.id}")
    author = members.by_id(unit, ended.member_id)
    if author and by != EndedBy.LEFT:
        card = opinion_cards.result(ended, advice)
        outbox.enqueue(unit, author.telegram_id, "card", card.payload(below=True), f"asked:{ended.id}")
        pending = pending_input.get(unit, author.telegram_id)
        if ended.state == State.CLOSED and (pending is None or pending.kind == pending_input.TAKEN):
            # The result is what the author sees last, so what they type next is most likely about it.
            pending_input.put(unit, author.telegram_id, VIEW, f"{ended.number}.{OFFERED}", context.now())
    return True


def remind(unit: Unit, context: Context, number: str) -> None:
    """Remind the channel once that a request is still waiting."""
    request = opinions.find(unit, number)
    team = teams.get(unit, request.team) if request else None
    if request and request.state == State.OPEN and team and team.channel_chat_id is not None:
        say(unit, team.channel_chat_id, opinion_cards.reminder(request), team.channel_thread_id)


def deadline(unit: Unit, context: Context, number: str) -> None:
    """Pass a request with too few opinions to the deputy once; the next time, close it with what it has."""
    request = opinions.find(unit, number)
    if request is None or request.state != State.OPEN:
        return
    team, at = teams.get(unit, request.team), context.now()
    deputy = members.by_id(unit, team.deputy_id) if team.deputy_id else None
    may_ask = (
        deputy is not None
        and request.deputy_asked_at is None
        and access.may(deputy, "give_opinion", Resource(request.member_id, request.team))
        and not opinions.has_given(unit, request, deputy.id)
    )
    if not may_ask or deputy is None:
        _end(unit, context, request, EndedBy.DEADLINE, at, "sharewise")
        return
    passed = opinions.pass_to_deputy(unit, request, later(at, team.deadline_minutes / 2), at)
    closes_at = present(passed.closes_at, "it was just set")
    opinions.note_shown(unit, passed.id)
    timers.put(unit, DEADLINE, number, closes_at)
    say(unit, deputy.telegram_id, opinion_cards.post(_edition_of(unit, context, passed), passed, for_deputy=True))
    _show_progress(unit, passed)


def not_posted(unit: Unit, card: str) -> None:
    """Tell the author and the team's administrators that a request could not be posted in the channel."""
    request = opinions.get(unit, card.removeprefix("post:"))
    if request is None or request.state != State.OPEN:
        return
    author = members.by_id(unit, request.member_id)
    told = {member.telegram_id for member in members.of_team(unit, request.team, Role.ADMINISTRATOR)}
    for telegram_id in sorted(told | ({author.telegram_id} if author else set())):
        say(unit, telegram_id, opinion_cards.not_posted(request))


# ---- what was made of it --------------------------------------------------------------------------
def view(unit: Unit, context: Context, actor: Actor, number: str, made_of_it: str) -> str:
    """Save what the author makes of a result."""
    request = opinions.find(unit, number)
    mine = request is not None and request.member_id == actor.member.id and request.state == State.CLOSED
    if made_of_it not in labels("opinions.views") or not mine:
        return text_of("opinions.gone")
    if made_of_it == "words":
        pending_input.put(unit, actor.user_id, VIEW, f"{number}.words", context.now())
        words = f"{text_of('opinions.result.type', most=LONGEST_SENTENCE)} {text_of('no_names')}"
        say(unit, actor.user_id, plain(words))
        return ""
    _say_view(unit, context, actor, number, made_of_it, None)
    return text_of("opinions.noted")


def view_named(typed: Typed) -> str | None:
    """Return what the author makes of a result, if typed words name it."""
    buttons = [
        replies.Choice(key, label, is_answer=True) for key, label in labels("opinions.views").items() if key != "words"
    ]
    reply = replies.understand(typed.text, buttons, takes_text=True)
    return reply.choices[0].act if reply.kind == "choice" else None


def _say_view(unit: Unit, context: Context, actor: Actor, number: str, made_of_it: str, words: Screened | None) -> None:
    request = opinions.find(unit, number)
    if request is None or request.member_id != actor.member.id or request.state != State.CLOSED:
        say(unit, actor.user_id, plain(text_of("opinions.gone")))
        return
    before = request.view or {}
    if words and before:
        made_of_it = before["made_of_it"]
    said = words.text if words else before.get("words")
    if (before.get("made_of_it"), before.get("words")) == (made_of_it, said):
        return
    viewed = opinions.set_view(unit, request, made_of_it, words, context.now())
    if viewed.record_id:
        records.add_advice(unit, viewed.record_id, viewed, context.now(), actor.ledger_name)
    card = opinion_cards.result(viewed, opinions.as_advice(unit, viewed))
    outbox.enqueue(unit, actor.user_id, "card", card.payload(), f"asked:{viewed.id}")


# ---- for the record -------------------------------------------------------------------------------
def advice_of(unit: Unit, conversation_id: str) -> list[dict[str, object]]:
    """Return all advice sought in a conversation, in the form that records keep."""
    return [opinions.as_advice(unit, request) for request in opinions.of_conversation(unit, conversation_id)]
