"""Conformance: what AWS recorded for a definition is what the twin answers for it."""

import copy
import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.twin.machine import cases, recorded
from tests.twin.machine.stage import ACCOUNT, REGION, Stage

pytestmark = [
    pytest.mark.twin,
    pytest.mark.skipif(not recorded.available(), reason="the recordings of shared/data are not there"),
]


class CustomException(Exception):
    """The error of a recorded function."""


def _raise(error: Exception) -> Any:
    raise error


_HANDLERS: dict[str, Callable[[Any, Any], Any]] = {
    "identity": lambda event, _context: event,
    "bytes": lambda _event, _context: b"HelloWorld!",
    "raise_exception": lambda _event, _context: _raise(Exception("Some exception was raised.")),
    "raise_custom": lambda _event, _context: _raise(CustomException()),
}


class Play:
    """One recorded case on the stage."""

    def __init__(self, stage: Stage, case: cases.Case) -> None:
        self._stage = stage
        self._case = case
        self._over = threading.Event()
        self.names = {"QUEUE": "", "TOPIC": "", "MACHINE": "", "FUNCTION": "", "FUNCTION_ARN": ""}

    def prepare(self) -> dict[str, Any]:
        """Make what the case needs and return its definition."""
        if self._case.function:
            name = f"{self._case.function}-{uuid.uuid4()}"
            self._stage.functions[name] = _HANDLERS.get(self._case.function, self._slow)
            self.names["FUNCTION"] = name
            self.names["no_such_FUNCTION"] = f"no_such_{name}"
            self.names["FUNCTION_ARN"] = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        self._make_queue()
        self._make_bucket()
        if self._case.target is not None:
            self.names["MACHINE"] = self._stage.create(self._filled(self._case.target))
        source = self._case.definition
        definition = copy.deepcopy(recorded.template(source) if isinstance(source, str) else source)
        if self._case.resource:
            definition["States"][self._case.resource]["Resource"] = self.names["FUNCTION_ARN"]
        if self._case.change:
            self._case.change(definition)
        return definition

    def _slow(self, _event: Any, _context: Any) -> None:
        self._over.wait(10)

    def _make_queue(self) -> None:
        sqs, sns = self._stage.client("sqs"), self._stage.client("sns")
        self.names["QUEUE"] = sqs.create_queue(QueueName=f"queue-{uuid.uuid4()}")["QueueUrl"]
        if self._case.answer == "notified":
            self.names["TOPIC"] = sns.create_topic(Name=f"topic-{uuid.uuid4()}")["TopicArn"]
            queue = sqs.get_queue_attributes(QueueUrl=self.names["QUEUE"], AttributeNames=["QueueArn"])
            arn = queue["Attributes"]["QueueArn"]
            sns.subscribe(TopicArn=self.names["TOPIC"], Protocol="sqs", Endpoint=arn)

    def _make_bucket(self) -> None:
        if self._case.items is not None:
            s3 = self._stage.client("s3")
            self.names["BUCKET"] = f"bucket-{uuid.uuid4()}"
            s3.create_bucket(Bucket=self.names["BUCKET"])
            s3.put_object(Bucket=self.names["BUCKET"], Key="file.json", Body=json.dumps(self._case.items).encode())

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.names.get(value, value)
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        return value

    @property
    def data(self) -> Any:
        """The input of the execution."""
        return self._filled(self._case.data)

    def answer_tokens(self) -> None:
        """Answer every task token that arrives in the queue until the play is over."""
        sqs = self._stage.client("sqs")
        while not self._over.is_set():
            messages = sqs.receive_message(QueueUrl=self.names["QUEUE"], MaxNumberOfMessages=1).get("Messages", [])
            for message in messages:
                sqs.delete_message(QueueUrl=self.names["QUEUE"], ReceiptHandle=message["ReceiptHandle"])
                self._answer(message["Body"])
            self._over.wait(0.02)

    def _answer(self, text: str) -> None:
        states = self._stage.client("stepfunctions")
        body = json.loads(text)
        if self._case.answer == "notified":
            body = json.loads(body["Message"])
        token = body["TaskToken"]
        if self._case.answer in ("heartbeat", "heartbeats and body"):
            for _ in range(10):
                states.send_task_heartbeat(taskToken=token)
        if self._case.answer == "failure":
            states.send_task_failure(taskToken=token, error="Failure error", cause="Failure cause")
        elif self._case.answer == "empty failure":
            states.send_task_failure(taskToken=token)
        else:
            states.send_task_success(taskToken=token, output=self._output(body, text))

    def _output(self, body: Any, text: str) -> str:
        if self._case.answer == "notified":
            return "{}"
        return text if self._case.answer == "heartbeats and body" else json.dumps(body["Message"])

    def over(self) -> None:
        """Let everything of the case end."""
        self._over.set()


@pytest.mark.parametrize("case_id", list(cases.RUN))
def test_history_is_as_recorded_on_aws(stage: Stage, case_id: str) -> None:
    play = Play(stage, cases.RUN[case_id])
    arn = stage.create(play.prepare())
    thread = threading.Thread(target=play.answer_tokens, daemon=True)
    if cases.RUN[case_id].answer:
        thread.start()
    try:
        histories = recorded.content(case_id)
        names = [name for name in histories if "history" in name]
        executions = [stage.start_execution(arn, play.data) for _ in names]
        for name, execution in zip(names, executions, strict=True):
            ended = stage.wait(execution)
            events = stage.events(execution)
            assert recorded.compare(histories[name]["events"], events) == cases.DIFFERENCES.get(case_id, [])
            _check_description(ended, events[-1])
    finally:
        play.over()
        if thread.ident:
            thread.join(10)


def _check_description(ended: dict[str, Any], last: dict[str, Any]) -> None:
    """DescribeExecution says the same as the last event of the history."""
    details = last.get("executionSucceededEventDetails") or last.get("executionFailedEventDetails") or {}
    status = {"ExecutionSucceeded": "SUCCEEDED", "ExecutionFailed": "FAILED"}[last["type"]]
    assert ended["status"] == status
    assert ended.get("output") == details.get("output")
    assert (ended.get("error"), ended.get("cause")) == (details.get("error"), details.get("cause"))
    assert ended["stopDate"] >= ended["startDate"]


def test_every_recorded_case_is_run_or_listed_with_a_reason() -> None:
    assert cases.unlisted() == []
    assert cases.unrecorded() == []
    assert not cases.RUN.keys() & cases.NOT_RUN.keys()
