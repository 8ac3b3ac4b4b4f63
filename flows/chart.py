"""Draw a flow with a path as SVG or PNG, or as Mermaid text, from the same machine that walks it.

Layout: safety checks and questions down a spine; every other way out on a row to the right. A walked way is drawn
thicker, filled and ticked, so that no meaning depends on colour alone. The drawing is ours, not that of 2015.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from flows.definition import NOT_SURE, ON_THE_CHART, Edge, Option, Question
from flows.machine import BULK_ASK, EMERGENCY_NOW, OUTCOME, PAUSED, FlowMachine, split

FONTS = Path(__file__).parent / "fonts"
FONT = "Atkinson Hyperlegible Next"

WIDTH, MARGIN = 1350, 50
CARD_X, CARD_W = 60, 620
EXIT_X, EXIT_W = 800, 500
ROW, GAP, LINE, PAD = 58, 62, 34, 22
SIZE, SMALL = 27, 23

NAVY, BLUE, PALE, GREY, INK = "#12325b", "#d9e8f7", "#f3f2f1", "#8a9299", "#0b0c0c"
ENDS = {"share": "#cce2d8", "must_comply": "#cce2d8", "emergency": "#f6d7d2", "follow_procedures": "#f6d7d2"}


@dataclass(frozen=True)
class Way:
    """A transition as drawn: its words, and the question or outcome it leads to."""

    option: str
    words: str
    target: str


# ---- what is drawn -------------------------------------------------------------------------------
def spine(machine: FlowMachine) -> tuple[Question, ...]:
    """Return the safety checks and questions of a flow, in the author's order. The question about scope is not on the chart."""
    return tuple(q for q in machine.flow.questions.values() if q.kind in ON_THE_CHART and q.id != machine.bulk)


def ways(machine: FlowMachine, question: Question) -> tuple[Way, ...]:
    """Return the transitions from a question of the spine, leaving out the details in between."""
    found: dict[tuple[str, str], Way] = {}
    for option in question.options:
        if option.id == NOT_SURE:
            continue
        for target, when in _ends(machine, option):
            condition = f", {machine.flow.conditions.get(when, when)}" if when else ""
            found.setdefault((option.id, target), Way(option.id, option.label + condition, target))
    return tuple(found.values())


def _ends(machine: FlowMachine, option: Option) -> Iterator[tuple[str, str | None]]:
    """Return where an option leads once the details after it are answered, each with its condition; the plain way first."""
    for edge in reversed(option.edges):
        yield from _through(machine, edge, option.id, frozenset())


def _through(machine: FlowMachine, edge: Edge, came_by: str, seen: frozenset[str]) -> Iterator[tuple[str, str | None]]:
    question = machine.flow.questions.get(edge.to)
    if question is None or question.kind in ON_THE_CHART or edge.to in seen:
        if not edge.to.endswith(PAUSED):
            yield edge.to, edge.when
        return
    for option in sorted(question.options, key=lambda option: not option.plain):
        # "Yes" and "no" to consent lead to the same detail question: follow only the options that this answer offers.
        if option.offered_when in ("has_consent", "no_consent") and (option.offered_when == "no_consent") != (
            came_by == "no"
        ):
            continue
        for onward in reversed(option.edges):
            yield from _through(machine, onward, came_by, seen | {edge.to})
    for onward in question.edges if not question.options else ():
        yield from _through(machine, onward, came_by, seen | {edge.to})


def lit(machine: FlowMachine, path: tuple[str, ...], at: str = "") -> tuple[tuple[str, str, str], ...]:
    """Return the walked ways of a path that ends at a state, as (question, option, target)."""
    found: list[tuple[str, str, str]] = []
    on_spine = {question.id for question in spine(machine)}
    last: tuple[str, str] | None = None
    for state, verb in (*(split(step) for step in path), (at, "")):
        drawn = state.startswith(OUTCOME) or state in on_spine
        if last and drawn:
            found.append((*last, state))
        if drawn:
            last = (state, verb) if state in on_spine and verb != NOT_SURE else None
        if state.startswith(OUTCOME):
            break
    return tuple(found)


# ---- SVG -----------------------------------------------------------------------------------------
@cache
def _widths() -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = json.loads((FONTS / "widths.json").read_text(encoding="ascii"))
    return table


def width_of(text: str, size: int, bold: bool = False) -> float:
    """Return the width of a text in pixels at this size."""
    table = _widths()["bold" if bold else "regular"]
    return sum(table.get(letter, 600) for letter in text) * size / 1000


def wrap(text: str, size: int, room: int, bold: bool = False) -> list[str]:
    """Break a text into lines that fit."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if width_of(joined, size, bold) <= room or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


class _Edge(NamedTuple):
    """The edge of a box: its colour, and its width in pixels."""

    colour: str
    width: int


#: Edges of a box on the path, and of any other.
ON_PATH, OFF_PATH = _Edge(NAVY, 5), _Edge(GREY, 2)


class _Svg:
    def __init__(self) -> None:
        self.parts: list[str] = []

    def box(self, place: tuple[float, float, float, float], fill: str, edge: _Edge, radius: int = 14) -> None:
        """Draw a box; its place is x, y, width and height in pixels."""
        x, y, width, height = place
        self.parts.append(
            f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="{radius}" fill="{fill}" '
            f'stroke="{edge.colour}" stroke-width="{edge.width}"/>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, taken: bool) -> None:
        colour, thick = (NAVY, 8) if taken else (GREY, 3)
        self.parts.append(
            f'<path d="M{x1:.0f} {y1:.0f}L{x2:.0f} {y2:.0f}" stroke="{colour}" stroke-width="{thick}" fill="none"/>'
        )
        size = 18 if taken else 12
        back = "h" if x1 == x2 else "v"
        tip = f"M{x2:.0f} {y2:.0f}l{-size} {-size}{back}{2 * size}z"
        self.parts.append(f'<path d="{tip}" fill="{colour}"/>')

    def text(self, x: float, y: float, words: str, size: int = SIZE, bold: bool = False, fill: str = INK) -> None:
        weight = ' font-weight="700"' if bold else ""
        self.parts.append(
            f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}"{weight} fill="{fill}" text-anchor="start">{escape(words)}</text>'
        )

    def tick(self, x: float, y: float) -> None:
        self.parts.append(f'<path d="M{x:.0f} {y:.0f}l8 9l15 -19" stroke="{NAVY}" stroke-width="6" fill="none"/>')


class _Chart(_Svg):
    """A flow being drawn. `taken`: the edges that the path follows; `on_path`: the questions that it reaches."""

    def __init__(self, machine: FlowMachine, taken: set[tuple[str, str, str]], on_path: set[str]) -> None:
        super().__init__()
        self.machine, self.taken, self.on_path = machine, taken, on_path

    def card(self, question: Question, following: str | None, y: float, note: str) -> float:
        """Draw a question with its ways out, and the way down to the question that follows; return where the next one begins."""
        lines = wrap(question.label, SIZE, CARD_W - 2 * PAD, bold=True)
        out = [way for way in ways(self.machine, question) if way.target != following]
        down = [way for way in ways(self.machine, question) if way.target == following]
        height = max((len(lines) + bool(note)) * LINE + 2 * PAD, len(out) * (ROW + 10) + 4)
        here = question.id in self.on_path or bool(note)
        self.box((CARD_X, y, CARD_W, height), BLUE if here else PALE, ON_PATH if here else OFF_PATH)
        for index, line in enumerate(lines):
            self.text(CARD_X + PAD, y + PAD + 24 + index * LINE, line, SIZE, bold=True)
        if note:
            self.text(CARD_X + PAD, y + PAD + 24 + len(lines) * LINE, note, SMALL)
        row = y + 2
        for way in out:
            walked = (question.id, way.option, way.target) in self.taken
            self._exit(way, row, walked)
            row += ROW + 10
        if down:
            walked = any((question.id, way.option, way.target) in self.taken for way in down)
            middle = CARD_X + CARD_W / 2
            self.line(middle, y + height + 2, middle, y + height + GAP - 4, walked)
            shown = [way for way in down if not walked or (question.id, way.option, way.target) in self.taken]
            words = " or ".join(dict.fromkeys(way.words for way in shown))
            self.text(middle + 26, y + height + 40, words, SMALL, bold=walked)
            if walked:
                self.tick(middle - 56, y + height + 32)
        return y + height + GAP

    def _exit(self, way: Way, y: float, walked: bool) -> None:
        is_outcome = way.target.startswith(OUTCOME)
        key = way.target.removeprefix(OUTCOME)
        title = self.machine.flow.outcomes[key].title if is_outcome else self.machine.flow.questions[key].label
        fill = ENDS.get(self.machine.flow.roles.outcome_role(key), "#eeefef") if walked else "#ffffff"
        start = CARD_X + CARD_W
        self.line(start + 2, y + ROW / 2, EXIT_X - 4, y + ROW / 2, walked)
        words = wrap(f"{way.words}. {title}", 22, EXIT_W - 48 - (40 if walked else 0), walked)
        if len(words) > 2:
            words = [words[0], words[1] + " …"]
        self.box((EXIT_X, y, EXIT_W, ROW), fill, ON_PATH if walked else OFF_PATH, 26)
        offset = 38 if len(words) == 1 else 25
        for index, line in enumerate(words):
            self.text(EXIT_X + 24, y + offset + index * 25, line, 22, bold=walked)
        if walked:
            self.tick(EXIT_X + EXIT_W - 44, y + 30)


def svg(machine: FlowMachine, path: tuple[str, ...] = (), at: str = "", notes: Mapping[str, str] | None = None) -> str:
    """Draw a flow as SVG, marking the ways of a path that ends at `at`, with a note under each question in `notes`."""
    taken = set(lit(machine, path, at))
    questions = spine(machine)
    reached = {target for _, _, target in taken} | {questions[0].id if path else ""}
    asked = {state for state, _, _ in taken} | {split(step)[0] for step in path}
    drawing = _Chart(machine, taken, reached | asked)
    heading = wrap(machine.flow.title, 36, WIDTH - 2 * MARGIN - 20, bold=True)
    y = 64.0
    for line in heading:
        drawing.text(MARGIN + 10, y, line, 36, bold=True, fill=NAVY)
        y += 44
    drawing.text(
        MARGIN + 10, y, "Our drawing of the questions. Not sure at any point: pause and get advice.", SMALL, fill=INK
    )
    y += 40
    for number, question in enumerate(questions):
        following = questions[number + 1].id if number + 1 < len(questions) else None
        note = (notes or {}).get(question.id, "")
        y = drawing.card(question, following, y, note)
    emergency, bulk = f"{machine.flow.roles.question('emergency')}.yes", f"{machine.bulk}.yes"
    if bulk in path or emergency in path[1:]:
        words = "Stopped: emergency" if emergency in path else "Stopped: bulk exchange, out of scope"
        drawing.box((CARD_X, y, CARD_W, ROW), "#f6d7d2", ON_PATH)
        drawing.text(CARD_X + PAD, y + 38, words, SIZE, bold=True)
        y += ROW + 20
    height = y + 20
    said = "Path: " + (", ".join(step.replace(".", ": ") for step in path) or "no path")
    if notes is not None:
        said = " ".join(f"{machine.flow.questions[key].label} {note}" for key, note in notes.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}" '
        f'font-family="{FONT}, Arial, sans-serif" role="img"><title>{escape(machine.flow.title)}</title>'
        f"<desc>{escape(said)}</desc>"
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>{"".join(drawing.parts)}</svg>'
    )


# ---- other forms ---------------------------------------------------------------------------------
def letters() -> frozenset[str]:
    """Return the characters that the font has in every face."""
    return frozenset.intersection(*(frozenset(face) for face in _widths().values()))


@cache
def fonts() -> Any:
    """Return the fonts for typst: only ours, none of the machine's."""
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])


#: How many documents typst compiles before it frees a drawing, which takes megabytes.
REMEMBERS = 11


def forget_drawn() -> None:
    """Make typst free its drawings by compiling empty documents."""
    import typst

    for _ in range(REMEMBERS):
        typst.compile(b"", format="svg", font_paths=fonts())


@lru_cache(maxsize=32)
def png(machine: FlowMachine, path: tuple[str, ...] = (), at: str = "") -> bytes:
    """Draw a flow as PNG. Takes about 10 ms; releases the GIL."""
    import typst

    source = b'#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg", width: 1350pt)'
    made = typst.compile(
        source,
        format="png",
        ppi=72.0,
        font_paths=fonts(),
        sys_inputs={"svg": svg(machine, path, at)},
    )
    forget_drawn()
    return bytes(made)


def mermaid(machine: FlowMachine) -> str:
    """Return every state and arrow of a flow as Mermaid text, without interrupts."""
    lines = ["stateDiagram-v2", f"    [*] --> {_name(machine.flow.start)}"]
    for drawn in machine.drawn:
        if drawn.trigger in (EMERGENCY_NOW, BULK_ASK):
            continue
        when = f" [{', '.join(drawn.when)}]" if drawn.when else ""
        lines.append(f"    {_name(drawn.source)} --> {_name(drawn.target)}: {drawn.trigger.rpartition('.')[2]}{when}")
    lines += [f"    {_name(state)} --> [*]" for state in machine.states if machine.is_final(state)]
    return "\n".join(lines) + "\n"


def _name(state: str) -> str:
    return state.replace(".", "_")
