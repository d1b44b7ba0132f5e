"""The mark in a definition's comment: what it tells apart, and what it survives."""

from typing import Any

import pytest

from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.declarations.release_mark import build_comment, parse_comment


def marks(**values: Any) -> dict[str, str]:
    spec = AgentSpec(**({"name": "desk", "description": "Helps.", "prompt": "You help."} | values))
    return parse_comment(build_comment(spec))


def differing(**values: Any) -> set[str]:
    before, after = marks(), marks(**values)
    assert before.keys() == after.keys() == {"prompt", "settings"}
    return {name for name in before if before[name] != after[name]}


def test_a_prompt_and_settings_are_told_apart() -> None:
    assert differing() == set()
    assert differing(prompt="You help much.") == {"prompt"}
    assert differing(tools=("notes",)) == {"settings"}
    assert differing(limits={"steps": 3}) == {"settings"}
    assert differing(prompt="No.", pattern="reply") == {"prompt", "settings"}
    # It is in the comment itself.
    assert differing(description="Helps more.") == set()


@pytest.mark.parametrize("description", ["x [prompt 00000000]", "a\nb", "[settings 12345678, prompt 12345678] x", "ü"])
def test_a_description_is_no_mark(description: str) -> None:
    assert marks(description=description) == marks()


@pytest.mark.parametrize("comment", ["", "Agent desk: Helps.", "Agent desk: Helps. [prompt]", "x [prompt 12345678] y"])
def test_a_comment_without_a_mark_has_none(comment: str) -> None:
    assert parse_comment(comment) == {}
