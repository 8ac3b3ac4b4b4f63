"""People's text has one way in: one module reads it from Telegram, one examines it, and only screened text is stored."""

from __future__ import annotations

import ast
import typing
from pathlib import Path

from flows import navigation
from storage import invites, local_contacts, opinions, pause, questions, records, retention, reviews

ROOT = Path(__file__).parent.parent
GATE = "bot/usecases/typed_text.py"
#: Modules that may call screening: the gate, screening itself, loading at start, and the command that only reports findings.
MAY_SCREEN = {GATE, "flows/screening.py", "bot/telegram/service.py", "bot/cli/advice.py", "bot/cli/typed.py"}
#: What storage and walks take as a person's own words, with the name of the parameter.
SINKS = (
    (records.amend, "words"), (opinions.NewOpinion, "words"), (opinions.set_sentence, "words"), (opinions.set_view, "words"),
    (reviews.act, "comment"), (retention.hold, "reason"), (invites.Invited, "known_as"), (questions.count_unanswered, "question"), (questions.count_meant, "question"),
    (pause.put, "reason"), (local_contacts.put, "value"), (navigation.choose, "text"),
)  # fmt: skip
#: Attributes of Telegram's objects that contain words.
WORDS = {"caption", "venue", "poll", "quote", "forward_origin", "caption_entities", "file_name", "contact"}


def modules(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def test_telegrams_objects_are_read_for_words_in_one_module():
    for name, tree in modules("bot/telegram/handlers", "bot/usecases"):
        read = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & WORDS
        assert not read, (name, read)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr == "text" and isinstance(node.value, ast.Name):
                assert node.value.id not in ("message", "update", "query"), (name, node.lineno)


def test_only_the_gate_screens():
    for name, tree in modules("bot", "storage"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                plain = isinstance(node.func, ast.Name)
                called = node.func.id if plain else getattr(node.func, "attr", "")
                owner = getattr(getattr(node.func, "value", None), "id", "")
                screens = called in ("identifiers", "look", "screened") and (plain or owner == "screening")
                assert not screens or name in MAY_SCREEN, (name, node.lineno, called)


def test_storage_and_walks_take_words_only_as_screened():
    for function, parameter in SINKS:
        hints = typing.get_type_hints(function)
        assert "Screened" in str(hints[parameter]), (function.__qualname__, parameter, hints.get(parameter))


def test_what_was_typed_never_goes_as_it_is_into_a_message_the_store_or_a_log():
    """`typed.text` may only be compared: with labels and commands and, as a keyed hash, with words consumed before."""
    allowed = {
        "taken",
        "are_same",
        "plain",
        "understand",
        "of_emergency",
        "asked_for",
        "reads_like_a_question",
        "says_little",
        "small_talk",
        "canonical",
        "is_spoken_of",
        "ask",
        "spend",
    }
    for name, tree in modules("bot/usecases"):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            direct = [a for a in [*node.args, *(k.value for k in node.keywords)] if _is_typed_text(a)]
            assert not direct or called in allowed, (name, node.lineno, called)


def _is_typed_text(node):
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "text"
        and isinstance(node.value, ast.Name)
        and node.value.id in ("typed", "value", "known_as")
    )


def test_no_use_case_takes_plain_words():
    """A parameter for a person's words is `Typed` or `Screened`, never a string."""
    for name, tree in modules("bot/usecases"):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                for argument in node.args.args:
                    if argument.arg in ("text", "words", "sentence", "comment", "typed") and name not in (
                        GATE,
                        "bot/usecases/context.py",
                    ):
                        assert ast.unparse(argument.annotation or ast.Constant("")) != "str", (
                            name,
                            node.name,
                            argument.arg,
                        )


def test_every_handler_of_messages_reads_through_the_gate():
    tree = ast.parse((ROOT / "bot/telegram/handlers/updates.py").read_text(encoding="utf-8"))
    found = {node.name: ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)}
    for name in ("typed_private", "typed_in_group", "unreadable"):
        assert "gateway.read(" in found[name], name
    assert "gateway.read_text(" in found["asked_inline"]
