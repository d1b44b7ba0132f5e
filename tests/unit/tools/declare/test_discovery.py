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


RULES = "from pentad.tools.declare import Ask, over\n"
HEAD = "from pentad.tools.declare import Grant, ToolContext, tool\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (HEAD + "x = 1\n\nraise KeyError('y')", 4, "KeyError"),
        (HEAD + "\ndef broken(:\n    pass", 3, "SyntaxError"),
        (HEAD + "\n@tool\ndef lonely() -> str:\n    'Doc.'\n    return ''", 3, "@tool needs its options"),
        (HEAD + "\n\nGRANT = Grant('records', 'readwrite', keys='note')", 4, "a grant has the keys 'note'"),
        (
            HEAD + "\n@tool(\n    effects='none',\n    permissions=[Grant('records')],\n)\ndef lonely(): ...",
            5,
            "a grant lacks access and keys",
        ),
        (
            HEAD + "\n@tool(effects='none')\ndef lonely(context) -> str:\n    'Doc.'\n    return ''",
            3,
            "the parameter 'context' has no annotation",
        ),
        (HEAD + "import sys\n\nsys.exit(3)", 4, "it can't be imported: SystemExit: 3"),
        (HEAD + RULES + "\nRULE = over('cents', 'fifty')", 4, "over('cents', 'fifty') has a limit that is no number"),
        (HEAD + RULES + "\nRULE = over('cents', float('nan'))", 4, "NumberIs is not valid: limit: Input should be a"),
        (HEAD + RULES + "\nRULE = Ask(when='cents > 50')", 4, "'cents > 50' is no condition: write over()"),
        (GOOD.format(name="lonely") * 2, 11, "the tool 'lonely' is declared twice, first in line 4"),
        (HEAD + GOOD.format(name="other"), 5, "its tool is named 'other'"),
        (HEAD + GOOD.format(name="one") + GOOD.format(name="two"), 12, "declares 2 tools"),
    ],
)
def test_the_line_of_what_is_wrong_is_named(package: Callable[..., str], text: str, line: int, says: str) -> None:
    name = package(lonely=text)
    with pytest.raises(ConfigurationError) as caught:
        discover(name)
    assert f"{name}/lonely.py:{line}" in caught.value.message and says in caught.value.message
    assert caught.value.fix


def test_a_file_name_that_is_no_tool_name_is_refused(package: Callable[..., str]) -> None:
    with pytest.raises(ConfigurationError, match="is not a valid tool name"):
        discover(package(Upper=GOOD.format(name="Upper")))


def test_a_name_is_as_long_as_providers_take_and_the_limit_is_named(package: Callable[..., str]) -> None:
    longest = "x" * 64
    folder = package(**{longest: GOOD.format(name=longest)})
    assert set(discover(folder)) == {longest}
    with pytest.raises(ConfigurationError, match="it has 65 characters") as caught:
        load_tool(f"{folder}.{longest}x")
    assert "at most 64, since providers take no longer names" in str(caught.value.fix)


def test_importing_a_tool_loads_no_aws_client() -> None:
    load_tool("functions.tools.notes")
    assert not [name for name in vars(sys.modules["functions.tools.notes"]) if "boto" in name]
