"""The editions that ship with the product, by id and hash; each is loaded once and shared read-only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from flows.advice import Index
from flows.definition import Edition
from flows.loader import EDITIONS, load
from flows.machine import FlowMachine


class UnknownEdition(Exception):
    """No edition has this id, or its content differs from the pinned one."""


@dataclass(frozen=True)
class Book:
    """An edition with its compiled flows."""

    edition: Edition
    machines: dict[str, FlowMachine]

    @cached_property
    def index(self) -> Index:
        """The search index for questions, built at first use."""
        return Index(self.edition)

    def machine(self, flow: str) -> FlowMachine:
        """Return a compiled flow; raise KeyError if the edition does not have it."""
        return self.machines[flow]


def ids() -> tuple[str, ...]:
    """Return the ids of all editions that ship with the product."""
    return tuple(sorted(path.name for path in EDITIONS.iterdir() if (path / "edition.yaml").is_file()))


@cache
def open_book(edition_id: str, folder: Path = EDITIONS) -> Book:
    """Load an edition by id; raise UnknownEdition or InvalidEdition."""
    if edition_id not in {path.name for path in folder.iterdir()}:
        known = ", ".join(ids())
        raise UnknownEdition(f"There is no edition {edition_id}. Known: {known}.")
    edition = load(folder / edition_id)
    return Book(edition, {flow.id: FlowMachine(flow) for flow in edition.flows.values()})
