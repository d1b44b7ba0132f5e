"""``pentad documents``: what is indexed, read anew, or deleted."""

import time
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

import typer

from pentad.cli.client import ApiClient, ProblemError
from pentad.cli.commands.knowledge.ingest import (
    NOT_FOUND,
    NOT_INDEXED,
    fetch_entries,
    print_notes,
    show_entries,
    to_path,
    wait_for,
)
from pentad.cli.commands.knowledge.uploads import try_again
from pentad.cli.console import (
    ERR,
    OPTIONS,
    OUT,
    CommandError,
    confirm,
    cut_list,
    handle_errors,
    print_json,
)
from pentad.cli.operator import ListingGroup
from pentad.cli.screen import Grid, build_line
from pentad.cli.target import create_api_client

_POLL_SECONDS = 0.5
_MOST_DOCUMENTS = 100_000

Json = dict[str, Any]

app = typer.Typer(cls=ListingGroup, help="The tenant's documents: what is indexed, and what is not.")

Name = Annotated[str, typer.Argument(help="The document's name, as `pentad documents list` prints it.")]


@app.command("list")
def list_documents(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number to list.")] = 1_000,
    deleted: Annotated[bool, typer.Option("--deleted", help="List deleted ones too.")] = False,
) -> None:
    """List documents by name, with what became of their last version."""
    with handle_errors():
        found = create_api_client().iter_items("/v1/documents", limit=_MOST_DOCUMENTS)
        shown = cut_list((one for one in found if deleted or one["status"] != "deleted"), limit)
        if OPTIONS.json:
            print_json(shown)
            return
        if not shown:
            OUT.print("No documents. Upload some with `pentad ingest PATHS`.")
            return
        grid = Grid()
        grid.add_column("status")
        grid.add_column("name", overflow="fold", ratio=1)
        for heading in ("chunks", "bytes"):
            grid.add_column(heading, justify="right", no_wrap=True)
        grid.add_column("indexed", no_wrap=True)
        for one in shown:
            counts = (f"{one['chunks']:,}", f"{one['bytes']:,}")
            grid.add_row(one["status"], one["name"], *counts, str(one["indexed_at"])[:16].replace("T", " "))
        OUT.print(grid)
        failed = sum(one["status"] in NOT_INDEXED for one in shown)
        if failed:
            OUT.print(f"{failed} could not be read; `pentad documents show NAME` says why")
        doubtful = sum(bool(one.get("notes")) for one in shown)
        if doubtful:
            OUT.print(f"{doubtful} were read with doubts; `pentad documents show NAME` lists them")


@app.command("show")
def show_document(
    name: Name,
    chunk: Annotated[str, typer.Option(help="What an answer cites of it: k7f2qa of its marker [cite:k7f2qa].")] = "",
    run_id: Annotated[str, typer.Option("--run", help="The run whose answer cites it.")] = "",
) -> None:
    """Show a document's entry, and why it failed if it did; or a place of it that a run's answer cites."""
    with handle_errors():
        if bool(chunk) != bool(run_id):
            raise CommandError(
                "--chunk and --run must be used together: a passage is shown as the run was given it", code=2
            )
        if chunk:
            _show_place(name, chunk, run_id)
            return
        found = create_api_client().call("GET", to_path(name))
        if OPTIONS.json:
            print_json(found)
            return
        for field, value in found.items():
            if value is not None and field != "notes":
                OUT.print(build_line("[dim]{field}[/] {value}", field=f"{field:14}", value=value))
        print_notes(found)


def _show_place(name: str, chunk: str, run_id: str) -> None:
    """Print a passage that a run's answer cites, with its place in the document."""
    cited = chunk.strip("[] ").removeprefix("cite:").strip().lower()
    place = create_api_client().call("GET", f"/v1/runs/{quote(run_id, safe='')}/citations/{quote(cited, safe='')}")
    if place["document"] != name:
        raise CommandError(f"'{cited}' cites the document '{place['document']}'")
    if OPTIONS.json:
        print_json(place)
        return
    page = f"page {place['page']}, " if place["page"] else ""
    OUT.print(build_line("[bold]{title}[/]", title=place["title"]))
    OUT.print(build_line("[dim]{page}characters {start} to {end} of version {version}[/]", **{**place, "page": page}))
    if not place["is_newest"]:
        status = place["document_status"]
        OUT.print("the document was deleted since" if status == "deleted" else "the document has changed since")
    for text in filter(None, (place["header"], place["text"])):
        OUT.print_text(text)
    if not place["is_whole"]:
        OUT.print("the rest went with the session")


@app.command("reingest")
def reingest_documents(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAMES]...", help="Documents, by name.")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="All documents.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait until they are indexed.")] = 600,
) -> None:
    """Read and cut documents anew that were uploaded before; chunks that are the same are not embedded again."""
    with handle_errors():
        if bool(names) == all_of_them:
            raise CommandError("name documents, or give --all", code=2)
        client, begun = create_api_client(), time.monotonic()
        if all_of_them:
            found = cut_list(client.iter_items("/v1/documents", limit=_MOST_DOCUMENTS + 1), _MOST_DOCUMENTS)
            names = [one["name"] for one in found if one["status"] != "deleted"]
        chosen = list(dict.fromkeys(names or ()))
        before = fetch_entries(client, chosen)
        with ERR.build_progress() as progress:
            task = progress.add_task("asking", total=len(chosen))
            for name in chosen:
                try_again(partial(client.call, "POST", to_path(name)))
                progress.advance(task)
        done = wait_for(client, chosen, before, wait, "indexing")
        show_entries([entry for _, entry in sorted(done.items())], time.monotonic() - begun)


@app.command("delete")
def delete_document(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait until no run can find it any more.")] = 60,
) -> None:
    """Delete a document: its content, its chunks and their vectors. Answers that cite it keep their quotes."""
    with handle_errors():
        client = create_api_client()
        client.call("GET", to_path(name))  # An unknown name is told before anybody is asked.
        if not yes:
            confirm(f"Delete '{name}'?")
        client.call("DELETE", to_path(name))
        deadline = time.monotonic() + wait
        while (status := _fetch_status(client, name)) != "deleted" and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if OPTIONS.json:
            print_json({"name": name, "status": "deleted" if status == "deleted" else "deleting"})
        elif status == "deleted":
            OUT.print(f"{name} is deleted")
        else:
            OUT.print(f"{name} is being deleted; `pentad documents show` shows when it is done")


def _fetch_status(client: ApiClient, name: str) -> str:
    """Return a document's status; one without an entry is gone."""
    try:
        return str(client.call("GET", to_path(name))["status"])
    except ProblemError as error:
        if error.status != NOT_FOUND:
            raise
        return "deleted"
