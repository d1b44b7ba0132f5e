"""``pentad update`` and ``pentad rollout``: bring the running twin to the project as it is now, as if deployed."""

from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import typer

from pentad.cli.commands.twin.twin import StateFolder
from pentad.cli.console import ERR, EXIT_UNAVAILABLE, OPTIONS, OUT, CommandError, handle_errors, print_json
from pentad.cli.screen import build_line
from pentad.cli.synth import ensure_assembly, find_project_root
from pentad.cli.target import STATE_FOLDER, read_twin_facts

_SECONDS = 120.0
Action = Literal["advance", "finish", "roll-back"]


def update(
    hold: Annotated[
        bool, typer.Option(help="Leave gradual rollouts at their first step; see `pentad rollout`.")
    ] = False,
    state: StateFolder = None,
) -> None:
    """Synthesize, and bring the running twin to the result: runs in flight end on their own versions."""
    with handle_errors():
        root = find_project_root()
        facts = read_twin_facts(state or root / STATE_FOLDER)
        with ERR.show_status("synthesizing the cloud assembly (cdk.out)"):
            out, _ = ensure_assembly(root)
        _print_rollouts(_post(facts, "update", {"assembly": str(out), "hold": hold}))


def move_rollout(
    action: Annotated[Action, typer.Argument(help="What to do with the rollouts that `update --hold` left.")],
    state: StateFolder = None,
) -> None:
    """Move the twin's rollouts on by an interval, to their end, or back to the former versions."""
    with handle_errors():
        folder: Path = state or find_project_root() / STATE_FOLDER
        _print_rollouts(_post(read_twin_facts(folder), "rollout", {"action": action.replace("-", "_")}))


def _post(facts: dict[str, Any], path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    url, key = f"{facts['aws_url']}/_twin/{path}", str(facts["secret_access_key"])
    try:
        answer = httpx.post(url, json=body, headers={"x-twin-key": key}, timeout=_SECONDS, trust_env=False)
        content: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise CommandError(f"the twin does not answer: {error}", code=EXIT_UNAVAILABLE) from error
    if answer.is_error:
        raise CommandError(str(content.get("error", answer.status_code)))
    found: list[dict[str, Any]] = content["rollouts"]
    return found


def _print_rollouts(rollouts: list[dict[str, Any]]) -> None:
    if OPTIONS.json:
        print_json({"rollouts": rollouts})
        return
    if not rollouts:
        OUT.print(build_line("[green]Done.[/] Every alias points to one version; no rollout is in progress."))
    for one in rollouts:
        machine = str(one["alias_arn"]).split(":")[6]
        before, after = (str(one[name]).rpartition(":")[2] for name in ("before", "after"))
        OUT.print(f"{machine}: {one['shifted']} % of new runs go to version {after}, the others to {before}")
