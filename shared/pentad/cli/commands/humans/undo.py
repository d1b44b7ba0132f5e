"""``pentad undo``: take back what a run has done, or one call of it."""

from contextlib import closing
from typing import Annotated, Any

import typer

from pentad.cli.client import ApiClient
from pentad.cli.console import EXIT_FAILED, OPTIONS, OUT, CommandError, handle_errors, print_json, refuse_options
from pentad.cli.screen import Grid, build_line, build_styled
from pentad.cli.target import create_api_client

Json = dict[str, Any]
_REQUESTS = 1000
"""So many requests one look through a run may take; each undoes one effect at least."""
_ROUNDS = 5
"""What was refused is tried again so often, where something newer has been undone since."""
_GONE = frozenset({"undone", "already_undone"})
_SHOWN = {
    "to_undo": ("would be undone", "none"),
    "undone": ("undone", "green"),
    "already_undone": ("undone before", "none"),
    "irreversible": ("can't be undone", "none"),
    "refused": ("not undone", "red"),
    "failed": ("failed", "red"),
    "unknown": ("not known", "red"),
    "call_failed": ("the call failed", "none"),
    "not_allowed": ("not allowed", "none"),
}
"""Words and style of each outcome."""


def undo(
    name: Annotated[
        str,
        typer.Argument(metavar="RUN|TOKEN", help="A run, whose effects are undone newest first, or one undo token."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the effects; nothing is changed.")] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="Touch nothing older than an effect that could not be undone.")
    ] = False,
) -> None:
    """Undo the effects of a run and of all runs below it, or of one call; exit code 1 where something of it stays."""
    with handle_errors(), closing(create_api_client()) as client:
        if not name.startswith("run_"):
            refuse_options("with an undo token; they are for a run", dry_run=dry_run, stop=stop)
            _undo_call(client, name)
            return
        if dry_run:
            refuse_options("with --dry-run", stop=stop)
            _print_effects(client.call("GET", f"/v1/runs/{name}/undo"), dry_run=True)
            return
        found = _undo_run(client, name, stop)
        _print_effects(found, dry_run=False)
        if any(effect["outcome"] not in _GONE for effect in found["effects"]) or found["stopped"]:
            raise typer.Exit(EXIT_FAILED)


def _undo_call(client: ApiClient, token: str) -> None:
    call = client.call("POST", "/v1/undo", body={"undo_token": token})
    if OPTIONS.json:
        print_json([call])
        return
    OUT.print(f"{call['tool']} of step {call['step']}: {call['status']}")


def _undo_run(client: ApiClient, run_id: str, stop: bool) -> Json:
    """Return what became of each effect, after as many requests as it takes."""
    found: Json = {}
    undone: dict[tuple[str, int, int], Json] = {}
    for _ in range(_ROUNDS):
        found = _walk(client, run_id, stop)
        new = {_name(one): one for one in found["effects"] if one["outcome"] == "undone"}
        undone |= new
        refused = any(one["outcome"] == "refused" for one in found["effects"])
        if not new or not refused or found["stopped"]:
            break
    # What an earlier round has undone is told as undone, not as undone before.
    return found | {"effects": [undone.get(_name(one), one) for one in found["effects"]]}


def _walk(client: ApiClient, run_id: str, stop: bool) -> Json:
    effects: list[Json] = []
    after: str | None = None
    for _ in range(_REQUESTS):
        body = {"stop": stop} | ({} if after is None else {"after": after})
        page = client.call("POST", f"/v1/runs/{run_id}/undo", body=body)
        effects += page["effects"]
        after = page["after"]
        if after is None or page["stopped"]:
            return {"run_id": run_id, "effects": effects, "stopped": page["stopped"]}
    raise CommandError(f"'{run_id}' has more effects than {_REQUESTS} requests undo; run it again to continue")


def _name(effect: Json) -> tuple[str, int, int]:
    return str(effect["run_id"]), int(effect["step"]), int(effect["index"])


def _print_effects(found: Json, *, dry_run: bool) -> None:
    if OPTIONS.json:
        print_json({"run_id": found["run_id"], "dry_run": dry_run} | found)
        return
    if not found["effects"]:
        OUT.print(build_line("'{run}' has no effect.", run=found["run_id"]))
        return
    grid = Grid("time", "run", "step", "tool", "kind", "outcome", "why")
    for one in found["effects"]:
        place = f"{one['step']}.{one['index']}"
        outcome = build_styled(*_SHOWN[one["outcome"]])
        grid.add_row(one["at"] or "", one["run_id"], place, one["tool"], one["kind"], outcome, one["reason"] or "")
    OUT.print(grid)
    if found.get("stopped"):
        OUT.print(build_styled(f"Nothing older was touched: {found['stopped']}.", "red"))
