"""``pentad new``: the files of a new agent, and of its first test."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from pentad.cli.console import EXIT_USAGE, OPTIONS, OUT, CommandError, handle_errors, print_json, write_text
from pentad.cli.synth import find_project_root
from pentad.domain.ids import AGENT_PATTERN

app = typer.Typer(help="Write the files of something new; nothing that is there is changed.", no_args_is_help=True)

_SETTINGS = """description: {description}
tools: {tools}
knowledge: {{top_k: 6}}
limits: {{steps: 8}}
"""
_PROMPT = """You are {name}. {description}

Say so when you do not know something.
"""
_TEST = '''"""What the agent "{name}" does, on a twin of this project (docs/test-your-agent.md)."""

from pentad.testing.kit import Kit


def test_{word}_answers(kit: Kit) -> None:
    # The model says what the test says, so its prompt, tools, limits and humans are tested and not its mood.
    kit.model.says("Hello. What can I do for you?")
    run = kit.ask("{name}", "Hello")
    assert (run.status, run.answer) == ("succeeded", "Hello. What can I do for you?"), run
'''


@app.command("agent")
def write_agent(
    name: Annotated[str, typer.Argument(help="Letters, digits and dashes, such as order-desk.")],
    description: Annotated[
        str | None, typer.Option("--description", "-d", help="What it does, in a sentence; routing and people read it.")
    ] = None,
    tool: Annotated[
        list[str] | None, typer.Option("--tool", "-t", help="A tool of functions/tools that it may call; repeatable.")
    ] = None,
) -> None:
    """Write agents/NAME/agent.yaml and prompt.md, and a test in tests/agents."""
    with handle_errors():
        root = find_project_root()
        files = build_agent_files(root, name, description or f"The agent {name}.", tuple(tool or ()))
        for path, text in files.items():
            write_text(path, text)
        written = [path.relative_to(root).as_posix() for path in files]
        if OPTIONS.json:
            print_json({"agent": name, "files": written})
            return
        for one in written:
            OUT.print(f"wrote {one}")
        OUT.print(f"Next: edit the prompt, then `pytest {written[-1]}`, and `pentad update` while the twin runs.")


def build_agent_files(root: Path, name: str, description: str, tools: tuple[str, ...]) -> dict[Path, str]:
    """Return the files of a new agent with their content.

    Raises:
        CommandError: the name is none, is taken, or a tool does not exist.
    """
    if not re.fullmatch(AGENT_PATTERN, name):
        raise CommandError(
            f"'{name}' is no name of an agent: use small letters, digits and dashes, such as order-desk",
            code=EXIT_USAGE,
        )
    word = name.replace("-", "_")
    _check_tools(root, tools)
    # JSON is YAML: quotes and colons in a description stay what they are.
    said = json.dumps(description, ensure_ascii=False)
    settings = _SETTINGS.format(description=said, tools=f"[{', '.join(tools)}]")
    files = {
        root / "agents" / name / "agent.yaml": settings,
        root / "agents" / name / "prompt.md": _PROMPT.format(name=name, description=description),
        root / "tests" / "agents" / f"test_{word}.py": _TEST.format(name=name, word=word),
    }
    taken = [path for path in (*files, root / "infra" / "workflows" / f"{word}.py") if path.exists()]
    if taken:
        raise CommandError(f"there is a '{name}' already: {taken[0].relative_to(root).as_posix()}", code=EXIT_USAGE)
    return files


def _check_tools(root: Path, tools: tuple[str, ...]) -> None:
    there = {path.stem for path in (root / "functions" / "tools").glob("[!_]*.py")}
    unknown = sorted(set(tools) - there)
    if unknown:
        known = ", ".join(sorted(there)) or "none yet"
        raise CommandError(
            f"there is no tool '{unknown[0]}' in functions/tools (there are: {known}): write it first, "
            "as docs/layers/tools.md shows, or leave it out",
            code=EXIT_USAGE,
        )
