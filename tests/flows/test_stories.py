"""The stories of tests/stories, told to the flows."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from flows.rehearsal import WrongAnswer, play
from tests.support.paths import BOOK

STORIES = [
    story
    for path in sorted((Path(__file__).parent.parent / "stories").glob("*.yaml"))
    for story in yaml.safe_load(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story["name"])
def test_story(story):
    played = play(BOOK, story["flow"], [tuple(said.split("=")) for said in story["say"]])
    assert played.position.outcome.id == story["outcome"]
    assert set(played.position.duties) == set(story["duties"])


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([("colour", "yes")], "is no question"),
        ([("purpose", "maybe")], "is no option of purpose"),
        ([("consent", "yes")], "out of turn"),
        ([("emergency", "yes"), ("purpose", "yes")], "out of turn"),
        ([("back", "")], "no answer to go back from"),
    ],
)
def test_a_wrong_answer_says_what_is_wrong(pairs, said):
    with pytest.raises(WrongAnswer, match=said):
        play(BOOK, "sharing", pairs)


def test_back_takes_the_last_said_answer_back():
    played = play(BOOK, "sharing", [("purpose", "yes"), ("back", ""), ("purpose", "no")])
    assert played.path == ("purpose.no",)
    assert played.position.outcome.id == "do_not_share"
