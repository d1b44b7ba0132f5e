"""The options that every command takes after its name as well as before it, and who refuses those of the API."""

from typing import Annotated, Any, Final

import typer

from pentad.cli import console, target

WITHOUT_API: Final = frozenset(
    "up update reset rollout demo new mcp drill logs kill keys audit budgets breaker schedules versions vectors".split()
) | {"runs failed", "runs redrive"}
"""Commands, or all below a group, that call no API: they work on this folder, or with AWS credentials on a stage."""


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


def _set_url(context: typer.Context, value: str | None) -> None:
    target.TARGET.url = value or target.TARGET.url
    _refuse_useless(context, "--url", target.TARGET.url)


def _set_key(context: typer.Context, value: str | None) -> None:
    target.TARGET.key = value or target.TARGET.key
    _refuse_useless(context, "--key", target.TARGET.key)


def _refuse_useless(context: typer.Context, option: str, given: str | None) -> None:
    """Return if a command calls the API that an option is for: else it would act on another deployment than is meant.

    Raises:
        typer.Exit: it does not, after a line that says so.
    """
    _, *words = context.command_path.split()
    if given is None or not ({" ".join(words), words[0]} & WITHOUT_API):
        return
    fix = "name the deployment with --stage" if _has_stage(context.command) else "it works on this folder"
    with console.handle_errors():
        raise console.CommandError(
            f"{option} is for the API, which '{' '.join(words)}' does not call: leave it out; {fix}",
            code=console.EXIT_USAGE,
        )


def _has_stage(command: Any) -> bool:
    return any(param.name == "stage" for param in command.params)
