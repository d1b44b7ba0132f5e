"""``pentad feedback``: say how good an answer is, list what was said."""

from contextlib import closing
from typing import Annotated, Any

import typer

from pentad.cli.console import EXIT_USAGE, OPTIONS, OUT, CommandError, handle_errors, print_json
from pentad.cli.screen import Grid
from pentad.cli.show import format_time
from pentad.cli.target import create_api_client
from pentad.domain.display.characters import shorten_line

Json = dict[str, Any]

VERDICTS = ("correct", "wrong")
_WORDS_CHARACTERS = 60

app = typer.Typer(help="Say how good answers are, and list what people said.", no_args_is_help=True)
RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run that has ended.")]


@app.command()
def give(
    run_id: RunId,
    score: Annotated[
        float | None, typer.Option(min=0, max=1, help="1 is right or good, 0 is wrong or bad; 0.5 says neither.")
    ] = None,
    correction: Annotated[str | None, typer.Option(help="What the answer should have said.")] = None,
    comment: Annotated[str | None, typer.Option(help="Anything else.")] = None,
    citation: Annotated[
        str | None, typer.Option(help="Of this citation, by its marker, such as k7f2qa. Default: of the answer.")
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", "-u", help="It is the run's user who says so. Default: the key's.")
    ] = None,
) -> None:
    """Say how good a run's answer is; said again, the newest words count."""
    with handle_errors():
        said = {"score": score, "correction": correction, "comment": comment}
        if not any(value is not None for value in said.values()):
            raise CommandError("give --score, --correction or --comment", code=EXIT_USAGE)
        body = {
            name: value for name, value in (said | {"citation": citation, "user": user}).items() if value is not None
        }
        with closing(create_api_client()) as client:
            given = client.call("POST", f"/v1/runs/{run_id}/feedback", body=body)
        if OPTIONS.json:
            print_json(given)
            return
        of = f"the citation {given['citation']}" if given["citation"] else "the answer"
        OUT.print(f"{given['by']} says of {of} of {given['run_id']}: {given['verdict'] or 'neither correct nor wrong'}")


@app.command("list")
def list_feedback(
    run_id: Annotated[str | None, typer.Argument(metavar="RUN", help="Of this run only.")] = None,
    agent: Annotated[str | None, typer.Option("--agent", "-a", help="Of this agent only.")] = None,
    verdict: Annotated[str | None, typer.Option(help="correct or wrong: what says so only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
) -> None:
    """List what people said of answers, the newest first."""
    with handle_errors():
        if verdict is not None and verdict not in VERDICTS:
            raise CommandError(f"--verdict is one of: {', '.join(VERDICTS)}", code=EXIT_USAGE)
        with closing(create_api_client()) as client:
            if run_id is None:
                found = list(client.iter_items("/v1/feedback", limit=limit, agent=agent, verdict=verdict))
            else:
                items = client.call("GET", f"/v1/runs/{run_id}/feedback")["items"]
                found = [one for one in items if agent in (None, one["agent"]) and verdict in (None, one["verdict"])][
                    :limit
                ]
        if OPTIONS.json:
            print_json(found)
        elif not found:
            OUT.print("Nobody said anything.")
        else:
            OUT.print(_render(found))


def _render(found: list[Json]) -> Grid:
    grid = Grid()
    for heading in ("run", "agent", "at", "by", "says", "of", "words"):
        grid.add_column(heading, no_wrap=heading == "run", overflow="fold")
    for one in found:
        words = one["correction"] or one["comment"] or ""
        grid.add_row(
            one["run_id"],
            one["agent"],
            format_time(one["changed_at"], "%m-%d %H:%M"),
            one["by"],
            one["verdict"] or "-",
            one["citation"] or "answer",
            shorten_line(words, _WORDS_CHARACTERS),
        )
    return grid
