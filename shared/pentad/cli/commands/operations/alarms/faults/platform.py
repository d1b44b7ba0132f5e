"""Faults of the stack's own functions and queues: a right is missing, processes end, messages can't be read."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import Event
from typing import Any, Final

from pentad.cli.client import ProblemError
from pentad.cli.commands.operations.alarms.faults.asking import POLL_SECONDS, QUEUE_SECONDS, TENANT, ask_each
from pentad.cli.commands.operations.alarms.faults.world import FaultWorld
from pentad.orchestration.runs.ports import MACHINE_ALIAS

Begin = Callable[[FaultWorld], AbstractContextManager[None]]
_DENIAL: Final = "drill"
_BULK: Final = "bulk-ingest"
_FAILURES: Final = 3
"""With fewer a machine's alarm stays off."""
_EXECUTION_SECONDS: Final = 180.0
_KILL_SECONDS: Final = 0.5
QUEUES: Final = ("runs", "lifecycle", "ingest", "remember", "erase", "notices")
"""Queues whose messages somebody waits for."""


def deny(function: str, action: str = "dynamodb:*", *, table: str | None = None) -> Begin:
    """Return what takes a right of a function away, as a wrong policy does; by default that on its tables.

    Args:
        function: its name, without the stage's prefix.
        action: what it may not do any more.
        table: the output of the one table that it may not do it with; None for everything.
    """

    @contextmanager
    def begin(world: FaultWorld) -> Iterator[None]:
        about = world.aws("lambda").get_function_configuration(FunctionName=f"{world.prefix}-{function}")
        with _deny_roles(world, [str(about["Role"])], action, _name_table(world, table)):
            yield

    return begin


@contextmanager
def deny_machines(world: FaultWorld) -> Iterator[None]:
    """Take the right to call functions from all state machines."""
    machines = world.aws("stepfunctions")
    pages = machines.get_paginator("list_state_machines").paginate()
    arns = [one["stateMachineArn"] for page in pages for one in page["stateMachines"]]
    roles = {machines.describe_state_machine(stateMachineArn=arn)["roleArn"] for arn in arns}
    with _deny_roles(world, sorted(roles), "lambda:InvokeFunction", "*"):
        yield


def kill(function: str) -> Begin:
    """Return what ends the processes of a function again and again, as Lambda does where memory or time is used up."""

    @contextmanager
    def begin(world: FaultWorld) -> Iterator[None]:
        over = Event()

        def end_each() -> None:
            while not over.wait(_KILL_SECONDS):
                world.kill_processes(function)

        with ThreadPoolExecutor(1, "drill") as pool:
            ending = pool.submit(end_each)
            try:
                yield
            finally:
                over.set()
                ending.result()

    return begin


def _name_table(world: FaultWorld, output: str | None) -> str:
    return "*" if output is None else f"arn:aws:dynamodb:*:*:table/{world.outputs[output]}"


@contextmanager
def _deny_roles(world: FaultWorld, role_arns: Sequence[str], action: str, resource: str) -> Iterator[None]:
    iam, roles = world.aws("iam"), [arn.rpartition("/")[2] for arn in role_arns]
    denied = {"Effect": "Deny", "Action": action, "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    for role in roles:
        iam.put_role_policy(RoleName=role, PolicyName=_DENIAL, PolicyDocument=policy)
    try:
        yield
    finally:
        for role in roles:
            iam.delete_role_policy(RoleName=role, PolicyName=_DENIAL)


def fail_machines(world: FaultWorld, broken: bool) -> None:
    """Ask each agent and workflow; while the fault is there, start the machine that takes documents in by the bulk too.

    Raises:
        TimeoutError: an execution does not end.
    """
    machines, arns = world.aws("stepfunctions"), list[str]()
    if broken:
        pages = machines.get_paginator("list_state_machines").paginate()
        [bulk] = [one for page in pages for one in page["stateMachines"] if one["name"] == f"{world.prefix}-{_BULK}"]
        alias = f"{bulk['stateMachineArn']}:{MACHINE_ALIAS}"
        arns = [machines.start_execution(stateMachineArn=alias, input="{}")["executionArn"] for _ in range(_FAILURES)]
    ask_each(_FAILURES)(world, broken)
    until = time.monotonic() + _EXECUTION_SECONDS
    while any(machines.describe_execution(executionArn=arn)["status"] == "RUNNING" for arn in arns):
        if time.monotonic() > until:
            raise TimeoutError(f"an execution has not ended within {_EXECUTION_SECONDS:g} s")
        time.sleep(1)


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
