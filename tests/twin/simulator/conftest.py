"""A simulator with the real SDKs as its clients."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from anthropic import Anthropic
from openai import OpenAI

from twin.simulator import Simulator, SimulatorControl

CLAUDE, GPT = "claude-opus-5", "gpt-5.6"


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator(seed="tests", today=lambda: date(2026, 11, 22)) as running:
        yield running


@pytest.fixture
def control(simulator: Simulator) -> Iterator[SimulatorControl]:
    client = SimulatorControl(simulator.url)
    client.reset()
    yield client
    client.reset()


@pytest.fixture
def claude(simulator: Simulator) -> Iterator[Anthropic]:
    with Anthropic(api_key="local", base_url=simulator.url, max_retries=0, timeout=20) as client:
        yield client


@pytest.fixture
def gpt(simulator: Simulator) -> Iterator[OpenAI]:
    with OpenAI(api_key="local", base_url=f"{simulator.url}/v1", max_retries=0, timeout=20) as client:
        yield client


CALCULATOR: dict[str, Any] = {
    "name": "calculator",
    "description": "Evaluate an arithmetic expression exactly.",
    "input_schema": {
        "type": "object",
        "properties": {"expression": {"type": "string"}},
        "required": ["expression"],
        "additionalProperties": False,
    },
}
DATE_TIME: dict[str, Any] = {
    "name": "date_time",
    "description": "Date arithmetic: difference between dates, adding to a date, weekday, now.",
    "input_schema": {
        "type": "object",
        "properties": {
            "operation": {"type": "string", "enum": ["difference", "add", "weekday", "now"]},
            "start": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "default": None},
            "end": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "default": None},
            "date": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "default": None},
            "days": {"type": "integer", "default": 0},
            "weeks": {"type": "integer", "default": 0},
            "months": {"type": "integer", "default": 0},
            "years": {"type": "integer", "default": 0},
            "timezone": {"type": "string", "default": "UTC"},
        },
        "required": ["operation"],
    },
}
SAVE_NOTE: dict[str, Any] = {
    "name": "save_note",
    "description": "Save a note for the user.",
    "input_schema": {
        "type": "object",
        "properties": {"title": {"type": "string"}, "text": {"type": "string"}},
        "required": ["title", "text"],
    },
}
SEARCH: dict[str, Any] = {
    "name": "search_knowledge",
    "description": "Search the documents for passages.",
    "input_schema": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
}
TOOLS = [CALCULATOR, DATE_TIME, SAVE_NOTE, SEARCH]


def for_openai(tools: list[dict[str, Any]]) -> list[Any]:
    return [
        {
            "type": "function",
            "function": {"name": t["name"], "description": t["description"], "parameters": t["input_schema"]},
        }
        for t in tools
    ]


PASSAGES = """<passages>
<passage cite="[cite:aaaaa2]" document="docs/storage.md" title="Storage &gt; Sessions">
Sessions are stored in DynamoDB with one item per message. A message past 300 KB spills to S3.
Each session has an optimistic version, so that two writers never overwrite each other.
</passage>
<passage cite="[cite:bbbbb3]" document="docs/models.md" title="Models &gt; Fallback">
The gateway tries the primary provider first. When it is overloaded, the chain falls back to the other provider.
</passage>
</passages>
"""


def asked(question: str, passages: str = PASSAGES) -> str:
    return f"{passages}<question>{question}</question>"
