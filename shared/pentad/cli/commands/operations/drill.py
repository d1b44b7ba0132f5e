"""``pentad drill``: exercise what is needed on bad days only, on a good one."""

import json
from typing import TYPE_CHECKING, Any

import typer

from pentad.cli import operator
from pentad.cli.console import EXIT_FAILED, EXIT_UNAVAILABLE, OPTIONS, OUT, CommandError, handle_errors, print_json
from pentad.cli.screen import Grid, build_styled

if TYPE_CHECKING:
    from pentad.models.drill.drill import DrillResult

app = typer.Typer(help="Drills, run now with the operator's AWS credentials.")
_SECONDS = 310.0  # the gateway's function ends after 300


@app.callback()
def keep_group() -> None:
    """Keep the subcommand's name where there is one subcommand."""


@app.command("fallback")
def run_fallback_drill(stage: operator.Stage = None) -> None:
    """Send a tiny real request to each link of each chain; exit 1 where one does not answer."""
    with handle_errors():
        result = _invoke_drill(stage)
        if OPTIONS.json:
            print_json(result.model_dump(mode="json"))
        else:
            OUT.print(_build_grid(result))
            count = len(result.links)
            OUT.print(f"{count - len(result.broken)} of {count} links answer")
        if result.broken:
            raise typer.Exit(EXIT_FAILED)


def _invoke_drill(stage: str | None) -> "DrillResult":
    from botocore.exceptions import BotoCoreError, ClientError

    from pentad.models.drill.drill import DrillResult

    # The alias, which runs use: what is unpublished has no snapshot and may be another version.
    gateway = f"{operator.function_name(stage, 'gateway')}:live"
    try:
        reply = operator.create_client("lambda", stage, read_timeout=_SECONDS).invoke(
            FunctionName=gateway, Payload=json.dumps({"op": "drill"}).encode()
        )
        data: Any = json.loads(reply["Payload"].read())
    except (BotoCoreError, ClientError, ValueError) as error:
        raise CommandError(f"can't invoke '{gateway}': {error}", code=EXIT_UNAVAILABLE) from error
    if reply.get("FunctionError"):
        raise CommandError(f"the drill failed: {data.get('errorType')}: {data.get('errorMessage')}")
    return DrillResult.model_validate(data)


def _build_grid(result: "DrillResult") -> Grid:
    grid = Grid()
    for heading in ("tier", "link", "provider", "model", "", "ms", "error"):
        grid.add_column(heading, no_wrap=heading != "error", justify="right" if heading == "ms" else "left")
    for link in result.links:
        state = build_styled("ok", "green") if link.ok else build_styled(link.outcome or "not sent", "red")
        error = link.error or ""
        grid.add_row(link.tier, str(link.link), link.provider, link.model, state, str(link.duration_ms), error)
    return grid
