"""Every command and option that a page names is one of the command line."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pentad.cli.commands.table import COMMANDS, build_command

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
