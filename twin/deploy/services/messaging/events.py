"""EventBridge buses, rules and schedules."""

from collections.abc import Mapping
from typing import Any

from twin.deploy.deployment import EventRule, RuleTarget
from twin.deploy.registry import (
    METADATA,
    TAGS,
    Created,
    JsonObject,
    Resource,
    as_json,
    register_resource,
    register_update,
)

_TARGET = {
    "Id",
    "Arn",
    "RoleArn",
    "Input",
    "InputPath",
    "InputTransformer",
    "DeadLetterConfig",
    "RetryPolicy",
    "SqsParameters",
}
#: EventBridge's own limits: 185 attempts over 24 hours.
_RETRIES = 185
_AGE = 86400
_TARGET_SERVICES = ("sqs", "lambda", "states")


@register_resource(
    "AWS::Events::EventBus",
    handled={"Name", "Policy"},
    ignored={
        "Tags": TAGS,
        "Description": METADATA,
        "KmsKeyIdentifier": "events are not stored",
        "DeadLetterConfig": "events reach the bus in the process",
        "LogConfig": "the pump logs every delivery",
    },
)
def create_event_bus(target: Resource, properties: JsonObject) -> Created:
    """Create an event bus."""
    name = properties["Name"]
    client = target.get_client("events")
    client.create_event_bus(Name=name)
    if "Policy" in properties:
        client.put_permission(EventBusName=name, Policy=as_json(properties["Policy"]))
    return Created(name, {"Arn": target.format_arn("events", f"event-bus/{name}"), "Name": name})


@register_resource("AWS::Events::EventBusPolicy", handled={"EventBusName", "StatementId", "Statement"})
def create_event_bus_policy(target: Resource, properties: JsonObject) -> Created:
    """Add one statement to the policy of a bus."""
    name, statement = properties.get("EventBusName", "default"), properties["Statement"]
    document = {"Version": "2012-10-17", "Statement": [{"Sid": properties["StatementId"], **statement}]}
    target.get_client("events").put_permission(EventBusName=name, Policy=as_json(document))
    return Created(properties["StatementId"])


@register_update("AWS::Events::EventBusPolicy")
def update_event_bus_policy(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Give a statement of a bus's policy other words, as where a function that sends events is new."""
    if properties["StatementId"] != earlier.ref:
        name = properties.get("EventBusName", "default")
        target.get_client("events").remove_permission(EventBusName=name, StatementId=earlier.ref)
    return create_event_bus_policy(target, properties)


@register_resource(
    "AWS::Events::Rule",
    handled={"Name", "EventBusName", "EventPattern", "ScheduleExpression", "State", "Targets"},
    ignored={"Description": METADATA, "RoleArn": "each target has its own", "Tags": TAGS},
)
def create_rule(target: Resource, properties: JsonObject) -> Created:
    """Create a rule with its targets. The pump delivers; moto keeps the rule for its API."""
    client = target.get_client("events")
    name = properties.get("Name") or target.physical_name(limit=64)
    bus = properties.get("EventBusName", "default").rsplit("/", 1)[-1]
    state = properties.get("State", "ENABLED")
    request: dict[str, Any] = {"Name": name, "EventBusName": bus, "State": state}
    if "EventPattern" in properties:
        request["EventPattern"] = as_json(properties["EventPattern"])
    if "ScheduleExpression" in properties:
        request["ScheduleExpression"] = properties["ScheduleExpression"]
    client.put_rule(**request)
    targets = properties.get("Targets", [])
    if targets:
        client.put_targets(Rule=name, EventBusName=bus, Targets=targets)
    arn = target.format_arn("events", f"rule/{name}" if bus == "default" else f"rule/{bus}/{name}")
    target.deployment.rules.append(
        EventRule(
            name=name,
            arn=arn,
            pattern=properties.get("EventPattern"),
            schedule=properties.get("ScheduleExpression"),
            targets=tuple(_check_target(target, one) for one in targets),
        )
    )
    return Created(name if bus == "default" else f"{bus}|{name}", {"Arn": arn})


@register_update("AWS::Events::Rule")
def update_rule(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Give a rule another pattern, as where a workflow or an agent is new; the pump asks moto for it at each event."""
    if "EventPattern" not in properties:
        raise target.build_error("a running twin cannot change a rule's schedule: stop it and start it again")
    bus = properties.get("EventBusName", "default").rsplit("/", 1)[-1]
    name = earlier.ref.rsplit("|", 1)[-1]
    client = target.get_client("events")
    state = properties.get("State", "ENABLED")
    client.put_rule(Name=name, EventBusName=bus, State=state, EventPattern=as_json(properties["EventPattern"]))
    wanted = properties.get("Targets", [])
    for one in wanted:
        _check_target(target, one)
    found = client.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]
    gone = [one["Id"] for one in found if one["Id"] not in {other["Id"] for other in wanted}]
    if gone:
        client.remove_targets(Rule=name, EventBusName=bus, Ids=gone)
    if wanted:
        client.put_targets(Rule=name, EventBusName=bus, Targets=wanted)
    return earlier


def _check_target(target: Resource, body: JsonObject) -> RuleTarget:
    target.check_keys("Targets", body, _TARGET)
    service = body["Arn"].split(":")[2]
    if service not in _TARGET_SERVICES:
        raise target.build_error(f"the twin cannot deliver events to {service} ({body['Arn']})")
    return parse_target(body)


def parse_target(body: Mapping[str, Any]) -> RuleTarget:
    """Return a target from its description, as the template or the API gives it."""
    transformer = body.get("InputTransformer", {})
    retry = body.get("RetryPolicy", {})
    return RuleTarget(
        id=body.get("Id", "target"),
        arn=body["Arn"],
        role_arn=body.get("RoleArn"),
        input=body.get("Input"),
        input_path=body.get("InputPath"),
        input_paths=transformer.get("InputPathsMap", {}) if transformer else None,
        input_template=transformer.get("InputTemplate"),
        dead_letter_arn=body.get("DeadLetterConfig", {}).get("Arn"),
        maximum_retries=int(retry.get("MaximumRetryAttempts", _RETRIES)),
        maximum_age=int(retry.get("MaximumEventAgeInSeconds", _AGE)),
        message_group_id=body.get("SqsParameters", {}).get("MessageGroupId"),
    )


@register_resource(
    "AWS::Scheduler::Schedule",
    handled={"Name", "ScheduleExpression", "ScheduleExpressionTimezone", "Target", "State", "FlexibleTimeWindow"},
    ignored={"Description": METADATA, "KmsKeyArn": "schedules live in memory", "GroupName": "a label only"},
)
def create_schedule(target: Resource, properties: JsonObject) -> Created:
    """Create a schedule of EventBridge Scheduler."""
    name = properties.get("Name") or target.physical_name(limit=64)
    arn = target.get_client("scheduler").create_schedule(Name=name, **_build_schedule_request(target, properties))[
        "ScheduleArn"
    ]
    return Created(name, {"Arn": arn})


@register_update("AWS::Scheduler::Schedule")
def update_schedule(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Give a schedule other times or another target."""
    target.get_client("scheduler").update_schedule(Name=earlier.ref, **_build_schedule_request(target, properties))
    return earlier


def _build_schedule_request(target: Resource, properties: JsonObject) -> JsonObject:
    """Return the request; moto keeps the schedule, and the pumps fire what it keeps."""
    _check_target(target, properties["Target"])
    return {"State": "ENABLED"} | {name: value for name, value in properties.items() if name != "Name"}
