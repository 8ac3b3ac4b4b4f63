"""`sharewise demo`: play a story. A youth worker asks the team and decides, and the record holds it all."""

from __future__ import annotations

import io
import sys
import time

#: What happens (nothing is printed if empty), then what the person types or taps.
STORY = (
    ("Another service asks a youth worker about a young person.", "Somebody asked me for information"),
    ("Nobody is in danger, and there is no sign of harm.", "No, none of these"),
    ("Is the purpose clear? The youth worker would like to hear what colleagues think.", "Ask the team"),
    (
        "The card is shown first, and asks for one sentence. A slip: the sentence holds a phone number.",
        "They want it by tonight, call 07700 900123.",
    ),
    ("It was refused and taken out. Again, without it.", "They want it by tonight and did not say what for."),
    ("Now it goes out.", "Send it to the team"),
    ("A colleague looks at the team's channel.", "/as colleague-1"),
    ("", "/in team"),
    ("The colleague answers.", "No"),
    ("And says why, in the private chat.", "The purpose is not clear"),
    ("Another colleague.", "/as colleague-2"),
    ("", "/in team"),
    ("", "Yes"),
    ("In own words this time.", "In my own words"),
    ("", "It is a known service. Ring them back and ask what it is for."),
    ("Two have answered: the request has closed, and the youth worker sees all of it.", "/as me"),
    ("", "I follow it in part"),
    ("Back to the questions.", "Go on with my questions"),
    ("", "No"),
    ("The youth worker decides.", "Do not share"),
    ("", "They did not say what it is for. I will ask, and look at it again."),
    ("", "YW-2041"),
    ("The reasons are still to be discussed with whoever asked. That is added.", "Add detail"),
    ("", "I will discuss them"),
    ("", "Leave out the rest"),
    ("", "Save the record"),
    ("What the record holds.", "Show the record"),
)


class Script(io.StringIO):
    """An input stream that plays the story, and narrates it as each line is read."""

    def __init__(self, pace: float) -> None:
        super().__init__()
        self._left, self._pace = list(STORY), pace

    def readline(self, *_: object) -> str:  # type: ignore[override]
        """Print what happens next, wait, and return what the person types; "" at the end of the story."""
        if not self._left:
            return ""
        told, typed = self._left.pop(0)
        if told:
            sys.stdout.write(f"\n[{told}]\n")
        time.sleep(self._pace)
        return f"{typed}\n"
