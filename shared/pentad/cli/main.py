"""The ``pentad`` command: every subcommand talks to the HTTP API of a deployment, or runs the local twin."""

import sys
from importlib import metadata
from typing import Annotated

import typer

from pentad.cli import console, target
from pentad.cli.commands.table import CommandTable

app = typer.Typer(
    name="pentad",
    cls=CommandTable,
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


def main() -> None:
    """Run the command line."""
    sys.excepthook = console.print_traceback
    app()


if __name__ == "__main__":
    main()
