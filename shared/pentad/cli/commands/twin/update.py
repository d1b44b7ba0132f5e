"""``pentad update`` and ``pentad rollout``: bring the running twin to the project as it is now, as if deployed."""

from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import typer

from pentad.cli.commands.twin.twin import StateFolder
from pentad.cli.console import ERR, EXIT_UNAVAILABLE, OPTIONS, OUT, CommandError, emit, failures
from pentad.cli.synth import assembly, project_root
from pentad.cli.target import STATE_FOLDER, twin_facts

_SECONDS = 120.0
Action = Literal["advance", "finish", "roll-back"]


def update(
    hold: Annotated[bool, typer.Option(help="Leave gradual rollouts at their first part: see pentad rollout.")] = False,
    state: StateFolder = None,
) -> None:
    """Synthesize, and bring the running twin to the result: runs in flight end on their own versions."""
    with failures():
        root = project_root()
        facts = twin_facts(state or root / STATE_FOLDER)
        with ERR.status("synthesizing the cloud assembly (cdk.out)"):
            out, _ = assembly(root)
        _tell(_post(facts, "update", {"assembly": str(out), "hold": hold}))


def rollout(
    action: Annotated[Action, typer.Argument(help="What to do with the rollouts that an update --hold left.")],
    state: StateFolder = None,
) -> None:
    """Move the twin's rollouts on by an interval, to their end, or back to the former versions."""
    with failures():
        folder: Path = state or project_root() / STATE_FOLDER
        _tell(_post(twin_facts(folder), "rollout", {"action": action.replace("-", "_")}))


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


def _tell(rollouts: list[dict[str, Any]]) -> None:
    if OPTIONS.json:
        emit({"rollouts": rollouts})
        return
    if not rollouts:
        OUT.print("[green]Done.[/] Every alias leads to one version; no rollout is under way.")
    for one in rollouts:
        machine = str(one["alias_arn"]).split(":")[6]
        before, after = (str(one[name]).rpartition(":")[2] for name in ("before", "after"))
        OUT.print(f"{machine}: {one['shifted']} % of new runs go to version {after}, the others to {before}")
