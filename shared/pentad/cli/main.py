"""The ``pentad`` command: every subcommand talks to the HTTP API of a deployment, or runs the local twin."""

import sys
from importlib import metadata
from typing import Annotated, Any

import typer

from pentad.cli import console, target
from pentad.cli.commands import documents, forget, ingest, mcp, memory, new, vectors
from pentad.cli.commands.humans import approvals, review, undo
from pentad.cli.commands.operations import audit, breaker, drill, keys, kill, schedules, versions
from pentad.cli.commands.quality import calibrate, feedback
from pentad.cli.commands.runs import fork, logs, replay, runs, sessions, trace
from pentad.cli.commands.spending import budgets, cost
from pentad.cli.commands.twin import twin, update
from pentad.cli.demo import command as demo

app = typer.Typer(
    name="pentad",
    help="Pentad: models, orchestration, memory, tools and observability of AI agents on AWS, and on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        console.OUT.print(f"pentad {metadata.version('pentad')}")
        raise typer.Exit


@app.callback()
def set_common_options(
    json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    url: Annotated[
        str | None, typer.Option("--url", help="Address of the API. Default: PENTAD_URL, else this folder's twin.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", help="API key. Default: PENTAD_KEY, else the twin's own.", show_default=False)
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options of every command."""
    console.OPTIONS.json, console.OPTIONS.debug = json, debug
    target.TARGET.url, target.TARGET.key = url, key


app.command("up")(twin.serve_twin)
app.command("update")(update.update)
app.command("reset")(twin.reset_twin)
app.command("rollout")(update.move_rollout)
app.command("demo")(demo.run_demo)
app.command("chat")(runs.run_chat)
app.command("run")(runs.run)
app.command("trace")(trace.trace)
app.command("logs")(logs.logs)
app.command("fork")(fork.fork)
app.command("replay")(replay.replay)
app.command("approvals")(approvals.list_approvals)
app.command("approve")(approvals.approve)
app.command("reject")(approvals.reject)
app.command("edit")(approvals.edit)
app.command("answer")(approvals.answer)
app.command("escalate")(approvals.escalate)
app.command("undo")(undo.undo)
app.command("ingest")(ingest.ingest)
app.command("calibrate")(calibrate.calibrate)
app.command("forget")(forget.forget)
app.command("cost")(cost.show_cost)
app.add_typer(new.app, name="new")
app.add_typer(documents.app, name="documents")
app.add_typer(memory.app, name="memory")
runs.app.command("export")(replay.export)
app.add_typer(runs.app, name="runs")
app.add_typer(sessions.app, name="sessions")
app.add_typer(kill.app, name="kill")
app.add_typer(schedules.app, name="schedules")
app.add_typer(review.app, name="review")
app.add_typer(feedback.app, name="feedback")
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")
app.add_typer(budgets.app, name="budgets")
app.add_typer(breaker.app, name="breaker")
app.add_typer(drill.app, name="drill")
app.add_typer(versions.app, name="versions")
app.add_typer(vectors.app, name="vectors")
app.add_typer(mcp.app, name="mcp")


def main() -> None:
    """Run the command line."""
    sys.excepthook = console.print_traceback
    command = typer.main.get_command(app)
    for one in command.commands.values():  # type: ignore[attr-defined]
        _add_common_flags(one)
    command()


def _add_common_flags(command: Any) -> None:
    """Let a command and those below it take the common options after their names, where people write them."""
    for below in getattr(command, "commands", {}).values():
        _add_common_flags(below)
    if not hasattr(command, "commands") or command.invoke_without_command:
        command.params.extend(_build_common_flags())


def _build_common_flags() -> list[Any]:
    template = typer.Typer(add_completion=False)

    @template.command()
    def flags(
        json: Annotated[
            bool, typer.Option("--json", callback=_set_json, help="Print JSON on standard output.")
        ] = False,
        debug: Annotated[bool, typer.Option("--debug", callback=_set_debug, help="Show tracebacks.")] = False,
        url: Annotated[str | None, typer.Option("--url", callback=_set_url, hidden=True)] = None,
        key: Annotated[str | None, typer.Option("--key", callback=_set_key, hidden=True)] = None,
    ) -> None:
        """Hold the options."""

    params = typer.main.get_command(template).params
    for param in params:
        param.expose_value = False
    return list(params)


def _set_json(value: bool) -> None:
    console.OPTIONS.json = console.OPTIONS.json or value


def _set_debug(value: bool) -> None:
    console.OPTIONS.debug = console.OPTIONS.debug or value


def _set_url(value: str | None) -> None:
    target.TARGET.url = value or target.TARGET.url


def _set_key(value: str | None) -> None:
    target.TARGET.key = value or target.TARGET.key


if __name__ == "__main__":
    main()
