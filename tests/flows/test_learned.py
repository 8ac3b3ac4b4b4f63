"""The learned models belong to the texts they were learned from."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from flows import learned

HERE = Path(__file__).parent.parent / "training"


@pytest.mark.parametrize("name", ["names", "danger"])
def test_a_model_is_of_the_texts_beside_its_trainer(name):
    digest = hashlib.sha256()
    for path in sorted(HERE.glob(f"{name}*.*")):
        digest.update(path.read_bytes())
    assert learned.model(name).made_from == digest.hexdigest(), "run python -m tests.training"
