"""What the demo keeps of each run, for the transcript and for ``demo.json``."""

import json
from pathlib import Path
from typing import Any

from pentad.cli.client import ApiClient

Json = dict[str, Any]


class DemoFailure(Exception):
    """Something that the demo promises did not happen; the message says what."""


def check(condition: object, what: str) -> None:
    """Return if the condition holds.

    Raises:
        DemoFailure: it does not.
    """
    if not condition:
        raise DemoFailure(what)


def record_run(client: ApiClient, view: Json) -> Json:
    """Return a run as ``demo.json`` has it, with its events and trace read from the API."""
    path = f"/v1/runs/{view['run_id']}"
    events = client.call("GET", f"{path}/events")["events"]
    trace = client.call("GET", f"{path}/trace")
    session = client.call("GET", f"/v1/sessions/{view['session']}/messages")["items"]
    question = next(item["text"] for item in session if item["run_id"] == view["run_id"] and item["role"] == "user")
    return {
        "run_id": view["run_id"],
        "session": view["session"],
        "status": view["status"],
        "question": question,
        "answer": view["answer"],
        "citations": view["citations"],
        "notices": view["notices"],
        "tool_calls": [event["detail"] for event in events if event["type"] == "tool_call"],
        "transitions": trace["transitions"],
        "model_attempts": [event["detail"] for event in events if event["type"] == "model_attempt"],
        "tokens": view["tokens"],
        "cost_nanousd": view["cost_nanousd"],
        "functions": [
            {name: span[name] for name in ("name", "start", "end", "duration_ms", "attributes")}
            for span in trace["spans"]
            if span["kind"] == "function"
        ],
    }


def write_report(path: Path, content: Json) -> None:
    """Write the report whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".partial")
    draft.write_text(json.dumps(content, indent=2, default=str) + "\n", encoding="utf-8")
    draft.replace(path)
