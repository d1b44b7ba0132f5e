"""The options that every command takes after its name as well as before it."""

from typing import Annotated, Any

import typer

from pentad.cli import console, target


def add_common_flags(command: Any) -> None:
    """Let a command and those below it take the common options after their names, where people write them."""
    for below in getattr(command, "commands", {}).values():
        add_common_flags(below)
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
