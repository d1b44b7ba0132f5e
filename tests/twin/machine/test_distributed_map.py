"""Distributed Map against what the Step Functions developer guide documents, over HTTP on the stage."""

import json
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.machine.stage import ROLE, Stage, until

pytestmark = pytest.mark.twin

_PASS = {"P": {"Type": "Pass", "End": True}}
_ODD_FAILS = {
    "P": {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $states.input.n % 2 = 1 %}", "Next": "F"}],
        "Default": "S",
    },
    "F": {"Type": "Fail", "Error": "Odd", "Cause": "the number is odd"},
    "S": {"Type": "Succeed"},
}
_THRESHOLD = "States.ExceedToleratedFailureThreshold"


def _map(states: Any = None, *, kind: str = "STANDARD", **fields: Any) -> dict[str, Any]:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind},
        "StartAt": "P",
        "States": states or _PASS,
    }
    state = {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}
    return {"QueryLanguage": "JSONata", "StartAt": "M", "States": {"M": state}}


def _reader(bucket: str, key: str, **config: Any) -> dict[str, Any]:
    return {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": config,
        "Arguments": {"Bucket": bucket, "Key": key},
    }


def _task(function: str) -> dict[str, Any]:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload %}",
        "End": True,
    }
    return {"P": task}


@pytest.fixture(name="bucket")
def _bucket(stage: Stage) -> Iterator[str]:
    name = f"items-{uuid.uuid4()}"
    stage.client("s3").create_bucket(Bucket=name)
    yield name


def _put(stage: Stage, bucket: str, key: str, text: str) -> None:
    stage.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())


def _read(stage: Stage, bucket: str, key: str) -> Any:
    return json.loads(stage.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


def _numbers(count: int) -> str:
    return "\n".join(json.dumps({"n": number}) for number in range(count))


def _map_run(stage: Stage, execution_arn: str) -> dict[str, Any]:
    client = stage.client("stepfunctions")
    listed = until(lambda: client.list_map_runs(executionArn=execution_arn)["mapRuns"])
    assert len(listed) == 1
    found: dict[str, Any] = client.describe_map_run(mapRunArn=listed[0]["mapRunArn"])
    return found


@pytest.mark.parametrize(
    ("text", "config", "items"),
    [
        ('[{"n": 1}, "two", null]', {"InputType": "JSON"}, [{"n": 1}, "two", None]),
        ('{"a": {"b/c": [1, 2]}}', {"InputType": "JSON", "ItemsPointer": "/a/b~1c"}, [1, 2]),
        ('{"n": 1}\n\n{"n": "\u00e4\u2028"}\r\n', {"InputType": "JSONL"}, [{"n": 1}, {"n": "\u00e4\u2028"}]),
        ('\ufeffa,b\n1,"x\ny"\n2\n', {"InputType": "CSV"}, [{"a": "1", "b": "x\ny"}, {"a": "2", "b": ""}]),
        (
            "1;2\n3;4\n",
            {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["x", "y"], "CSVDelimiter": "SEMICOLON"},
            [{"x": "1", "y": "2"}, {"x": "3", "y": "4"}],
        ),
        ("[1, 2, 3]", {"InputType": "JSON", "MaxItems": 2}, [1, 2]),
    ],
)
def test_items_of_an_object_are_read_as_its_type_says(
    stage: Stage, bucket: str, text: str, config: dict[str, Any], items: list[Any]
) -> None:
    _put(stage, bucket, "items", text)
    assert stage.output(_map(ItemReader=_reader(bucket, "items", **config))) == items


def test_a_listing_gives_each_object_below_the_prefix_in_pages(stage: Stage, bucket: str) -> None:
    for number in range(5):
        _put(stage, bucket, f"in/{number}", "x" * number)
    _put(stage, bucket, "other", "x")
    arguments = {"Bucket": bucket, "Prefix": "in/", "MaxKeys": 2}
    reader = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Arguments": arguments}
    found = stage.output(_map(ItemReader=reader))
    assert [(item["Key"], item["Size"]) for item in found] == [(f"in/{number}", number) for number in range(5)]
    assert set(found[0]) == {"Etag", "Key", "LastModified", "Size", "StorageClass"}


@pytest.mark.parametrize(
    ("text", "config", "cause"),
    [
        (None, {"InputType": "JSON"}, "NoSuchKey"),
        ('{"n": 1}', {"InputType": "JSON"}, "non-iterable"),
        ("[1", {"InputType": "JSON"}, "can't be read as JSON"),
        ('{"n": 1}\n{', {"InputType": "JSONL"}, "can't be read as JSONL"),
        ("a,a\n1,2", {"InputType": "CSV"}, "duplicates"),
        (json.dumps(["x" * 300_000]), {"InputType": "JSON"}, "262144"),
    ],
)
def test_items_that_cannot_be_read_fail_the_state_by_name(
    stage: Stage, bucket: str, text: str | None, config: dict[str, Any], cause: str
) -> None:
    if text is not None:
        _put(stage, bucket, "items", text)
    ended = stage.run(_map(ItemReader=_reader(bucket, "items", **config)))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.ItemReaderFailed")
    assert cause in ended["cause"]
    assert _map_run(stage, ended["executionArn"])["status"] == "FAILED"
    assert stage.types(ended["executionArn"])[-3:] == ["MapRunFailed", "MapStateFailed", "ExecutionFailed"]


def test_a_failed_reading_can_be_caught(stage: Stage, bucket: str) -> None:
    definition = _map(ItemReader=_reader(bucket, "none", InputType="JSON"))
    catcher = {"ErrorEquals": ["States.ItemReaderFailed"], "Next": "Caught"}
    definition["States"]["M"]["Catch"] = [catcher]
    definition["States"]["Caught"] = {"Type": "Pass", "Output": "caught", "End": True}
    assert stage.output(definition) == "caught"


def test_batches_keep_within_both_limits_and_carry_the_common_input(stage: Stage) -> None:
    batcher = {"MaxItemsPerBatch": 3, "MaxInputBytesPerBatch": 74, "BatchInput": {"of": "{% $states.input[0] %}"}}
    items = ["a" * 5, "b" * 5, "c" * 5, "d" * 30, "e"]
    found = stage.output(_map(ItemBatcher=batcher), items)
    assert [batch["Items"] for batch in found] == [items[:3], [items[3]], [items[4]]]
    assert all(batch["BatchInput"] == {"of": "aaaaa"} for batch in found)


def test_selected_items_know_their_place_and_value(stage: Stage) -> None:
    selector = {"place": "{% $states.context.Map.Item.Index %}", "value": "{% $states.context.Map.Item.Value.n %}"}
    found = stage.output(_map(ItemSelector=selector, ItemBatcher={"MaxItemsPerBatch": 2}), [{"n": 5}, {"n": 6}])
    assert found == [{"Items": [{"place": 0, "value": 5}, {"place": 1, "value": 6}]}]


def test_a_child_execution_is_one_of_its_own(stage: Stage) -> None:
    states = {"P": {"Type": "Pass", "Output": "{% $states.context %}", "End": True}}
    definition = _map(states, Label="Each")
    arn = stage.create(definition)
    ended = stage.wait(stage.start_execution(arn, [1, 2]))
    contexts = json.loads(ended["output"])
    run = _map_run(stage, ended["executionArn"])
    client = stage.client("stepfunctions")
    children = client.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    assert {context["Execution"]["Id"] for context in contexts} == {child["executionArn"] for child in children}
    assert all(context["StateMachine"]["Id"] == f"{arn}/Each" for context in contexts)
    assert ended["executionArn"] not in {child["executionArn"] for child in children}
    described = client.describe_execution(executionArn=children[0]["executionArn"])
    assert described["status"] == "SUCCEEDED"
    assert stage.types(children[0]["executionArn"])[0] == "ExecutionStarted"
    assert run["mapRunArn"].split(":")[5:7] == ["mapRun", f"{arn.split(':')[-1]}/Each"]


@pytest.mark.parametrize(
    ("tolerance", "succeeds"),
    [
        ({}, False),
        ({"ToleratedFailureCount": 4}, False),
        ({"ToleratedFailureCount": 5}, True),
        ({"ToleratedFailurePercentage": 49.9}, False),
        ({"ToleratedFailurePercentage": 50}, True),
        ({"ToleratedFailurePercentage": "{% 40 + 10 %}"}, True),
        ({"ToleratedFailureCount": 5, "ToleratedFailurePercentage": 10}, False),
    ],
)
def test_a_run_fails_when_more_items_fail_than_are_tolerated(
    stage: Stage, bucket: str, tolerance: dict[str, Any], succeeds: bool
) -> None:
    _put(stage, bucket, "items", _numbers(10))
    ended = stage.run(_map(_ODD_FAILS, ItemReader=_reader(bucket, "items", InputType="JSONL"), **tolerance))
    run = _map_run(stage, ended["executionArn"])
    assert ended.get("error") == (None if succeeds else _THRESHOLD)
    assert run["status"] == ("SUCCEEDED" if succeeds else "FAILED")
    if succeeds:
        assert (run["itemCounts"]["succeeded"], run["itemCounts"]["failed"]) == (5, 5)
        assert json.loads(ended["output"]) == [{"n": number} for number in range(0, 10, 2)]


def test_a_failed_batch_counts_with_each_of_its_items(stage: Stage) -> None:
    states = {"P": {"Type": "Fail", "Error": "E"}}
    definition = _map(states, ItemBatcher={"MaxItemsPerBatch": 4}, ToleratedFailureCount=3)
    ended = stage.run(definition, list(range(4)))
    assert ended["error"] == _THRESHOLD
    counts = _map_run(stage, ended["executionArn"])
    assert (counts["itemCounts"]["failed"], counts["executionCounts"]["failed"]) == (4, 1)


def test_results_are_written_with_a_manifest_also_of_what_failed_and_never_began(stage: Stage, bucket: str) -> None:
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Arguments": {"Bucket": bucket, "Prefix": "out"},
    }
    fields: dict[str, Any] = {"ResultWriter": writer, "ToleratedFailureCount": 0, "MaxConcurrency": 1}
    ended = stage.run(_map(_ODD_FAILS, **fields), [{"n": number} for number in range(4)])
    assert ended["error"] == _THRESHOLD
    run_id = _map_run(stage, ended["executionArn"])["mapRunArn"].split(":")[-1]
    manifest = _read(stage, bucket, f"out/{run_id}/manifest.json")
    files = manifest["ResultFiles"]
    told = {name: _read(stage, bucket, files[name][0]["Key"]) for name in ("SUCCEEDED", "FAILED", "PENDING")}
    assert [json.loads(entry["Input"])["n"] for name in told for entry in told[name]] == [0, 1, 2, 3]
    assert (told["FAILED"][0]["Error"], told["FAILED"][0]["Cause"]) == ("Odd", "the number is odd")
    assert json.loads(told["SUCCEEDED"][0]["Output"]) == {"n": 0}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"Transformation": "COMPACT"}, [[1, 2], [3]]),
        ({"Transformation": "FLATTEN"}, [1, 2, 3]),
    ],
)
def test_results_without_a_bucket_are_the_output_as_the_writer_says(
    stage: Stage, config: dict[str, Any], expected: list[Any]
) -> None:
    assert stage.output(_map(ResultWriter={"WriterConfig": config}), [[1, 2], [3]]) == expected


def test_results_that_cannot_be_written_fail_the_state_by_name(stage: Stage) -> None:
    arguments = {"Bucket": f"no-such-{uuid.uuid4()}"}
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Arguments": arguments}
    ended = stage.run(_map(ResultWriter=writer), [1])
    assert ended["error"] == "States.ResultWriterFailed"


def test_results_larger_than_a_state_may_give_fail_it(stage: Stage, bucket: str) -> None:
    _put(stage, bucket, "items", "\n".join(json.dumps("x" * 100_000) for _ in range(4)))
    ended = stage.run(_map(ItemReader=_reader(bucket, "items", InputType="JSONL")))
    assert ended["error"] == "States.DataLimitExceeded"


def test_no_more_run_at_once_than_the_run_allows_and_an_update_counts_at_once(stage: Stage) -> None:
    function, gate, lock = f"gate-{uuid.uuid4()}", threading.Event(), threading.Lock()
    seen: list[int] = []
    running = 0

    def handle(event: Any, _context: Any) -> Any:
        nonlocal running
        with lock:
            running += 1
            seen.append(running)
        gate.wait(20)
        with lock:
            running -= 1
        return event

    stage.functions[function] = handle
    client = stage.client("stepfunctions")
    execution = stage.start_execution(stage.create(_map(_task(function), MaxConcurrency=2)), list(range(8)))
    until(lambda: running == 2)
    run = _map_run(stage, execution)
    assert (run["itemCounts"]["running"], run["itemCounts"]["pending"], run["itemCounts"]["total"]) == (2, 6, 8)
    client.update_map_run(mapRunArn=run["mapRunArn"], maxConcurrency=4)
    until(lambda: running == 4)
    gate.set()
    assert stage.wait(execution)["status"] == "SUCCEEDED"
    assert max(seen) == 4


def test_a_stopped_execution_stops_its_child_executions(stage: Stage) -> None:
    states = {"P": {"Type": "Wait", "Seconds": 100_000, "End": True}}
    execution = stage.start_execution(stage.create(_map(states, MaxConcurrency=2)), [1, 2, 3])
    run = until(lambda: (found := _map_run(stage, execution))["itemCounts"]["running"] == 2 and found)
    stage.client("stepfunctions").stop_execution(executionArn=execution)
    until(lambda: _map_run(stage, execution)["status"] == "ABORTED")
    counts = until(lambda: (now := _map_run(stage, execution)["itemCounts"])["running"] == 0 and now)
    assert (counts["aborted"], counts["pending"]) == (2, 1)
    children = stage.client("stepfunctions").list_executions(mapRunArn=run["mapRunArn"])["executions"]
    assert {child["status"] for child in children} == {"ABORTED"}


def test_a_role_that_may_not_start_the_machine_itself_cannot_run_children(stage: Stage) -> None:
    role = f"{ROLE}-{uuid.uuid4()}"
    stage.denied.add((role, "AWSStepFunctions.StartExecution"))
    ended = stage.run(_map(), [1], role=role)
    assert (ended["status"], ended["error"]) == ("FAILED", "StepFunctions.AWSStepFunctionsException")
    assert "AccessDenied" in ended["cause"]


def test_express_children_have_no_record_of_their_own(stage: Stage) -> None:
    states = {"P": {"Type": "Pass", "Output": "{% $states.context.Execution.Id %}", "End": True}}
    (child_arn,) = stage.output(_map(states, kind="EXPRESS"), [1])
    assert child_arn.split(":")[5] == "express"
    with pytest.raises(ClientError, match="InvalidArn"):
        stage.client("stepfunctions").describe_execution(executionArn=child_arn)


def test_a_distributed_map_within_another_runs_for_each_child(stage: Stage) -> None:
    inner = _map()["States"]["M"]
    assert stage.output(_map({"P": inner}), [[1, 2], [3]]) == [[1, 2], [3]]


def test_a_thousand_items_leave_few_children_and_a_short_history(stage: Stage, bucket: str) -> None:
    _put(stage, bucket, "items", _numbers(1_000))
    arguments = {"Bucket": bucket}
    writer = {"Resource": "arn:aws:states:::s3:putObject", "Arguments": arguments}
    reader = _reader(bucket, "items", InputType="JSONL")
    ended = stage.run(_map(ItemReader=reader, ResultWriter=writer, MaxConcurrency=20))
    run = _map_run(stage, ended["executionArn"])
    assert run["itemCounts"]["succeeded"] == run["itemCounts"]["resultsWritten"] == 1_000
    assert len(stage.events(ended["executionArn"])) == 8
    pages = stage.client("stepfunctions").get_paginator("list_executions").paginate(mapRunArn=run["mapRunArn"])
    assert sum(len(page["executions"]) for page in pages) == 200
    manifest = json.loads(ended["output"])["ResultWriterDetails"]
    (file,) = _read(stage, bucket, manifest["Key"])["ResultFiles"]["SUCCEEDED"]
    assert {json.loads(entry["Input"])["n"] for entry in _read(stage, bucket, file["Key"])} == set(range(1_000))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"ItemReader": _reader("b", "k", InputType="PARQUET")},
            "the local twin does not support 'InputType: PARQUET'",
        ),
        ({"ItemReader": _reader("b", "k", InputType="XML")}, "'InputType' must be one of"),
        ({"ItemReader": _reader("b", "k")}, "'InputType' is required"),
        ({"ItemReader": {"Resource": "arn:aws:states:::dynamodb:scan"}}, "is not a resource of 'ItemReader'"),
        ({"ItemReader": _reader("b", "k", InputType="JSON", Depth=2)}, "Field 'Depth' is not supported"),
        ({"ItemBatcher": {"BatchInput": {}}}, "'MaxItemsPerBatch' or 'MaxInputBytesPerBatch' is required"),
        ({"ItemBatcher": {"MaxItems": 3}}, "Field 'MaxItems' is not supported"),
        ({"ResultWriter": {"WriterConfig": {"OutputType": "CSV"}}}, "'OutputType' must be one of JSON, JSONL"),
    ],
)
def test_what_is_not_a_field_or_not_run_here_is_refused_by_name(
    stage: Stage, fields: dict[str, Any], told: str
) -> None:
    with pytest.raises(ClientError, match="SCHEMA_VALIDATION_FAILED") as refused:
        stage.create(_map(**fields))
    assert told in str(refused.value)


def test_express_children_cannot_wait_for_a_callback(stage: Stage) -> None:
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": True}
    with pytest.raises(ClientError, match=r"Express executions do not support '\.waitForTaskToken'"):
        stage.create(_map({"P": task}, kind="EXPRESS"))


def test_an_inline_map_has_no_fields_of_a_distributed_one(stage: Stage) -> None:
    definition = _map(ItemBatcher={"MaxItemsPerBatch": 2})
    definition["States"]["M"]["ItemProcessor"]["ProcessorConfig"] = {"Mode": "INLINE"}
    with pytest.raises(ClientError, match="'ItemBatcher' is supported only in DISTRIBUTED mode"):
        stage.create(definition)
