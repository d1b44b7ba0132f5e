"""The ``pentad`` command: every subcommand talks to the HTTP API of a deployment, or runs the local twin."""

from typing import Annotated

import typer

from pentad.cli import console, target
from pentad.cli.commands import approvals, breaker, budgets, cost, documents, drill, keys, runs, twin

app = typer.Typer(
    name="pentad",
    help="Pentad: models, orchestration, memory, tools and observability of AI agents on AWS, and on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def common(
    json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    url: Annotated[
        str | None, typer.Option("--url", help="Address of the API. Default: PENTAD_URL, else this folder's twin.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", help="API key. Default: PENTAD_KEY, else the twin's own.", show_default=False)
    ] = None,
) -> None:
    """Take the options of every command."""
    console.OPTIONS.json, console.OPTIONS.debug = json, debug
    target.TARGET.url, target.TARGET.key = url, key


app.command("up")(twin.up)
app.command("demo")(twin.demo)
app.command("chat")(runs.chat)
app.command("run")(runs.run)
app.command("runs")(runs.runs)
app.command("trace")(runs.trace)
app.command("approve")(approvals.approve)
app.command("undo")(approvals.undo)
app.command("ingest")(documents.ingest)
app.command("cost")(cost.cost)
app.add_typer(keys.app, name="keys")
app.add_typer(budgets.app, name="budgets")
app.add_typer(breaker.app, name="breaker")
app.add_typer(drill.app, name="drill")


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
