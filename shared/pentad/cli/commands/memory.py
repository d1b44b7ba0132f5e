"""``pentad memory``: what is remembered of a user."""

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from pentad.cli.console import (
    OPTIONS,
    OUT,
    CommandError,
    confirm,
    cut_list,
    handle_errors,
    print_json,
    refuse_options,
)
from pentad.cli.screen import Grid, build_line
from pentad.cli.show import format_time
from pentad.cli.target import create_api_client

Json = dict[str, Any]
_RANGES = 50

app = typer.Typer(help="What is remembered of a user: facts, preferences, corrections.", no_args_is_help=True)

User = Annotated[str, typer.Option("--user", "-u", help="The user's id.")]
FactId = Annotated[str, typer.Argument(metavar="FACT", help="The fact's id, as `pentad memory list` prints it.")]


@app.command("list")
def list_memory(
    user: User,
    history: Annotated[bool, typer.Option("--history", help="Include facts that no longer hold.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number to list.")] = 100,
) -> None:
    """List what is remembered of a user, the newest first."""
    with handle_errors():
        parameters = {"history": "true"} if history else {}
        found = cut_list(create_api_client().iter_items(make_path(user), limit=limit + 1, **parameters), limit)
        if OPTIONS.json:
            print_json(found)
            return
        if not found:
            OUT.print(f"Nothing is remembered of '{user}'.")
            return
        grid = Grid()
        for heading in ("fact", "said", "kind", "subject", "text"):
            grid.add_column(heading, no_wrap=heading in ("fact", "said"))
        for one in found:
            text = one["text"] if one["current"] else f"{one['text']} (until {format_day(one)})"
            text = f"{text} (doubtful: {one['doubt']})" if one["doubt"] else text
            said = format_time(one["valid_from"], "%Y-%m-%d")
            grid.add_row(one["fact"], said, one["kind"], one["subject"], text)
        OUT.print(grid)


@app.command("show")
def show_memory(
    user: User,
    fact: Annotated[
        str | None, typer.Argument(metavar="FACT", help="A fact; none: what was kept and refused, and why.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Maximum number of parts of sessions to list. Default: 50.")
    ] = None,
) -> None:
    """Show a fact with its evidence; without one, what the write gate kept and refused of the user's sessions."""
    with handle_errors():
        if fact is not None:
            refuse_options("with a fact's id", limit=limit is not None)
        client = create_api_client()
        if fact is not None:
            found = client.call("GET", make_path(user, fact))
            if OPTIONS.json:
                print_json(found)
            else:
                _print_fact(found)
            return
        most = limit or _RANGES
        ranges = cut_list(client.iter_items(f"{make_path(user)}/decisions", limit=most + 1), most)
        if OPTIONS.json:
            print_json(ranges)
            return
        if not ranges:
            OUT.print(f"No session of '{user}' has been read for facts yet.")
            return
        grid = Grid("session", "message", "outcome", "reason", "text")
        for one in ranges:
            for note in one["notes"]:
                grid.add_row(one["session"], "", "note", note, "")
            for decision in one["decisions"]:
                place = "" if decision["seq"] is None else str(decision["seq"])
                grid.add_row(one["session"], place, decision["outcome"], decision["reason"], decision["text"])
        OUT.print(grid)


@app.command("edit")
def edit_memory(
    fact: FactId,
    user: User,
    text: Annotated[str | None, typer.Option("--text", help="The new text.")] = None,
    expires: Annotated[str | None, typer.Option("--expires", help="Expiry date, YYYY-MM-DD.")] = None,
) -> None:
    """Correct a fact. What it said before stays as history."""
    with handle_errors():
        body: Json = {name: value for name, value in (("text", text), ("expires_at", _parse_day(expires))) if value}
        if not body:
            raise CommandError("give --text, --expires or both", code=2)
        edited = create_api_client().call("PATCH", make_path(user, fact), body=body)
        if OPTIONS.json:
            print_json(edited)
        else:
            _print_fact(edited)


@app.command("forget")
def forget_memory(
    fact: FactId,
    user: User,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation.")] = False,
) -> None:
    """Forget a fact, with what it took the place of. It is not learned again from the same words."""
    with handle_errors():
        client = create_api_client()
        found = client.call("GET", make_path(user, fact))
        if not yes:
            confirm(f"Forget this fact about '{user}': {found['text']}?")
        forgotten = client.call("DELETE", make_path(user, fact))
        if OPTIONS.json:
            print_json(forgotten)
            return
        OUT.print(f"{', '.join(forgotten['facts'])}: forgotten")
        if found.get("superseded_by"):
            later = "[yellow]'{fact}' was said in its place and is still remembered: to forget it too, name it[/]"
            OUT.print(build_line(later, fact=found["superseded_by"]))


def make_path(user_id: str, fact_id: str | None = None) -> str:
    """Return the path of what is remembered of a user, or of one fact."""
    path = f"/v1/memory/{quote(user_id, safe='')}"
    return path if fact_id is None else f"{path}/facts/{quote(fact_id, safe='')}"


def format_day(fact: Json) -> str:
    """Return the day on which a fact ended."""
    return format_time(fact["invalid_from"] or fact["expires_at"], "%Y-%m-%d")


def _parse_day(day: str | None) -> str | None:
    if day is None:
        return None
    try:
        end = datetime.strptime(day, "%Y-%m-%d").replace(hour=23, minute=59, second=59, tzinfo=UTC)
    except ValueError as error:
        raise CommandError(f"invalid date '{day}': write it as 2027-01-31", code=2) from error
    return end.isoformat()


def _print_fact(fact: Json) -> None:
    OUT.print(build_line("[bold]{text}[/]", text=fact["text"]))
    said = f"{fact['kind']}, {fact['subject']}, said {format_time(fact['valid_from'], '%Y-%m-%d %H:%M')}"
    OUT.print(build_line("  [dim]{fact}: {said}, by {source}[/]", fact=fact["fact"], said=said, source=fact["source"]))
    if not fact["current"]:
        OUT.print(build_line("  held until {day}", day=format_day(fact)))
    elif fact["expires_at"]:
        OUT.print(build_line("  expires {day}", day=format_day(fact)))
    if fact["doubt"]:
        OUT.print(build_line("  [yellow]not used: {doubt}[/]", doubt=fact["doubt"]))
    for one in fact["evidence"]:
        place = f"{one['session']} #{one['seq']}"
        OUT.print(build_line("  {place}: {quote}", place=place, quote=one["quote"]))
