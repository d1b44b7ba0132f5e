"""Make a domain of the benchmark's functions: a tool for each, and agents that have them."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bfcl_eval.constants.executable_backend_config import STATELESS_CLASSES

from tests.twin.trajectories.bfcl import backend
from tests.twin.trajectories.bfcl.entries import Function

Json = dict[str, Any]
AGENT = "bfcl"
_TYPES = {"string": "str", "integer": "int", "float": "float", "boolean": "bool", "dict": "dict[str, Any]"}
_TOOL = '''"""{class_name}.{method}, a function of the Berkeley Function-Calling Leaderboard."""

from typing import Annotated, Any

from pydantic import Field

from functions.tools._backend import {action}
from pentad.tools.declare.declare import {declared}


@tool(effects="{effects}"{permissions})
def {tool}({parameters}) -> Any:
    {description!r}
    return {action}({target}, "{method}", {{{arguments}}}{stores})
'''


def make(folder: Path, functions: Iterable[Function], changing: set[str]) -> Path:
    """Write an agent and its tools into a folder's ``agents/`` and ``functions/tools/``, and return the folder.

    Args:
        folder: where; it may be a project that has other agents and tools.
        functions: those that become tools.
        changing: the methods that change their backend's state; the others may only read it.
    """
    agent, tools = folder / "agents" / AGENT, folder / "functions" / "tools"
    agent.mkdir(parents=True)
    tools.mkdir(parents=True, exist_ok=True)
    shutil.copy2(Path(backend.__file__), tools / "_backend.py")
    names = []
    for function in functions:
        names.append(function.tool)
        with (tools / f"{function.tool}.py").open("x", encoding="utf-8") as file:  # never over another tool
            file.write(source(function, function.method in changing))
    settings = f"tools: [{', '.join(sorted(names))}]\nknowledge: {{top_k: 0}}\nlimits: {{steps: 60, seconds: 900}}\n"
    (agent / "agent.yaml").write_text(f"description: Has the benchmark's functions.\n{settings}")
    (agent / "prompt.md").write_text("You act by calling functions.\n")
    return folder


def source(function: Function, changes: bool) -> str:
    """Return the module that declares a function as a tool."""
    kind = backend.kind_of(function.class_name)
    parameters = [f"{name}: {_annotation(function, name)}" for name in function.parameters["properties"]]
    stateless = function.class_name in STATELESS_CLASSES
    access = "readwrite" if changes else "read"
    target = f'"{function.module}", "{function.class_name}"' if stateless else f'context, "{function.class_name}"'
    if not stateless:
        parameters.append("context: ToolContext")
    return _TOOL.format(
        class_name=function.class_name,
        method=function.method,
        tool=function.tool,
        description=function.description,
        action="compute" if stateless else "act",
        declared="tool" if stateless else "Grant, ToolContext, tool",
        effects="internal" if changes else "none",
        permissions="" if stateless else f', permissions=[Grant("records", "{access}", keys="{kind}")]',
        parameters=", ".join(["*", *parameters]) if parameters else "",
        target=target,
        arguments=", ".join(f'"{name}": {name}' for name in function.parameters["properties"]),
        stores="" if stateless else f", stores={changes}",
    )


def _annotation(function: Function, name: str) -> str:
    schema: Json = function.parameters["properties"][name]
    kind = f"list[{_TYPES[schema['items']['type']]}]" if schema["type"] == "array" else _TYPES[schema["type"]]
    described = f"Field(description={schema['description']!r})"
    if name in function.parameters["required"]:
        return f"Annotated[{kind}, {described}]"
    default = None if schema.get("default") == "None" else schema.get("default")
    return f"Annotated[{kind}{' | None' if default is None else ''}, {described}] = {default!r}"
