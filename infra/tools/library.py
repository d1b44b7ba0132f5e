"""Which tools are deployed: all of a project's own, and of those that ship the ones that somebody names."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pentad.domain.declarations.remote_tools import find_server
from pentad.domain.errors import ConfigurationError
from pentad.domain.reading.yaml_file import YamlFile
from pentad.tools.declare.discovery import AnyTool, discover, find_library, load_tool
from pentad.tools.mcp.deployed import declare_remote_tools
from pentad.tools.mcp.lock_file import read_lock
from pentad.tools.mcp.project_file import read_mcp_file


def choose_tools(root: Path) -> dict[str, AnyTool]:
    """Return the tools of a deployment by name, sorted.

    A tool that ships is imported only where an agent, a workflow or ``mcp.yaml`` names it, so that those nobody names
    cost nothing. A tool of the project's own wins over one of the same name that ships.

    Args:
        root: the project's folder.

    Raises:
        ConfigurationError: a tool's file is wrong, or a remote tool has not been reviewed.
    """
    own = discover()
    shipped = {name: module for name, module in find_library().items() if name not in own}
    file = read_mcp_file(root)
    used = {*_list_agents_tools(root / "agents"), *_list_workflows_tools(root / "infra/workflows")}
    named = shipped.keys() & {*used, *file.serve.tools}
    local = {**own, **{name: load_tool(shipped[name]) for name in named}}
    for name in local:
        if find_server(name) is not None:
            raise ConfigurationError(
                f"the tool '{name}' has two underscores in its name, as tools of remote MCP servers have",
                field="name",
                fix="rename it",
            )
    return dict(sorted({**local, **declare_remote_tools(file, read_lock(root))}.items()))


def list_known(tools: Mapping[str, AnyTool]) -> list[str]:
    """Return the names of all tools that there are, deployed or not."""
    return sorted({*tools, *find_library()})


def _list_agents_tools(agents: Path) -> Iterator[str]:
    """Yield the names in ``tools`` of every agent; what is wrong with a file is told by who reads it whole."""
    for path in sorted(agents.glob("[!._]*/agent.yaml")):
        try:
            content = YamlFile(str(path), path.read_bytes()).data
        except ConfigurationError:
            continue
        tools = content.get("tools") if isinstance(content, dict) else None
        yield from (name for name in tools if isinstance(name, str)) if isinstance(tools, list) else ()


def _list_workflows_tools(workflows: Path) -> Iterator[str]:
    """Yield the names that workflows give to ``flow.tool(...)``, as strings or as constants of the file."""
    for path in sorted(workflows.glob("[!_]*.py")):
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue
        constants = dict(_list_constants(tree))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "tool":
                # flow.tool(name of the step, name of the tool, arguments)
                yield from _read_strings(call.args[1:2], constants)


def _list_constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from ((one.id, node.value.value) for one in node.targets if isinstance(one, ast.Name))


def _read_strings(values: Iterable[Any], constants: Mapping[str, str]) -> Iterator[str]:
    for value in values:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value
        elif isinstance(value, ast.Name) and value.id in constants:
            yield constants[value.id]
