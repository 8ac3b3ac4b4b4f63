"""Second opinions, teams and members -> messages. Pure; text is escaped by the helpers of views.py.

Before a request has closed, nothing here is given what colleagues said: only how many have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bot.messages.callback_data import Button
from bot.messages.counted import counted
from bot.messages.walk_card import EMERGENCY_ROW, NO_NAMES, Message, bold, cite, escape, italic, plain, rows, time_of
from flows.definition import Edition
from flows.invariants import present
from flows.second_opinion import OWN, REASONS
from storage.members import MemberRow
from storage.opinions import Request
from storage.teams import TeamRow

SEALED = "Nobody sees what others said before it closes. Then all of it appears at once."
NOBODY_SHOWN = "Nobody was shown this request: it could not be posted in the channel."
ONLY_ADVICE = "You decide. What your colleagues say is advice."
#: Members shown in one message.
MOST_LISTED = 50
#: What a practitioner can make of a result.
MADE_OF_IT = {
    "follow": "I follow it",
    "partly": "I follow it in part",
    "otherwise": "I decide otherwise",
    "words": "Say it in my own words",
}
ENDED_BY = {
    "quorum": "enough opinions were in",
    "deadline": "the time was up",
    "author": "it was withdrawn",
    "emergency": "a child was in danger: an emergency does not wait",
    "cancelled": "the questions were cancelled",
    "left": "whoever asked has left",
}


def notice(text: str) -> Message:
    """Return a short message without buttons."""
    return Message(escape(text))


def _button(number: str, *act: str) -> str:
    return Button(".".join(("op", number, *act))).encode()


# ---- the card -------------------------------------------------------------------------------------
def _asked(edition: Edition, request: Request) -> list[str]:
    """What colleagues are asked: made from coded answers, and one screened sentence."""
    content = request.content
    about = "Question" if request.kind == "question" else "The guidance points to"
    lines = [f"{escape(about)}: {bold(content['title'])}"]
    answers = [f"• {escape(question)}\n  {bold(said)}" for question, said in content["answers"]]
    if answers:
        lines.append(f"{escape('Answers so far')}\n" + "\n".join(answers[-12:]))
    lines += [escape(f"Note: {flag}") for flag in content["flags"]]
    if content.get("sentence"):
        lines.append(f"{escape('In the words of whoever asks:')} “{escape(content['sentence'])}”")
    if content.get("name"):
        lines.append(escape(f"Asked by: {content['name']}"))
    lines.append(italic(f"Source: {cite(edition, edition.roles.passage('rule-3'))}. {edition.banner}"))
    return lines


def draft(edition: Edition, request: Request, team: TeamRow, others: int, note: str) -> Message:
    """Return the card of a request before it goes out, for whoever asks."""
    content = request.content
    lines = [bold("Ask your team? This is what they would see."), *_asked(edition, request)]
    people = counted(others, "other member")
    lines.append(
        escape(
            f"It goes to the channel of team {team.name} ({people}). It closes when {request.quorum} have answered, or "
            f"after {duration(team.deadline_minutes)}. No case reference and no name of yours is on it unless you say so."
        )
    )
    if note:
        lines.insert(0, f"{bold('Please note.')} {escape(note)} {escape(NO_NAMES)}")
    number = request.number
    buttons = [("Send it to the team", _button(number, "send"))]
    if content.get("sentence"):
        buttons.append(("Take the sentence off", _button(number, "nosentence")))
    else:
        buttons.append(("Add one sentence", _button(number, "sentence")))
    if content.get("name"):
        buttons.append(("Do not say who asks", _button(number, "noname")))
    else:
        buttons.append(("Say who asks", _button(number, "name")))
    buttons.append(("Do not ask", _button(number, "drop")))
    return Message("\n\n".join(lines), (*((button,) for button in buttons), *EMERGENCY_ROW))


def post(edition: Edition, request: Request, *, for_deputy: bool = False) -> Message:
    """Return a request as the team's channel, or the deputy, sees it."""
    head = f"Second opinion wanted: request {request.number}"
    lines = [bold(head), *_asked(edition, request)]
    if for_deputy:
        lines.insert(1, escape("The time was up and too few have answered. You are the deputy: please answer."))
    closes_at = present(request.closes_at, "it is open")
    lines.append(
        escape(
            f"Tap an answer. I ask for your reason in our private chat. {SEALED} It closes when {request.quorum} have "
            f"answered, or on {time_of(closes_at)}. Do not write about the case here."
        )
    )
    choices = [
        (label, _button(request.number, "choose", str(index)))
        for index, label in enumerate(request.content["choices"].values())
    ]
    return Message("\n\n".join(lines), rows(choices))


def reasons(edition: Edition, request: Request, index: int, again: bool) -> Message:
    """Ask a colleague for the reason; only with one does the opinion count."""
    choice = list(request.content["choices"].values())[index]
    lines = [
        italic(f"Request {request.number}"),
        bold(request.content["title"]),
        f"{escape('You tapped:')} {bold(choice)}",
        escape(f"Why? Tap the reason that fits best, or type it. Your opinion counts then. {NO_NAMES}"),
    ]
    if again:
        lines.append(
            escape("You have given an opinion before. The new one counts in its place; the earlier one is kept.")
        )
    lines.append(italic(f"The reasons are our words. Source: {cite(edition, edition.roles.passage('rule-3'))}."))
    found = [(label, _button(request.number, "why", str(index), key)) for key, (label, _) in REASONS.items()]
    found.append(("In my own words", _button(request.number, "why", str(index), OWN)))
    return Message("\n\n".join(lines), tuple((button,) for button in found))


def given(request: Request, choice: str) -> Message:
    """Tell a colleague that the opinion is in."""
    lines = [
        f"{bold('Your opinion is in.')} {escape('Request ' + request.number)}: {escape(request.content['choices'][choice])}",
        escape(f"You can change it until it closes: tap an answer on the request again. {SEALED}"),
    ]
    return Message("\n\n".join(lines))


def progress(request: Request, how_many: int) -> Message:
    """Tell whoever asked how many opinions are in, never what they are."""
    closes_at = present(request.closes_at, "it is open")
    lines = [
        bold(f"Your request {request.number}: {how_many} of {request.quorum} in"),
        escape(request.content["title"]),
        escape(f"It closes on {time_of(closes_at)} at the latest. {SEALED}"),
        escape("You need not wait: you can decide at any time. If a child is in danger, do not wait."),
    ]
    if request.deputy_asked_at:
        lines.insert(2, escape("The time was up with too few opinions. The deputy was asked now."))
    buttons = rows(
        [
            ("Go on with my questions", Button("go_on").encode()),
            ("Withdraw the request", _button(request.number, "withdraw")),
        ]
    )
    return Message("\n\n".join(lines), (*buttons, *EMERGENCY_ROW))


def not_posted(request: Request) -> Message:
    """Say that a request could not be posted in the channel."""
    return notice(
        f"Request {request.number} could not be posted in the channel of team {request.team}: I may not write there. Nobody "
        "has seen it. An administrator should let me write there, or claim another group. Then ask again."
    )


def reminder(request: Request) -> Message:
    """Say in the channel that a request still waits."""
    closes_at = present(request.closes_at, "it is open")
    return notice(f"Request {request.number} still waits for opinions. It closes on {time_of(closes_at)}.")


# ---- the result -----------------------------------------------------------------------------------
def reason_words(opinion: Mapping[str, Any], *, private: bool) -> str:
    """Return an opinion's reason. Typed words are for whoever asked, and the record, not for the channel."""
    if opinion["reason"] != OWN:
        return REASONS[opinion["reason"]][0]
    return f"“{opinion['words']}”" if private and opinion["words"] else "in own words"


def opinion_lines(advice: Mapping[str, Any], *, private: bool) -> list[str]:
    """Return each opinion that counts: role, when, what, why."""
    counted = [one for one in advice.get("opinions", ()) if one["counts"]]
    found = []
    for number, one in enumerate(counted, 1):
        head = f"Colleague {number} ({one['role']}), {time_of(one['at'])}: "
        found.append(f"• {escape(head)}{bold(one['label'])}. {escape(reason_words(one, private=private))}")
    return found


def _tally(advice: Mapping[str, Any]) -> str:
    counts = Counter(one["label"] for one in advice.get("opinions", ()) if one["counts"])
    if not counts:
        return NOBODY_SHOWN if not advice.get("shown", True) else "No opinion came."
    said = "; ".join(f"{label}: {count}" for label, count in counts.most_common())
    return f"{said}. Your colleagues do not agree with each other." if len(counts) > 1 else f"{said}."


def post_ended(request: Request, advice: Mapping[str, Any]) -> Message:
    """Return a request as the channel sees it once it has ended."""
    head = f"Request {request.number} has ended: {ENDED_BY[request.ended_by or '']}."
    lines = [bold(head), escape(request.content["title"])]
    if request.state == "closed":
        lines += [escape(_tally(advice)), "\n".join(opinion_lines(advice, private=False))]
        lines.append(escape("Whoever asked decides. Thank you."))
    else:
        lines.append(escape("What was said stays sealed. Thank you."))
    return Message("\n\n".join(line for line in lines if line))


def result(request: Request, advice: Mapping[str, Any]) -> Message:
    """Return how a request ended, for whoever asked."""
    lines = [bold(f"Your request {request.number} has ended: {ENDED_BY[request.ended_by or '']}.")]
    lines.append(escape(request.content["title"]))
    on = ("Go on with my questions", Button("go_on").encode())
    if request.state != "closed":
        lines.append(escape("What was said stays sealed. That you asked goes into your record."))
        return Message("\n\n".join(lines), (*rows([on]), *EMERGENCY_ROW))
    lines += [escape(_tally(advice)), "\n".join(opinion_lines(advice, private=True))]
    view = request.view
    if view:
        lines.append(f"{escape('What you made of it:')} {bold(view_words(view))}")
    else:
        lines.append(escape("What do you make of it? It goes into your record."))
    lines.append(escape(ONLY_ADVICE))
    buttons = [(label, _button(request.number, "view", key)) for key, label in MADE_OF_IT.items()]
    return Message("\n\n".join(line for line in lines if line), (*rows([*buttons, on]), *EMERGENCY_ROW))


def view_words(view: Mapping[str, Any]) -> str:
    """Return what a practitioner made of a result."""
    said = MADE_OF_IT[view["made_of_it"]] if view["made_of_it"] != "words" else ""
    typed = f"“{view['words']}”" if view.get("words") else ""
    return " ".join(part for part in (said, typed) if part)


def ended_words(advice: Mapping[str, Any]) -> str:
    """Say how a request ended, or that it was not waited for."""
    if not advice.get("shown", True):
        return NOBODY_SHOWN
    if advice["state"] == "open":
        return f"Not waited for: {advice['in']} of {advice['quorum']} opinions were in."
    return f"Ended {time_of(advice['ended_at'])}: {ENDED_BY[advice['ended_by']]}. Opinions in: {advice['in']}."


def advice_block(advice: Mapping[str, Any]) -> str:
    """Return advice that was sought, as a record shows it."""
    head = f"Advice sought from team {advice['team']}, request {advice['request']}"
    lines = [f"{bold(head)} {italic(time_of(advice['asked_at']))}", f"• {escape(advice['question'])}"]
    if advice["sentence"]:
        lines.append(f"• {escape('Added: ' + advice['sentence'])}")
    lines.append(escape(f"• {ended_words(advice)}"))
    lines += opinion_lines(advice, private=True)
    if advice["made_of_it"]:
        lines.append(f"• {escape('What the practitioner made of it:')} {escape(view_words(advice['made_of_it']))}")
    return "\n".join(lines)


# ---- channels -------------------------------------------------------------------------------------
def no_channel() -> Message:
    """Return what is said when a team has no channel."""
    words = "Your team has no channel yet. Ask your safeguarding lead or your manager, and tell your administrator."
    return plain(words, ("Who to call here", "local"))


def claim_me(minutes: int) -> Message:
    """Return what is said in a group that is nobody's channel."""
    return notice(
        f"I work in a team's own channel only. An administrator of the team sends /claim here within {minutes} minutes, "
        "under their own name. Otherwise I leave. Please write nothing about a child here."
    )


def claimed(team: TeamRow) -> Message:
    """Return what is said in a group that became a channel."""
    return notice(
        f"This group is now the channel of team {team.name}. I post requests for second opinions here, without names. "
        f"{team.quorum} opinions close a request, or {duration(team.deadline_minutes)}. Everybody in this group can read "
        "them: keep it to members of the team. Ask the guidance here with /ask. Write nothing about a child."
    )


def channel_elsewhere() -> Message:
    """Return what is said in a channel that is none any more because the team has another."""
    return notice("The team has another channel now. I leave this group.")


def released() -> Message:
    """Return what is said in a channel that was given up."""
    return notice("This group is not the team's channel any more. I leave.")


def channel_gone(team: str) -> Message:
    """Tell administrators and those who wait that a team has lost its channel."""
    return notice(
        f"I was taken out of the channel of team {team}. Requests that are open can get no new opinions there. An "
        "administrator can add me to a group and send /claim in it."
    )


def please_delete(kinds: str) -> Message:
    """Ask that a message with an identifier be taken out of the channel."""
    return notice(
        f"The last message looks like it holds {kinds}. Please delete it now. I try to delete it too. Nothing of it was kept."
    )


def please_remove() -> Message:
    """Say in a channel that somebody left whom the bot could not take out."""
    return notice(
        "A membership has ended. If that person is in this group, an administrator of the group should take them out: I may "
        "not. Until then they can read what is posted here."
    )


def private_only(username: str) -> Message:
    """Return what is said to a command that is for the private chat."""
    at = f" @{username}" if username else ""
    return notice(f"Please use that in our private chat:{at}. Here I answer /ask.")


# ---- members and teams ----------------------------------------------------------------------------
def duration(minutes: int) -> str:
    """Return a number of minutes in words."""
    if minutes % (24 * 60) == 0:
        days = minutes // (24 * 60)
        return counted(days, "day")
    if minutes % 60 == 0:
        hours = minutes // 60
        return counted(hours, "hour")
    return counted(minutes, "minute")


def called(member: MemberRow) -> str:
    """Return how a member is called in lists."""
    return member.known_as or f"Member {member.id}"


def joined(member: MemberRow) -> Message:
    """Welcome a new member."""
    words = (
        f"You are a member now: {member.role}, team {member.team}. Send /start to begin, /help to see what I can do."
    )
    return plain(words, ("Start the questions", "start.sharing"))


def somebody_joined(member: MemberRow) -> Message:
    """Tell an administrator who came in."""
    return notice(f"{called(member)} has joined team {member.team} as {member.role}. Not expected? See /members.")


def how_to_invite() -> Message:
    """Say how an invite is made."""
    return notice(
        "Type /invite practitioner, or /invite supervisor, and how colleagues know the person, for example: "
        "/invite practitioner Sam, school nurse. Administrators are added on the command line."
    )


def invite(code: str, role: str, team: str, username: str, is_open: bool) -> Message:
    """Return a new invite, to be passed on to one person."""
    link = f"https://t.me/{username}?start=i_{code}" if username else ""
    lines = [
        bold(f"An invite for one {role} of team {team}"),
        escape("Pass it on to that person only. It works once, for 48 hours."),
        escape(f"{link}\n\nOr: open a chat with me and send\n/start i_{code}".strip()),
    ]
    if not is_open:
        lines.append(escape("It works once a second supervisor of the team has approved it. They were asked now."))
    return Message("\n\n".join(lines))


def approve(invite_id: int, inviter: MemberRow, known_as: str) -> Message:
    """Ask a second supervisor about a new supervisor."""
    actor = known_as or "somebody whose name was not given"
    words = (
        f"{called(inviter)} wants to make a supervisor of team {inviter.team}: {actor}. This needs a second supervisor."
    )
    return plain(words, ("Approve", f"approve.{invite_id}"))


def reach(member: MemberRow) -> str:
    """Say so where the bot cannot write to a member: requests and alerts do not reach them."""
    return ", has stopped the bot and gets no messages" if member.unreachable_since else ""


def member_list(me: MemberRow, found: list[MemberRow], may_end: bool) -> Message:
    """Return the members of a team."""
    lines = [bold(f"Members of team {me.team}: {len(found)}")]
    lines.append(
        "\n".join(f"• {escape(f'{called(member)}, {member.role}{reach(member)}')}" for member in found[:MOST_LISTED])
    )
    if len(found) > MOST_LISTED:
        lines.append(escape(f"And {len(found) - MOST_LISTED} more. The command line lists all."))
    others = [member for member in found[:MOST_LISTED] if member.id != me.id]
    buttons = [(f"End: {called(member)}", Button(f"end.{member.id}").encode()) for member in others] if may_end else []
    return Message("\n\n".join(lines), tuple((button,) for button in buttons))


def really_end(member: MemberRow) -> Message:
    """Ask once more before a membership ends."""
    words = f"End the membership of {called(member)}, {member.role}? Access ends at once. Records stay."
    return plain(words, ("Yes, end it", f"end_now.{member.id}"), ("No", "members"))


def really_leave() -> Message:
    """Ask once more before somebody leaves."""
    words = "Leave? Your access ends at once. Your decision records stay with the organisation."
    return plain(words, ("Yes, leave", "leave_now"), ("No, stay", "go_on"))


def left() -> Message:
    """Say goodbye to a member who left."""
    return notice("You are not a member any more. Your decision records stay with the organisation.")


def team(found: TeamRow, deputy: MemberRow | None, members: list[MemberRow], may_set: bool) -> Message:
    """Return what a team agreed about second opinions."""
    channel = "there is one" if found.channel_chat_id else "none yet. Add me to a group and send /claim in it"
    lines = [
        bold(f"Team {found.name}"),
        "\n".join(
            f"• {escape(line)}"
            for line in (
                f"Members: {len(members)}",
                f"Channel: {channel}",
                f"Opinions that close a request: {found.quorum}",
                f"Time for a request: {duration(found.deadline_minutes)}, with a reminder at half of it",
                f"Deputy, asked when the time is up: {called(deputy) if deputy else 'nobody'}",
            )
        ),
    ]
    if not may_set:
        return Message("\n\n".join(lines))
    lines.append(escape("Change it: tap, or type /team quorum 3 or /team deadline 90 (minutes)."))
    buttons = [(f"{n} opinions" if n > 1 else "1 opinion", Button(f"team.quorum.{n}").encode()) for n in (1, 2, 3)]
    buttons += [(duration(n), Button(f"team.deadline.{n}").encode()) for n in (60, 240, 1440)]
    buttons += [(f"Deputy: {called(one)}", Button(f"team.deputy.{one.id}").encode()) for one in members[:40]]
    buttons.append(("No deputy", Button("team.deputy.none").encode()))
    return Message("\n\n".join(lines), rows(buttons))
