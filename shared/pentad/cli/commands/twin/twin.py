"""``pentad up``: the synthesized assembly, running on this machine."""

import logging
import os
import shlex
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pentad.cli.client import ApiClient
from pentad.cli.commands.twin.interrupted import end_interrupted
from pentad.cli.commands.twin.options import CONCURRENCY, make_options, read_tool_secrets
from pentad.cli.console import ERR, OPTIONS, OUT, CommandError, confirm, handle_errors, print_json
from pentad.cli.screen import build_line, choose_verb, format_count
from pentad.cli.synth import ensure_assembly, find_project_root
from pentad.cli.target import (
    KEY_FILE,
    LOCAL_OPERATOR,
    LOCAL_TENANT,
    STATE_FOLDER,
    STATE_VARIABLE,
    save_key,
    state_folder,
)
from pentad.domain.errors import ConfigurationError, PentadError

if TYPE_CHECKING:
    from pentad.api.identity.adapters.keys_dynamodb import DynamoKeys
    from pentad.cli.commands.twin.docs_ui import DocsUi
    from twin.running.twin import Twin

_KEYS = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY", "gemini": "GEMINI_API_KEY"}

StateFolder = Annotated[
    Path | None,
    typer.Option("--state", help="Folder of the twin's files. Default: PENTAD_STATE, else .pentad in the project."),
]


def read_provider_keys() -> dict[str, str]:
    """Return the real providers' keys that the environment has: those providers are then called for real."""
    return {name: value for name, variable in _KEYS.items() if (value := os.environ.get(variable))}


@dataclass
class Running:
    """A twin that is up, with a key of the local tenant."""

    twin: "Twin"
    key: str
    assembly: Path
    ready_seconds: float
    interrupted: int = 0
    """Runs that were under way when the twin before stopped, and have failed now."""


@contextmanager
def run_twin(
    root: Path,
    state: Path,
    *,
    api_port: int = 0,
    hosts: tuple[str, ...] = (),
    concurrency: int = CONCURRENCY,
    processes: int | None = None,
    keep: bool = False,
) -> Iterator[Running]:
    """Synthesize if need be, start the twin, make a key, and stop it all at the end.

    Args:
        root: the project's folder.
        state: the folder of the twin's files.
        api_port: port of the API; 0 lets the system choose.
        hosts: names of this machine, beside ``localhost``, under which the twin may be reached.
        concurrency: see `make_options`, as the next one.
        processes: of functions at once.
        keep: begin with the data of the last twin, and keep them for the next one.

    Raises:
        CommandError: the synth failed or the twin can't start.
    """
    with ERR.show_status("synthesizing the cloud assembly (cdk.out)"):
        out, fresh = ensure_assembly(root)
    how = "synthesized" if fresh else "unchanged, reused"
    ERR.print(build_line("[dim]cloud assembly: {name}, {how}[/]", name=out.name, how=how))
    began = time.monotonic()
    with ERR.show_status("starting the twin: deploying the assembly into a local AWS"):
        limits = {"concurrency": concurrency, "processes": processes}
        secrets = _read_secrets(root)
        twin = _start_twin(out, state, tool_secrets=secrets, api_port=api_port, hosts=hosts, keep=keep, **limits)
    try:
        key = (_find_kept_key(twin, state) if keep else None) or _make_key(twin)
        save_key(state, key)
        interrupted = end_interrupted(twin) if keep and twin.kept_count else 0
        yield Running(twin, key, out, round(time.monotonic() - began, 3), interrupted)
    finally:
        if not keep:
            (state / KEY_FILE).unlink(missing_ok=True)
        with ERR.show_status("keeping the twin's data" if keep else "stopping the twin"):
            twin.stop()


def _read_secrets(root: Path) -> dict[str, str]:
    try:
        return read_tool_secrets(root)
    except ConfigurationError as error:
        raise CommandError(f"can't start the twin: {error.message}. Fix: {error.fix}") from None


def _start_twin(out: Path, state: Path, **given: Any) -> "Twin":
    from twin.deploy.assembly import AssemblyError
    from twin.deploy.errors import DeployError
    from twin.running.state_file import TwinRunning
    from twin.running.twin import Twin, TwinError

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    options = make_options(provider_keys=read_provider_keys(), **given)
    try:
        return Twin.start(out, state, options=options)
    except (AssemblyError, DeployError, TwinError, TwinRunning, OSError) as error:
        raise CommandError(f"can't start the twin: {error}") from error


def _open_keys(twin: "Twin") -> "DynamoKeys":
    from pentad.api.identity.adapters.keys_dynamodb import DynamoKeys
    from pentad.aws.table import Table

    return DynamoKeys(Table(twin.get_admin_client("dynamodb"), twin.outputs["pentad-dev-state"]["StateTable"]))


def _find_kept_key(twin: "Twin", state: Path) -> str | None:
    """Return the key of the last twin, if it may still do what a new one may; so what has copied it goes on."""
    from pentad.api.identity.caller import SCOPES
    from pentad.api.identity.keys import KeyAuthenticator

    path = state / KEY_FILE
    if not path.is_file():
        return None
    token = path.read_text(encoding="utf-8").strip()
    try:
        caller = KeyAuthenticator(_open_keys(twin), now=lambda: datetime.now(UTC))(token)
    except PentadError:
        return None
    return token if caller.scopes >= set(SCOPES) else None


def _make_key(twin: "Twin") -> str:
    from pentad.api.identity.caller import ALL_GROUPS, SCOPES
    from pentad.api.identity.keys import create_key

    values: Any = {"scopes": SCOPES, "groups": (ALL_GROUPS,), "owner": LOCAL_OPERATOR, "name": "made by pentad up"}
    return create_key(_open_keys(twin), LOCAL_TENANT, now=datetime.now(UTC), **values)[1]


def _make_docs_ui(running: Running, hosts: tuple[str, ...]) -> "DocsUi":
    from pentad.cli.commands.twin.docs_ui import DocsUi

    twin = running.twin
    client = ApiClient(twin.api_url, running.key)

    def list_groups() -> list[str]:
        twin.flush_logs()
        pages = twin.get_admin_client("logs").get_paginator("describe_log_groups").paginate()
        return [group["logGroupName"] for page in pages for group in page["logGroups"]]

    def read_newest(group: str, count: int) -> list[Any]:
        twin.flush_logs()
        reply = twin.get_admin_client("logs").filter_log_events(logGroupName=group, limit=10_000)
        return list(reply["events"])[-count:]

    return DocsUi(
        twin.api_url,
        openapi=lambda: client.call("GET", "/v1/openapi.json"),
        log_groups=list_groups,
        read_log=read_newest,
        hosts=hosts,
    )


def serve_twin(
    state: StateFolder = None,
    port: Annotated[int, typer.Option(help="Port of the API; 0 lets the system choose.")] = 0,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A name of this machine, beside localhost, under which the twin may be reached."),
    ] = None,
    concurrency: Annotated[
        int,
        typer.Option(min=1, help="Calls of functions at once, waiting ones included; calls beyond it are throttled."),
    ] = CONCURRENCY,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Processes of functions at once. Default: 16 a core, if memory allows."),
    ] = None,
) -> None:
    """Start the local twin and leave it running until Ctrl-C: API, documentation, logs.

    Documents, runs, keys, records and budgets are kept for the next start; `pentad reset` begins anew. A run that was
    under way when the twin stopped has failed at the next start, and `pentad runs redrive RUN` lets it go on.
    """
    with handle_errors():
        from twin.running.command import wait_for_signal

        root, hosts = find_project_root(), tuple(allow_host or ())
        # A signal during the start ends it like any other error: what was started is stopped.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        folder = state or state_folder()
        with run_twin(
            root, folder, api_port=port, hosts=hosts, concurrency=concurrency, processes=processes, keep=True
        ) as running:
            ui = _make_docs_ui(running, hosts)
            page = ui.start()
            try:
                _print_ready(running, page, folder)
                wait_for_signal()
            finally:
                ui.stop()
                ERR.print(build_line("[dim]stopping[/]"))


def _print_ready(running: Running, page: str, folder: Path) -> None:
    twin = running.twin
    if OPTIONS.json:
        ready = {"api_url": twin.api_url, "docs_url": page, "key": running.key, "kept": twin.kept_count}
        ready["interrupted"] = running.interrupted
        print_json(ready | {"ready_seconds": running.ready_seconds})
        return
    models = ", ".join(sorted(read_provider_keys())) or "the simulator (no provider key is set)"
    up = "[green]The twin is up[/] in {seconds} s. Ctrl-C stops it."
    OUT.print(build_line(up, seconds=f"{running.ready_seconds:.1f}"))
    OUT.print(f"  API       {twin.api_url}/v1")
    OUT.print(f"  docs UI   {page}/")
    OUT.print(f"  logs      {page}/logs")
    OUT.print(f"  AWS       {twin.aws_url}")
    OUT.print(f"  models    {models}")
    OUT.print(f"  key       {running.key}", soft_wrap=True)
    if twin.kept_count:
        OUT.print(
            f"  data      {format_count(twin.kept_count, 'item')} kept from the last twin; `pentad reset` removes "
            f"{choose_verb(twin.kept_count, 'it', 'them')}"
        )
    if running.interrupted:
        told = (
            "  runs      {count} {was} under way when the twin stopped, and failed; "
            "continue one with `pentad runs redrive RUN`"
        )
        was = choose_verb(running.interrupted, "was", "were")
        OUT.print(build_line(told, count=f"{running.interrupted:,}", was=was))
    if folder.resolve() != (find_project_root() / STATE_FOLDER).resolve():
        # Without it other commands ask the twin of the project's own folder.
        OUT.print(f"  files     export {STATE_VARIABLE}={shlex.quote(str(folder.resolve()))}", soft_wrap=True)
    OUT.print("In another terminal: pentad ingest docs, pentad chat, pentad run, or")
    headers = f"-H 'Authorization: Bearer {running.key}' -H 'Prefer: wait=20' -H 'Content-Type: application/json'"
    OUT.print(f"  curl {headers} \\", soft_wrap=True)
    body = '{"agent": "assistant", "message": "What is 2 + 2?"}'
    OUT.print(f"    {twin.api_url}/v1/runs -d '{body}'", soft_wrap=True)


def reset_twin(
    state: StateFolder = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation.")] = False,
) -> None:
    """Forget what the twin keeps (documents, runs, keys, records, budgets): the next `pentad up` begins empty."""
    with handle_errors():
        from twin.running import state_file
        from twin.running.kept_data import FOLDER

        folder = state or state_folder()
        holder = state_file.find_holder(folder)
        if holder is not None:
            raise CommandError(f"a twin is running (process {holder}): stop it first, then reset it")
        kept = folder / FOLDER
        if not kept.exists():
            _say_reset("The twin keeps no data.")
            return
        if not yes:
            confirm(f"Forget all that the twin keeps in {kept}?")
        shutil.rmtree(kept)
        for path in (folder / KEY_FILE, *folder.glob("vectors.sqlite*")):
            path.unlink(missing_ok=True)
        _say_reset("The next `pentad up` begins empty.")


def _say_reset(text: str) -> None:
    if OPTIONS.json:
        print_json({"reset": text})
    else:
        OUT.print(text)
