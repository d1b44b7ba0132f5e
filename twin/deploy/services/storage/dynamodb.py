"""DynamoDB tables, both the classic and the global (TableV2) type."""

from typing import Any

from twin.deploy.registry import COST, REPLICATION, TAGS, Created, JsonObject, Resource, as_json, register_resource

_SHAPE = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "BillingMode")
_REPLICA = (
    "Region",
    "PointInTimeRecoverySpecification",
    "DeletionProtectionEnabled",
    "SSESpecification",
    "ResourcePolicy",
)
_IGNORED_OF_REPLICAS = {
    "TableClass": COST,
    "ContributorInsightsSpecification": COST,
    "GlobalSecondaryIndexes": COST,  # throughput and insights of the table's indexes
    "Tags": TAGS,
}


@register_resource(
    "AWS::DynamoDB::Table",
    handled={
        "TableName",
        "AttributeDefinitions",
        "KeySchema",
        "BillingMode",
        "ProvisionedThroughput",
        "GlobalSecondaryIndexes",
        "LocalSecondaryIndexes",
        "TimeToLiveSpecification",
        "PointInTimeRecoverySpecification",
        "SSESpecification",
        "StreamSpecification",
        "DeletionProtectionEnabled",
        "ResourcePolicy",
    },
    ignored={
        "Tags": TAGS,
        "TableClass": COST,
        "ContributorInsightsSpecification": COST,
        "OnDemandThroughput": COST,
    },
)
def create_table(target: Resource, properties: JsonObject) -> Created:
    """Create a table of the classic type."""
    sse = properties.get("SSESpecification")
    if sse is not None:
        sse = {key: value for key, value in sse.items() if key != "SSEEnabled"} | {"Enabled": sse["SSEEnabled"]}
    return _create(target, properties, sse)


@register_resource(
    "AWS::DynamoDB::GlobalTable",
    handled={
        "TableName",
        "AttributeDefinitions",
        "KeySchema",
        "BillingMode",
        "GlobalSecondaryIndexes",
        "LocalSecondaryIndexes",
        "TimeToLiveSpecification",
        "SSESpecification",
        "StreamSpecification",
        "Replicas",
    },
    ignored={
        "WriteProvisionedThroughputSettings": COST,
        "WriteOnDemandThroughputSettings": COST,
        "ReadOnDemandThroughputSettings": COST,
        "ReadProvisionedThroughputSettings": COST,
        "WarmThroughput": COST,
        "GlobalTableWitnesses": REPLICATION,
        "MultiRegionConsistency": REPLICATION,
    },
)
def create_global_table(target: Resource, properties: JsonObject) -> Created:
    """Create a TableV2: the replica of this region carries its protection and its key."""
    replicas = properties["Replicas"]
    here = next((one for one in replicas if one["Region"] == target.place.region), None)
    if here is None:
        region = target.place.region
        raise target.build_error(f"the table has no replica in '{region}': add one, or start the twin with --region")
    for replica in replicas:
        target.check_keys("Replicas", replica, (*_REPLICA, *_IGNORED_OF_REPLICAS))
    properties = properties | {key: here[key] for key in _REPLICA[1:3] if key in here}
    if "ResourcePolicy" in here:
        properties["ResourcePolicy"] = here["ResourcePolicy"]
    sse = properties.get("SSESpecification")
    if sse is not None:
        sse = {"Enabled": sse["SSEEnabled"], "SSEType": sse.get("SSEType", "KMS")}
        if "SSESpecification" in here:
            sse["KMSMasterKeyId"] = here["SSESpecification"]["KMSMasterKeyId"]
        if not sse["Enabled"]:
            sse = None
    return _create(target, properties, sse)


def _create(target: Resource, properties: JsonObject, sse: JsonObject | None) -> Created:
    client = target.get_client("dynamodb")
    name = properties.get("TableName") or target.physical_name(limit=255)
    request: dict[str, Any] = {key: properties[key] for key in _SHAPE if properties.get(key)}
    request.setdefault("BillingMode", "PROVISIONED")
    if "ProvisionedThroughput" in properties:
        request["ProvisionedThroughput"] = properties["ProvisionedThroughput"]
    if "DeletionProtectionEnabled" in properties:
        request["DeletionProtectionEnabled"] = properties["DeletionProtectionEnabled"]
    if sse is not None:
        request["SSESpecification"] = sse
    stream = properties.get("StreamSpecification")
    if stream is not None:
        target.check_keys("StreamSpecification", stream, {"StreamViewType"})
        request["StreamSpecification"] = {"StreamEnabled": True, **stream}
    description = client.create_table(TableName=name, **request)["TableDescription"]
    _configure(client, name, properties)
    if "ResourcePolicy" in properties:
        document = as_json(properties["ResourcePolicy"]["PolicyDocument"])
        client.put_resource_policy(ResourceArn=description["TableArn"], Policy=document)
    attributes = {"Arn": description["TableArn"]}
    if "LatestStreamArn" in description:
        attributes["StreamArn"] = description["LatestStreamArn"]
    return Created(name, attributes)


def _configure(client: Any, name: str, properties: JsonObject) -> None:
    ttl = properties.get("TimeToLiveSpecification")
    if ttl is not None and ttl.get("Enabled"):
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
    recovery = properties.get("PointInTimeRecoverySpecification")
    if recovery is not None and recovery.get("PointInTimeRecoveryEnabled"):
        client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
