"""``pentad approve`` and ``undo``."""

from typing import Annotated, Any

import typer

from pentad.cli.client import ApiClient
from pentad.cli.console import OPTIONS, OUT, CommandError, emit, failures
from pentad.cli.show import approval_lines
from pentad.cli.target import api


def approve(
    approval: Annotated[str | None, typer.Argument(help="Which one; without it the pending ones are listed.")] = None,
    reject: Annotated[bool, typer.Option("--reject", help="Say no instead.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why; the agent is told.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask again.")] = False,
) -> None:
    """List what waits for a decision, or decide: what is shown is exactly what runs."""
    with failures():
        client = api()
        if approval is None:
            _list(client)
            return
        view = client.call("GET", f"/v1/approvals/{approval}")
        if not OPTIONS.json:
            OUT.print(approval_lines(view))
        decision = "reject" if reject else "approve"
        if not yes and not OPTIONS.json and not typer.confirm(f"{decision}?"):
            raise CommandError("nothing decided", code=2)
        body: dict[str, Any] = {"decision": decision, "arguments_hash": view["arguments_hash"]}
        if reason:
            body["reason"] = reason
        decided = client.call("POST", f"/v1/approvals/{approval}", body=body)
        if OPTIONS.json:
            emit(decided)
        else:
            OUT.print(f"{approval} is {decided['status']}")


def _list(client: ApiClient) -> None:
    views = list(client.pages("/v1/approvals", limit=500))
    if OPTIONS.json:
        emit(views)
        return
    for view in views:
        OUT.print(approval_lines(view))
    if not views:
        OUT.print("Nothing waits for a decision.")


def undo(
    name: Annotated[str, typer.Argument(help="A run, whose effects are undone newest first, or one undo token.")],
) -> None:
    """Undo the effects of a run, or one of them."""
    with failures():
        client = api()
        tokens = _tokens_of_run(client, name) if name.startswith("run_") else [name]
        if not tokens:
            raise CommandError(f"{name} has no effect that can be undone")
        undone = [client.call("POST", "/v1/undo", body={"undo_token": token}) for token in tokens]
        if OPTIONS.json:
            emit(undone)
            return
        for call in undone:
            OUT.print(f"{call['tool']} of step {call['step']}: {call['status']}")


def _tokens_of_run(client: ApiClient, run_id: str) -> list[str]:
    events = client.call("GET", f"/v1/runs/{run_id}/events")["events"]
    calls = [event["detail"] for event in events if event["type"] == "tool_call"]
    live = [call for call in calls if call.get("undo_token") and call["status"] == "succeeded"]
    return [call["undo_token"] for call in sorted(live, key=lambda call: (call["step"], call["index"]), reverse=True)]
