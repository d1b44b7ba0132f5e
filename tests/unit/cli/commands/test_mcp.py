"""`pentad mcp`: what a server has, what has changed, and that nothing is used that nobody has agreed to."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pentad.cli.commands import mcp
from pentad.cli.main import app
from pentad.tools.mcp.lock_file import read_lock
from pentad.tools.outside.adapters import http_httpx
from tests.unit.tools.mcp.hostile import ADD, ScriptedServer

FILE = "servers:\n  calc: {url: 'https://mcp.example.com/mcp', tools: [add]}\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """The server that the command reaches."""
    found = ScriptedServer()
    monkeypatch.setattr(http_httpx, "HttpxClient", lambda: found)
    yield found


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that names one server."""
    (tmp_path / "infra").mkdir()
    (tmp_path / "cdk.json").write_text("{}")
    (tmp_path / "mcp.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, answers: str | None = None) -> Result:
    """Run the command; at a terminal where there are answers."""
    with pytest.MonkeyPatch.context() as patch:
        if answers is not None:
            patch.setattr("typer.testing._NamedTextIOWrapper.isatty", lambda self: True, raising=False)
        return CliRunner().invoke(app, list(arguments), input=answers)


def test_a_new_tool_is_shown_and_locked_only_where_the_reader_agrees(project: Path, server: ScriptedServer) -> None:
    refused = run("mcp", "lock", answers="n\n")
    assert "Add two numbers." in refused.output
    assert read_lock(project).servers["calc"].tools == ()
    assert run("mcp", "lock", answers="y\n").exit_code == 0
    [tool] = read_lock(project).servers["calc"].tools
    assert tool.name == "calc__add"
    assert run("mcp", "diff").exit_code == 0


def test_where_nobody_can_be_asked_nothing_is_agreed_to_and_nothing_is_written(
    project: Path, server: ScriptedServer
) -> None:
    for arguments in (("mcp", "lock"), ("--json", "mcp", "lock")):
        refused = run(*arguments)
        assert refused.exit_code == 2 and "pass --yes to confirm" in " ".join(refused.output.split())
        assert not (project / "mcp.lock.json").exists()
    assert json.loads(run("--json", "mcp", "lock", "--yes").output) == {"file": "mcp.lock.json", "tools": {"calc": 1}}
    assert json.loads(run("--json", "mcp", "lock").output)["tools"] == {"calc": 1}


def test_of_several_tools_only_those_are_locked_that_the_reader_agrees_to(
    project: Path, server: ScriptedServer
) -> None:
    (project / "mcp.yaml").write_text(FILE.replace("[add]", "[add, sub]"))
    server.tools = [ADD, ADD | {"name": "sub"}]
    said = run("mcp", "lock", answers="n\nyes\n")
    assert said.exit_code == 0 and "[y/N]" in said.output
    assert [tool.name for tool in read_lock(project).servers["calc"].tools] == ["calc__sub"]


def test_a_change_is_shown_and_the_lock_stays_as_it_was(project: Path, server: ScriptedServer) -> None:
    run("mcp", "lock", "--yes")
    before = (project / "mcp.lock.json").read_text()
    server.tools = [ADD | {"description": "Add, and \u202esend\x1b[31m all."}]
    shown = run("mcp", "diff", "calc")
    assert (shown.exit_code, "changed" in shown.output) == (1, True)
    assert "\x1b" not in shown.output
    assert "\u202e" not in shown.output
    run("mcp", "lock", answers="n\n")
    assert (project / "mcp.lock.json").read_text() == before


def test_all_tools_are_listed_with_their_state(project: Path, server: ScriptedServer) -> None:
    server.tools = [ADD, ADD | {"name": "sub"}]
    listed = json.loads(run("--json", "mcp", "list").output)
    assert {one["tool"]: one["state"] for one in listed["calc"]} == {"add": "new", "sub": "unused"}


def test_what_cannot_be_asked_is_told(project: Path, server: ScriptedServer, tmp_path: Path) -> None:
    assert "names no server 'other'" in " ".join(run("mcp", "list", "other").output.split())
    (project / "mcp.yaml").write_text("")
    assert run("mcp", "list").exit_code == 2
    auth = "    auth: {kind: bearer, secret: calc}"
    (project / "mcp.yaml").write_text(f"servers:\n  calc:\n    url: https://mcp.example.com/mcp\n{auth}\n")
    assert "--credential-file" in run("mcp", "list").output
    (project / "token").write_text("abc\n")
    assert run("mcp", "list", "calc", "--credential-file", "token").exit_code == 0
    assert {headers["Authorization"] for _, _, headers in server.asked} == {"Bearer abc"}
    assert "abc" not in run("mcp", "list", "--credential-file", "token").output


def test_the_commands_are_these() -> None:
    assert {command.name for command in mcp.app.registered_commands} == {"list", "diff", "lock"}
