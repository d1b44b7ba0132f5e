"""Options of the API are refused by the commands that never call it; so are options that one use does not need."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli import target
from pentad.cli.commands.flags import WITHOUT_API
from pentad.cli.commands.table import COMMANDS, build_command
from pentad.cli.main import app

_CLI = Path(target.__file__).parent
Names = set[tuple[str, str | None]]


class Calls:
    """Which functions of the command line use which, by module."""

    def __init__(self) -> None:
        self.imported: dict[str, dict[str, tuple[str, str]]] = {}
        self.used: dict[str, dict[str, Names]] = {}
        for path in _CLI.rglob("*.py"):
            self._read(f"pentad.cli.{'.'.join(path.relative_to(_CLI).with_suffix('').parts)}", path)

    def _read(self, module: str, path: Path) -> None:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        self.imported[module] = {
            one.asname or one.name: (node.module, one.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pentad.cli")
            for one in node.names
        }
        self.used[module] = {
            node.name: {one for part in ast.walk(node) for one in self._name(part)}
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }

    def _name(self, node: ast.AST) -> Names:
        if isinstance(node, ast.Name):
            return {(node.id, None)}
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return {(node.value.id, node.attr)}
        return set()

    def reach(self, module: str, name: str, found: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return all functions that one leads to."""
        if (module, name) in found:
            return found
        found.add((module, name))
        imported, used = self.imported.get(module, {}), self.used.get(module, {})
        if name not in used and name in imported:
            return self.reach(*imported[name], found)
        for one, attribute in used.get(name, ()):
            if one in used:
                self.reach(module, one, found)
            elif one in imported:
                whole = ".".join(imported[one])
                self.reach(*((whole, attribute) if attribute and whole in self.used else imported[one]), found)
        return found


def list_commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Yield every command that can be called, by its words."""
    below = getattr(command, "commands", {})
    for name, one in below.items():
        yield from list_commands(f"{path} {name}", one)
    if not below or command.invoke_without_command:
        yield path, command


EVERY = {path: one for name in COMMANDS for path, one in list_commands(name, build_command(name))}


def is_without_api(path: str) -> bool:
    return bool({path, path.split()[0]} & WITHOUT_API)


def test_the_commands_that_never_call_the_api_are_the_ones_that_refuse_its_options() -> None:
    calls = Calls()
    callers = set()
    for path, command in EVERY.items():
        function = getattr(command.callback, "__wrapped__", command.callback)
        if ("pentad.cli.target", "create_api_client") in calls.reach(function.__module__, function.__name__, set()):
            callers.add(path)
    assert len(callers) > 30
    assert {path for path in EVERY if not is_without_api(path)} == callers


@pytest.fixture(autouse=True)
def no_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "TARGET", target.ApiTarget())


_CHOICES = {"action": "advance"}


def _fill(param: Any) -> list[str]:
    """Return words for an argument, or for an option that has to be given."""
    value = _CHOICES.get(param.name, "2026-11-01")
    if param.param_type_name == "argument":
        return [value]
    return [param.opts[0], value] if param.required else []


@pytest.mark.parametrize("path", [path for path in EVERY if is_without_api(path)])
@pytest.mark.parametrize("first", [True, False])
def test_a_command_that_would_act_elsewhere_refuses_the_address(path: str, first: bool) -> None:
    words = [one for param in EVERY[path].params for one in _fill(param)]
    given = ["--url", "https://prod.example"]
    done = CliRunner().invoke(app, [*given, *path.split(), *words] if first else [*path.split(), *words, *given])
    assert done.exit_code == 2
    assert f"--url is for the API, which '{path}' does not call" in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("approvals apr_1 --group leads", "--group can't be used with an approval's id"),
        ("edit apr_1 --text draft --call 3", "--call can't be used with --text"),
        ("approve apr_1 --reject --allow-tool", "--allow-tool can't be used with --reject"),
        ("undo undo_1 --stop", "--stop can't be used with an undo token"),
        ("undo undo_1 --stop --dry-run", "--dry-run and --stop can't be used with an undo token"),
        ("undo run_1 --stop --dry-run", "--stop can't be used with --dry-run"),
        ("memory show fact_1 --user sam --limit 5", "--limit can't be used with a fact's id"),
        ("runs redrive run_1 --limit 5", "--limit can't be used with a run's id"),
        ("audit verify run_1 --since 2026-11-01", "--since can't be used with a subject"),
        ("logs run_1 --follow --limit 5 --until 2026-11-01", "--until and --limit can't be used with --follow"),
        ("logs run_1 --wait 5", "--wait can't be used without --follow"),
        ("logs run_1 --content --follow", "--follow can't be used with --content"),
        ("logs run_1 --content --level ERROR", "--level can't be used with --content"),
        ("cost --tenant acme --key k", "--key can't be used with --tenant"),
        ("chat --json", "--json can't be used with `pentad chat`"),
    ],
)
def test_an_option_that_this_use_of_a_command_has_no_need_of_is_refused(
    command: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENTAD_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PENTAD_KEY", "k")
    monkeypatch.setattr("pentad.cli.console.OPTIONS.json", False)
    done = CliRunner().invoke(app, command.split())
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
