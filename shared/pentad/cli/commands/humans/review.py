"""``pentad review``: what waits for a human, and what was done and should be looked at."""

from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from pentad.cli.console import (
    EXIT_USAGE,
    OPTIONS,
    OUT,
    CommandError,
    cut_list,
    handle_errors,
    print_json,
)
from pentad.cli.screen import Grid, Quoted, build_line
from pentad.cli.show import render_calls
from pentad.cli.target import create_api_client
from pentad.domain.display.characters import shorten_line

Json = dict[str, Any]

VERDICTS = ("correct", "wrong")
_SHOWN = 500
_SUMMARY_CHARACTERS = 60

app = typer.Typer(help="Show what waits for a human, and close what was logged for review.", no_args_is_help=False)


@app.callback(invoke_without_command=True)
def list_reviews(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=_SHOWN, help="Maximum number to show of each list.")] = 50,
) -> None:
    """List what waits for a human and what was logged; `show` and `close` take a review's id."""
    if context.invoked_subcommand is not None:
        return
    with handle_errors(), closing(create_api_client()) as client:
        waiting = cut_list(client.iter_items("/v1/approvals", limit=limit + 1), limit)
        logged = cut_list(client.iter_items("/v1/reviews", limit=limit + 1), limit)
        if OPTIONS.json:
            print_json({"waiting": waiting, "logged": logged})
            return
        OUT.print(_render_waiting(waiting))
        OUT.print(_render_logged(logged))


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="REVIEW", help="The review's id.")],
) -> None:
    """Show a review with what its step said and did, and how sure it was of it."""
    with handle_errors(), closing(create_api_client()) as client:
        view = client.call("GET", f"/v1/reviews/{name}")
        if OPTIONS.json:
            print_json(view)
        else:
            OUT.print(_render_review(view))


@app.command()
def close(
    name: Annotated[str, typer.Argument(metavar="REVIEW", help="The review's id.")],
    verdict: Annotated[str, typer.Option(help="correct or wrong: whether what was done was right.")],
    note: Annotated[str | None, typer.Option(help="What you found.")] = None,
) -> None:
    """Take a review off the list with a verdict; how often reviews are right is a metric."""
    with handle_errors():
        if verdict not in VERDICTS:
            raise CommandError(f"--verdict is one of: {', '.join(VERDICTS)}", code=EXIT_USAGE)
        body = {"verdict": verdict} | ({"note": note} if note else {})
        with closing(create_api_client()) as client:
            closed = client.call("POST", f"/v1/reviews/{name}", body=body)
        if OPTIONS.json:
            print_json(closed)
        else:
            OUT.print(f"{name} is closed: {closed['verdict']}")


def _render_waiting(waiting: Iterable[Json]) -> RenderableType:
    rows = [
        (
            one["approval"],
            one["kind"],
            one["agent"],
            _format_confidence(one.get("confidence")),
            _format_time(one["expires_at"]),
            _trim(_describe_approval(one)),
        )
        for one in waiting
    ]
    if not rows:
        return Text("Nothing waits for a human.")
    headings = ("waits", "kind", "agent", "sure", "until", "what")
    return Group(
        _build_table(headings, rows), Text("Decide: pentad approve ID (or reject, edit, answer, escalate)", style="dim")
    )


def _describe_approval(approval: Json) -> str:
    calls = ", ".join(call["tool"] for call in approval["calls"])
    return str(approval.get("text") or calls)


def _render_logged(logged: Iterable[Json]) -> RenderableType:
    rows = [
        (
            one["review"],
            one["cause"],
            one["agent"],
            _format_confidence(one["confidence"]),
            _format_time(one["created_at"]),
            _trim(one["summary"]),
        )
        for one in logged
    ]
    if not rows:
        return Text("Nothing was logged for review.")
    headings = ("logged", "cause", "agent", "sure", "at", "what")
    return Group(
        _build_table(headings, rows),
        Text("Look: pentad review show ID; then: pentad review close ID --verdict correct (or wrong)", style="dim"),
    )


def _build_table(headings: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Grid:
    table = Grid()
    for place, heading in enumerate(headings):
        table.add_column(heading, no_wrap=place == 0, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _render_review(view: Json) -> RenderableType:
    reviewed, at = view["reviewed"], _format_time(view["created_at"])
    head = "[bold]{review}[/]  {cause}  {agent}  {at}"
    where = f"run {view['run_id']} step {view['step']}, session {view['session']}, {reviewed['run_status']}"
    parts: list[RenderableType] = [build_line(head, at=at, **view), build_line("{where}", where=where)]
    parts += [Quoted(view["summary"]), *render_calls(reviewed["calls"])]
    if reviewed["answer"]:
        parts.append(Quoted(reviewed["answer"]))
    if reviewed["assessment"]:
        parts += _render_signals(reviewed["assessment"])
    if view["verdict"]:
        closed = "closed by {closed_by}: [bold]{verdict}[/] {note}"
        parts.append(build_line(closed, **(view | {"note": view["note"] or ""})))
    return Group(*parts)


def _render_signals(assessment: Json) -> list[Text]:
    score = _format_confidence(assessment["confidence"])
    found = [build_line("confidence {score}: {band}", score=score, band=assessment["band"])]
    for signal in assessment["signals"]:
        source, score = f"{signal['source']:12}", _format_confidence(signal["score"])
        line = build_line("  {source} {score}  [dim]{detail}[/]", source=source, score=score, detail=signal["detail"])
        found.append(line)
    return found


def _format_confidence(confidence: float | None) -> str:
    return "-" if confidence is None else f"{confidence:.2f}"


def _format_time(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone().strftime("%m-%d %H:%M")


def _trim(text: str) -> str:
    return shorten_line(text, _SUMMARY_CHARACTERS)
