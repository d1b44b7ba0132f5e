"""``pentad versions``: what versions there are, which new runs get, and deleting those that nothing uses."""

from typing import TYPE_CHECKING, Annotated

import typer

from pentad.cli import operator
from pentad.cli.console import EXIT_UNAVAILABLE, OPTIONS, OUT, CommandError, confirm, handle_errors, print_json
from pentad.cli.operator import TWIN_STAGE
from pentad.cli.screen import Grid, format_count

if TYPE_CHECKING:
    from pentad.cli.versions import MachineVersion, Versions

app = typer.Typer(
    cls=operator.ListingGroup, help="Versions of agents and workflows, with the operator's AWS credentials."
)
_KEPT = 5


@app.command("list")
def list_versions(stage: operator.Stage = None) -> None:
    """Show the versions of every machine: what changed, what share of new runs each gets, what is in flight on it.

    A deployment publishes versions of all machines; those for which nothing of their own changed are counted only,
    unless new runs get them or runs are in flight on them.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    with handle_errors():
        try:
            found = _make_versions(stage).list_versions()
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"can't read the versions: {error}", code=EXIT_UNAVAILABLE) from error
        if OPTIONS.json:
            print_json({"versions": [_build_row(one) for one in found]})
            return
        grid = Grid()
        for heading in ("machine", "version", "published", "changed", "new runs", "in flight"):
            grid.add_column(heading)
        shown = [one for one in found if one.weight or one.running or one.changed or one.changed is None]
        for one in shown:
            flight = {True: "yes", False: "no", None: "unknown (Express)"}[one.running]
            weight = f"{one.weight} %" if one.weight else ""
            when = one.created.strftime("%Y-%m-%d %H:%M")
            grid.add_row(one.machine, str(one.number), when, _describe_change(one), weight, flight)
        OUT.print(grid)
        if len(shown) < len(found):
            left = format_count(len(found) - len(shown), "version")
            OUT.print(f"and {left} with changes of shared code alone: --json has them")


@app.command("prune")
def prune(
    stage: operator.Stage = None,
    keep: Annotated[
        int, typer.Option(min=1, help="How many versions of each state machine to keep, to roll back to.")
    ] = _KEPT,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
) -> None:
    """Delete versions that no alias leads to and no run is on, and the functions' versions that nothing names then."""
    from botocore.exceptions import BotoCoreError, ClientError

    with handle_errors():
        try:
            versions = _make_versions(stage)
            machines = versions.find_unused_machines(keep=keep)
            functions = versions.find_unused_functions(without=machines)
            if not OPTIONS.json:
                for name in [one.arn for one in machines] + functions:
                    OUT.print(name, soft_wrap=True)
            if machines or functions:
                if not yes:
                    confirm("Delete these versions?")
                versions.delete(machines, functions)
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"can't delete the versions: {error}", code=EXIT_UNAVAILABLE) from error
        if OPTIONS.json:
            print_json({"machines": [one.arn for one in machines], "functions": functions})
        else:
            OUT.print(
                f"deleted {format_count(len(machines), 'version')} of state machines and {len(functions)} of functions"
            )


def _make_versions(stage: str | None) -> "Versions":
    from pentad.cli.versions import Versions

    prefix = f"pentad-{stage or TWIN_STAGE}-"
    return Versions(operator.create_client("stepfunctions", stage), operator.create_client("lambda", stage), prefix)


def _describe_change(one: "MachineVersion") -> str:
    if one.changed is None:
        return "(first)"
    return ", ".join(one.changed) or "nothing of its own"


def _build_row(one: "MachineVersion") -> dict[str, object]:
    return {
        "machine": one.machine,
        "version": one.number,
        "published": one.created.isoformat(),
        "changed": None if one.changed is None else list(one.changed),
        "weight": one.weight,
        "running": one.running,
    }
