"""Step Functions in a running twin: new revisions and versions, and aliases that move to them, gradually or at once."""

import uuid

from twin.deploy.deployment import Rollout
from twin.deploy.registry import Created, JsonObject, Resource, register_update
from twin.deploy.services.compute.state_machines import build_revision, build_routing, publish_state_machine_version


@register_update("AWS::StepFunctions::StateMachine")
def update_machine(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Change a machine: a new revision. Executions and versions keep theirs."""
    if properties.get("StateMachineName", earlier.attributes["Name"]) != earlier.attributes["Name"]:
        raise target.build_error("a running twin cannot rename a state machine: stop it and start it again")
    client = target.get_client("stepfunctions")
    if client.describe_state_machine(stateMachineArn=earlier.ref)["type"] != properties.get(
        "StateMachineType", "STANDARD"
    ):
        raise target.build_error("the type of a state machine cannot be changed: CloudFormation makes another machine")
    client.update_state_machine(stateMachineArn=earlier.ref, **build_revision(target, properties))
    target.deployment.state_machines[earlier.ref] = properties["RoleArn"]
    number = str(uuid.uuid4())
    target.deployment.revisions[earlier.ref] = number
    return Created(earlier.ref, {**earlier.attributes, "StateMachineRevisionId": number})


@register_update("AWS::StepFunctions::StateMachineVersion")
def replace_version(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Publish the new revision; the former version stays, as its removal policy says."""
    return publish_state_machine_version(target, properties)


@register_update("AWS::StepFunctions::StateMachineAlias")
def update_alias(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Move an alias: at once, or its first part, and the rest is the deployment's rollout."""
    client = target.get_client("stepfunctions")
    now = client.describe_state_machine_alias(stateMachineAliasArn=earlier.ref)["routingConfiguration"]
    before = max(now, key=lambda one: int(one["weight"]))["stateMachineVersionArn"]
    preference = properties.get("DeploymentPreference", {})
    kind, wanted = preference.get("Type", "ALL_AT_ONCE"), build_routing(properties)
    after = wanted[0]["stateMachineVersionArn"]
    if kind != "ALL_AT_ONCE" and before != after:
        share = int(preference["Percentage"])
        rollout = Rollout(earlier.ref, before, after, kind, share, share)
        target.deployment.rollouts.append(rollout)
        wanted = [
            {"stateMachineVersionArn": after, "weight": share},
            {"stateMachineVersionArn": before, "weight": 100 - share},
        ]
    client.update_state_machine_alias(stateMachineAliasArn=earlier.ref, routingConfiguration=wanted)
    return earlier
