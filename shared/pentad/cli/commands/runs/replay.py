"""``pentad replay`` and ``pentad runs export``: a run as a regression test."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from pentad.cli.console import EXIT_FAILED, OPTIONS, OUT, CommandError, handle_errors, print_json, write_text
from pentad.cli.screen import build_line, format_count
from pentad.cli.synth import ensure_assembly, find_project_root
from pentad.cli.target import create_api_client
from pentad.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from pentad.cli.deployable import Deployable
    from pentad.orchestration.timetravel.recording import Recording
    from pentad.orchestration.timetravel.replay.report import Report

EXIT_CANNOT = 2
_SHOWN = 10

ReplayStage = Annotated[str, typer.Option("--stage", help="The stage whose definition is replayed.")]
ExportStage = Annotated[str, typer.Option("--stage", help="The stage whose definition is recorded.")]


def replay(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run, or a file that `pentad runs export` wrote.")],
    stage: ReplayStage = "dev",
) -> None:
    """Run a recording again with no model, no tool and no network, by this folder's agents; say where it differs.

    Exits with 0 where it goes the same, 1 where it diverges, 2 where it can't be replayed.
    """
    with handle_errors():
        from pentad.cli.expressions import evaluate_expression
        from pentad.orchestration.timetravel.replay.replay import Replay
        from pentad.runtime.wiring.replay import make_replay_stores

        found = _load_recording(run_id)
        deployable = _load_deployable(stage)
        agent = found.definition.agent
        with _explained():
            if not any(step.request for step in found.steps):
                found = _add_requests(found, deployable)
            report = Replay(
                found,
                deployable.load_definition(agent),
                deployable.load_catalog(),
                evaluate=evaluate_expression,
                make_stores=make_replay_stores,
            )()
        if OPTIONS.json:
            print_json(report.model_dump(mode="json"))
        else:
            _print_report(report)
        if not report.same:
            raise typer.Exit(EXIT_FAILED)


def export(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run that has ended.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file. Default: standard output.")
    ] = None,
    stage: ExportStage = "dev",
) -> None:
    """Write a run's recording: words of users, model and tools, so keep it like them."""
    with handle_errors():
        with _explained():
            found = _add_requests(_fetch_recording(run_id), _load_deployable(stage))
        content = json.loads(found.model_dump_json(exclude_none=True))
        if output is None:
            print_json(content)
            return
        write_text(output, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        OUT.print(
            f"{output}: {format_count(len(found.steps), 'turn')} of {found.definition.agent}, {found.outcome.status}"
        )


class _explained:
    """Turns what makes a replay impossible into a line and the exit code 2."""

    def __enter__(self) -> None:
        """Do nothing yet."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from pentad.orchestration.timetravel.replay.replay import CannotReplay
        from twin.deploy.assembly import AssemblyError

        if isinstance(error, AssemblyError | CannotReplay | ConfigurationError):
            raise CommandError(f"can't replay the run: {error}", code=EXIT_CANNOT) from error


def _load_recording(name: str) -> "Recording":
    from pentad.orchestration.timetravel.recording import Recording

    path = Path(name)
    if name.startswith("run_") and not path.exists():
        return _fetch_recording(name)
    try:
        return Recording.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"'{name}' is neither a run nor a readable file", code=EXIT_CANNOT) from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise CommandError(f"'{name}' is not a recording of this version", code=EXIT_CANNOT) from error


def _fetch_recording(run_id: str) -> "Recording":
    from pentad.orchestration.timetravel.recording import Recording

    try:
        content = create_api_client().call("GET", f"/v1/runs/{run_id}/recording")
    except CommandError as error:
        raise CommandError(str(error), code=EXIT_CANNOT) from error
    return Recording.model_validate(content)


def _load_deployable(stage: str) -> "Deployable":
    from pentad.cli.deployable import Deployable

    folder, _ = ensure_assembly(find_project_root(), stage)
    with _explained():
        return Deployable(folder)


def _add_requests(found: "Recording", deployable: "Deployable") -> "Recording":
    from pentad.cli.expressions import evaluate_expression
    from pentad.orchestration.timetravel.replay.replay import add_request_prints
    from pentad.runtime.wiring.replay import make_replay_stores

    machine = deployable.load_definition(found.definition.agent)
    return add_request_prints(found, machine, evaluate=evaluate_expression, make_stores=make_replay_stores)


def _print_report(report: "Report") -> None:
    if report.same:
        same = "[green]same[/]: {turns} of {agent} went as recorded"
        OUT.print(build_line(same, turns=format_count(report.steps, "turn"), agent=report.agent))
        return
    OUT.print(build_line("[red]diverged[/]: {run} ({agent})", run=report.run_id, agent=report.agent))
    for divergence in report.divergences[:_SHOWN]:
        where = f"turn {divergence.step}" if divergence.step is not None else "the run"
        what = f"{where}, {divergence.what}"
        OUT.print(build_line("{what}: [bold]{field}[/]", what=what, field=divergence.field))
        OUT.print(f"  recorded: {divergence.recorded}", soft_wrap=True)
        OUT.print(f"  now:      {divergence.now}", soft_wrap=True)
    if len(report.divergences) > _SHOWN:
        OUT.print(build_line("[dim]and {count} more: --json has all[/]", count=len(report.divergences) - _SHOWN))
