"""A copy of an edition with every id renamed: code that relies on the original ids fails with it."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from flows.definition import NOT_SURE
from flows.loader import EDITIONS
from flows.machine import CHECK, ENDED, OUTCOME, PAUSED
from flows.yaml_files import read

#: Words of the format itself.
KEPT = {"yes", "no", NOT_SURE, "skip"}


class Renamer:
    """Gives each id a new one, the same every time."""

    def __init__(self, letter: str) -> None:
        self.letter, self.numbers = letter, count(1)
        self.known: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """Return the new id of an id."""
        if name in KEPT:
            return name
        if name not in self.known:
            self.known[name] = f"{self.letter}{next(self.numbers)}"
        return self.known[name]


QUESTION, OPTION, RESULT, DUTY, PASSAGE, FLOW, CARD, BUTTON = map(Renamer, "qoedpfcb")
#: Question -> its options and their new ids.
OPTIONS: dict[str, dict[str, str]] = {}


def renamed(into: Path, edition: str = "hmg-2015", new_id: str = "other-2030") -> Path:
    """Write a copy of an edition with all its ids renamed, roles declared, and return the folder it is in."""
    folder = Path(shutil.copytree(EDITIONS / edition, into / new_id))
    parts = {name: _questions(part) for name, part in read(folder / "parts.yaml").items()}
    _write(folder / "parts.yaml", parts)
    for path in list((folder / "flows").glob("*.yaml")):
        flow = read(path)
        flow["id"], flow["start"] = FLOW(flow["id"]), QUESTION(flow["start"])
        flow["entries"] = [QUESTION(key) for key in flow["entries"]]
        flow["questions"] = _questions(flow["questions"])
        flow["outcomes"] = {RESULT(key): _outcome(raw or {}) for key, raw in flow["outcomes"].items()}
        path.unlink()
        _write(folder / "flows" / f"{flow['id']}.yaml", flow)
    _write(folder / "passages.yaml", {PASSAGE(key): raw for key, raw in read(folder / "passages.yaml").items()})
    _write(folder / "texts.en.yaml", _texts(read(folder / "texts.en.yaml")))
    _write(folder / "asked.yaml", _asked(read(folder / "asked.yaml")))
    answers = read(folder / "answers.yaml")
    _write(folder / "answers.yaml", {CARD(key): _answer(card) for key, card in answers.items()})
    _write(folder / "edition.yaml", {**read(folder / "edition.yaml"), "id": new_id})
    _write(folder / "roles.yaml", _roles(read(folder / "roles.yaml")))
    return into


def _write(path: Path, raw: object) -> None:
    path.write_text(yaml.safe_dump(raw, allow_unicode=True, sort_keys=False, width=1000), encoding="utf-8")


def _questions(raw: dict[str, Any]) -> dict[str, Any]:
    for key, value in raw.items():
        OPTIONS[key] = {option: OPTION(option) for option in value.get("options", {}) if option not in KEPT}
    return {QUESTION(key): _question(value) for key, value in raw.items()}


def _question(raw: dict[str, Any]) -> dict[str, Any]:
    made = {**raw, "cites": [PASSAGE(key) for key in raw["cites"]]}
    if "next" in raw:
        made["next"] = _ways(raw["next"])
    if "options" in raw:
        made["options"] = {OPTION(key): _option(value or {}) for key, value in raw["options"].items()}
    if "together" in raw:
        made["together"] = {BUTTON(key): _button(shape) for key, shape in raw["together"].items()}
    return made


def _button(raw: Any) -> Any:
    return {**raw, "answers": _triggers(raw["answers"])} if isinstance(raw, dict) else _triggers(raw)


def _triggers(raw: list[str]) -> list[str]:
    return [f"{QUESTION(question)}.{OPTION(option)}" for question, option in (one.split(".") for one in raw)]


def _option(raw: dict[str, Any]) -> dict[str, Any]:
    made = dict(raw)
    if "to" in raw:
        made["to"] = _ways(raw["to"])
    if "duties" in raw:
        made["duties"] = [DUTY(key) for key in raw["duties"]]
    return made


def _ways(raw: Any) -> Any:
    if isinstance(raw, list):
        return [_ways(one) for one in raw]
    return {**raw, "go": _state(raw["go"])} if isinstance(raw, dict) else _state(raw)


def _state(name: str) -> str:
    if name.startswith(OUTCOME):
        return OUTCOME + RESULT(name.removeprefix(OUTCOME))
    if name.endswith(PAUSED):
        return QUESTION(name.removesuffix(PAUSED)) + PAUSED
    return name if name == CHECK else QUESTION(name)


def _outcome(raw: dict[str, Any]) -> dict[str, Any]:
    made = {**raw, "cites": [PASSAGE(key) for key in raw["cites"]]}
    made["duties"] = [
        DUTY(one) if isinstance(one, str) else {**one, "duty": DUTY(one["duty"])} for one in raw["duties"]
    ]
    if "then" in raw:
        made["then"] = raw["then"] if raw["then"] in (CHECK, ENDED) else QUESTION(raw["then"])
    if "agrees_with" in raw:
        made["agrees_with"] = [OPTION(key) for key in raw["agrees_with"]]
    if "implies" in raw:
        made["implies"] = OPTION(raw["implies"])
    return made


def _texts(raw: dict[str, Any]) -> dict[str, Any]:
    def question(words: dict[str, Any]) -> dict[str, Any]:
        made = dict(words)
        for part in {"options", "notes"} & words.keys():
            made[part] = {OPTION(key): text for key, text in words[part].items()}
        if "together" in words:
            made["together"] = {BUTTON(key): text for key, text in words["together"].items()}
        return made

    made = dict(raw)
    made["passages"] = {PASSAGE(key): words for key, words in raw["passages"].items()}
    made["duties"] = {
        DUTY(key): {**words, "cites": [PASSAGE(cite) for cite in words["cites"]]}
        for key, words in raw["duties"].items()
    }
    made["flows"] = {FLOW(key): words for key, words in raw["flows"].items()}
    made["options"] = {OPTION(key): words for key, words in raw["options"].items()}
    made["questions"] = {QUESTION(key): question(words) for key, words in raw["questions"].items()}
    made["outcomes"] = {RESULT(key): words for key, words in raw["outcomes"].items()}
    made["outcomes_in"] = {
        FLOW(flow): {RESULT(key): words for key, words in outcomes.items()}
        for flow, outcomes in raw["outcomes_in"].items()
    }
    return made


def _asked(raw: dict[str, Any]) -> dict[str, Any]:
    made = {**raw, "on_law": [PASSAGE(key) for key in raw["on_law"]], "danger": [PASSAGE(key) for key in raw["danger"]]}
    made["passages"] = {PASSAGE(key): texts for key, texts in raw["passages"].items()}
    made["not_covered"] = {
        topic: {**item, **({"near": [PASSAGE(key) for key in item["near"]]} if "near" in item else {})}
        for topic, item in raw["not_covered"].items()
    }
    return made


def _answer(raw: dict[str, Any]) -> dict[str, Any]:
    made = {**raw, "then": [CARD(key) for key in raw.get("then", ())]}
    for name in ("cites", "more"):
        made[name] = [PASSAGE(key) for key in raw.get(name, ())]
    return {**made, **({"question": QUESTION(raw["question"])} if "question" in raw else {})}


def _roles(raw: dict[str, Any]) -> dict[str, Any]:
    starts = {
        command: {
            "flow": FLOW(start["flow"]),
            **({"entry": QUESTION(start["entry"])} if "entry" in start else {}),
            "answers": _triggers(start.get("answers", [])),
            "bulk": start.get("bulk", False),
        }
        for command, start in raw["starts"].items()
    }
    return {
        "starts": starts,
        "questions": dict(QUESTION.known),
        "options": {key: named for key, named in OPTIONS.items() if named},
        "outcomes": dict(RESULT.known),
        "duties": dict(DUTY.known),
        "passages": {**PASSAGE.known, **{role: PASSAGE(key) for role, key in raw["passages"].items()}},
        "rules": [PASSAGE(key) for key in raw["rules"]],
        "steps": {DUTY(key): _step(step) for key, step in raw["steps"].items()},
        "look_again": [_look(look) for look in raw["look_again"]],
    }


def _step(raw: dict[str, Any]) -> dict[str, Any]:
    done = {QUESTION(key): [OPTION(option) for option in options] for key, options in raw.get("done", {}).items()}
    return {**raw, "done": done}


def _look(raw: dict[str, Any]) -> dict[str, Any]:
    beside = {QUESTION(key): [OPTION(option) for option in options] for key, options in raw.get("with", {}).items()}
    options = [OPTION(option) for option in raw["options"]]
    return {"question": QUESTION(raw["question"]), "options": options, "with": beside}
