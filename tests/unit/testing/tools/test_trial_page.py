"""The page about tools, followed: its greeting is a tool that works, and its test passes for the tool it is about."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pentad.cli.commands.new_tool import NewTool, build_tool_files
from pentad.testing.tools import ToolTrial

_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def blocks(root: Path) -> list[str]:
    return _BLOCK.findall((root / "docs" / "layers" / "tools.md").read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder whose files are found beside the tools; nothing of it stays loaded."""
    import functions.tools as tools

    tools.__path__.append(str(tmp_path))
    yield tmp_path
    tools.__path__.remove(str(tmp_path))
    for name in ("greeting", "find_order"):
        sys.modules.pop(f"functions.tools.{name}", None)
        tools.__dict__.pop(name, None)


def load(text: str, path: Path) -> ModuleType:
    module = ModuleType(path.stem)
    path.write_text(text, encoding="utf-8")
    exec(compile(text, str(path), "exec"), module.__dict__)  # noqa: S102 - a page of ours
    return module


def test_the_greeting_of_the_page_greets_and_counts(blocks: list[str], folder: Path) -> None:
    (text,) = [one for one in blocks if one.startswith('"""The greeting tool."""')]
    (folder / "greeting.py").write_text(text, encoding="utf-8")
    trial = ToolTrial(importlib.import_module("functions.tools.greeting").greeting)
    assert [trial.call(name="Ada").value for _ in range(2)] == ["Hello, Ada."] * 2
    assert trial.call(name="x" * 81).is_error
    assert trial.records.get_store("acme").get("GUEST", "Ada") == {"greetings": 2}


def test_the_test_of_the_page_passes_for_the_tool_that_its_command_writes(blocks: list[str], folder: Path) -> None:
    made = NewTool("find_order", "Find an order.", secrets=("crm",), hosts=("api.example.com",))
    files = {path.name: text for path, text in build_tool_files(folder, made).items()}
    (folder / "find_order.py").write_text(files["find_order.py"], encoding="utf-8")
    (text,) = [one for one in blocks if "find_order import find_order" in one]
    module = load(text, folder / "the_test.py")
    tests = [value for name, value in vars(module).items() if name.startswith("test_")]
    assert tests
    for one in tests:
        one()
