"""Text typed on the command line, which is screened like text from any other source."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from bot.cli.output import WrongCall

if TYPE_CHECKING:
    from bot.domain.typed_text import Typed
    from flows.screening import Screened

Taken = TypeVar("Taken")


def typed(option: str, text: str, take: Callable[[Typed], Taken]) -> Taken:
    """Screen the value of an option and return what `take` makes of it; raise WrongCall if it may not be stored."""
    from bot.composition.context import context_of
    from bot.messages.refusals import refusal
    from bot.usecases import typed_text
    from flows.screening import NotScreened

    read = typed_text.read(context_of(), text)
    if read.is_danger:
        sys.stderr.write("A child in danger comes first: call 999 now, or 101 if it is not urgent.\n")
    try:
        return take(read)
    except NotScreened as error:
        raise WrongCall(f"{option}: {refusal(error, 'Nothing was changed.')}") from None


def staff_name(text: str | None) -> Screened | None:
    """Return the screened name that colleagues know a person by; raise WrongCall if it may not be stored."""
    from bot.usecases import typed_text

    return typed("--known-as", text or "", typed_text.name_of_staff)


def team_name(option: str, text: str) -> str:
    """Return the screened name of a team; raise WrongCall if it is empty or may not be stored."""
    from bot.usecases import typed_text

    named = typed(option, text, partial(typed_text.name_of_staff, longest=typed_text.LONGEST_TEAM))
    if named is None:
        raise WrongCall(f"{option}: a team needs a name.")
    return named.text


def office_words(option: str, text: str, longest: int) -> Screened | None:
    """Return the screened text of an organisation about itself; None if it is blank; raise WrongCall if refused."""
    from bot.usecases import typed_text

    return typed(option, text, lambda read: typed_text.office_words(read, longest)) if text.strip() else None


def reason(option: str, text: str) -> Screened:
    """Return a screened reason, which may name a member of staff; raise WrongCall if it may not be stored."""
    from bot.usecases import typed_text
    from flows.screening import PERSON

    return typed(option, text, lambda read: read.screened(longest=typed_text.LONGEST_REASON, override=(PERSON,)))
