"""``pentad vectors``: move vectors from one store to another."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from pentad.cli.console import (
    ERR,
    EXIT_FAILED,
    EXIT_USAGE,
    OPTIONS,
    OUT,
    CommandError,
    handle_errors,
    print_json,
    read_text,
)
from pentad.cli.operator import TWIN_STAGE, Stage, create_client
from pentad.cli.screen import build_line
from pentad.cli.target import state_folder
from pentad.domain.reading.json_text import read_json

if TYPE_CHECKING:
    from pentad.memory.migration.migrate import Moved
    from pentad.memory.migration.record import MigrationRecord
    from pentad.memory.retrieval.ports import VectorStore

Prune = Annotated[
    bool, typer.Option("--prune", help="Remove from the other store what the first one has not (before the switch).")
]
Switched = Annotated[
    bool, typer.Option("--switched", help="The stage uses the other store by now: bring only what is new since.")
]
RecordFolder = Annotated[
    Path | None, typer.Option(help="Folder with what was copied when. Default: .pentad/migrations.")
]
app = typer.Typer(no_args_is_help=True, help="Where vectors are kept.")


@app.callback()
def explain() -> None:
    """Where vectors are kept."""


@app.command("migrate")
def migrate_vectors(
    source: Annotated[str, typer.Option("--from", help="The store that is read: pinecone, postgres, ...")],
    target: Annotated[str, typer.Option("--to", help="The store that is written.")],
    tenants: Annotated[list[str], typer.Option("--tenant", help="A tenant; may be given several times.")],
    from_secret: Annotated[Path | None, typer.Option(help="A file with the secret's JSON, instead of AWS's.")] = None,
    to_secret: Annotated[Path | None, typer.Option(help="The same of the store that is written.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be copied, and write nothing.")] = False,
    prune: Prune = False,
    switched: Switched = False,
    record: RecordFolder = None,
    stage: Stage = None,
) -> None:
    """Copy vectors to another store, without embedding again; a repeat copies what is missing only."""
    from pentad.memory.migration.migrate import migrate

    with handle_errors():
        if source == target and from_secret == to_secret:
            raise CommandError("--from and --to are the same store", code=EXIT_USAGE)
        _check_options(tenants, prune=prune, switched=switched)
        records = _open_records(record, f"{stage or TWIN_STAGE}-{source}-{target}", tenants)
        before = {tenant: one.read() if switched else None for tenant, one in records.items()}
        read, written = _open(source, stage, from_secret), _open(target, stage, to_secret)
        try:
            done = []
            for tenant, known in before.items():
                keep = records[tenant].add
                options: dict[str, Any] = {"dry_run": dry_run, "prune": prune, "before": known, "keep": keep}
                done.append(migrate(read, written, tenant, report=_show_progress, **options))
                if not dry_run:
                    records[tenant].write(done[-1].record)
        finally:
            for store in (read, written):
                with suppress(AttributeError):
                    cast(Any, store).close()
        _show(done, dry_run=dry_run)
    if any(one.refusals or one.verified is False for one in done):
        raise typer.Exit(EXIT_FAILED)


def _open_records(folder: Path | None, pair: str, tenants: list[str]) -> "dict[str, MigrationRecord]":
    from pentad.memory.migration.record import MigrationRecord

    folder = folder or state_folder() / "migrations"
    return {tenant: MigrationRecord(folder / f"{pair}-{tenant}.txt") for tenant in dict.fromkeys(tenants)}


def _check_options(tenants: list[str], *, prune: bool, switched: bool) -> None:
    from pentad.domain.ids import check_id

    if prune and switched:
        told = "--prune would remove what was ingested since the stage uses the other store: leave it out"
        raise CommandError(told, code=EXIT_USAGE)
    for tenant in tenants:
        check_id("tenant", tenant)


def _open(name: str, stage: str | None, file: Path | None) -> "VectorStore":
    from pentad.memory.retrieval.ports import VectorStoreName
    from pentad.runtime.wiring.ground.vectors import open_vectors

    if name not in get_args(VectorStoreName):
        known = ", ".join(get_args(VectorStoreName))
        raise CommandError(f"no vector store '{name}'; use one of {known}", code=EXIT_USAGE)
    prefix = f"pentad-{stage or TWIN_STAGE}"
    return open_vectors(
        cast(VectorStoreName, name),
        _read_file(file) if file is not None else _read_secret(f"{prefix}/{name}", stage),
        bucket=f"{prefix}-vectors",
    )


def _read_file(file: Path) -> Callable[[], Mapping[str, str]]:
    try:
        fields = read_json(read_text(file))
    except ValueError as error:
        raise CommandError(f"'{file}' is not JSON", code=EXIT_USAGE) from error
    if not isinstance(fields, dict):
        raise CommandError(f"'{file}' must hold an object, such as {{\"url\": ...}}", code=EXIT_USAGE)
    return lambda: fields


def _read_secret(name: str, stage: str | None) -> Callable[[], Mapping[str, str]]:
    def read() -> Mapping[str, str]:
        from pentad.models.providers.adapters.secrets import SecretsManagerSecrets

        return SecretsManagerSecrets(create_client("secretsmanager", stage)).get_json(name)

    return read


def _show_progress(moved: "Moved") -> None:
    if not OPTIONS.json:
        ERR.print(build_line("[dim]{line}[/]", line=_tell(moved, "copied")))


def _tell(moved: "Moved", verb: str) -> str:
    return f"{moved.tenant_id}: {moved.read:,} read, {moved.copied:,} {verb}, {moved.same:,} there already"


def _show(done: "list[Moved]", *, dry_run: bool) -> None:
    if OPTIONS.json:
        print_json([asdict(replace(one, record={})) for one in done])
        return
    for one in done:
        OUT.print(build_line("{line}", line=_tell(one, "would be copied" if dry_run else "copied")))
        if one.refusals:
            named = ", ".join(f"'{name}'" for name in one.refused)
            line = f"{one.refusals:,} have metadata larger than the other store takes: {named}"
            OUT.print(build_line("{line}", line=line))
        if one.verified is False:
            named = ", ".join(f"'{name}'" for name in one.missing)
            OUT.print(build_line("{line}", line=f"not all arrived, run it again; missing: {named}"))
        removed = "to be removed there" if dry_run else "removed there"
        for count, told in (
            (one.removed, f"{removed}, as the first store has them no more"),
            (one.deleted, "deleted in the other store since the last copy, and left so"),
            (one.newer, "newer in the other store, and left so"),
            (one.extra, "only in the other store, and left there"),
        ):
            if count:
                OUT.print(build_line("{told}: {count}", told=told, count=f"{count:,}"))
