"""Messages shown instead of a page, and the error for a form that was not accepted."""

from __future__ import annotations

from bot.usecases.sessions import IDLE_MINUTES


class NoPage(Exception):
    """The page is refused; carries the HTTP status and the words to show instead."""

    def __init__(self, status: int, heading: str, words: str) -> None:
        super().__init__(heading)
        self.status, self.heading, self.words = status, heading, words


ABSENT = NoPage(404, "Not found", "There is no such page for you.")
SIGNED_OUT = NoPage(
    401, "You are not signed in", "Send /console to the bot. It gives you a link that works once. A session ends after "
    f"{IDLE_MINUTES} minutes without use, and when your role changes.",
)  # fmt: skip


SIGNED_OUT_WORDS = NoPage(
    401, "You are not signed in", "Nothing was saved yet. Your words are below. Send /console to the bot, sign in with its link in "
    "another tab, then press Send here.",
)  # fmt: skip
OUT_OF_DATE = NoPage(403, "That form is out of date", "Go back, load the page again and try once more.")
OUT_OF_DATE_WORDS = NoPage(403, "That form is out of date", "Nothing was saved yet. Your words are below. Press Send.")

NOT_NOW = NoPage(503, "Not now", "The database cannot be used just now. Nothing was lost. Try again.")
OUR_FAULT = NoPage(500, "Something went wrong", "It is our fault. Nothing was changed. Please tell your administrator.")


class BadForm(Exception):
    """A form was not accepted; the text is for the person.

    `words`: what they typed was the reason, so it is shown again. `may_be_no_name`: they may say that it names nobody.
    """

    def __init__(self, said: str, *, words: bool = False, may_be_no_name: bool = False) -> None:
        super().__init__(said)
        self.words, self.may_be_no_name = words, may_be_no_name
