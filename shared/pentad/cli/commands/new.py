"""``pentad new``: the files of a new agent or tool, and of its first test."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from pentad.cli.commands.new_openapi_tool import build_openapi_files
from pentad.cli.commands.new_tool import (
    Approval,
    NewTool,
    add_packages,
    build_tool_files,
    list_new_packages,
    list_steps,
)
from pentad.cli.console import (
    EXIT_USAGE,
    OPTIONS,
    OUT,
    CommandError,
    handle_errors,
    print_json,
    refuse_options,
    write_text,
)
from pentad.cli.synth import find_project_root
from pentad.domain.ids import AGENT_PATTERN
from pentad.tools.declare.options import Effects

app = typer.Typer(help="Write the files of something new; nothing that is there is changed.", no_args_is_help=True)

_Document = Annotated[Path | None, typer.Option(help="An OpenAPI document: the tool is one operation of its API.")]
_Operation = Annotated[str | None, typer.Option(help="With --openapi: the operation's id, or 'GET /path'.")]
_Url = Annotated[str | None, typer.Option(help="With --openapi: where the API is, if not at its server.")]
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


@app.command("tool")
def write_tool(
    name: Annotated[str, typer.Argument(help="Small letters, digits and underscores, such as find_order.")],
    description: Annotated[
        str | None, typer.Option("--description", "-d", help="What it does: the model reads it.")
    ] = None,
    effects: Annotated[
        Effects, typer.Option(help="none: reads only; internal: changes our own stores; external: reaches the outside.")
    ] = "none",
    package: Annotated[
        list[str] | None, typer.Option("--package", "-p", help="A package that only it needs; repeatable.")
    ] = None,
    secret: Annotated[
        list[str] | None, typer.Option("--secret", "-s", help="The name of a secret that it reads; repeatable.")
    ] = None,
    host: Annotated[
        list[str] | None, typer.Option("--host", help="A host that it may reach, such as api.example.com; repeatable.")
    ] = None,
    approval: Annotated[Approval, typer.Option(help="always: a human sees the arguments first.")] = "never",
    undo: Annotated[bool, typer.Option("--undo", help="Its calls can be undone.")] = False,
    openapi: _Document = None,
    operation: _Operation = None,
    url: _Url = None,
) -> None:
    """Write functions/tools/NAME.py, a working tool, and a test of it."""
    new = NewTool(
        name=name,
        description=description or f"Say here what {name} does.",
        effects=effects,
        packages=tuple(package or ()),
        secrets=tuple(secret or ()),
        hosts=tuple(host or ()),
        approval=approval,
        undo=undo,
    )
    with handle_errors():
        root = find_project_root()
        if openapi is None and operation is None and url is None:
            _write_tool_files(root, new, build_tool_files(root, new))
        else:
            refuse_options("with --openapi, whose document describes the tool", description=description is not None)
            _write_tool_files(root, new, build_openapi_files(root, new, openapi, operation, url=url))


def _write_tool_files(root: Path, new: NewTool, files: dict[Path, str]) -> None:
    added = list_new_packages(root, new)
    for path, text in files.items():
        write_text(path, text)
    if added:
        add_packages(root, added)
    written = [path.relative_to(root).as_posix() for path in files]
    steps = list_steps(new, added, written[-1])
    if OPTIONS.json:
        print_json({"tool": new.name, "files": written, "packages": added, "next": steps})
        return
    for one in written:
        OUT.print(f"wrote {one}")
    for number, step in enumerate(steps, 1):
        OUT.print(f"{number}. {step}", soft_wrap=True)


def build_agent_files(root: Path, name: str, description: str, tools: tuple[str, ...]) -> dict[Path, str]:
    """Return the files of a new agent with their content.

    Raises:
        CommandError: the name is none, is taken, or a tool does not exist.
    """
    if not re.fullmatch(AGENT_PATTERN, name):
        raise CommandError(
            f"invalid agent name '{name}': use small letters, digits and dashes, such as order-desk",
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
        raise CommandError(f"'{name}' already exists: {taken[0].relative_to(root).as_posix()}", code=EXIT_USAGE)
    return files


def _check_tools(root: Path, tools: tuple[str, ...]) -> None:
    folders = [root / "functions" / "tools", *(root / "functions" / "library").glob("[!_]*/")]
    there = {path.stem for folder in folders for path in folder.glob("[!_]*.py")}
    unknown = sorted(set(tools) - there)
    if unknown:
        known = ", ".join(sorted(there)) or "none yet"
        raise CommandError(
            f"no tool '{unknown[0]}' (there are: {known}): write it first with "
            f"'pentad new tool {unknown[0]}', or leave it out",
            code=EXIT_USAGE,
        )
