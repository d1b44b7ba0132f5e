"""``pentad mcp``: look at the tools of remote MCP servers, and say which of them may be used as they are."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from pentad.cli.console import (
    ERR,
    EXIT_FAILED,
    EXIT_USAGE,
    OPTIONS,
    OUT,
    CommandError,
    handle_errors,
    is_agreed,
    print_json,
    read_text,
    write_text,
)
from pentad.cli.screen import format_count
from pentad.cli.synth import find_project_root

if TYPE_CHECKING:
    from pentad.tools.mcp.lock_file import McpLock
    from pentad.tools.mcp.project_file import McpFile, ServerEntry
    from pentad.tools.mcp.review import ToolReview

app = typer.Typer(no_args_is_help=True, help="Remote MCP servers: their tools, and which of them were reviewed.")
Server = Annotated[str | None, typer.Argument(help="A server of mcp.yaml; all of them where none is named.")]
Credential = Annotated[
    Path | None,
    typer.Option(help="A file with the token that the server asks for; it is sent to the one server that is named."),
]
_SECONDS = 60.0


@app.callback()
def explain() -> None:
    """Remote MCP servers: their tools, and which of them were reviewed."""


@app.command("list")
def list_tools(server: Server = None, credential_file: Credential = None) -> None:
    """List the tools of servers: reviewed, new, changed, gone, or not used by this project."""
    with handle_errors():
        file, _, found = _review(server, credential_file)
        if OPTIONS.json:
            print_json({name: [_to_json(one) for one in reviews] for name, (_, reviews) in found.items()})
            return
        for name, (revision, reviews) in found.items():
            OUT.print(f"{name} at {urlsplit(file.servers[name].url).hostname} ({revision})")
            for one in reviews:
                local = one.after or one.before
                OUT.print(f"  {one.state:9} {one.remote}  {local.name if local is not None else ''}")
                if one.problem:
                    OUT.print(f"            {one.problem}")


@app.command("diff")
def show_changes(server: Server = None, credential_file: Credential = None) -> None:
    """Show what differs from what was reviewed; ends with 1 where something does."""
    with handle_errors():
        _, _, found = _review(server, credential_file)
        waiting = {name: _list_open(reviews) for name, (_, reviews) in found.items()}
        if OPTIONS.json:
            print_json({name: [_to_json(one) for one in reviews] for name, reviews in waiting.items()})
        else:
            for name, reviews in waiting.items():
                _show(name, reviews)
    if any(waiting.values()):
        raise typer.Exit(EXIT_FAILED)


@app.command("lock")
def lock_tools(
    server: Server = None,
    credential_file: Credential = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree to all that is new or has changed.")] = False,
) -> None:
    """Show each new or changed tool and, where you agree, write it into mcp.lock.json."""
    from pentad.tools.mcp.lock_file import NAME, format_lock
    from pentad.tools.mcp.review import build_locked

    with handle_errors():
        root = find_project_root()
        file, lock, found = _review(server, credential_file)
        servers = {name: one for name, one in lock.servers.items() if name in file.servers}
        for name, (revision, reviews) in found.items():
            accepted = _agree(name, reviews, yes=yes)
            servers[name] = build_locked(file.servers[name], revision, reviews, accepted)
        write_text(root / NAME, format_lock(lock.model_copy(update={"servers": servers})))
        counts = {name: len(servers[name].tools) for name in found}
        if OPTIONS.json:
            print_json({"file": NAME, "tools": counts})
            return
        told = ", ".join(f"{name} {format_count(count, 'tool')}" for name, count in counts.items())
        OUT.print(f"wrote {NAME}: {told}")
        OUT.print("Next: commit it, name the tools in an agent.yaml, and deploy.")


def _agree(name: str, reviews: "list[ToolReview]", *, yes: bool) -> frozenset[str]:
    """Return the new and changed tools that the reader agrees to.

    Raises:
        CommandError: there is something to agree to, and nobody to ask.
    """
    accepted = set()
    for one in _list_open(reviews):
        if not OPTIONS.json:
            _show(name, [one])
        if one.after is None or one.state not in ("new", "changed"):
            continue
        if yes or is_agreed(f"Use '{one.after.name}' as it is now?"):
            accepted.add(one.remote)
        else:
            ERR.print(f"'{one.after.name}' is not used until you agree to it")
    return frozenset(accepted)


def _review(
    server: str | None, credential_file: Path | None
) -> "tuple[McpFile, McpLock, dict[str, tuple[str, list[ToolReview]]]]":
    """Return the project's files, and of each server its revision and the review of its tools."""
    from pentad.tools.mcp.lock_file import read_lock
    from pentad.tools.mcp.project_file import NAME, read_mcp_file
    from pentad.tools.mcp.review import review_server

    root = find_project_root()
    file, lock = read_mcp_file(root), read_lock(root)
    if server is not None and server not in file.servers:
        known = ", ".join(file.servers) or "none"
        raise CommandError(f"{NAME} names no server '{server}' (it names {known})", code=EXIT_USAGE)
    if credential_file is not None and server is None:
        raise CommandError("--credential-file is for one server: name it", code=EXIT_USAGE)
    if not file.servers:
        raise CommandError(f"{NAME} names no servers: add 'servers:' to it (see docs/tools/mcp.md)", code=EXIT_USAGE)
    token = None if credential_file is None else read_text(credential_file).strip()
    found = {}
    for name in [server] if server is not None else sorted(file.servers):
        revision, listed = _ask(name, file.servers[name], token)
        found[name] = (revision, review_server(name, file.servers[name], lock.servers.get(name), listed))
    return file, lock, found


def _ask(name: str, entry: "ServerEntry", token: str | None) -> tuple[str, dict[str, Any]]:
    import time

    from pentad.tools.mcp.client import Connection, McpClient
    from pentad.tools.outside.adapters.http_httpx import HttpxClient

    if entry.auth.kind != "none" and token is None:
        raise CommandError(
            f"the server '{name}' asks for a credential: give it with --credential-file", code=EXIT_USAGE
        )
    header = entry.auth.header
    headers = {} if token is None else {header: token} if header else {"Authorization": f"Bearer {token}"}
    end = time.monotonic() + _SECONDS
    client = McpClient(
        HttpxClient(), entry.url, headers, Connection(), remaining_seconds=lambda: end - time.monotonic()
    )
    listed = client.list_tools()
    return client.version, listed


def _list_open(reviews: "list[ToolReview]") -> "list[ToolReview]":
    from pentad.tools.mcp.review import OPEN

    return [one for one in reviews if one.state in OPEN]


def _show(name: str, reviews: "list[ToolReview]") -> None:
    for one in reviews:
        OUT.print(f"{name}: {one.state}: {one.remote} {one.problem}".rstrip())
        for line in one.build_diff():
            OUT.print(f"  {line}")


def _to_json(one: "ToolReview") -> dict[str, Any]:
    local = one.after or one.before
    return {
        "tool": one.remote,
        "state": one.state,
        "name": None if local is None else local.name,
        "problem": one.problem or None,
        "diff": one.build_diff(),
    }
