"""Load an Edition from its YAML files. Only this module and advice.py (asked.yaml) read editions/.

An edition is pure data: ids, edges, wording and sources. The loader collects every problem before it raises, so that the
author sees them all at once, each with its file and id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from flows.definition import (
    NOT_SURE,
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
)
from flows.machine import PAUSED
from flows.roles import Roles, Start
from flows.validation import problems as problems_of
from flows.yaml_files import SafeLoader

EDITIONS = Path(__file__).parent / "editions"

EDITION_KEYS = {
    "id", "title", "published", "publisher", "licence", "jurisdiction", "status", "replaced_by", "banner", "law_note",
    "not_verified",
}  # fmt: skip
FLOW_KEYS = {"id", "parts", "start", "entries", "questions", "outcomes"}
QUESTION_KEYS = {"kind", "cites", "options", "text", "next", "may_finish", "follows_outcome"}
ROLES_KEYS = {"starts", "questions", "options", "outcomes", "duties", "passages", "rules"}
#: Files that only help the rest of Sharewise to find things in an edition. They change no wording and no route, so they
#: are not part of the hash.
NOT_HASHED = {"roles.yaml", "asked.yaml"}
OPTION_KEYS = {"to", "offered_when", "duties", "plain"}
OUTCOME_KEYS = {"cites", "duties", "then", "agrees_with", "implies"}
PASSAGE_KEYS = {"section", "where", "strength"}
TEXT_KEYS = {"passages", "duties", "flows", "options", "questions", "outcomes", "outcomes_in", "conditions"}
QUESTION_TEXT_KEYS = {"label", "quoted", "why", "options", "notes"}
DUTY_KEYS = {"text", "strength", "cites"}


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
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []
        #: Set when a file could not be read. The later checks would only report the consequences, so they are skipped.
        self.unread = False
        self.texts: dict[str, Any] = {}

    # ---- raw files ----------------------------------------------------------------------------
    def problem(self, file: str, where: str, what: str) -> None:
        self.problems.append(f"{self.folder.name}/{file}: {where}: {what}")

    def read(self, file: str) -> dict[str, Any]:
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
        if not isinstance(raw, dict):
            self.problem(file, "file", "must hold keys and values")
            return {}
        return {key: value for key, value in raw.items() if self._is_id(file, "top level", key)}

    def _is_id(self, file: str, where: str, key: object) -> bool:
        if isinstance(key, str):
            return True
        hint = ' (write "yes" or "no" in quotes: YAML reads a bare one as true or false)'
        self.problem(file, where, f"key {key!r} is not text{hint if isinstance(key, bool) else ''}")
        return False

    def section(self, file: str, where: str, raw: object, known: Iterable[str] | None = None) -> dict[str, Any]:
        """Return `raw` as a mapping with text keys; report unknown keys as problems."""
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self.problem(file, where, "must hold keys and values")
            return {}
        found = {key: value for key, value in raw.items() if self._is_id(file, where, key)}
        if known is not None:
            for key in found.keys() - set(known):
                self.problem(file, where, f'unknown key "{key}"')
        return found

    def words(self, file: str, where: str, raw: object) -> str:
        if isinstance(raw, str) and raw.strip():
            return " ".join(raw.split())
        self.problem(file, where, f"must be text, not {raw!r}")
        return ""

    def names(self, file: str, where: str, raw: object) -> tuple[str, ...]:
        if raw is None:
            return ()
        if isinstance(raw, list) and all(isinstance(item, str) for item in raw):
            return tuple(raw)
        self.problem(file, where, f"must be a list of ids, not {raw!r}")
        return ()

    # ---- an edition ---------------------------------------------------------------------------
    def edition(self) -> Edition | None:
        meta = self.section("edition.yaml", "edition", self.read("edition.yaml"), EDITION_KEYS)
        for key in EDITION_KEYS - {"not_verified"}:
            if key not in meta:
                self.problem("edition.yaml", key, "is missing")
            else:
                meta[key] = self.words("edition.yaml", key, meta[key])
        raw_texts = self.section("texts.en.yaml", "top level", self.read("texts.en.yaml"), TEXT_KEYS)
        self.texts = {key: self.section("texts.en.yaml", key, value) for key, value in raw_texts.items()}
        passages = self._passages()
        duties = self._duties()
        parts = {name: self.section("parts.yaml", name, value) for name, value in self.read("parts.yaml").items()}
        roles = self._roles()
        flows: dict[str, Flow] = {}
        for path in sorted((self.folder / "flows").glob("*.yaml")):
            flow = self._flow(f"flows/{path.name}", parts, roles)
            flows[flow.id] = flow
        if not flows:
            self.problem("flows/", "folder", "holds no flow")
        self._unused_texts(flows)
        if not meta.get("id"):
            return None
        return Edition(
            **{key: meta.get(key, "") for key in EDITION_KEYS - {"not_verified"}},
            not_verified=self.names("edition.yaml", "not_verified", meta.get("not_verified")),
            passages=passages,
            duties=duties,
            flows=flows,
            roles=roles,
            sha256=sha256_of(self.folder),
            folder=self.folder,
        )

    def text(self, part: str, key: str, known: set[str]) -> dict[str, Any]:
        return self.section("texts.en.yaml", f"{part}.{key}", self.texts.get(part, {}).get(key), known)

    def _passages(self) -> dict[str, Passage]:
        found: dict[str, Passage] = {}
        for key, raw in self.read("passages.yaml").items():
            place = self.section("passages.yaml", key, raw, PASSAGE_KEYS)
            words = self.text("passages", key, {"title", "text"})
            found[key] = Passage(
                id=key,
                section=self.words("passages.yaml", key, place.get("section")),
                where=self.words("passages.yaml", key, place.get("where")),
                strength=self.words("passages.yaml", key, place.get("strength")),
                title=self.words("texts.en.yaml", f"passages.{key}.title", words.get("title")),
                text=self.words("texts.en.yaml", f"passages.{key}.text", words.get("text")),
            )
        return found

    def _duties(self) -> dict[str, Duty]:
        found: dict[str, Duty] = {}
        for key in self.texts.get("duties", {}):
            words = self.text("duties", key, DUTY_KEYS)
            where = f"duties.{key}"
            found[key] = Duty(
                id=key,
                text=self.words("texts.en.yaml", where, words.get("text")),
                strength=self.words("texts.en.yaml", where, words.get("strength")),
                cites=self.names("texts.en.yaml", where, words.get("cites")),
            )
        return found

    def _roles(self) -> Roles:
        raw = self.section("roles.yaml", "top level", self.read("roles.yaml"), ROLES_KEYS)

        def named(part: str, value: object) -> dict[str, str]:
            found = self.section("roles.yaml", part, value)
            return {role: self.words("roles.yaml", f"{part}.{role}", node) for role, node in found.items()}

        starts = {}
        for command, value in self.section("roles.yaml", "starts", raw.get("starts")).items():
            start = self.section("roles.yaml", f"starts.{command}", value, {"flow", "entry"})
            entry = start.get("entry")
            starts[command] = Start(
                self.words("roles.yaml", f"starts.{command}.flow", start.get("flow")),
                None if entry is None else self.words("roles.yaml", f"starts.{command}.entry", entry),
            )
        options = self.section("roles.yaml", "options", raw.get("options"))
        return Roles(
            starts=starts,
            options={role: named(f"options.{role}", value) for role, value in options.items()},
            rules=self.names("roles.yaml", "rules", raw.get("rules")),
            **{part: named(part, raw.get(part)) for part in ("questions", "outcomes", "duties", "passages")},
        )

    def _flow(self, file: str, parts: Mapping[str, dict[str, Any]], roles: Roles) -> Flow:
        raw = self.section(file, "flow", self.read(file), FLOW_KEYS)
        flow_id = self.words(file, "id", raw.get("id"))
        questions: dict[str, Question] = {}
        for key, value in self.section(file, "questions", raw.get("questions")).items():
            questions[key] = self._question(file, key, value)
        for part in self.names(file, "parts", raw.get("parts")):
            if part not in parts:
                self.problem(file, "parts", f'no part "{part}" in parts.yaml')
            for key, value in parts.get(part, {}).items():
                if key in questions:
                    self.problem(file, key, "is also in parts.yaml")
                questions[key] = self._question("parts.yaml", key, value)
        outcomes = {
            key: self._outcome(file, flow_id, key, value)
            for key, value in self.section(file, "outcomes", raw.get("outcomes")).items()
        }
        words = self.text("flows", flow_id, {"title", "note"})
        return Flow(
            id=flow_id,
            title=self.words("texts.en.yaml", f"flows.{flow_id}.title", words.get("title")),
            note=str(words.get("note") or ""),
            start=self.words(file, "start", raw.get("start")),
            entries=self.names(file, "entries", raw.get("entries")),
            questions=questions,
            outcomes=outcomes,
            conditions={key: str(value) for key, value in self.texts.get("conditions", {}).items()},
            roles=roles,
        )

    def _question(self, file: str, key: str, raw: object) -> Question:
        data = self.section(file, key, raw, QUESTION_KEYS)
        words = self.text("questions", key, QUESTION_TEXT_KEYS)
        where = f"questions.{key}"
        edges = self._edges(file, key, data["next"]) if "next" in data else ()
        options: list[Option] = []
        for option_id, option in self.section(file, f"{key}.options", data.get("options")).items():
            options.append(self._option(file, key, option_id, option, edges, words))
        ids = {option.id for option in options}
        for part in ("options", "notes"):
            for option_id in self.section("texts.en.yaml", f"{where}.{part}", words.get(part)):
                if option_id not in ids:
                    self.problem("texts.en.yaml", f"{where}.{part}", f'no option "{option_id}" at this question')
        text = data.get("text", "no")
        if text not in ("no", "optional", "required"):
            self.problem(file, key, f'text must be "optional" or "required", not {text!r}')
        return Question(
            id=key,
            kind=self.words(file, f"{key}.kind", data.get("kind")),
            label=self.words("texts.en.yaml", f"{where}.label", words.get("label")),
            quoted=words.get("quoted") is True,
            why=self.words("texts.en.yaml", f"{where}.why", words.get("why")),
            cites=self.names(file, f"{key}.cites", data.get("cites")),
            options=tuple(options),
            text=str(text),
            edges=edges,
            may_finish=data.get("may_finish") is True,
            follows_outcome=data.get("follows_outcome") is True,
        )

    def _option(
        self, file: str, key: str, option_id: str, raw: object, edges: tuple[Edge, ...], words: dict[str, Any]
    ) -> Option:
        where = f"{key}.{option_id}"
        data = self.section(file, where, raw, OPTION_KEYS)
        own = words.get("options") if isinstance(words.get("options"), dict) else {}
        notes = words.get("notes") if isinstance(words.get("notes"), dict) else {}
        label = (own or {}).get(option_id) or self.texts.get("options", {}).get(option_id)
        if option_id == NOT_SURE and "to" in data:
            self.problem(file, where, 'not_sure always pauses: it takes no "to"')
        if option_id == NOT_SURE:
            edges = (Edge(key + PAUSED),)
        elif "to" in data:
            edges = self._edges(file, where, data["to"])
        return Option(
            id=option_id,
            label=self.words("texts.en.yaml", f"questions.{key}.options.{option_id}", label),
            edges=edges,
            offered_when=data.get("offered_when"),
            duties=self.names(file, where, data.get("duties")),
            note=" ".join(str((notes or {}).get(option_id, "")).split()),
            plain=data.get("plain") is True,
        )

    def _edges(self, file: str, where: str, raw: object) -> tuple[Edge, ...]:
        found: list[Edge] = []
        for item in raw if isinstance(raw, list) else [raw]:
            if isinstance(item, str):
                found.append(Edge(item))
            else:
                data = self.section(file, where, item, {"when", "go"})
                found.append(Edge(str(data.get("go")), data.get("when")))
        return tuple(found)

    def _outcome(self, file: str, flow_id: str, key: str, raw: object) -> Outcome:
        data = self.section(file, key, raw, OUTCOME_KEYS)
        own = self.texts.get("outcomes_in", {}).get(flow_id) or {}
        words = self.section("texts.en.yaml", f"outcomes.{key}", own.get(key), {"title", "body"})
        words = words or self.text("outcomes", key, {"title", "body"})
        duties: list[DutyUse] = []
        for item in data.get("duties") or []:
            if isinstance(item, str):
                duties.append(DutyUse(item))
            else:
                use = self.section(file, f"{key}.duties", item, {"duty", "when"})
                duties.append(DutyUse(str(use.get("duty")), use.get("when")))
        return Outcome(
            id=key,
            title=self.words("texts.en.yaml", f"outcomes.{key}.title", words.get("title")),
            body=self.words("texts.en.yaml", f"outcomes.{key}.body", words.get("body")),
            cites=self.names(file, f"{key}.cites", data.get("cites")),
            duties=tuple(duties),
            then=data.get("then"),
            agrees_with=self.names(file, f"{key}.agrees_with", data.get("agrees_with")),
            implies=data.get("implies"),
        )

    def _unused_texts(self, flows: Mapping[str, Flow]) -> None:
        questions = {key for flow in flows.values() for key in flow.questions}
        outcomes = {key for flow in flows.values() for key in flow.outcomes}
        for part, known in (("questions", questions), ("outcomes", outcomes), ("flows", set(flows))):
            for key in self.texts.get(part, {}).keys() - known:
                self.problem("texts.en.yaml", f"{part}.{key}", "belongs to nothing")
