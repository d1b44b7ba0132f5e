"""Secrets Manager secrets; generated values are made as the template asks."""

import json
from typing import Any

from twin.deploy.registry import REPLICATION, TAGS, Created, JsonObject, Resource, as_json, register_resource

_GENERATOR = {
    "PasswordLength",
    "ExcludeCharacters",
    "ExcludeLowercase",
    "ExcludeNumbers",
    "ExcludePunctuation",
    "ExcludeUppercase",
    "IncludeSpace",
    "RequireEachIncludedType",
}


@register_resource(
    "AWS::SecretsManager::Secret",
    handled={"Name", "Description", "KmsKeyId", "SecretString", "GenerateSecretString"},
    ignored={"Tags": TAGS, "ReplicaRegions": REPLICATION},
)
def create_secret(target: Resource, properties: JsonObject) -> Created:
    """Create a secret with the given or a generated value."""
    client = target.get_client("secretsmanager")
    name = properties.get("Name") or target.physical_name(limit=256)
    request = {key: properties[key] for key in ("Description", "KmsKeyId") if key in properties}
    value = properties.get("SecretString")
    if value is None:
        value = _generate_value(target, client, properties.get("GenerateSecretString", {}))
    arn = client.create_secret(Name=name, SecretString=value, **request)["ARN"]
    target.deployment.secrets[name] = arn
    return Created(arn, {"Id": arn})


def _generate_value(target: Resource, client: Any, options: JsonObject) -> str:
    target.check_keys("GenerateSecretString", options, _GENERATOR | {"SecretStringTemplate", "GenerateStringKey"})
    password: str = client.get_random_password(**{key: options[key] for key in _GENERATOR if key in options})[
        "RandomPassword"
    ]
    if "SecretStringTemplate" not in options:
        return password
    return json.dumps({**json.loads(options["SecretStringTemplate"]), options["GenerateStringKey"]: password})


@register_resource("AWS::SecretsManager::ResourcePolicy", handled={"SecretId", "ResourcePolicy"}, ignored={
    "BlockPublicPolicy": "nothing outside the machine reaches the twin"})  # fmt: skip
def create_resource_policy(target: Resource, properties: JsonObject) -> Created:
    """Attach a policy to a secret."""
    arn, document = properties["SecretId"], properties["ResourcePolicy"]
    target.get_client("secretsmanager").put_resource_policy(SecretId=arn, ResourcePolicy=as_json(document))
    return Created(arn)


@register_resource(
    "AWS::SecretsManager::RotationSchedule",
    handled={"SecretId", "RotationLambdaARN", "RotationRules"},
    ignored={"RotateImmediatelyOnUpdate": "a rotation begins when RotateSecret is called"},
)
def create_rotation_schedule(target: Resource, properties: JsonObject) -> Created:
    """Tell a secret by which function it is rotated. The schedule itself does not fire here."""
    rules = properties.get("RotationRules", {})
    target.check_keys("RotationRules", rules, {"AutomaticallyAfterDays", "Duration", "ScheduleExpression"})
    days = {"AutomaticallyAfterDays": int(rules["AutomaticallyAfterDays"])} if "AutomaticallyAfterDays" in rules else {}
    arn = target.get_client("secretsmanager").rotate_secret(
        SecretId=properties["SecretId"],
        RotationLambdaARN=properties["RotationLambdaARN"],
        RotationRules=days,
        RotateImmediately=False,
    )["ARN"]
    return Created(arn, {"Id": arn})
