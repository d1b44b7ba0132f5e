"""A small world for pump tests: moto in the process, functions that are Python callables, deadlines, no sleeps."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from moto import mock_aws

from tests.moto_clients import client
from twin.deploy.assembly import Assembly, Stack
from twin.deploy.deployer import Deployer
from twin.deploy.deployment import Deployment
from twin.deploy.registry import Place
from twin.pumps.pumps import Pumps
from twin.pumps.queues.mapping import FunctionAnswer
from twin.pumps.schedules.clock import ScheduleClock

REGION, ACCOUNT = "us-east-1", "123456789012"
DEADLINE = 60.0  # Bounds what never happens; a machine under load may be slow.
_POLL = 0.01

Resources = dict[str, dict[str, Any]]
Function = Callable[[dict[str, Any]], object]
T = TypeVar("T")


def until(probe: Callable[[], T]) -> T:
    """Return the first truthy result of `probe`, or fail at the deadline."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        threading.Event().wait(_POLL)
    raise AssertionError("nothing happened before the deadline")


class World:
    """What a test sees of the twin's inside."""

    def __init__(self, deployment: Deployment, functions: Mapping[str, Function]) -> None:
        self.deployment = deployment
        self._functions = functions
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.refusals: dict[str, str] = {}
        self.pumps: Pumps

    def client(self, service: str, role_arn: str | None = None) -> Any:
        return client(service, REGION)

    def invoke(self, reference: str, payload: bytes) -> FunctionAnswer:
        name = reference.split(":function:")[-1]
        event = json.loads(payload)
        self.events.append((name, event))
        try:
            result = self._functions[name](event)
        except RuntimeError as error:
            return FunctionAnswer(json.dumps({"errorMessage": str(error)}).encode(), "Unhandled")
        return FunctionAnswer(json.dumps(result).encode(), None)

    def service_may(self, service: str, action: str, resource: str, context: Mapping[str, str]) -> str | None:
        return self.refusals.get(resource)

    def received(self, name: str) -> list[dict[str, Any]]:
        return [event for function, event in self.events if function == name]

    def queue_url(self, name: str) -> str:
        return str(self.client("sqs").get_queue_url(QueueName=name)["QueueUrl"])

    def send(self, name: str, body: str, **more: Any) -> str:
        answer = self.client("sqs").send_message(QueueUrl=self.queue_url(name), MessageBody=body, **more)
        return str(answer["MessageId"])

    def take(self, name: str) -> list[dict[str, Any]]:
        """Receive and delete what a queue holds now."""
        sqs, url = self.client("sqs"), self.queue_url(name)
        found: list[dict[str, Any]] = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
        ).get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def taken(self, name: str) -> list[dict[str, Any]]:
        """Wait for messages of a queue."""
        return until(lambda: self.take(name))

    def depth(self, name: str) -> int:
        """Return how many messages a queue holds, in flight or not."""
        attributes = self.client("sqs").get_queue_attributes(QueueUrl=self.queue_url(name), AttributeNames=["All"])[
            "Attributes"
        ]
        return sum(int(value) for key, value in attributes.items() if key.startswith("ApproximateNumberOf"))


@contextmanager
def world(
    resources: Resources, tmp_path: Path, *, clock: ScheduleClock | None = None, **functions: Function
) -> Iterator[World]:
    """Deploy `resources`, plus a function for each callable, and run the pumps."""
    full = {**resources, **{part: body for name in functions for part, body in function(name).items()}}
    stack = Stack("Test", "Test", {"Resources": full})
    with mock_aws():
        place = Place(REGION, ACCOUNT, scratch=tmp_path)
        made = World(Deployment(), functions)
        made.deployment = Deployer(made.client, place).deploy(Assembly(tmp_path, (stack,)))
        made.pumps = Pumps(
            made.deployment,
            connect=made.client,
            service_may=made.service_may,
            invoke=made.invoke,
            invoke_async=made.invoke,
            place=(ACCOUNT, REGION),
            clock=clock,
        )
        made.pumps.start()
        try:
            yield made
        finally:
            made.pumps.stop()


def function(name: str) -> Resources:
    """A function with its role: `{Name}Function` and `{Name}Role`."""
    title = name.title().replace("-", "")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        f"{title}Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}},
        },
        f"{title}Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": name,
                "Code": {"ZipFile": "def handler(event, context): ..."},
                "Handler": "index.handler",
                "Runtime": "python3.13",
                "Timeout": 1,
                "Role": att(f"{title}Role"),
            },
        },
    }


def att(logical_id: str, name: str = "Arn") -> dict[str, list[str]]:
    return {"Fn::GetAtt": [logical_id, name]}


def queue(name: str, **properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name, **properties}}


def redrive(dead: str, count: int) -> dict[str, Any]:
    return {"RedrivePolicy": {"deadLetterTargetArn": att(dead), "maxReceiveCount": count}}


def mapping(source: str, target: str, **properties: Any) -> dict[str, Any]:
    wired = {"EventSourceArn": att(source), "FunctionName": att(target)}
    return {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {**wired, **properties}}


def rule(pattern: dict[str, Any], *targets: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Name": "rule",
            "EventPattern": pattern,
            "State": "ENABLED",
            "Targets": [{"Id": f"T{index}", **target} for index, target in enumerate(targets)],
            **properties,
        },
    }
