"""Faults of the stack's own functions and queues: a right that is missing, messages that nobody can read."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final

from pentad.cli.client import ProblemError
from pentad.cli.commands.operations.alarms.faults.asking import POLL_SECONDS, QUEUE_SECONDS, TENANT
from pentad.cli.commands.operations.alarms.faults.world import FaultWorld

Begin = Callable[[FaultWorld], AbstractContextManager[None]]
_DENIAL: Final = "drill"
QUEUES: Final = ("runs", "lifecycle", "ingest", "remember", "erase", "notices")
"""Queues whose messages somebody waits for."""


def deny(function: str, action: str = "dynamodb:*") -> Begin:
    """Return what takes a right of a function away, as a wrong policy does; by default that on its tables."""

    @contextmanager
    def begin(world: FaultWorld) -> Iterator[None]:
        iam, name = world.aws("iam"), f"{world.prefix}-{function}"
        about = world.aws("lambda").get_function_configuration(FunctionName=name)
        role = str(about["Role"]).rpartition("/")[2]
        denied = {"Effect": "Deny", "Action": action, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
        iam.put_role_policy(RoleName=role, PolicyName=_DENIAL, PolicyDocument=policy)
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName=_DENIAL)

    return begin


def list_runs(world: FaultWorld, broken: bool) -> None:
    """Ask the API for the list of runs, eight times."""
    client = world.open_tenant(TENANT)
    for _ in range(8):
        with suppress(ProblemError):
            client.call("GET", "/v1/runs?limit=1")


@contextmanager
def send_poison(world: FaultWorld) -> Iterator[None]:
    """Put a message that nothing can read into each queue."""
    sqs = world.aws("sqs")
    for queue in QUEUES:
        sqs.send_message(QueueUrl=world.find_queue(queue), MessageBody="no request of ours")
    try:
        yield
    finally:
        for queue in QUEUES:
            _drain(world, f"{queue}-dlq")


def await_dead(world: FaultWorld, broken: bool) -> None:
    """Wait until the messages that nothing can read are put aside."""
    until = time.monotonic() + QUEUE_SECONDS
    while broken and time.monotonic() < until:
        if all(_count(world, f"{queue}-dlq") for queue in QUEUES):
            return
        time.sleep(POLL_SECONDS)


def send_request(world: FaultWorld, broken: bool) -> None:
    """Send a request to the queue of runs; when it can be taken again, wait until it was."""
    if broken:
        world.aws("sqs").send_message(QueueUrl=world.find_queue("runs"), MessageBody="a request that waits")
        time.sleep(2)
        return
    until = time.monotonic() + QUEUE_SECONDS
    while _count(world, "runs") and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
    _drain(world, "runs-dlq")


def _count(world: FaultWorld, queue: str) -> int:
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    asked: dict[str, Any] = {"QueueUrl": world.find_queue(queue), "AttributeNames": names}
    return sum(int(value) for value in world.aws("sqs").get_queue_attributes(**asked)["Attributes"].values())


def _drain(world: FaultWorld, queue: str) -> None:
    """Delete what is in a queue; a queue may be purged once a minute only."""
    sqs, url = world.aws("sqs"), world.find_queue(queue)
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for one in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
