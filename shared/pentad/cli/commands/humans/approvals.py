"""``pentad approvals``, ``approve``, ``reject``, ``edit``, ``answer``, ``escalate``."""

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from pentad.cli.client import ApiClient
from pentad.cli.console import (
    EXIT_USAGE,
    OPTIONS,
    OUT,
    CommandError,
    confirm,
    cut_list,
    handle_errors,
    print_json,
    read_text,
    refuse_options,
)
from pentad.cli.show import count_not_shown, format_time, render_approval
from pentad.cli.target import create_api_client
from pentad.domain.reading.json_text import read_json

Json = dict[str, Any]
_LISTED = 500
Approval = Annotated[str, typer.Argument(help="The approval's id.")]
Reason = Annotated[str | None, typer.Option(help="Why; kept with the decision.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation.")]


def list_approvals(
    approval: Annotated[str | None, typer.Argument(help="Show this approval, decided or not.")] = None,
    group: Annotated[str | None, typer.Option(help="Only approvals that wait for this group.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="Only approvals of this kind: calls, answer, question or escalation.")
    ] = None,
) -> None:
    """List what waits for a decision, the oldest first, or show one."""
    with handle_errors(), closing(create_api_client()) as client:
        if approval is not None:
            refuse_options("with an approval's id", group=group is not None, kind=kind is not None)
            view = client.call("GET", f"/v1/approvals/{approval}")
            _print_result(view, render_approval(view))
            return
        _print_pending(client, group, kind)


def approve(
    approval: Annotated[str, typer.Argument(help="The approval's id; `pentad approvals` lists them.")],
    reject: Annotated[bool, typer.Option("--reject", help="Reject it instead.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why; the agent sees it.")] = None,
    allow_tool: Annotated[
        bool, typer.Option("--allow-tool", help="Its tools need no approval for the rest of the run.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Approve what is shown: exactly that runs."""
    with handle_errors(), closing(create_api_client()) as client:
        if reject:
            refuse_options("with --reject", allow_tool=allow_tool)
        extra = {"allow_tool_for_run": True} if allow_tool else {}
        _decide(client, approval, {"decision": "reject" if reject else "approve", "reason": reason, **extra}, yes=yes)


def reject(
    approval: Approval,
    reason: Annotated[str, typer.Option(help="Why; the agent sees it and tries again.")],
    yes: Yes = False,
) -> None:
    """Reject, with a reason that the agent sees."""
    with handle_errors(), closing(create_api_client()) as client:
        _decide(client, approval, {"decision": "reject", "reason": reason}, yes=yes)


def edit(
    approval: Approval,
    arguments: Annotated[
        Path | None, typer.Option(help="A JSON file with the whole new arguments of a call; - reads standard input.")
    ] = None,
    text: Annotated[Path | None, typer.Option(help="A file with the whole new draft; - reads standard input.")] = None,
    call: Annotated[int | None, typer.Option(help="The index of the call, where there are several.")] = None,
    reason: Reason = None,
    yes: Yes = False,
) -> None:
    """Change a call's arguments or a drafted answer, and approve what you made of it."""
    with handle_errors(), closing(create_api_client()) as client:
        if (arguments is None) == (text is None):
            raise CommandError("give either --arguments FILE or --text FILE", code=EXIT_USAGE)
        if text is not None:
            refuse_options("with --text", call=call is not None)
        view = client.call("GET", f"/v1/approvals/{approval}")
        body: Json = {"decision": "edit", "reason": reason}
        if text is not None:
            body["text"] = _read_input(text).rstrip("\n")
        elif arguments is not None:
            body["arguments"] = {str(_resolve_call_index(view, call)): _read_json(arguments)}
        _decide(client, approval, body, yes=yes, view=view, shown=_apply_edit(view, body))


def answer(
    approval: Approval,
    text: Annotated[str, typer.Argument(help="The answer; - reads standard input.")],
) -> None:
    """Answer an agent's question, or the user in the place of an agent that escalated."""
    with handle_errors(), closing(create_api_client()) as client:
        words = sys.stdin.read() if text == "-" else text
        _decide(client, approval, {"decision": "answer", "text": words}, yes=True)


def escalate(
    approval: Approval,
    to: Annotated[str | None, typer.Option("--to", help="The group. Default: the agent's next group.")] = None,
    reason: Reason = None,
) -> None:
    """Let another group decide; it has the whole time again."""
    with handle_errors(), closing(create_api_client()) as client:
        _decide(client, approval, {"decision": "escalate", "group": to, "reason": reason}, yes=True)


def decide_at_prompt(client: ApiClient, approval_id: str) -> None:
    """Show an approval and take the decision that is typed: an answer to a question, else yes or a reason against."""
    view = client.call("GET", f"/v1/approvals/{approval_id}")
    OUT.print(render_approval(view))
    if view["kind"] == "question":
        typed = OUT.ask("Answer (empty declines): ").strip()
        body: Json = {"decision": "answer", "text": typed} if typed else {"decision": "reject"}
    else:
        question = _build_question("Approve", view)
        typed = OUT.ask(f"{question} [y/N, or a reason to reject] ").strip()
        body = {"decision": "approve" if typed.lower() in ("y", "yes") else "reject"}
        if body["decision"] == "reject" and typed.lower() not in ("", "n", "no"):
            body["reason"] = typed
    client.call("POST", f"/v1/approvals/{approval_id}", body=body | {"arguments_hash": view["arguments_hash"]})


def _decide(
    client: ApiClient,
    approval_id: str,
    body: Json,
    *,
    yes: bool,
    view: Json | None = None,
    shown: Json | None = None,
) -> None:
    """Show what is decided on, ask once more, decide on exactly that, and say what became of it."""
    view = view or client.call("GET", f"/v1/approvals/{approval_id}")
    if not OPTIONS.json:
        OUT.print(render_approval(shown or view))
    # On one that is decided there is nothing to confirm: the API says so, or that it was decided just like this.
    if not yes and view["status"] == "pending":
        confirm(_build_question(body["decision"], shown or view))
    sent = {name: value for name, value in body.items() if value is not None}
    decided = client.call(
        "POST", f"/v1/approvals/{approval_id}", body=sent | {"arguments_hash": view["arguments_hash"]}
    )
    _print_result(decided, f"{approval_id} is {_describe_state(decided)}")


def _build_question(decision: str, view: Json) -> str:
    left = count_not_shown(view)
    return f"{decision}, though {left:,} characters were not shown?" if left else f"{decision}?"


def _apply_edit(view: Json, body: Json) -> Json:
    """Return an approval as it will be: what is asked about is what would run."""
    new = body.get("arguments", {})
    calls = [
        one | {"arguments": new[str(one["index"])], "edited": True} if str(one["index"]) in new else one
        for one in view["calls"]
    ]
    return view | {"calls": calls, "text": body.get("text", view["text"])}


def _describe_state(view: Json) -> str:
    if view["status"] != "pending":
        return str(view["status"])
    if view["votes"]:
        return f"pending: {len(view['votes'])} of {view['quorum']} have approved"
    return f"pending: the group '{view['group']}' is asked until {format_time(view['expires_at'])}"


def _print_result(view: Json, text: Any) -> None:
    if OPTIONS.json:
        print_json(view)
    else:
        OUT.print(text)


def _print_pending(client: ApiClient, group: str | None, kind: str | None) -> None:
    views = cut_list(client.iter_items("/v1/approvals", limit=_LISTED + 1, group=group, kind=kind), _LISTED)
    if OPTIONS.json:
        print_json(views)
        return
    for view in views:
        OUT.print(render_approval(view))
    if not views:
        OUT.print("Nothing waits for a decision.")


def _resolve_call_index(view: Json, call: int | None) -> int:
    shown = [one["index"] for one in view["calls"]]
    if call is None and len(shown) == 1:
        return int(shown[0])
    if call is None or call not in shown:
        raise CommandError(f"name the call with --call, one of {', '.join(map(str, shown)) or 'none'}", code=EXIT_USAGE)
    return call


def _read_input(path: Path) -> str:
    return sys.stdin.read() if str(path) == "-" else read_text(path)


def _read_json(path: Path) -> Json:
    try:
        value = read_json(_read_input(path))
    except ValueError as error:
        raise CommandError(f"'{path}' is not JSON: {error}", code=EXIT_USAGE) from error
    if not isinstance(value, dict):
        raise CommandError(f"'{path}' must hold a JSON object", code=EXIT_USAGE)
    return value
