"""KMS keys and their aliases."""

from twin.deploy.registry import REPLICATION, TAGS, Created, JsonObject, Resource, as_json, register_resource


@register_resource(
    "AWS::KMS::Key",
    handled={"KeyPolicy", "Description", "EnableKeyRotation", "KeySpec", "KeyUsage", "Enabled"},
    ignored={
        "PendingWindowInDays": "the twin deletes nothing",
        "RotationPeriodInDays": "a twin does not live that long",
        "BypassPolicyLockoutSafetyCheck": "the deployer is an administrator",
        "MultiRegion": REPLICATION,
        "Tags": TAGS,
    },
)
def create_key(target: Resource, properties: JsonObject) -> Created:
    """Create a key with its policy."""
    client = target.get_client("kms")
    request: JsonObject = {
        name: properties[name] for name in ("Description", "KeySpec", "KeyUsage") if name in properties
    }
    if "KeyPolicy" in properties:
        request["Policy"] = as_json(properties["KeyPolicy"])
    metadata = client.create_key(**request)["KeyMetadata"]
    if properties.get("EnableKeyRotation"):
        client.enable_key_rotation(KeyId=metadata["KeyId"])
    if properties.get("Enabled") is False:
        client.disable_key(KeyId=metadata["KeyId"])
    return Created(metadata["KeyId"], {"Arn": metadata["Arn"], "KeyId": metadata["KeyId"]})


@register_resource("AWS::KMS::Alias", handled={"AliasName", "TargetKeyId"})
def create_alias(target: Resource, properties: JsonObject) -> Created:
    """Create an alias; the key may be given by ARN."""
    key_id = properties["TargetKeyId"].rsplit("/", 1)[-1]
    target.get_client("kms").create_alias(AliasName=properties["AliasName"], TargetKeyId=key_id)
    return Created(properties["AliasName"], {"Arn": target.format_arn("kms", properties["AliasName"])})
