"""Runs whose executions went with the twin end at the next start, by the message that tells of an aborted execution."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from pentad.aws.table import Table
from pentad.cli.commands.twin import interrupted
from pentad.cli.commands.twin.interrupted import end_interrupted
from pentad.domain.keys import run_pk
from pentad.domain.runs import RunStatus
from pentad.orchestration.lifecycle.queue_messages import Died, read_message
from tests.moto_clients import client, table


class Functions:
    """Lambda, as far as it is invoked here."""

    def __init__(self) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.replies: list[dict[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        assert FunctionName == "pentad-dev-trigger"
        self.batches.append(json.loads(Payload)["Records"])
        return self.replies.pop(0) if self.replies else answer({"batchItemFailures": []})


def answer(body: Any, **more: str) -> dict[str, Any]:
    return {"Payload": io.BytesIO(json.dumps(body).encode()), **more}


class StandIn:
    """A twin with a state table."""

    def __init__(self) -> None:
        self.state = Table(table("state"), "state")
        self.functions = Functions()
        self.outputs = {"pentad-dev-state": {"StateTable": "state"}}
        client("sqs").create_queue(QueueName="pentad-dev-lifecycle")

    def get_admin_client(self, service: str) -> Any:
        return self.functions if service == "lambda" else client(service)

    def put_run(self, name: str, status: RunStatus, *, tenant: str = "acme", arn: str | None = "arn") -> None:
        run = {"pk": run_pk(tenant, name), "sk": "META", "type": "run", "status": status.value}
        self.state.put(run | ({} if arn is None else {"execution_arn": arn}))


@pytest.fixture
def twin() -> Iterator[StandIn]:
    with mock_aws():
        yield StandIn()


def make_id(number: int) -> str:
    return f"run_{number:026d}"


def test_open_runs_of_all_tenants_end_and_no_others(twin: StandIn) -> None:
    for number, status in enumerate(RunStatus):
        twin.put_run(make_id(number), status)
    twin.put_run(make_id(90), RunStatus.RUNNING, tenant="other")
    twin.put_run(make_id(91), RunStatus.QUEUED, arn=None)  # it waits for its turn, and begins when that has come
    twin.state.put(
        {"pk": run_pk("acme", make_id(92)), "sk": "S", "type": "step", "status": "running", "execution_arn": "a"}
    )
    assert end_interrupted(twin) == 4  # type: ignore[arg-type]
    [records] = twin.functions.batches
    said = {read_message(record["body"], "m") for record in records}
    assert said == {
        Died("acme", make_id(0), "ExecutionAborted"),
        Died("acme", make_id(1), "ExecutionAborted"),
        Died("acme", make_id(2), "ExecutionAborted"),
        Died("other", make_id(90), "ExecutionAborted"),
    }
    assert {record["eventSourceARN"].rpartition(":")[2] for record in records} == {"pentad-dev-lifecycle"}


def test_where_no_run_is_open_nothing_is_invoked(twin: StandIn) -> None:
    twin.put_run(make_id(1), RunStatus.SUCCEEDED)
    assert end_interrupted(twin) == 0  # type: ignore[arg-type]
    assert twin.functions.batches == []


def test_many_are_told_ten_at_once_and_so_many_at_most(twin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupted, "MOST", 23)
    for number in range(30):
        twin.put_run(make_id(number), RunStatus.RUNNING)
    assert end_interrupted(twin) == 23  # type: ignore[arg-type]
    assert [len(batch) for batch in twin.functions.batches] == [10, 10, 3]


def test_what_could_not_be_ended_is_not_counted_and_told(twin: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(25):
        twin.put_run(make_id(number), RunStatus.RUNNING)
    twin.functions.replies = [
        answer({"errorMessage": "no"}, FunctionError="Unhandled"),
        answer({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}),
    ]
    assert end_interrupted(twin) == 13  # type: ignore[arg-type]
    assert "12 of the runs that were under way could not be marked failed" in caplog.text
