"""A run's events as lines for a reader; ``--json`` has all that they hold."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from rich.text import Text

from pentad.cli.screen import build_line
from pentad.domain.display.characters import format_json, shorten_line
from pentad.domain.money import show
from pentad.domain.usage import Usage

Json = dict[str, Any]

_LONGEST = 160  # characters of arguments, results and texts
_LAST_STEP = 99_999  # a workflow's answer is put together at this place
_AGENT = "agent"  # whose steps of a workflow have a run of their own


def render_event(event: Json) -> Text:
    """Return when something happened, what, and how it went."""
    at = datetime.fromisoformat(event["at"]).astimezone().strftime("%H:%M:%S")
    what, said = _LINES[event["type"]](event["detail"])
    return build_line("[dim]{at}[/] {what} {said}", at=at, what=f"{what:<15}", said=said)


def _describe_start(detail: Json) -> tuple[str, str]:
    return "started", f"{detail['agent']}, by {detail['trigger']}"


def _describe_attempt(detail: Json) -> tuple[str, str]:
    error = f", {_trim(detail['error'])}" if detail["error"] else ""
    cost = show(detail["cost_nanousd"])
    return (
        "model",
        f"{detail['model']} for {detail['purpose']}: {detail['outcome']}{error}, {_format_usage(detail)}, {cost}",
    )


def _describe_step(detail: Json) -> tuple[str, str]:
    decision = detail["decision"]
    if detail["provider"] == "tool":
        did = f"tool {detail['model']}"
    elif detail["provider"] == _AGENT or detail.get("child"):
        run_id = f", {detail['child']}" if detail.get("child") else ""
        did = f"agent {detail['model']}{run_id}, {show(detail['cost_nanousd'])}"
    else:
        did = _describe_decision(decision)
    sure = detail["assessment"]
    if sure:
        did += f", confidence {sure['confidence']:.2f} ({sure['band']})"
    if detail.get("name"):
        did = f"{detail['name']}: {did}"
    return ("end" if detail["step"] == _LAST_STEP else f"step {detail['step']}"), did


def _describe_decision(decision: Json) -> str:
    tools = ", ".join(call["tool"] for call in decision["calls"])
    reason = f": {_trim(decision['reason'])}" if decision["reason"] else ""
    words = {
        "answer": "answers",
        "tools": f"calls {tools}",
        "approve": "waits for approval" + (f" of {tools}" if tools else ""),
        "ask": "asks a human",
        "escalate": "hands over to a human",
        "stop": "is stopped",
    }
    return f"{words.get(decision['kind'], decision['kind'])}{reason}"


def _describe_call(detail: Json) -> tuple[str, str]:
    arguments = shorten_line(format_json(detail["arguments"]), _LONGEST)
    result = f": {_trim(detail['result'])}" if detail["result"] else ""
    return f"step {detail['step']} call {detail['index']}", f"{detail['tool']} {arguments} {detail['status']}{result}"


def _describe_approval(detail: Json) -> tuple[str, str]:
    by = f" by {detail['decided_by']}" if detail["decided_by"] else ""
    reason = f": {_trim(detail['reason'])}" if detail["reason"] else ""
    return f"step {detail['step']} human", f"{detail['approval']} ({detail['kind']}) {detail['status']}{by}{reason}"


def _describe_end(detail: Json) -> tuple[str, str]:
    why = detail["error"] or detail["stop_reason"]
    because = f": {_trim(why)}" if why else ""
    return "ended", f"{detail['status']}{because}, {detail['tokens']:,} tokens, {detail['cost']}"


def _format_usage(detail: Json) -> str:
    return f"{Usage(**detail['usage']).total_tokens:,} tokens, {detail['duration_ms']:,} ms"


def _trim(text: str) -> str:
    return shorten_line(text, _LONGEST)


_LINES: dict[str, Callable[[Json], tuple[str, str]]] = {
    "run.created": _describe_start,
    "model_attempt": _describe_attempt,
    "step": _describe_step,
    "tool_call": _describe_call,
    "approval": _describe_approval,
    "run.ended": _describe_end,
}
