"""Second opinions: the request as its author, the channel and the deputy see it, and the result.

Until a request has closed, these functions are told how many opinions are in, never what they say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bot.messages.callback_data import Button
from bot.messages.citations import cite
from bot.messages.message import Message, bold, bullets, emergency_row, escape, italic, plain, rows, time_of
from bot.messages.texts import labels, text_of
from flows.definition import Edition
from flows.invariants import present
from flows.second_opinion import OWN, REASONS
from storage.opinions import Request, State
from storage.teams import TeamRow

#: How many of the answers so far a request shows.
LISTED_ANSWERS = 12


def _button(number: str, *act: str) -> str:
    return Button(".".join(("op", number, *act))).encode()


def _go_on() -> tuple[str, str]:
    return text_of("opinions.go_on"), Button("go_on").encode()


def _closes(request: Request) -> str:
    return time_of(present(request.closes_at, "it is open"))


def _why_ended(ended_by: str | None) -> str:
    return text_of(f"opinions.ended_by.{ended_by}")


def _source(edition: Edition) -> str:
    return text_of("source", source=cite(edition, edition.roles.passage("rule-3")))


# ---- the card -------------------------------------------------------------------------------------
def _asked(edition: Edition, request: Request) -> list[str]:
    """What colleagues are asked: made from coded answers, and one screened sentence."""
    content = request.content
    about = text_of("opinions.question" if request.kind == "question" else "outcome.recommended")
    lines = [f"{escape(about)} {bold(content['title'])}"]
    answers = [f"• {escape(question)}: {bold(said)}" for question, said in content["answers"]]
    if answers:
        lines.append("\n".join([escape(text_of("opinions.answers")), *answers[-LISTED_ANSWERS:]]))
    lines += [escape(text_of("opinions.flag", flag=flag)) for flag in content["flags"]]
    if content.get("sentence"):
        lines.append(escape(text_of("opinions.sentence", sentence=content["sentence"])))
    if content.get("name"):
        lines.append(escape(text_of("opinions.asked_by", name=content["name"])))
    lines.append(italic(f"{_source(edition)} {edition.banner}"))
    return lines


def draft(edition: Edition, request: Request, team: TeamRow, others: int, note: str) -> Message:
    """Return the card of a request before it is sent, for its author."""
    content = request.content
    lines = [bold(text_of("opinions.draft.title")), *_asked(edition, request)]
    goes_to = text_of(
        "opinions.draft.goes_to",
        team=team.name,
        people=text_of("opinions.draft.people", count=others),
        quorum=request.quorum,
        duration=duration(team.deadline_minutes),
    )
    lines.append(escape(goes_to))
    if note:
        lines.insert(0, f"{bold(text_of('walk.please_note'))} {escape(note)} {escape(text_of('no_names'))}")
    acts = [
        "send",
        "nosentence" if content.get("sentence") else "sentence",
        "noname" if content.get("name") else "name",
        "drop",
    ]
    buttons = [(text_of(f"opinions.draft.buttons.{act}"), _button(request.number, act)) for act in acts]
    return Message("\n\n".join(lines), (*((button,) for button in buttons), *emergency_row()))


def post(edition: Edition, request: Request, *, for_deputy: bool = False) -> Message:
    """Return a request as the team's channel, or the deputy, sees it."""
    lines = [bold(text_of("opinions.post.title", number=request.number)), *_asked(edition, request)]
    if for_deputy:
        lines.insert(1, escape(text_of("opinions.post.deputy")))
    how = text_of(
        "opinions.post.how", sealed=text_of("opinions.sealed"), quorum=request.quorum, closes=_closes(request)
    )
    lines.append(escape(how))
    choices = [
        (label, _button(request.number, "choose", str(index)))
        for index, label in enumerate(request.content["choices"].values())
    ]
    return Message("\n\n".join(lines), rows(choices))


def reasons(edition: Edition, request: Request, index: int, again: bool) -> Message:
    """Ask a colleague for the reason; only with one does the opinion count."""
    choice = list(request.content["choices"].values())[index]
    lines = [
        italic(text_of("opinions.request", number=request.number)),
        bold(request.content["title"]),
        f"{escape(text_of('opinions.reasons.tapped'))} {bold(choice)}",
        escape(f"{text_of('opinions.reasons.why')} {text_of('no_names')}"),
    ]
    if again:
        lines.append(escape(text_of("opinions.reasons.again")))
    lines.append(italic(f"{text_of('opinions.reasons.our_words')} {_source(edition)}"))
    found = [(label, _button(request.number, "why", str(index), key)) for key, (label, _) in REASONS.items()]
    found.append((text_of("opinions.reasons.own"), _button(request.number, "why", str(index), OWN)))
    return Message("\n\n".join(lines), tuple((button,) for button in found))


def given(request: Request, choice: str) -> Message:
    """Tell a colleague that the opinion is in."""
    head = text_of("opinions.given.said", number=request.number, choice=request.content["choices"][choice])
    change = text_of("opinions.given.change", sealed=text_of("opinions.sealed"))
    return Message(f"{bold(text_of('opinions.given.title'))} {escape(head)}\n\n{escape(change)}")


def progress(request: Request, how_many: int) -> Message:
    """Tell the author how many opinions are in, never what they are."""
    title = text_of("opinions.progress.title", number=request.number, how_many=how_many, quorum=request.quorum)
    closes = text_of("opinions.progress.closes", closes=_closes(request), sealed=text_of("opinions.sealed"))
    lines = [bold(title), *map(escape, (request.content["title"], closes, text_of("opinions.progress.do_not_wait")))]
    if request.deputy_asked_at:
        lines.insert(2, escape(text_of("opinions.progress.deputy")))
    withdraw = text_of("opinions.progress.withdraw"), _button(request.number, "withdraw")
    return Message("\n\n".join(lines), (*rows([_go_on(), withdraw]), *emergency_row()))


def not_posted(request: Request) -> Message:
    """Say that a request could not be posted in the channel."""
    return plain(text_of("opinions.not_posted", number=request.number, team=request.team))


def reminder(request: Request) -> Message:
    """Say in the channel that a request still waits."""
    return plain(text_of("opinions.reminder", number=request.number, closes=_closes(request)))


# ---- the result -----------------------------------------------------------------------------------
def reason_words(opinion: Mapping[str, Any], *, private: bool) -> str:
    """Return an opinion's reason. Typed words are for the author and the record, not for the channel."""
    if opinion["reason"] != OWN:
        return REASONS[opinion["reason"]][0]
    return f"“{opinion['words']}”" if private and opinion["words"] else text_of("opinions.own_words")


def opinion_lines(advice: Mapping[str, Any], *, private: bool) -> list[str]:
    """Return each opinion that counts: role, when, what, why."""
    counted = [one for one in advice.get("opinions", ()) if one["counts"]]
    found = []
    for number, one in enumerate(counted, 1):
        head = text_of("opinions.colleague", number=number, role=one["role"], time=time_of(one["at"]))
        found.append(f"• {escape(head)} {bold(one['label'])}. {escape(reason_words(one, private=private))}")
    return found


def _tally(advice: Mapping[str, Any]) -> str:
    counts = Counter(one["label"] for one in advice.get("opinions", ()) if one["counts"])
    if not counts:
        return text_of("opinions.none" if advice.get("shown", True) else "opinions.not_shown")
    said = "; ".join(f"{label}: {count}" for label, count in counts.most_common())
    return f"{said}. {text_of('opinions.disagree')}" if len(counts) > 1 else f"{said}."


def post_ended(request: Request, advice: Mapping[str, Any]) -> Message:
    """Return a request as the channel sees it once it has ended."""
    head = text_of("opinions.ended.title", number=request.number, why=_why_ended(request.ended_by))
    lines = [bold(head), escape(request.content["title"])]
    if request.state == State.CLOSED:
        lines += [escape(_tally(advice)), "\n".join(opinion_lines(advice, private=False))]
        lines.append(escape(text_of("opinions.ended.thanks")))
    else:
        lines.append(escape(text_of("opinions.ended.stays_sealed")))
    return Message("\n\n".join(line for line in lines if line))


def result(request: Request, advice: Mapping[str, Any]) -> Message:
    """Return how a request ended, for its author."""
    head = text_of("opinions.result.title", number=request.number, why=_why_ended(request.ended_by))
    lines = [bold(head), escape(request.content["title"])]
    if request.state != State.CLOSED:
        lines.append(escape(text_of("opinions.result.stays_sealed")))
        return Message("\n\n".join(lines), (*rows([_go_on()]), *emergency_row()))
    lines += [escape(_tally(advice)), "\n".join(opinion_lines(advice, private=True))]
    view = request.view
    if view:
        lines.append(f"{escape(text_of('opinions.result.view'))} {bold(view_words(view))}")
    else:
        lines.append(escape(text_of("opinions.result.ask_view")))
    lines.append(escape(text_of("opinions.only_advice")))
    buttons = [(label, _button(request.number, "view", key)) for key, label in labels("opinions.views").items()]
    return Message("\n\n".join(line for line in lines if line), (*rows([*buttons, _go_on()]), *emergency_row()))


def view_words(view: Mapping[str, Any]) -> str:
    """Return what a practitioner made of a result."""
    said = text_of(f"opinions.views.{view['made_of_it']}") if view["made_of_it"] != "words" else ""
    typed = f"“{view['words']}”" if view.get("words") else ""
    return " ".join(part for part in (said, typed) if part)


def ended_words(advice: Mapping[str, Any]) -> str:
    """Say how a request ended, or that it was not waited for."""
    if not advice.get("shown", True):
        return text_of("opinions.not_shown")
    if advice["state"] == State.OPEN:
        return text_of("opinions.not_waited_for", how_many=advice["in"], quorum=advice["quorum"])
    time, why = time_of(advice["ended_at"]), _why_ended(advice["ended_by"])
    return text_of("opinions.ended.words", time=time, why=why, how_many=advice["in"])


def advice_block(advice: Mapping[str, Any]) -> str:
    """Return advice that was sought, as a record shows it."""
    head = text_of("opinions.sought.title", team=advice["team"], number=advice["request"])
    added = text_of("opinions.sought.added", sentence=advice["sentence"]) if advice["sentence"] else ""
    lines = [f"{bold(head)} {italic(time_of(advice['asked_at']))}"]
    lines.append(bullets(line for line in (advice["question"], added, ended_words(advice)) if line))
    lines += opinion_lines(advice, private=True)
    if advice["made_of_it"]:
        lines.append(bullets([text_of("opinions.sought.view", view=view_words(advice["made_of_it"]))]))
    return "\n".join(lines)


def duration(minutes: int) -> str:
    """Return a number of minutes in words."""
    for unit, length in (("day", 24 * 60), ("hour", 60)):
        if minutes % length == 0:
            return text_of(f"durations.{unit}", count=minutes // length)
    return text_of("durations.minute", count=minutes)
