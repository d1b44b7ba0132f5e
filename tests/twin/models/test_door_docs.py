"""The page about the door: its examples run, and its tables name every field."""

import re
from pathlib import Path
from typing import Any

import pytest

from pentad.api.door.chat import IGNORED, REFUSED, ChatBody
from tests.twin.stack.world import Stack, Tenant

pytestmark = pytest.mark.twin

PAGE = (Path(__file__).parents[3] / "docs/door.md").read_text(encoding="utf-8")


def test_the_examples_run_from_top_to_bottom(
    stack: Stack, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PENTAD_URL", stack.url)
    monkeypatch.setenv("PENTAD_KEY", tenant.token)
    names: dict[str, Any] = {"__name__": "door_md"}
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)):
        exec(compile(block, f"door.md, example {number + 1}", "exec"), names)  # noqa: S102
    names["client"].close()
    shown = capsys.readouterr().out
    assert shown.count("122.5") == 2
    assert shown.splitlines()[-1] == "512"


@pytest.mark.parametrize("field", sorted({*IGNORED, *REFUSED, *ChatBody.model_fields}))
def test_every_field_of_a_chat_completion_is_in_the_table(field: str) -> None:
    assert f"`{field}`" in PAGE or f"`{field}." in PAGE
