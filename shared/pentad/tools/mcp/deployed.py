"""Which remote tools a deployment has: those that ``mcp.yaml`` names and its lock has reviewed. Read at synth."""

from typing import Any

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.declarations.rates import parse_rates
from pentad.domain.declarations.remote_tools import McpServerSpec
from pentad.domain.errors import ConfigurationError
from pentad.tools.declare.approval_option import check_approval
from pentad.tools.declare.declare import Tool
from pentad.tools.mcp.lock_file import NAME as LOCK
from pentad.tools.mcp.lock_file import LockedServer, McpLock
from pentad.tools.mcp.project_file import NAME, McpFile, ServerEntry
from pentad.tools.mcp.remote_tool import make_remote_tool


def read_servers(file: McpFile, lock: McpLock) -> dict[str, McpServerSpec]:
    """Return the remote servers as their functions know them, with the tools that were reviewed.

    Raises:
        ConfigurationError: a server or tool that ``mcp.yaml`` names was not reviewed, or is another server now.
    """
    found = {}
    for name, entry in sorted(file.servers.items()):
        locked = _get_locked(name, entry, lock)
        pinned = {tool.name: tool.pinned for tool in locked.tools if tool.pinned.remote in entry.tools}
        missing = sorted(set(entry.tools) - {one.remote for one in pinned.values()})
        if missing:
            raise ConfigurationError(
                f"{NAME}: servers.{name}.tools: '{missing[0]}' has not been reviewed: it is not in {LOCK}",
                field=f"servers.{name}.tools",
                fix=f"run 'pentad mcp lock {name}', read what it shows, and commit {LOCK}",
            )
        found[name] = McpServerSpec(name=name, url=entry.url, auth=entry.auth, revision=locked.revision, tools=pinned)
    return found


def declare_remote_tools(file: McpFile, lock: McpLock) -> dict[str, Tool[..., Any]]:
    """Return the remote tools that a project uses, as they are deployed.

    Raises:
        ConfigurationError: see `read_servers`; or an approval's rule is about an argument that a tool does not have, or
            that has another type.
    """
    servers, found = read_servers(file, lock), {}
    for name, server in servers.items():
        entry = file.servers[name]
        for tool in lock.servers[name].tools:
            if tool.name not in server.tools:
                continue
            said = entry.tools[tool.pinned.remote]
            rate = said.rate_limit or entry.rate_limit
            spec = ToolSpec(
                name=tool.name,
                description=tool.description,
                input_schema=tool.input_schema,
                effects=said.effects or entry.effects,
                approval=check_approval(
                    f"{NAME}: servers.{name}.tools.{tool.pinned.remote}",
                    said.approval or entry.approval or "always",
                    tool.input_schema,
                ),
                idempotent=said.idempotent or (said.effects or entry.effects) == "none",
                rates=() if rate is None else parse_rates(rate),
                timeout_seconds=entry.timeout_seconds,
                trusted_output=False,
                safe_output=said.safe_output,
            )
            found[tool.name] = make_remote_tool(server, spec, {})
    return dict(sorted(found.items()))


def _get_locked(name: str, entry: ServerEntry, lock: McpLock) -> LockedServer:
    locked = lock.servers.get(name)
    if locked is not None and locked.url == entry.url:
        return locked
    what = "has not been reviewed" if locked is None else f"has another address than the one in {LOCK}"
    raise ConfigurationError(
        f"{NAME}: servers.{name} {what}",
        field=f"servers.{name}",
        fix=f"run 'pentad mcp lock {name}', read what it shows, and commit {LOCK}",
    )
