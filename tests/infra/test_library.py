"""Which tools are deployed: a project's own, and of those that ship the ones that an agent or a workflow names."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.tools.library import choose_tools
from pentad.domain.errors import ConfigurationError
from pentad.tools.declare.discovery import discover, find_library

TOOL = '''"""A tool that ships."""
from pentad.tools.declare import tool


@tool(effects="none")
def {name}(text: str) -> str:
    """Echo."""
    return text
'''


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A library of its own in the place of the project's: two tools, and one that can't be imported."""
    folder = tmp_path / "shipped_library"
    for path, text in {
        "one/first.py": TOOL.format(name="first"),
        "two/second.py": TOOL.format(name="second"),
        "two/_shared.py": "raise RuntimeError",
        "two/broken.py": "raise RuntimeError('imported')",
        "two/calculator.py": "raise RuntimeError('imported')",
    }.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        (place.parent / "__init__.py").touch()
        place.write_text(text, encoding="utf-8")
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("infra.tools.library.find_library", lambda: find_library("shipped_library"))
    yield folder
    for name in [name for name in sys.modules if name.startswith("shipped_library")]:
        del sys.modules[name]


def write(root: Path, path: str, text: str) -> None:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def test_without_a_name_nothing_of_the_library_is_deployed_nor_imported(library: Path, tmp_path: Path) -> None:
    assert choose_tools(tmp_path) == discover()
    assert "shipped_library.one.first" not in sys.modules


def test_what_an_agent_or_a_workflow_names_is_deployed(library: Path, tmp_path: Path) -> None:
    write(tmp_path, "agents/desk/agent.yaml", "description: x\ntools: [first, calculator]\n")
    write(
        tmp_path,
        "infra/workflows/daily.py",
        "SECOND = 'second'\ndef workflow(f):\n    f.tool('a', SECOND, b=1)\n",
    )
    made = choose_tools(tmp_path)
    assert made.keys() - discover().keys() == {"first", "second"}
    assert made["second"].module == "shipped_library.two.second"
    # The project's own file of the same name wins.
    assert made["calculator"].module == "functions.tools.calculator"


def test_words_that_happen_to_be_a_tools_name_deploy_nothing(library: Path, tmp_path: Path) -> None:
    write(tmp_path, "agents/desk/agent.yaml", "description: first\ntools: []\n")
    write(tmp_path, "agents/_old/agent.yaml", "description: x\ntools: [first]\n")
    write(tmp_path, "infra/workflows/daily.py", "def workflow(f):\n    f.tool('first', 'notes', a='second')\n")
    assert choose_tools(tmp_path) == discover()


@pytest.mark.parametrize("text", ["tools: [", "tools: first\n", "- first\n", "tools: [[first]]\n", "\xff"])
def test_an_agents_file_that_is_wrong_is_left_to_who_reads_it_whole(library: Path, tmp_path: Path, text: str) -> None:
    write(tmp_path, "agents/desk/agent.yaml", text)
    write(tmp_path, "infra/workflows/daily.py", "def workflow(flow:\n")
    assert choose_tools(tmp_path) == discover()


def test_one_that_is_named_and_wrong_is_told_with_its_file(library: Path, tmp_path: Path) -> None:
    write(tmp_path, "agents/desk/agent.yaml", "tools: [broken]\n")
    with pytest.raises(ConfigurationError, match=r"shipped_library/two/broken\.py:1: it can't be imported"):
        choose_tools(tmp_path)


def test_two_of_one_name_are_refused(library: Path, tmp_path: Path) -> None:
    shutil.copy(library / "one" / "first.py", library / "two")
    with pytest.raises(
        ConfigurationError, match=r"two/first\.py: shipped_library\.one\.first is already a tool of this name"
    ):
        choose_tools(tmp_path)


def test_the_projects_own_library_has_one_tool_for_each_name() -> None:
    assert all(module.rsplit(".", 1)[-1] == name for name, module in find_library().items())
