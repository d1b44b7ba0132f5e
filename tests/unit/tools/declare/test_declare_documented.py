"""The example in the documentation is a tool that works."""

import re
import sys
import types
from pathlib import Path

import pytest

from tests.unit.tools.worlds import World

PAGE = Path(__file__).parents[4] / "docs" / "layers" / "tools.md"


def test_the_documented_tool_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    module = types.ModuleType("documented_tool")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(found[1], str(PAGE), "exec"), vars(module))  # noqa: S102  (the project's own page)
    world = World(module.greeting)
    world.add_call({"name": "Ada"})
    world.execute()
    assert world.call.result == "Hello, Ada."
