"""One file, one tool, one name."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pentad.domain.errors import ConfigurationError
from pentad.tools.declare.discovery import discover, load_tool

GOOD = '''
from pentad.tools.declare.declare import tool

@tool(effects="none")
def {name}(text: str) -> str:
    """Echo."""
    return text
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Callable[..., str]:
    name = f"found_{abs(hash(request.node.nodeid))}"

    def make(**files: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        for stem, text in files.items():
            (folder / f"{stem}.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        return name

    return make


def test_the_tools_of_the_project_are_found_without_touching_aws() -> None:
    assert {"calculator", "date_time", "notes"} <= set(discover())


def test_each_module_gives_the_tool_of_its_name(package: Callable[..., str]) -> None:
    name = package(beta=GOOD.format(name="beta"), alpha=GOOD.format(name="alpha"), _shared="x = 1")
    assert list(discover(name)) == ["alpha", "beta"]
    assert load_tool(f"{name}.beta").module == f"{name}.beta"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1", "declares 0 tools"),
        (GOOD.format(name="one") + GOOD.format(name="two"), "declares 2 tools (one, two)"),
        (GOOD.format(name="other"), "its tool is named 'other'"),
        ("import no_such_module_anywhere", "can't be imported: ModuleNotFoundError"),
        ("def broken(:", "can't be imported: SyntaxError"),
        ("from functions.tools.calculator import calculator", "declares 0 tools"),
    ],
)
def test_a_wrong_file_is_named_with_what_and_fix(package: Callable[..., str], text: str, says: str) -> None:
    name = package(lonely=text)
    with pytest.raises(ConfigurationError) as caught:
        discover(name)
    assert f"{name}/lonely.py" in caught.value.message and says in caught.value.message
    assert caught.value.fix


def test_a_file_name_that_is_no_tool_name_is_refused(package: Callable[..., str]) -> None:
    with pytest.raises(ConfigurationError, match="not a valid tool name"):
        discover(package(Upper=GOOD.format(name="Upper")))


def test_importing_a_tool_loads_no_aws_client() -> None:
    load_tool("functions.tools.notes")
    assert not [name for name in vars(sys.modules["functions.tools.notes"]) if "boto" in name]
