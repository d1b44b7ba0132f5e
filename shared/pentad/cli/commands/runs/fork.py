"""``pentad fork``: go on from a turn of a run with another prompt, model or tool result."""

import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from pentad.cli.commands.runs.runs import wait_for_run
from pentad.cli.console import EXIT_USAGE, OPTIONS, OUT, CommandError, handle_errors, print_json, read_text
from pentad.cli.show import print_run
from pentad.cli.target import create_api_client
from pentad.domain.reading.json_text import read_json

Json = dict[str, Any]
_ENDED_WELL = ("succeeded", "degraded", "awaiting_human")


def fork(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run to fork; it does not change.")],
    at: Annotated[int, typer.Option("--at", min=0, help="The last turn to keep; 0 keeps only the message.")],
    prompt: Annotated[Path | None, typer.Option(help="File with another system prompt.")] = None,
    model: Annotated[str | None, typer.Option(help="Another model of the catalog.")] = None,
    tool_result: Annotated[
        list[Path] | None,
        typer.Option(help="File with another result of that turn's calls: JSON, or text where there is one call."),
    ] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Idempotency key: the same key returns the same run.")
    ] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the run to end; 0 does not wait.")] = 300,
) -> None:
    """Start a new run in a new session that has a run's conversation up to a turn, and goes on from there."""
    with handle_errors():
        body: Json = {"at": at}
        if prompt is not None:
            body["prompt"] = read_text(prompt)
        if model is not None:
            body["model"] = model
        if tool_result:
            body["tool_results"] = [one for path in tool_result for one in parse_results(read_text(path))]
        client = create_api_client()
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        view = client.call("POST", f"/v1/runs/{run_id}/fork", body=body, headers=headers)
        if wait > 0:
            view = wait_for_run(client, view, wait)
        if OPTIONS.json:
            print_json(view)
        else:
            print_run(OUT, view)
        if wait > 0 and view["status"] not in _ENDED_WELL:
            raise typer.Exit(1)


def parse_results(text: str) -> list[Json]:
    """Return the results in a file: a list of ``{call, content, is_error?}``, one of them, or the words of one result.

    Raises:
        CommandError: it is a JSON object or list of another form.
    """
    try:
        content = read_json(text)
    except ValueError:
        return [{"call": 0, "content": text}]
    found = content if isinstance(content, list) else [content]
    if found and all(isinstance(one, dict) and "call" in one and "content" in one for one in found):
        return found
    if isinstance(content, dict) and "call" not in content:
        # What a tool returned is often an object itself.
        return [{"call": 0, "content": text.strip()}]
    raise CommandError(
        'a file of results holds {"call": index or id, "content": text, "is_error": false}, or a list of them',
        code=EXIT_USAGE,
    )
