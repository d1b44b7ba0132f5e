"""Roles are enforced: without one of its grants a call fails with AccessDenied, and the run still ends as it should."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_socket import enable_socket

from pentad.testing.stack import keeper
from tests.twin.stack.world import Json, Stack

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-grants")]

TEMPLATE = "pentad-dev-agent.template.json"


def without(template: Json, policy: str, grant: Callable[[str], bool]) -> None:
    """Drop one statement that allows something from a policy, by the start of its logical id."""
    [name] = [name for name in template["Resources"] if name.startswith(policy) and "Policy" in name]
    document = template["Resources"][name]["Properties"]["PolicyDocument"]
    left = [one for one in document["Statement"] if one["Effect"] != "Allow" or not grant(json.dumps(one))]
    assert len(left) == len(document["Statement"]) - 1
    document["Statement"] = left


def without_resource(template: Json, policy: str, resource: str) -> None:
    """Drop one resource, by the start of its logical id, from the statement of a policy that names it."""
    [name] = [name for name in template["Resources"] if name.startswith(policy) and "Policy" in name]
    statements = template["Resources"][name]["Properties"]["PolicyDocument"]["Statement"]
    [statement] = [statement for statement in statements if resource in json.dumps(statement)]
    left = [one for one in statement["Resource"] if resource not in json.dumps(one)]
    assert 0 < len(left) < len(statement["Resource"])
    statement["Resource"] = left


@pytest.fixture(scope="module")
def stack(assembly_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack without three of its grants, each in nobody else's way."""
    enable_socket()
    assembly = tmp_path_factory.mktemp("lesser") / "cdk.out"
    assembly.mkdir()
    for path in assembly_dir.iterdir():
        if path.is_dir():
            (assembly / path.name).symlink_to(path, target_is_directory=True)
        else:
            shutil.copy2(path, assembly)
    template = json.loads((assembly / TEMPLATE).read_text())
    without(template, "toolrunnerdatarole", lambda statement: "#NOTE" in statement)
    without_resource(template, "toolrunnerruntoolrole", "toolcalculatorfunction")
    # Needed for what is too large for an item only.
    without(template, "memoryrecallrole", lambda statement: "s3:GetObject" in statement)
    (assembly / TEMPLATE).write_text(json.dumps(template))
    state = tmp_path_factory.mktemp("lesser-twin")
    with keeper.running(assembly, state) as facts, Stack(facts) as found:
        yield found


def test_tool_without_its_grant_on_records_is_denied_and_the_model_is_told(stack: Stack) -> None:
    tenant = stack.tenant()
    view = tenant.ask('Save a note titled "Oil" with the text "Order oil."')
    tenant.decide(view["pending_approval"], "approve")
    ended = tenant.settle(view["run_id"], after=view["pending_approval"])
    assert ended["status"] == "succeeded"
    [call] = tenant.events(view["run_id"], "tool_call")
    assert (call["status"], call["is_error"]) == ("failed", True)
    assert "AccessDenied" in call["result"] + call["error_type"]
    [told] = [result for one in tenant.messages(view["session"]) for result in one["tool_results"]]
    assert told["is_error"]
    assert tenant.notes() == []
    assert tenant.lease_is_free(view["session"])


def test_tool_that_cannot_be_reached_has_failed_and_the_run_goes_on(stack: Stack) -> None:
    tenant = stack.tenant()
    view = tenant.ask("What is 17.5 * (3 + 4), and how many days are there between 2026-01-01 and 2026-11-22?")
    assert view["status"] == "succeeded"
    calls = {call["tool"]: call for call in tenant.events(view["run_id"], "tool_call")}
    assert calls["date_time"]["status"] == "succeeded"
    assert (calls["calculator"]["status"], calls["calculator"]["is_error"]) == ("failed", True)
    assert "AccessDenied" in json.dumps(stack.history(view["run_id"]), default=str)
    assert "122.5" not in view["answer"]


def test_run_whose_recall_is_denied_has_failed_and_frees_its_session(stack: Stack) -> None:
    tenant = stack.tenant()
    view = tenant.ask("\N{GRINNING FACE}" * 99_990, session="daily")
    assert view["status"] == "failed"
    assert view["answer"] is None
    assert "AccessDenied" in json.dumps(stack.history(view["run_id"]), default=str)
    [execution] = stack.executions(view["run_id"])
    assert execution["status"] == "FAILED"
    assert tenant.lease_is_free("daily")
    assert tenant.ask("What day is it?", session=None)["status"] == "succeeded"
