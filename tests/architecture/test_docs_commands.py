"""Every command and option that a page names is one of the command line."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from pentad.cli.commands.table import COMMANDS, build_command
from pentad.cli.operator import TENANT_DEFAULT

# After any command, and before it: `pentad.cli.commands.flags` adds these.
EVERYWHERE = {"--json", "--debug", "--url", "--key", "--help"}
_LINE = re.compile(r"(?:^|[\s`/(])pentad ([a-z][^`#|;&,\n]*)")


@pytest.fixture(scope="module")
def commands() -> dict[str, Any]:
    """All commands by their names, those of groups with both words."""
    found: dict[str, Any] = {}
    for name in COMMANDS:
        command = build_command(name)
        found[name] = command
        found |= {f"{name} {inner}": one for inner, one in getattr(command, "commands", {}).items()}
    return found


def find_calls(text: str) -> Iterator[str]:
    """What follows ``pentad`` in code: in code blocks and between backticks."""
    code = re.findall(r"(?ms)^ *```.*?^ *```", text) + re.findall(
        r"(?<!`)`([^`]+)`(?!`)", re.sub(r"(?ms)^ *```.*?^ *```", "", text)
    )
    for part in code:
        yield from _LINE.findall(part)


def is_option(command: Any, option: str) -> bool:
    """Whether a command takes an option."""
    return option in EVERYWHERE or any(option in (*param.opts, *param.secondary_opts) for param in command.params)


def test_every_command_that_a_page_names_exists_with_its_options(tracked: list[Path], commands: dict[str, Any]) -> None:
    wrong, seen = [], 0
    for page in tracked:
        if page.suffix != ".md":
            continue
        for call in find_calls(page.read_text(encoding="utf-8")):
            seen += 1
            first, *rest = re.sub(r'"[^"]*"|\'[^\']*\'', "X", call).split()
            options = [word.split("=")[0].rstrip(".:)") for word in rest if word.startswith("--")]
            command = commands.get(first)
            if hasattr(command, "commands") and rest and re.match(r"[a-z]", rest[0]):
                command = commands.get(f"{first} {rest[0]}")
            if command is None:
                wrong.append(f"{page.name}: pentad {call}")
            else:
                wrong += [f"{page.name}: pentad {call}: {one}" for one in options if not is_option(command, one)]
    assert seen > 150
    assert not wrong, "\n".join(wrong)


def find_lines(text: str) -> Iterator[str]:
    """What follows ``pentad`` between backticks, also where a line of the page ends within."""
    for code in re.findall(r"(?<!`)`(pentad\s[^`]+)`(?!`)", text):
        yield " ".join(code.split()).removeprefix("pentad ")


def parse(commands: dict[str, Any], line: str) -> str | None:
    """Return what the command line's own parser has against a call, which is not made; None for nothing."""
    name, *arguments = shlex.split(line)
    if f"{name} {(arguments or [''])[0]}" in commands:
        name = f"{name} {arguments.pop(0)}"
    if name not in commands:
        return "there is no such command"
    try:
        commands[name].make_context(name, arguments, parent=typer.Context(commands[name]))
    except typer.TyperException as error:
        return str(error) or type(error).__name__
    return None


def takes_stage(commands: dict[str, Any], line: str) -> bool:
    """Whether a call is of a deployed stage where it names one, and of this folder's twin where it does not."""
    first, second, *_ = [*line.split(), ""]
    command = commands.get(f"{first} {second}", commands.get(first))
    return any("--stage" in param.opts and param.default is None for param in getattr(command, "params", ()))


def needs_tenant(commands: dict[str, Any], line: str) -> bool:
    """Whether a call is of one tenant, which has to be named for a deployed stage."""
    first, second, *_ = [*line.split(), ""]
    command = commands.get(f"{first} {second}", commands.get(first))
    params = getattr(command, "params", ())
    return any("--tenant" in param.opts and (param.help or "").endswith(TENANT_DEFAULT) for param in params)


def test_every_command_of_a_runbook_can_be_called_as_it_stands(root: Path, commands: dict[str, Any]) -> None:
    pages = sorted((root / "docs" / "runbooks").glob("*.md"))
    lines = [(page.name, line) for page in pages for line in find_lines(page.read_text(encoding="utf-8"))]
    assert len(lines) > 40
    twins = [line for _, line in lines if takes_stage(commands, line) and "--stage STAGE" not in line]
    assert not twins, "without a stage it asks a twin"
    nobodys = [line for _, line in lines if needs_tenant(commands, line) and "--tenant TENANT" not in line]
    assert not nobodys, "a stage has many tenants: without one it is refused"
    wrong = {f"{page}: pentad {line}": said for page, line in lines if (said := parse(commands, line))}
    assert not wrong


@pytest.mark.parametrize(
    "line", ["budgets set --stage prod", "runs redrive --limit none", "trace", "nothing", "kill on --tools x"]
)
def test_what_can_not_be_called_is_found(commands: dict[str, Any], line: str) -> None:
    assert parse(commands, line)
