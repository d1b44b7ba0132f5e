"""Queue mappings hold to what AWS recorded for the same cases.

The cases of `test_lambda_integration_sqs.snapshot.json` that the stack's features reach are here by their recorded
names. Not run: `*_update`, `*_batch_size[10000]`, `*_default_batch_size`, `*_duplicate_*`, `*_invalid_event_filter`
and `*_not_existing_sqs_queue` (the mapping's own API, which CloudFormation calls on AWS and the deployer replaces),
`test_sqs_queue_as_lambda_dead_letter_queue` (a property of asynchronous invocation, see the host's tests),
`test_fifo_message_group_parallelism` and `*_reserved_concurrency` (timing; the stack has no FIFO queue).
"""

import hashlib
import json
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.twin.pumps.world import Resources, mapping, queue, redrive, until, world
from twin.deploy.deployment import QueueMapping
from twin.pumps.queues.mapping import FunctionAnswer, QueueMappingPump


def source(visibility: int = 1, count: int = 2, **properties: Any) -> Resources:
    return {
        "Dead": queue("dead"),
        "Source": queue("source", VisibilityTimeout=visibility, **redrive("Dead", count)),
        "Mapping": mapping("Source", "WorkerFunction", **properties),
    }


def failing(attempts: int) -> Any:
    """A function that fails until a message has been received `attempts` times more than once."""

    def work(event: dict[str, Any]) -> object:
        if int(event["Records"][0]["attributes"]["ApproximateReceiveCount"]) <= attempts:
            raise RuntimeError("failed attempt")
        return {}

    return work


def test_message_body_and_attributes_passed_correctly(tmp_path: Path) -> None:
    attributes = {
        "Title": {"DataType": "String", "StringValue": "The Whistler"},
        "Author": {"DataType": "String", "StringValue": "John Grisham"},
        "WeeksOn": {"DataType": "Number", "StringValue": "6"},
    }
    with world(source(BatchSize=1), tmp_path, worker=lambda _: {}) as twin:
        message_id = twin.send("source", '{"a": 1}', MessageAttributes=attributes)
        [event] = until(lambda: twin.received("worker"))
    [record] = event["Records"]
    times = {"SentTimestamp", "ApproximateFirstReceiveTimestamp"}
    assert {key: value for key, value in record["attributes"].items() if key not in times | {"SenderId"}} == {
        "ApproximateReceiveCount": "1"
    }
    assert times < set(record["attributes"])
    assert record["receiptHandle"]
    changing = {"attributes", "receiptHandle"}
    assert {key: value for key, value in record.items() if key not in changing} == {
        "messageId": message_id,
        "body": '{"a": 1}',
        "messageAttributes": {
            "WeeksOn": _recorded("6", "Number"),
            "Author": _recorded("John Grisham", "String"),
            "Title": _recorded("The Whistler", "String"),
        },
        "md5OfMessageAttributes": "d25a6aea97eb8f585bfa92d314504a92",
        "md5OfBody": hashlib.md5(b'{"a": 1}', usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:source",
        "awsRegion": "us-east-1",
    }


def _recorded(value: str, kind: str) -> dict[str, Any]:
    return {"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": kind}


def test_failing_lambda_retries_after_visibility_timeout(tmp_path: Path) -> None:
    with world(source(count=5), tmp_path, worker=failing(1)) as twin:
        message_id = twin.send("source", "x")
        until(lambda: len(twin.received("worker")) == 2 and twin.depth("source") == 0)
    records = [event["Records"][0] for event in twin.received("worker")]
    assert [record["messageId"] for record in records] == [message_id, message_id]
    assert [record["attributes"]["ApproximateReceiveCount"] for record in records] == ["1", "2"]
    assert records[0]["receiptHandle"] != records[1]["receiptHandle"]


def test_redrive_policy_with_failing_lambda(tmp_path: Path) -> None:
    with world(source(), tmp_path, worker=failing(2)) as twin:
        message_id = twin.send("source", "x")
        [dead] = twin.taken("dead")
        assert dead["MessageId"] == message_id
        assert len(twin.received("worker")) == 2


def test_report_batch_item_failures(tmp_path: Path) -> None:
    def report(event: dict[str, Any]) -> object:
        failed = [
            record["messageId"]
            for record in event["Records"]
            if json.loads(record["body"])["fail_attempts"] >= int(record["attributes"]["ApproximateReceiveCount"])
        ]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}

    parts = source(BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"])
    with world(parts, tmp_path, worker=report) as twin:
        ids = [twin.send("source", json.dumps({"fail_attempts": number})) for number in (0, 1, 2)]
        [dead] = twin.taken("dead")
        until(lambda: twin.depth("source") == 0)
    assert dead["MessageId"] == ids[2]
    seen = [record["messageId"] for event in twin.received("worker") for record in event["Records"]]
    assert [seen.count(one) for one in ids] == [1, 2, 2]


def test_report_batch_item_failures_on_lambda_error(tmp_path: Path) -> None:
    def parse(event: dict[str, Any]) -> object:
        for record in event["Records"]:
            try:
                json.loads(record["body"])
            except ValueError as error:
                raise RuntimeError("not JSON") from error
        return {"batchItemFailures": []}

    # One batch of exactly these two: it is full before its window ends, and the first failure is the last chance.
    # A message that came back alone would otherwise be a batch of its own, and a readable one succeeds.
    parts = source(
        visibility=6,
        count=1,
        BatchSize=2,
        MaximumBatchingWindowInSeconds=5,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    with world(parts, tmp_path, worker=parse) as twin:
        ids = {twin.send("source", "{not a json body"), twin.send("source", '{"message": 2}')}
        dead: list[str] = []

        def both_dead() -> bool:
            dead.extend(message["MessageId"] for message in twin.take("dead"))
            return len(dead) == 2

        until(both_dead)
    assert set(dead) == ids


@pytest.mark.parametrize("answer", [{"batchItemFailures": [{"foo": "notvalid"}]}, {"batchItemFailures": 1}, "x", 3])
def test_report_batch_item_failures_invalid_result_json_batch_fails(tmp_path: Path, answer: object) -> None:
    parts = source(FunctionResponseTypes=["ReportBatchItemFailures"])
    with world(parts, tmp_path, worker=lambda _: answer) as twin:
        message_id = twin.send("source", "{}")
        assert [message["MessageId"] for message in twin.taken("dead")] == [message_id]
        assert len(twin.received("worker")) == 2


@pytest.mark.parametrize("answer", [{}, None, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_report_batch_item_failures_empty_json_batch_succeeds(tmp_path: Path, answer: object) -> None:
    parts = source(FunctionResponseTypes=["ReportBatchItemFailures"])
    with world(parts, tmp_path, worker=lambda _: answer) as twin:
        twin.send("source", "{}")
        until(lambda: twin.depth("source") == 0)
        assert len(twin.received("worker")) == 1
        assert twin.depth("dead") == 0


def test_failures_are_ignored_unless_the_mapping_reports_them(tmp_path: Path) -> None:
    def report(event: dict[str, Any]) -> object:
        return {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}

    with world(source(), tmp_path, worker=report) as twin:
        twin.send("source", "{}")
        until(lambda: twin.depth("source") == 0)
        assert len(twin.received("worker")) == 1


def test_sqs_event_source_mapping_batch_size(tmp_path: Path) -> None:
    parts = source(30, BatchSize=15, MaximumBatchingWindowInSeconds=10)
    with world(parts, tmp_path, worker=lambda _: {}) as twin:
        for number in range(15):
            twin.send("source", str(number))
        [event] = until(lambda: twin.received("worker"))
    assert [record["body"] for record in event["Records"]] == [str(number) for number in range(15)]


def test_batch_is_never_larger_than_its_size(tmp_path: Path) -> None:
    with world(source(30, BatchSize=2), tmp_path, worker=lambda _: {}) as twin:
        for number in range(7):
            twin.send("source", str(number))
        until(lambda: twin.depth("source") == 0)
    sizes = [len(event["Records"]) for event in twin.received("worker")]
    assert sum(sizes) == 7
    assert max(sizes) <= 2


FILTERS: list[tuple[str, dict[str, Any], object, object]] = [
    ("single", {"testItem": ["test24"]}, {"testItem": "test24"}, {"testItem": "tesWER"}),
    ("or", {"testItem": ["test24", "test45"]}, {"testItem": "test45"}, {"testItem": "WERTD"}),
    (
        "and",
        {"testItem": ["test24", "test45"], "test2": ["go"]},
        {"testItem": "test45", "test2": "go"},
        {"testItem": "test67", "test2": "go"},
    ),
    ("exists", {"test2": [{"exists": True}]}, {"test2": "7411"}, {"test5": "74545"}),
    ("numeric-bigger", {"n": [{"numeric": [">", 100]}]}, {"n": 101}, {"n": 100}),
    ("numeric-smaller", {"n": [{"numeric": ["<", 100]}]}, {"n": 99}, {"n": 100}),
    ("numeric-range", {"n": [{"numeric": [">=", 100, "<", 200]}]}, {"n": 100}, {"n": 200}),
    ("prefix", {"test2": [{"prefix": "us-1"}]}, {"test2": "us-1-48454"}, {"test2": "eu-wert"}),
    ("plain text", {"n": [{"numeric": [">", 100]}]}, {"n": 105}, "this is a test string"),
]


@pytest.mark.parametrize(("name", "pattern", "match", "other"), FILTERS, ids=[case[0] for case in FILTERS])
def test_sqs_event_filter(tmp_path: Path, name: str, pattern: dict[str, Any], match: object, other: object) -> None:
    criteria = {"Filters": [{"Pattern": json.dumps({"body": pattern})}]}
    with world(source(30, BatchSize=1, FilterCriteria=criteria), tmp_path, worker=lambda _: {}) as twin:
        twin.send("source", other if isinstance(other, str) else json.dumps(other))
        twin.send("source", json.dumps(match))
        # What does not match is deleted without a call, as recorded.
        until(lambda: twin.depth("source") == 0 and twin.pumps.is_idle())
    bodies = [json.loads(event["Records"][0]["body"]) for event in twin.received("worker")]
    assert bodies == [match]


def test_concurrency_stays_within_the_scaling_configuration(tmp_path: Path) -> None:
    lock, running, most = threading.Lock(), [0], [0]
    both = threading.Barrier(2, timeout=60)

    def work(_: dict[str, Any]) -> object:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        both.wait()
        with lock:
            running[0] -= 1
        return {}

    parts = source(30, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    with world(parts, tmp_path, worker=work) as twin:
        for number in range(6):
            twin.send("source", str(number))
        until(lambda: twin.depth("source") == 0)
    assert most[0] == 2


def test_delayed_message_arrives_once_its_delay_is_over(tmp_path: Path) -> None:
    with world(source(30), tmp_path, worker=lambda _: {}) as twin:
        twin.send("source", "late", DelaySeconds=1)
        until(lambda: twin.received("worker"))
        [record] = twin.received("worker")[0]["Records"]
    moments = record["attributes"]
    assert int(moments["ApproximateFirstReceiveTimestamp"]) - int(moments["SentTimestamp"]) >= 1000


def test_disabled_mapping_reads_nothing(tmp_path: Path) -> None:
    with world(source(30, Enabled=False), tmp_path, worker=lambda _: {}) as twin:
        twin.send("source", "x")
        assert twin.depth("source") == 1
        assert twin.received("worker") == []


def test_mapping_without_the_rights_reports_the_denial(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from botocore.exceptions import ClientError

    from twin.pumps.queues.mapping import QueueMappingPump

    def denied(service: str, role_arn: str | None) -> Any:
        error = {"Error": {"Code": "AccessDenied", "Message": "not authorized to perform: sqs:GetQueueAttributes"}}
        raise ClientError(error, "GetQueueAttributes")  # type: ignore[arg-type]

    with world(source(30, Enabled=False), tmp_path, worker=lambda _: {}) as twin:
        [definition] = twin.deployment.queue_mappings
        enabled = type(definition)(**{**definition.__dict__, "enabled": True})
        pump = QueueMappingPump(enabled, denied, twin.invoke, error_delay=0.01)
        pump.start()
        until(lambda: "sqs:GetQueueAttributes" in caplog.text)
        pump.stop()
    assert [record.levelname for record in caplog.records if "sqs:GetQueueAttributes" in record.message] == ["ERROR"]


class _Late:
    """A queue's client: its second message comes while the queue is being looked at and found empty."""

    meta = SimpleNamespace(endpoint_url="http://queue")

    def __init__(self) -> None:
        self.pump: QueueMappingPump | None = None
        first, second = (self._message(name) for name in ("first", "second"))
        self.looks: list[list[dict[str, Any]]] = [[first], [], [second]]

    @staticmethod
    def _message(name: str) -> dict[str, Any]:
        return {"MessageId": name, "ReceiptHandle": name, "Body": name, "MD5OfBody": name, "Attributes": {}}

    def get_queue_attributes(self, **_: Any) -> None:
        """It may be read."""

    def receive_message(self, **_: Any) -> dict[str, Any]:
        found = self.looks.pop(0) if self.looks else []
        if not found and self.looks:
            assert self.pump is not None
            self.pump.notify()
        return {"Messages": found}

    def delete_message_batch(self, **_: Any) -> None:
        """They are done with."""


def test_a_message_that_comes_during_a_look_at_the_queue_does_not_wait_for_the_windows_end() -> None:
    mapping = QueueMapping("u", "worker", "role", "arn:aws:sqs:r:1:q", 2, 300, False, None, (), True)
    batches: list[int] = []

    def invoke(function: str, payload: bytes) -> FunctionAnswer:
        batches.append(len(json.loads(payload)["Records"]))
        return FunctionAnswer(b"{}", None)

    client = _Late()
    client.pump = QueueMappingPump(mapping, lambda service, role: client, invoke, until_message=lambda arn: 0.0)
    client.pump.start()
    try:
        assert until(lambda: batches)[0] == 2
    finally:
        client.pump.stop()
