"""How many inputs and words twelve cases need to a saved record, walked in the real chat.

    python -m tests.benchmarks.walks [--json] [--cards DIRECTORY]

Each case is what is known of it: the answer to each question, and what is typed. At each card the walker takes the button that
answers most of it. Words are those of every card and message shown, without labels of buttons, which are counted beside.
`--cards` writes the text of the longest cards there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.machine import CHECK
from tests.support.chat import Chat
from tests.support.stores import KEYS, migrated

ME = 100
TYPED = {
    "reasons": "The child needs help now, and waiting could make it worse.",
    "otherwise_reason": "The colleague has no part in this case, but the nurse does.",
    "case_reference": "CASE-2041",
    "advice_outcome": "The lead says that it can wait until tomorrow.",
    "ground_other": "A protocol of the partnership asks for it.",
}
SHARED = {
    "how_amount": "done", "how_fact_opinion": "done", "how_right_person": "done", "how_secure": "done", "how_inform": "aware",
    "shared_what": "worry", "shared_with": "social_care", "procedures_contacted": "now", "requester_told": "discussed",
    "how_inform_not_applicable": "not_applicable",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What is known: what the person came for, and the option of each question."""

    name: str
    came_for: str
    known: dict[str, str]

    def answer(self, question: str) -> str | None:
        """Return the option of a question, as far as it is known."""
        return {**SHARED, "emergency": "no", "harm": "no", "decision": "share", **self.known}.get(question)


NOT_ASKED = {"consent": "no", "consent_kind": "not_sought", "not_sought_why": "unsafe"}
CONFIDENTIAL = {
    "purpose": "yes",
    "purpose_kind": "protect_child",
    "identifiable": "yes",
    "confidential": "yes",
    "sensitive": "no",
}
CASES = (
    Case("A child is in danger now", "worried", {"emergency": "yes"}),
    Case("Abuse of last week, told today", "worried", {**CONFIDENTIAL, **NOT_ASKED, "emergency": "earlier", "harm": "yes",
         "initiative": "own", "other_reason": "yes", "ground": "public_interest", "shared_with": "police", "how_inform": "not_safe"}),
    Case("A worried teacher; asking for consent is not safe", "worried", {**CONFIDENTIAL, **NOT_ASKED, "harm": "yes",
         "initiative": "own", "other_reason": "yes", "ground": "public_function", "how_inform": "not_safe"}),
    Case("A referral to early help, with consent", "worried", {**CONFIDENTIAL, "purpose_kind": "early_help", "initiative": "own",
         "consent": "yes", "consent_kind": "explicit"}),
    Case("A solicitor asks and does not say what for", "asked", {"initiative": "asked", "purpose": "no", "decision": "do_not_share"}),
    Case("The police ask about a burglary", "police_or_court", {**CONFIDENTIAL, **NOT_ASKED, "not_sought_why": "delay",
         "purpose_kind": "crime", "initiative": "asked", "other_reason": "yes", "ground": "public_interest", "shared_with": "police"}),
    Case("Consent was refused, and there is no other reason", "refused", {**CONFIDENTIAL, "initiative": "own", "consent": "no",
         "consent_kind": "refused", "other_reason": "no", "decision": "do_not_share"}),
    Case("Figures from which nobody can be identified", "asked", {"initiative": "asked", "purpose": "yes",
         "purpose_kind": "assessment", "identifiable": "no"}),
    Case("A list every month", "regular", {"bulk": "yes", "initiative": "asked"}),
    Case("Not sure whether it is confidential: getting advice", "asked", {**CONFIDENTIAL, "initiative": "asked",
         "confidential": "not_sure"}),
    Case("A social worker asks a health visitor; consent is only implied", "asked", {**CONFIDENTIAL, "harm": "yes",
         "initiative": "asked", "sensitive": "health", "consent": "yes", "consent_kind": "implied", "other_reason": "yes",
         "ground": "public_function"}),
    Case("A colleague asks out of interest; the nurse is told instead", "asked", {"initiative": "asked", "purpose": "no",
         "purpose_kind": "protect_child", "decision": "share_part", "shared_with": "health"}),
)  # fmt: skip


@dataclass
class Counted:
    """What one case took."""

    name: str
    inputs: int = 0
    words: int = 0
    labels: int = 0
    shown: list[dict[str, Any]] = field(default_factory=list)

    @property
    def cards(self) -> list[str]:
        """The texts of what was shown."""
        return [message.get("text", "") for message in self.shown]


def buttons(message: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the acts of a message's buttons with their labels."""
    rows = (message.get("reply_markup") or {}).get("inline_keyboard", [])
    found = [(button["callback_data"], button["text"]) for row in rows for button in row]
    return [(data.split(":", 2)[-1], text) for data, text in found]


def answers_of(questions: Any, act: str) -> tuple[tuple[str, str], ...]:
    """Return the questions that a button answers, each with its option."""
    key, _, option = act.rpartition(".")
    question = questions.get(key)
    for one in getattr(question, "together", ()):
        if one.id == option and len(one.answers) > 1:
            return tuple((q, o) for q, _, o in (answer.rpartition(".") for answer in one.answers))
    return ((key, option),) if question and question.option(option) else ()


def best(case: Case, questions: Any, offered: list[tuple[str, str]]) -> str | None:
    """Return the label of the button that says most of what is known, and nothing else."""
    ranked: list[tuple[float, str]] = []
    for act, label in offered:
        answers = answers_of(questions, act)
        if answers and all(case.answer(question) == option for question, option in answers):
            ranked.append((len(answers), label))
        elif (not answers and act in ("!calling", f"{CHECK}.confirm")) or act.endswith((".next", ".leave")):
            ranked.append((1, label))
        elif act.endswith(".finish"):
            ranked.append((0.5, label))
        elif act.endswith(".skip"):
            ranked.append((0, label))
    return max(ranked)[1] if ranked else None


async def walk(case: Case) -> Counted:
    """Walk a case to its record, or to the card of the emergency it is."""
    counted = Counted(case.name)
    with tempfile.TemporaryDirectory() as folder:
        async with Chat(migrated(Path(folder) / "x.db"), KEYS, (ME,)) as chat:
            questions = chat.context.book.machine("sharing").flow.questions

            async def tap(label: str) -> None:
                counted.inputs += 1
                await chat.tap(label)

            await chat.say("/start")
            counted.inputs += 1
            first = next((text for act, text in buttons(chat.card()) if act == f"for.{case.came_for}"), None)
            if first:
                await tap(first)
            while not any("Saved. To copy:" in message.get("text", "") for message in chat.visible()[:2]):
                card = chat.card()
                text = card.get("text", "")
                offered = buttons(card)
                is_check = any(act == f"{CHECK}.confirm" for act, _ in offered)
                asked = next((key for key in TYPED if questions[key].label in text), None)
                if asked and not is_check:
                    counted.inputs += 1
                    await chat.say(TYPED[asked])
                    continue
                if case.known.get("bulk") and any(act == "!bulk" for act, _ in offered):
                    label: str | None = next(label for act, label in offered if act == "!bulk")
                else:
                    label = best(case, questions, offered)
                if label is None or counted.inputs > 60:
                    raise AssertionError(f"{case.name}: stuck at {text!r}")
                await tap(label)
            shown = [
                one.message
                for one in chat.seen
                if one.kind not in ("delete", "photo") and one.message["from"]["is_bot"]
            ]
            counted.shown = shown
            counted.words = sum(len(text.split()) for text in counted.cards)
            counted.labels = sum(len(label.split()) for message in shown for _, label in buttons(message))
    return counted


def main(arguments: list[str] | None = None) -> int:
    """Print what each case took, and the median and the worst."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cards", type=Path, help="write the ten longest cards there, as text")
    options = parser.parse_args(arguments)
    found = [asyncio.run(walk(case)) for case in CASES]
    inputs, words = [one.inputs for one in found], [one.words for one in found]
    longest = sorted({text for one in found for text in one.cards}, key=len, reverse=True)[:10]
    if options.cards:
        options.cards.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(longest, 1):
            (options.cards / f"card-{number:02}.txt").write_text(text + "\n", encoding="utf-8")
    summary = {
        "cases": [{"name": one.name, "inputs": one.inputs, "words": one.words, "labels": one.labels} for one in found],
        "median": {"inputs": statistics.median(inputs), "words": statistics.median(words)},
        "worst": {"inputs": max(inputs), "words": max(words)},
        "longest_card": len(longest[0]),
    }
    if options.json:
        json.dump(summary, sys.stdout)
        return 0
    for one in found:
        print(f"{one.inputs:4} inputs {one.words:6} words {one.labels:5} on buttons   {one.name}")
    print(f"median {summary['median']}, worst {summary['worst']}, longest card {summary['longest_card']} characters")
    return 0


if __name__ == "__main__":
    sys.exit(main())
