"""YAML as it is read here: plain values only, by libyaml where PyYAML was built with it, which is ten times as fast."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def packaged(*path: str) -> Any:
    """Return what a file of this package holds, by its path in the package; raise FileNotFoundError."""
    text = files("flows").joinpath(*path).read_text(encoding="utf-8")
    return yaml.load(text, Loader=SafeLoader)  # noqa: S506 (it is a safe loader)
