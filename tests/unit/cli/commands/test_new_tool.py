"""`pentad new tool`: its files are a tool that works and a test that passes, whatever it needs beside its code."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli.commands.new_tool import NewTool, build_tool_files, list_new_packages
from pentad.cli.main import app
from pentad.testing.tools import ScriptedHttp, ToolTrial
from pentad.tools.declare.discovery import load_tool

ROOT = Path(__file__).resolve().parents[4]
LONG = 'Finds "orders" \\ by {number}. ' + "It looks into every drawer before it says that there is none. " * 4


def list_kinds() -> Iterator[dict[str, Any]]:
    """Every combination of what a tool may need."""
    packages: list[dict[str, Any]] = [{"packages": ()}, {"packages": ("icalendar==7.3.2",)}]
    secrets: list[dict[str, Any]] = [{"secrets": ()}, {"secrets": ("crm", "crm-2")}]
    hosts: list[dict[str, Any]] = [
        {"hosts": ()},
        {"hosts": ("api.example.com", "*.example.org")},
        {"hosts": ("public",)},
    ]
    effects: list[dict[str, Any]] = [
        {"effects": "none"},
        {"effects": "internal"},
        {"effects": "internal", "undo": True},
        {"effects": "external", "undo": True, "approval": "always"},
    ]
    needs = itertools.product(packages, secrets, hosts, effects)
    for number, parts in enumerate(needs):
        one: dict[str, Any] = {"name": f"tool_{number}", "description": LONG if number % 2 else "Find an order"}
        for part in parts:
            one |= part
        yield one


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty project, whose tools can be imported in the place of this one's."""
    for folder in ("infra", "functions/tools", "functions/library/utility", "requirements", "shared/pentad"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "cdk.json").write_text("{}")
    (tmp_path / "shared/pentad/__init__.py").touch()
    (tmp_path / "requirements/lambda.txt").write_text("pyyaml==6.0.2 \\\n    --hash=sha256:aa\n")
    (tmp_path / "requirements/tools.in").write_text("# Packages.\nicalendar==7.3.2")
    (tmp_path / "functions/library/utility/convert.py").write_text('"""Convert."""\n')
    monkeypatch.chdir(tmp_path)
    import functions.tools as package

    monkeypatch.setattr(package, "__path__", [str(tmp_path / "functions/tools"), *package.__path__])
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def write(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, arguments)
    return done.exit_code, " ".join(done.output.split())


def test_every_kind_of_tool_works_passes_its_test_and_is_in_the_house_style(project: Path) -> None:
    kinds = list(list_kinds())
    for kind in kinds:
        for path, text in build_tool_files(project, NewTool(**kind)).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for kind in kinds:
        made = load_tool(f"functions.tools.{kind['name']}")
        assert (made.spec.effects, made.secrets, made.egress) == (kind["effects"], kind["secrets"], kind["hosts"])
        assert made.packages == (("icalendar",) if kind["packages"] else ())
        assert made.spec.reversible == kind.get("undo", False)
        assert made.spec.approval == kind.get("approval", "never")
        test = project / "tests/unit/functions/tools" / f"test_{kind['name']}.py"
        scope: dict[str, Any] = {}
        exec(compile(test.read_text(encoding="utf-8"), str(test), "exec"), scope)  # noqa: S102  (what was just written)
        tests = [value for name, value in scope.items() if name.startswith("test_")]
        assert len(tests) == (4 if kind.get("undo") else 2)
        for one in tests:
            one()
    shown = ["--config", str(ROOT / "pyproject.toml"), "functions/tools", "tests"]
    first_party = ["--config", "lint.isort.known-first-party=['pentad', 'functions']"]
    for command in (["check", "--quiet", *first_party], ["format", "--check", "--quiet"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *shown], cwd=project, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("status", "error"),
    [(429, "ToolThrottled"), (503, "ToolUnavailable"), (408, "ToolUnavailable"), (404, "ToolFailed"), (200, None)],
)
def test_a_host_that_is_busy_is_asked_again_and_what_it_refuses_is_told(
    project: Path, status: int, error: str | None
) -> None:
    new = NewTool("ask_host", "Ask the host.", hosts=("api.example.com",))
    for path, text in build_tool_files(project, new).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    made = load_tool("functions.tools.ask_host")
    answer = ToolTrial(made, http=ScriptedHttp([(status, "words")])).call(text="Hello")
    assert (answer.error_type, answer.is_error) == (error, error is not None)


def test_what_is_new_is_told_and_what_to_do_next(project: Path) -> None:
    code, said = write(
        "--json",
        "new",
        "tool",
        "find_order",
        "-d",
        "Find it.",
        "-s",
        "crm",
        "-p",
        "Sheets_Reader>=3",
        "-p",
        "icalendar",
    )
    told = json.loads(said)
    assert (code, told["tool"], told["packages"]) == (0, "find_order", ["Sheets_Reader>=3"])
    assert told["files"] == ["functions/tools/find_order.py", "tests/unit/functions/tools/test_find_order.py"]
    assert (project / "requirements/tools.in").read_text() == "# Packages.\nicalendar==7.3.2\nSheets_Reader>=3\n"
    assert 'packages=["sheets-reader", "icalendar"]' in (project / "functions/tools/find_order.py").read_text()
    assert ["make lock" in told["next"][0], "pentad-dev/tools/crm" in told["next"][-1]] == [True, True]
    # What is installed tells its module's name; of what is not, a human has to look.
    assert "'import sheets_reader'" in told["next"][1] and "icalendar" not in told["next"][1]
    assert list_new_packages(project, NewTool("x", "x", packages=("sheets.reader[all]",))) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["Find"], "invalid tool name"),
        (["find-order"], "invalid tool name"),
        (["class"], "invalid tool name"),
        (["find\n"], "invalid tool name"),
        (["../up"], "invalid tool name"),
        (["a" * 65], "invalid tool name"),
        (["secrets"], "is reserved"),
        (["search_knowledge"], "is reserved"),
        (["convert"], "Pentad has a tool 'convert': functions/library/utility/convert.py"),
        (["find", "--undo"], "add --effects internal"),
        (["find", "-s", "CRM"], "small letters, digits and dashes"),
        (["find", "--host", "ftp://x"], "a host is written"),
        (["find", "-p", "pyyaml"], "every function has 'pyyaml'"),
        (["find", "-p", "../x"], "a package's name is written"),
        (["find", "--effects", "some"], "some"),
    ],
)
def test_what_can_not_be_is_refused_and_nothing_is_written(project: Path, arguments: list[str], says: str) -> None:
    before = sorted(project.rglob("*"))
    code, said = write("new", "tool", *arguments)
    assert code == 2 and says in said
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize("taken", ["functions/tools/find.py", "tests/unit/functions/tools/test_find.py"])
def test_nothing_that_is_there_is_changed(project: Path, taken: str) -> None:
    (project / taken).parent.mkdir(parents=True, exist_ok=True)
    (project / taken).write_text("mine")
    code, said = write("new", "tool", "find", "-p", "another")
    assert code == 2 and taken in said
    assert (project / taken).read_text() == "mine"
    assert "another" not in (project / "requirements/tools.in").read_text()
