"""The bot's own words, from texts.<language>.yaml beside this file. Another language is another file with the same keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from flows.yaml_files import read_text

LANGUAGE = "en"


class Plural(BaseModel):
    """A text that depends on `count`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    one: str
    other: str


Text = str | Plural | tuple[str, ...]
_SHAPE: TypeAdapter[Mapping[str, object]] = TypeAdapter(Mapping[str, object])
_LEAF: TypeAdapter[Text] = TypeAdapter(Annotated[str, Field(min_length=1, strict=True)] | Plural | tuple[str, ...])


def text_of(key: str, /, **values: object) -> str:
    """Return the text with this key, for example "walk.cancelled", with its placeholders filled in.

    A text with a plural is chosen by the value of `count`. Raise KeyError for an unknown key or a missing value.
    """
    return "\n".join(lines_of(key, **values))


def lines_of(key: str, /, **values: object) -> list[str]:
    """Return a text that the file keeps as a list, line by line, with its placeholders filled in."""
    text = texts()[key]
    if isinstance(text, Plural):
        text = text.one if values["count"] == 1 else text.other
    return [line.format(**values) for line in ([text] if isinstance(text, str) else text)]


def labels(section: str) -> dict[str, str]:
    """Return the texts directly below a section by the last part of their keys, in the order of the file."""
    return {key.removeprefix(f"{section}."): text_of(key) for key in texts() if key.rpartition(".")[0] == section}


@cache
def texts(language: str = LANGUAGE) -> Mapping[str, Text]:
    """Return all texts of a language by their dotted keys; raise FileNotFoundError if there is no such file."""
    file = resources.files("bot.messages").joinpath(f"texts.{language}.yaml")
    return dict(_flat(read_text(file.read_text(encoding="utf-8"))))


def _flat(section: object, prefix: str = "") -> Iterator[tuple[str, Text]]:
    for name, value in _SHAPE.validate_python(section).items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and value.keys() != {"one", "other"}:
            yield from _flat(value, f"{key}.")
        else:
            yield key, _LEAF.validate_python(value)
