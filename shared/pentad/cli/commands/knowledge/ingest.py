"""``pentad ingest``: upload what has changed, wait until it is indexed, and sum up."""

import hashlib
import mimetypes
import os
import time
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from pentad.cli.client import ApiClient, ProblemError
from pentad.cli.commands.knowledge.bulk import BULK_FROM, follow_bulk
from pentad.cli.commands.knowledge.uploads import LocalFile, try_again, upload_all
from pentad.cli.console import ERR, OPTIONS, OUT, CommandError, handle_errors, print_json
from pentad.cli.screen import build_line, format_count
from pentad.cli.target import create_api_client
from pentad.memory.documents.contents import RECIPE

NOT_INDEXED = ("failed", "stale", "refused")
"""Statuses of what is not in the index as it is; ``refused``: it was not uploaded."""
NOT_FOUND = 404
_TYPES = {
    **dict.fromkeys((".md", ".markdown"), "text/markdown"),
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".eml": "message/rfc822",
    ".ipynb": "application/x-ipynb+json",
    ".rst": "text/x-rst",
    **dict.fromkeys((".adoc", ".asciidoc"), "text/asciidoc"),
}
# By their endings, since what a type is called depends on the machine: `.ts` is source code, and a film on some.
_PICTURES = frozenset(
    ".png .jpg .jpeg .gif .webp .bmp .tif .tiff .ico .heic .heif .avif .psd .mp3 .wav .flac .ogg .oga .m4a .aac .opus "
    ".wma .aif .aiff .mp4 .m4v .mov .avi .mkv .webm .wmv .mpg .mpeg .flv".split()
)
"""Pictures, sounds and films."""
_POLL_SECONDS = 0.5
_SLOWEST_POLL_SECONDS = 5.0
_ASKED_SINGLY = 20
"""Documents that are asked for by name; of more the list is read."""
_MOST_DOCUMENTS = 100_000
_SHOWN = 50
"""Documents that are listed each; of more only those with a fault or a doubt are."""

Json = dict[str, Any]


def find_documents(paths: list[Path]) -> dict[str, Path]:
    """Return the files under paths by the name they get.

    It is relative to the current folder where they are in it. A folder elsewhere keeps its own name and what is below
    it: files of one name in two of its folders are two documents. Of a folder, hidden files and those without text are
    left out (see `find_pictures`); what is named itself is not.

    Raises:
        CommandError: a path does not exist, there is no file, or two would get one name.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise CommandError(f"'{path}' does not exist", code=2)
        files = [path] if path.is_file() else [file for file in _list_files(path) if not _is_picture(file)]
        for file in files:
            if not _is_hidden(file, path):
                _add_document(found, _document_name(file, path), file)
    if not found:
        raise CommandError("no files found in PATHS", code=2)
    return found


def find_pictures(paths: list[Path]) -> list[Path]:
    """Return the pictures, sounds and films in folders: there is no text in them to be found."""
    folders = [path for path in paths if path.is_dir()]
    return [file for path in folders for file in _list_files(path) if _is_picture(file) and not _is_hidden(file, path)]


def _list_files(folder: Path) -> list[Path]:
    return sorted(item for item in folder.rglob("*") if item.is_file())


def _is_hidden(file: Path, named: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(named).parts)


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in _PICTURES


def _add_document(found: dict[str, Path], name: str, file: Path) -> None:
    other = found.setdefault(name, file)
    if other.resolve() != file.resolve():
        fault = f"'{other}' and '{file}' would both be the document '{name}'"
        raise CommandError(f"{fault}: start the command in a folder above both", code=2)


def _document_name(file: Path, named: Path) -> str:
    here = Path.cwd().resolve()
    for whole in (_make_absolute(file), file.parent.resolve() / file.name):
        if here in whole.parents:
            name = whole.relative_to(here)
            break
    else:
        name = _make_absolute(named).name / file.relative_to(named) if named.is_dir() else Path(file.name)
    return unicodedata.normalize("NFC", name.as_posix())  # as the API keeps it; macOS hands names out in another form


def _make_absolute(path: Path) -> Path:
    """Return a path from the root on; a link stays what it is called here."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def guess_media_type(path: Path) -> str:
    """Return a file's media type by its ending."""
    return _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def to_path(name: str) -> str:
    """Return a document's path in the API; its slashes stay."""
    return f"/v1/documents/{quote(name, safe='/')}"


def ingest_all(
    client: ApiClient, files: dict[str, Path], seconds: float, *, again: bool = False, bulk: bool | None = None
) -> list[Json]:
    """Upload files and return their registry entries once each is indexed or has failed.

    What is indexed already, with the same content and by today's recipe, is not uploaded. An upload that meets an
    overloaded API is tried again. One that is refused has an entry that says why, and the others go on.

    Args:
        client: the API.
        files: by the documents' names.
        seconds: how long to wait at most.
        again: upload what is indexed already, too.
        bulk: index by one bulk ingestion; of many documents where nothing is said.

    Raises:
        CommandError: some were not done in time.
    """
    before = fetch_entries(client, list(files))
    changed = {name: path for name, path in files.items() if again or not _is_indexed(before.get(name), path)}
    kept = {name: before[name] | {"unchanged": True} for name in files if name not in changed}
    refused = _upload_all(client, changed)
    sent = [name for name in changed if name not in refused]
    if sent and (len(sent) >= BULK_FROM if bulk is None else bulk):
        ended = follow_bulk(client, sent, seconds)
        if ended["status"] != "done":
            fault = f"the bulk ingestion is {ended['status']} ({ended['error']}); the documents are indexed one by one"
            ERR.print(fault)
    done = wait_for(client, sent, before, seconds, "indexing")
    return [entry for _, entry in sorted({**kept, **refused, **done}.items())]


def wait_for(
    client: ApiClient, names: Sequence[str], before: dict[str, Json], seconds: float, what: str
) -> dict[str, Json]:
    """Return the entries of documents once each is another one than before.

    Raises:
        CommandError: some were not done in time.
    """
    deadline = time.monotonic() + seconds
    done: dict[str, Json] = {}
    pause = _POLL_SECONDS
    with ERR.build_progress() as progress:
        task = progress.add_task(what, total=len(names))
        while left := [name for name in names if name not in done]:
            now = fetch_entries(client, left)
            # A new entry differs at least in the time it was indexed.
            news = {name: now[name] for name in left if name in now and now[name] != before.get(name)}
            done |= news
            progress.update(task, completed=len(done))
            if len(done) == len(names):
                break
            if time.monotonic() > deadline:
                late = ", ".join(sorted(set(left) - set(news))[:5])
                raise CommandError(f"not indexed after {seconds:g} s: {late}; indexing continues")
            pause = _POLL_SECONDS if news else min(pause * 1.3, _SLOWEST_POLL_SECONDS)
            time.sleep(pause)
    return done


def fetch_entries(client: ApiClient, names: Sequence[str]) -> dict[str, Json]:
    """Return the entries that there are of these documents, by name."""
    if len(names) > _ASKED_SINGLY:
        wanted = set(names)
        # Each page by itself: a list of thousands takes more requests than a busy API lets through at once.
        listed = client.iter_items("/v1/documents", try_again, limit=_MOST_DOCUMENTS)
        return {entry["name"]: entry for entry in listed if entry["name"] in wanted}
    found = {name: _fetch_entry(client, name) for name in names}
    return {name: entry for name, entry in found.items() if entry is not None}


def _fetch_entry(client: ApiClient, name: str) -> Json | None:
    try:
        entry: Json = try_again(lambda: client.call("GET", to_path(name)))
    except ProblemError as error:
        if error.status != NOT_FOUND:
            raise
        return None
    return entry


def _is_indexed(entry: Json | None, path: Path) -> bool:
    """Tell if a file's content is in the index, cut as it is cut today."""
    if entry is None or entry["status"] != "indexed" or entry.get("recipe") != RECIPE:
        return False
    return entry.get("sha256") == hashlib.sha256(path.read_bytes()).hexdigest()


def _upload_all(client: ApiClient, files: dict[str, Path]) -> dict[str, Json]:
    """Upload files, and return an entry for each that was refused."""
    sources = {name: LocalFile(path, guess_media_type(path)) for name, path in files.items()}
    counts = {"chunks": 0, "embedded": 0, "bytes": 0}
    return {
        name: {"name": name, "status": "refused", "error": fault, "notes": []} | counts
        for name, fault in upload_all(client, sources).items()
    }


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    wait: Annotated[float, typer.Option(help="Seconds to wait until they are indexed.")] = 600,
    again: Annotated[bool, typer.Option("--again", help="Upload unchanged files too.")] = False,
    bulk: Annotated[
        bool | None,
        typer.Option("--bulk/--one-by-one", help=f"Index in one bulk job. Default: from {BULK_FROM} files on."),
    ] = None,
) -> None:
    """Upload what has changed and wait until it is indexed: PDF, Office, HTML, Markdown, CSV, JSON, mail, text."""
    with handle_errors():
        begun = time.monotonic()
        for picture in (pictures := find_pictures(paths))[:_SHOWN]:
            ERR.print(build_line("{name}: left out, since it is a picture, a sound or a film", name=picture))
        if len(pictures) > _SHOWN:
            ERR.print(f"... and {len(pictures) - _SHOWN} more were left out")
        entries = ingest_all(create_api_client(), find_documents(paths), wait, again=again, bulk=bulk)
        show_entries(entries, time.monotonic() - begun)


def show_entries(entries: list[Json], seconds: float) -> None:
    """Print what became of documents, and a summary; end with 1 where one is not in the index as it is."""
    if OPTIONS.json:
        print_json(entries)
    else:
        for entry in entries:
            faulty = entry["error"] or entry.get("notes")
            if len(entries) <= _SHOWN or faulty:
                _print_entry(entry)
        OUT.print(_sum_up(entries, seconds))
    if any(entry["status"] in NOT_INDEXED for entry in entries):
        raise typer.Exit(1)


def _print_entry(entry: Json) -> None:
    news = "unchanged" if entry.get("unchanged") else f"{entry['embedded']:,} embedded"
    counts = f"{format_count(entry['chunks'], 'chunk')}, {news}"
    line = build_line("{status} {name}", status=f"{entry['status']:8}", name=entry["name"])
    line.append_text(build_line("  {counts}", counts=counts))
    if entry["error"]:
        line.append_text(build_line(" [red]{error}[/]", error=entry["error"]))
    OUT.print(line)
    print_notes(entry)


def print_notes(entry: Json) -> None:
    """Print what is doubtful about how a document was read."""
    for note in entry.get("notes") or ():
        OUT.print(build_line("         [yellow]doubtful:[/] {note}", note=note))


def _sum_up(entries: list[Json], seconds: float) -> str:
    news = [entry for entry in entries if not entry.get("unchanged")]
    told = [f"{count:,} {status}" for status, count in sorted(Counter(entry["status"] for entry in news).items())]
    if news:
        chunks, embedded = (sum(entry[field] for entry in news) for field in ("chunks", "embedded"))
        told = [f"{', '.join(told)}: {format_count(chunks, 'chunk')}, {embedded:,} embedded"]
    if len(news) < len(entries):
        told.append(f"unchanged: {len(entries) - len(news):,}")
    if doubtful := sum(bool(entry.get("notes")) for entry in entries):
        told.append(f"read with doubts: {doubtful:,}")
    return "; ".join([*told, f"{seconds:.1f} s"])
