"""``pentad feedback``: say how good an answer is, list what was said, make wrong answers cases of tests."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from pentad.cli.client import ApiClient
from pentad.cli.commands.quality.cases import collect_cases, write_cases
from pentad.cli.console import (
    EXIT_FAILED,
    EXIT_USAGE,
    OPTIONS,
    OUT,
    CommandError,
    cut_list,
    handle_errors,
    print_json,
)
from pentad.cli.screen import Grid, build_line, format_count
from pentad.cli.show import format_time
from pentad.cli.target import create_api_client
from pentad.domain.display.characters import shorten_line
from pentad.observability.feedback.cases import CASES

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
    comment: Annotated[str | None, typer.Option(help="A comment.")] = None,
    citation: Annotated[
        str | None, typer.Option(help="The marker of the citation that is judged, such as k7f2qa. Default: the answer.")
    ] = None,
    user: Annotated[
        str | None,
        typer.Option("--user", "-u", help="Record it as given by this user, the run's own. Default: the key's."),
    ] = None,
) -> None:
    """Say how good a run's answer is; giving it again replaces the earlier one."""
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
    run_id: Annotated[str | None, typer.Argument(metavar="RUN", help="Only of this run.")] = None,
    agent: Annotated[str | None, typer.Option("--agent", "-a", help="Only of this agent.")] = None,
    verdict: Annotated[str | None, typer.Option(help="Only this verdict: correct or wrong.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number to list.")] = 50,
) -> None:
    """List what people said of answers, the newest first."""
    with handle_errors():
        if verdict is not None and verdict not in VERDICTS:
            raise CommandError(f"--verdict is one of: {', '.join(VERDICTS)}", code=EXIT_USAGE)
        with closing(create_api_client()) as client:
            found = _find(client, run_id, agent, verdict, limit)
        if OPTIONS.json:
            print_json(found)
        elif not found:
            OUT.print("No feedback yet.")
        else:
            OUT.print(_render(found))


@app.command()
def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder, such as tests/agents/cases.")],
    run_id: Annotated[str | None, typer.Argument(metavar="RUN", help="Only of this run.")] = None,
    agent: Annotated[str | None, typer.Option("--agent", "-a", help="Only of this agent.")] = None,
    verdict: Annotated[str, typer.Option(help="wrong or correct: answers that people called so.")] = "wrong",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of entries.")] = 100,
) -> None:
    """Write answers that people called wrong as cases: cases.jsonl, and each run's recording beside it.

    They hold users' words, so keep them like these. Again adds what is new, and renews what has changed.
    """
    with handle_errors():
        if verdict not in VERDICTS:
            raise CommandError(f"--verdict is one of: {', '.join(VERDICTS)}", code=EXIT_USAGE)
        with closing(create_api_client()) as client:
            said = _find(client, run_id, agent, verdict, limit)
            exported, skipped = collect_cases(client, said)
        if exported:
            write_cases(output, exported)
        shown = [{"run_id": one, "why": why} for one, why in skipped.items()]
        if OPTIONS.json:
            print_json({"cases": [case.case for case, _ in exported], "skipped": shown})
        else:
            none = f"No answer was said to be {verdict}."
            OUT.print(
                f"{format_count(len(exported), 'case')} in {output / CASES}" if exported else none, soft_wrap=True
            )
            for one in shown:
                OUT.print(build_line("[yellow]left out[/] {run_id}: {why}", **one), soft_wrap=True)
        if shown and not exported:
            raise typer.Exit(EXIT_FAILED)


def _find(client: ApiClient, run_id: str | None, agent: str | None, verdict: str | None, limit: int) -> list[Json]:
    """Return what people said, of one run or of all."""
    if run_id is None:
        return cut_list(client.iter_items("/v1/feedback", limit=limit + 1, agent=agent, verdict=verdict), limit)
    items = client.call("GET", f"/v1/runs/{run_id}/feedback")["items"]
    return cut_list(
        (one for one in items if agent in (None, one["agent"]) and verdict in (None, one["verdict"])), limit
    )


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
