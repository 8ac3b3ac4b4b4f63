"""How well questions are answered and identifiers found, and the cost of both.

python -m tests.benchmarks.words [--wrong]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from flows import screening
from flows.advice import Index
from flows.catalogue import open_book
from tests.support import sets


def main() -> None:
    """Print all figures; with --wrong also every miss."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wrong", action="store_true", help="print what went wrong too")
    args = parser.parse_args()
    _questions(args.wrong)
    _unseen(args.wrong)
    _sentences(args.wrong)
    _cost()


def _questions(wrong: bool) -> None:
    for name in sets.QUESTIONS:
        marks = sets.mark(sets.questions(name))
        print(f"{name}: {marks.answerable} answerable, {marks.unanswerable} not")
        print(f"  recall@1 {marks.first / marks.answerable:.3f}   recall@3 {marks.among_three / marks.answerable:.3f}")
        print(f"  answerable refused {marks.refused / marks.answerable:.3f}")
        print(f"  right abstention {marks.abstained / max(1, marks.unanswerable):.3f}")
        if marks.danger:
            print(
                f"  danger seen {marks.danger_seen}/{marks.danger}, imagined {marks.danger_imagined}/{marks.no_danger}"
            )
        if wrong:
            print("  " + "\n  ".join(marks.wrong))


def _unseen(wrong: bool) -> None:
    """Print how well questions and danger are understood by sets that nothing was learned from, with and without the extra."""
    edition = open_book("hmg-2015").edition
    for index in (open_book("hmg-2015").index, Index(edition, by_meaning=False)):
        for name in sets.UNSEEN:
            marks = sets.advise(index, name)
            print(f"{name} with {', '.join(index.members)}: {marks.covered} covered, {marks.outside} not")
            print(
                f"  right first {marks.first / marks.covered:.3f}   helped {marks.helped / marks.covered:.3f}", end=""
            )
            print(f"   refused {marks.refused / marks.covered:.3f}   firm {marks.firm / marks.covered:.3f}")
            print(
                f"  shown with a firm answer {marks.shown / marks.firm:.2f}, fitting {marks.fitting / marks.shown:.3f}"
            )
            print(f"  not covered: firm {marks.firm_outside / marks.outside:.3f}", end="")
            print(f"   silent {marks.silent_outside / marks.outside:.3f}")
            if wrong:
                print("  " + "\n  ".join(marks.wrong))
    for name in sets.UNSEEN_DANGER:
        seen = sets.danger_seen(name)
        print(f"{name}: " + ", ".join(f"{kind} {flagged}/{of}" for kind, (flagged, of) in seen.items()))


def _sentences(wrong: bool) -> None:
    for name in ("sentences.txt", "sentences_seen.txt", *sets.UNSEEN_SENTENCES):
        found = sets.screen(sets.sentences(name))
        print(f"{name}:")
        for kind in screening.KINDS:
            number = found.found[kind] + found.missed[kind]
            precision = found.found[kind] / max(1, found.found[kind] + found.invented[kind])
            print(f"  {kind:14} {number:4} marked   recall {found.recall([kind]):.3f}   precision {precision:.3f}")
        structured = [kind for kind in screening.KINDS if kind != screening.PERSON]
        print(f"  structured kinds together: recall {found.recall(structured):.3f}")
        print(
            f"  clean sentences refused {found.clean_refused}/{found.clean} = {found.clean_refused / found.clean:.3f}"
        )
        if wrong:
            print("  " + "\n  ".join(found.wrong))


def _cost() -> None:
    index = open_book("hmg-2015").index
    asked = [item.text for item in sets.questions()]
    texts = [item.text for item in sets.sentences()]
    for name, work, given in (("answer", index.ask, asked), ("screening", screening.identifiers, texts)):
        for text in given:
            work(text)
        times = []
        for text in given:
            started = time.perf_counter()
            work(text)
            times.append((time.perf_counter() - started) * 1000)
        times.sort()
        print(f"{name}: p50 {times[len(times) // 2]:.2f} ms, p99 {times[int(len(times) * 0.99)]:.2f} ms")
    code = "import time; t=time.perf_counter(); {}; print(round((time.perf_counter()-t)*1000))"
    for name, statement in (
        ("index built at first use", "from flows.catalogue import open_book; open_book('hmg-2015').index"),
        ("first screening", "from flows import screening; screening.screened('Words.')"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code.format(statement)], capture_output=True, text=True, check=True
        )
        print(f"{name}, imports included: {done.stdout.strip()} ms")


if __name__ == "__main__":
    main()
