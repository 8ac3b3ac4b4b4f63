"""YAML as it is read here: plain values only, by libyaml where PyYAML was built with it, which is ten times as fast."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(path: Path) -> Any:
    """Return what a file holds; raise FileNotFoundError."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=SafeLoader)  # noqa: S506 (it is a safe loader)


def packaged(*path: str) -> Any:
    """Return what a file of this package holds, by its path in the package; raise FileNotFoundError."""
    text = files("flows").joinpath(*path).read_text(encoding="utf-8")
    return yaml.load(text, Loader=SafeLoader)  # noqa: S506 (it is a safe loader)
