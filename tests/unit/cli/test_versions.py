"""What of a machine's own changed from one version to the next."""

import json
from typing import Any

import pytest

from pentad.cli.versions import compare_definitions
from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.declarations.release_mark import build_comment

THINK = "arn:aws:lambda:eu-central-1:123456789012:function:pentad-dev-gateway"


def definition(version: int = 1, *, seconds: int = 60, comment: str | None = None, **values: Any) -> str:
    spec = AgentSpec(**({"name": "desk", "description": "Helps.", "prompt": "You help."} | values))
    state = {"Type": "Task", "Resource": f"{THINK}:{version}", "TimeoutSeconds": seconds, "End": True}
    comment = build_comment(spec) if comment is None else comment
    return json.dumps({"Comment": comment, "StartAt": "Think", "States": {"Think": state}})


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        (definition(17), ()),
        (definition(2, prompt="You help much."), ("prompt",)),
        (definition(2, tools=("notes",)), ("settings",)),
        (definition(seconds=61), ("states",)),
        (definition(9, prompt="No.", limits={"steps": 2}, seconds=1), ("prompt", "settings", "states")),
        (definition(2, description="Helps more."), ()),
    ],
)
def test_numbers_of_functions_are_nothing_of_a_machines_own(after: str, changed: tuple[str, ...]) -> None:
    assert compare_definitions(definition(1), after) == changed


def test_a_version_of_an_earlier_release_has_no_mark_to_differ_from() -> None:
    assert compare_definitions(definition(comment="Agent desk: Helps."), definition(2, prompt="No.")) == ()
