"""How a run's events read."""

from typing import Any

import pytest

from pentad.cli.events import render_event

AT = "2026-11-22T22:54:31.611551Z"
USAGE = {"input_tokens": 1020, "output_tokens": 25}


def step(**changes: Any) -> dict[str, Any]:
    decision = {"kind": "answer", "step": 1, "calls": [], "reason": None}
    return {"step": 1, "decision": decision, "provider": "anthropic", "model": "m", "assessment": None} | changes


def call(**changes: Any) -> dict[str, Any]:
    said = {"step": 1, "index": 0, "tool": "calculator", "arguments": {"expression": "6 * 7"}, "status": "succeeded"}
    return said | {"result": '{"result": "42"}'} | changes


@pytest.mark.parametrize(
    ("kind", "detail", "said"),
    [
        ("run.created", {"trigger": "api", "agent": "assistant"}, "started         assistant, by api"),
        (
            "model_attempt",
            {"model": "m", "purpose": "turn", "outcome": "ok", "error": None, "usage": USAGE}
            | {"duration_ms": 3233, "cost_nanousd": 2_260_000},
            "model           m for turn: ok, 1,045 tokens, 3,233 ms, $0.00226",
        ),
        ("step", step(), "step 1          answers"),
        ("step", step(assessment={"confidence": 0.8, "band": "review"}), "answers, confidence 0.80 (review)"),
        (
            "step",
            step(decision={"kind": "tools", "calls": [{"tool": "a"}, {"tool": "b"}], "reason": None}),
            "step 1          calls a, b",
        ),
        ("step", step(decision={"kind": "stop", "calls": [], "reason": "too long"}), "is stopped: too long"),
        ("step", step(provider="agent", model="editor", cost_nanousd=5_000_000), "agent editor, $0.005"),
        (
            "step",
            step(step=2, name="facts", child="run_1", provider="agent", model="assistant", cost_nanousd=5_000_000),
            "step 2          facts: agent assistant, run_1, $0.005",
        ),
        ("step", step(name="today", child=None, provider="tool", model="date_time"), "today: tool date_time"),
        ("step", step(provider="tool", model="date_time"), "tool date_time"),
        ("step", step(step=99_999), "end             answers"),
        ("tool_call", call(), 'step 1 call 0   calculator {"expression": "6 * 7"} succeeded: {"result": "42"}'),
        ("tool_call", call(result="[/b] said\nthe tool"), "succeeded: [/b] said the tool"),
        ("tool_call", call(result="x" * 500), "x" * 159 + "…"),
        (
            "approval",
            {
                "step": 2,
                "approval": "apr_1",
                "kind": "calls",
                "status": "rejected",
                "decided_by": "ann",
                "reason": "no",
            },
            "step 2 human    apr_1 (calls) rejected by ann: no",
        ),
        (
            "run.ended",
            {"status": "stopped", "error": None, "stop_reason": "a limit", "tokens": 2240, "cost": "$0.01"},
            "ended           stopped: a limit, 2,240 tokens, $0.01",
        ),
    ],
)
def test_an_event_is_one_line_that_says_what_happened(kind: str, detail: dict[str, Any], said: str) -> None:
    line = render_event({"at": AT, "type": kind, "detail": detail}).plain
    assert line.endswith(said), line
    assert "\n" not in line
