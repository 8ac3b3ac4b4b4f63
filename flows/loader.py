"""Load an Edition from its YAML files. Only this module and advice.py (asked.yaml) read editions/.

An edition is pure data: ids, edges, wording and sources. The loader collects every problem before it raises, so that the
author sees them all at once, each with its file and id.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flows.definition import (
    NOT_SURE,
    AnswerCard,
    Duty,
    DutyUse,
    Edge,
    Edition,
    Flow,
    InvalidEdition,
    Option,
    Outcome,
    Passage,
    Question,
    Together,
)
from flows.edition_files import (
    AnswersFile,
    Edges,
    EditionFile,
    FlowFile,
    OptionShape,
    OutcomeShape,
    PartsFile,
    PassagesFile,
    PassageShape,
    QuestionShape,
    QuestionWords,
    RolesFile,
    TextsFile,
    TogetherShape,
)
from flows.machine import PAUSED
from flows.roles import Roles
from flows.validation import problems as problems_of
from flows.yaml_files import SafeLoader

EDITIONS = Path(__file__).parent / "editions"
#: Files that help the rest of Sharewise to find things in an edition, and answers in our own words that rest on it. They
#: change neither its wording nor its routes, so they are not part of the hash.
NOT_HASHED = {"roles.yaml", "asked.yaml", "answers.yaml"}

#: Kinds of pydantic's errors -> what the author should write.
NEEDED = {
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "dict_type": "must hold keys and values",
    "model_type": "must hold keys and values",
    "model_attributes_type": "must hold keys and values",
}
#: What replaces a wrong value, by the kind of its error, so that the rest of the file can still be checked.
REPLACED: dict[str, Any] = {"bool_type": False, "tuple_type": [], "dict_type": {}, "literal_error": "no"}
PLACEHOLDER = "?"

File = TypeVar("File", bound=BaseModel)
Wording = TypeVar("Wording")


class _StrictLoader(SafeLoader):  # type: ignore[misc]
    """A loader that rejects duplicate keys instead of silently keeping the last one."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
    seen: set[Hashable] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f'"{key}" is written twice', key_node.start_mark)
        seen.add(key)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load(folder: Path) -> Edition:
    """Load the edition in a folder; raise InvalidEdition with every problem found."""
    reader = _Reader(folder)
    edition = reader.edition()
    found = [*reader.problems]
    if edition and not reader.unread:
        found += problems_of(edition)
    if found or edition is None:
        raise InvalidEdition(tuple(dict.fromkeys(found)))
    return edition


def sha256_of(folder: Path) -> str:
    """Return the content hash of an edition: SHA-256 over the names and contents of the files with its wording and routes."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.yaml")):
        if path.name in NOT_HASHED:
            continue
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


class _Reader:
    """Reads the files of one edition, and collects their problems."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []
        #: Set when a file could not be read. The later checks would only report the consequences, so they are skipped.
        self.unread = False
        self.texts = TextsFile()

    # ---- files --------------------------------------------------------------------------------
    def problem(self, file: str, where: str, what: str) -> None:
        self.problems.append(f"{self.folder.name}/{file}: {where}: {what}")

    def read(self, file: str, shape: type[File]) -> File | None:
        """Return a file in its shape. What is wrong is reported and replaced, so that the rest can be checked too."""
        raw = self._yaml(file)
        try:
            return shape.model_validate(raw)
        except ValidationError as found:
            errors = found.errors(include_url=False, include_context=True)
        for error in errors:
            where = ".".join(str(part) for part in _place(error)) or "file"
            self.problem(file, where, _in_words(error))
        try:
            return shape.model_validate(_repaired(raw, errors))
        except ValidationError:
            self.unread = True
            return None

    def _yaml(self, file: str) -> Any:
        path = self.folder / file
        if not path.is_file():
            self.unread = True
            self.problem(file, "file", "is missing")
            return {}
        try:
            raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 (a SafeLoader)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            self.unread = True
            self.problem(file, "file", f"cannot be read: {' '.join(str(error).split())}")
            return {}
        return {} if raw is None else raw

    # ---- an edition ---------------------------------------------------------------------------
    def edition(self) -> Edition | None:
        about = self.read("edition.yaml", EditionFile)
        self.texts = self.read("texts.en.yaml", TextsFile) or TextsFile()
        places = self.read("passages.yaml", PassagesFile)
        parts = self.read("parts.yaml", PartsFile)
        answers = self.read("answers.yaml", AnswersFile)
        roles = self._roles()
        files = sorted(path.name for path in (self.folder / "flows").glob("*.yaml"))
        flows = [flow for file in files if (flow := self._flow(f"flows/{file}", parts, roles))]
        if not files:
            self.problem("flows/", "folder", "holds no flow")
        self._unused_texts(flows)
        if about is None or places is None or parts is None or answers is None:
            return None
        return Edition(
            **dict(about),
            passages={key: passage for key, place in places.root.items() if (passage := self._passage(key, place))},
            duties={key: Duty(id=key, **dict(words)) for key, words in self.texts.duties.items()},
            flows={flow.id: flow for flow in flows},
            cards={key: AnswerCard(id=key, **dict(card)) for key, card in answers.root.items()},
            roles=roles,
            sha256=sha256_of(self.folder),
            folder=self.folder,
        )

    def _words(self, part: str, key: str, found: Wording | None) -> Wording | None:
        if found is None:
            self.problem("texts.en.yaml", f"{part}.{key}", "is missing")
        return found

    def _passage(self, key: str, place: PassageShape) -> Passage | None:
        words = self._words("passages", key, self.texts.passages.get(key))
        return Passage(id=key, **dict(place), **dict(words)) if words else None

    def _roles(self) -> Roles:
        found = self.read("roles.yaml", RolesFile) or RolesFile()
        starts = {command: start.start() for command, start in found.starts.items()}
        steps = {duty: step.step() for duty, step in found.steps.items()}
        look_again = tuple(look.look() for look in found.look_again)
        return Roles(**{**dict(found), "starts": starts, "steps": steps, "look_again": look_again})

    def _flow(self, file: str, parts: PartsFile | None, roles: Roles) -> Flow | None:
        found = self.read(file, FlowFile)
        if found is None:
            return None
        questions = {key: self._question(file, key, question) for key, question in found.questions.items()}
        for part in found.parts:
            if parts and part not in parts.root:
                self.problem(file, "parts", f'no part "{part}" in parts.yaml')
            for key, question in (parts.root.get(part, {}) if parts else {}).items():
                if key in questions:
                    self.problem(file, key, "is also in parts.yaml")
                questions[key] = self._question("parts.yaml", key, question)
        words = self._words("flows", found.id, self.texts.flows.get(found.id))
        return Flow(
            id=found.id,
            title=words.title if words else "",
            note=words.note if words else "",
            start=found.start,
            entries=found.entries,
            questions=questions,
            outcomes={key: self._outcome(found.id, key, outcome) for key, outcome in found.outcomes.items()},
            conditions=self.texts.conditions,
            roles=roles,
        )

    def _question(self, file: str, key: str, found: QuestionShape) -> Question:
        words = self._words("questions", key, self.texts.questions.get(key))
        for part in ("options", "notes", "together"):
            known = found.together if part == "together" else found.options
            for option_id in getattr(words, part, {}):
                if option_id not in known:
                    self.problem(
                        "texts.en.yaml", f"questions.{key}.{part}", f'no option "{option_id}" at this question'
                    )
        edges = _edges(found.next)
        return Question(
            id=key,
            kind=found.kind,
            label=words.label if words else "",
            short=words.short if words else "",
            quoted=bool(words and words.quoted),
            why=words.why if words else "",
            cites=found.cites,
            options=tuple(self._option(file, key, one, option, edges, words) for one, option in found.options.items()),
            text=found.text,
            edges=edges,
            may_be_left_out=found.may_be_left_out,
            follows_outcome=found.follows_outcome,
            together=tuple(self._together(key, name, shape, words) for name, shape in found.together.items()),
            asks=(words and words.asks) or "",
            example=(words and words.example) or "",
            unsure=(words and words.unsure) or "",
        )

    def _together(self, key: str, name: str, found: TogetherShape, words: QuestionWords | None) -> Together:
        label = self._words("questions", f"{key}.together.{name}", words.together.get(name) if words else None)
        return Together(name, label or "", found.answers, found.offered_when)

    def _option(
        self,
        file: str,
        key: str,
        option_id: str,
        found: OptionShape,
        edges: tuple[Edge, ...],
        words: QuestionWords | None,
    ) -> Option:
        label = words.options.get(option_id) if words else None
        label = label or self._words("questions", f"{key}.options.{option_id}", self.texts.options.get(option_id))
        if option_id == NOT_SURE and found.to:
            self.problem(file, f"{key}.{option_id}", 'not_sure always pauses: it takes no "to"')
        if option_id == NOT_SURE:
            edges = (Edge(key + PAUSED),)
        elif found.to:
            edges = _edges(found.to)
        return Option(
            id=option_id,
            label=label or "",
            edges=edges,
            offered_when=found.offered_when,
            duties=found.duties,
            note=words.notes.get(option_id, "") if words else "",
            plain=found.plain,
        )

    def _outcome(self, flow_id: str, key: str, found: OutcomeShape) -> Outcome:
        own = self.texts.outcomes_in.get(flow_id, {}).get(key)
        words = own or self._words("outcomes", key, self.texts.outcomes.get(key))
        return Outcome(
            id=key,
            title=words.title if words else "",
            body=words.body if words else "",
            cites=found.cites,
            duties=tuple(DutyUse(use.duty, use.when) for use in found.duties),
            then=found.then,
            agrees_with=found.agrees_with,
            implies=found.implies,
        )

    def _unused_texts(self, flows: list[Flow]) -> None:
        questions = {key for flow in flows for key in flow.questions}
        outcomes = {key for flow in flows for key in flow.outcomes}
        ids = {flow.id for flow in flows}
        for part, found, known in (
            ("questions", self.texts.questions, questions),
            ("outcomes", self.texts.outcomes, outcomes),
            ("flows", self.texts.flows, ids),
        ):
            for key in found.keys() - known:
                self.problem("texts.en.yaml", f"{part}.{key}", "belongs to nothing")


def _edges(found: Edges) -> tuple[Edge, ...]:
    return tuple(Edge(edge.go, edge.when) for edge in found)


# ---- descriptions of problems ----------------------------------------------------------------------------
def _is_key(error: ErrorDetails) -> bool:
    """Return whether an error is about a key that is not text, which pydantic marks at the end of its place."""
    return error["loc"][-1:] == ("[key]",)


def _place(error: ErrorDetails) -> tuple[str | int, ...]:
    """Return the place of an error: for a wrong key, the mapping that it is in."""
    if _is_key(error):
        return error["loc"][:-2]
    return error["loc"][:-1] if error["type"] == "extra_forbidden" else error["loc"]


def _in_words(error: ErrorDetails) -> str:
    kind, given = error["type"], error["input"]
    if _is_key(error):
        hint = ' (write "yes" or "no" in quotes: YAML reads a bare one as true or false)'
        return f"key {given!r} is not text{hint if isinstance(given, bool) else ''}"
    if kind == "extra_forbidden":
        return f'unknown key "{error["loc"][-1]}"'
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "enum":
        return f"must be {error['ctx']['expected'].replace(chr(39), '')}, not {given!r}"
    if kind in NEEDED:
        return f"{NEEDED[kind]}, not {given!r}"
    return "is missing" if kind == "missing" else f"{error['msg']}, not {given!r}"


def _repaired(raw: Any, errors: list[ErrorDetails]) -> Any:
    """Return a file's content with wrong keys dropped and wrong values replaced by empty ones."""
    repaired = copy.deepcopy(raw)
    for error in errors:
        place = error["loc"][:-1] if _is_key(error) else error["loc"]
        holder = repaired
        try:
            for step in place[:-1]:
                holder = holder[step]
            if _is_key(error):
                del holder[error["input"]]
            elif error["type"] == "extra_forbidden":
                del holder[place[-1]]
            else:
                first = error["ctx"]["expected"].split("'")[1] if error["type"] == "enum" else PLACEHOLDER
                holder[place[-1]] = REPLACED.get(error["type"], first)
        except (LookupError, TypeError):
            # Something above it was already replaced, or the whole file has another shape.
            continue
    return repaired
