"""``pentad logs``: the log lines of one run, of all its functions, in the order of time."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from pentad.cli import operator
from pentad.cli.console import (
    ERR,
    EXIT_FAILED,
    EXIT_UNAVAILABLE,
    OPTIONS,
    OUT,
    CommandError,
    handle_errors,
    print_json,
    refuse_options,
)
from pentad.cli.screen import Quoted, build_line, build_styled
from pentad.domain.display.characters import format_json, shorten_line
from pentad.domain.errors import NotFound, PolicyDenied, StoreUnavailable
from pentad.domain.ids import check_id
from pentad.observability.logs.run_lines import FoundLines, RunLine, RunLines, choose_lines, find_begin, follow_lines

if TYPE_CHECKING:
    from rich.text import Text

Json = dict[str, Any]


class Level(StrEnum):
    """How bad a line is at least."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


_WITHOUT_TIME: Final = timedelta(days=1)
"""How far back is looked for a run whose id tells no time."""
_POLL_SECONDS: Final = 2.0
_FOLLOWED_SECONDS: Final = 900
_LINES: Final = 1_000
_ATTEMPTS: Final = 5
_LONGEST: Final = 240  # characters of a line's details in the terminal
_STYLES: Final = {"DEBUG": "dim", "INFO": "dim", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
_SHOWN_APART: Final = frozenset(
    "timestamp level service message event span request_id tenant run session agent step attempt index op "
    "xray_trace_id stack_trace".split()
)

_Limit = Annotated[int | None, typer.Option(min=1, max=100_000, help="Maximum number of lines. Default: 1000.")]
_Wait = Annotated[
    int | None, typer.Option(min=1, max=86_400, help="With --follow: stop after this many seconds. Default: 900.")
]


def logs(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines until the run's end.")] = False,
    content: Annotated[
        bool, typer.Option("--content", help="Show what was said, where the stage keeps it; it has readers of its own.")
    ] = False,
    tenant: Annotated[str | None, typer.Option("--tenant", "-t", help="Show lines of this tenant only.")] = None,
    level: Annotated[
        Level | None, typer.Option(help="Show lines from this level on. Default: INFO.", case_sensitive=False)
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--since", help="From this time on, UTC. Default: when the run began, else a day ago."),
    ] = None,
    until: Annotated[datetime | None, typer.Option("--until", help="Up to this time, UTC.")] = None,
    limit: _Limit = None,
    wait: _Wait = None,
    stage: operator.Stage = None,
) -> None:
    """Show the log lines of a run, of all its functions, by time; exit code 1 where there is none.

    What Lambda and libraries said in the run's invocations is among them. It needs AWS credentials that may list and
    read the stage's log groups. --json prints one array; with --follow, a line for each.
    """
    with handle_errors():
        if content:
            refuse_options("with --content, written when a run has ended", follow=follow, level=level is not None)
        if follow:
            refuse_options("with --follow, which goes on to the run's end", until=bool(until), limit=bool(limit))
        refuse_options("without --follow", wait=wait is not None and not follow)
        least, most = (level or Level.INFO).value, limit or _LINES
        reader = _open_lines(run_id, tenant, stage)
        now = datetime.now(UTC)
        begin = _to_utc(since) if since else find_begin(run_id, now) or now - _WITHOUT_TIME
        end = _to_utc(until) if until else None
        if content:
            _show_contents(_ask(lambda: reader.find_contents(begin, end)), run_id, most)
        elif follow:
            _follow(lambda start: _ask(lambda: reader.find(start, None)), begin, wait or _FOLLOWED_SECONDS, least)
        else:
            found = _ask(lambda: reader.find(begin, end))
            if not _show(choose_lines(found.lines, least), most, found.notes):
                _tell_nothing(run_id, tenant, begin, bool(found.lines))


def _open_lines(run_id: str, tenant_id: str | None, stage: str | None) -> RunLines:
    check_id("run", run_id)
    if tenant_id is not None:
        check_id("tenant", tenant_id)
    prefix = operator.function_name(stage, "").removesuffix("-")
    return RunLines(_open_source(stage), prefix, run_id, tenant_id=tenant_id)


def _open_source(stage: str | None) -> Any:
    from pentad.observability.logs.adapters.source_cloudwatch import CloudWatchLines

    return CloudWatchLines(operator.create_client("logs", stage, attempts=_ATTEMPTS))


def _ask(read: Callable[[], FoundLines]) -> FoundLines:
    try:
        return read()
    except (NotFound, PolicyDenied, StoreUnavailable) as error:
        raise CommandError(f"{error.message}{f': {error.fix}' if error.fix else ''}", code=EXIT_UNAVAILABLE) from error


def _follow(look: Callable[[datetime], FoundLines], begin: datetime, seconds: float, least: str) -> None:
    until = time.monotonic() + seconds

    def pause() -> bool:
        time.sleep(max(0.0, min(_POLL_SECONDS, until - time.monotonic())))
        return time.monotonic() < until

    told: set[str] = set()
    for found in follow_lines(look, begin, pause=pause):
        _print_notes([note for note in found.notes if note not in told])
        told.update(found.notes)
        for line in choose_lines(found.lines, least):
            OUT.print_json_line(_build_view(line)) if OPTIONS.json else OUT.print(_render(line), soft_wrap=True)


def _tell_nothing(run_id: str, tenant_id: str | None, begin: datetime, quiet: bool) -> None:
    whose = f" of tenant '{tenant_id}'" if tenant_id else ""
    at = begin.strftime("%Y-%m-%d %H:%M")
    do = "give a lower --level" if quiet else "look at the id, --stage and --tenant, or give an earlier --since"
    said = f"no such line of '{run_id}'{whose} since {at} UTC: {do}"
    if not OPTIONS.json:
        raise CommandError(said)
    ERR.print(build_styled(said, "red"), soft_wrap=True)
    raise typer.Exit(EXIT_FAILED)


def _print_notes(notes: Sequence[str]) -> None:
    for note in notes:
        ERR.print(build_styled(note, "yellow"), soft_wrap=True)


def _print_lines(lines: Sequence[RunLine]) -> None:
    if OPTIONS.json:
        print_json([_build_view(line) for line in lines])
        return
    for line in lines:
        OUT.print(_render(line), soft_wrap=True)


def _show(lines: Sequence[RunLine], limit: int, notes: Sequence[str]) -> bool:
    """Print lines, and return whether there was one."""
    _print_notes([*notes, *_tell_cut(lines, limit)])
    _print_lines(lines[:limit])
    return bool(lines)


def _tell_cut(lines: Sequence[RunLine], limit: int) -> list[str]:
    shown = "the first is" if limit == 1 else f"the first {limit:,} are"
    cut = f"there are {len(lines):,} lines, and {shown} shown: give a later --since, or a --limit"
    return [cut] if len(lines) > limit else []


def _show_contents(found: FoundLines, run_id: str, limit: int) -> None:
    lines = found.lines[:limit]
    _print_notes([*found.notes, *_tell_cut(found.lines, limit)])
    if OPTIONS.json:
        print_json([dict(line.fields) for line in lines])
    else:
        for line in lines:
            told = {name: str(line.fields.get(name, "")) for name in ("step", "role", "kind")}
            OUT.print(build_line("[bold]{role}[/] [dim]{kind}, step {step}[/]", **told))
            OUT.print(Quoted(str(line.fields["text"])))
    if not lines:
        _tell_no_content(run_id)


def _tell_no_content(run_id: str) -> NoReturn:
    said = f"nothing that was said in '{run_id}' is kept: it has not ended, or cdk.json's 'contents' leaves it out"
    if not OPTIONS.json:
        raise CommandError(said)
    ERR.print(build_styled(said, "red"), soft_wrap=True)
    raise typer.Exit(EXIT_FAILED)


def _build_view(line: RunLine) -> Json:
    # What the line says of itself comes last: it is as it was written.
    return {"at": line.at.isoformat(), "group": line.group, "service": line.service, "level": line.level, **line.fields}


def _render(line: RunLine) -> "Text":
    fields = line.fields
    span = fields.get("span")
    where = ".".join(str(fields[name]) for name in ("step", "index") if name in fields)
    details = " ".join(f"{name}={_show_value(value)}" for name, value in fields.items() if name not in _SHOWN_APART)
    if isinstance(span, Mapping):
        details = _describe_span(span)
    return build_line(
        "[dim]{at}[/] {level} {service} [dim]{where}[/] {message} [dim]{details}[/]",
        at=line.at.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3],
        level=build_styled(f"{line.level:<7}", _STYLES.get(line.level, "dim")),
        service=f"{line.service:<12}",
        where=f"{where:<4}",
        message=shorten_line(str(fields.get("message", "")), _LONGEST),
        details=shorten_line(details, _LONGEST),
    )


def _show_value(value: object) -> str:
    return format_json(value) if isinstance(value, Mapping | list) else str(value)


def _describe_span(span: Mapping[str, Any]) -> str:
    error = (span.get("attributes") or {}).get("error.type")
    took = (int(span.get("end", 0)) - int(span.get("start", 0))) // 1_000_000
    return f"{took:,} ms{f', {error}' if error else ''}"


def _to_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
