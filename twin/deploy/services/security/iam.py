"""IAM roles and policies. What each role may do is kept for the evaluator that stands in front of moto."""

import json
from functools import cache
from typing import Any

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


@cache
def _load_aws_policies() -> dict[str, Any]:
    # 2 MB of JSON: parsed only when a role uses a policy of AWS.
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    policies = json.loads(aws_managed_policies_data)
    return {f"arn:aws:iam::aws:policy{body['Path']}{name}": body for name, body in policies.items()}


def _get_managed_document(target: Resource, arn: str) -> JsonObject:
    own = target.deployment.managed_policies.get(arn)
    if own is not None:
        return own
    # The published policies carry the public partition's ARNs.
    published = _load_aws_policies().get(f"arn:aws:{arn.split(':', 2)[2]}")
    if published is None:
        raise target.build_error(f"the local twin does not support the managed policy '{arn}'")
    document: JsonObject = published["Document"]
    return document


@register_resource(
    "AWS::IAM::Role",
    handled={"AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns", "RoleName", "Path"},
    ignored={"Tags": TAGS, "Description": METADATA, "MaxSessionDuration": "sessions of the twin end with it"},
)
def create_role(target: Resource, properties: JsonObject) -> Created:
    """Create a role with its inline and managed policies."""
    client = target.get_client("iam")
    name = properties.get("RoleName") or target.physical_name(limit=64)
    trust = properties["AssumeRolePolicyDocument"]
    path = properties.get("Path", "/")
    made = client.create_role(RoleName=name, AssumeRolePolicyDocument=as_json(trust), Path=path)["Role"]
    # moto's ARN may be of another account than the deployment's: the front decides, so take what it answers.
    arn = made["Arn"]
    documents = target.deployment.roles.setdefault(arn, [])
    target.deployment.trusts[arn] = trust
    for inline in properties.get("Policies", []):
        _put_inline_policy(client, name, inline["PolicyName"], inline["PolicyDocument"])
        documents.append(inline["PolicyDocument"])
    for managed in properties.get("ManagedPolicyArns", []):
        documents.append(_attach_managed_policy(target, client, name, managed))
    return Created(name, {"Arn": arn, "RoleId": made["RoleId"]})


def _put_inline_policy(client: Any, role_name: str, name: str, document: JsonObject) -> None:
    client.put_role_policy(RoleName=role_name, PolicyName=name, PolicyDocument=as_json(document))


def _attach_managed_policy(target: Resource, client: Any, role_name: str, arn: str) -> JsonObject:
    document = _get_managed_document(target, arn)
    if arn in target.deployment.managed_policies:
        client.attach_role_policy(RoleName=role_name, PolicyArn=arn)
    else:
        # moto leaves AWS's own policies out unless told to load all of them, so their text goes inline.
        _put_inline_policy(client, role_name, arn.rsplit("/", 1)[-1], document)
    return document


def _get_role_arn(target: Resource, name: str) -> str:
    arn = next((arn for arn in target.deployment.roles if arn.rsplit("/", 1)[-1] == name), None)
    if arn is None:
        raise target.build_error(f"the assembly has no role '{name}'")
    return arn


@register_resource("AWS::IAM::Policy", handled={"PolicyName", "PolicyDocument", "Roles"})
def create_policy(target: Resource, properties: JsonObject) -> Created:
    """Attach an inline policy to roles."""
    for name in properties.get("Roles", []):
        _put_inline_policy(target.get_client("iam"), name, properties["PolicyName"], properties["PolicyDocument"])
        target.deployment.roles[_get_role_arn(target, name)].append(properties["PolicyDocument"])
    return Created(properties["PolicyName"])


@register_update("AWS::IAM::Policy")
def update_policy(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Change an inline policy of the same roles."""
    if properties["PolicyName"] != earlier.ref:
        raise target.build_error("a running twin cannot rename a policy: stop it and start it again")
    for name in properties.get("Roles", []):
        _put_inline_policy(target.get_client("iam"), name, properties["PolicyName"], properties["PolicyDocument"])
    return earlier


@register_resource(
    "AWS::IAM::ManagedPolicy",
    handled={"ManagedPolicyName", "PolicyDocument", "Roles", "Path"},
    ignored={"Description": METADATA},
)
def create_managed_policy(target: Resource, properties: JsonObject) -> Created:
    """Create a managed policy and attach it to roles."""
    client = target.get_client("iam")
    name = properties.get("ManagedPolicyName") or target.physical_name(limit=128)
    document = properties["PolicyDocument"]
    path = properties.get("Path", "/")
    made = client.create_policy(PolicyName=name, PolicyDocument=as_json(document), Path=path)
    arn: str = made["Policy"]["Arn"]
    target.deployment.managed_policies[arn] = document
    for role_name in properties.get("Roles", []):
        client.attach_role_policy(RoleName=role_name, PolicyArn=arn)
        target.deployment.roles[_get_role_arn(target, role_name)].append(document)
    return Created(arn, {"PolicyArn": arn})


@register_update("AWS::IAM::ManagedPolicy")
def update_managed_policy(target: Resource, properties: JsonObject, earlier: Created) -> Created:
    """Change a managed policy of the same roles, as CloudFormation does: by a new default version."""
    client = target.get_client("iam")
    document = properties["PolicyDocument"]
    before = client.get_policy(PolicyArn=earlier.ref)["Policy"]["DefaultVersionId"]
    client.create_policy_version(PolicyArn=earlier.ref, PolicyDocument=as_json(document), SetAsDefault=True)
    client.delete_policy_version(PolicyArn=earlier.ref, VersionId=before)
    target.deployment.managed_policies[earlier.ref] = document
    return earlier
