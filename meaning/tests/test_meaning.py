"""Tests of the tokenizer, the encoder and the stored weights."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sharewise_meaning
from sharewise_meaning import load, vectors
from sharewise_meaning.encoder import erf, read_tensors
from sharewise_meaning.wordpiece import LONGEST_TEXT, MOST_PIECES, WordPiece, basic_words

PACKAGE = Path(sharewise_meaning.__file__).parent
VOCABULARY = (PACKAGE / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:-1]
REFERENCE: dict[str, list[float]] = json.loads((Path(__file__).parent / "reference.json").read_text(encoding="ascii"))
TOKENIZER = WordPiece(VOCABULARY)

PAIRS = [
    ("May I tell the police what the girl said?", "Am I allowed to inform law enforcement of her words?"),
    ("The boy has bruises on his arms.", "There are marks on the child's body."),
    ("How long are records kept?", "When will the files be deleted?"),
    ("Do I need the parents' consent?", "Must the mother and father agree first?"),
    ("Where can I buy fresh bread?", "Is there a bakery near here?"),
    ("My car will not start.", "The vehicle's engine is broken."),
    ("What will the weather be tomorrow?", "Is it going to rain in the morning?"),
    ("She is afraid of her stepfather.", "The girl fears the man her mother married."),
]


def pieces(text: str) -> list[str]:
    """Give the pieces of a text without the start and end pieces."""
    return [VOCABULARY[number] for number in TOKENIZER.numbers(text)][1:-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("   \t\n ", []),
        ("Hello, World!", ["hello", ",", "world", "!"]),
        ("safeguarding", ["safeguard", "##ing"]),
        ("unaffable", ["una", "##ffa", "##ble"]),
        ("Zürich café NAÏVE", ["zurich", "cafe", "naive"]),
        ("don't", ["don", "'", "t"]),
        ("“Don’t”", ["“", "don", "’", "t", "”"]),
        ("a$b£5", ["a", "$", "b", "##£", "##5"]),
        ("4-year-old", ["4", "-", "year", "-", "old"]),
        ("no\u00a0break\u200bspace", ["no", "breaks", "##pace"]),
        ("bad\x00\ufffd\ud800byte", ["bad", "##by", "##te"]),
        ("[SEP] [UNK]", ["[", "sep", "]", "[", "un", "##k", "]"]),
        ("unused [unused7]", ["unused", "[", "unused", "##7", "]"]),
        ("中文", ["[UNK]", "[UNK]"]),
        ("Привет world", ["[UNK]", "world"]),
        ("α-helix", ["α", "-", "helix"]),
        ("z" * 101, ["[UNK]"]),
        ("🙂 fine", ["[UNK]", "fine"]),
    ],
)
def test_tokenizer(text: str, expected: list[str]) -> None:
    """Each text falls into the pieces that BERT gives it, or the unknown piece where its script was left out."""
    assert pieces(text) == expected


def test_vocabulary_is_whole() -> None:
    """No piece is there twice, and every letter and digit stands alone and continues a word."""
    assert len(set(VOCABULARY)) == len(VOCABULARY)
    for character in "abcdefghijklmnopqrstuvwxyz0123456789":
        assert {character, f"##{character}"} <= set(VOCABULARY)


def test_long_text_is_cut() -> None:
    """A long text gives exactly the most pieces allowed, ends with the end piece and is read no further."""
    numbers = TOKENIZER.numbers("child " * 1_000_000)
    assert len(numbers) == MOST_PIECES
    assert VOCABULARY[numbers[-1]] == "[SEP]"
    assert basic_words(" " * LONGEST_TEXT + "child") == []


@given(st.text(st.characters(codec=None), max_size=300))
def test_any_text_has_pieces(text: str) -> None:
    """Any text, lone surrogates included, gives known piece numbers, the same each time."""
    numbers = TOKENIZER.numbers(text)
    assert 2 <= len(numbers) <= MOST_PIECES
    assert all(0 <= number < len(VOCABULARY) for number in numbers)
    assert TOKENIZER.numbers(text) == numbers


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=4))
def test_any_texts_have_vectors(texts: list[str]) -> None:
    """Any texts give finite float32 vectors of length one, in order."""
    result = vectors(texts)
    assert result.shape == (len(texts), 384)
    assert result.dtype == np.float32
    assert np.allclose(np.linalg.norm(result, axis=1), 1, atol=1e-5)


def test_erf_is_exact_enough() -> None:
    """The approximation stays within 1e-6 of the error function."""
    x = np.linspace(-8, 8, 100_001, dtype=np.float32)
    assert np.abs(erf(x) - [math.erf(value) for value in x]).max() < 1e-6


def test_same_text_same_vector() -> None:
    """The same call gives the same bits, from any thread."""
    texts = list(REFERENCE)
    first = vectors(texts).tobytes()
    with ThreadPoolExecutor(4) as pool:
        assert {result.tobytes() for result in pool.map(lambda _: vectors(texts), range(8))} == {first}


def test_batch_equals_single() -> None:
    """A text has the same vector within 1e-5 whatever texts stand beside it."""
    texts = [text for pair in PAIRS for text in pair] + list(REFERENCE)
    singles = np.concatenate([vectors([text]) for text in texts])
    assert np.abs(vectors(texts) - singles).max() < 1e-5


@pytest.mark.parametrize("text", REFERENCE)
def test_close_to_float32(text: str) -> None:
    """The int8 weights give the vector of the float32 model; a text of one word or none has the largest error."""
    expected = np.array(REFERENCE[text])
    cosine = float(vectors([text])[0] @ expected / np.linalg.norm(expected))
    assert cosine > (0.999 if len(text.split()) > 1 else 0.996)


def test_nearest_pairs() -> None:
    """Of all the sentences, the nearest to each is the one that means the same."""
    texts = [text for pair in PAIRS for text in pair]
    result = vectors(texts)
    scores = result @ result.T - 2 * np.eye(len(texts))
    assert scores.argmax(axis=1).tolist() == [number ^ 1 for number in range(len(texts))]


def test_bounds() -> None:
    """No texts give no rows, a single text is refused, and loading again does nothing."""
    load()
    load()
    assert vectors([]).shape == (0, 384)
    with pytest.raises(TypeError, match="sequence of texts"):
        vectors("one text")


@pytest.mark.parametrize(
    ("size", "message"), [(4, "Expecting value"), (100, "Unterminated|Expecting"), (10**6, "size")]
)
def test_damaged_weights_are_refused(size: int, message: str) -> None:
    """A weights file that was cut short is an error, not wrong vectors."""
    raw = np.fromfile(PACKAGE / "weights.bin", np.uint8)[:size]
    with pytest.raises(ValueError, match=message):
        read_tensors(raw)
