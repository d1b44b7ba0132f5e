"""``pentad ingest`` and ``pentad documents``."""

import mimetypes
import time
import unicodedata
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from pentad.cli.client import ApiClient, ProblemError
from pentad.cli.console import ERR, OPTIONS, OUT, CommandError, confirm, handle_errors, print_json
from pentad.cli.operator import ListingGroup
from pentad.cli.screen import Grid, build_line
from pentad.cli.target import create_api_client

_TYPES = {
    **dict.fromkeys((".md", ".markdown"), "text/markdown"),
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".eml": "message/rfc822",
    ".ipynb": "application/x-ipynb+json",
    ".rst": "text/x-rst",
    **dict.fromkeys((".adoc", ".asciidoc"), "text/asciidoc"),
}
_POLL_SECONDS = 0.5
_NOT_FOUND = 404
_NOT_INDEXED = ("failed", "stale")

Json = dict[str, Any]

app = typer.Typer(cls=ListingGroup, help="The tenant's documents: what is indexed, and what is not.")

Name = Annotated[str, typer.Argument(help="The document's name, as `pentad documents list` prints it.")]


def find_documents(paths: list[Path]) -> dict[str, Path]:
    """Return the files under paths by the name they get: relative to the current folder where they are in it.

    Raises:
        CommandError: a path does not exist, or there is no file.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise CommandError(f"{path} does not exist", code=2)
        files = [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.is_file())
        for file in files:
            if not any(part.startswith(".") for part in file.parts if part not in (".", "..")):
                found[_document_name(file)] = file
    if not found:
        raise CommandError("no files found in PATHS", code=2)
    return found


def _document_name(file: Path) -> str:
    whole = file.resolve()
    here = Path.cwd().resolve()
    name = whole.relative_to(here).as_posix() if here in whole.parents else whole.name
    return unicodedata.normalize("NFC", name)  # as the API keeps it; macOS hands names out in another form


def guess_media_type(path: Path) -> str:
    """Return a file's media type by its ending."""
    return _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def ingest_all(client: ApiClient, files: dict[str, Path], seconds: float) -> list[Json]:
    """Upload files and return their registry entries once each is indexed or has failed.

    Raises:
        CommandError: some were not done in time.
    """
    before = _fetch_entries(client)
    with ERR.build_progress() as progress:
        uploads = progress.add_task("uploading", total=len(files))
        for name, path in files.items():
            client.upload_document(name, guess_media_type(path), path.read_bytes())
            progress.advance(uploads)
        indexing = progress.add_task("indexing", total=len(files))
        deadline = time.monotonic() + seconds
        done: dict[str, Json] = {}
        while len(done) < len(files):
            now = _fetch_entries(client)
            # A new entry differs at least in the time it was indexed.
            done = {name: now[name] for name in files if name in now and now[name] != before.get(name)}
            progress.update(indexing, completed=len(done))
            if len(done) < len(files):
                if time.monotonic() > deadline:
                    late = ", ".join(sorted(files.keys() - done.keys())[:5])
                    raise CommandError(f"not indexed after {seconds:g} s: {late}; indexing continues")
                time.sleep(_POLL_SECONDS)
    return [done[name] for name in sorted(done)]


def _fetch_entries(client: ApiClient) -> dict[str, Json]:
    return {entry["name"]: entry for entry in client.iter_items("/v1/documents", limit=10_000)}


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    wait: Annotated[float, typer.Option(help="Seconds to wait until they are indexed.")] = 600,
) -> None:
    """Upload documents and wait until they are indexed: PDF, Office, HTML, Markdown, CSV, JSON, mail, text."""
    with handle_errors():
        entries = ingest_all(create_api_client(), find_documents(paths), wait)
        if OPTIONS.json:
            print_json(entries)
        else:
            for entry in entries:
                counts = f"{entry['chunks']} chunks, {entry['embedded']} embedded"
                line = build_line("{status} {name}", status=f"{entry['status']:8}", name=entry["name"])
                line.append_text(build_line("  {counts}", counts=counts))
                if entry["error"]:
                    line.append_text(build_line(" [red]{error}[/]", error=entry["error"]))
                OUT.print(line)
                _print_notes(entry)
        if any(entry["status"] in _NOT_INDEXED for entry in entries):
            raise typer.Exit(1)


@app.command("list")
def list_documents(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 1_000,
    deleted: Annotated[bool, typer.Option("--deleted", help="Those that were deleted, too.")] = False,
) -> None:
    """List documents by name, with what became of their last version."""
    with handle_errors():
        found = create_api_client().iter_items("/v1/documents", limit=limit)
        shown = [one for one in found if deleted or one["status"] != "deleted"]
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
        failed = sum(one["status"] in _NOT_INDEXED for one in shown)
        if failed:
            OUT.print(f"{failed} could not be read; `pentad documents show NAME` says why")
        doubtful = sum(bool(one.get("notes")) for one in shown)
        if doubtful:
            OUT.print(f"{doubtful} were read with doubts; `pentad documents show NAME` tells them")


@app.command("show")
def show_document(name: Name) -> None:
    """Show a document's entry, and why it failed if it did."""
    with handle_errors():
        found = create_api_client().call("GET", _to_path(name))
        if OPTIONS.json:
            print_json(found)
            return
        for field, value in found.items():
            if value is not None and field != "notes":
                OUT.print(build_line("[dim]{field}[/] {value}", field=f"{field:14}", value=value))
        _print_notes(found)


@app.command("delete")
def delete_document(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait until no run can find it any more.")] = 60,
) -> None:
    """Delete a document: its content, its chunks and their vectors. Answers that cite it keep their quotes."""
    with handle_errors():
        client = create_api_client()
        client.call("GET", _to_path(name))  # An unknown name is told before anybody is asked.
        if not yes:
            confirm(f"Delete '{name}'?")
        client.call("DELETE", _to_path(name))
        deadline = time.monotonic() + wait
        while (status := _fetch_status(client, name)) != "deleted" and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if OPTIONS.json:
            print_json({"name": name, "status": "deleted" if status == "deleted" else "deleting"})
        elif status == "deleted":
            OUT.print(f"{name} is deleted")
        else:
            OUT.print(f"{name} is being deleted; `pentad documents show` tells when it is")


def _print_notes(entry: Json) -> None:
    """Print what is doubtful about how a document was read."""
    for note in entry.get("notes") or ():
        OUT.print(build_line("         [yellow]doubtful:[/] {note}", note=note))


def _fetch_status(client: ApiClient, name: str) -> str:
    """Return a document's status; one without an entry is gone."""
    try:
        return str(client.call("GET", _to_path(name))["status"])
    except ProblemError as error:
        if error.status != _NOT_FOUND:
            raise
        return "deleted"


def _to_path(name: str) -> str:
    """Return a document's path in the API; its slashes stay."""
    return f"/v1/documents/{quote(name, safe='/')}"
