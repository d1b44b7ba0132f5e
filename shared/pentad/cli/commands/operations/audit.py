"""``pentad audit``: who did what, and whether the record of it is as it was written."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pentad.api.acts.subjects import BY_OPERATORS, OF_NOBODY, OF_TENANTS
from pentad.cli import operator
from pentad.cli.commands.operations.acts import open_audit, open_key
from pentad.cli.commands.operations.anchored import Anchored
from pentad.cli.commands.operations.exported import MANIFEST, AuditExport, find_export_faults
from pentad.cli.console import EXIT_USAGE, OPTIONS, OUT, CommandError, handle_errors, print_json, refuse_options
from pentad.cli.screen import Grid, build_line, build_styled, format_count
from pentad.cli.target import LOCAL_TENANT
from pentad.domain.reading.json_text import read_json

if TYPE_CHECKING:
    from pentad.aws.sealed import SealCheck, SealedLog

app = typer.Typer(
    help="Who did what to a run, a tenant's things or the deployment: shown and checked with AWS credentials.",
    no_args_is_help=True,
)

Json = dict[str, Any]
Subject = Annotated[
    str,
    typer.Argument(
        metavar="RUN|SUBJECT",
        help=f"A run's id, or one of {', '.join(OF_TENANTS + OF_NOBODY)}.",
    ),
]
Tenant = Annotated[
    str | None,
    typer.Option(
        "--tenant",
        "-t",
        help=f"The tenant's id; {' and '.join(OF_NOBODY)} have none. {operator.TENANT_DEFAULT}",
        show_default=False,
    ),
]
Since = Annotated[datetime | None, typer.Option("--since", help="Entries from this time on, UTC; default 30 days ago.")]


class Shape(StrEnum):
    """How an export is written."""

    JSONL = "jsonl"
    CSV = "csv"


_DAYS = 30
_WRITERS = {"AUDIT": "run-tool", "ACTS": "api"}
_ASKED = frozenset({"asked", "undo_asked"})
"""What the tool runner was about to do; another entry says how it ended."""
_PAGES = 50
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@app.command("show")
def show(subject: Subject, tenant: Tenant = None, stage: operator.Stage = None) -> None:
    """Show what tools did in a run, and what people did to it."""
    with handle_errors():
        tenant_id = _choose_tenant(stage, tenant, subject)
        views = sorted(_read_entries(open_audit(stage), tenant_id, subject), key=lambda view: str(view["at"]))
        if OPTIONS.json:
            print_json(views)
            return
        if not views:
            OUT.print(build_line("Nothing is recorded of {subject}.", subject=subject))
            return
        grid = Grid("time", "what", "outcome", "who", "from", "details")
        for view in views:
            grid.add_row(*(str(view[name] or "") for name in ("at", "what", "outcome", "who", "source_ip", "details")))
        OUT.print(grid)


@app.command("verify")
def verify(
    subject: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN|SUBJECT|DAY",
            help="As for show, or a day (2026-11-30): attempts of models outside of runs. Default: all anchored.",
        ),
    ] = None,
    tenant: Tenant = None,
    stage: operator.Stage = None,
    logs: Annotated[
        bool, typer.Option("--logs", help="Compare with the log lines of the functions that wrote it, as well.")
    ] = False,
    since: Since = None,
) -> None:
    """Check that the audit of a run, of another subject or of a tenant is as it was written; exit code 1 if not.

    Hashes and signatures show entries that were changed, moved, added or removed. The anchors, which nobody can change,
    show a missing end and a history that was rewritten; so do calls and decisions of the run without an entry and, with
    --logs, the log lines of each entry. Attempts of models are in no hash chain: --logs compares them with the
    gateway's log.
    """
    with handle_errors():
        tenant_id = _choose_tenant(stage, tenant, subject)
        if subject is None:
            _verify_tenant(stage, tenant_id, since, logs)
            return
        refuse_options("with a subject, of which all entries are checked", since=since is not None)
        _check_logs_asked(subject, logs)
        if _DAY.fullmatch(subject):
            count, faults = _find_attempt_faults(stage, tenant_id, subject)
            _print_faults(f"attempts of {subject}", count, faults)
            return
        anchored, faults = Anchored(stage), list[str]()
        chains: dict[str, SealCheck] = {}
        for kind, pk in _list_chains(tenant_id, subject).items():
            found = chains[pk] = anchored.chain.check(pk)
            faults += [f"{pk}: {fault}" for fault in found.faults]
            if logs:
                faults += _compare_logs(stage, kind, pk, found)
        faults += anchored.find_chain_faults(tenant_id, chains)
        faults += _find_unrecorded(stage, anchored.chain, tenant_id, subject)
        count = sum(len(found.entries) for found in chains.values())
        if logs and len(chains) > 1:  # a run's
            attempts, changed = _find_attempt_faults(stage, tenant_id, subject)
            count, faults = count + attempts, faults + changed
        _print_faults(subject, count, faults)


def _check_logs_asked(subject: str, logs: bool) -> None:
    """Return if the logs may, or need not, be read of a subject.

    Raises:
        CommandError: no log tells of it; or nothing but a log does.
    """
    if logs and subject in BY_OPERATORS:
        raise CommandError(
            f"operators' acts on '{subject}' are not in the functions' logs: leave out --logs",
            code=EXIT_USAGE,
        )
    if not logs and _DAY.fullmatch(subject):
        raise CommandError(
            "attempts of models are not in a hash chain: add --logs to compare them with the gateway's log",
            code=EXIT_USAGE,
        )


def _verify_tenant(stage: str | None, tenant_id: str, since: datetime | None, logs: bool) -> None:
    if logs:
        raise CommandError("--logs needs a run or a subject: name one", code=EXIT_USAGE)
    begin = datetime.now(UTC) - timedelta(days=_DAYS) if since is None else _to_utc(since)
    anchors, chains, faults = Anchored(stage).find_tenant_faults(tenant_id, begin)
    if not OPTIONS.json and not faults:
        said = "[green]{found} of '{tenant}' are as they were written[/]"
        found = f"{format_count(anchors, 'anchor')} and {format_count(chains, 'chain')}"
        OUT.print(build_line(said, found=found, tenant=tenant_id))
        return
    if OPTIONS.json:
        print_json({"tenant": tenant_id, "anchors": anchors, "chains": chains, "faults": faults})
    else:
        for fault in faults:
            OUT.print(build_styled(fault, "red"))
    if faults:
        raise typer.Exit(1)


@app.command("export")
def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for the files; run again to resume.")],
    since: Annotated[datetime, typer.Option("--since", help="Entries from this time on, UTC.")],
    tenant: Tenant = None,
    until: Annotated[datetime | None, typer.Option("--until", help="Entries before this time; default now.")] = None,
    shape: Annotated[Shape, typer.Option("--format", help="All of an entry, or columns.")] = Shape.JSONL,
    stage: operator.Stage = None,
) -> None:
    """Write a tenant's audit into files of 10,000 entries, with a manifest of their hashes that the audit's key signs.

    A run that was cut off goes on where it was. `pentad audit check FOLDER` tells whether an export is as it was made.
    """
    with handle_errors():
        tenant_id = operator.choose_tenant(stage, tenant, "audit")
        begin, end = _to_utc(since), None if until is None else _to_utc(until)
        # Without an end it is the same question when it is asked again: the end of the first time stands.
        asked = {"tenant": tenant_id, "since": begin.isoformat(), "until": None if end is None else end.isoformat()}
        asked["format"] = shape.value
        anchored = Anchored(stage)
        chains = anchored.list_chains(tenant_id, anchored.list_anchors(tenant_id, begin), begin)
        made = AuditExport(anchored.ledger, out, asked, chains, since=begin, until=end or datetime.now(UTC))
        manifest = made(open_key(stage))
        if OPTIONS.json:
            print_json(manifest)
            return
        said = "{entries} of '{tenant}' in {files} in {out}; {manifest} is signed"
        OUT.print(
            build_line(
                said,
                entries=format_count(manifest["entries"], "entry"),
                tenant=tenant_id,
                files=format_count(len(manifest["files"]), "file"),
                out=str(out),
                manifest=MANIFEST,
            )
        )


@app.command("check")
def check(
    folder: Annotated[Path, typer.Argument(help="What pentad audit export has written.")],
    stage: operator.Stage = None,
) -> None:
    """Check that an export is as it was made; exit code 1 if not."""
    with handle_errors():
        _print_faults(str(folder), 0, find_export_faults(folder, open_key(stage)))


def _choose_tenant(stage: str | None, tenant_id: str | None, subject: str | None) -> str:
    """Return whose audit is meant; of a subject that is nobody's any tenant's id will do.

    Raises:
        CommandError: none is named, and a stage has many.
    """
    if subject in OF_NOBODY and tenant_id is None:
        return LOCAL_TENANT
    return operator.choose_tenant(stage, tenant_id, "audit")


def _to_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _list_chains(tenant_id: str, subject: str) -> dict[str, str]:
    """Return the partitions of a subject's chains, by kind.

    Raises:
        InvalidInput: the tenant or the run is not well formed.
    """
    from pentad.domain import keys
    from pentad.domain.ids import check_id

    check_id("tenant", tenant_id)
    if subject in OF_NOBODY:
        return {"ACTS": keys.acts_pk(None, subject)}
    if subject in OF_TENANTS:
        return {"ACTS": keys.acts_pk(tenant_id, subject)}
    check_id("run", subject)
    return {"AUDIT": keys.audit_pk(tenant_id, subject), "ACTS": keys.acts_pk(tenant_id, subject)}


def _read_entries(chain: "SealedLog", tenant_id: str, subject: str) -> Iterable[Json]:
    for kind, pk in _list_chains(tenant_id, subject).items():
        for item in chain.check(pk).entries:
            yield (_build_call_view if kind == "AUDIT" else _build_act_view)(_read_body(item))


def _build_call_view(body: Json) -> Json:
    return {
        "at": body.get("at"),
        "what": f"{body.get('action')} {body.get('tool')}",
        "outcome": body.get("outcome"),
        "who": body.get("agent"),
        "source_ip": None,
        "details": f"step {body.get('step')}, call {body.get('index')}",
    }


def _build_act_view(body: Json) -> Json:
    said = body.get("actor")
    actor = said if isinstance(said, dict) else {}
    groups = " ".join(map(str, body.get("groups") or ())) or "none"
    return {
        "at": actor.get("at"),
        "what": body.get("name"),
        "outcome": body.get("stage") if body.get("status") is None else body["status"],
        "who": actor.get("person"),
        "source_ip": actor.get("source_ip"),
        "details": f"{body.get('target')}, key {actor.get('key_id')}, groups {groups}",
    }


def _find_unrecorded(stage: str | None, chain: "SealedLog", tenant_id: str, subject: str) -> list[str]:
    """Return the calls and decisions of a run that stand in the state table and not in the audit."""
    from pentad.domain import keys

    places = _list_chains(tenant_id, subject)
    if "AUDIT" not in places:
        return []
    bodies = {kind: [_read_body(item) for item in chain.check(pk).entries] for kind, pk in places.items()}
    ended = [body for body in bodies["AUDIT"] if body.get("action") not in _ASKED]
    called = {(body.get("step"), body.get("index")) for body in ended}
    decisions = [body for body in bodies["ACTS"] if body.get("name") == "decide_approval"]
    decided = {str(body.get("target")).rpartition("/")[2] for body in decisions}
    faults: list[str] = []
    for item in operator.open_table(stage, "StateTable").iter_items(keys.run_pk(tenant_id, subject)):
        body = _read_body(item) if item.get("type") in ("call", "approval") else {}
        if item.get("type") == "call" and item.get("status") in ("succeeded", "undone"):
            place = (body.get("step"), body.get("index"))
            if place not in called:
                faults.append(f"call {place[1]} of step {place[0]} has ended, and is not in the audit")
        elif item.get("type") == "approval" and body.get("decider") and body.get("approval") not in decided:
            faults.append(f"approval '{body.get('approval')}' was decided, and that is not in the audit")
    return faults


def _read_body(item: Mapping[str, Any]) -> Json:
    try:
        found = read_json(str(item.get("body") or "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _compare_logs(stage: str | None, kind: str, pk: str, found: "SealCheck") -> list[str]:
    """Return where a chain differs from what its writer told in its log, to which lines can only be added."""
    told = _read_told(stage, f"/aws/lambda/{operator.function_name(stage, _WRITERS[kind])}", pk)
    stand = {int(item["number"]): str(item["hash"]) for item in found.entries if "number" in item}
    changed = [number for number in sorted(set(told) & set(stand)) if told[number] != {stand[number]}]
    faults = [f"{pk}: entry {number} differs from the logged one" for number in changed]
    faults += [f"{pk}: entry {number} was logged but is missing" for number in sorted(set(told) - set(stand))]
    why = "its lines are no longer kept, a crash lost the line, or another wrote the entry"
    faults += [f"{pk}: no log line for entry {number}: {why}" for number in sorted(set(stand) - set(told))]
    return faults


def _read_told(stage: str | None, group: str, pk: str) -> dict[int, set[str]]:
    """Return the hashes that a function's log tells of a chain's entries, by number."""
    from pentad.runtime.wiring.ground.audit import AUDIT_WRITTEN

    told: dict[int, set[str]] = {}
    for line in _iter_lines(stage, group, pk):
        if line.get("event") == AUDIT_WRITTEN and line.get("chain") == pk:
            told.setdefault(int(line["number"]), set()).add(str(line["hash"]))
    return told


def _find_attempt_faults(stage: str | None, tenant_id: str, subject: str) -> tuple[int, list[str]]:
    """Return how many items of attempts stand in a run or a day, and where they differ from the gateway's log.

    Raises:
        CommandError: the log has more pages than can be read.
    """
    from pentad.aws.sealed import compute_hash
    from pentad.domain import keys
    from pentad.runtime.wiring.ground.audit import ATTEMPT_WRITTEN

    pk = (keys.ledger_day_pk if _DAY.fullmatch(subject) else keys.run_pk)(tenant_id, subject)
    told: dict[str, set[str]] = {}
    for line in _iter_lines(stage, f"/aws/lambda/{operator.function_name(stage, 'gateway')}", pk):
        if line.get("event") == ATTEMPT_WRITTEN and line.get("place") == pk:
            told.setdefault(str(line["item"]), set()).add(str(line["hash"]))
    ledger = operator.open_table(stage, "LedgerTable")
    stand = {str(item["sk"]): compute_hash(item) for item in ledger.iter_items(pk, begins=keys.ATTEMPT)}
    changed = [sk for sk in sorted(set(told) & set(stand)) if told[sk] != {stand[sk]}]
    faults = [f"{pk}: '{sk}' differs from the logged attempt" for sk in changed]
    faults += [f"{pk}: '{sk}' was logged but is missing" for sk in sorted(set(told) - set(stand))]
    why = "its lines are no longer kept, a crash lost the line, or another wrote it"
    faults += [f"{pk}: no log line for '{sk}': {why}" for sk in sorted(set(stand) - set(told))]
    return len(stand), faults


def _iter_lines(stage: str | None, group: str, text: str) -> Iterator[Json]:
    """Yield the lines of a function's log that hold a text.

    Raises:
        CommandError: it has more pages of them than can be read.
    """
    client = operator.create_client("logs", stage)
    request: Json = {"logGroupName": group, "filterPattern": f'"{text}"'}
    for _ in range(_PAGES):
        reply = client.filter_log_events(**request)
        yield from (_parse_line(str(event["message"])) for event in reply["events"])
        if not reply.get("nextToken"):
            return
        request["nextToken"] = reply["nextToken"]
    raise CommandError(f"the log group '{group}' has more pages than can be read; leave out --logs")


def _parse_line(message: str) -> Json:
    try:
        line = read_json(message)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def _print_faults(subject: str, entries: int, faults: Sequence[str]) -> None:
    if OPTIONS.json:
        print_json({"subject": subject, "entries": entries, "faults": list(faults)})
    elif faults:
        for fault in faults:
            OUT.print(build_styled(fault, "red"))
    else:
        said = "[green]{count} of {subject} checked: none was changed[/]"
        OUT.print(build_line(said, count=format_count(entries, "entry"), subject=subject))
    if faults:
        raise typer.Exit(1)
