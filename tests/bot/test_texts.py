"""The words for people are data: every text is used, every use has its text, and the placeholders agree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import bot
from bot.messages.texts import Plural, labels, text_of, texts

ROOT = Path(bot.__file__).parent
SOURCES = [path for path in ROOT.rglob("*.py") if path.name != "texts.py"]
LOOKUPS = ("text_of", "lines_of", "labels")


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in LOOKUPS:
                yield path.name, node


def keys_of(node: ast.expr) -> list[str]:
    """Return the keys that an expression can name; a computed part is written as a star."""
    if isinstance(node, ast.IfExp):
        return [*keys_of(node.body), *keys_of(node.orelse)]
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)]
    return []


def matching(key: str) -> list[str]:
    pattern = re.compile(re.escape(key).replace(r"\*", r"\w+"))
    return [known for known in texts() if pattern.fullmatch(known)]


def placeholders(text: str | Plural | tuple[str, ...]) -> set[str]:
    lines = (text.one, text.other) if isinstance(text, Plural) else (text,) if isinstance(text, str) else text
    found = {name for line in lines for _, name, _, _ in Formatter().parse(line) if name}
    return found | {"count"} if isinstance(text, Plural) else found


def test_every_use_has_its_text_and_fills_in_its_placeholders():
    wrong = []
    for file, call in calls():
        given = {str(keyword.arg) for keyword in call.keywords}
        section = isinstance(call.func, ast.Name) and call.func.id == "labels"
        for key in keys_of(call.args[0]):
            found = [known for known in texts() if known.startswith(f"{key}.")] if section else matching(key)
            wrong += [f"{file}:{call.lineno}: no text {key}"] * (not found)
            if not section and "*" not in key:
                wrong += [f"{file}:{call.lineno}: {key} needs {placeholders(texts()[name])}, not {given}"
                          for name in found if placeholders(texts()[name]) != given]  # fmt: skip
    assert wrong == []


def test_every_text_is_used():
    used: set[str] = set()
    for _, call in calls():
        section = isinstance(call.func, ast.Name) and call.func.id == "labels"
        for inner in ast.walk(call.args[0]):
            for key in keys_of(inner) if isinstance(inner, ast.expr) else ():
                used.update(key_ for key_ in texts() if key_.startswith(f"{key}.")) if section else used.update(
                    matching(key)
                )
    assert texts().keys() - used == set()


def test_no_sentence_for_people_is_left_in_the_messages_and_use_cases():
    left = []
    for path in [*(ROOT / "messages").glob("*.py"), *(ROOT / "usecases").glob("*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        # Errors that are ours or the operator's, and the reasons given to `present`, never reach a person in the chat.
        ours = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.Raise) for inner in ast.walk(node)}
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in ours
            if is_text and re.match(r"[A-Z][a-z’']*( [a-zA-Z’']+)+[^:]*$", node.value) and not is_docstring(tree, node):
                left.append(f"{path.name}:{node.lineno}: {node.value[:60]}")
    assert left == []


def is_docstring(tree: ast.Module, node: ast.Constant) -> bool:
    return any(isinstance(inner, ast.Expr) and inner.value is node for inner in ast.walk(tree))


def test_a_count_chooses_between_one_and_many():
    assert [text_of("durations.day", count=n) for n in (0, 1, 2)] == ["0 days", "1 day", "2 days"]


def test_a_missing_value_or_an_unknown_key_is_an_error():
    with pytest.raises(KeyError):
        text_of("records.head")
    with pytest.raises(KeyError):
        text_of("records.hat")


def test_labels_keep_the_order_of_the_file():
    assert list(labels("review.grades")) == ["1", "2", "3", "4"]
