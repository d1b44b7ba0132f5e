"""``pentad demo``: run the demo's chapters on a twin and write what happened to demo.json."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pentad.cli.client import ApiClient
from pentad.cli.commands.twin.twin import StateFolder, read_provider_keys, run_twin
from pentad.cli.console import ERR, OPTIONS, OUT, CommandError, handle_errors, print_json
from pentad.cli.screen import Grid, build_line
from pentad.cli.synth import find_project_root
from pentad.cli.target import LOCAL_TENANT, state_folder

if TYPE_CHECKING:
    from pentad.cli.commands.twin.twin import Running
    from pentad.cli.demo.story import Story


def run_demo(
    state: StateFolder = None,
    docs: Annotated[Path | None, typer.Option(help="Documents to upload. Default: the project's docs.")] = None,
) -> None:
    """Show the five layers at work, end to end, and write what happened to .pentad/demo.json."""
    from pentad.cli.demo.record import DemoFailure, write_report

    with handle_errors():
        if read_provider_keys():
            ERR.print(build_line("[yellow]provider keys are set: the real providers answer, and are paid[/]"))
        root = find_project_root()
        folder = state or state_folder()
        with run_twin(root, folder) as running:
            OUT.print(f"The twin is ready in {running.ready_seconds:.1f} s")
            story = _build_story(running, docs or root / "docs")
            try:
                story.tell()
            except DemoFailure as failure:
                raise CommandError(f"the demo failed: {failure}") from failure
            finally:
                report = {
                    "assembly": str(running.assembly),
                    "ready_seconds": running.ready_seconds,
                    "runs": story.runs,
                }
                write_report(folder / "demo.json", report)
        _print_summary(story.runs, folder / "demo.json")


def _build_story(running: "Running", docs: Path) -> "Story":
    from pentad.aws.table import Table
    from pentad.cli.demo.stage import NotesTable, RealProviders, SimulatorFaults
    from pentad.cli.demo.story import Story
    from twin.simulator import SimulatorControl

    twin = running.twin
    dynamodb = twin.get_admin_client("dynamodb")
    records = next(name for name in dynamodb.list_tables()["TableNames"] if "records" in name)
    real = RealProviders(twin, read_provider_keys())
    return Story(
        client=ApiClient(twin.api_url, running.key),
        screen=OUT,
        docs=docs,
        faults=SimulatorFaults(SimulatorControl(twin.simulator_url), LOCAL_TENANT, real),
        notes=NotesTable(Table(dynamodb, records), LOCAL_TENANT),
    )


def _print_summary(runs: list[dict[str, Any]], path: Path) -> None:
    from pentad.cli.show import format_status
    from pentad.domain.money import show

    if OPTIONS.json:
        print_json({"report": str(path), "runs": len(runs)})
        return
    table = Grid()
    for heading in ("question", "status", "transitions", "attempts", "tools", "tokens", "cost"):
        table.add_column(heading, no_wrap=heading != "question")
    for run in runs:
        attempts, tools = len(run["model_attempts"]), len(run["tool_calls"])
        counts = (str(run["transitions"]), str(attempts), str(tools), f"{run['tokens']:,}", show(run["cost_nanousd"]))
        table.add_row(run["question"][:60], format_status(run["status"]), *counts)
    OUT.print(table)
    OUT.print(build_line("[green]All seven happened.[/] The whole record: {path}", path=path), soft_wrap=True)
