"""``pentad trace``: one run as a waterfall, and what its model was given."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pentad.cli.commands.runs.trace_costs import NOT_COUNTED, describe_dynamodb, estimate_aws_cost
from pentad.cli.commands.runs.trace_page import render_page
from pentad.cli.console import OPTIONS, OUT, handle_errors, print_json
from pentad.cli.screen import build_line, format_count
from pentad.cli.show import render_context, render_waterfall
from pentad.cli.target import create_api_client
from pentad.domain.money import show


def trace(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run.")],
    context: Annotated[
        bool, typer.Option("--context", help="Show what the model was given, why, and what stayed out.")
    ] = False,
    html: Annotated[bool, typer.Option("--html", help="Write the waterfall to RUN.html, in this folder.")] = False,
) -> None:
    """Show one run as a waterfall: states, functions, model attempts, tool calls."""
    with handle_errors():
        view = create_api_client().call("GET", f"/v1/runs/{run_id}/trace")
        if html:
            page = Path(f"{view['run_id']}.html")
            page.write_text(render_page(view), encoding="utf-8")
            OUT.print(build_line("{page}: open it in a browser", page=str(page)))
        elif OPTIONS.json:
            print_json(view | {"aws_estimate": None if view["source"] == "records" else _describe_aws(view)})
        elif context:
            for part in render_context(view["context"]):
                OUT.print(part)
        else:
            _print_waterfall(view)


def _print_waterfall(view: dict[str, Any]) -> None:
    OUT.print(render_waterfall(view, OUT.width))
    cost = estimate_aws_cost(view["transitions"], view["spans"])
    transitions = (
        f"{format_count(view['transitions'], 'transition')}; AWS itself about {show(cost.total)}: "
        f"transitions {show(cost.transitions)}, functions {show(cost.functions)}, "
        f"DynamoDB (estimated) {show(cost.dynamodb)}"
    )
    if view["source"] == "records":
        transitions = "no history of the execution (Express, or not started): from our own records"
    OUT.print(f"{transitions}, {view['status']}")
    if view["source"] != "records":
        OUT.print(f"DynamoDB: {describe_dynamodb(cost)}; not counted: {NOT_COUNTED}")


def _describe_aws(view: dict[str, Any]) -> dict[str, Any]:
    """Return AWS's own money as ``--json`` shows it, in nano-dollars."""
    cost = estimate_aws_cost(view["transitions"], view["spans"])
    return {
        "transitions_nanousd": cost.transitions,
        "functions_nanousd": cost.functions,
        "dynamodb_nanousd": cost.dynamodb,
        "total_nanousd": cost.total,
        "dynamodb_requests": cost.requests,
        "unmeasured_invocations": cost.unmeasured,
        "not_counted": NOT_COUNTED,
    }
