"""``pentad sessions``: the tenant's conversations."""

from typing import Annotated
from urllib.parse import quote

import typer

from pentad.cli.console import (
    OPTIONS,
    OUT,
    confirm,
    cut_list,
    handle_errors,
    print_json,
)
from pentad.cli.operator import ListingGroup
from pentad.cli.screen import Grid, format_count
from pentad.cli.show import format_time
from pentad.cli.target import create_api_client

app = typer.Typer(cls=ListingGroup, help="Sessions: conversations that keep their messages.")


@app.command("list")
def list_sessions(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number to list.")] = 50,
) -> None:
    """List sessions, the last used first."""
    with handle_errors():
        found = cut_list(create_api_client().iter_items("/v1/sessions", limit=limit + 1), limit)
        if OPTIONS.json:
            print_json(found)
            return
        if not found:
            OUT.print("No sessions. A run begins one: pentad run, pentad chat.")
            return
        grid = Grid()
        for heading in ("session", "agent", "user", "messages", "used"):
            grid.add_column(heading, no_wrap=heading in ("session", "used"))
        for one in found:
            used = format_time(one["updated_at"], "%m-%d %H:%M")
            grid.add_row(one["session"], one["agent"], one["user"] or "", str(one["messages"]), used)
        OUT.print(grid)


@app.command("delete")
def delete_session(
    session_id: Annotated[str, typer.Argument(metavar="SESSION", help="The session.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation.")] = False,
) -> None:
    """Delete a session and its messages. Its runs stay, with their steps, answers and costs."""
    with handle_errors():
        client = create_api_client()
        path = f"/v1/sessions/{quote(session_id, safe='')}"
        found = client.call("GET", path)
        if not yes:
            messages = format_count(found["messages"], "message")
            confirm(f"Delete the session '{session_id}' of {found['agent']} with {messages}?")
        deleted = client.call("DELETE", path)
        if OPTIONS.json:
            print_json(deleted)
        else:
            OUT.print(f"{session_id} is deleted")
