"""``pentad update`` and ``pentad rollout``: bring the running twin to the project as it is now, as if deployed."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

import httpx
import typer

from pentad.cli.commands.twin.twin import StateFolder
from pentad.cli.console import ERR, EXIT_UNAVAILABLE, OPTIONS, OUT, CommandError, handle_errors, print_json
from pentad.cli.screen import build_line, format_count
from pentad.cli.synth import ensure_assembly, find_project_root
from pentad.cli.target import read_twin_facts

_SECONDS = 120.0
_NAMES: Final = 8
_WORDS: Final = {
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::Events::Rule": "rule",
    "AWS::IAM::ManagedPolicy": "managed policy",
    "AWS::IAM::Policy": "policy",
    "AWS::IAM::Role": "role",
    "AWS::Lambda::Alias": "function alias",
    "AWS::Lambda::Function": "function",
    "AWS::Lambda::LayerVersion": "layer version",
    "AWS::Lambda::Version": "function version",
    "AWS::Logs::LogGroup": "log group",
    "AWS::Scheduler::Schedule": "schedule",
    "AWS::StepFunctions::StateMachine": "state machine",
    "AWS::StepFunctions::StateMachineAlias": "state machine alias",
    "AWS::StepFunctions::StateMachineVersion": "state machine version",
}
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
        facts = read_twin_facts(state)
        with ERR.show_status("synthesizing the cloud assembly (cdk.out)"):
            out, _ = ensure_assembly(root)
        _print_done(_post(facts, "update", {"assembly": str(out), "hold": hold}))


def move_rollout(
    action: Annotated[Action, typer.Argument(help="What to do with the rollouts that `update --hold` left.")],
    state: StateFolder = None,
) -> None:
    """Move the twin's rollouts on by an interval, to their end, or back to the former versions."""
    with handle_errors():
        _print_done(_post(read_twin_facts(state), "rollout", {"action": action.replace("-", "_")}))


def _post(facts: dict[str, Any], path: str, body: dict[str, Any]) -> dict[str, Any]:
    url, key = f"{facts['aws_url']}/_twin/{path}", str(facts["secret_access_key"])
    try:
        answer = httpx.post(url, json=body, headers={"x-twin-key": key}, timeout=_SECONDS, trust_env=False)
        content: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise CommandError(f"the twin does not answer: {error}", code=EXIT_UNAVAILABLE) from error
    if answer.is_error:
        raise CommandError(str(content.get("error", answer.status_code)))
    return content


def _print_done(done: dict[str, Any]) -> None:
    if OPTIONS.json:
        print_json(done)
        return
    if not done["changes"] and not done["moved"]:
        OUT.print("Nothing changed.")
    for line in _describe_changes(done["changes"]):
        OUT.print(line)
    under_way = [one["alias_arn"] for one in done["rollouts"]]
    for one in [*done["rollouts"], *(one for one in done["moved"] if one["alias_arn"] not in under_way)]:
        OUT.print(_describe_share(one))
    if not done["rollouts"]:
        OUT.print(build_line("[green]Done.[/] Every alias points to one version; no rollout is in progress."))


def _describe_changes(changes: list[dict[str, str]]) -> Iterator[str]:
    """Yield a line for each kind of change: how many, and the first names."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in changes:
        groups.setdefault((_WORDS.get(one["kind"], one["kind"]), one["how"]), []).append(one["name"])
    for (word, how), names in sorted(groups.items()):
        more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        yield f"{format_count(len(names), word)} {how}: {', '.join(sorted(names)[:_NAMES])}{more}"


def _describe_share(rollout: dict[str, Any]) -> str:
    machine = str(rollout["alias_arn"]).split(":")[6]
    before, after = (str(rollout[name]).rpartition(":")[2] for name in ("before", "after"))
    if rollout["shifted"] in (0, 100):
        return f"{machine}: all new runs go to version {after if rollout['shifted'] else before}"
    return f"{machine}: {rollout['shifted']} % of new runs go to version {after}, the others to {before}"
