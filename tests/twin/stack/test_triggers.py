"""Runs that a queue or the event bus starts, with the API's idempotency; and the event that tells a run's end."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.twin.stack.world import Json, Stack, Tenant, until, word

pytestmark = pytest.mark.twin

QUESTION = "What is 21 + 21?"


def asked(tenant: Tenant, **fields: Any) -> str:
    return tenant.sign({"agent": "assistant", "message": QUESTION, **fields})


def only_run(tenant: Tenant) -> Json:
    [run] = until(lambda: tenant.get("/v1/runs")["items"], "the start of a run")
    return tenant.settle(run["run_id"])


def trigger_of(tenant: Tenant, run_id: str) -> str:
    [created] = tenant.events(run_id, "run.created")
    return str(created["trigger"])


def queue_arn(stack: Stack, name: str) -> str:
    wanted = {"QueueUrl": stack.queue_url(name), "AttributeNames": ["QueueArn"]}
    return str(stack.aws("sqs").get_queue_attributes(**wanted)["Attributes"]["QueueArn"])


def deliver(stack: Stack, body: str, message_id: str, queue: str = "runs") -> Json:
    """Hand a message to the trigger's function as a queue does, once more."""
    record = {
        "messageId": message_id,
        "receiptHandle": "again",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "2", "SentTimestamp": "0"},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn(stack, queue),
        "awsRegion": "us-east-1",
    }
    payload = json.dumps({"Records": [record]}).encode()
    reply = stack.aws("lambda").invoke(FunctionName="pentad-dev-trigger", Payload=payload)
    answer: Json = json.loads(reply["Payload"].read())
    return answer


def test_message_in_the_queue_starts_a_run(stack: Stack, tenant: Tenant) -> None:
    queue = stack.queue_url("runs")
    stack.aws("sqs").send_message(QueueUrl=queue, MessageBody=asked(tenant, session="daily"))
    view = only_run(tenant)
    assert (view["status"], view["session"]) == ("succeeded", "daily")
    assert "42" in view["answer"]
    assert trigger_of(tenant, view["run_id"]) == "queue"


def test_message_delivered_twice_is_one_run(stack: Stack, tenant: Tenant) -> None:
    body = asked(tenant, session="daily")
    sent = stack.aws("sqs").send_message(QueueUrl=stack.queue_url("runs"), MessageBody=body)
    view = only_run(tenant)
    assert deliver(stack, body, sent["MessageId"]) == {"batchItemFailures": []}
    assert [run["run_id"] for run in tenant.get("/v1/runs")["items"]] == [view["run_id"]]
    assert len(stack.executions(view["run_id"])) == 1
    assert [one["text"] for one in tenant.messages("daily")].count(QUESTION) == 1


def test_two_messages_with_one_key_are_one_run_and_the_api_has_keys_of_its_own(stack: Stack, tenant: Tenant) -> None:
    key = word("k")
    messages = [{"Id": str(number), "MessageBody": asked(tenant, idempotency_key=key)} for number in (1, 2)]
    stack.aws("sqs").send_message_batch(QueueUrl=stack.queue_url("runs"), Entries=messages)
    view = only_run(tenant)
    assert len(tenant.items("run")) == 1
    assert tenant.ask(QUESTION, key=key)["run_id"] != view["run_id"]


@pytest.mark.parametrize("kind", ["plain", "ended", "other tenant"])
def test_a_producer_names_no_tenant_and_ends_no_run(stack: Stack, tenant: Tenant, kind: str) -> None:
    run = tenant.ask('Save a note titled "Mine" with the text "Keep."')["run_id"]
    ended = {"status": "FAILED", "input": json.dumps({"tenant": tenant.name, "run": run})}
    forged = {
        "plain": json.dumps({"tenant": tenant.name, "agent": "assistant", "message": QUESTION}),
        "ended": json.dumps({"detail-type": "Step Functions Execution Status Change", "detail": ended}),
        "other tenant": stack.tenant().sign({"tenant": tenant.name, "agent": "assistant", "message": QUESTION}),
    }[kind]
    message_id = str(uuid.uuid4())
    assert deliver(stack, forged, message_id)["batchItemFailures"] == [{"itemIdentifier": message_id}]
    assert [(one["run_id"], one["status"]) for one in tenant.get("/v1/runs")["items"]] == [(run, "awaiting_human")]


def test_event_on_the_bus_starts_a_run(stack: Stack, tenant: Tenant) -> None:
    entry = {
        "Source": "shop",
        "DetailType": "pentad.run.requested",
        "Detail": asked(tenant),
        "EventBusName": stack.outputs["EventBus"],
    }
    assert stack.aws("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    view = only_run(tenant)
    assert view["status"] == "succeeded"
    assert trigger_of(tenant, view["run_id"]) == "event"


@pytest.fixture
def producer(stack: Stack) -> Iterator[Any]:
    """A client of EventBridge with the rights of a producer that may put any event on the bus."""
    iam, name = stack.aws("iam"), word("producer")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    put = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [put]})
    iam.put_role_policy(RoleName=name, PolicyName="put", PolicyDocument=document)
    keys = stack.aws("sts").assume_role(RoleArn=role, RoleSessionName="producer")["Credentials"]
    connect: Any = boto3.client
    yield connect(
        "events",
        endpoint_url=stack.facts["aws_url"],
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    iam.delete_role_policy(RoleName=name, PolicyName="put")
    iam.delete_role(RoleName=name)


@pytest.mark.parametrize(
    "kind",
    ["run.finished", "answer.corrected", "document.requested", "erasure.requested", "approval.requested"],
)
def test_a_producer_that_may_put_any_event_forges_none_of_the_stacks_own(
    stack: Stack, producer: Any, kind: str
) -> None:
    own = {
        "Source": "pentad",
        "DetailType": f"pentad.{kind}",
        "Detail": json.dumps({"tenant": "acme", "run": "r"}),
        "EventBusName": stack.outputs["EventBus"],
    }
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        producer.put_events(Entries=[own])
    assert producer.put_events(Entries=[{**own, "Source": "shop"}])["FailedEntryCount"] == 0  # no rule takes it


def test_good_messages_of_a_batch_are_not_held_up_by_bad_ones(stack: Stack, tenant: Tenant) -> None:
    bodies = ["{no json", asked(tenant, agent="nobody"), asked(tenant)]
    ids = [str(uuid.uuid4()) for _ in bodies]
    record: Json = {"receiptHandle": "r", "attributes": {}, "messageAttributes": {}, "eventSource": "aws:sqs"}
    record["eventSourceARN"] = queue_arn(stack, "runs")
    records = [{**record, "messageId": one, "body": body} for one, body in zip(ids, bodies, strict=True)]
    payload = json.dumps({"Records": records}).encode()
    reply = stack.aws("lambda").invoke(FunctionName="pentad-dev-trigger", Payload=payload)
    failed = json.loads(reply["Payload"].read())["batchItemFailures"]
    assert [one["itemIdentifier"] for one in failed] == ids[:2]
    assert only_run(tenant)["status"] == "succeeded"


@pytest.fixture
def finished(stack: Stack) -> Iterator[str]:
    """A queue of the test's own that gets the bus's events of runs' ends."""
    name, bus = word("finished"), stack.outputs["EventBus"]
    sqs, events = stack.aws("sqs"), stack.aws("events")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    service = {"Service": "events.amazonaws.com"}
    allowed = {"Effect": "Allow", "Principal": service, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    pattern = json.dumps({"detail-type": ["pentad.run.finished"]})
    events.put_rule(Name=name, EventBusName=bus, EventPattern=pattern)
    events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    yield url
    events.remove_targets(Rule=name, EventBusName=bus, Ids=["queue"])
    events.delete_rule(Name=name, EventBusName=bus)
    sqs.delete_queue(QueueUrl=url)


def test_end_of_a_run_is_told_on_the_bus_without_its_words(stack: Stack, tenant: Tenant, finished: str) -> None:
    view = tenant.ask(QUESTION)

    def told() -> list[Json]:
        taken = stack.aws("sqs").receive_message(QueueUrl=finished, MaxNumberOfMessages=10).get("Messages", [])
        details = [json.loads(one["Body"])["detail"] for one in taken]
        return [one for one in details if one["tenant"] == tenant.name]

    [detail] = until(told, "the event")
    assert (detail["run"], detail["status"], detail["session"]) == (view["run_id"], "succeeded", view["session"])
    assert not {"message", "answer"} & set(detail)
