"""The execution carries references only: its payloads stay small whatever is said, and hold none of it."""

import json

import pytest

from tests.twin.stack.world import Json, Stack, Tenant, word

pytestmark = pytest.mark.twin

BOUND = 8 * 1024


def payloads(history: list[Json]) -> list[str]:
    """Return every input, output and parameter of an execution's events."""
    found: list[str] = []
    for event in history:
        for name, details in event.items():
            if name.endswith("EventDetails"):
                found += [value for value in details.values() if isinstance(value, str)]
                found += [json.dumps(value) for value in details.values() if isinstance(value, dict)]
    return found


def test_long_message_and_several_tools_leave_small_payloads_without_words(stack: Stack, tenant: Tenant) -> None:
    marker = word("secret")
    sums = ", ".join(f"what is {number} * {number + 1}" for number in range(11, 16))
    filler = f"{marker} lorem ipsum dolor sit amet. " * 4000
    message = f"Tell me: {sums}? "
    message += filler[: 100_000 - len(message)]
    assert len(message) == 100_000
    view = tenant.ask(message)
    assert view["status"] == "succeeded", view
    calls = tenant.events(view["run_id"], "tool_call")
    assert len(calls) == 5
    found = payloads(stack.history(view["run_id"]))
    assert found
    assert max(len(one.encode()) for one in found) < BOUND
    said = " ".join(found)
    assert marker not in said
    assert not any(call["arguments"]["expression"] in said for call in calls)
    assert view["answer"] not in said


def test_input_and_output_of_an_execution_are_references(stack: Stack, tenant: Tenant) -> None:
    view = tenant.ask("What is 6 * 7?")
    [execution] = stack.executions(view["run_id"])
    described = stack.aws("stepfunctions").describe_execution(executionArn=execution["executionArn"])
    reference = {"tenant": tenant.name, "run": view["run_id"]}
    where = {"session": view["session"], "agent": "assistant"}
    assert json.loads(described["input"]) == reference | where
    assert json.loads(described["output"]) == reference | {"status": "succeeded"}
