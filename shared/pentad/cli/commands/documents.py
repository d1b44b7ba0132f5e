"""``pentad ingest``."""

import mimetypes
import time
import unicodedata
from pathlib import Path
from typing import Annotated, Any

import typer

from pentad.cli.client import ApiClient
from pentad.cli.console import ERR, OPTIONS, OUT, CommandError, handle_errors, print_json
from pentad.cli.screen import build_line
from pentad.cli.target import create_api_client

_TYPES = {".md": "text/markdown", ".markdown": "text/markdown", ".txt": "text/plain", ".csv": "text/csv"}
_POLL_SECONDS = 0.5

Json = dict[str, Any]


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
    """Upload documents and wait until they are indexed: text, Markdown, HTML, CSV, JSON."""
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
        if any(entry["status"] == "failed" for entry in entries):
            raise typer.Exit(1)
