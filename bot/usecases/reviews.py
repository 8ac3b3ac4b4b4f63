"""Review: supervisors read other people's records, most urgent first. Every reading goes into the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.domain import access
from bot.domain.access import Resource, Role
from bot.domain.review import (
    BY_BUTTON,
    FOLLOW_UP_DAYS,
    LONGEST_COMMENT,
    NEEDS_WORDS,
    OPEN,
    SAMPLE,
    SAMPLED_DAYS,
    WAITING,
    NotNow,
    Rank,
    may_do,
    rank_of,
    spread,
    state_after,
)
from bot.domain.typed_text import Typed
from bot.messages import membership_cards, record_cards, review_cards
from bot.messages.message import plain
from bot.messages.texts import text_of
from bot.usecases import own_records, typed_text
from bot.usecases.context import Actor, Context, say
from flows.screening import NotScreened, Screened
from storage import local_contacts, members, outbox, pending_input, records, reviews, timers
from storage.core import ledger
from storage.core.clock import later
from storage.core.unit import Unit
from storage.members import MemberRow
from storage.records import Stored, case_of
from storage.reviews import Author, Done, ReviewRow, Wanted

__all__ = ["NotNow", "ReviewRow", "Stored", "Wanted", "case_of"]

WORDS, DIGEST = "review_words", "review_digest"
#: The time of day, in UTC, at which the digest goes out.
DIGEST_HOUR = "07:30:00.000000Z"


# ---- new records ---------------------------------------------------------------------------------
def enter(unit: Unit, record_id: str, clear: dict[str, Any], content: dict[str, Any]) -> None:
    """Add a new record to its team's queue. Alert the supervisors at once to an emergency, or to harm that was not shared."""
    rank = rank_of(clear, content)
    reviews.begin(unit, record_id, clear, int(rank))
    if not timers.is_set(unit, DIGEST, clear["team"]):
        timers.put(unit, DIGEST, clear["team"], _next_digest(clear["finished_at"]))
    if rank <= Rank.HARM_NOT_SHARED:
        _alert(unit, clear, rank)


def _alert(unit: Unit, clear: dict[str, Any], rank: int) -> None:
    """Alert the supervisors the bot can reach, else the administrators. If it can reach neither, tell the author."""
    alert = review_cards.alert(clear["reference"], rank)
    told = [member for member in _supervisors(unit, clear["team"], not_of=clear["member_id"]) if _is_reachable(member)]
    if not told:
        found = members.of_team(unit, clear["team"], Role.ADMINISTRATOR)
        told = [member for member in found if member.id != clear["member_id"] and _is_reachable(member)]
        alert = review_cards.alert_administrator(clear["reference"], rank)
    for member in told:
        say(unit, member.telegram_id, alert)
    author = members.by_id(unit, clear["member_id"])
    if not told and author:
        say(unit, author.telegram_id, review_cards.nobody_alerted(clear["reference"], local_contacts.get(unit)))


def _is_reachable(member: MemberRow) -> bool:
    return member.unreachable_since is None


def _waiting(unit: Unit, team: str, supervisor: MemberRow) -> int:
    return reviews.count(unit, team, WAITING, not_of=supervisor.id)


def _supervisors(unit: Unit, team: str, not_of: int) -> list[MemberRow]:
    return [member for member in members.of_team(unit, team, Role.SUPERVISOR) if member.id != not_of]


def _next_digest(at: str) -> str:
    today = f"{at[:10]}T{DIGEST_HOUR}"
    return today if at < today else later(today, 24 * 60)


def digest(unit: Unit, context: Context, team: str) -> None:
    """Tell supervisors what is waiting, unless nothing is, and schedule the next day's digest."""
    at = context.now()
    timers.put(unit, DIGEST, team, _next_digest(at))
    for supervisor in members.of_team(unit, team, Role.SUPERVISOR):
        waiting, due = _waiting(unit, team, supervisor), reviews.due(unit, team, OPEN, at[:10])
        if waiting or due:
            say(unit, supervisor.telegram_id, review_cards.digest(team, waiting, due, ledger.head(unit)))


# ---- looking --------------------------------------------------------------------------------------
def show_queue(unit: Unit, context: Context, actor: Actor, after: str = "") -> None:
    """Show the next waiting record as a card of coded values. Its content is shown only once it is opened."""
    last = find_for(unit, actor, after) if after else None
    team, mine = actor.member.team, actor.member.id
    found = reviews.queue(unit, team, mine, Wanted(WAITING), limit=1, after=last)
    total = _waiting(unit, team, actor.member)
    card = review_cards.card(found[0], total, context.now()) if found else review_cards.empty(total)
    outbox.enqueue(unit, actor.user_id, "card", card.payload(below=not after), f"review:{mine}")


def queue(unit: Unit, actor: Actor, wanted: Wanted, limit: int, after: ReviewRow | None = None) -> list[ReviewRow]:
    """Return the team's reviews that match, most urgent first, without the person's own. `after` gives the next page."""
    return reviews.queue(unit, actor.member.team, actor.member.id, wanted, limit, after)


def waiting(unit: Unit, actor: Actor) -> int:
    """Return how many records of other people in the team are waiting."""
    return _waiting(unit, actor.member.team, actor.member)


def find_for(unit: Unit, actor: Actor, reference: str) -> ReviewRow | None:
    """Return the review of a record that this person may review; None for any other record."""
    review = reviews.find(unit, reference.strip().upper())
    if review and access.may(actor.member, "review_record", Resource(review.member_id, review.team)):
        return review
    return None


def opened(unit: Unit, review: ReviewRow) -> Stored:
    """Return the record of a review, decrypted; raise SealBroken."""
    stored = records.get(unit, review.record_id)
    if stored is None:
        raise LookupError("a review without its record")
    return stored


def read(unit: Unit, context: Context, actor: Actor, review: ReviewRow) -> Stored:
    """Return the record of a review and add the reading to the ledger, where the author can see it."""
    stored = opened(unit, review)
    ledger.append(unit, context.now(), actor.ledger_name, "record.read", f"record:{review.record_id}")
    return stored


def show(unit: Unit, context: Context, actor: Actor, reference: str) -> None:
    """Show a whole record to a supervisor of its team."""
    review = find_for(unit, actor, reference)
    if review is None:
        say(unit, actor.user_id, plain(text_of("review.no_record")))
        return
    for message in record_cards.record(read(unit, context, actor, review)):
        say(unit, actor.user_id, message)
    say(unit, actor.user_id, review_cards.acts(review, reviews.done(unit, review.record_id)))


def readers(unit: Unit, actor: Actor, reference: str) -> None:
    """Show an author who has read their record, and when."""
    stored = own_records.own_or_say(unit, actor, reference, "request_sign_off")
    if stored is None:
        return
    record_id = stored.clear["id"]
    read_by = _readers(unit, actor, record_id)
    say(unit, actor.user_id, review_cards.readers(stored.clear["reference"], read_by, reviews.done(unit, record_id)))


def _readers(unit: Unit, actor: Actor, record_id: str) -> list[tuple[str, str]]:
    entries = ledger.about(unit, f"record:{record_id}", "record.read")
    return [(entry["at"], reader_of(unit, entry["actor"], actor.member.id)) for entry in entries]


@dataclass(frozen=True)
class Look:
    """What a reviewer sees beside a record: its author's name, who read it and when, and what was done."""

    author: str
    readers: list[tuple[str, str]]
    done: list[Done]


def look_at(unit: Unit, actor: Actor, review: ReviewRow) -> Look:
    """Return what a reviewer sees beside a record."""
    author = members.by_id(unit, review.member_id)
    called = membership_cards.called(author) if author else text_of("members.former")
    return Look(called, _readers(unit, actor, review.record_id), reviews.done(unit, review.record_id))


def is_open(review: ReviewRow, what: str) -> bool:
    """Return whether the state of a review allows an action."""
    return may_do(review.state, what)


def reader_of(unit: Unit, actor: str, me: int) -> str:
    """Return the name of a reader in the ledger, as a member may see it."""
    kind, _, number = actor.partition(":")
    if kind != "member":
        return actor
    if number == str(me):
        return "you"
    member = members.by_id(unit, int(number))
    return review_cards.reader(member) if member else text_of("members.former")


def sample(unit: Unit, team: str, not_of: int, month: str, since: str, count: int = SAMPLE) -> list[ReviewRow]:
    """Draw a team's dip sample for a month (`2026-11`), spread over people, without records sampled since a date."""
    found = reviews.not_sampled(unit, team, not_of, month, since)
    return spread(found, lambda row: row.member_id, count)


def show_sample(unit: Unit, context: Context, actor: Actor) -> None:
    """Show this month's dip sample of the person's team, which stays the same all month."""
    at = context.now()
    since = later(at, -SAMPLED_DAYS * 24 * 60)
    drawn = sample(unit, actor.member.team, actor.member.id, at[:7], since)
    say(unit, actor.user_id, review_cards.sample(at[:7], drawn))


def open_sampled(unit: Unit, context: Context, actor: Actor, reference: str) -> None:
    """Open a record of the dip sample, and note that it was sampled."""
    review = find_for(unit, actor, reference)
    if review is not None:
        _note(unit, context, actor, review, "sampled")
    show(unit, context, actor, reference)


# ---- doing ----------------------------------------------------------------------------------------
def act(unit: Unit, context: Context, actor: Actor, what: str, reference: str, value: str = "") -> str:
    """Carry out one action of a review; ask for words first if it needs them."""
    review = find_for(unit, actor, reference)
    if review is None:
        say(unit, actor.user_id, plain(text_of("review.no_record")))
        return ""
    if what in NEEDS_WORDS:
        pending_input.put(unit, actor.user_id, WORDS, f"{what}.{review.reference}", context.now())
        say(unit, actor.user_id, review_cards.ask_for_words(what, review.reference))
        return ""
    if what == "follow_up":
        days = int(value) if value in {str(days) for days in FOLLOW_UP_DAYS} else FOLLOW_UP_DAYS[0]
        value = later(context.now(), days * 24 * 60)[:10]
    if what not in BY_BUTTON or (what == "grade" and value not in review_cards.grades()):
        return text_of("review.old_button")
    return _do(unit, context, actor, review, what, None, value or None)


def carry_out(
    unit: Unit, context: Context, actor: Actor, review: ReviewRow, what: str, words: Screened | None, value: str | None
) -> ReviewRow:
    """Carry out one action of a review and tell the author; return the changed review; raise NotNow."""
    _note(unit, context, actor, review, what, words, value)
    author = members.by_id(unit, review.member_id)
    if author and what in ("sign_off", "return", "comment", "reopen"):
        said = words.text if words else ""
        say(unit, author.telegram_id, review_cards.to_author(review.reference, what, said, actor.member.role))
    after = reviews.get(unit, review.record_id)
    if after is None:
        raise LookupError("a review that ended within its own transaction")
    return after


def _note(
    unit: Unit,
    context: Context,
    actor: Actor,
    review: ReviewRow,
    what: str,
    words: Screened | None = None,
    value: str | None = None,
) -> None:
    """Store an action of a review; raise NotNow if its state does not allow it."""
    state, by = state_after(review.state, what), Author(actor.member.id, actor.member.role, context.now())
    reviews.act(unit, review, what, state.value, by, comment=words, value=value)


def _do(
    unit: Unit, context: Context, actor: Actor, review: ReviewRow, what: str, words: Screened | None, value: str | None
) -> str:
    try:
        after = carry_out(unit, context, actor, review, what, words, value)
    except NotNow as error:
        said = review_cards.not_now(error)
        say(unit, actor.user_id, plain(said))
        return said
    card = review_cards.done(after, what)
    outbox.enqueue(unit, actor.user_id, "card", card.payload(), f"review:{actor.member.id}")
    return review_cards.said(what)


def type_words(unit: Unit, context: Context, actor: Actor, wanted: pending_input.PendingInput, typed: Typed) -> None:
    """Save typed words as the comment that a review asked for."""
    what, _, reference = wanted.subject.partition(".")
    review = find_for(unit, actor, reference)
    if review is None:
        pending_input.drop(unit, actor.user_id)
        say(unit, actor.user_id, plain(text_of("review.no_record")))
        return
    try:
        words = typed_text.words(unit, context, actor, typed, longest=LONGEST_COMMENT)
    except NotScreened as error:
        typed_text.refused(unit, actor, typed, error)
        return
    pending_input.taken(unit, actor.user_id, typed.text, typed.message_id, context.now())
    _do(unit, context, actor, review, what, words, None)


def request_sign_off(unit: Unit, context: Context, actor: Actor, reference: str) -> str:
    """Ask the supervisors to sign off one's own record, for example after adding a note to a returned one."""
    stored = own_records.own_or_say(unit, actor, reference, "request_sign_off")
    if stored is None:
        return ""
    review = reviews.get(unit, stored.clear["id"])
    if review is None:
        raise LookupError("a record without a review")
    try:
        _note(unit, context, actor, review, "request")
    except NotNow as error:
        said = review_cards.not_now(error)
        say(unit, actor.user_id, plain(said))
        return said
    for supervisor in _supervisors(unit, review.team, not_of=actor.member.id):
        say(unit, supervisor.telegram_id, review_cards.requested(review.reference))
    say(unit, actor.user_id, plain(text_of("review.sign_off_requested", reference=review.reference)))
    return text_of("review.asked")
