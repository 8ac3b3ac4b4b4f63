"""Turn a decision record into a tagged PDF for the case file, with the flowchart and the path taken highlighted.

Typst lays it out from one fixed template. The record goes in as JSON, as data and never as markup, so hostile text
appears literally. Characters missing from the font are replaced by a mark, because archive PDFs do not allow them.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from bot.messages.message import time_of
from bot.messages.opinion_cards import ended_words, reason_words, view_words
from bot.messages.record_cards import remarks
from flows import chart
from flows.catalogue import Book
from storage.records import Stored, case_of

log = logging.getLogger("sharewise.pdf")

#: Replaces each character that the font lacks.
MARK = "?"
#: PDF standards to try, strictest first, ending with none: no character may stop a record from being exported.
STANDARDS: tuple[list[Any], ...] = (["a-2a", "ua-1"], ["ua-1"], [])

TEMPLATE = """
#let data = json(bytes(sys.inputs.data))
#set document(title: data.title)
#set page(paper: "a4", margin: 2cm, footer: context align(center, text(9pt)[#data.title, page #counter(page).display()]))
#set text(font: "Atkinson Hyperlegible Next", size: 10.5pt, lang: "en", region: "gb", hyphenate: false)
#set par(justify: false)
#show heading.where(level: 1): set text(18pt)
#show heading.where(level: 2): set text(13pt)
#let rows(head, body) = table(
  columns: (1fr,) * head.len(), stroke: 0.5pt + gray, inset: 6pt,
  table.header(..head.map(it => strong(it))), ..body.flatten().map(it => [#it]),
)
= #data.title
#text(9pt)[#data.note]
#rows(data.facts.head, data.facts.body)
== What was asked and answered
#rows(data.questions.head, data.questions.body)
#for line in data.remarks [- #line]
== Next steps
#for line in data.duties [- #line]
#if data.advice.len() > 0 [== Advice sought]
#for line in data.advice [- #line]
#if data.notes.len() > 0 [== Notes added later]
#for line in data.notes [- #line]
#if sys.inputs.chart != "" [
  #pagebreak(weak: true)
  == The way through the chart
  #image(bytes(sys.inputs.chart), format: "svg", alt: data.alt, height: 85%, fit: "contain")
]
== Seals
#text(9pt)[#for line in data.seals [- #line]]
"""


def chart_of(stored: Stored, book: Book | None) -> str:
    """Return the chart of a record as SVG with its path marked; empty without the edition that it was made with."""
    if book is None:
        return ""
    content = stored.content
    return chart.svg(book.machine(stored.clear["flow"]), tuple(content["path"]), f"outcome.{content['outcome']['id']}")


def pdf(stored: Stored, book: Book | None) -> bytes:
    """Return a record as PDF/A-2a and PDF/UA-1 if its characters allow, else as PDF/UA-1, else as plain PDF.

    `book`: the edition that the record was made with. Without it the chart is left out: another edition's would be wrong.
    """
    import typst

    drawn = chart_of(stored, book)
    inputs = {"data": json.dumps(shown(_values(stored)), ensure_ascii=False), "chart": drawn}
    for standards in STANDARDS:
        try:
            made = typst.compile(
                TEMPLATE.encode(),
                format="pdf",
                sys_inputs=inputs,
                font_paths=chart.fonts(),
                pdf_standards=standards,
                timestamp=0,
            )
            chart.forget_drawn()
            return bytes(made)
        except RuntimeError as error:
            log.warning("A record could not be exported as %s (%s).", standards, type(error).__name__)
    raise RuntimeError("The record could not be made as PDF.")


def _values(stored: Stored) -> dict[str, Any]:
    clear, content = stored.clear, stored.content
    edition = content["edition"]
    otherwise = " (other than the recommended outcome)" if clear["otherwise"] else ""
    advices = [
        *content.get("advice_sought", ()),
        *(n["advice"] for n in stored.amendments if n.get("kind") == "advice"),
    ]
    facts = [
        ["Case reference", case_of(stored) or "none given"],
        ["By", f"{clear['role']}, team {clear['team']}"],
        ["Started", time_of(clear["started_at"])],
        ["Saved", time_of(clear["finished_at"])],
        ["Recommended outcome", content["outcome"]["title"]],
        ["Decided", f"{content.get('decision') or 'not said'}{otherwise}"],
        ["Reasons", content.get("reasons") or "none given"],
        ["Edition", f"{edition['title']}, {edition['published']}, {edition['status']}"],
    ]
    return {
        "title": f"Decision record {clear['reference']}",
        "note": "Made by Sharewise. The person decided; the guidance was cited. Later notes do not change the record.",
        "facts": {"head": ["What", "Said"], "body": facts},
        "questions": {
            "head": ["Question", "Answer", "When"],
            "body": [[q["question"], q["words"], time_of(q["at"])] for q in content["questions"]],
        },
        "remarks": remarks(content),
        "duties": [f"{duty['text']} ({duty['strength'].replace('_', ' ')})" for duty in content["duties"]],
        "advice": [line for advice in advices for line in _advice(advice)],
        "notes": [f"{time_of(n['at'])}: {n['text']}" for n in stored.amendments if n.get("kind") != "advice"],
        "alt": f"The flowchart with this way lit: {', '.join(content['path'])}",
        "seals": [
            f"Record id {clear['id']}", f"Edition {clear['edition_id']}, sha256 {clear['edition_sha256']}",
            f"Program version {clear['bot_version']}", "The ledger holds the hash of the sealed record: sharewise verify.",
        ],
    }  # fmt: skip


def _advice(advice: dict[str, Any]) -> list[str]:
    lines = [f"Request {advice['request']}, team {advice['team']}: {advice['question']} {ended_words(advice)}"]
    for one in advice.get("opinions", ()):
        if one["counts"]:
            why = reason_words(one, private=True)
            lines.append(f"{one['role']}, {time_of(one['at'])}: {one['label']}. {why}")
    if advice["made_of_it"]:
        lines.append(f"What the practitioner made of it: {view_words(advice['made_of_it'])}")
    return lines


def shown(value: Any) -> Any:
    """Return a JSON value in which a mark replaces each character that the font lacks."""
    if isinstance(value, str):
        known = chart.letters()
        return "".join(letter if letter in known or letter == "\n" else MARK for letter in value)
    if isinstance(value, dict):
        return {key: shown(one) for key, one in value.items()}
    return [shown(one) for one in value] if isinstance(value, list) else value
