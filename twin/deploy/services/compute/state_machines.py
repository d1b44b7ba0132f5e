"""Step Functions state machines, versions and aliases."""

import json
import re
from typing import Any

from twin.deploy.registry import (
    METADATA,
    TAGS,
    Created,
    JsonObject,
    Resource,
    as_json,
    register_resource,
    to_camel_case,
)

FIRST_REVISION = "INITIAL"
"""What CloudFormation answers for a machine that was never updated."""


@register_resource(
    "AWS::StepFunctions::StateMachine",
    handled={
        "StateMachineName",
        "StateMachineType",
        "Definition",
        "DefinitionString",
        "DefinitionS3Location",
        "DefinitionSubstitutions",
        "RoleArn",
        "LoggingConfiguration",
        "TracingConfiguration",
    },
    ignored={"Tags": TAGS, "EncryptionConfiguration": "executions live in memory"},
)
def create_state_machine(target: Resource, properties: JsonObject) -> Created:
    """Create a state machine from its definition, substitutions applied."""
    name = properties.get("StateMachineName") or target.physical_name(limit=80)
    request = {"name": name, "type": properties.get("StateMachineType", "STANDARD")} | build_revision(
        target, properties
    )
    arn = target.get_client("stepfunctions").create_state_machine(**request)["stateMachineArn"]
    target.deployment.state_machines[arn] = properties["RoleArn"]
    target.deployment.revisions[arn] = FIRST_REVISION
    return Created(arn, {"Arn": arn, "Name": name, "StateMachineRevisionId": FIRST_REVISION})


def build_revision(target: Resource, properties: JsonObject) -> dict[str, Any]:
    """Return what a revision of a machine consists of, as the API takes it."""
    request: dict[str, Any] = {"definition": _resolve_definition(target, properties), "roleArn": properties["RoleArn"]}
    if "LoggingConfiguration" in properties:
        request["loggingConfiguration"] = to_camel_case(properties["LoggingConfiguration"])
    if "TracingConfiguration" in properties:
        request["tracingConfiguration"] = to_camel_case(properties["TracingConfiguration"])
    return request


def _resolve_definition(target: Resource, properties: JsonObject) -> str:
    if "DefinitionS3Location" in properties:
        key = properties["DefinitionS3Location"]["Key"]
        asset = target.stack.find_asset(key)
        if asset is None:
            raise target.build_error(f"DefinitionS3Location: no asset of the assembly is published as {key}")
        text = asset.path.read_text(encoding="utf-8")
    else:
        text = properties.get("DefinitionString") or as_json(properties["Definition"])
    substitutions = properties.get("DefinitionSubstitutions", {})

    def replace_variable(match: re.Match[str]) -> str:
        name = match.group(1)
        # A name that is not substituted stays: JSONata and intrinsic formats may hold ${...} of their own.
        return str(substitutions[name]) if name in substitutions else match.group(0)

    text = re.sub(r"\$\{([A-Za-z0-9_.]+)\}", replace_variable, text)
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise target.build_error(f"the definition is not valid JSON after substitution: {error}") from error
    return text


@register_resource(
    "AWS::StepFunctions::StateMachineVersion",
    handled={"StateMachineArn", "StateMachineRevisionId", "Description"},
)
def publish_state_machine_version(target: Resource, properties: JsonObject) -> Created:
    """Publish the machine as a version.

    Raises:
        ResourceFailed: the machine has another revision than the one asked for.
    """
    arn = properties["StateMachineArn"]
    asked = properties.get("StateMachineRevisionId")
    if asked is not None and asked != target.deployment.revisions[arn]:
        raise target.build_error(f"ConflictException: the current revision of {arn} is not {asked}")
    description = {"versionDescription": properties["Description"]} if "Description" in properties else {}
    client = target.get_client("stepfunctions")
    # moto has no PublishStateMachineVersion; an update that changes nothing publishes as well.
    current = client.describe_state_machine(stateMachineArn=arn)["definition"]
    answer = client.update_state_machine(stateMachineArn=arn, definition=current, publish=True, **description)
    version = answer["stateMachineVersionArn"]
    return Created(version, {"Arn": version})


@register_resource(
    "AWS::StepFunctions::StateMachineAlias",
    handled={"Name", "RoutingConfiguration", "DeploymentPreference"},
    ignored={"Description": METADATA},
)
def create_state_machine_alias(target: Resource, properties: JsonObject) -> Created:
    """Create an alias; there is nothing to roll out from, so all goes to its version."""
    name = properties.get("Name") or target.physical_name(limit=80)
    targets = build_routing(properties)
    answer = target.get_client("stepfunctions").create_state_machine_alias(name=name, routingConfiguration=targets)
    arn = answer["stateMachineAliasArn"]
    return Created(arn, {"Arn": arn})


def build_routing(properties: JsonObject) -> list[dict[str, Any]]:
    """Return where an alias leads once its rollout is over, as the API takes it."""
    routing = properties.get("RoutingConfiguration")
    if routing is None:
        version = properties["DeploymentPreference"]["StateMachineVersionArn"]
        routing = [{"StateMachineVersionArn": version, "Weight": 100}]
    return [{"stateMachineVersionArn": one["StateMachineVersionArn"], "weight": int(one["Weight"])} for one in routing]
