"""Read YAML and JSON: plain values only, with libyaml if PyYAML was built with it, which is ten times as fast."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_text(text: str) -> Any:
    """Return what a YAML text says."""
    return yaml.load(text, Loader=SafeLoader)  # noqa: S506 (it is a safe loader)


def read(path: Path) -> Any:
    """Return the content of a file; raise FileNotFoundError."""
    return read_text(path.read_text(encoding="utf-8"))


def packaged(*path: str) -> Any:
    """Return the content of a file in this package, by its path there; raise FileNotFoundError."""
    return read_text(files("flows").joinpath(*path).read_text(encoding="utf-8"))


def packaged_json(*path: str) -> Any:
    """Return the content of a JSON file in this package; raise FileNotFoundError."""
    return json.loads(files("flows").joinpath(*path).read_bytes())
