"""`pentad logs`: a run's lines over all functions that took part, and nothing of what was said in them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from pentad.cli import operator
from pentad.cli.main import app
from pentad.observability.logs.schema import find_line_faults
from tests.twin.stack.world import Json, Stack, Tenant, until

pytestmark = pytest.mark.twin

PLANTED = ("4111 1111 1111 1111", "ada@lighthouse.example", "DE89 3704 0044 0532 0130 00", "sk-ant-" + "a1" * 12)


@pytest.fixture
def read_lines(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, list[Json]]]:
    """The command on this twin, in JSON."""
    monkeypatch.setattr(operator, "read_twin_facts", lambda: stack.facts)

    def run(*arguments: str) -> tuple[int, list[Json]]:
        done = CliRunner().invoke(app, ["--json", "logs", *arguments])
        rows = done.stdout.splitlines() if "--follow" in arguments else [done.stdout]
        return done.exit_code, [line for row in rows for line in _read(row)]

    return run


def _read(row: str) -> list[Any]:
    found = json.loads(row)
    return found if isinstance(found, list) else [found]


def test_a_runs_lines_of_all_functions_are_found_and_hold_nothing_that_was_said(
    stack: Stack, tenant: Tenant, read_lines: Callable[..., tuple[int, list[Json]]]
) -> None:
    run = tenant.ask(f"What is 20 + 22? My card is {PLANTED[0]}, write to {', '.join(PLANTED[1:])}.")["run_id"]
    code, lines = read_lines(run, "--follow", "--wait", "60", "--tenant", tenant.name)
    assert code == 0
    assert {"gateway", "recall", "deliver"} <= {line["service"] for line in lines}
    own = [line for line in lines if "run" in line]
    assert {line["tenant"] for line in own} == {tenant.name}
    assert all({"session", "agent", "step"} <= set(line) for line in own if line.get("op") == "think")
    assert {line["attempt"] for line in own if line["message"].startswith("chat ")} == {1}
    raw = [{name: value for name, value in line.items() if name not in {"at", "group"}} for line in own]
    assert [fault for line in raw for fault in find_line_faults(json.dumps(line))] == []
    said = "".join(map(json.dumps, lines))
    assert not [one for one in PLANTED if one in said]
    assert until(lambda: read_lines(run)[1], "the lines")[0]["at"] <= lines[-1]["at"]
    assert read_lines(run, "--tenant", "nobody") == (1, [])
